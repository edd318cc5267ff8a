"""Tools for tests of interruptions: signal handlers that raise, and exceptions injected by another thread."""

from __future__ import annotations

import ctypes
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import httpx
import pytest

#: Seconds after which a test that hangs fails. No assertion depends on the number.
FOREVER = 30.0

needs_signals = pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs POSIX signals")


class Alarm(Exception):
    """A program's own exception for a time limit."""


class LateError(TimeoutError):
    """A program's own exception for a time limit, which is a TimeoutError and has a text of its own."""

    def __init__(self, text: str = "too late") -> None:
        super().__init__(text)


#: One of each class that a transport, a parser or a file raises, or that the package handles otherwise.
EXCEPTIONS: list[Callable[[], Exception]] = [
    lambda: TimeoutError("alarm"),
    lambda: TimeoutError(),
    lambda: LateError(),
    lambda: Alarm("alarm"),
    lambda: OSError(5, "alarm"),
    lambda: ConnectionResetError(104, "alarm"),
    lambda: FileNotFoundError(2, "alarm"),
    lambda: BlockingIOError(11, "alarm"),
    lambda: ValueError("alarm"),
    lambda: json.JSONDecodeError("alarm", "", 0),
    lambda: RuntimeError("alarm"),
    lambda: KeyError("alarm"),
    lambda: AttributeError("alarm"),
    lambda: httpx.ReadTimeout("alarm"),
    lambda: httpx.ConnectError("alarm"),
]
#: What a time limit raises.
LIMITS = [TimeoutError("time limit"), LateError(), Alarm("time limit"), httpx.ReadTimeout("time limit")]
by_class = pytest.mark.parametrize("error", LIMITS, ids=lambda error: type(error).__name__)


def ending(action: Callable[[], object]) -> Exception:
    """Returns the exception that an action ends with."""
    try:
        result = action()
    except Exception as error:
        return error
    raise AssertionError(f"no exception, but {result!r}")


@contextmanager
def handled(error: Exception) -> Iterator[None]:
    """Sets a handler of SIGALRM that raises an exception once. pytest-timeout gets the signal back at the end."""
    raised: list[Exception] = []

    def handler(number: int, frame: FrameType | None) -> None:
        if not raised:
            raised.append(error)
            raise error

    before = signal.signal(signal.SIGALRM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)


def send_alarm() -> None:
    """Sends SIGALRM to the main thread, which runs the tests. Any thread can call this."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)


@contextmanager
def untraced() -> Iterator[None]:
    """Switches off tracing, as for coverage, in this thread and in those that it starts. Also a decorator.

    While an exception waits to be raised in another thread, a traced thread of CPython 3.11 does not leave a call.
    """
    trace, trace_of_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)  # type: ignore[arg-type]
    try:
        yield
    finally:
        threading.settrace(trace_of_threads)  # type: ignore[arg-type]
        sys.settrace(trace)


def inject(thread: int, kind: type[BaseException]) -> None:
    """Injects an exception into a thread, as some job queues do to limit the time of a job."""
    changed = ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(kind))
    assert changed == 1


@contextmanager
def while_in(function: str, action: Callable[[], object]) -> Iterator[None]:
    """Calls `action` in another thread whenever the thread of this block is in a function of that name.

    More than once, since a signal that arrives just before a system call does not end it.
    """
    watched = threading.get_ident()
    ended = threading.Event()

    def watch() -> None:
        until = time.monotonic() + FOREVER
        while not ended.is_set() and time.monotonic() < until:
            frame = sys._current_frames()[watched]
            if frame.f_code.co_name == function:
                action()
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
