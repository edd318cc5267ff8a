"""What is wrong with a path that the instance document does not have, by the members that the specification knows.

Imported only for an error.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from azure_imds_api.members import MEMBERS, RESULTS, Member

#: Suggested paths in one message.
_MOST = 3
#: Similarity, from 0 to 1, from which a name is suggested.
_SIMILAR = 0.6


class _Node(NamedTuple):
    """A node of the document: an object of a model, a list, or a single value."""

    path: tuple[str, ...]
    model: str = ""
    is_list: bool = False

    @property
    def children(self) -> dict[str, Member]:
        return {} if self.is_list or not self.model else dict(MEMBERS[self.model])

    def child(self, name: str) -> _Node | None:
        """The child of this name or index. None if the specification knows no such child."""
        if self.is_list:
            return _Node((*self.path, name), self.model) if name.isascii() and name.isdigit() else None
        member = self.children.get(name)
        return member and _Node((*self.path, name), member.model, member.is_list)

    def __str__(self) -> str:
        return "/".join(self.path) or "The document"


def explain_missing(operation: str, segments: Sequence[str]) -> str:
    """A hint for a path that does not exist. "" if the specification does not describe the document.

    Args:
        operation: the operation that returns the whole document, by what users type.
        segments: the names and indexes of the path.
    """
    if operation not in RESULTS:
        return ""
    last, rest = _follow(_Node((), RESULTS[operation]), segments)
    path = "/".join(segments)
    if not rest:
        return (
            f"{path} is a known path, but this machine, this api-version or a shorter list does not have it. "
            "If the machine is starting or IMDS is being updated, try again in a minute."
        )
    suggestions = _suggestions(last, rest)[:_MOST]
    question = f"{path}: did you mean {' or '.join(suggestions)}?" if suggestions else f"{path} is not a known path."
    if last.is_list:
        return f"{question} {last} is a list, so an index comes next, such as {last}/0."
    if not last.model:
        return f"{question} {last} is a single value, with nothing below it."
    return f"{question} {last} has {', '.join(last.children)}."


def list_paths(operation: str, typed: str) -> list[str]:
    """The paths that start with what was typed, down to the next slash. A path with something below it is there twice:
    with a slash at its end too.

    Args:
        operation: the operation that returns the document.
        typed: the beginning of a path.
    """
    *segments, start = typed.split("/")
    node, rest = _follow(_Node((), RESULTS.get(operation, "")), segments)
    if rest:
        return []
    paths: list[str] = []
    for name in ("0",) if node.is_list else node.children:
        if name.startswith(start) and (child := node.child(name)):
            paths.append(str(child))
            if child.model or child.is_list:
                paths.append(f"{child}/")
    return paths


def _follow(node: _Node, segments: Sequence[str]) -> tuple[_Node, Sequence[str]]:
    """The last node on a path that the specification knows, and the rest of the path."""
    for position, name in enumerate(segments):
        child = node.child(name)
        if child is None:
            return node, segments[position:]
        node = child
    return node, ()


def _suggestions(last: _Node, rest: Sequence[str]) -> list[str]:
    """Paths that were probably meant, the most similar first. The surest kind of guess that finds any decides."""
    guesses = (_without_prefix, _at_first_index, _in_other_spelling, _with_slashes, _similar, _elsewhere)
    for guess in guesses:
        if paths := list(guess(last, rest)):
            return paths
    return []


def _without_prefix(last: _Node, rest: Sequence[str]) -> Iterator[str]:
    """The path below the path of the URL."""
    for prefix in ("metadata/instance/", "instance/") if not last.path else ():
        path = "/".join(rest)
        if path.startswith(prefix):
            yield _complete(last, path.removeprefix(prefix).split("/"))


def _at_first_index(last: _Node, rest: Sequence[str]) -> Iterator[str]:
    if last.is_list:
        item = _Node((*last.path, "0"), last.model)
        if item.child(rest[0]):
            yield _complete(item, rest)
        else:
            yield from _suggestions(item, rest)


def _in_other_spelling(last: _Node, rest: Sequence[str]) -> Iterator[str]:
    """In other case, or as the attribute of the model is named."""
    for wire, member in last.children.items():
        if rest[0].lower() in (wire.lower(), member.attribute):
            yield _complete(last, [wire, *rest[1:]])


def _with_slashes(last: _Node, rest: Sequence[str]) -> Iterator[str]:
    parts = [part for segment in rest for part in segment.split(".")]
    if len(parts) > len(rest) and not _follow(last, parts)[1]:
        yield _complete(last, parts)


def _similar(last: _Node, rest: Sequence[str]) -> Iterator[str]:
    names = {wire.lower(): wire for wire in last.children}
    for name in difflib.get_close_matches(rest[0].lower(), names, _MOST, _SIMILAR):
        yield _complete(last, [names[name], *rest[1:]])


def _elsewhere(last: _Node, rest: Sequence[str]) -> Iterator[str]:
    """Nodes of the same name further down."""
    yield from ("/".join(path) for path in _places(last, rest[0], frozenset()))


def _complete(node: _Node, rest: Sequence[str]) -> str:
    """The path of a node and what follows it, as it was probably meant."""
    last, unknown = _follow(node, rest)
    return next(iter(_suggestions(last, unknown)), str(last)) if unknown else str(last)


def _places(node: _Node, name: str, above: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """Paths below a node that end with this name. In lists, those of the first item."""
    if node.model in above:  # a model that contains itself
        return
    for wire, member in node.children.items():
        path = (*node.path, wire)
        if name.lower() in (wire.lower(), member.attribute):
            yield path
        if member.model:
            below = _Node((*path, "0") if member.is_list else path, member.model)
            yield from _places(below, name, above | {node.model})
