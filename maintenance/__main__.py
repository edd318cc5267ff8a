"""`python -m maintenance <command>`."""

from __future__ import annotations

import argparse
import sys

from . import api_diff, build, changelog, compare, publish, update
from .problem import Problem

#: Each module has `configure(parser)`, which declares its options, and `run(arguments)`, which returns an exit code.
#: The first line of its docstring is its help.
COMMANDS = {
    "api-diff": api_diff,
    "build": build,
    "changelog": changelog,
    "compare": compare,
    "publish": publish,
    "update": update,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m maintenance", description="What maintainers run.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        summary = (module.__doc__ or "").partition("\n")[0]
        command = commands.add_parser(name, help=summary, description=summary)
        command.set_defaults(run=module.run)
        module.configure(command)
    arguments = parser.parse_args()
    try:
        code: int = arguments.run(arguments)
    except Problem as problem:
        print(f"{arguments.run.__module__.rpartition('.')[2]}: {problem}", file=sys.stderr)
        return 1
    return code


sys.exit(main())
