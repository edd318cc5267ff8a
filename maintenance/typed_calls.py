"""A contract file: one typed call of every operation and one typed read of every field, for type checkers to read.

Made from one version of the client and checked against another, it shows what stops to fit. Results are assigned to
what they were, not compared with it: a narrower answer fits, a wider one does not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import frozen

from .changes import Subject
from .problem import Problem
from .surface import PACKAGE, Model, Surface, sent, written_out

#: What the names in types are, besides models.
_HEAD = """\
from __future__ import annotations

from typing import Any, Literal

from azure_imds import AsyncImdsClient, ImdsClient
"""


Line = tuple[str, Subject | None]


@frozen
class Contract:
    """The file's text, and the subject of each line by its number."""

    text: str
    subjects: Mapping[int, Subject]


def contract(surface: Surface) -> Contract:
    """The contract file of one version."""
    lines: list[Line] = [(line, None) for line in _HEAD.splitlines()]
    lines += [(f"from {PACKAGE}.models import {name}", Subject("type", name)) for name in sorted(surface.models)]
    for name in sorted(surface.operations):
        lines += _calls(surface, name)
    for model in surface.models.values():
        lines += _reads(surface, model)
    for name in sorted(sent(surface)):
        lines += _constructions(surface, surface.models[name])
    text = "\n".join(line for line, _ in lines) + "\n"
    return Contract(text, {number: subject for number, (_, subject) in enumerate(lines, 1) if subject})


def _calls(surface: Surface, name: str) -> Iterator[Line]:
    method = surface.operations[name]
    this = Subject("operation", name)
    types = {argument: written_out(annotation, surface.literals) for argument, annotation in method.arguments.items()}
    given = "".join(f", {argument}: {annotation}" for argument, annotation in types.items())
    flat = name.replace(".", "_")
    for start, client, wait in (("def ", "ImdsClient", ""), ("async def a", "AsyncImdsClient", "await ")):
        yield "", None
        yield "", None
        yield f"{start}{flat}(imds: {client}{given}) -> None:", None
        answer = written_out(method.returns, surface.literals)
        kept = "" if answer == "None" else f"result: {answer} = "
        yield f"    {kept}{wait}imds.{name}(", this
        for argument in types:
            yield f"        {argument}={argument},", Subject("argument", f"{name}({argument})")
        yield "    )", this
        if method.required != set(types):
            yield f"    {wait}imds.{name}(", this
            for argument in method.required:
                yield f"        {argument}={argument},", Subject("argument", f"{name}({argument})")
            yield "    )", this


def _reads(surface: Surface, model: Model) -> Iterator[Line]:
    yield "", None
    yield "", None
    yield f"def read_{model.name}(value: {model.name}) -> None:", None
    for number, (field, annotation) in enumerate(model.fields.items()):
        subject = Subject("field", f"{model.name}.{field}")
        yield f"    a{number}: {written_out(annotation, surface.literals)} = value.{field}", subject
    yield "    extra: dict[str, Any] = value.additional_properties", None


def _constructions(surface: Surface, model: Model) -> Iterator[Line]:
    types = {field: written_out(annotation, surface.literals) for field, annotation in model.fields.items()}
    yield "", None
    yield "", None
    yield f"def make_{model.name}({', '.join(f'{f}: {t}' for f, t in types.items())}) -> {model.name}:", None
    yield f"    return {model.name}(", Subject("type", model.name)
    for field in types:
        yield f"        {field}={field},", Subject("field", f"{model.name}.{field}")
    yield "    )", Subject("type", model.name)


@frozen(order=True)
class Misfit:
    """What a type checker says of one line of a contract file."""

    line: int
    checker: str
    message: str


def misfits(contract: Contract, tree: Path, folder: Path) -> list[Misfit]:
    """What mypy and pyright have against a contract file with the packages of `tree`.

    Args:
        contract: the file.
        tree: a project, with its `wrapper` and `generated`.
        folder: an empty one to work in.

    Raises:
        Problem: a type checker cannot be run.
    """
    (folder / "contract.py").write_text(contract.text, encoding="utf-8")
    places = [str(tree / "wrapper"), str(tree / "generated")]
    return sorted({*_mypy(folder, places), *_pyright(folder, places)})


def _mypy(folder: Path, places: list[str]) -> Iterator[Misfit]:
    options = [
        "--strict",
        "--output=json",
        "--no-error-summary",
        "--follow-imports=silent",
        "--config-file=",
        "--cache-dir=cache",
    ]
    # `Unset` is None's type in generated code, which mypy would rather have called None.
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "--disable-error-code=nonetype-type", "contract.py"],
        cwd=folder,
        env=os.environ | {"MYPYPATH": os.pathsep.join(places)},
        capture_output=True,
        text=True,
    )
    if done.returncode > 1:
        raise Problem(f"mypy failed: {done.stdout}{done.stderr}".strip())
    for line in done.stdout.splitlines():
        said = json.loads(line)
        if said["severity"] == "error" and Path(said["file"]).name == "contract.py":
            yield Misfit(said["line"], "mypy", said["message"])


def _pyright(folder: Path, places: list[str]) -> Iterator[Misfit]:
    settings = {
        "include": ["contract.py"],
        "extraPaths": places,
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
    for said in json.loads(done.stdout)["generalDiagnostics"]:
        if said["severity"] == "error":
            message = said["message"].partition("\n")[0]
            yield Misfit(said["range"]["start"]["line"] + 1, "pyright", message)
