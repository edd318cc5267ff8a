"""Raises an exception at every line that some functions execute, one line per run, and returns what reaches the caller.

For tests of what a traceback shows: an interrupt or a signal handler's exception can be raised between any two lines.
"""

from __future__ import annotations

import inspect
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle
from types import CodeType, FrameType, TracebackType
from typing import Any

from support import find_secret

Place = tuple[CodeType, int]


def code_of(*functions: Any) -> set[CodeType]:
    """The code of functions, and of the functions and comprehensions that they contain."""
    found: set[CodeType] = set()
    todo = [inspect.unwrap(getattr(one, "__func__", one)).__code__ for one in functions]
    while todo:
        code = todo.pop()
        found.add(code)
        inner = [const for const in code.co_consts if isinstance(const, CodeType)]
        # Since Python 3.14, a function with annotations comes with one that returns them.
        todo += [one for one in inner if one.co_name != "__annotate__"]
    return found


def executed(action: Callable[[], object], codes: set[CodeType]) -> list[Place]:
    """The lines of these functions that an action executes, each once, in order."""
    places: dict[Place, None] = {}

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code not in codes:
            return None
        if event == "line":
            places[frame.f_code, frame.f_lineno] = None
        return trace

    _traced(action, trace)
    return [*places]


def injected(
    action: Callable[[], object], exception: Callable[[], BaseException], *functions: Any
) -> Iterator[tuple[str, BaseException]]:
    """Runs an action once for each line that the functions execute, and raises an exception there.

    Args:
        action: what a user does. It must execute the same lines every time.
        exception: makes the exception to raise.
        functions: where to raise it.

    Yields:
        The place, and the exception that left the action. Places where the exception does not leave it are left out.
    """
    codes = code_of(*functions)
    places = executed(action, codes)
    assert places, "the action executes none of these functions"
    missed = codes - {code for code, _ in places}
    missed = {code for code in missed if not code.co_name.startswith("<")}
    assert not missed, f"the action does not execute {sorted(code.co_qualname for code in missed)}"
    for code, line in places:

        def trace(frame: FrameType, event: str, _: Any, code: CodeType = code, line: int = line) -> Any:
            if frame.f_code is not code:
                return None if frame.f_code not in codes else trace
            if event == "line" and frame.f_lineno == line:
                raise exception()
            return trace

        try:
            _traced(action, trace)
        except BaseException as error:
            yield f"{code.co_qualname}:{line}", error


def not_raised(
    make_action: Callable[[], Callable[[], object]], exceptions: Iterable[Callable[[], BaseException]], *modules: str
) -> Iterator[str]:
    """Raises one exception at each line that an action executes, each of them in another class.

    Args:
        make_action: makes what a user does. Each action must execute the same lines.
        exceptions: make the exceptions, which are used in turn.
        modules: the beginnings of the names of files whose lines count.

    Yields:
        Where the action did not end with this very exception, and how it ended.
    """
    places: dict[Place, None] = {}

    def is_wanted(frame: FrameType) -> bool:
        # An exception in a finalizer has no caller.
        is_finalizer = frame.f_back is not None and frame.f_back.f_code.co_filename == weakref.__file__
        return frame.f_code.co_filename.startswith(modules) and frame.f_code.co_name != "<module>" and not is_finalizer

    def collect(frame: FrameType, event: str, _: Any) -> Any:
        if not is_wanted(frame):
            return None
        if event == "line":
            places[frame.f_code, frame.f_lineno] = None
        return collect

    make_action()()  # imports
    _traced(make_action(), collect)
    assert len(places) > 100
    for (code, line), make in zip(places, cycle(exceptions)):
        raised: list[BaseException] = []

        def trace(
            frame: FrameType,
            event: str,
            _: Any,
            code: CodeType = code,
            line: int = line,
            make: Callable[[], BaseException] = make,
            raised: list[BaseException] = raised,
        ) -> Any:
            if not is_wanted(frame):
                return None
            if frame.f_code is code and event == "line" and frame.f_lineno == line and not raised:
                raised.append(make())
                raise raised[0]
            return trace

        end: BaseException | None = None
        try:
            _traced(make_action(), trace)
        except BaseException as error:
            end = error
        if raised and end is not raised[0]:
            yield f"{code.co_qualname}:{line}: {raised[0]!r} became {end!r}"


def _traced(action: Callable[[], object], trace: Any) -> None:
    before, before_in_threads = sys.gettrace(), threading.gettrace()
    threading.settrace(trace)
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
        threading.settrace(before_in_threads)  # type: ignore[arg-type]


def shown(secret: str, error: BaseException, *held: object) -> list[str]:
    """Where a secret is found in an exception, in those that it carries along, and in the locals of all their frames.

    The frames of tests are left out, and objects that the user holds anyway, such as a credential with its cache.
    """
    allowed = {id(one) for one in held}
    found: list[str] = []
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        todo += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
        found += find_secret(secret, one.args, {**vars(one)})
        trace: TracebackType | None = one.__traceback__
        while trace is not None:
            frame = trace.tb_frame
            if "/tests/" not in frame.f_code.co_filename:
                for name, value in frame.f_locals.items():
                    if id(value) not in allowed and find_secret(secret, value):
                        found.append(f"{name} in {frame.f_code.co_qualname}:{trace.tb_lineno}")
            trace = trace.tb_next
    return found
