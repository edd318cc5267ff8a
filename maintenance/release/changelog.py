"""Move the fragments in changelog.d/ to CHANGELOG.md, under the version and today's date."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from ..problem import Problem
from ..repository import ROOT, VERSION_FILE, read_version

#: The kinds of changes, in the order of the changelog.
KINDS = ("added", "changed", "deprecated", "removed", "fixed", "security")

#: Where towncrier adds a section.
_START = "<!-- towncrier release notes start -->\n"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares no options."""


def run(arguments: argparse.Namespace) -> int:
    write_section(ROOT)
    return 0


def write_section(root: Path) -> None:
    """Writes the section of the current version from the fragments in changelog.d/, and deletes the fragments.

    Raises:
        Problem: there are no fragments, or the version already has a section.
    """
    version = read_version(root)
    if not list_fragments(root):
        raise Problem("changelog.d/ has no fragments")
    if has_section(root, version):
        raise Problem(f"CHANGELOG.md already has a section for {version}: raise the version in {VERSION_FILE}")
    done = subprocess.run(
        [sys.executable, "-m", "towncrier", "build", "--yes", "--version", version],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise Problem(f"towncrier failed:\n{done.stdout.strip()}")
    print(f"CHANGELOG.md now has a section for {version}. Read it, and commit it together with changelog.d/.")


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


def has_section(root: Path, version: str) -> bool:
    """Returns whether CHANGELOG.md has a section for a version."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.search(rf"^## {re.escape(version)} \(", text, re.MULTILINE) is not None
