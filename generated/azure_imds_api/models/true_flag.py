# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal, cast

TrueFlag = Literal["true"]

TRUE_FLAG_VALUES: set[TrueFlag] = {
    "true",
}


def check_true_flag(value: str) -> TrueFlag:
    return cast(TrueFlag, value)
