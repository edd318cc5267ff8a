# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal, cast

KnownPpsType = Literal["None", "PreprovisionedOSDisk", "Running", "Savable"]

KNOWN_PPS_TYPE_VALUES: set[KnownPpsType] = {
    "None",
    "PreprovisionedOSDisk",
    "Running",
    "Savable",
}


def check_known_pps_type(value: str) -> KnownPpsType:
    return cast(KnownPpsType, value)
