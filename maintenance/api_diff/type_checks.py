"""Breaking changes that mypy and pyright find: errors in the old version's contract file with the new packages."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from ..problem import Problem
from ..surface import Surface
from .changes import Change, Subject
from .typed_calls import Contract, write_contract

NAMES = ("mypy", "pyright")


@frozen(order=True)
class Misfit:
    """The error of a type checker in one line of a contract file."""

    line: int
    checker: str
    message: str


def find_misfits(before: Surface, after: Surface, old: Path, new: Path) -> Iterator[Change]:
    """Yields what the type checkers find.

    Args:
        before: the surface of the old tree.
        after: the surface of the new tree.
        old: the old tree.
        new: the new tree.

    Raises:
        Problem: a type checker cannot run, or the old version's own packages do not pass.
    """
    contract = write_contract(before)
    with tempfile.TemporaryDirectory() as folder:
        for misfit in check_contract(contract, old, Path(folder)):
            text = contract.text.splitlines()[misfit.line - 1].strip()
            raise Problem(f"the base does not pass its own contract: {text}: {misfit.checker}: {misfit.message}")
    with tempfile.TemporaryDirectory() as folder:
        for misfit in check_contract(contract, new, Path(folder)):
            subject = contract.subjects.get(misfit.line)
            if subject is None:
                raise Problem(f"the contract file cannot be checked with the new version: {misfit.message}")
            for place in _find_members(misfit.message, subject, before, after) or [subject]:
                yield Change(place, misfit.message, "breaking", frozenset({misfit.checker}))


def _find_members(message: str, subject: Subject, before: Surface, after: Surface) -> list[Subject]:
    """Returns the arguments of an operation, or the fields of a type, that a message about it contains."""
    names = re.findall(r'"(\w+)"', message)
    if subject.kind == "operation":
        methods = [side.operations[subject.name] for side in (before, after) if subject.name in side.operations]
        known = {argument for method in methods for argument in method.arguments}
        return [Subject("argument", f"{subject.name}({name})") for name in names if name in known]
    models = [side.models[subject.name] for side in (before, after) if subject.name in side.models]
    known = {field for model in models for field in model.fields}
    return [Subject("field", f"{subject.name}.{name}") for name in names if name in known]


def check_contract(contract: Contract, tree: Path, folder: Path) -> list[Misfit]:
    """Runs mypy and pyright on a contract file with the packages of a tree.

    Args:
        contract: the file.
        tree: a project, with its `wrapper` and `generated`.
        folder: an empty folder to work in.

    Raises:
        Problem: a type checker cannot run.
    """
    (folder / "contract.py").write_text(contract.text, encoding="utf-8")
    packages = [str(tree / "wrapper"), str(tree / "generated")]
    return sorted({*_run_mypy(folder, packages), *_run_pyright(folder, packages)})


def _run_mypy(folder: Path, packages: list[str]) -> Iterator[Misfit]:
    options = [
        "--strict",
        "--output=json",
        "--no-error-summary",
        "--follow-imports=silent",
        "--config-file=",
        "--cache-dir=cache",
        # `Unset` is NoneType in generated code. mypy wants it to be written `None`.
        "--disable-error-code=nonetype-type",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "contract.py"],
        cwd=folder,
        env=os.environ | {"MYPYPATH": os.pathsep.join(packages)},
        capture_output=True,
        text=True,
    )
    if done.returncode > 1:
        raise Problem(f"mypy failed: {done.stdout}{done.stderr}".strip())
    for line in done.stdout.splitlines():
        error = json.loads(line)
        if error["severity"] == "error" and Path(error["file"]).name == "contract.py":
            yield Misfit(error["line"], "mypy", error["message"])


def _run_pyright(folder: Path, packages: list[str]) -> Iterator[Misfit]:
    settings = {
        "include": ["contract.py"],
        "extraPaths": packages,
        "typeCheckingMode": "standard",
        "pythonVersion": "3.11",
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if done.returncode > 1:
        raise Problem(f"pyright failed: {done.stdout}{done.stderr}".strip())
    for error in json.loads(done.stdout)["generalDiagnostics"]:
        if error["severity"] == "error":
            message = error["message"].partition("\n")[0]
            yield Misfit(error["range"]["start"]["line"] + 1, "pyright", message)
