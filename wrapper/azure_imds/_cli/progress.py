"""What a person sees on stderr while a command works: the log, and that it waits."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

_LOGGER = logging.getLogger("azure_imds")

#: Seconds of silence after which somebody at a terminal is told what goes on.
PATIENCE = 0.5


class _Lines(logging.Handler):
    """Writes lines to what stderr is at that moment: a live view puts something of its own there."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"azure-imds: {self.format(record)}", file=sys.stderr, flush=True)


class _Waiting(logging.Handler):
    """A line that says what is waited for: after some time, or at once where the client is to try again."""

    def __init__(self, text: str) -> None:
        super().__init__(logging.INFO)
        self._status: Status | None = None
        self._over = False
        self._timer = threading.Timer(PATIENCE, self._show, [text])
        self._timer.daemon = True
        self._timer.start()

    def emit(self, record: logging.LogRecord) -> None:
        self._show(record.getMessage())

    def _show(self, text: str) -> None:
        from rich.status import Status

        from .terminal import console

        self.acquire()
        try:
            if self._over:
                return
            if self._status is None:
                self._status = Status(text, console=console(stderr=True))
                self._status.start()
            else:
                self._status.update(text)
        finally:
            self.release()

    def end(self) -> None:
        self._timer.cancel()
        self.acquire()
        try:
            self._over = True
            if self._status is not None:
                self._status.stop()
        finally:
            self.release()


@contextmanager
def told(verbose: bool) -> Generator[None]:
    """Sends the package's log to stderr: warnings, or with `verbose` each attempt."""
    level = _LOGGER.level
    with _handled(_Lines(logging.DEBUG if verbose else logging.WARNING)):
        # Less would keep the retries from whoever shows them.
        _LOGGER.setLevel(logging.DEBUG if verbose else logging.INFO)
        try:
            yield
        finally:
            _LOGGER.setLevel(level)


@contextmanager
def waiting(text: str, *, silent: bool) -> Generator[None]:
    """Shows on a terminal that the command waits; `silent` where the log is shown, which says it already."""
    if silent or not sys.stderr.isatty() or os.environ.get("TERM") in (None, "", "dumb", "unknown"):
        yield
        return
    line = _Waiting(text)
    try:
        with _handled(line):
            yield
    finally:
        line.end()


@contextmanager
def _handled(handler: logging.Handler) -> Generator[None]:
    _LOGGER.addHandler(handler)
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)
