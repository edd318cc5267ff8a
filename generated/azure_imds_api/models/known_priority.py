# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal

KnownPriority = Literal["Regular", "Spot"]

KNOWN_PRIORITY_VALUES: set[KnownPriority] = {
    "Regular",
    "Spot",
}


def check_known_priority(value: str) -> KnownPriority:
    if value in KNOWN_PRIORITY_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {KNOWN_PRIORITY_VALUES!r}")
