"""Keeps tokens, keys and bodies out of tracebacks. The rule is explained in docs/design/secrets.md.

Debuggers and error reporters show the local variables of every frame in a traceback. So each public call that handles
a secret has one boundary frame, whose own locals never hold a secret:

    def get_token(self, resource):
        try:
            return self._get_token(resource)
        except BaseException as error:
            raise strip_sensitive(error)

Whatever is raised below it leaves the call without the frames below it: an error of this package, an exception of
httpx or of a caller's own transport, Ctrl-C, or an exception that a signal handler raises.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import PurePath
from types import FrameType
from typing import TypeVar

from .errors import ImdsError

E = TypeVar("E", bound=BaseException)

_NOTE = "azure_imds removed the frames of this call from the traceback, since they may hold a token. Raised at "


def strip_sensitive(error: E) -> E:
    """Removes the frames below the caller's from an exception and its causes, and exceptions that were handled there.

    If the program was handling an exception when it made the call, that one stays the context, as usual in Python. If
    other code raised the exception, such as a caller's transport, a note names the place.

    Args:
        error: the exception that the caller has just caught. It is changed in place.

    Returns:
        The same exception, to be raised again.
    """
    boundary = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    if isinstance(error, Exception) and not isinstance(error, ImdsError):
        _note_place(error)
    context = _outer_context(error, boundary)
    for one in [*_with_causes(error)]:
        one.__traceback__ = None
        one.__context__ = None
    error.__context__ = context
    return error


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    """An exception, the members of a group, and the causes of all of them."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            todo += [one.__cause__, *getattr(one, "exceptions", ())]
            yield one


def _outer_context(error: BaseException, boundary: FrameType) -> BaseException | None:
    """The exception that was being handled when the boundary frame was entered.

    Its traceback starts at the frame that handles it, which is one of those that called the boundary frame.
    """
    callers: set[int] = set()
    frame = boundary.f_back
    while frame is not None:
        callers.add(id(frame))
        frame = frame.f_back
    context = error.__context__
    while context is not None:
        trace = context.__traceback__
        if trace is not None and id(trace.tb_frame) in callers:
            return context
        context = context.__context__
    return None


def _note_place(error: Exception) -> None:
    trace = error.__traceback__
    if trace is None or any(note.startswith(_NOTE) for note in getattr(error, "__notes__", ())):
        return
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    error.add_note(f"{_NOTE}{PurePath(code.co_filename).name}:{trace.tb_lineno}, in {code.co_name}.")
