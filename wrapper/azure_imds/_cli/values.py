"""JSON values: their members, a part of them, and forms of them that are safe to print."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .exits import Exit
from .suggestions import suggest

MASK = "********"


class PathNotFoundError(Exception):
    """The result has no member at the path of `--query`."""

    status = Exit.NOINPUT


def list_members(value: Any) -> list[tuple[Any, Any]]:
    """The members of an object or array with their names or indexes; none for a leaf."""
    if is_object(value):
        return list(value.items())
    return list(enumerate[Any](value)) if is_list(value) else []


# With isinstance in the callers, a type checker would ask for the types of the members.


def is_object(value: Any) -> bool:
    """Whether the value is a JSON object."""
    return isinstance(value, Mapping)


def is_list(value: Any) -> bool:
    """Whether the value is a JSON array."""
    return isinstance(value, list)


def find_part(value: Any, path: str) -> Any:
    """The part of a result at a path such as `compute/location` or `Events/0/EventId`.

    Raises:
        PathNotFoundError: the result has no such part.
    """
    for name in path.strip("/").split("/"):
        named = {str(key): member for key, member in list_members(value)}
        if name not in named:
            raise PathNotFoundError(
                f"--query {path}: the result has no member {name!r}.{suggest(name, named)}".rstrip(".")
            )
        value = named[name]
    return value


def mask_secrets(value: Any) -> Any:
    """A copy of the value in which the specification's secrets are replaced by asterisks."""
    from azure_imds_api.api import SECRETS

    if is_list(value):
        return [mask_secrets(member) for member in value]
    if not is_object(value):
        return value
    return {name: MASK if name in SECRETS and member else mask_secrets(member) for name, member in list_members(value)}


def make_printable(value: Any) -> Any:
    """A copy of the value without control characters.

    Anyone who may set the tags of a machine could put commands for the terminal into them.
    """
    if isinstance(value, str):
        return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in value)
    if is_list(value):
        return [make_printable(member) for member in value]
    if is_object(value):
        return {make_printable(name): make_printable(member) for name, member in list_members(value)}
    return value


def iter_leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yields (path, leaf) for every leaf. An empty object or array counts as a leaf."""
    inner = list_members(value)
    if not inner:
        yield path, value
    for name, member in inner:
        yield from iter_leaves(member, f"{path}/{name}" if path else str(name))


def format_leaf(leaf: Any) -> str:
    """A leaf as text: a string without quotes, anything else as JSON."""
    return leaf if isinstance(leaf, str) else json.dumps(leaf, ensure_ascii=False)
