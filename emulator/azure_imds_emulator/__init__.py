"""A local Azure Instance Metadata Service for development and tests.

    from azure_imds_emulator import Emulator

    with Emulator() as emulator:
        print(emulator.endpoint)

Requires the extra `emulator` of the distribution `azure-imds`. Importing this package does not import the libraries
of the extra: each name below is imported on first use. The pytest plugin therefore costs nothing in projects that do
not use its fixture.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .clock import Clock
    from .emulator import Emulator
    from .faults import Fault
    from .machine import Machine, ManagedIdentity
    from .machine_reader import make_machine
    from .nodes import ConfigError
    from .requests import RecordedRequest
    from .scheduled_event import ScheduledEvent
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
    "make_machine",
]

_MODULES = {
    "Clock": "clock",
    "ConfigError": "nodes",
    "Emulator": "emulator",
    "Fault": "faults",
    "Machine": "machine",
    "ManagedIdentity": "machine",
    "RecordedRequest": "requests",
    "ScheduledEvent": "scheduled_event",
    "Settings": "settings",
    "make_machine": "machine_reader",
}


if not TYPE_CHECKING:
    # For type checkers, a module with `__getattr__` would have every name.

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = getattr(import_module(f".{_MODULES[name]}", __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
