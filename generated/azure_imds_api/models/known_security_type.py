# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal, cast

KnownSecurityType = Literal["ConfidentialVM", "TrustedLaunch"]

KNOWN_SECURITY_TYPE_VALUES: set[KnownSecurityType] = {
    "ConfidentialVM",
    "TrustedLaunch",
}


def check_known_security_type(value: str) -> KnownSecurityType:
    return cast(KnownSecurityType, value)
