# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""Contains some shared types for properties"""

from collections.abc import Mapping, MutableMapping
from copy import deepcopy
from http import HTTPStatus
from types import NoneType
from typing import IO, Any, BinaryIO, Generic, NamedTuple, NoReturn, Self, TypeVar

# Absent fields are None: users see `str | None`, and do not need a second value for "nothing".
Unset = NoneType
UNSET: None = None

#: Types of a list in a document.
LISTS = (list, tuple)


class Partial(dict[str, Any]):
    """An object of a document without the members that cannot be read."""

    unread: Mapping[str, Any]
    """These members, as they were received."""


class Model:
    """Base class of all models. It keeps the object that was read, so that `to_dict()` returns exactly what came."""

    __slots__ = ("_received",)

    _received: Mapping[str, Any]

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
