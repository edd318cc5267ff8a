"""Messages about wrong usage. All have the same form: what is wrong, how the command is used, and an example."""

from __future__ import annotations

import shutil
import sys
import textwrap
from contextlib import suppress
from typing import Any

from typer import BadParameter

from .examples import list_examples
from .exits import Exit
from .suggestions import suggest

#: What typer raises for wrong usage. Only this subclass of it is public.
UsageError: type[Exception] = BadParameter.__mro__[1]


def wrap_message(text: str) -> str:
    """A message in lines of whole words if stderr is a terminal, which would break words. Otherwise one line."""
    if not sys.stderr.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False))


def report_usage(error: Any) -> Exit:
    """Prints the message of an error about usage, in a terminal too as plain text."""
    lines = [wrap_message(f"azure-imds: {_describe(error)}")]
    if error.ctx:
        lines.append(error.ctx.get_usage())
        lines += [f"Example: {example}" for example in list_examples(error.ctx.command)[:1]]
        lines.append(f"`{error.ctx.command_path} --help` explains the options.")
    print_message("\n".join(lines))
    return Exit.USAGE


def _describe(error: Any) -> str:
    name = getattr(error, "option_name", None)
    if name is None or error.ctx is None or not hasattr(error, "possibilities"):
        return str(error.format_message())
    known = [option for parameter in error.ctx.command.params for option in parameter.opts if option.startswith("--")]
    return f"No such option: {name}.{suggest(name, [*known, '--help'])}"


def print_message(text: str) -> None:
    """Prints a message on stderr. If that cannot be written, only the exit status tells what happened."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)
