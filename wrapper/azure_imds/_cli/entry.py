"""Entry point of the console script. It imports only what the command needs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from io import TextIOWrapper

from .emulator import run as run_emulator
from .exits import Exit
from .shells import REQUEST, answer

#: Modules that httpx and httpcore import if they are installed, and that no command needs: httpx's own command line,
#: with all of rich, and a second event loop. Importing them takes longer than everything else before the first token.
_UNUSED = ("httpx._main", "trio")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status; see `exits.MEANINGS`."""
    try:
        if os.environ.get(REQUEST):
            return answer(partial(_run, arguments))
        return _run(arguments)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def _run(arguments: Sequence[str] | None) -> int:
    own_process = arguments is None
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] == ["emulator"]:
        return run_emulator(arguments[1:])
    if own_process:
        # With None in sys.modules, an import fails at once.
        sys.modules.update(dict.fromkeys(_UNUSED))  # type: ignore[arg-type]
        _replace_closed_output()
        _escape_missing_characters()
    try:
        from typer import Abort

        from .commands import app
        from .session import discard_output, report_unwritable
        from .usage import UsageError, report_usage
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("typer", "rich"):
            raise
        print(f"azure-imds needs {error.name}: pip install 'azure-imds[cli]'", file=sys.stderr)
        return Exit.USAGE
    stdout = sys.stdout
    try:
        status = app(arguments, prog_name="azure-imds", standalone_mode=False)
    except UsageError as error:
        return report_usage(error)
    except Abort:  # typer's word for an interrupt while it reads the arguments
        return Exit.INTERRUPTED
    except SystemExit as end:
        if sys.stdout is not stdout:  # typer replaces stdout if the pipe is closed while it prints help
            return discard_output()
        return end.code if isinstance(end.code, int) else Exit.OK
    except BrokenPipeError:
        return discard_output()
    except OSError as error:
        return report_unwritable(error)
    return status if isinstance(status, int) else Exit.OK


def _escape_missing_characters() -> None:
    """Prints a character that the encoding of a stream lacks as an escape, as in a pipe on Windows."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _replace_closed_output() -> None:
    """Opens the null device for a stream that the shell closed (`>&-`), which is None in Python."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - until the process ends
