"""Compares two source trees in four ways, because each way misses changes that another one finds.

- `signatures`: griffe compares the Python signatures.
- `type_checks`: mypy and pyright check typed calls, which are written from the old version, with the new packages.
- `data_diff`: the generated operation data shows constraints, defaults and servers, which no signature contains.
- `surface_diff`: names that only one version has, and types that differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import evolve

from ..surface import read_surface
from . import signatures, type_checks
from .changes import Change, Subject
from .data_diff import compare_data, read_data
from .signatures import find_breakages
from .surface_diff import compare_surfaces
from .type_checks import find_misfits

#: These comparisons find the place of a change, but describe it in a tool's words. The others describe it better.
_CONFIRMING = frozenset({signatures.NAME, *type_checks.NAMES})


def compare(old: Path, new: Path) -> list[Change]:
    """Returns the changes between two trees, breaking changes first."""
    before, after = read_surface(old), read_surface(new)
    found: dict[Subject, list[Change]] = {}
    for change in (
        *compare_surfaces(before, after),
        *find_breakages(old, new),
        *compare_data(read_data(old), read_data(new)),
        *find_misfits(before, after, old, new),
    ):
        found.setdefault(change.subject, []).append(change)
    merged = [row for changes in found.values() for row in _merge(changes)]
    return sorted(merged, key=lambda row: (row.effect != "breaking", row.subject.kind, row.subject.name, row.what))


def _merge(changes: list[Change]) -> Iterator[Change]:
    """Merges the changes of one subject. A tool's finding only confirms a breaking change that has better words."""
    described = [change for change in changes if not change.seen_by & _CONFIRMING]
    confirming = [change for change in changes if change.seen_by & _CONFIRMING]
    breaking = [change for change in described if change.effect == "breaking"]
    seen_by = frozenset[str]().union(*(change.seen_by for change in confirming))
    if confirming and breaking:
        first = breaking[0]
        described = [evolve(c, seen_by=c.seen_by | seen_by) if c is first else c for c in described]
    elif confirming:
        yield evolve(confirming[0], seen_by=seen_by)
    yield from described
