"""`python -m benchmarks` compares this package with other libraries and prints ratios.

    python -m benchmarks [--quick] [--check] [--docs] [SUBJECT ...]

`--check` fails if a ratio is twice its target; noise alone does not cause that. `--docs` writes the tables
and plots of the documentation.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

from . import building, commands, documents, emulator, herds, processes, tokens, watching
from .ratios import Growth, Ratio
from .report import as_markdown, as_plots, as_text

SUBJECTS = {
    "processes": processes,
    "tokens": tokens,
    "herds": herds,
    "documents": documents,
    "watching": watching,
    "commands": commands,
    "emulator": emulator,
    "building": building,
}

TITLES = {
    "processes": "First token of a process, imports, memory",
    "tokens": "Tokens",
    "herds": "Concurrent callers",
    "documents": "Instance metadata",
    "watching": "Scheduled events",
    "commands": "Command line",
    "emulator": "Emulator",
    "building": "Code generation",
}

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks"


def main() -> int:
    """Runs the benchmarks and prints the results; returns the exit code, 1 if `--check` found a missed target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", nargs="*", choices=[*SUBJECTS, []], help=f"any of: {', '.join(SUBJECTS)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--check", action="store_true", help="fail if a ratio is twice its target")
    parser.add_argument("--docs", action="store_true", help="write the tables and plots in docs/benchmarks/")
    arguments = parser.parse_args()
    found: dict[str, list[Ratio | Growth]] = {}
    for name in arguments.subject or SUBJECTS:
        found[name] = []
        for result in SUBJECTS[name].measure(arguments.quick):
            found[name].append(result)
            print(as_text(result), flush=True)
    results = [result for several in found.values() for result in several]
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    if arguments.docs:
        PAGE.mkdir(exist_ok=True)
        (PAGE / "results.md").write_text(as_markdown(found, TITLES, machine), encoding="utf-8")
        as_plots(found, PAGE)
    missed = [result for result in results if isinstance(result, Ratio) and not result.meets(result.margin)]
    for result in missed if arguments.check else ():
        print(f"twice the target: {as_text(result)}", file=sys.stderr)
    return 1 if arguments.check and missed else 0


sys.exit(main())
