# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal, cast

KnownOsType = Literal["Linux", "Windows"]

KNOWN_OS_TYPE_VALUES: set[KnownOsType] = {
    "Linux",
    "Windows",
}


def check_known_os_type(value: str) -> KnownOsType:
    return cast(KnownOsType, value)
