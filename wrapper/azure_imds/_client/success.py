"""What follows from an attempt: a success, which is read here, a failure, or another attempt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import attrs
import httpx

from azure_imds_api.api import Operation

from .._interruptions import is_interruption
from ..errors import ImdsError
from .not_imds import is_web_page
from .single_flight import copy_error
from .validation import problems

T = TypeVar("T")


class Success(Generic[T]):
    """The result of a call.

    Attributes:
        value: what the caller gets.
        is_doubtful: whether any server could have answered this: the value has no member that the specification knows,
            or the body is a web page where no body is described.
    """

    def __init__(self, value: T, *, is_doubtful: bool = False) -> None:
        self.value = value
        self.is_doubtful = is_doubtful


class TryAgain(NamedTuple):
    """Another attempt is due in so many seconds."""

    seconds: float


class Failure(NamedTuple):
    """The call has failed."""

    error: ImdsError

    def copy(self) -> Failure:
        """The failure for another caller, with a traceback of its own."""
        return Failure(copy_error(self.error) or self.error)


class Spent(NamedTuple):
    """The attempts and seconds that a part of a call has used."""

    attempts: int = 0
    seconds: float = 0.0


NOTHING = Spent()


class NotImds(str):
    """A problem that IMDS would not cause: the body does not look like the response of the operation at all."""


def read_success(
    operation: Operation[T], response: httpx.Response, arguments: Mapping[str, Any], *, must_echo: bool
) -> Success[T] | str:
    """The parsed response, or the problem with it as text, which quotes nothing of the body.

    Args:
        operation: the operation that was called.
        response: a response with a status that the operation defines as successful.
        arguments: what was asked for.
        must_echo: whether the server repeats the arguments that the operation declares as echoed. Azure Arc's agent
            does so since it supports them. An agent that does not ignores them.
    """
    document: Any = None
    if operation.answer:
        try:
            document = json.loads(response.content)
        except (ValueError, RecursionError) as error:
            if is_interruption(error):
                raise
            return NotImds("the body is not JSON" if response.content else "the body is empty")
        for place, problem in problems(operation.answer, document):
            text = f"the body{place} {problem}"
            return text if _has_expected_member(operation, document) else NotImds(text)
        if problem := _other_identity(operation, document, arguments, must_echo):
            return problem
    try:
        value = operation.parse(client=None, response=_Parsed(response, document))
    except Exception as error:
        if is_interruption(error):
            raise
        from azure_imds_api.lenient_reader import UnreadableMemberError  # rarely needed

        if isinstance(error, UnreadableMemberError):
            return f"in the body, {error}"
        text = f"the body does not match the model ({type(error).__name__})"
        return NotImds(text) if is_web_page(response) else text
    return Success(
        value, is_doubtful=_has_no_known_member(value, document) or (document is None and is_web_page(response))
    )


def _has_no_known_member(value: Any, document: Any) -> bool:
    """Whether a model has members of its own, and a document has none of them."""
    extra = getattr(value, "additional_properties", None)
    if extra is None or document is None or len(extra) < len(document):
        return False
    model: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
    return len(attrs.fields(model)) > 1  # a map has additional_properties only


def _has_expected_member(operation: Operation[Any], document: Any) -> bool:
    members: Mapping[str, Any] = operation.answer.get("properties", {})
    return isinstance(document, dict) and not members.keys().isdisjoint(document)  # pyright: ignore[reportUnknownArgumentType]


def _other_identity(operation: Operation[Any], document: Any, arguments: Mapping[str, Any], must_echo: bool) -> str:
    """Why a token is not for the requested identity. "" if it is. (Reference: Azure Arc's echo.)"""
    for argument, members in operation.echoed.items():
        asked = arguments.get(argument)
        if asked is None:
            continue
        echoes = [document[member] for member in members if document.get(member)]
        if any(str(echo).lower() != str(asked).lower() for echo in echoes):
            return f"it is for another identity than the requested {argument}"
        if not echoes and must_echo:
            return f"it does not repeat {argument}: this agent ignores it and answered for the machine's own identity"
    return ""


class _Parsed:
    """A response as generated code reads it, whose JSON has been parsed already."""

    def __init__(self, response: httpx.Response, document: Any) -> None:
        self._response = response
        self._document = document

    def json(self) -> Any:
        return self._response.json() if self._document is None else self._document

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)
