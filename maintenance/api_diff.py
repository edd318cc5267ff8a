"""What the changes since another version do to users: a table, and the version step that it takes.

Four looks, since none sees everything: griffe compares the Python surfaces; the type checkers read the old version's
contract file (typed_calls.py) with the new packages; the operations' data, which the generator writes, is compared for
what no signature shows (constraints, defaults, servers); and what only the new surface has is new.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import griffe
from attrs import evolve

from . import typed_calls
from .changes import Change, Subject
from .data_diff import data_changes, data_of
from .problem import Problem
from .surface import PACKAGE, Surface, read
from .surface_diff import differences
from .tables import table

#: What a comparison needs of a version.
PARTS = ("openapi.yaml", "generated", "wrapper", "pyproject.toml")

BREAKING_EXIT = 3


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base", required=True, help="the version to compare with: a git tag, branch or commit")
    parser.add_argument(
        "--gate", action="store_true", help="succeed if the version in pyproject.toml has made the step that it takes"
    )


def run(arguments: argparse.Namespace) -> int:
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        base = checked_out(here, arguments.base, Path(folder))
        changes = compare(base, here)
        before, now = version_of(base), version_of(here)
    needed = suggested(before, changes)
    if not changes:
        print("Nothing that users see has changed.")
    else:
        print(f"{shown(changes)}\n\nVersion {before} -> {needed}")
    breaking = any(change.effect == "breaking" for change in changes)
    if arguments.gate:
        if _numbers(now) >= _numbers(needed):
            return 0
        raise Problem(f"the version is {now}, and these changes take {needed}")
    return BREAKING_EXIT if breaking else 0


def checked_out(repository: Path, reference: str, folder: Path) -> Path:
    """The files of a version, in a folder of their own.

    Raises:
        Problem: git does not know the version, or it has no generated client.
    """
    done = subprocess.run(["git", "archive", reference, *PARTS], cwd=repository, capture_output=True)
    if done.returncode:
        raise Problem(f"{reference!r} cannot be read: {done.stderr.decode(errors='replace').strip()}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def compare(old: Path, new: Path) -> list[Change]:
    """What has changed between two trees, breaking changes first."""
    before, after = read(old), read(new)
    rows: dict[Subject, list[Change]] = {}
    for change in (
        *differences(before, after),
        *_breakages(old, new),
        *data_changes(data_of(old), data_of(new)),
        *_misfits(before, after, old, new),
    ):
        rows.setdefault(change.subject, []).append(change)
    merged = [row for found in rows.values() for row in _merged(found)]
    return sorted(merged, key=lambda row: (row.effect != "breaking", row.subject.kind, row.subject.name, row.what))


def _merged(found: list[Change]) -> Iterator[Change]:
    """One row for what several have seen: the first that is worded here, confirmed by the others."""
    worded = [change for change in found if not change.seen_by & _CONFIRMING]
    others = [change for change in found if change.seen_by & _CONFIRMING]
    breaking = [change for change in worded if change.effect == "breaking"]
    if others and breaking:
        confirmed = frozenset[str]().union(*(change.seen_by for change in others))
        worded = [evolve(c, seen_by=c.seen_by | confirmed) if c is breaking[0] else c for c in worded]
    elif others:
        seen_by = frozenset[str]().union(*(change.seen_by for change in others))
        yield evolve(others[0], seen_by=seen_by)
    yield from worded


#: Their findings name a place, but say in a tool's words what this module says in its own where it sees it too.
_CONFIRMING = frozenset({"griffe", "mypy", "pyright"})


# What griffe says


def _breakages(old: Path, new: Path) -> Iterator[Change]:
    for place, package in (("generated", PACKAGE), ("wrapper", "azure_imds")):
        sides = [griffe.load(package, search_paths=[tree / place], allow_inspection=False) for tree in (old, new)]
        for breakage in griffe.find_breaking_changes(*sides):
            subject = _subject(breakage)
            if subject is not None:
                what = breakage.kind.value.lower()
                yield Change(subject, what, "breaking", frozenset({"griffe"}))


def _subject(breakage: griffe.Breakage) -> Subject | None:
    """What a breakage is about, in the table's own terms; None where others say it better."""
    path = breakage.obj.path
    parameter = re.search(r"\(([^)]*)\)$", path)
    path = path.partition("(")[0]
    argument = parameter[1] if parameter else _parameter(breakage)
    parts = path.split(".")
    if parts[-1] == "__doc__":
        return None
    if parts[:2] == [PACKAGE, "api"] and len(parts) >= 4:
        tag, place = parts[2:4]
        if place.isupper():
            return None  # an operation's data
        method = parts[4] if place.endswith("Operations") and len(parts) > 4 else place.removeprefix(f"{tag}_")
        name = f"{tag}.{method}"
        return Subject("argument", f"{name}({argument})") if argument else Subject("operation", name)
    if parts[:2] == [PACKAGE, "models"] and len(parts) >= 4:
        name = parts[3]
        if name.isupper() or name.startswith("check_"):
            return None  # helpers beside a list of values
        return Subject("field", ".".join(parts[3:5])) if len(parts) > 4 else Subject("type", name)
    return Subject("python", path + (f"({argument})" if argument else ""))


