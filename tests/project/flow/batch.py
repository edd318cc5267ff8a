"""Applies edits in copies of the project, generates the client there, checks its types and uses it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import Any

from flow.edit import Edit, write

from generator.specification import Specification
from support import ROOT, TEST_PATH
from typing_support import write_calls

#: Written before the lines of `types`.
PREAMBLE = """\
# pyright: reportUnusedImport=false, reportUnusedExpression=false, reportUnusedVariable=false
from typing import Any, Literal, assert_type

from azure_imds import AsyncImdsClient, ImdsClient
from azure_imds_api import api, models


async def use(imds: ImdsClient, aimds: AsyncImdsClient) -> None:
"""

#: The name of the program with the typed calls of all operations, those of openapi.yaml and those of the edits.
EVERY_OPERATION = "every-operation"

#: By the name of an edit, what differs from its expectations.
Problems = dict[str, list[str]]


def files(folder: Path) -> dict[str, bytes]:
    """Every file in the folder, except for Python's caches."""
    found = (file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {str(file.relative_to(folder)): file.read_bytes() for file in found}


@dataclass(frozen=True)
class Batch:
    """Some edits in one copy of the project. `wrapper/` is the project's own folder."""

    root: Path
    edits: list[Edit]

    def make(self) -> dict[str, Any]:
        """Runs what `make generate` runs. Returns its exit status, messages, and whether generated/ is unchanged."""
        shutil.copytree(ROOT / "generated", self.root / "generated", ignore=shutil.ignore_patterns("__pycache__"))
        write(self.edits, self.root / "openapi.yaml")
        before = files(self.root / "generated")
        done = subprocess.run(
            [sys.executable, "-m", "generator", "--root", str(self.root)],
            cwd=self.root,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        unchanged = files(self.root / "generated") == before
        (self.root / "users").mkdir()
        for edit in self.edits:
            self._user(edit.name).write_text(PREAMBLE + indent(edit.types or "pass\n", "    "), encoding="utf-8")
        calls = write_calls(Specification.load(self.root / "openapi.yaml")) if done.returncode == 0 else ""
        self._user(EVERY_OPERATION).write_text(calls, encoding="utf-8")
        return {"status": done.returncode, "said": done.stderr, "unchanged": unchanged}

    def pyright(self) -> Problems:
        settings = _pyproject()["pyright"]
        generated, users = settings["executionEnvironments"]
        paths = [str(ROOT / "wrapper"), str(self.root / "generated")]
        # Unchanged files are checked in the project itself, and mypy checks all of them here.
        own, fresh = files(ROOT / "generated"), files(self.root / "generated")
        changed = [f"generated/{name}" for name in fresh if name.endswith(".py") and fresh[name] != own.get(name)]
        settings = {key: value for key, value in settings.items() if not key.startswith("venv")} | {
            "include": ["users", *changed],
            "extraPaths": paths,
            "executionEnvironments": [generated, {**users, "extraPaths": paths}],
        }
        (self.root / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
        said = self._checker("pyright", "-p", str(self.root), "--pythonpath", sys.executable, "--outputjson")
        return self._problems(
            (one["file"], one["range"]["start"]["line"] + 1, f"{one['message']} [{one.get('rule', '')}]")
            for one in json.loads(said)["generalDiagnostics"]
        )

    def mypy(self) -> Problems:
        override = _pyproject()["mypy"]["overrides"][0]
        settings = self.root / "mypy.ini"
        settings.write_text(
            "[mypy]\nstrict = True\nexplicit_package_bases = True\nenable_error_code = deprecated\n"
            f"mypy_path = {ROOT / 'wrapper'}:{self.root / 'generated'}\n"
            f"[mypy-{override['module']}]\ndisable_error_code = {','.join(override['disable_error_code'])}\n",
            encoding="utf-8",
        )
        cache = self.root.parent / f"mypy-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
        options = ["--config-file", str(settings), "--cache-dir", str(cache), "--output", "json"]
        found = [json.loads(line) for line in self._checker("mypy", *options, "users").splitlines() if line]
        return self._problems(
            (str(self.root / one["file"]), one["line"], f"{one['message']} [{one['code']}]")
            for one in found
            if one["severity"] == "error"
        )

    def use(self) -> Problems:
        """Uses the changed client over HTTP, in a process of its own."""
        folders = [str(self.root / "generated"), str(ROOT / "wrapper")]
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "flow.user", *folders],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([*folders, TEST_PATH])},
            input=json.dumps([{"name": edit.name, "checks": edit.checks} for edit in self.edits]),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        found: Problems = json.loads(done.stdout)
        return found

    def _checker(self, name: str, *arguments: str) -> str:
        command = [sys.executable, "-m", name, *arguments]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        return done.stdout

    def _user(self, name: str) -> Path:
        return self.root / "users" / f"user_{name.replace('-', '_')}.py"

    def _problems(self, errors: Iterable[tuple[str, int, str]]) -> Problems:
        """Unexpected errors of a type checker, and missing errors on lines that end in `# refused`."""
        told: dict[Path, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
        for file, number, message in errors:
            told[Path(file).resolve()][number].append(message)
        problems: Problems = {}
        for name in (*(edit.name for edit in self.edits), EVERY_OPERATION):
            problems[name] = []
            messages = told.pop(self._user(name).resolve(), {})
            for number, line in enumerate(self._user(name).read_text(encoding="utf-8").splitlines(), 1):
                if not line.endswith("# refused"):
                    problems[name] += [f"{line.strip()}: {message}" for message in messages.get(number, ())]
                elif number not in messages:
                    problems[name].append(f"not refused: {line.strip()}")
        # Errors in the generated package or in the wrapper. All edits share these.
        rest = [f"{file}:{number}: {said}" for file, lines in told.items() for number, said in lines.items()]
        return {name: own + rest for name, own in problems.items()}


STEPS: dict[str, Callable[[Batch], Any]] = {
    "make": Batch.make,
    "pyright": Batch.pyright,
    "mypy": Batch.mypy,
    "use": Batch.use,
}


class Runner:
    """Runs each step of each batch once, however many test processes need the result.

    While another process runs a step, this process runs steps that will be needed later.
    """

    def __init__(self, folder: Path, good: list[Edit], refused: list[Edit]) -> None:
        self._folder = folder
        self._batches: dict[str, Batch] = {}
        self._later: list[tuple[str, str]] = []
        for edits, steps in ((good, [*STEPS]), (refused, ["make"])):
            for group in dict.fromkeys(edit.group for edit in edits):
                members = [edit for edit in edits if edit.group == group]
                self._batches[group] = Batch(folder / group, members)
                self._later += [(group, step) for step in steps]

    def result(self, group: str, step: str) -> Any:
        """The result of a step. Raises AssertionError if generating failed, so that the step cannot run."""
        done = self._path(group, step, "json")
        if not self._do(group, step, wait=False):
            for other in self._later:
                if done.exists():
                    break
                with suppress(AssertionError):  # the tests of that step report it
                    self._do(*other, wait=False)
            self._do(group, step, wait=True)
        return json.loads(done.read_text(encoding="utf-8"))

    def document(self, group: str) -> Path:
        """The edited openapi.yaml."""
        return self._batches[group].root / "openapi.yaml"

    def _do(self, group: str, step: str, *, wait: bool) -> bool:
        """Runs a step, unless it has run. Without `wait`, returns False if another process is running it."""
        done = self._path(group, step, "json")
        if done.exists():
            return True
        batch = self._batches[group]
        batch.root.mkdir(parents=True, exist_ok=True)
        with self._path(group, step, "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                return False
            if not done.exists():
                if step != "make":
                    made = self.result(group, "make")
                    assert made["status"] == 0, made["said"]
                fresh = self._path(group, step, "new")
                fresh.write_text(json.dumps(STEPS[step](batch)), encoding="utf-8")
                fresh.rename(done)
        return True

    def _path(self, group: str, step: str, kind: str) -> Path:
        return self._folder / f"{group}-{step}.{kind}"


def findings(said: str, document: Path) -> list[tuple[str, str, str]]:
    """The findings in an error message: the rule, the place, and the text of the line that it names."""
    lines = ["", *document.read_text(encoding="utf-8").splitlines()]
    found = re.findall(r"^openapi\.yaml:(\d+): \[([a-z-]+)\] .*\n    at (.*)$", said, re.MULTILINE)
    return [(rule, place, lines[int(number)].strip()) for number, rule, place in found]


def _pyproject() -> Any:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
