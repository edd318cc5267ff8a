"""`python -m benchmarks`: everything side by side with others, as ratios.

    python -m benchmarks [--quick] [--check] [--docs] [SUBJECT ...]

`--check` fails where a ratio is twice its target, which noise alone does not do. `--docs` writes the
table and the plots of the documentation.
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
    "herds": "Many at once",
    "documents": "The machine's document",
    "watching": "Scheduled events",
    "commands": "The command line",
    "emulator": "The emulator",
    "building": "Generation",
}

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks"


def main() -> int:
    """Measure, print, and say by the exit status whether the targets are kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", nargs="*", choices=[*SUBJECTS, []], help=f"some of: {', '.join(SUBJECTS)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--check", action="store_true", help="fail where a target is missed by far")
    parser.add_argument("--docs", action="store_true", help="write docs/benchmarks/: the table and the plots")
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
        print(f"missed by far: {as_text(result)}", file=sys.stderr)
    return 1 if arguments.check and missed else 0


sys.exit(main())
