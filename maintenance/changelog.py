"""Fold changelog.d/ into CHANGELOG.md, under the version and today's date."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from . import repository
from .problem import Problem
from .repository import ROOT


def configure(parser: argparse.ArgumentParser) -> None:
    """It takes no options."""


def run(arguments: argparse.Namespace) -> int:
    fold(ROOT)
    return 0


def fold(root: Path) -> None:
    """Makes a section for the version of what waits in changelog.d/, and removes it there.

    Raises Problem where nothing waits, or the version has a section.
    """
    version = repository.version(root)
    if not fragments(root):
        raise Problem("changelog.d/ holds no change")
    if has_section(root, version):
        raise Problem(f"CHANGELOG.md has {version} already: raise the version in wrapper/azure_imds/_version.py")
    done = subprocess.run(
        [sys.executable, "-m", "towncrier", "build", "--yes", "--version", version],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise Problem(f"towncrier failed:\n{done.stdout.strip()}")
    print(f"CHANGELOG.md has {version} now: read it, and commit it together with changelog.d/")


def fragments(root: Path) -> list[Path]:
    """The changes that wait for a release, a file each."""
    return sorted(file for file in (root / "changelog.d").glob("*.md") if file.name != "README.md")


def has_section(root: Path, version: str) -> bool:
    """Whether CHANGELOG.md tells of a version."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.search(rf"^## {re.escape(version)} \(", text, re.MULTILINE) is not None
