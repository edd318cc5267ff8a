"""Take a new openapi.yaml: show what it does to users, regenerate, test, write the changelog fragment."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx

from generator.generate import GenerationError, generate
from generator.specification import SpecificationError

from .api_diff import compare, shown, suggested, version_of
from .changes import Change
from .problem import Problem

SPECIFICATION = "openapi.yaml"

#: Those are what is replaced; nothing else may be in the way.
_TOUCHED = (SPECIFICATION, "generated")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--spec", required=True, help="the new document: a file or a URL")
    parser.add_argument("--tests", default="--numprocesses=auto", help="what pytest is to run (all tests)")


def run(arguments: argparse.Namespace) -> int:
    here = Path.cwd()
    _refuse_unsaved(here)
    document = _fetched(arguments.spec)
    if document == (here / SPECIFICATION).read_bytes():
        print(f"This is {SPECIFICATION} as it is.")
        return 0
    # Everything is tried in a working tree of its own, so that a failure has nothing to undo.
    with _worktree(here) as trial:
        (trial / SPECIFICATION).write_bytes(document)
        _generated(trial)
        changes = compare(here, trial)
        if changes:
            print(shown(changes), flush=True)
        _tested(trial, shlex.split(arguments.tests))
    (here / SPECIFICATION).write_bytes(document)
    generate(here)
    written = [_fragment(here, kind, lines) for kind, lines in _told(changes).items()]
    before = version_of(here)
    print(f"\nTaken over: {SPECIFICATION} and generated/. Written: {', '.join(written) or 'no changelog fragment'}.")
    print(f"Version {before} -> {suggested(before, changes)} is proposed." if changes else "Users see no change.")
    return 0


def _refuse_unsaved(here: Path) -> None:
    done = subprocess.run(["git", "status", "--porcelain", *_TOUCHED], cwd=here, capture_output=True, text=True)
    if done.returncode or done.stdout:
        raise Problem(f"commit what has changed first: {done.stderr or done.stdout}".strip())


def _fetched(source: str) -> bytes:
    if "://" not in source:
        try:
            return Path(source).read_bytes()
        except OSError as error:
            raise Problem(f"{source} cannot be read: {error.strerror}") from None
    try:
        return httpx.get(source, follow_redirects=True, timeout=30).raise_for_status().content
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Problem(f"{source} cannot be fetched: {error}") from None


@contextlib.contextmanager
def _worktree(here: Path) -> Iterator[Path]:
    """The last commit in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "trial"
        _git(here, "worktree", "add", "--quiet", "--detach", str(trial))
        try:
            yield trial
        finally:
            _git(here, "worktree", "remove", "--force", str(trial))


def _git(here: Path, *arguments: str) -> None:
    done = subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True)
    if done.returncode:
        raise Problem(f"git {arguments[0]} failed: {done.stderr.strip()}")


def _generated(trial: Path) -> None:
    try:
        generate(trial)
    except (SpecificationError, GenerationError) as error:
        raise Problem(f"the document is not one to generate from:\n{error}") from None


def _tested(trial: Path, arguments: list[str]) -> None:
    packages = os.pathsep.join(str(trial / folder) for folder in ("wrapper", "generated", "emulator"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=trial,
        env=os.environ | {"PYTHONPATH": packages, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    if done.returncode:
        raise Problem("the tests fail with the new document; nothing was changed")


def _told(changes: list[Change]) -> dict[str, list[str]]:
    """The lines of the changelog, by the kind of fragment."""
    told: dict[str, list[str]] = {}
    for change in changes:
        kind = "added" if change.new else "removed" if change.what == "is gone" else "changed"
        name = f"`{change.subject.name}`"
        breaking = " (breaking)" if change.effect == "breaking" else ""
        told.setdefault(kind, []).append(f"{change.subject.kind} {name} {change.what}{breaking}")
    return told


def _fragment(here: Path, kind: str, lines: list[str]) -> str:
    """Writes one fragment, beside those that are there already."""
    folder = here / "changelog.d"
    folder.mkdir(exist_ok=True)
    names = (
        f"+specification.{kind}.md" if not number else f"+specification.{kind}.{number}.md" for number in range(1000)
    )
    path = next(folder / name for name in names if not (folder / name).exists())
    path.write_text("The API:\n\n" + "".join(f"- {line}\n" for line in lines), encoding="utf-8")
    return str(path.relative_to(here))
