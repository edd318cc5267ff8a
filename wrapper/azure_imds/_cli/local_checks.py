"""The checks of `azure-imds doctor` that need no answer from IMDS: environment, proxy, key files and connection."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from .._client.arc import token_folder
from .._client.host import Host, find_host
from ..errors import ArcChallengeError, ImdsValidationError
from . import findings
from .findings import Report
from .surroundings import Surroundings, check_folder, find_local_address

#: Seconds for a connection.
CONNECT_SECONDS = 2.0

_AZURE_HOST = "169.254.169.254"


def check_environment(report: Report, surroundings: Surroundings, endpoint: str | None) -> Host | None:
    """Finds the endpoint of IMDS; None if there is no IMDS to send requests to.

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
    if not host.is_imds:
        report.add(findings.HOST, name=host.name, title=host.server.title, reason=host.reason)
        for variable, meaning in host.server.variables.items():
            state = "is set" if variables.get(variable) else "is not set"
            report.add(findings.VARIABLE, variable=variable, state=state, meaning=meaning.removesuffix("."))
    name = urlsplit(host.endpoint).hostname or ""
    if not name.replace(".", "").isdigit() and name != "localhost":
        report.names.add(name)
    report.add(findings.ENDPOINT, endpoint=host.endpoint, source=_describe_source(surroundings, endpoint, host))
    return host


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
    name = urlsplit(host.endpoint).hostname or ""
    variable = surroundings.proxy_variable_for(name)
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
    parts = urlsplit(host.endpoint)
    name, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        address = find_local_address(name, port)
    except OSError as error:
        report.add(findings.NO_ROUTE, host=name, reason=_describe_reason(error))
        return False
    link_local = address.startswith("169.254.") and address != name
    report.add(findings.LINK_LOCAL if link_local else findings.ROUTE, address=address)
    try:
        socket.create_connection((name, port), timeout=max(0.001, min(CONNECT_SECONDS, report.seconds_left))).close()
    except TimeoutError:
        report.add(findings.NO_ANSWER, host=name, port=port)
        return False
    except OSError as error:
        finding = findings.REFUSED_BY_AGENT if host.name == "arc" else findings.REFUSED
        report.add(finding, host=name, port=port, reason=_describe_reason(error))
        return False
    report.add(findings.CONNECTED, host=name, port=port)
    return True


def _describe_reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
