"""Reads the fragments in changelog.d/: one file for each change that is not released yet."""

from __future__ import annotations

import re
from pathlib import Path

#: The kinds of changes, in the order of the changelog.
KINDS = ("added", "changed", "deprecated", "removed", "fixed", "security")

#: Where towncrier adds a section.
_START = "<!-- towncrier release notes start -->\n"


def list_fragments(root: Path) -> list[Path]:
    """Returns the fragments: one file for each change that is not released yet."""
    return sorted(file for file in (root / "changelog.d").glob("*.md") if file.name != "README.md")


def read_with_unreleased(root: Path) -> str:
    """Returns the text of CHANGELOG.md, with the fragments as its first section instead of the sentence about them."""
    entries: dict[str, list[str]] = {}
    for file in list_fragments(root):
        kind = file.name.split(".")[-2]
        entries.setdefault(kind, []).append(f"- {' '.join(file.read_text(encoding='utf-8').split())}\n")
    parts = [f"### {kind.capitalize()}\n\n{''.join(entries[kind])}\n" for kind in KINDS if kind in entries]
    section = "".join(["## Unreleased\n\n", *parts]) if parts else ""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.sub(r"Unreleased changes are in .*\n\n", "", text).replace(
        _START, f"{_START}\n{section}" if section else _START
    )
