"""Error messages in the words of the command line: they name the option that the user typed, not a Python argument."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..errors import ImdsError, ImdsValidationError

#: Arguments of the client that a command builds from an option with another name.
_BUILT_FROM = {"body": "approve"}

_METHOD = re.compile(r"^\w+\.\w+: ")
_PYTHON_NAME = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")


def read_option_names(command: Any) -> dict[str, str]:
    """The options and arguments of a command as users type them, by the name of the client's argument."""
    names: dict[str, str] = {
        parameter.name: parameter.opts[0] if parameter.param_type_name == "option" else parameter.metavar.strip("[]")
        for parameter in command.params
    }
    return names | {argument: names[option] for argument, option in _BUILT_FROM.items() if option in names}


def split_error(error: ImdsError, names: Mapping[str, str]) -> tuple[str, str]:
    """What happened, and what to do about it ("" if that is not known); without a full stop after the first.

    Args:
        error: the error.
        names: see `read_option_names`.
    """

    def replace(text: str) -> str:
        return _PYTHON_NAME.sub(lambda match: names.get(match[0], match[0]), text)

    text = _METHOD.sub("", str(error))
    if error.hint:
        text = text.removesuffix(error.hint).removesuffix(". ")
    if isinstance(error, ImdsValidationError) and error.problem:
        text = f"{names.get(error.parameter, error.parameter)} {replace(error.problem)}".lstrip()
    return text, replace(error.hint)


def describe_error(error: ImdsError, names: Mapping[str, str]) -> str:
    """An error in one paragraph; see `split_error`."""
    return ". ".join(filter(None, split_error(error, names)))
