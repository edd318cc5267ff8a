"""`python -m benchmarks` compares this package with other libraries and prints ratios.

    python -m benchmarks [--quick] [--check] [--docs] [SUBJECT ...]

`--check` fails if a ratio misses its target in two measurements by more than its margin, so that noise alone does not
fail. `--docs` writes the tables, the plots and the history of the documentation.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

from azure_imds import __version__
from generator.terminal import run_program

from . import building, commands, documents, emulator, herds, processes, tokens, watching
from .ratios import Growth, Ratio
from .report import as_markdown, as_number, as_text, write_plots
from .summary import add_to_history

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
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "subject", nargs="*", metavar="SUBJECT", choices=[*SUBJECTS, []], help=f"any of: {', '.join(SUBJECTS)}"
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--check", action="store_true", help="fail if a target is missed by more than noise")
    parser.add_argument("--docs", action="store_true", help="write the tables, plots and history in docs/benchmarks/")
    arguments = parser.parse_args()
    found = {name: _measure(name, arguments.quick) for name in arguments.subject or SUBJECTS}
    if arguments.docs:
        machine = f"Python {platform.python_version()}, {os.cpu_count()} cores"
        PAGE.mkdir(exist_ok=True)
        (PAGE / "results.md").write_text(as_markdown(found, TITLES, machine), encoding="utf-8")
        write_plots(found, TITLES, PAGE)
        add_to_history(PAGE / "history.md", found, __version__, as_number)
    if not arguments.check:
        return 0
    # A subject that misses a target is measured again. What misses it twice is not noise.
    again = {name: _measure(name, arguments.quick) for name, results in found.items() if any(_missed(results))}
    both = [result for name, results in again.items() for result in _missed(results)
            if (result.what, result.against) in {(r.what, r.against) for r in _missed(found[name])}]  # fmt: skip
    for result in both:
        print(f"misses its target: {as_text(result)}", file=sys.stderr)
    return 1 if both else 0


def _measure(subject: str, quick: bool) -> list[Ratio | Growth]:
    results: list[Ratio | Growth] = []
    for result in SUBJECTS[subject].measure(quick):
        results.append(result)
        print(as_text(result), flush=True)
    return results


def _missed(results: list[Ratio | Growth]) -> list[Ratio]:
    """The ratios that miss their target by more than their margin."""
    return [result for result in results if isinstance(result, Ratio) and not result.meets(result.margin)]


if __name__ == "__main__":
    sys.exit(run_program(main))
