"""What CI runs, and with which Pythons."""

from __future__ import annotations

import os
import re
from typing import Any

import nox
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


def test_the_pipeline_runs_the_script_and_nothing_else() -> None:
    assert len(PIPELINE["jobs"]) == 1
    assert [step["script"] for step in STEPS if "script" in step] == [".ci/run"]
    assert os.access(SCRIPT, os.X_OK)


def test_the_pipeline_has_the_pythons_of_the_sessions() -> None:
    [sessions] = [command for command in COMMANDS if command.startswith("nox ")]
    tested = re.findall(r"wheel-(\S+)", sessions)
    assert {*tested, "3.11"} == {*INSTALLED}
    assert INSTALLED[-1] == "3.11", "the session `lowest` and the virtual environment use the oldest Python"


def test_every_supported_python_is_tested() -> None:
    project = nox.project.load_toml(ROOT / "pyproject.toml")
    assert {*nox.project.python_versions(project, max_version="3.14")} == {*INSTALLED}


def test_the_script_starts_with_the_command_of_the_readme_and_checks_the_coverage_of_all_runs() -> None:
    assert COMMANDS[0] == "make test"
    measured = [number for number, command in enumerate(COMMANDS) if re.match("make test|nox ", command)]
    assert COMMANDS.index("make coverage") > max(measured)


def test_the_coverage_is_that_of_branches_and_has_a_minimum() -> None:
    coverage = nox.project.load_toml(ROOT / "pyproject.toml")["tool"]["coverage"]
    assert coverage["run"]["branch"] is True
    assert coverage["report"]["fail_under"] > 0
