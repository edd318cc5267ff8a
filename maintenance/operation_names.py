"""Names of operations in hand-written files: where they are, and how they follow an operation that is renamed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from generator.names import public_name, python_name
from generator.specification import Operation, Specification

from .repository import list_tracked

#: What follows from the document, and what is about earlier versions.
_NOT_BY_HAND = ("openapi.yaml", "generated/", "CHANGELOG.md", "changelog.d/")

#: Tests with a contract of their own, and changes that are skipped if the document does not have their operation.
_OWN_CONTRACTS = (
    "tests/project/flow/",
    "tests/project/generator/small.yaml",
    "tests/project/generator/test_specification_lint.py",
)


def list_renamed(before: Specification, after: Specification) -> list[tuple[Operation, Operation]]:
    """Returns the operations whose method and path are the same in both documents, and whose name is not."""
    old = {(operation.method, operation.path): operation for operation in before.operations()}
    both = ((old.get((operation.method, operation.path)), operation) for operation in after.operations())
    return [(was, now) for was, now in both if was and _list_names(was) != _list_names(now)]


def list_removed(before: Specification, after: Specification) -> list[Operation]:
    """Returns the operations whose method and path, and whose name, are only in the old document."""
    places = {(operation.method, operation.path) for operation in after.operations()}
    names = {operation.id for operation in after.operations()}
    return [o for o in before.operations() if (o.method, o.path) not in places and o.id not in names]


def find_names(root: Path, operation: Operation) -> Iterator[str]:
    """Yields the places in hand-written files that name the operation, such as `docs/instance.md:12`."""
    pattern = _compile(_list_names(operation))
    for path, text in _read_files(root, _NOT_BY_HAND + _OWN_CONTRACTS):
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                yield f"{path}:{number}"


def rename(root: Path, renamed: list[tuple[Operation, Operation]]) -> list[str]:
    """Replaces the names of operations in hand-written files. Returns the paths of the changed files."""
    names: dict[str, str] = {}
    for was, now in renamed:
        names |= dict(zip(_list_names(was), _list_names(now), strict=True))
    changed: list[str] = []
    for path, text in _read_files(root, _NOT_BY_HAND) if names else ():
        after = _replace(text, names)
        if after != text:
            (root / path).write_text(after, encoding="utf-8")
            changed.append(path)
    return changed


def _replace(text: str, names: Mapping[str, str]) -> str:
    # All names at once, so that two operations can swap their names.
    return _compile(list(names)).sub(lambda found: names[found[0]], text)


def _list_names(operation: Operation) -> list[str]:
    """Returns what programs and texts call an operation: its id, its method, its module and its constant."""
    module = python_name(operation.id)
    return [operation.id, public_name(operation), module, module.upper()]


def _compile(names: list[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)")


def _read_files(root: Path, without: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yields the text files that git tracks, except for those whose path starts with one of the given texts."""
    for path in sorted(list_tracked(root)):
        if not path.startswith(without):
            try:
                yield path, (root / path).read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
