"""Reads distinguished names (X.501): the names of a certificate's subject and issuer.

This package does not use cryptography for this, which reads a name only when it is used. It then raises exceptions of
several types, and prints a warning if a value is longer than the standard allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from attrs import field, frozen

_parser: Any = import_module("asn1crypto.parser")

_COMMON_NAME = bytes.fromhex("550403")  # 2.5.4.3

#: The encoding of each ASN.1 string type, by its identifier octet.
_ENCODINGS = {
    0x0C: "utf-8",
    0x12: "ascii",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1A: "ascii",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}

#: One part of a name: the type of each attribute and its value, which is normalized if it is text.
Part = frozenset[tuple[bytes, str | bytes]]


@frozen
class Name:
    """A distinguished name. Two names are equal if their bytes are."""

    der: bytes = field(repr=False)
    parts: tuple[Part, ...] = field(eq=False, repr=False)
    common_names: tuple[str, ...] = field(eq=False)
    text: str = field(eq=False)
    """The first common name, or else all texts."""


def read_name(der: bytes) -> Name:
    """Reads a name.

    Raises:
        ValueError: it is not a name, a text has the wrong encoding, or a part is empty or contains an attribute twice.
    """
    parts: list[Part] = []
    texts: list[str] = []
    common_names: list[str] = []
    ((_, content),) = _split(der)
    for _, attributes in _split(content):
        part: dict[bytes, str | bytes] = {}
        for _, attribute in _split(attributes):
            (_, kind), (tag, value) = _split(attribute)
            if kind in part:
                raise ValueError("a part of a name contains an attribute twice")
            part[kind] = value
            if tag in _ENCODINGS:
                text = value.decode(_ENCODINGS[tag])
                part[kind] = " ".join(text.casefold().split())
                texts.append(text)
                common_names += [text] if kind == _COMMON_NAME else []
        if not part:
            raise ValueError("a part of a name is empty")
        parts.append(frozenset(part.items()))
    return Name(der, tuple(parts), tuple(common_names), common_names[0] if common_names else ", ".join(texts))


def _split(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Returns the identifier octet and the content of each value in a sequence."""
    while data:
        _, _, _, header, content, trailer = _parser.parse(data)
        yield header[0], content
        data = data[len(header) + len(content) + len(trailer) :]
