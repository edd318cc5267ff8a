"""The checks of `azure-imds doctor` that need no answer from IMDS: environment, proxy, key files and connection."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from attrs import evolve

from azure_imds_api.api import SERVERS

from .._client.arc import token_folder
from .._client.host import Host, find_host
from ..errors import ArcChallengeError, ImdsValidationError
from . import findings
from .findings import Finding, Report
from .surroundings import Surroundings, check_folder, find_local_address

#: Seconds for a connection.
CONNECT_SECONDS = 2.0

_AZURE_HOST = "169.254.169.254"

#: Variables of notebooks of Synapse and Fabric, with the beginning of their values in lower case.
_NOTEBOOKS = {"AZURE_SERVICE": "microsoft.projectarcadia", "MSNOTEBOOKUTILS_RUNTIME_TYPE": "jupyter"}


def check_environment(report: Report, surroundings: Surroundings, endpoint: str | None) -> Host | None:
    """Finds the host and its endpoint; None if there is none to send requests to.

    Raises:
        ImdsValidationError: `endpoint` is not a scheme and a host.
    """
    variables = surroundings.environment
    if variables.get("AZURE_IMDS_DISABLED", "").strip().lower() not in ("", "0", "false", "no"):
        report.add(findings.DISABLED)
        return None
    try:
        host = find_host(endpoint, variables)
    except ImdsValidationError as error:
        if endpoint is not None:
            raise
        report.add(findings.BAD_VARIABLE, problem=error, variable=error.parameter)
        return None
    if host.server.refused:
        facts = {"name": host.name, "title": host.server.title, "reason": host.reason}
        report.add(findings.OTHER_HOST, **facts, advice=host.server.refused)
        return None
    is_default = endpoint is None and not host.reason and not variables.get("AZURE_POD_IDENTITY_AUTHORITY_HOST")
    if is_default and not _find_other_place(report, surroundings):
        return None
    if not host.is_imds:
        report.add(findings.HOST, name=host.name, title=host.server.title, reason=host.reason)
        for variable, meaning in host.server.variables.items():
            state = "is set" if variables.get(variable) else "is not set"
            report.add(findings.VARIABLE, variable=variable, state=state, meaning=meaning.removesuffix("."))
    name = urlsplit(host.endpoint).hostname or ""
    if not name.replace(".", "").isdigit() and name != "localhost":
        report.names.add(name)
    finding = findings.ENDPOINT if host.is_imds else findings.TOKEN_ENDPOINT
    report.add(finding, endpoint=host.endpoint, source=_describe_source(surroundings, endpoint, host))
    return host


def _find_other_place(report: Report, surroundings: Surroundings) -> bool:
    """Recognizes what looks like a virtual machine but is something else. Returns whether requests make sense."""
    variables = surroundings.environment
    for variable, start in _NOTEBOOKS.items():
        if variables.get(variable, "").lower().startswith(start):
            report.add(findings.NOTEBOOK, variable=variable)
            return False
    partly_set: list[tuple[int, str, list[str], list[str]]] = []
    for server in SERVERS.values():
        present = [name for name in server.when_set if variables.get(name)]
        missing = [name for name in server.when_set if not variables.get(name)]
        # Container Instances have the secrets of Service Fabric, but IMDS and no other endpoint. AZURE_TENANT_ID alone
        # means nothing, except in a pod.
        is_likely = len(missing) <= len(present) and any(f"{{{name}}}" in server.template for name in present)
        if present and missing and server.template and (is_likely or surroundings.is_kubernetes()):
            partly_set.append((len(missing), server.title, missing, present))
    if partly_set:
        _, title, missing, present = min(partly_set)
        names = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'}"
        report.add(findings.PARTLY_SET, title=title, missing=names, present=", ".join(present))
    return True


def check_client_id(report: Report, surroundings: Surroundings, host: Host, selector: Mapping[str, str]) -> None:
    """Looks for the variable with which other libraries select an identity."""
    client_id = surroundings.environment.get("AZURE_CLIENT_ID", "").strip()
    is_read = "AZURE_CLIENT_ID" in host.server.variables
    if client_id and not is_read and client_id.lower() not in (value.lower() for value in selector.values()):
        report.add(findings.CLIENT_ID_UNUSED)


def _describe_source(surroundings: Surroundings, endpoint: str | None, host: Host) -> str:
    if endpoint is not None:
        return "from --endpoint"
    if surroundings.environment.get("AZURE_POD_IDENTITY_AUTHORITY_HOST"):
        return "from AZURE_POD_IDENTITY_AUTHORITY_HOST"
    return "the agent of Azure Arc" if host.name == "arc" else host.reason or "the default"


def check_place(report: Report, surroundings: Surroundings, host: Host) -> None:
    """Recognizes containers and other places in which IMDS may not be reachable."""
    if not host.is_imds:  # its endpoint is made for this place
        return
    if surroundings.is_kubernetes():
        report.add(findings.KUBERNETES)
    elif surroundings.is_container():
        report.add(findings.CONTAINER)
    if surroundings.is_wsl():
        report.add(findings.WSL)
    if host.endpoint.endswith(_AZURE_HOST) and surroundings.is_azure() is False:
        report.add(findings.NOT_AZURE)


def check_proxy(report: Report, surroundings: Surroundings, host: Host) -> None:
    """Looks for a variable that makes other programs send IMDS requests through a proxy."""
    parts = urlsplit(host.endpoint)
    name = parts.hostname or ""
    if host.proxy:
        report.add(findings.PROXY_USED, host=name, proxy=urlsplit(host.proxy).hostname)
        return
    variable = None if host.server.proxies else surroundings.proxy_variable_for(name, parts.scheme)
    if variable is None:
        report.add(findings.NO_PROXY, host=name)
    else:
        report.add(findings.PROXY_VARIABLE, host=name, variable=variable)


def check_arc_folder(report: Report, host: Host) -> None:
    """Checks that this process can read the key files of Azure Arc. Does nothing on other hosts."""
    if host.name != "arc":
        return
    try:
        folder = token_folder()
    except ArcChallengeError as error:
        report.add(findings.NO_ARC, problem=error)
        return
    readable, details = check_folder(folder)
    report.add(findings.ARC_FOLDER_READABLE if readable else findings.ARC_FOLDER_UNREADABLE, details=details)


def check_connection(report: Report, host: Host) -> bool:
    """Checks the route to the endpoint, and returns whether it accepts a connection."""
    parts = urlsplit(host.proxy or host.endpoint)
    name, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        address = find_local_address(name, port)
    except OSError as error:
        _add_fault(report, host, findings.NO_ROUTE, name, reason=_describe_reason(error))
        return False
    link_local = host.is_imds and address.startswith("169.254.") and address != name
    report.add(findings.LINK_LOCAL if link_local else findings.ROUTE, address=address)
    try:
        socket.create_connection((name, port), timeout=max(0.001, min(CONNECT_SECONDS, report.seconds_left))).close()
    except TimeoutError:
        _add_fault(report, host, findings.NO_ANSWER, name, port=port)
        return False
    except OSError as error:
        finding = findings.REFUSED_BY_AGENT if host.name == "arc" else findings.REFUSED
        _add_fault(report, host, finding, name, port=port, reason=_describe_reason(error))
        return False
    report.add(findings.CONNECTED, host=name, port=port)
    return True


def _add_fault(report: Report, host: Host, finding: Finding, name: str, **values: object) -> None:
    """Adds a finding about the connection, with the advice of the specification if the host has one."""
    advice = host.server.unreachable
    report.add(evolve(finding, advice=advice) if advice else finding, host=name, **values)


def _describe_reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
