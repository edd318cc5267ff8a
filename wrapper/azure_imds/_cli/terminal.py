"""The console that views are printed on."""

from __future__ import annotations

from rich.console import Console


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leaves a closed pipe to the one place that knows what to do about it, where rich would exit with 1."""
        raise


def console(*, stderr: bool = False) -> Console:
    """A console that obeys NO_COLOR, TERM=dumb and the terminal's width, and takes no text for markup or emoji."""
    return _Console(stderr=stderr, highlight=False, markup=False, emoji=False)
