# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""Models of documents in which an absent member reads as empty (`x-absent: empty` in the specification)."""

import os
from collections.abc import Mapping
from contextlib import suppress
from copy import copy
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Self

from . import models
from .types import LISTS, Model

#: The default of constructors. It is None, but type checkers accept it for every type.
ABSENT: Any = None

#: Of objects from which no empty list or object was read.
NOTHING_LENT: Mapping[str, Any] = {}

#: Reads a slot. Unlike `getattr`, it does not read an absent member as empty.
_get = object.__getattribute__

_lock = Lock()


class DocumentModel(Model):
    """Base class of models in which absent members read as empty.

    Absent text reads as "", an absent list as [], and an absent object as one without members, which is false. So does
    a member that is null or has an unexpected shape. A number, a boolean and an enum have no empty form, and read as
    None.

    `"vmSize" in model` tells whether the document has a member, and `to_dict()` returns exactly what the document has.
    `model["vmSize"]` is `model.vm_size`, or a KeyError if the document does not have it. A change of an empty list or
    object makes it a member.
    """

    # The slots of absent members have no value. So reading them calls __getattr__, and assigning "" is a change.

    __slots__ = ("_lent",)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]]
    """By attribute, the member's name in documents and its empty form: `str`, `list`, the name of a model, or None."""

    _lent: Mapping[str, Any]
    """Empty lists and objects that were read from this object. A change makes them members."""

    def __attrs_post_init__(self) -> None:
        self._lent = NOTHING_LENT
        for attribute in self._MEMBERS:
            if _slot(self, attribute) is None:
                delattr(self, attribute)

    if not TYPE_CHECKING:  # type checkers would accept every name

        def __getattr__(self, name: str) -> Any:
            """Reads an absent member. Python calls it only if the slot has no value."""
            if name not in self._MEMBERS:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
            form = self._MEMBERS[name][1]
            if form is None:
                return None
            if form is str:
                return ""
            return self._lend(name, form)

    def _lend(self, name: str, form: Any) -> Any:
        """Returns an empty list or object, the same each time, which becomes a member with the first change."""
        with _lock:
            if name not in self._lent:
                # A new dict, because copies of this object have the old one.
                self._lent = {**self._lent, name: [] if form is list else getattr(models, form)._read({})}
            return self._lent[name]

    def __replace__(self, /, **changes: Any) -> Self:
        """A changed copy, for `copy.replace()`. Members that are absent here are absent there."""
        twin = copy(self)
        for attribute, value in changes.items():
            if attribute not in self._MEMBERS and attribute != "additional_properties":
                raise TypeError(f"{type(self).__name__!r} has no member {attribute!r}")
            setattr(twin, attribute, value)
        return twin

    def __init_subclass__(cls) -> None:
        if "__replace__" not in vars(cls):
            setattr(cls, "__replace__", DocumentModel.__replace__)  # otherwise attrs would add its own

    def __bool__(self) -> bool:
        """Whether it has members. An absent object has none."""
        return bool(self.to_dict())

    def __eq__(self, other: object) -> bool:
        """Whether all members read the same."""
        if isinstance(other, DocumentModel) and other.__class__ is self.__class__:
            return self._content() == other._content()
        return NotImplemented

    def __repr__(self) -> str:
        """Shows the members that there are, without secrets."""
        shown = self._present()
        if self.additional_properties:
            shown["additional_properties"] = self.additional_properties
        fields: Any = getattr(type(self), "__attrs_attrs__", ())
        hidden = {field.name for field in fields if not field.repr}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in shown.items() if k not in hidden)})"

    def __getstate__(self) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """The state for copies and pickles. Python's own would contain absent members."""
        slots = {name: _slot(self, name, self) for name in (*self._MEMBERS, *_OTHER_SLOTS)}
        return _slot(self, "__dict__"), {name: value for name, value in slots.items() if value is not self}

    def to_dict(self) -> dict[str, Any]:
        more = self.additional_properties
        found = {name: _plain(value) for name, value in more.items()} if more else {}
        for attribute, (name, form) in self._MEMBERS.items():
            try:
                value = _get(self, attribute)
            except AttributeError:
                continue
            if value is not None:
                found[name] = value if form is str else _plain(value)
        for attribute, value in self._lent.items():
            if value:
                found.setdefault(self._MEMBERS[attribute][0], _plain(value))
        return self._with_unread(found)

    def _remove(self, attribute: str) -> None:
        with suppress(AttributeError):
            delattr(self, attribute)
        self._lent = {name: value for name, value in self._lent.items() if name != attribute}

    def _present(self) -> dict[str, Any]:
        """The values of the members that there are, by attribute."""
        found: dict[str, Any] = {}
        for attribute in self._MEMBERS:
            try:
                value = _get(self, attribute)
            except AttributeError:
                continue
            if value is not None:
                found[attribute] = value
        for attribute, value in self._lent.items():
            if attribute not in found and value:
                found[attribute] = value
        return found

    def _content(self) -> tuple[dict[str, Any], dict[str, Any]]:
        present = self._present()
        return {name: value for name, value in present.items() if not _is_empty(value)}, self.additional_properties


_OTHER_SLOTS = ("additional_properties", "_received", "_lent")


def _slot(model: DocumentModel, name: str, default: Any = None) -> Any:
    """The value of a slot, or the default if it has none."""
    try:
        return _get(model, name)
    except AttributeError:
        return default


def _plain(value: Any) -> Any:
    if isinstance(value, DocumentModel):
        return value.to_dict()
    return [_plain(item) for item in value] if isinstance(value, LISTS) else value


def _is_empty(value: Any) -> bool:
    if isinstance(value, DocumentModel):
        return not any(value._content())
    return isinstance(value, (str, *LISTS)) and not value


def _replace_lock() -> None:
    """Another thread may have had the lock when this process was forked."""
    global _lock
    _lock = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_replace_lock)
