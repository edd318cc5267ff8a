# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal, cast

KnownPriority = Literal["Regular", "Spot"]

KNOWN_PRIORITY_VALUES: set[KnownPriority] = {
    "Regular",
    "Spot",
}


def check_known_priority(value: str) -> KnownPriority:
    return cast(KnownPriority, value)
