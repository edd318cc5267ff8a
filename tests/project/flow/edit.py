"""An edit of openapi.yaml, read from a file: its changes, and what users must see then. README.md has the format."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from generator.specification import Specification
from support import ROOT

HERE = Path(__file__).parent

#: Whether every edit runs alone instead of together with the others of its batch.
ALONE = bool(os.environ.get("FLOW_EACH"))


@dataclass(frozen=True)
class Edit:
    """The content of one file. All edits of a batch are made in one document, which saves time."""

    name: str
    about: str
    change: list[dict[str, Any]]
    batch: str = "first"
    types: str = ""
    checks: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)
    reported: dict[str, list[str]] = field(default_factory=dict)

    @property
    def group(self) -> str:
        return self.name if ALONE else self.batch

    def missing(self) -> list[str]:
        """The paths and components that the edit changes, and that openapi.yaml does not have (any more)."""
        document = _contract()
        made: set[str] = set()
        lost: list[str] = []
        for change in self.change:
            words = change["at"].split()
            depth = {"paths": 2, "components": 3}.get(words[0], len(words))
            owner = " ".join(words[:depth])
            if len(words) == depth and "put" in change:
                made.add(owner)
            elif depth < len(words) or "remove" in change:
                found: Any = document
                for word in words[:depth] if depth > 1 else ():
                    found = found.get(word, {}) if isinstance(found, dict) else found
                lost += [owner] if found == {} and owner not in made else []
        return lost


def edits(folder: str) -> list[Edit]:
    """The edits in one folder, sorted by name."""
    reader = YAML(typ="safe", pure=True)
    found = [Edit(name=file.stem, **reader.load(file)) for file in sorted((HERE / folder).glob("*.yaml"))]
    assert found, f"{folder} has no edits"
    return found


def write(changes: list[Edit], target: Path) -> None:
    """Writes the content of the real openapi.yaml with some edits applied, in a layout of its own: one value a line."""
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = copy.deepcopy(_contract())
    for edit in changes:
        for change in edit.change:
            try:
                _make(document, change)
            except (LookupError, TypeError, ValueError) as error:
                raise AssertionError(f"{edit.name}: {change['at']} is not in openapi.yaml: {error!r}") from error
    yaml.dump(document, target)


@cache
def _contract() -> dict[str, Any]:
    return Specification.load(ROOT / "openapi.yaml").document


def _make(document: Any, change: dict[str, Any]) -> None:
    """Makes one change: `put`, `append` or `remove` at a place. README.md describes places."""
    *above, last = change["at"].split()
    node = document
    for step in above:
        node = node[_key(node, step)]
    if "append" in change:
        node[_key(node, last)].append(change["append"])
    elif "remove" in change:
        del node[_key(node, last)]
    elif isinstance(node, dict):
        node[last] = change["put"]
    else:
        node[_key(node, last)] = change["put"]


def _key(node: Any, step: str) -> Any:
    """The key of a mapping, or the index of the list item that is `step`, has that name, or refers to that name."""
    if isinstance(node, dict):
        return {str(key): key for key in node}[step]
    if step.isdigit():
        return int(step)
    for index, item in enumerate(node):
        names = [item.get("name"), item.get("x-name"), item.get("$ref", "").rpartition("/")[2]]
        if step in (names if isinstance(item, dict) else [item]):
            return index
    raise KeyError(step)