def _parameter(breakage: griffe.Breakage) -> str | None:
    for value in (breakage.new_value, breakage.old_value):
        if isinstance(value, griffe.Parameter):
            return value.name
    return None


# What the type checkers say


def _misfits(before: Surface, after: Surface, old: Path, new: Path) -> Iterator[Change]:
    contract = typed_calls.contract(before)
    with tempfile.TemporaryDirectory() as folder:
        for misfit in typed_calls.misfits(contract, old, Path(folder)):
            text = contract.text.splitlines()[misfit.line - 1].strip()
            raise Problem(f"the base does not hold its own contract: {text}: {misfit.checker}: {misfit.message}")
    with tempfile.TemporaryDirectory() as folder:
        for misfit in typed_calls.misfits(contract, new, Path(folder)):
            subject = contract.subjects.get(misfit.line)
            if subject is None:
                raise Problem(f"the contract file cannot be read with the new version: {misfit.message}")
            named = _named(misfit.message, subject, before, after) or [subject]
            for subject in named:
                yield Change(subject, misfit.message, "breaking", frozenset({misfit.checker}))


def _named(message: str, subject: Subject, before: Surface, after: Surface) -> list[Subject]:
    """The arguments of an operation, or the fields of a type, that a message about its call names."""
    names = re.findall(r'"(\w+)"', message)
    if subject.kind == "operation":
        sides = [side.operations[subject.name] for side in (before, after) if subject.name in side.operations]
        known = {argument for method in sides for argument in method.arguments}
        return [Subject("argument", f"{subject.name}({name})") for name in names if name in known]
    models = [side.models[subject.name] for side in (before, after) if subject.name in side.models]
    known = {field for model in models for field in model.fields}
    return [Subject("field", f"{subject.name}.{name}") for name in names if name in known]


# The result


def shown(changes: list[Change]) -> str:
    """The changes as a table."""
    rows = [(c.subject.kind, f"`{c.subject.name}`", c.what, c.effect, ", ".join(sorted(c.seen_by))) for c in changes]
    return table(("what", "name", "change", "effect", "seen by"), rows)


def version_of(tree: Path) -> str:
    """The version that a tree's package calls itself."""
    found = re.search(r'^__version__ = "([^"]+)"', _version_file(tree).read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise Problem(f"{_version_file(tree)} has no __version__")
    return found[1]


def _version_file(tree: Path) -> Path:
    return tree / "wrapper" / "azure_imds" / "_version.py"


def suggested(version: str, changes: list[Change]) -> str:
    """The next version by Semantic Versioning. Before 1.0 what breaks takes a minor step, and all else a patch."""
    major, minor, patch = _numbers(version)
    breaking = any(change.effect == "breaking" for change in changes)
    if breaking and major:
        return f"{major + 1}.0.0"
    if breaking or (major and any(change.new for change in changes)):
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}" if changes else version


def _numbers(version: str) -> tuple[int, int, int]:
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", version)
    if found is None:
        raise Problem(f"{version!r} is not a version of three numbers")
    return int(found[1]), int(found[2]), int(found[3])
