"""Finds IMDS on this machine: an argument, the environment, the Azure Arc agent, or the address it has everywhere."""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from azure_imds_api.api import SERVERS

from .validation import invalid

_NETLOC = re.compile(r"(\[[0-9A-Fa-f:.]+(%[\w.~-]+)?\]|[\w.-]+)(:[0-9]*)?")

_AZURE, _ARC = SERVERS["azure"], SERVERS["arc"]

#: Hosts whose identity endpoint is not IMDS: the variables that are set there, the name, the variable with its address.
#: The first match wins, as in Microsoft's own libraries. (Azure.Identity, order of managed identity sources.)
_FOREIGN = (
    (
        ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT"),
        "Azure Service Fabric",
        "IDENTITY_ENDPOINT",
    ),
    (("IDENTITY_ENDPOINT", "IDENTITY_HEADER"), "Azure App Service, Functions or Container Apps", "IDENTITY_ENDPOINT"),
    (("MSI_ENDPOINT", "MSI_SECRET"), "Azure Machine Learning (or an old App Service)", "MSI_ENDPOINT"),
    (("MSI_ENDPOINT",), "Azure Cloud Shell", "MSI_ENDPOINT"),
)


class Host(NamedTuple):
    """The IMDS of this machine.

    Attributes:
        endpoint: scheme and host, without a path.
        api_version: the version to use on this host by default. None for the default of each operation.
        foreign: why IMDS is not called on this host. "" if it is.
    """

    endpoint: str
    api_version: str | None = None
    foreign: str = ""

    @property
    def base_url(self) -> str:
        """The URL that the path of every operation is appended to."""
        return self.endpoint + urlsplit(_AZURE.url).path

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


def find_host(endpoint: str | None, environment: Mapping[str, str] | None = None) -> Host:
    """Finds IMDS: the argument, else AZURE_POD_IDENTITY_AUTHORITY_HOST, else Azure Arc, else 169.254.169.254.

    Raises:
        ImdsValidationError: the argument or variable is not a scheme and a host.
    """
    environment = os.environ if environment is None else environment
    if endpoint is not None:
        return Host(origin(endpoint, "endpoint"))
    if value := environment.get("AZURE_POD_IDENTITY_AUTHORITY_HOST"):
        return Host(origin(value, "AZURE_POD_IDENTITY_AUTHORITY_HOST"))
    for variables, host, where in _FOREIGN:
        if all(environment.get(variable) for variable in variables):
            return Host(
                origin(_AZURE.url),
                foreign=f"this is {host} ({', '.join(variables)} in the environment). Its identity "
                f"endpoint is in {where} and has another protocol, so IMDS is not called.",
            )
    if environment.get("IDENTITY_ENDPOINT") and environment.get("IMDS_ENDPOINT"):
        return Host(origin(environment["IDENTITY_ENDPOINT"], "IDENTITY_ENDPOINT", path=True), _ARC.api_version)
    if os.path.exists(_himds(environment)):
        return Host(origin(_ARC.url), _ARC.api_version)
    return Host(origin(_AZURE.url))


def _himds(environment: Mapping[str, str]) -> str:
    """The program of the Azure Arc agent, which listens on the port of the specification's second server."""
    if sys.platform == "win32":
        return os.path.join(
            environment.get("PROGRAMFILES", r"C:\Program Files"), "AzureConnectedMachineAgent", "himds.exe"
        )
    return "/opt/azcmagent/bin/himds"


def origin(url: str, parameter: str | None = None, *, path: bool = False) -> str:
    """Scheme, host and port of a URL.

    With a `parameter` to name in the error, a URL that contains anything else is refused, except for slashes at the
    end, and for a path if `path`.
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
    except (ValueError, TypeError, AttributeError, httpx.InvalidURL):
        parts, valid = urlsplit(""), False
    if not valid or (parameter and not path and parts.path.strip("/")):
        raise invalid(parameter or "", "must be a scheme and a host without a path, such as http://127.0.0.1:8080")
    return f"{parts.scheme}://{parts.netloc}"
