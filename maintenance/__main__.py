"""The command line of the maintainers: `python -m maintenance COMMAND`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from generator.terminal import printable, run_program

from . import compare, offer, update
from .api_diff import command as api_diff
from .problem import Problem
from .release import build, changelog, publish
from .site import build as docs

#: Each module has `configure(parser)`, which declares its options, and `run(arguments)`, which returns an exit code.
#: The first line of its docstring is its help.
COMMANDS = {
    "api-diff": api_diff,
    "build": build,
    "changelog": changelog,
    "compare": compare,
    "docs": docs,
    "offer": offer,
    "publish": publish,
    "update": update,
}


def main(words: Sequence[str] | None = None) -> int:
    """Runs a command, by default that of the command line. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m maintenance", description="Commands for maintainers.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, dest="command")
    for name, module in COMMANDS.items():
        summary = (module.__doc__ or "").partition("\n")[0]
        command = commands.add_parser(name, help=summary, description=summary)
        command.set_defaults(run=module.run)
        module.configure(command)
    arguments = parser.parse_args(words)
    try:
        code: int = arguments.run(arguments)
    except Problem as problem:
        print(printable(f"{arguments.command}: {problem}"), file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(run_program(main))
