# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal

KnownDiskCaching = Literal["None", "ReadOnly", "ReadWrite"]

KNOWN_DISK_CACHING_VALUES: set[KnownDiskCaching] = {
    "None",
    "ReadOnly",
    "ReadWrite",
}


def check_known_disk_caching(value: str) -> KnownDiskCaching:
    if value in KNOWN_DISK_CACHING_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {KNOWN_DISK_CACHING_VALUES!r}")
