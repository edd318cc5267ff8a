# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""Contains some shared types for properties"""

from collections.abc import Iterator, Mapping, MutableMapping
from copy import deepcopy
from http import HTTPStatus
from types import NoneType
from typing import IO, Any, BinaryIO, Generic, NamedTuple, NoReturn, Self, TypeVar

# Absent fields are None: users see `str | None`, and do not need a second value for "nothing".
Unset = NoneType
UNSET: None = None

#: Types of a list in a document.
LISTS = (list, tuple)

#: Types of values that are no single values. `_read` of a model raises TypeError for one in place of a single value.
COLLECTIONS = (Mapping, *LISTS)


class Partial(dict[str, Any]):
    """An object of a document without the members that cannot be read."""

    unread: Mapping[str, Any]
    """These members, as they were received."""


class Model:
    """Base class of all models. It keeps the object that was read, so that `to_dict()` returns exactly what came.

    `in`, `[]` and iteration concern the members that the document has, by their names there: `"vmSize" in model`,
    `model["vmSize"]`, `list(model)`. A member that the specification describes has the value of its attribute. `in` and
    `[]` accept the name of the attribute too.
    """

    __slots__ = ("_received",)

    _received: Mapping[str, Any]
    additional_properties: dict[str, Any]

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], *, strict: bool = False) -> Self:
        """Reads an object of a document.

        An optional member of an unexpected shape reads as absent, and `to_dict()` still returns it.

        Args:
            src_dict: the object, as JSON has it.
            strict: whether an optional member of an unexpected shape is an error, too.

        Raises:
            ValueError: a required member is missing or has an unexpected shape. The message has its path. With
                `strict`, also AttributeError, KeyError and TypeError.
        """
        try:
            return cls._read(src_dict)
        except (AttributeError, KeyError, TypeError, ValueError):
            if strict:
                raise
        from .lenient_reader import read_leniently

        return read_leniently(cls, src_dict)

    @classmethod
    def _read(cls, src_dict: Mapping[str, Any]) -> Self:
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """The object as JSON has it: exactly the members that were received or set."""
        raise NotImplementedError

    @property
    def additional_keys(self) -> list[str]:
        """The names of the members that the specification does not describe."""
        return list(self.additional_properties)

    def __iter__(self) -> Iterator[str]:
        """The names of the members that the document has."""
        return iter(self.to_dict())

    def __contains__(self, key: object) -> bool:
        """Whether the document has a member, by its name there or by its attribute. A member that is null counts."""
        return self._find(key)[0] in self.to_dict()

    def __getitem__(self, key: str) -> Any:
        """The value of a member that the document has, as its attribute returns it. KeyError if it does not have it."""
        name, attribute = self._find(key)
        if name not in self.to_dict():
            raise KeyError(key)
        return getattr(self, attribute) if attribute else self.additional_properties[name]

    def __setitem__(self, key: str, value: Any) -> None:
        name, attribute = self._find(key)
        if attribute:
            setattr(self, attribute, value)
        else:
            self.additional_properties[name] = value

    def __delitem__(self, key: str) -> None:
        """Removes a member that the document has. KeyError if it does not have it, TypeError if it is required."""
        name, attribute = self._find(key)
        if name not in self.to_dict():
            raise KeyError(key)
        if attribute:
            from .lenient_reader import without

            received = without(getattr(self, "_received", {}), type(self), name)
            self._remove(attribute)
            self._received = received
        else:
            del self.additional_properties[name]

    def _find(self, key: Any) -> tuple[str, str]:
        """The name of a member in documents, and its attribute, by one of the two. "" is the attribute of others."""
        from .lenient_reader import members_of

        members = members_of(type(self))
        if key in members:
            return key, members[key].attribute
        if key not in self.additional_properties:
            for name, member in members.items():
                if member.attribute == key:
                    return name, member.attribute
        return key, ""

    def _remove(self, attribute: str) -> None:
        setattr(self, attribute, UNSET)

    def _with_unread(self, field_dict: dict[str, Any]) -> dict[str, Any]:
        """Adds members that came as null or could not be read, since both read as absent."""
        received = getattr(self, "_received", field_dict)
        if type(received) is Partial or not field_dict.keys() >= received.keys():
            from .lenient_reader import add_unread

            add_unread(field_dict, type(self), received)
        return field_dict


class NotPickled:
    """A class whose objects cannot be pickled, because they may hold a secret. They can be copied."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} cannot be pickled, because it may hold a secret: pickle what you need of it"
        )


# The types that `httpx.Client(files=)` can accept, copied from that library.
FileContent = IO[bytes] | bytes | str
FileTypes = (
    # (filename, file (or bytes), content_type)
    tuple[str | None, FileContent, str | None]
    # (filename, file (or bytes), content_type, headers)
    | tuple[str | None, FileContent, str | None, Mapping[str, str]]
)
RequestFiles = list[tuple[str, FileTypes]]


class File(NamedTuple):
    """Contains information for file uploads"""

    payload: BinaryIO
    file_name: str | None = None
    mime_type: str | None = None

    def to_tuple(self) -> FileTypes:
        """Return a tuple representation that httpx will accept for multipart/form-data"""
        return self.file_name, self.payload, self.mime_type


T = TypeVar("T")


class Response(NotPickled, Generic[T]):
    """A response from an endpoint. The repr shows the status only, because the rest may be a secret."""

    def __init__(
        self, status_code: HTTPStatus, content: bytes, headers: MutableMapping[str, str], parsed: T | None
    ) -> None:
        self.status_code = status_code
        self.content = content
        self.headers = headers
        self.parsed = parsed

    def __repr__(self) -> str:
        return f"{type(self).__name__}(status_code={self.status_code!r})"

    def __copy__(self) -> "Response[T]":
        return Response(self.status_code, self.content, self.headers, self.parsed)

    def __deepcopy__(self, memo: Any) -> "Response[T]":
        return Response(self.status_code, self.content, deepcopy(self.headers, memo), deepcopy(self.parsed, memo))


__all__ = ["UNSET", "File", "FileTypes", "RequestFiles", "Response", "Unset"]
