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
    version = repository.version(ROOT)
    if not fragments(ROOT):
        raise Problem("changelog.d/ holds no change")
    if has_section(ROOT, version):
        raise Problem(f"CHANGELOG.md has {version} already: raise the version in wrapper/azure_imds/_version.py")
    return subprocess.run([sys.executable, "-m", "towncrier", "build", "--yes"], cwd=ROOT).returncode


def fragments(root: Path) -> list[Path]:
    """The changes that wait for a release, a file each."""
    return sorted(file for file in (root / "changelog.d").glob("*.md") if file.name != "README.md")


def has_section(root: Path, version: str) -> bool:
    """Whether CHANGELOG.md tells of a version."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.search(rf"^## {re.escape(version)} \(", text, re.MULTILINE) is not None
