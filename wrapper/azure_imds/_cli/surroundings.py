"""What the machine's files, the environment and the network configuration tell about this place. Sends nothing."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib import request

from attrs import field, frozen

#: The chassis asset tag of every Azure virtual machine. cloud-init and Azure's own agent recognize Azure by it too.
AZURE_ASSET_TAG = "7783-7084-3265-9085-8269-3286-77"


def _environment() -> Mapping[str, str]:
    return os.environ


@frozen
class Surroundings:
    """The environment of the process and the files of the machine.

    Attributes:
        environment: the environment variables.
        root: root folder of the file system; tests use another one.
    """

    environment: Mapping[str, str] = field(factory=_environment, repr=False)
    root: Path = Path("/")

    def is_kubernetes(self) -> bool:
        """Whether this process runs in a Kubernetes pod."""
        return "KUBERNETES_SERVICE_HOST" in self.environment

    def is_container(self) -> bool:
        """Whether this process runs in a Docker or Podman container."""
        return any((self.root / path).exists() for path in (".dockerenv", "run/.containerenv"))

    def is_wsl(self) -> bool:
        """Whether this is the Windows Subsystem for Linux."""
        return "microsoft" in self._read("proc/version").lower()

    def is_azure(self) -> bool | None:
        """Whether the firmware identifies this machine as an Azure virtual machine; None if it does not tell."""
        tag = self._read("sys/class/dmi/id/chassis_asset_tag").strip()
        return tag == AZURE_ASSET_TAG if tag else None

    def proxy_variable_for(self, host: str, scheme: str) -> str | None:
        """The variable that makes other programs send a request for `host` through a proxy; None if there is none."""
        lower = {name.lower(): value for name, value in self.environment.items()}
        # The standard library has this function on every platform; only the type stubs lack it.
        if request.proxy_bypass_environment(host, {"no": lower.get("no_proxy", "")}):  # type: ignore[attr-defined]
            return None
        names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
        return next((name for name in names if self.environment.get(name)), None)

    def _read(self, path: str) -> str:
        try:
            return (self.root / path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""


def find_local_address(host: str, port: int) -> str:
    """The local address from which requests to `host` leave. Sends nothing.

    Raises:
        OSError: there is no route to the host, or its name is unknown.
    """
    family, _, _, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(target)
        return str(probe.getsockname()[0])


def check_folder(folder: str) -> tuple[bool, str]:
    """Whether this process may open files in Azure Arc's folder, and a text that names the user and the folder."""
    if not os.path.isdir(folder):
        return False, f"{folder} does not exist or is not visible to this process"
    user = "this process" if sys.platform == "win32" else f"user {os.geteuid()}"
    return os.access(folder, os.R_OK | os.X_OK), f"{user} at {folder}"
