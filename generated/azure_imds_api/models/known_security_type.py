# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal

KnownSecurityType = Literal["ConfidentialVM", "TrustedLaunch"]

KNOWN_SECURITY_TYPE_VALUES: set[KnownSecurityType] = {
    "ConfidentialVM",
    "TrustedLaunch",
}


def check_known_security_type(value: str) -> KnownSecurityType:
    if value in KNOWN_SECURITY_TYPE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {KNOWN_SECURITY_TYPE_VALUES!r}")
