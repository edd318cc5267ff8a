"""The command `azure-imds`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

#: sysexits.h: the command was used wrongly, and a part of it is not installed.
USAGE, MISSING = 2, 69


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0, 2 for bad usage, 69 where an extra is not installed."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="azure-imds", description="Azure's Instance Metadata Service.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("emulator", help="run a local IMDS to develop and test against", add_help=False)
    _, rest = parser.parse_known_args(arguments)
    return _emulator(rest)


def _emulator(arguments: Sequence[str]) -> int:
    try:
        command = import_module("azure_imds_emulator.cli")
    except ModuleNotFoundError as error:
        print(f"azure-imds emulator needs {error.name}: pip install 'azure-imds[emulator]'", file=sys.stderr)
        return MISSING
    status: int = command.main(arguments)
    return status
