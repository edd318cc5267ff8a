# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal, cast

KnownEventStatus = Literal["Scheduled", "Started"]

KNOWN_EVENT_STATUS_VALUES: set[KnownEventStatus] = {
    "Scheduled",
    "Started",
}


def check_known_event_status(value: str) -> KnownEventStatus:
    return cast(KnownEventStatus, value)
