# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""Reads a document whose members do not all have the shape that the specification states. Imported only when needed.

An optional member of an unexpected shape reads as absent, and `to_dict()` still returns it as it was received. So one
odd value does not hide the rest of a document. A required member must be readable.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, TypeVar

from . import models
from .members import MEMBERS, Member
from .types import COLLECTIONS, LISTS, Model, Partial

#: The exceptions that models raise because of a value of an unexpected shape.
UNEXPECTED = (AttributeError, KeyError, TypeError, ValueError)

M = TypeVar("M", bound=Model)

_log = logging.getLogger("azure_imds")


class UnreadableMemberError(ValueError):
    """A required member is missing or has an unexpected shape.

    Attributes:
        path: its path in the document, such as "Events/0/EventId". "" for the document itself.
        problem: what is wrong with it. It quotes nothing of the document.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path or 'the document'} {problem}")
        self.path = path
        self.problem = problem


class _OddShapeError(UnreadableMemberError):
    """A value has an unexpected shape. If it is an optional member, it reads as absent."""


def read_leniently(model: type[M], document: Any) -> M:
    """Reads a document that `model` itself cannot read.

    Raises:
        UnreadableMemberError: a required member is missing or has an unexpected shape.
    """
    unread: list[tuple[str, str]] = []
    readable = _readable(model, document, "", unread)
    for path, absent in unread:
        _log.debug("%s has an unexpected shape, so %s reads as absent", path, absent)
    return model._read(readable)


def add_unread(field_dict: dict[str, Any], model: type[Model], received: Mapping[str, Any]) -> None:
    """Adds members to the result of `to_dict()` that came as null or could not be read."""
    unread = received.unread if isinstance(received, Partial) else {}
    nulls = {name: None for name in members_of(model) if received.get(name, name) is None}
    for name, value in {**nulls, **unread}.items():
        field_dict.setdefault(name, value)


def without(received: Mapping[str, Any], model: type[Model], name: str) -> Partial:
    """The object that a model keeps as received, without an optional member.

    Raises:
        TypeError: the member is required.
    """
    if members_of(model)[name].is_required:
        raise TypeError(f"{name} is required")
    unread = received.unread if isinstance(received, Partial) else {}
    rest = Partial({other: value for other, value in received.items() if other != name})
    rest.unread = {other: value for other, value in unread.items() if other != name}
    return rest


def members_of(model: type[Model]) -> Mapping[str, Member]:
    """The members of a model or of a subclass of it, by their names in documents."""
    return next(MEMBERS[base.__name__] for base in model.__mro__ if base.__name__ in MEMBERS)


def _readable(model: type[Model], value: Any, path: str, unread: list[tuple[str, str]]) -> Mapping[str, Any]:
    """The part of an object that `model` can read. Adds to `unread` what is odd, and what is left out for it."""
    if not isinstance(value, Mapping):
        raise _OddShapeError(path, "is not an object")
    members, readable = members_of(model), Partial(value)
    readable.unread = {}
    for name, member in members.items():
        place = _join(path, name)
        if member.is_required and name not in value:
            raise UnreadableMemberError(place, "is missing")
        if name in value and (member.is_required or value[name] is not None):
            before = len(unread)
            try:
                readable[name] = _readable_member(member, value[name], place, unread)
            except _OddShapeError as error:
                if member.is_required:
                    raise UnreadableMemberError(error.path, error.problem) from None
                del unread[before:]
                _leave_out(name, readable, error.path, place, unread)
    required = {name: readable[name] for name, member in members.items() if member.is_required}
    if not _can_read(model, required):
        scalars = [name for name in required if not members[name].is_list and not members[name].model]
        nested = [name for name, value in required.items() if _is_nested(members[name], value)]
        places = [_join(path, name) for name in nested or scalars]
        raise UnreadableMemberError(" or ".join(places) or path, "has an unexpected shape")
    if not _can_read(model, readable):
        for name in [name for name in readable if name not in required]:
            if not _can_read(model, {**required, name: readable[name]}):
                _leave_out(name, readable, _join(path, name), _join(path, name), unread)
    return readable


def _readable_member(member: Member, value: Any, path: str, unread: list[tuple[str, str]]) -> Any:
    if member.is_list and not isinstance(value, LISTS):
        raise _OddShapeError(path, "is not a list")
    if not member.model:
        return value
    model: type[Model] = getattr(models, member.model)
    if not member.is_list:
        return _readable(model, value, path, unread)
    return [_readable(model, item, _join(path, str(index)), unread) for index, item in enumerate(value)]


def _can_read(model: type[Model], value: Mapping[str, Any]) -> bool:
    try:
        model._read(value)
    except UNEXPECTED:
        return False
    return True


def _is_nested(member: Member, value: Any) -> bool:
    """Whether a list or an object is in place of a single value, or of one in a list."""
    values = value if member.is_list else [value]
    return not member.model and any(isinstance(one, COLLECTIONS) for one in values)


def _leave_out(name: str, readable: Partial, path: str, place: str, unread: list[tuple[str, str]]) -> None:
    readable.unread = {**readable.unread, name: readable.pop(name)}
    unread.append((path, "it" if path == place else place))


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name
