"""How long the command takes to start, as a multiple of what its two libraries alone take to import.

    python benchmarks/cli_startup.py [--rounds 20]

The command and the bare import take turns, so that both see the same machine; the medians of their processor times are
compared. The token comes from an emulator on this machine, in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

BASE = [sys.executable, "-c", "import httpx, typer"]
COMMAND = str(Path(sys.executable).with_name("azure-imds"))
CALLS = {
    "--version": [COMMAND, "--version"],
    "--help": [COMMAND, "--help"],
    "token --help": [COMMAND, "token", "--help"],
    "token": [COMMAND, "token", "https://vault.azure.net"],
    "instance compute/location": [COMMAND, "instance", "compute/location"],
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    server = subprocess.Popen(
        [sys.executable, "-m", "azure_imds_emulator", "--no-rate-limits"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout
        environment = os.environ | {"AZURE_POD_IDENTITY_AUTHORITY_HOST": server.stdout.readline().split()[1]}
        # As once installed: modules are compiled.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        measure(rounds, environment)
    finally:
        server.terminate()
        server.wait()


def measure(rounds: int, environment: dict[str, str]) -> None:
    """Let all take turns, and print each one's ratio."""
    spent: dict[str, list[float]] = {name: [] for name in ("import httpx, typer", *CALLS)}
    for turn in range(rounds + 1):
        for name, command in {"import httpx, typer": BASE, **CALLS}.items():
            seconds = processor_time(command, environment)
            if turn:  # the first one compiles and warms the caches
                spent[name].append(seconds)
    base = statistics.median(spent["import httpx, typer"])
    for name, values in spent.items():
        middle = statistics.median(values)
        print(f"{name:28}{middle * 1000:6.0f} ms  {middle / base:.2f}")


def processor_time(command: list[str], environment: dict[str, str]) -> float:
    """Seconds of processor time of one run, its output piped."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
