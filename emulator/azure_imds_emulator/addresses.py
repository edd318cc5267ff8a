"""The URLs of an emulator, and the environment variables that direct clients to it."""

from __future__ import annotations

#: Clients cannot connect to an address that means "all interfaces".
_CONNECTABLE = {"0.0.0.0": "127.0.0.1", "::": "::1"}

TOKEN_PATH = "/metadata/identity/oauth2/token"


def make_url(host: str, port: int) -> str:
    """Returns the URL of a server that listens on this host and port."""
    host = _CONNECTABLE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def make_environment(endpoint: str, *, arc: bool) -> dict[str, str]:
    """Returns the variables that make clients use the emulator at `endpoint`: those of Azure Arc, or of an Azure VM."""
    if arc:
        return {"IDENTITY_ENDPOINT": f"{endpoint}{TOKEN_PATH}", "IMDS_ENDPOINT": endpoint}
    return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": endpoint}
