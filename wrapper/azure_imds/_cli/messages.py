"""Error messages in the words of the command line: they name the option that the user typed, not a Python argument."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..errors import ImdsError, ImdsValidationError

#: What the parameters of `azure-imds call` start with, before the Python name of an argument. The options of every
#: command may have the same names.
ARGUMENT = "argument_"

#: Arguments of the client or of a credential, each with the parameter of a command from which it is built.
_BUILT_FROM = {"body": "approve", "resource_id": "msi_res_id", "scopes": "resource"}

#: The client's method at the start of a message, or of another message in it, such as identity.get_token.
_METHOD = re.compile(r"(^|Last problem: )(?:get|wait_until_available|ImdsCredential|\w+\.\w+): ")
#: An argument in a text, such as `client_id` or `intermediates=`. A word without either sign may be plain English.
_ARGUMENT = re.compile(r"\b([a-z]+(?:_[a-z]+)+\b|[a-z]+(?==\B))=?")


def read_option_names(command: Any) -> dict[str, str]:
    """The options and arguments of a command as users type them, by the name of the client's argument."""
    names: dict[str, str] = {
        parameter.name.removeprefix(ARGUMENT): parameter.opts[0]
        if parameter.param_type_name == "option"
        else re.findall("[A-Z]+", parameter.metavar)[0]
        for parameter in command.params
    }
    return {argument: names[option] for argument, option in _BUILT_FROM.items() if option in names} | names


def fold_name(name: str) -> str:
    """A name without case and separators. `clientId`, `client_id` and `client-id` are equal then."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def use_option_names(text: str, names: Mapping[str, str]) -> str:
    """The text with options in place of the client's arguments."""
    return _ARGUMENT.sub(lambda match: names.get(match[1], match[0]), text)


def split_error(error: ImdsError, names: Mapping[str, str]) -> tuple[str, str]:
    """What happened, and what to do about it ("" if that is not known); without a full stop after the first.

    Args:
        error: the error.
        names: see `read_option_names`.
    """
    from .._client.error_mapping import USE_CLIENT_ID  # imports httpx, which a page of help does not need

    text = _METHOD.sub(r"\1", str(error))
    if error.hint:
        text = text.replace(f". {error.hint}", "").replace(error.hint, "")
    if isinstance(error, ImdsValidationError) and error.problem:
        # Only users who wrote a request body themselves know a place in it, such as .StartRequests[0].
        place = text.removeprefix(error.parameter).removesuffix(error.problem).strip(" .")
        name = names.get(error.parameter, error.parameter)
        if item := re.fullmatch(r"\[(\d+)\]", place):
            name += f" (item {int(item[1]) + 1})"
        elif place and name == f"--{error.parameter}":
            name += f": {place}"
        text = f"{name} {use_option_names(error.problem, names)}".lstrip()
    hint = error.hint.replace(USE_CLIENT_ID, f'{names.get("client_id", "client_id")} "$AZURE_CLIENT_ID"')
    return text, use_option_names(hint, names)


def describe_error(error: ImdsError, names: Mapping[str, str]) -> str:
    """An error in one paragraph; see `split_error`."""
    return ". ".join(filter(None, split_error(error, names)))
