"""The Azure pipelines of the project for tests: their steps, and how an agent would run them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from attrs import frozen

from support import ROOT, run_program

UPDATE, RELEASE = "azure-pipelines-update.yml", "azure-pipelines-release.yml"


@frozen
class Step:
    """A script of a pipeline.

    Attributes:
        job: the name of its job.
        script: the command.
        variables: the variables of the job.
        environment: what the step adds to the environment. `$(NAME)` stands for the variable NAME.
    """

    job: str
    script: str
    variables: Mapping[str, str]
    environment: Mapping[str, str]

    def run(self, checkout: Path, variables: Mapping[str, str], secrets: Mapping[str, str]) -> tuple[int, str]:
        """Runs the script as an agent does: variables are in the environment, and secrets only where a step maps them.

        Returns its exit code, and everything that it printed.
        """
        known = {**variables, **secrets}
        mapped = {
            name: re.sub(r"\$\(([\w.]+)\)", lambda found: known.get(found[1], found[0]), value)
            for name, value in self.environment.items()
        }
        inherited = {
            name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")
        }
        done = run_program(
            ["bash", "--noprofile", "--norc", "-c", self.script],
            cwd=checkout,
            env={**inherited, **self.variables, **variables, **mapped},
            stderr=subprocess.STDOUT,
        )
        return done.returncode, done.stdout


def load(name: str) -> dict[str, Any]:
    pipeline: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return pipeline


def find_steps(name: str) -> list[Step]:
    """Returns the scripts of a pipeline, in order."""
    return [
        Step(job["job"], step["script"], job.get("variables", {}), step.get("env", {}))
        for job in load(name)["jobs"]
        for step in job["steps"]
        if "script" in step
    ]


def provide_environment(checkout: Path) -> None:
    """Gives a checkout the virtual environment of this process, so that make does not install one."""
    environment = checkout / ".venv"
    environment.mkdir()
    for name in ("bin", "lib"):
        (environment / name).symlink_to(Path(sys.prefix) / name)
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", environment)
    (environment / ".installed").touch()
