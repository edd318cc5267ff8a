# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal

KnownEventType = Literal["Freeze", "Preempt", "Reboot", "Redeploy", "Terminate"]

KNOWN_EVENT_TYPE_VALUES: set[KnownEventType] = {
    "Freeze",
    "Preempt",
    "Reboot",
    "Redeploy",
    "Terminate",
}


def check_known_event_type(value: str) -> KnownEventType:
    if value in KNOWN_EVENT_TYPE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {KNOWN_EVENT_TYPE_VALUES!r}")
