"""What git knows of the checkout that a release is made from."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from .problem import Problem

#: The folder of pyproject.toml.
ROOT = Path(__file__).parent.parent

_VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)


def version(root: Path) -> str:
    """The version of the package: the one place is `wrapper/azure_imds/_version.py`."""
    found = _VERSION.search((root / "wrapper" / "azure_imds" / "_version.py").read_text(encoding="utf-8"))
    if not found:
        raise Problem("wrapper/azure_imds/_version.py does not say __version__")
    return found[1]


def commit(root: Path) -> str:
    """The commit that is checked out."""
    return _git(root, "rev-parse", "HEAD").strip()


def commit_time(root: Path) -> int:
    """When the last commit was made, in Unix seconds."""
    return int(_git(root, "log", "-1", "--format=%ct"))


def tracked(root: Path) -> set[str]:
    """The files that git tracks and that are there, relative to the root."""
    names = _git(root, "ls-files", "-z").split("\0")
    return {name for name in names if name and (root / name).is_file()}


def changes(root: Path) -> list[str]:
    """Files that are not as the last commit has them, those that git does not know among them."""
    lines = _git(root, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames").split("\0")
    return [line[3:] for line in lines if line]


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise Problem(f"git {arguments[0]}: {done.stderr.strip() or 'failed'}")
    return done.stdout
