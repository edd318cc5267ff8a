"""JSON values, as the command line takes them apart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .exits import Exit

MASK = "********"


class NothingThere(Exception):
    """The path of `--query` leads nowhere."""

    status = Exit.NOINPUT


def members(value: Any) -> list[tuple[Any, Any]]:
    """What an object or list consists of, by names or indexes; nothing for a leaf."""
    if is_object(value):
        return list(value.items())
    return list(enumerate[Any](value)) if is_list(value) else []


# Not isinstance where they are used: a type checker would then want to know of what.


def is_object(value: Any) -> bool:
    """Whether it is a JSON object."""
    return isinstance(value, Mapping)


def is_list(value: Any) -> bool:
    """Whether it is a JSON array."""
    return isinstance(value, list)


def at(value: Any, path: str) -> Any:
    """The part of a result that a path leads to: `compute/location`, `Events/0/EventId`.

    Raises:
        NothingThere: the result has no such part.
    """
    for name in path.strip("/").split("/"):
        named = {str(key): member for key, member in members(value)}
        if name not in named:
            raise NothingThere(f"the result has nothing at {path}: no {name!r}")
        value = named[name]
    return value


def masked(value: Any) -> Any:
    """The same without what the specification calls secret."""
    from azure_imds_api.api import SECRETS

    if is_list(value):
        return [masked(member) for member in value]
    if not is_object(value):
        return value
    return {name: MASK if name in SECRETS and member else masked(member) for name, member in members(value)}


def printable(value: Any) -> Any:
    """The same without letters that command a terminal: whoever may set a machine's tags could put them there."""
    if isinstance(value, str):
        return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in value)
    if is_list(value):
        return [printable(member) for member in value]
    return {printable(name): printable(member) for name, member in members(value)} if is_object(value) else value


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path; an empty object or list counts as one."""
    inner = members(value)
    if not inner:
        yield path, value
    for name, member in inner:
        yield from leaves(member, f"{path}/{name}" if path else str(name))


def plain(leaf: Any) -> str:
    """A leaf as people write it."""
    return leaf if isinstance(leaf, str) else json.dumps(leaf, ensure_ascii=False)
