"""The addresses of an emulator, and the environment variables that direct clients to it."""

from __future__ import annotations

import errno
import shlex
import socket
import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager

from .hosts import list_host_names

#: Addresses that mean "all interfaces", and an address that clients on this machine can connect to instead.
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}

TOKEN_PATH = "/metadata/identity/oauth2/token"

#: The variable with the address of a metadata service.
ADDRESS_VARIABLE = "AZURE_POD_IDENTITY_AUTHORITY_HOST"


def make_url(host: str, port: int, scheme: str = "http") -> str:
    """Returns the URL of a server that listens on this host and port, for clients on this machine."""
    host = _WILDCARDS.get(host, host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def list_server_names(host: str) -> list[str]:
    """Returns the names and addresses by which clients reach a server that listens on this host."""
    names = ["localhost", "127.0.0.1", "::1", _WILDCARDS.get(host, host), find_outside_address(host)]
    return list(dict.fromkeys(name for name in names if name))


def make_environment(endpoint: str, *, arc: bool) -> dict[str, str]:
    """Returns the variables that make clients use the emulator at `endpoint`: those of Azure Arc, or of an Azure VM."""
    if arc:
        return {"IDENTITY_ENDPOINT": f"{endpoint}{TOKEN_PATH}", "IMDS_ENDPOINT": endpoint}
    return {ADDRESS_VARIABLE: endpoint}


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can reach the address."""
    return host in ("localhost", "::1") or host.startswith("127.")


def find_outside_address(host: str) -> str | None:
    """Returns the address by which other machines reach a server on all interfaces, that of the default route.

    Returns `None` for other hosts, and without a route.
    """
    if host not in _WILDCARDS:
        return None
    family, somewhere = (socket.AF_INET6, "2001:db8::1") if ":" in host else (socket.AF_INET, "192.0.2.1")
    try:
        # Sends nothing: UDP has no connections. It makes the system choose a route and its address.
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((somewhere, 9))
            address: str = probe.getsockname()[0]
            return address
    except OSError:
        return None


def format_commands(variables: Mapping[str, str]) -> list[str]:
    """Returns the commands that set variables: first those of POSIX shells, then those of PowerShell."""
    posix = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    quoted = {name: value.replace("'", "''") for name, value in variables.items()}
    return posix + [f"$env:{name} = '{value}'" for name, value in quoted.items()]


def format_removals(variables: Iterable[str]) -> list[str]:
    """Returns the commands that remove variables, in the same order."""
    names = sorted(variables)
    return [f"unset {name}" for name in names] + [f"Remove-Item Env:{name}" for name in names]


@contextmanager
def explain_bind_errors(host: str, port: int, setting: str) -> Generator[None]:
    """Adds to an error of listening what can be done about it.

    Args:
        setting: the name of the setting with the port.
    """
    try:
        yield
    except OSError as error:
        place = f"cannot listen on {host} port {port}"
        if error.errno is None:  # asyncio, from Python 3.13 on
            error = _find_bind_error(host, port) or error
        raise OSError(error.errno, f"{place}: {_explain(error, host, port, setting)}") from error


def _find_bind_error(host: str, port: int) -> OSError | None:
    """Returns what the operating system says about listening there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def _explain(error: OSError, host: str, port: int, setting: str) -> str:
    option = f"--{setting.replace('_', '-')}"
    if isinstance(error, socket.gaierror):
        known = ", ".join(list_host_names())
        return f"the name of the host is not known. It must be an address, or a host to emulate: {known}"
    if error.errno == errno.EADDRINUSE:
        return f"the address is in use: end the program that uses it, or choose another port with {option}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"this machine does not have the address. Add it: {_make_address_command(host)}"
    if error.errno in (errno.EACCES, errno.EPERM) and port < 1024:
        how = "sudo sysctl net.ipv4.ip_unprivileged_port_start=80" if sys.platform == "linux" else "run it with sudo"
        return f"ports below 1024 need a permission: {how}, or choose another port with {option}"
    return error.strerror or str(error)


def _make_address_command(host: str) -> str:
    if sys.platform == "darwin":
        return f"sudo ifconfig lo0 alias {host}"
    if sys.platform == "win32":
        interface, mask = '"Loopback Pseudo-Interface 1"', "255.255.255.255"
        return f"netsh interface ipv4 add address {interface} {host} {mask} (as Administrator)"
    return f"sudo ip address add {host}/{128 if ':' in host else 32} dev lo"
