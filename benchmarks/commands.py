"""Start-up time of the command line, relative to importing its two libraries."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from .ratios import Ratio, over, turns
from .server import environment, serving

COMMAND = str(Path(sys.executable).with_name("azure-imds"))
BASE = "import httpx, typer"
CALLS = {
    BASE: [sys.executable, "-c", BASE],
    "azure-imds --version": [COMMAND, "--version"],
    "azure-imds token --help": [COMMAND, "token", "--help"],
    "azure-imds token": [COMMAND, "token", "https://vault.azure.net"],
    "azure-imds instance": [COMMAND, "instance", "compute/location"],
}


def measure(quick: bool) -> Iterator[Ratio]:
    """Compares processor times, with the output piped."""
    with serving() as (endpoint, _):
        variables = environment(endpoint)
        calls = {name: partial(_processor_time, command, variables) for name, command in CALLS.items()}
        for call in calls.values():
            call()  # from now on, files and bytecode are cached
        found = turns(calls, 5 if quick else 20)
    for name in found:
        if name != BASE:
            yield Ratio(name, BASE, over(found[name], found[BASE]))


def _processor_time(command: list[str], variables: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=variables, stdout=subprocess.PIPE, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
