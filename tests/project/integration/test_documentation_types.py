"""The Python of README and of the documentation passes mypy strict and pyright strict. Each checker runs once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from integration import parts

from docs_support import PAGES, find_blocks, join_python
from support import ROOT

parts.module("mypy")
parts.module("pyright")

pytestmark = pytest.mark.integration

#: Libraries without types. In the examples, whatever they contain is Any.
UNTYPED = ("fsspec", "msal", "pyodbc", "redis_entraid/__init__", "redis_entraid/cred_provider")
#: Celery has no types either. A decorator that is Any would make the tasks untyped.
CELERY = """\
from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., object])

class Celery:
    def __init__(self, main: str) -> None: ...
    def config_from_object(self, obj: str) -> None: ...
    def task(self, function: F) -> F: ...
"""
#: The program of a reader, which examples import.
READER = "def write_checkpoint(*, timeout: float | None) -> None: ...\n"

MYPY = """\
[mypy]
strict = true
mypy_path = typings
untyped_calls_exclude = distributed
"""
#: Blocks of a page import the same modules, so that a reader can copy one of them.
PYRIGHT = {
    "typeCheckingMode": "strict",
    "pythonVersion": "3.11",
    "reportDuplicateImport": False,
    "exclude": ["typings", "my_program.py"],
}


def write_programs(folder: Path) -> list[str]:
    """Writes the Python of each page as one program, and the files that pages tell their readers to create."""
    for page in (ROOT / "README.md", *PAGES):
        texts = {f"{re.sub(r'[^a-z0-9]', '_', page.relative_to(ROOT).as_posix().lower())}.py": join_python(page)}
        for block in find_blocks(page, "python"):
            if block.title and not block.source:
                texts[block.title] = texts.get(block.title, "") + block.text
        for name, text in texts.items():
            if text:
                assert not (folder / name).exists(), f"two pages have the file {name}"
                (folder / name).write_text(text, encoding="utf-8")
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("programs")
    names = write_programs(folder)
    (folder / "my_program.py").write_text(READER)
    (folder / "mypy.ini").write_text(MYPY)
    (folder / "pyrightconfig.json").write_text(json.dumps(PYRIGHT))
    stubs = dict.fromkeys(UNTYPED, "from typing import Any\n\ndef __getattr__(name: str) -> Any: ...\n")
    for name, text in {**stubs, "celery": CELERY}.items():
        stub = folder / "typings" / f"{name}.pyi"
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(text)
    return folder, names


def check(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", *command)
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280)


def test_mypy_accepts_the_documentation(programs: tuple[Path, list[str]]) -> None:
    folder, names = programs
    importable = [name for name in names if name.removesuffix(".py").isidentifier()]
    done = check(folder, "mypy", "--no-incremental", *importable)
    assert done.stdout == f"Success: no issues found in {len(importable)} source files\n", done.stdout + done.stderr


def test_pyright_accepts_the_documentation(programs: tuple[Path, list[str]]) -> None:
    folder, names = programs
    done = check(folder, "pyright", "--pythonpath", sys.executable, "--outputjson")
    report = json.loads(done.stdout)
    problems = [f"{p['file']}:{p['range']['start']['line'] + 1}: {p['message']}" for p in report["generalDiagnostics"]]
    assert problems == []
    assert report["summary"]["filesAnalyzed"] == len(names), "not every program was read"


def test_a_wrong_type_in_the_documentation_is_found(programs: tuple[Path, list[str]], tmp_path: Path) -> None:
    wrong = "from azure_imds import ImdsClient\n\nnumber: int = ImdsClient().instances.get_metadata().compute.name\n"
    (tmp_path / "wrong.py").write_text(wrong)
    (tmp_path / "mypy.ini").write_text(MYPY)
    assert 'has type "str", variable has type "int"' in check(tmp_path, "mypy", "wrong.py").stdout
