"""The git checkout: its version, its commit and its files."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from .problem import Problem

#: The folder that contains pyproject.toml.
ROOT = Path(__file__).parent.parent

#: The only file that states the version, relative to the root.
VERSION_FILE = "wrapper/azure_imds/_version.py"

_VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)


def read_version(root: Path) -> str:
    """Returns the version of the package.

    Raises:
        Problem: the version file does not define `__version__`.
    """
    found = _VERSION.search((root / VERSION_FILE).read_text(encoding="utf-8"))
    if not found:
        raise Problem(f"{VERSION_FILE} does not define __version__")
    return found[1]


def read_commit(root: Path) -> str:
    """Returns the hash of the checked-out commit."""
    return _git(root, "rev-parse", "HEAD").strip()


def read_commit_time(root: Path) -> int:
    """Returns the time of the checked-out commit, in Unix seconds."""
    return int(_git(root, "log", "-1", "--format=%ct"))


def list_tracked(root: Path) -> set[str]:
    """Returns the files that git tracks and that exist, relative to the root."""
    names = _git(root, "ls-files", "-z").split("\0")
    return {name for name in names if name and (root / name).is_file()}


def list_changes(root: Path) -> list[str]:
    """Returns the files that differ from the last commit, including files that git does not track."""
    lines = _git(root, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames").split("\0")
    return [line[3:] for line in lines if line]


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise Problem(f"git {arguments[0]}: {done.stderr.strip() or 'failed'}")
    return done.stdout
