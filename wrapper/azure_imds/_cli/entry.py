"""Where the console script begins: it brings in only what the command needs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from .emulator import run as run_emulator
from .exits import Exit

#: What httpx and httpcore import where it is installed and no command needs: httpx's own command line with all of rich,
#: and a second event loop. Together they take longer than everything else before a token is there.
_IDLE = ("httpx._main", "trio")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status; see `exits.MEANINGS`."""
    own_process = arguments is None
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] == ["emulator"]:
        return run_emulator(arguments[1:])
    if own_process:
        # None there means: not to be found.
        sys.modules.update(dict.fromkeys(_IDLE))  # type: ignore[arg-type]
        _open_what_is_closed()
    try:
        from .commands import app
        from .session import silenced
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("typer", "rich"):
            raise
        print(f"azure-imds needs {error.name}: pip install 'azure-imds[cli]'", file=sys.stderr)
        return Exit.USAGE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    stdout = sys.stdout
    try:
        app(arguments, prog_name="azure-imds")
    except SystemExit as end:
        if sys.stdout is not stdout:  # typer's own help met a closed pipe, and was silenced so
            return silenced()
        return end.code if isinstance(end.code, int) else Exit.OK
    except BrokenPipeError:
        return silenced()
    return Exit.OK


def _open_what_is_closed() -> None:
    """Gives output somewhere to go where the shell closed it (`>&-`), for which Python has None."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - until the process ends
