"""Type checkers accept the typed calls of every operation with the package that a user installs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from integration import parts

from generator.specification import Specification
from maintenance_support import edited, made_once
from support import ROOT
from typing_support import write_calls

parts.module("mypy")
parts.module("pyright")
parts.module("build")

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

CHECKERS = {
    # `Unset` is NoneType in the generated code. mypy wants it to be written `None`.
    "mypy": ["mypy", "--strict", "--config-file=", "--disable-error-code=nonetype-type", "--output=json"],
    "pyright": ["pyright", "--outputjson"],
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel, and with the requirements of this environment."""
    return made_once(tmp_path_factory, "installed", lambda: install(tmp_path_factory.mktemp("installed")))


def install(folder: Path) -> Path:
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    venv.create(folder / "user", symlinks=True)
    python = folder / "user" / "bin" / "python"
    find = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([python, "-c", find], capture_output=True, text=True, check=True).stdout.strip())
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # Files of this kind in the added folder, such as those of this project's own installation, are not read.
    (site / "requirements.pth").write_text(f"{Path(pytest.__file__).parents[1]}\n", encoding="utf-8")
    return python


def errors(checker: str, python: Path, text: str, folder: Path) -> dict[str, str]:
    """Returns what is wrong: errors by line, and lines that should be refused."""
    (folder / "calls.py").write_text(text, encoding="utf-8")
    option = "--python-executable" if checker == "mypy" else "--pythonpath"
    (folder / "pyrightconfig.json").write_text('{"include": ["calls.py"], "typeCheckingMode": "strict"}')
    command = [sys.executable, "-m", *CHECKERS[checker], option, str(python), "calls.py"]
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MYPYPATH")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr  # there are always refused lines
    if checker == "mypy":
        found = {one["line"]: one["message"] for one in map(json.loads, done.stdout.splitlines())}
    else:
        diagnostics = json.loads(done.stdout)["generalDiagnostics"]
        found = {one["range"]["start"]["line"] + 1: one["message"] for one in diagnostics if one["severity"] == "error"}
    problems: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.endswith("# refused") != (number in found):
            problems[line.strip()] = found.get(number, "not refused")
    return problems


@pytest.mark.parametrize("checker", CHECKERS)
def test_every_operation_of_the_installed_package_is_typed(checker: str, installed: Path, tmp_path: Path) -> None:
    calls = write_calls(Specification.load(ROOT / "openapi.yaml"))
    assert errors(checker, installed, calls, tmp_path) == {}


@pytest.mark.parametrize("checker", CHECKERS)
def test_calls_of_another_document_are_refused(checker: str, installed: Path, tmp_path: Path) -> None:
    def change(document: dict) -> None:  # type: ignore[type-arg]
        operations = [item["get"] for item in document["paths"].values() if "servers" not in item]
        first, second, third = operations[:3]
        first["operationId"] += "Elsewhere"
        second.setdefault("parameters", []).append({"name": "added", "in": "query", "schema": {"type": "string"}})
        third["responses"]["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}

    wrong = errors(checker, installed, write_calls(Specification(edited(change))), tmp_path)
    assert [line for line in wrong if line in write_calls(Specification.load(ROOT / "openapi.yaml"))] == []
    for part in ("elsewhere(", 'added="x"', ", str)"):  # with the synchronous and the asynchronous client
        assert len([line for line in wrong if part in line]) >= 2
