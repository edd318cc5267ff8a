"""Move the fragments in changelog.d/ to CHANGELOG.md, under the version and today's date."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from ..fragments import list_fragments
from ..problem import Problem
from ..repository import ROOT, VERSION_FILE, read_version


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


def has_section(root: Path, version: str) -> bool:
    """Returns whether CHANGELOG.md has a section for a version."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.search(rf"^## {re.escape(version)} \(", text, re.MULTILINE) is not None
