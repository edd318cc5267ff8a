"""JSON from files and requests, with limits: no input may stop the emulator or make a later response fail."""

from __future__ import annotations

import json
from typing import NoReturn

from .machine import Json, is_array, is_object

#: Maximum size of a JSON text in bytes, and maximum depth of its arrays and objects.
MAX_SIZE = 1024 * 1024
MAX_DEPTH = 50

_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"


class Number(float):
    """A number that is not an integer. `text` is its spelling: `1.10` is a version for some readers."""

    text: str

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, text)
        number.text = text
        return number


def parse_json(text: str | bytes) -> Json:
    """Parses JSON.

    Raises:
        ValueError: the text is not JSON, too long or too deep, repeats a name in an object, or contains a number or a
            string that cannot be sent again (infinite, or half of a surrogate pair).
    """
    if len(text) > MAX_SIZE:
        raise ValueError(f"longer than {MAX_SIZE} bytes")
    try:
        value: Json = json.loads(
            text, object_pairs_hook=_make_object, parse_float=_parse_float, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    _check(value, 0)
    return value


def _make_object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"contains {next(name for name in names if names.count(name) > 1)!r} twice")
    return members


def _parse_float(text: str) -> Number:
    number = Number(text)
    if number in (float("inf"), float("-inf")):
        _refuse_constant(text)
    return number


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a finite number")


def _check(value: Json, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(_TOO_DEEP)
    if isinstance(value, str):
        check_text(value)
    elif is_object(value):
        for name, member in value.items():
            check_text(name)
            _check(member, depth + 1)
    elif is_array(value):
        for element in value:
            _check(element, depth + 1)


def check_text(text: str) -> None:
    """Checks that a text can be sent in UTF-8.

    Raises:
        ValueError: it contains half of a surrogate pair.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(describe_surrogate(error)) from None


def describe_surrogate(error: UnicodeEncodeError) -> str:
    """Returns why a text cannot be sent in UTF-8."""
    return f"the text {error.object!a} contains half of a surrogate pair"
