"""Finds the host: an argument, the environment, a file, or the address that IMDS has everywhere.

Which hosts there are is in the specification: see `Server` of the generated package.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from azure_imds_api.api import SERVERS, Operation, Server, operation_on

from .._interruptions import is_interruption
from .validation import invalid

_NETLOC = re.compile(r"(\[[0-9A-Fa-f:.]+(%[\w.~-]+)?\]|[\w.-]+)(:[0-9]*)?")

#: The server that is used if no other is recognized: IMDS.
_IMDS = next(server for server in SERVERS.values() if not (server.when_set or server.when_files))


class Host(NamedTuple):
    """What answers on this machine.

    Attributes:
        server: the specification's description of it.
        endpoint: scheme and host, without a path.
        url: the URL of every operation, on a host with operations of its own. "" elsewhere.
        certificate: the SHA-1 of the server's certificate, as hexadecimal digits. "" to verify the chain.
    """

    server: Server
    endpoint: str
    url: str = ""
    certificate: str = ""

    @property
    def name(self) -> str:
        """The name in the specification, such as azure."""
        return self.server.name

    @property
    def base_url(self) -> str:
        """The URL that the path of an operation of IMDS is appended to."""
        return self.endpoint + urlsplit(_IMDS.url).path

    @property
    def is_loopback(self) -> bool:
        """Whether the endpoint is on this machine."""
        name = urlsplit(self.endpoint).hostname or ""
        if name == "localhost":
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False

    @property
    def is_imds(self) -> bool:
        """Whether the host has the operations of IMDS. If not, other operations stand for some of them."""
        return self.server.operations is None

    @property
    def reason(self) -> str:
        """The variables by which the host was recognized, for messages."""
        return f"{', '.join(self.server.when_set)} in the environment" if self.server.when_set else ""

    @property
    def proxy(self) -> str:
        """The proxy of the environment for this host, if it is on the internet. "" to connect directly.

        Raises:
            ImdsValidationError: the variable is not the URL of a proxy.
        """
        if not self.server.proxies:
            return ""
        from urllib.request import getproxies, proxy_bypass

        parts = urlsplit(self.endpoint)
        proxies = {} if proxy_bypass(parts.netloc) else getproxies()
        proxy = proxies.get(parts.scheme) or proxies.get("all", "")
        if proxy and "://" not in proxy:
            proxy = f"http://{proxy}"
        if proxy and not _is_proxy(proxy):
            text = "must be the URL of a proxy, such as http://proxy.example:3128. SOCKS needs the package socksio"
            raise invalid(f"{parts.scheme.upper()}_PROXY", text)
        return proxy

    def url_of(self, request: Mapping[str, Any]) -> str:
        """The URL of a request that an operation has built."""
        params = request.get("params") or None
        return str(httpx.URL(self.url or self.base_url + request["url"], params=params))

    def operation(self, operation: Operation[Any]) -> Operation[Any] | None:
        """The operation to send here in place of this one. None if the host has none."""
        return None if self.server.refused else operation_on(self.server, operation)

    def accepts(self, operation: Operation[Any], argument: str) -> bool:
        """Whether this argument of an operation can be sent here."""
        sent = self.operation(operation)
        return self.is_imds or (sent is not None and any(source.argument == argument for source in sent.sources))

    def key(self, operation: Operation[Any]) -> tuple[str, ...]:
        """What distinguishes the responses of this host for the same arguments: its URL, and values of variables.

        A secret may be what tells the host which program asks, as on Service Fabric, where all applications of a node
        have the same URL.
        """
        sent = None if self.is_imds else self.operation(operation)
        sources = [s for s in sent.sources if s.variable and (s.argument or s.secret)] if sent else []
        values = [(s.variable, os.environ.get(s.variable, ""), s.secret) for s in sources]
        return (
            self.url or self.endpoint,
            *(f"{name}={_digest(value) if is_secret else value}" for name, value, is_secret in values),
        )


def find_host(endpoint: str | None, environment: Mapping[str, str] | None = None) -> Host:
    """Finds the host: the argument, else AZURE_POD_IDENTITY_AUTHORITY_HOST, else the specification's servers in order.

    A server whose variables are set counts more than one whose file exists. An empty variable counts as unset.

    Raises:
        ImdsValidationError: the argument or a variable is not a URL of the right form.
    """
    environment = os.environ if environment is None else environment
    if endpoint is not None:
        return Host(_IMDS, origin(endpoint, "endpoint"))
    if value := environment.get("AZURE_POD_IDENTITY_AUTHORITY_HOST"):
        return Host(_IMDS, origin(value, "AZURE_POD_IDENTITY_AUTHORITY_HOST"))
    for recognize in (_has_variables, _has_file):
        for server in SERVERS.values():
            if recognize(server, environment):
                return _host_of(server, environment)
    return Host(_IMDS, origin(_IMDS.url))


def _digest(secret: str) -> str:
    import hashlib

    return hashlib.sha256(os.fsencode(secret)).hexdigest()


def _has_variables(server: Server, environment: Mapping[str, str]) -> bool:
    return bool(server.when_set) and (
        all(map(environment.get, server.when_set)) and not any(map(environment.get, server.when_unset))
    )


def _has_file(server: Server, environment: Mapping[str, str]) -> bool:
    path = _file_of(server, environment)
    return path != "" and os.path.exists(path)


def _file_of(server: Server, environment: Mapping[str, str]) -> str:
    """The file that shows that a server is on this machine. "" if there is none on this platform."""
    return _fill(server.when_files.get(sys.platform, ""), environment)


def _host_of(server: Server, environment: Mapping[str, str]) -> Host:
    if address := environment.get(server.origin):
        return Host(server, origin(address, server.origin, example=server.url))
    if not server.template or server.refused:
        return Host(server, origin(server.url))
    first, *others = re.findall(r"{(\w+)}", server.template)
    for variable in others:
        # Only the first one may contain more than a name, since the others are parts of the path.
        if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", environment[variable]):
            raise invalid(variable, "must consist of letters, digits, dots and hyphens, and must not start with a dot")
    url = _fill(server.template, environment)
    endpoint, example = origin(url, first, example=server.url), origin(server.url)
    if urlsplit(endpoint).scheme != urlsplit(example).scheme:
        raise invalid(first, f"must be an {urlsplit(example).scheme} URL, for example {example}")
    certificate = re.sub(r"[:\s]", "", environment.get(server.certificate, ""))
    if server.certificate and not re.fullmatch(r"[0-9A-Fa-f]{40}", certificate):
        raise invalid(server.certificate, "must be the SHA-1 of a certificate: 40 hexadecimal digits")
    host = Host(server, endpoint, url, certificate)
    _ = host.proxy  # raises if it is malformed, as for the other variables
    return host


def _is_proxy(url: str) -> bool:
    """Whether httpx can use this proxy."""
    from importlib.util import find_spec

    try:
        parsed = httpx.Proxy(url).url
    except (ValueError, httpx.InvalidURL) as error:
        if is_interruption(error):
            raise
        return False
    return bool(parsed.host) and (parsed.scheme in ("http", "https") or find_spec("socksio") is not None)


def _fill(template: str, environment: Mapping[str, str]) -> str:
    """Replaces variables in braces by their values. A slash after a variable is not doubled."""
    for name in re.findall(r"{(\w+)}", template):
        value, mark = environment.get(name, ""), f"{{{name}}}"
        template = template.replace(f"{mark}/", value.rstrip("/") + "/").replace(mark, value)
    return template


def origin(url: str, parameter: str | None = None, *, example: str = "") -> str:
    """Scheme, host and port of a URL.

    With a `parameter` to name in the error, a URL that contains anything else is refused, except for slashes at the
    end. With an `example` to show in the error, it may also have a path.
    """
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        extra = parts.username or parts.password or parts.query or parts.fragment
        valid = valid and not extra and _NETLOC.fullmatch(parts.netloc) is not None and url.isprintable()
        if valid:
            # httpx refuses broken punycode. The resolver cannot handle a label that is empty or longer than 63 bytes.
            parsed = httpx.URL(url)
            labels = parsed.raw_host.removesuffix(b".").split(b".")
            valid = bool(parsed.host) and all(0 < len(label) < 64 for label in labels)
    except (ValueError, TypeError, AttributeError, httpx.InvalidURL) as error:
        if is_interruption(error):
            raise
        parts, valid = urlsplit(""), False
    if not valid or (parameter and not example and parts.path.strip("/")):
        form = "a URL without a user, a query and a fragment" if example else "a scheme and a host without a path"
        raise invalid(parameter or "", f"must be {form}, such as {example or 'http://127.0.0.1:8080'}")
    return f"{parts.scheme}://{parts.netloc}"
