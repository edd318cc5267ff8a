"""Copies of the project in which edits are made: generated, type-checked and used as people would."""

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

from support import ROOT, TEST_PATH

#: What is put before the lines of `types`.
PREAMBLE = """\
# pyright: reportUnusedImport=false, reportUnusedExpression=false, reportUnusedVariable=false
from typing import Any, Literal, assert_type

from azure_imds import AsyncImdsClient, ImdsClient
from azure_imds_api import api, models


async def use(imds: ImdsClient, aimds: AsyncImdsClient) -> None:
"""

#: By the name of an edit, what was not as the edit says.
Problems = dict[str, list[str]]


def files(folder: Path) -> dict[str, bytes]:
    """Every file below, but what Python itself leaves behind."""
    found = (file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {str(file.relative_to(folder)): file.read_bytes() for file in found}


@dataclass(frozen=True)
class Batch:
    """Some edits made in one copy of the project. What is under `wrapper/` is the project's own folder, unmodified."""

    root: Path
    edits: list[Edit]

    def make(self) -> dict[str, Any]:
        """What `make generate` runs, in the copy: its exit status, its words, and whether it changed anything."""
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
            self._user(edit).write_text(PREAMBLE + indent(edit.types or "pass\n", "    "), encoding="utf-8")
        return {"status": done.returncode, "said": done.stderr, "unchanged": unchanged}

    def pyright(self) -> Problems:
        settings = _pyproject()["pyright"]
        generated, users = settings["executionEnvironments"]
        paths = [str(ROOT / "wrapper"), str(self.root / "generated")]
        # What did not change was checked where it came from, and mypy reads all of it anyway.
        own, fresh = files(ROOT / "generated"), files(self.root / "generated")
        changed = [f"generated/{name}" for name in fresh if name.endswith(".py") and fresh[name] != own.get(name)]
        settings = {key: value for key, value in settings.items() if not key.startswith("venv")} | {
            "include": ["users", *changed],
            "extraPaths": paths,
            "executionEnvironments": [generated, {**users, "extraPaths": paths}],
        }
        (self.root / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
        said = self._checker("pyright", "-p", str(self.root), "--pythonpath", sys.executable, "--outputjson")
        return self._told(
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
        found = [json.loads(line) for line in self._checker("mypy", *options, "users").splitlines()]
        return self._told(
            (str(self.root / one["file"]), one["line"], f"{one['message']} [{one['code']}]")
            for one in found
            if one["severity"] == "error"
        )

    def use(self) -> Problems:
        """What programs meet that use the changed client, over HTTP."""
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

    def _user(self, edit: Edit) -> Path:
        return self.root / "users" / f"user_{edit.name.replace('-', '_')}.py"

    def _told(self, errors: Iterable[tuple[str, int, str]]) -> Problems:
        """What a type checker said and need not have, and what it did not say: lines marked `# refused` are wrong."""
        told: dict[Path, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
        for file, number, message in errors:
            told[Path(file).resolve()][number].append(message)
        problems: Problems = {}
        for edit in self.edits:
            problems[edit.name] = []
            messages = told.pop(self._user(edit).resolve(), {})
            for number, line in enumerate(self._user(edit).read_text(encoding="utf-8").splitlines(), 1):
                if not line.endswith("# refused"):
                    problems[edit.name] += [f"{line.strip()}: {message}" for message in messages.get(number, ())]
                elif number not in messages:
                    problems[edit.name].append(f"not refused: {line.strip()}")
        # In the generated package or in the wrapper, which all edits share.
        rest = [f"{file}:{number}: {said}" for file, lines in told.items() for number, said in lines.items()]
        return {name: own + rest for name, own in problems.items()}


STEPS: dict[str, Callable[[Batch], Any]] = {
    "make": Batch.make,
    "pyright": Batch.pyright,
    "mypy": Batch.mypy,
    "use": Batch.use,
}


class Workshop:
    """Does each step of each batch once, however many test processes ask for it.

    Where another process is at the step that is wanted, this one first does what will be wanted next.
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
        """What a step came to. Raises AssertionError where it could not be done, for want of generated code."""
        done = self._path(group, step, "json")
        if not self._do(group, step, wait=False):
            for other in self._later:
                if done.exists():
                    break
                with suppress(AssertionError):  # which is for the tests of that step to tell
                    self._do(*other, wait=False)
            self._do(group, step, wait=True)
        return json.loads(done.read_text(encoding="utf-8"))

    def document(self, group: str) -> Path:
        """The edited openapi.yaml."""
        return self._batches[group].root / "openapi.yaml"

    def _do(self, group: str, step: str, *, wait: bool) -> bool:
        """Does a step that is not done yet. Without `wait`, leaves it to the process that is at it, and says so."""
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
    """Of each finding in a refusal: the rule, the place, and the line of the document that it names."""
    lines = ["", *document.read_text(encoding="utf-8").splitlines()]
    found = re.findall(r"^openapi\.yaml:(\d+): \[([a-z-]+)\] .*\n    at (.*)$", said, re.MULTILINE)
    return [(rule, place, lines[int(number)].strip()) for number, rule, place in found]


def _pyproject() -> Any:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
