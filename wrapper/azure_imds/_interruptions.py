"""Tells exceptions that interrupt a call from those that the network or the data cause.

A signal handler or another thread can raise any exception in the middle of a call. A usual time limit is a handler of
SIGALRM that raises TimeoutError, which is also what a socket raises. The program that has set the limit expects its own
exception, at once. So what counts is where an exception was raised, and not its class.

Each `except` of a class that a handler may raise too, and that does not raise again, starts like this:

    except ValueError as error:
        if is_interruption(error):
            raise
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from functools import partial
from types import CodeType, FrameType, TracebackType
from typing import Any

from .errors import ImdsError

_MARK = "_azure_imds_transport_error"

#: Instructions that raise an exception which exists already. A coroutine raises what it awaits, and a generator what is
#: thrown into it.
_RAISING = ("RAISE_VARARGS", "RERAISE", "SEND", "YIELD_VALUE", "END_ASYNC_FOR", "CLEANUP_THROW")


def is_interruption(error: BaseException) -> bool:
    """Whether an exception was raised by a signal handler, or by another thread.

    Call it in the function that has caught the exception: it reads the traceback, which `strip_sensitive` removes.
    """
    return is_from_signal_handler(error) or _is_injected(error)


def is_from_signal_handler(error: BaseException) -> bool:
    """Whether an exception was raised by a signal handler. See `is_interruption`."""
    trace = error.__traceback__
    if trace is None or trace.tb_next is None:
        return False
    # The first entry is the function that has caught the exception. A handler is called below it.
    handlers = _handlers()
    while trace.tb_next is not None:
        if _is_handler(trace.tb_next.tb_frame, trace.tb_frame, handlers):
            return True
        trace = trace.tb_next
    return False


def mark_as_transport_error(error: Exception) -> None:
    """Marks an exception that a caller's transport has raised, unless a signal handler has raised it there."""
    if not is_interruption(error):
        error.__dict__[_MARK] = True


def concerns_request(error: Exception) -> bool:
    """Whether an exception is about the request: an error of this package, or what a caller's transport has raised.

    If so, it is the outcome of everyone who waits for the response. All other exceptions interrupt only the caller in
    which they were raised. The traceback is not needed.
    """
    return isinstance(error, ImdsError) or error.__dict__.get(_MARK) is True


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


def _is_handler(frame: FrameType, interrupted: FrameType, handlers: frozenset[CodeType]) -> bool:
    """Whether a frame is that of a signal handler, which has received the interrupted frame as an argument.

    The handler may have deleted this argument, or may have been replaced in the meantime, even by itself.
    """
    code = frame.f_code
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + 1]  # and *args
    for value in map(frame.f_locals.get, parameters):
        values: list[Any] = [*value] if isinstance(value, tuple) else [value]
        if any(one is interrupted for one in values):
            return True
    return code in handlers


def _handlers() -> frozenset[CodeType]:
    """The code of all signal handlers. Without the module, the program has set none."""
    signal: Any = sys.modules.get("signal")
    if signal is None:
        return frozenset()
    return frozenset(code for number in signal.valid_signals() if (code := _code_of(signal.getsignal(number))))


def _code_of(handler: Any) -> CodeType | None:
    while isinstance(handler, partial):
        handler = handler.func
    if not callable(handler):  # one of the numbers that select the default
        return None
    code: CodeType | None = getattr(handler, "__code__", None) or getattr(type(handler).__call__, "__code__", None)
    return code


def _is_injected(error: BaseException) -> bool:
    """Whether another thread has raised an exception in this one. It can do so at any instruction.

    Libraries that are written in C may raise exceptions of some classes in the same way, such as `queue.Empty`.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and _is_made_from_class(error) and not _is_raised_by_code(trace)


def _is_made_from_class(error: BaseException) -> bool:
    """Whether an exception is what a call of its class returns: another thread can inject only a class."""
    try:
        return type(error)().args == error.args
    except Exception as problem:  # the class needs arguments
        if is_interruption(problem):
            raise
        return False


def _is_raised_by_code(trace: TracebackType) -> bool:
    """Whether an instruction of the last frame has raised the exception."""
    from opcode import opmap

    instructions, position = trace.tb_frame.f_code.co_code, trace.tb_lasti
    if position > 0 and instructions[position] == opmap["RESUME"]:
        # Python 3.13 names the instruction after the one that a generator has stopped at.
        position -= 2
    return position < 0 or instructions[position] in map(opmap.get, _RAISING)
