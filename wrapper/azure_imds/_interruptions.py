"""Tells exceptions that a signal handler raises from those that the network or the data cause.

A usual time limit is a handler for SIGALRM that raises TimeoutError, which is also what a socket raises. The program
that has set the limit expects its own exception, at once.
"""

from __future__ import annotations

import signal
from contextlib import suppress
from functools import partial
from types import CodeType
from typing import Any

from .errors import ImdsError

_MARK = "_azure_imds_transport_error"


def is_interruption(error: BaseException) -> bool:
    """Whether a signal handler has raised an exception: one of its frames is in the traceback."""
    handlers = {_code_of(signal.getsignal(number)) for number in signal.valid_signals()}
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code in handlers:
            return True
        trace = trace.tb_next
    return False


def mark_as_transport_error(error: Exception) -> None:
    """Marks an exception that a caller's transport has raised, unless a signal handler has raised it there."""
    if not is_interruption(error):
        with suppress(AttributeError):
            setattr(error, _MARK, True)


def concerns_all_callers(error: Exception) -> bool:
    """Whether an exception is about the request, and so for everybody who waits for its response."""
    return isinstance(error, ImdsError) or getattr(error, _MARK, False) is True


def _code_of(handler: Any) -> CodeType | None:
    while isinstance(handler, partial):
        handler = handler.func
    handler = getattr(handler, "__func__", handler)
    if not hasattr(handler, "__code__"):
        handler = type(handler).__dict__.get("__call__")
    code: CodeType | None = getattr(handler, "__code__", None)
    return code
