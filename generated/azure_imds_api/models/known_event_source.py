# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal, cast

KnownEventSource = Literal["Platform", "User"]

KNOWN_EVENT_SOURCE_VALUES: set[KnownEventSource] = {
    "Platform",
    "User",
}


def check_known_event_source(value: str) -> KnownEventSource:
    return cast(KnownEventSource, value)
