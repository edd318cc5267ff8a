"""Take a new openapi.yaml: show what it changes for users, regenerate, test, and write the changelog fragments."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import html
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import evolve
from ruff.__main__ import find_ruff_bin

from azure_imds_emulator.operations import is_served
from generator.generate import GenerationError, generate
from generator.specification import Operation, Specification, SpecificationError
from generator.terminal import printable

from .api_diff.changes import Change, format_changes
from .api_diff.comparison import compare
from .api_diff.semantic_version import suggest_version
from .operation_names import find_names, list_removed, list_renamed, rename
from .problem import Problem
from .progress import show_step
from .repository import read_version, run_git
from .source import read_source

SPECIFICATION = "openapi.yaml"

#: What an update is for those who review it, in Markdown. git ignores the file.
DESCRIPTION = "build/update.md"

NO_CHANGES = "Nothing changes for users."

#: The files that an update replaces. They must not have uncommitted changes.
_REPLACED = (SPECIFICATION, "generated")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--spec", required=True, metavar="DOCUMENT", help="the new document: a file or a URL")
    parser.add_argument(
        "--tests", default="--numprocesses=auto", help="arguments for pytest (default: --numprocesses=auto)"
    )


def run(arguments: argparse.Namespace) -> int:
    here = Path.cwd()
    _require_clean(here)
    document = read_source(arguments.spec, "--spec")
    if document == (here / SPECIFICATION).read_bytes():
        print(f"The document is the same as {SPECIFICATION}. Nothing was changed.")
        _write_description(here, "Nothing was changed", "The document is the same.", document)
        return 0
    # All steps that can fail run in a separate worktree. If one fails, this checkout is unchanged.
    with _make_worktree(here) as trial:
        (trial / SPECIFICATION).write_bytes(document)
        _generate(trial)
        old, new = (Specification.load(root / SPECIFICATION) for root in (here, trial))
        _require_unused(here, list_removed(old, new))
        renamed = list_renamed(old, new)
        _require_clean(here, *_rename(trial, renamed))
        show_step("Comparing with the present document, also with mypy and pyright")
        changes = compare(here, trial)
        if changes:
            print(format_changes(changes), flush=True)
        _report_not_served(new)
        _run_tests(trial, shlex.split(arguments.tests))
    (here / SPECIFICATION).write_bytes(document)
    generate(here)
    edited = _rename(here, renamed)
    written = [_write_fragment(here, kind, lines) for kind, lines in _describe(changes).items()]
    print(f"\nUpdated {SPECIFICATION} and generated/. Changelog fragments: {', '.join(written) or 'none'}.")
    if edited:
        print(f"Renamed operations in: {', '.join(edited)}.")
    before = read_version(here)
    result = f"Suggested version: {before} -> {suggest_version(before, changes)}." if changes else NO_CHANGES
    print(result)
    title = f"Update {SPECIFICATION} to version {_shorten(str(new.document['info']['version']))}"
    table = f"{format_changes(_escape_all(changes))}\n\n" if changes else ""
    _write_description(here, title, f"{table}{result}", document)
    print(f"The description of the change is in {DESCRIPTION}.")
    return 0


def compute_digest(document: bytes) -> str:
    """Returns what identifies a document in its description and in the name of its branch."""
    return hashlib.sha256(document).hexdigest()


def _write_description(here: Path, title: str, text: str, document: bytes) -> None:
    path = here / DESCRIPTION
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{title}\n\n{text}\n\nsha256 of {SPECIFICATION}: {compute_digest(document)}\n", encoding="utf-8")


def _shorten(text: str) -> str:
    """Returns the text on one line that is not too long for a title."""
    line = " ".join(printable(text).split())
    return line if len(line) <= 40 else f"{line[:37]}..."


def _escape_all(changes: Iterable[Change]) -> Iterator[Change]:
    for change in changes:
        yield evolve(change, what=_escape(change.what))


def _require_clean(here: Path, *more: str) -> None:
    if changed := run_git(here, "status", "--porcelain", "--", *_REPLACED, *more).decode().split():
        raise Problem(f"commit your changes first: {' '.join(changed)}")


@contextlib.contextmanager
def _make_worktree(here: Path) -> Iterator[Path]:
    """Checks out the last commit into a temporary folder. Yields the folder."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "trial"
        run_git(here, "worktree", "add", "--quiet", "--detach", str(trial))
        try:
            yield trial
        finally:
            run_git(here, "worktree", "remove", "--force", str(trial))


def _generate(trial: Path) -> None:
    try:
        generate(trial)
    except (SpecificationError, GenerationError) as error:
        raise Problem(f"no client can be generated from the document:\n{error}") from None


def _require_unused(here: Path, removed: Iterable[Operation]) -> None:
    """Raises Problem if hand-written files name an operation that the new document does not have."""
    uses = {operation.id: list(find_names(here, operation)) for operation in removed}
    lines = [f"{operation}: {', '.join(places)}" for operation, places in uses.items() if places]
    if lines:
        raise Problem(
            "the document has no operation that these files name. Remove the names first, then update:\n"
            + "\n".join(lines)
        )


def _rename(root: Path, renamed: list[tuple[Operation, Operation]]) -> list[str]:
    """Renames operations in hand-written files, and formats these. Returns their paths."""
    changed = rename(root, renamed)
    if modules := [path for path in changed if path.endswith(".py")]:
        subprocess.run([find_ruff_bin(), "format", "--quiet", *modules], cwd=root, check=True)
    return changed


def _report_not_served(specification: Specification) -> None:
    missing = [
        f"{operation.id} ({operation.method.upper()} {operation.path})"
        for operation in specification.operations()
        if "x-stands-for" not in operation.data and not is_served(operation.method, operation.path)
    ]
    if missing:
        print(f"\nThe emulator does not serve yet: {', '.join(missing)}.", flush=True)


def _run_tests(trial: Path, arguments: list[str]) -> None:
    packages = os.pathsep.join(str(trial / folder) for folder in ("wrapper", "generated", "emulator"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=trial,
        env=os.environ | {"PYTHONPATH": packages, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    if done.returncode:
        raise Problem("the tests fail with the new document; nothing was changed")


def _describe(changes: Iterable[Change]) -> dict[str, list[str]]:
    """Returns the lines of the changelog, by the kind of fragment."""
    lines: dict[str, list[str]] = {}
    for change in changes:
        kind = "added" if change.new else "removed" if change.what == "is removed" else "changed"
        breaking = " (breaking)" if change.effect == "breaking" else ""
        line = f"{change.subject.kind} `{change.subject.name}` {_escape(change.what)}{breaking}"
        lines.setdefault(kind, []).append(line)
    return lines


def _escape(text: str) -> str:
    """Returns Markdown that shows the text. Values of the document, such as patterns, can contain markup."""
    return re.sub(r"\](?=\()|\{", r"\\\g<0>", html.escape(printable(text), quote=False))


def _write_fragment(here: Path, kind: str, lines: list[str]) -> str:
    """Writes a fragment under a name that is not in use yet. Returns its path, relative to the checkout."""
    folder = here / "changelog.d"
    folder.mkdir(exist_ok=True)
    names = (
        f"+specification.{kind}.md" if not number else f"+specification.{kind}.{number}.md" for number in range(1000)
    )
    path = next(folder / name for name in names if not (folder / name).exists())
    path.write_text("The API:\n\n" + "".join(f"- {line}\n" for line in lines), encoding="utf-8")
    return str(path.relative_to(here))
