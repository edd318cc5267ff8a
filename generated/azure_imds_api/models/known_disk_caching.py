# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal, cast

KnownDiskCaching = Literal["None", "ReadOnly", "ReadWrite"]

KNOWN_DISK_CACHING_VALUES: set[KnownDiskCaching] = {
    "None",
    "ReadOnly",
    "ReadWrite",
}


def check_known_disk_caching(value: str) -> KnownDiskCaching:
    return cast(KnownDiskCaching, value)
