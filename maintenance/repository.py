"""The git checkout: its version, its commit and its files."""

from __future__ import annotations

import ipaddress
import os
import re
import subprocess
from collections.abc import Mapping
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


def list_version_tags(root: Path) -> list[str]:
    """Returns the tags of the checked-out commit that name a version, such as `v1.2.3`."""
    return _git(root, "tag", "--points-at", "HEAD", "--list", "v[0-9]*").split()


def list_tracked(root: Path) -> set[str]:
    """Returns the files that git tracks and that exist, relative to the root."""
    names = _git(root, "ls-files", "-z").split("\0")
    return {name for name in names if name and (root / name).is_file()}


def list_changes(root: Path) -> list[str]:
    """Returns the files that differ from the last commit, including files that git does not track."""
    lines = _git(root, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames").split("\0")
    return [line[3:] for line in lines if line]


def run_git(root: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> bytes:
    """Runs git in a checkout. Returns what it prints.

    Args:
        root: the checkout.
        arguments: the arguments of git.
        environment: variables to add to the environment.

    Raises:
        Problem: git is not installed, or fails. The text is one line, with git's own reason.
    """
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=root, env={**os.environ, **(environment or {})}, capture_output=True
        )
    except FileNotFoundError:
        raise Problem(f"git {arguments[0]}: git is not installed, or not in PATH") from None
    if done.returncode:
        # Without the credentials of a URL.
        reason = re.sub(r"//[^/@\s]+@", "//", " ".join(done.stderr.decode(errors="replace").split()))
        raise Problem(f"git {arguments[0]}: {reason or 'failed'}")
    return done.stdout


def _git(root: Path, *arguments: str) -> str:
    return run_git(root, *arguments).decode()


def is_loopback(host: str) -> bool:
    """Returns whether a host name or address is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
