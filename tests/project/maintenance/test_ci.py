"""What CI runs, and with which Pythons."""

from __future__ import annotations

import os
import re
import runpy
from pathlib import Path
from typing import Any

import nox
import pytest
import yaml

from support import ROOT

PIPELINE: dict[str, Any] = yaml.safe_load((ROOT / "azure-pipelines.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = PIPELINE["jobs"][0]["steps"]
SCRIPT = ROOT / ".ci" / "run"
COMMANDS = re.findall(
    r"^(?!#)\s*(?:\.venv/bin/|\"\$\{as_root\[@\]\}\" )?((?:make|nox) [^#\n]*[^#\s])",
    SCRIPT.read_text(encoding="utf-8"),
    re.MULTILINE,
)

#: The Pythons that the pipeline installs. The last one is python3.
INSTALLED = [step["inputs"]["versionSpec"] for step in STEPS if step.get("task") == "UsePythonVersion@0"]

#: The Pythons of the classifiers, with 3.14t.
SUPPORTED = nox.project.python_versions(nox.project.load_toml(ROOT / "pyproject.toml"))


def test_the_pipeline_runs_the_script_and_nothing_else() -> None:
    assert len(PIPELINE["jobs"]) == 1
    assert [step["script"] for step in STEPS if "script" in step] == [".ci/run"]
    assert os.access(SCRIPT, os.X_OK)


def test_the_pipeline_has_the_pythons_of_the_sessions() -> None:
    [sessions] = [command for command in COMMANDS if command.startswith("nox ")]
    tested = re.findall(r"wheel-(\S+)", sessions)
    assert {*tested, "3.11"} == {*SUPPORTED}
    assert INSTALLED[-1] == "3.11", "the session `lowest` and the virtual environment use the oldest Python"


def test_every_supported_python_is_installed_if_the_pipeline_can_install_it() -> None:
    """UsePythonVersion has no free-threaded Pythons."""
    assert {*INSTALLED} == {version for version in SUPPORTED if not version.endswith("t")}
    assert {*SUPPORTED} - {*INSTALLED} == {"3.14t"}


def test_the_sessions_find_the_pythons_of_pyenv_newest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("3.9.18", "3.14.0", "3.14.10t", "3.13.11", "3.14-dev", "2.7.18", "pypy3.11-7.3.20"):
        (tmp_path / "versions" / name).mkdir(parents=True)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", "others")
    runpy.run_path(str(ROOT / "noxfile.py"))
    found = [Path(folder).parent.name for folder in os.environ["PATH"].split(os.pathsep)[:-1]]
    assert found == ["3.14.10t", "3.14.0", "3.13.11", "3.9.18"]


def test_the_script_starts_with_the_command_of_the_readme_and_checks_the_coverage_of_all_runs() -> None:
    assert COMMANDS[0] == "make test"
    measured = [number for number, command in enumerate(COMMANDS) if re.match("make test|nox ", command)]
    assert COMMANDS.index("make coverage") > max(measured)


def test_the_coverage_is_that_of_branches_and_has_a_minimum() -> None:
    coverage = nox.project.load_toml(ROOT / "pyproject.toml")["tool"]["coverage"]
    assert coverage["run"]["branch"] is True
    assert coverage["report"]["fail_under"] > 0
