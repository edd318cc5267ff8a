"""`azure-imds emulator`: calls the emulator's own command line, which does not need typer."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from .exits import Exit


def run(arguments: Sequence[str]) -> int:
    """Runs the emulator until a signal arrives, and returns the exit status."""
    try:
        command = import_module("azure_imds_emulator.cli")
    except ModuleNotFoundError as error:
        print(f"azure-imds emulator needs {error.name}: pip install 'azure-imds[emulator]'", file=sys.stderr)
        return Exit.USAGE
    status: int = command.main(arguments)
    return status
