"""A local Azure Instance Metadata Service for development and tests.

    from azure_imds_emulator import Emulator

    with Emulator() as emulator:
        print(emulator.endpoint)

Needs the extra `emulator` of the distribution `azure-imds`. Importing this package alone loads none of those
libraries: the names below are fetched when first used, so that the pytest plugin costs nothing in projects which
do not ask for its fixture.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .clock import Clock
    from .config import ConfigError
    from .emulator import Emulator
    from .events import ScheduledEvent
    from .faults import Fault
    from .machine import Machine, ManagedIdentity
    from .requests import RecordedRequest
    from .settings import Settings

__all__ = [
    "Clock",
    "ConfigError",
    "Emulator",
    "Fault",
    "Machine",
    "ManagedIdentity",
    "RecordedRequest",
    "ScheduledEvent",
    "Settings",
]

_HOME = {
    "Clock": "clock",
    "ConfigError": "config",
    "Emulator": "emulator",
    "Fault": "faults",
    "Machine": "machine",
    "ManagedIdentity": "machine",
    "RecordedRequest": "requests",
    "ScheduledEvent": "events",
    "Settings": "settings",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
