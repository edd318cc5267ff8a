"""Reads the fragments in changelog.d/: one file for each change that is not released yet."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path


def list_fragments(root: Path) -> list[Path]:
    """Returns the fragments: one file for each change that is not released yet."""
    return sorted(file for file in (root / "changelog.d").glob("*.md") if file.name != "README.md")


def read_kind(fragment: Path) -> str:
    """Returns the kind of change that the name of a fragment states, such as `added`."""
    return fragment.name.split(".")[-2]


def read_with_unreleased(root: Path) -> str:
    """Returns the text of CHANGELOG.md, with the fragments as its first section instead of the sentence about them."""
    towncrier = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["towncrier"]
    start = towncrier["start_string"]
    entries: dict[str, list[str]] = {}
    for file in list_fragments(root):
        text = " ".join(file.read_text(encoding="utf-8").split())
        entries.setdefault(read_kind(file), []).append(f"- {text}\n")
    kinds = [kind for kind in towncrier["fragment"] if kind in entries]
    parts = [f"### {kind.capitalize()}\n\n{''.join(entries[kind])}\n" for kind in kinds]
    section = "".join(["\n## Unreleased\n\n", *parts]) if parts else ""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.sub(r"Unreleased changes are in .*\n\n", "", text).replace(start, start + section)
