"""Counts of processor instructions. On a busy machine, they vary much less than times."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path


def instructions_of(python: str, programs: Mapping[str, str], variables: dict[str, str]) -> dict[str, int]:
    """Returns the instructions that each program executes, in user mode. Empty if they cannot be counted here.

    Args:
        python: the interpreter.
        programs: the code by name. All programs have run before, so that their bytecode is cached.
        variables: the environment.
    """
    variables = {**variables, "PYTHONHASHSEED": "0"}
    for count in (_with_perf, _with_callgrind):
        if count([python, "-c", "pass"], variables) is not None:
            found = {name: count([python, "-c", code], variables) for name, code in programs.items()}
            return {name: number for name, number in found.items() if number is not None}
    return {}


def _with_perf(command: list[str], variables: dict[str, str]) -> int | None:
    """Counts with the processor's own counter, which many virtual machines do not have."""
    output = _run(["perf", "stat", "--field-separator=,", "--event=instructions:u", *command], variables)
    found = re.search(r"^(\d+),.*instructions", output, re.MULTILINE)
    return int(found[1]) if found else None


def _with_callgrind(command: list[str], variables: dict[str, str]) -> int | None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "callgrind")
        output = _run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={file}", *command], variables)
    found = re.search(r"Collected : (\d+)", output)
    return int(found[1]) if found else None


def _run(command: list[str], variables: dict[str, str]) -> str:
    """Runs a program, and returns what it writes to stderr. "" if the program does not exist or has failed."""
    try:
        done = subprocess.run(command, env=variables, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return "" if done.returncode else done.stderr
