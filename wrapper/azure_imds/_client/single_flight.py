"""Single flight (request coalescing): callers that want the same thing at the same time share one fetch.

The decisions are here, without I/O and without waiting. A caller runs this loop, with or without `await`:

    while True:
        with Attempt(flights, key, threading.Event()) as attempt:
            if attempt.leads():
                attempt.pending.value = fetch()
            else:
                attempt.pending.done.wait()
        if (value := attempt.outcome()) is not None:
            return value

The first caller is the leader: it fetches. The others wait, and get the leader's value or a copy of its error. If the
leader is interrupted, cancelled, or ends with an exception that is not about the request, there is no outcome for
the others: the waiting callers run the loop again, and one of them leads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

from .._forks import reset_after_fork
from .._interruptions import concerns_request
from .._sensitive import strip_sensitive
from ..errors import ImdsError

if TYPE_CHECKING:
    import anyio

V = TypeVar("V")
X = TypeVar("X", bound=Exception)
#: What waiting callers wait on. `wait` is awaited only for an `anyio.Event`.
E = TypeVar("E", threading.Event, "anyio.Event")


class PendingFetch(Generic[V, E]):
    """A fetch that is running, and later its outcome.

    Attributes:
        done: set when the fetch has ended.
        value: the result, or None.
        error: what the fetch failed with, without a traceback, or None. It is copied for each caller that waited.
    """

    def __init__(self, done: E) -> None:
        self.done: E = done
        self.value: V | None = None
        self.error: Exception | None = None


class SingleFlight(Generic[V]):
    """The fetches that are running, by key. Thread-safe."""

    def __init__(self) -> None:
        self.reset()
        reset_after_fork(self)

    def reset(self) -> None:
        """Forgets all fetches and replaces the lock. In a forked child, the threads that fetched do not exist."""
        self._lock = threading.Lock()
        self._pending: dict[Hashable, PendingFetch[V, Any]] = {}

    def clear(self) -> None:
        """Forgets all fetches: callers from now on do not wait for them. Callers that wait already still get them."""
        with self._lock:
            self._pending.clear()

    def join(self, key: Hashable, own: PendingFetch[V, E]) -> PendingFetch[V, E]:
        """Returns the running fetch of this key. If there is none, registers and returns `own`: the caller leads."""
        with self._lock:
            found = self._pending.get(key)
            # A leader that was interrupted while it finished may have left a fetch that has ended.
            if found is None or found.done.is_set():
                found = self._pending[key] = own
            return found

    def finish(self, key: Hashable, own: PendingFetch[V, E]) -> None:
        """Ends a fetch, if it was registered, and wakes the callers that wait for it."""
        try:
            with self._lock:
                if self._pending.get(key) is own:
                    del self._pending[key]
        finally:
            own.done.set()


class Attempt(Generic[V, E]):
    """One pass of the loop above.

    An exception of the block is kept, and `outcome` raises it, so that no other exception becomes its context.

    Args:
        flights: the running fetches.
        key: what is fetched. All callers with the same key share the event type, and the event loop if there is one.
        done: a new event.
        share_errors: whether an error of this caller, if it leads, is an outcome for the others as well. If not, one of
            them leads next.
        convert: replaces an error before it is shared and raised.
    """

    def __init__(
        self,
        flights: SingleFlight[V],
        key: Hashable,
        done: E,
        *,
        share_errors: bool = True,
        convert: Callable[[Exception], Exception] = lambda error: error,
    ) -> None:
        self._flights = flights
        self._key = key
        self._share_errors = share_errors
        self._convert = convert
        self._own: PendingFetch[V, E] = PendingFetch(done)
        self._error: Exception | None = None
        #: The fetch that this caller leads or waits for.
        self.pending: PendingFetch[V, E] = self._own

    def __enter__(self) -> Self:
        # The fetch is registered in the block: an interrupt between the two would leave a fetch that never ends.
        return self

    def leads(self) -> bool:
        """Joins the running fetch, or starts one. Returns whether this caller has to fetch."""
        self.pending = self._flights.join(self._key, self._own)
        return self.pending is self._own

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        try:
            if isinstance(error, Exception):
                self._error = self._convert(strip_sensitive(error))
                # An exception of another kind interrupts only the caller in which it was raised.
                if self._share_errors and concerns_request(error):
                    self._own.error = copy_error(self._error)
        finally:
            self._flights.finish(self._key, self._own)
        return self._error is not None

    def outcome(self) -> V | None:
        """Returns the value, or None if this caller has to try again.

        Raises:
            Exception: this caller's own error, or a copy of the leader's.
        """
        if self._error is not None:
            raise self._error
        if self.pending.value is None and self.pending.error is not None:
            raise copy_error(self.pending.error) or self.pending.error
        return self.pending.value


def copy_error(error: X) -> X | None:
    """Copies an error for another caller: the same class, text and attributes, but no traceback.

    The cause of an error of this package is copied too: an error of the operating system, without data.

    Returns:
        The copy. None if the class cannot be copied, which only other code's exceptions can be.
    """
    try:
        # Not copy.copy: libraries such as distributed (tblib) register their own way, which keeps the traceback.
        rebuild, arguments, *state = cast(tuple[Any, ...], error.__reduce__())
        made: X = rebuild(*arguments)
        made.__dict__.update(*filter(None, state))
    except Exception:  # a constructor that takes other arguments than `args`
        try:
            made = type(error).__new__(type(error), *error.args)
        except Exception:
            return None
        made.__dict__.update(error.__dict__)
    if isinstance(error, ImdsError):
        cause = error.__cause__
        made.__cause__ = copy_error(cause) if isinstance(cause, Exception) else cause
    if hasattr(made, "__notes__"):
        made.__notes__ = [*made.__notes__]
    return made
