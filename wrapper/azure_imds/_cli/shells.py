"""How a shell's request for completions is answered: without any error message, which the shell would show in the line
that the user types."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import redirect_stderr

#: The variable with which the scripts of shells ask for completions. typer reads it.
REQUEST = "_AZURE_IMDS_COMPLETE"


def answer(run: Callable[[], int]) -> int:
    """Runs the command line for a request, and returns the exit status."""
    _join_options()
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
        try:
            return run()
        except Exception:
            return 1


def _join_options() -> None:
    """Leaves out the `=` of `--cloud=china`: bash passes it as a word of its own, which typer takes for the value."""
    words, position = os.environ.get("COMP_WORDS", "").split("\n"), os.environ.get("COMP_CWORD", "")
    if not position.isdecimal():
        return
    for index in range(min(int(position), len(words)) - 1, 1, -1):
        if words[index] == "=" and words[index - 1].startswith("--"):
            del words[index]
            position = str(int(position) - 1)
    os.environ.update(COMP_WORDS="\n".join(words), COMP_CWORD=position)
