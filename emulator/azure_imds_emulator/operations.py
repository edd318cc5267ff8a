"""Which operations the emulator of an Azure virtual machine serves. A contract can have others, which are reported."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .addresses import TOKEN_PATH

#: What all paths of a virtual machine start with. Contracts leave it out: it is part of the URL of the server.
BASE = "/metadata"

ATTESTED_PATH = f"{BASE}/attested/document"
EVENTS_PATH = f"{BASE}/scheduledevents"
INSTANCE_PATH = f"{BASE}/instance"
LOAD_BALANCER_PATH = f"{BASE}/loadbalancer"
VERSIONS_PATH = f"{BASE}/versions"
INFO_PATH = f"{BASE}/identity/info"
AMD_CERTIFICATION_PATH = f"{BASE}/THIM/amd/certification"

#: The methods of each path.
SERVED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        VERSIONS_PATH: ("GET",),
        INSTANCE_PATH: ("GET",),
        ATTESTED_PATH: ("GET",),
        TOKEN_PATH: ("GET",),
        INFO_PATH: ("GET",),
        EVENTS_PATH: ("GET", "POST"),
        AMD_CERTIFICATION_PATH: ("GET",),
        LOAD_BALANCER_PATH: ("GET",),
    }
)


def is_served(method: str, path: str) -> bool:
    """Whether the emulator serves an operation of a contract, such as GET /versions."""
    return method.upper() in SERVED.get(BASE + path, ())
