"""The console that views are printed on."""

from __future__ import annotations

import shutil

from rich.console import Console, ConsoleDimensions


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Raises the BrokenPipeError again, since `entry` handles it. rich would exit with status 1."""
        raise


def make_console(*, stderr: bool = False) -> Console:
    """A console that respects NO_COLOR, TERM=dumb and the width of the terminal, and prints text without markup."""
    console = _Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if console.is_dumb_terminal:  # rich assumes 80 columns
        columns, lines = shutil.get_terminal_size()
        console.size = ConsoleDimensions(columns, lines)
    return console
