# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal, cast

KnownEventType = Literal["Freeze", "Preempt", "Reboot", "Redeploy", "Terminate"]

KNOWN_EVENT_TYPE_VALUES: set[KnownEventType] = {
    "Freeze",
    "Preempt",
    "Reboot",
    "Redeploy",
    "Terminate",
}


def check_known_event_type(value: str) -> KnownEventType:
    return cast(KnownEventType, value)
