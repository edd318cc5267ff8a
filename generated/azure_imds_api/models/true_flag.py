# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal

TrueFlag = Literal["true"]

TRUE_FLAG_VALUES: set[TrueFlag] = {
    "true",
}


def check_true_flag(value: str) -> TrueFlag:
    if value in TRUE_FLAG_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {TRUE_FLAG_VALUES!r}")
