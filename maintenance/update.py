"""Take a new openapi.yaml: show what it changes for users, regenerate, test, and write the changelog fragments."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import html
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
from ruff.__main__ import find_ruff_bin

from azure_imds_emulator.operations import is_served
from generator import reader
from generator.generate import GenerationError, generate
from generator.specification import Operation, Specification, SpecificationError
from generator.terminal import printable

from .api_diff.changes import Change, format_changes
from .api_diff.comparison import compare
from .api_diff.semantic_version import suggest_version
from .operation_names import find_names, list_removed, list_renamed, rename
from .problem import Problem
from .repository import read_version

SPECIFICATION = "openapi.yaml"

#: Maximum number of redirects that a URL may lead to.
_MAX_REDIRECTS = 5

#: Maximum time for a download, redirects included.
DOWNLOAD_SECONDS = 60

#: The files that an update replaces. They must not have uncommitted changes.
_REPLACED = (SPECIFICATION, "generated")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--spec", required=True, help="the new document: a file or a URL")
    parser.add_argument(
        "--tests", default="--numprocesses=auto", help="arguments for pytest (default: --numprocesses=auto)"
    )


def run(arguments: argparse.Namespace) -> int:
    here = Path.cwd()
    _require_clean(here)
    document = _read_document(arguments.spec)
    if document == (here / SPECIFICATION).read_bytes():
        print(f"The document is the same as {SPECIFICATION}. Nothing was changed.")
        return 0
    # All steps that can fail run in a separate worktree. If one fails, this checkout is unchanged.
    with _make_worktree(here) as trial:
        (trial / SPECIFICATION).write_bytes(document)
        _generate(trial)
        old, new = (Specification.load(root / SPECIFICATION) for root in (here, trial))
        _require_unused(here, list_removed(old, new))
        renamed = list_renamed(old, new)
        _require_clean(here, *_rename(trial, renamed))
        changes = compare(here, trial)
        if changes:
            print(format_changes(changes), flush=True)
        _report_not_served(new)
        _run_tests(trial, shlex.split(arguments.tests))
    (here / SPECIFICATION).write_bytes(document)
    generate(here)
    edited = _rename(here, renamed)
    written = [_write_fragment(here, kind, lines) for kind, lines in _describe(changes).items()]
    before = read_version(here)
    print(f"\nUpdated {SPECIFICATION} and generated/. Changelog fragments: {', '.join(written) or 'none'}.")
    if edited:
        print(f"Renamed operations in: {', '.join(edited)}.")
    if changes:
        print(f"Suggested version: {before} -> {suggest_version(before, changes)}.")
    else:
        print("Nothing changes for users.")
    return 0


def _require_clean(here: Path, *more: str) -> None:
    command = ["git", "status", "--porcelain", *_REPLACED, *more]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True)
    if done.returncode or done.stdout:
        raise Problem(f"commit your changes first: {done.stderr or done.stdout}".strip())


def _read_document(source: str) -> bytes:
    """Returns the content of a file or URL."""
    if "://" not in source:
        try:
            return reader.read_file(Path(source))
        except reader.DocumentError as error:
            raise Problem(f"--spec {error.reason}") from None
    try:
        return asyncio.run(_download(source))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Problem(f"--spec {source} cannot be fetched: {error}") from None
    except reader.DocumentError as error:
        raise Problem(f"--spec {source} cannot be fetched: {error.reason}") from None
    except TimeoutError:
        raise Problem(f"--spec {source} cannot be fetched: not complete after {DOWNLOAD_SECONDS} seconds") from None


async def _download(source: str) -> bytes:
    # A timeout of httpx is one of each read. A server that sends a byte now and then would never exceed it.
    async with asyncio.timeout(DOWNLOAD_SECONDS), httpx.AsyncClient(timeout=None) as client:
        return await _fetch(client, httpx.URL(source))


async def _fetch(client: httpx.AsyncClient, url: httpx.URL) -> bytes:
    """Returns the body of a response. Stops reading where a document becomes too large."""
    for _ in range(_MAX_REDIRECTS + 1):
        # Without a content encoding, the bytes that arrive are the bytes that are kept.
        async with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
            if response.next_request is None:
                response.raise_for_status()
                content = b""
                async for chunk in response.aiter_raw():
                    content += chunk
                    reader.check_size(len(content))
                return content
            target = response.next_request.url
            if url.scheme == "https" and target.scheme != "https":
                raise reader.DocumentError(f"redirected from https to {target}, which is not encrypted")
            url = target
    raise reader.DocumentError(f"more than {_MAX_REDIRECTS} redirects")


@contextlib.contextmanager
def _make_worktree(here: Path) -> Iterator[Path]:
    """Checks out the last commit into a temporary folder. Yields the folder."""
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
