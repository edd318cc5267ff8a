"""The console that views are printed on."""

from __future__ import annotations

import shutil

from rich.console import Console, ConsoleDimensions


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leaves a closed pipe to the one place that knows what to do about it, where rich would exit with 1."""
        raise


def console(*, stderr: bool = False) -> Console:
    """A console that obeys NO_COLOR, TERM=dumb and the terminal's width, and takes no text for markup or emoji."""
    made = _Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if made.is_dumb_terminal:  # which rich takes to be of 80 columns
        columns, lines = shutil.get_terminal_size()
        made.size = ConsoleDimensions(columns, lines)
    return made
