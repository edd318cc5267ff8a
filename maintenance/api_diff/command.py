"""Show what the changes since another version mean for users, and the version number that they require."""

from __future__ import annotations

import argparse
import io
import tarfile
import tempfile
from pathlib import Path

from ..problem import Problem
from ..progress import show_step
from ..repository import read_version, run_git
from .changes import format_changes
from .comparison import compare
from .semantic_version import parse_version, suggest_version

#: The files of a version that a comparison reads.
PARTS = ("openapi.yaml", "generated", "wrapper", "pyproject.toml")

#: The exit code if something breaks.
BREAKING_EXIT = 3


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base", required=True, help="the version to compare with: a git tag, branch or commit")
    parser.add_argument(
        "--gate", action="store_true", help="fail only if the version in _version.py is lower than the required one"
    )


def run(arguments: argparse.Namespace) -> int:
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        base = check_out(here, arguments.base, Path(folder))
        show_step(f"Comparing with {arguments.base}, also with mypy and pyright")
        changes = compare(base, here)
        before, now = read_version(base), read_version(here)
    required = suggest_version(before, changes)
    if not changes:
        print("Nothing changes for users.")
    else:
        print(f"{format_changes(changes)}\n\nVersion {before} -> {required}")
    breaking = any(change.effect == "breaking" for change in changes)
    if arguments.gate:
        if parse_version(now) >= parse_version(required):
            return 0
        raise Problem(f"the version is {now}, but these changes require {required}")
    return BREAKING_EXIT if breaking else 0


def check_out(repository: Path, reference: str, folder: Path) -> Path:
    """Extracts the files of a version into a folder, and returns the folder.

    Raises:
        Problem: git does not know the version, or the version has no generated client.
    """
    try:
        content = run_git(repository, "archive", reference, *PARTS)
    except Problem as problem:
        raise Problem(f"--base {reference!r} cannot be read: {problem}") from None
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")
    return folder
