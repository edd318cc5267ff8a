"""An edit of openapi.yaml, read from a file: its changes, and what users must see then. README.md has the format."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

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


def edits(folder: str) -> list[Edit]:
    """The edits in one folder, sorted by name."""
    reader = YAML(typ="safe", pure=True)
    found = [Edit(name=file.stem, **reader.load(file)) for file in sorted((HERE / folder).glob("*.yaml"))]
    assert found, f"{folder} has no edits"
    return found


def write(changes: list[Edit], target: Path) -> None:
    """Writes the real openapi.yaml with some edits applied. Keeps comments and layout."""
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(ROOT / "openapi.yaml")
    for edit in changes:
        for change in edit.change:
            try:
                _make(document, change)
            except (LookupError, TypeError, ValueError) as error:
                raise AssertionError(f"{edit.name}: {change['at']} is not in openapi.yaml: {error!r}") from error
    yaml.dump(document, target)


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
