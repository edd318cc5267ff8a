"""What kind of place this is: variables, containers, proxies, and the way to an address. Sends nothing."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib import request

from attrs import field, frozen

#: The chassis asset tag of every virtual machine in Azure, by which cloud-init and Azure's own agent know it too.
AZURE_ASSET_TAG = "7783-7084-3265-9085-8269-3286-77"

_PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")


def _environment() -> Mapping[str, str]:
    return os.environ


@frozen
class Surroundings:
    """The process's environment and the machine's files.

    Attributes:
        environment: the variables.
        root: where the file system begins, for tests.
    """

    environment: Mapping[str, str] = field(factory=_environment, repr=False)
    root: Path = Path("/")

    def places(self) -> Iterator[tuple[str, str]]:
        """What stands between this process and a plain machine: a word for each, and what it means for IMDS."""
        if "KUBERNETES_SERVICE_HOST" in self.environment:
            yield (
                "kubernetes",
                "This is a pod. On AKS, clusters may keep pods from IMDS, and workload identity needs none of it.",
            )
        elif self._exists(".dockerenv", "run/.containerenv"):
            yield "container", "This is a container. Its engine must let it reach IMDS; Docker Desktop does not."
        if "microsoft" in self._read("proc/version").lower():
            yield "wsl", "This is WSL, a machine of its own: IMDS is not known to answer here."

    def is_azure(self) -> bool | None:
        """Whether the firmware says that this is a virtual machine in Azure; None where it says nothing."""
        tag = self._read("sys/class/dmi/id/chassis_asset_tag").strip()
        return tag == AZURE_ASSET_TAG if tag else None

    def proxy_for(self, host: str) -> str | None:
        """The variable by which other programs would send a request for `host` through a proxy."""
        lower = {name.lower(): value for name, value in self.environment.items()}
        # Of the standard library, on every platform; only its stubs do not know it.
        if request.proxy_bypass_environment(host, {"no": lower.get("no_proxy", "")}):  # type: ignore[attr-defined]
            return None
        return next((name for name in _PROXIES if self.environment.get(name)), None)

    def _exists(self, *paths: str) -> bool:
        return any((self.root / path).exists() for path in paths)

    def _read(self, path: str) -> str:
        try:
            return (self.root / path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""


def address_towards(host: str, port: int) -> str:
    """This machine's own address on the way to another. Nothing is sent.

    Raises:
        OSError: there is no way.
    """
    family, _, _, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(target)
        return str(probe.getsockname()[0])


def may_read(folder: str) -> tuple[bool, str]:
    """Whether this process may open files in Azure Arc's folder, and in words who it is."""
    if not os.path.isdir(folder):
        return False, f"{folder} does not exist, or may not be seen"
    who = "this process" if sys.platform == "win32" else f"user {os.geteuid()}"
    return os.access(folder, os.R_OK | os.X_OK), f"{who} at {folder}"
