# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal

KnownEventSource = Literal["Platform", "User"]

KNOWN_EVENT_SOURCE_VALUES: set[KnownEventSource] = {
    "Platform",
    "User",
}


def check_known_event_source(value: str) -> KnownEventSource:
    if value in KNOWN_EVENT_SOURCE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {KNOWN_EVENT_SOURCE_VALUES!r}")
