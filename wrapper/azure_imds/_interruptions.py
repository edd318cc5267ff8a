"""Tells exceptions that interrupt a call from those that the network or the data cause.

A signal handler or another thread can raise any exception in the middle of a call. A usual time limit is a handler of
SIGALRM that raises TimeoutError, which is also what a socket raises. The program that has set the limit expects its own
exception, at once. So what counts is where an exception was raised, and not its class.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE
from types import CodeType, FrameType, TracebackType
from typing import Any

from .errors import ImdsError

_MARK = "_azure_imds_transport_error"


def is_interruption(error: BaseException) -> bool:
    """Whether an exception was raised by a signal handler, or by another thread.

    Call it only for exceptions of classes that the operating system, httpx or a parser raise too. They raise no
    other classes.
    """
    import signal  # slow to import, and needed only after an exception

    handlers = {_code_of(signal.getsignal(number)) for number in signal.valid_signals()}
    trace, caller = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code in handlers or _is_handler_of(trace.tb_frame, caller):
            return True
        if trace.tb_next is None:
            return not error.args and not _is_raised_by_code(trace)
        trace, caller = trace.tb_next, trace.tb_frame
    return False


def mark_as_transport_error(error: Exception) -> None:
    """Marks an exception that a caller's transport has raised, unless a signal handler has raised it there."""
    if not is_interruption(error):
        with contextlib.suppress(AttributeError):
            setattr(error, _MARK, True)


def concerns_all_callers(error: Exception) -> bool:
    """Whether an exception is about the request, and so for everybody who waits for its response."""
    return isinstance(error, ImdsError) or getattr(error, _MARK, False) is True


def find_interruption(error: BaseException, handled: BaseException | None) -> BaseException | None:
    """The exception that has interrupted a call: the given one, or one that it was made from. None if there is none.

    Args:
        error: what has left the call. Transports of callers convert exceptions to those of httpx.
        handled: the exception that was being handled before the call, which is the context of all others.
    """
    return next((one for one in _origins(error, handled) if is_interruption(one)), None)


class suppress_errors(contextlib.suppress):
    """`contextlib.suppress`, except that an exception that interrupts the call is not suppressed."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        return super().__exit__(kind, error, traceback) and error is not None and not is_interruption(error)


def _origins(error: BaseException, handled: BaseException | None) -> Iterator[BaseException]:
    seen = {id(handled)}
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            todo += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
            yield one


def _code_of(handler: Any) -> CodeType | None:
    while isinstance(handler, partial):
        handler = handler.func
    handler = getattr(handler, "__func__", handler)
    if not hasattr(handler, "__code__"):
        handler = type(handler).__dict__.get("__call__")
    code: CodeType | None = getattr(handler, "__code__", None)
    return code


def _is_handler_of(frame: FrameType, interrupted: FrameType | None) -> bool:
    """Whether a function has received its caller's frame, as signal handlers do.

    The handler may have been replaced in the meantime, even by itself.
    """
    code = frame.f_code
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + 1]  # and *args
    if interrupted is None:
        return False
    for value in map(frame.f_locals.get, parameters):
        values: list[Any] = [*value] if isinstance(value, tuple) else [value]
        if any(one is interrupted for one in values):
            return True
    return False


def _is_raised_by_code(trace: TracebackType) -> bool:
    """Whether the last frame has raised the exception itself. Another thread can raise one at any instruction.

    Coroutines are left out: they also raise what they await, which may have no arguments.
    """
    from opcode import opmap

    code = trace.tb_frame.f_code
    is_coroutine = code.co_flags & (CO_COROUTINE | CO_ASYNC_GENERATOR)
    return bool(is_coroutine) or code.co_code[trace.tb_lasti] in (opmap["RAISE_VARARGS"], opmap["RERAISE"])
