"""What a command writes to stderr while it runs: the log, and a line that it is waiting."""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import UnsupportedOperation
from types import FrameType
from typing import TYPE_CHECKING, Any

from .values import make_printable

if TYPE_CHECKING:
    from rich.status import Status

_LOGGER = logging.getLogger("azure_imds")

#: Seconds after which a command at a terminal shows that it is waiting.
QUIET_SECONDS = 0.5
#: Seconds for which a line of a service waits for the reader of the log.
_PATIENCE = 1.0


class _LogLines(logging.Handler):
    """Writes log lines to the current value of sys.stderr, which a live view replaces while it is shown.

    Attributes:
        is_needed: whether a line that cannot be written is an error, and one that is not read is waited for.
    """

    is_needed = True
    _lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        text = f"azure-imds: {make_printable(self.format(record))}\n"
        if self.is_needed:
            print(text, end="", file=sys.stderr, flush=True)
        else:
            with suppress(OSError):
                self._write_or_lose(text)

    def _write_or_lose(self, text: str) -> None:
        """Writes a line. If nothing reads the lines, it is lost after a pause, and later ones without a pause."""
        try:
            descriptor = sys.stderr.fileno()
        except UnsupportedOperation:  # an object in memory
            print(text, end="", file=sys.stderr)
            return
        if self._lost:
            text = f"azure-imds: {self._lost} lines of the log are lost, because nothing has read them\n{text}"
        content = text.encode(sys.stderr.encoding, "backslashreplace")
        writable = select.poll()
        writable.register(descriptor, select.POLLOUT)
        for start in range(0, len(content), select.PIPE_BUF):
            if not writable.poll(0 if self._lost else _PATIENCE * 1000):
                self._lost += 1
                return
            os.write(descriptor, content[start : start + select.PIPE_BUF])
        self._lost = 0


class _WaitingLine(logging.Handler):
    """A line that shows what the command waits for: after some time, or at once if the client is about to retry."""

    def __init__(self, text: str) -> None:
        super().__init__(logging.INFO)
        self._status: Status | None = None
        self._ended = False
        self._timer = threading.Timer(QUIET_SECONDS, self._show, [text])
        self._timer.daemon = True
        self._timer.start()

    def emit(self, record: logging.LogRecord) -> None:
        self._show(record.getMessage())

    def _show(self, text: str) -> None:
        from rich.status import Status

        from .terminal import make_console

        self.acquire()
        try:
            if self._ended:
                return
            if self._status is None:
                self._status = Status(text, console=make_console(stderr=True))
                self._status.start()
            else:
                self._status.update(text)
        finally:
            self.release()

    def end(self) -> None:
        self._timer.cancel()
        self.acquire()
        try:
            self._ended = True
            if self._status is not None:
                self._status.stop()
        finally:
            self.release()


@contextmanager
def show_log(verbose: bool) -> Generator[None]:
    """Writes the log of the package to stderr: warnings, or with `verbose` each attempt."""
    level = _LOGGER.level
    with _add_handler(_LogLines(logging.DEBUG if verbose else logging.WARNING)):
        # The waiting line needs INFO: it shows the retries.
        _LOGGER.setLevel(logging.DEBUG if verbose else logging.INFO)
        try:
            yield
        finally:
            _LOGGER.setLevel(level)


def show_steps() -> None:
    """Writes the messages of level INFO too, for a service. It goes on if stderr is closed or not read."""
    for handler in _LOGGER.handlers:
        if isinstance(handler, _LogLines):
            handler.setLevel(min(handler.level, logging.INFO))
            handler.is_needed = False


@contextmanager
def show_waiting(text: str, *, silent: bool) -> Generator[None]:
    """Shows on a terminal that the command waits. With `silent` it shows nothing, because the log does."""
    if silent or not sys.stderr.isatty() or os.environ.get("TERM") in (None, "", "dumb", "unknown"):
        yield
        return
    with restore_cursor():
        line = _WaitingLine(text)
        try:
            with _add_handler(line):
                yield
        finally:
            line.end()


@contextmanager
def restore_cursor() -> Generator[None]:
    """Shows the cursor, which rich hides, before a signal ends or stops this process without an exception."""
    previous: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGQUIT", "SIGTSTP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                previous[number] = signal.signal(number, _show_cursor)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _show_cursor(number: int, frame: FrameType | None) -> None:
    for descriptor in (1, 2):
        if os.isatty(descriptor):
            os.write(descriptor, b"\r\x1b[2K\x1b[?25h")
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    signal.signal(number, _show_cursor)  # it was stopped, and goes on


@contextmanager
def _add_handler(handler: logging.Handler) -> Generator[None]:
    _LOGGER.addHandler(handler)
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)
