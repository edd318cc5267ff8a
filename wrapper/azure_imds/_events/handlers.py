"""Handlers: which functions `EventWatcher.run()` calls for an event, and how it runs them in the time that is left."""

from __future__ import annotations

import inspect
import math
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, get_args

from attrs import field, frozen

from azure_imds_api.models.known_event_type import KnownEventType

from .._clock import Clock
from .._interruptions import concerns_request, is_from_signal_handler
from .._log import error_fields, log
from ..errors import ImdsError, ImdsValidationError
from .changes import EventChange
from .deadline import EventDeadline

if TYPE_CHECKING:
    from anyio import CancelScope
    from anyio.abc import TaskGroup

#: Called with the change and the seconds left. It may be an `async def` if the client is an AsyncImdsClient.
Handler = Callable[[EventChange, float | None], object]
H = TypeVar("H", bound=Handler)

_KNOWN_TYPES: tuple[str, ...] = get_args(KnownEventType)
_KNOWN_KEYS = frozenset(map(str.lower, _KNOWN_TYPES))
#: How many events are remembered, so that handlers are called once for an event that is gone and returns.
MAX_JOBS = 1000


@frozen(eq=False)
class Job:
    """The handlers of one event, which run one after the other.

    Attributes:
        change: the change with which the event was first seen.
        deadline: when they must have finished.
        finished: receives an item when they have finished in their thread.
    """

    change: EventChange
    handlers: list[Handler]
    deadline: EventDeadline
    finished: SimpleQueue[None] = field(factory=SimpleQueue[None])

    def run(self, approve: Callable[[EventChange], None] | None) -> None:
        """Calls the handlers. Then it approves the event if none has failed and the event still waits for approval."""
        for handler in self.handlers:
            try:
                handler(self.change, self.deadline.seconds)
            except Exception:
                self._log_failure(handler)
                approve = None
        if approve is not None and self.deadline.can_approve:
            try:
                approve(self.change)
            except Exception as error:
                self._log_not_approved(error)

    async def arun(self, approve: Callable[[EventChange], Awaitable[None]] | None) -> None:
        """The same as `run`, for asyncio and trio.

        Signal handlers run in the thread of the event loop, so an exception of theirs can be raised here.
        """
        for handler in self.handlers:
            try:
                await _acall(handler, self.change, self.deadline.seconds)
            except Exception as error:
                if is_from_signal_handler(error):
                    raise
                self._log_failure(handler)
                approve = None
        if approve is not None and self.deadline.can_approve:
            try:
                await approve(self.change)
            except Exception as error:
                if not concerns_request(error):
                    raise
                self._log_not_approved(error)

    def log_late(self, action: str) -> None:
        log.warning("scheduled events: %s: handlers did not finish in time and were %s", self, action)

    def _log_failure(self, handler: Handler) -> None:
        name = getattr(handler, "__qualname__", repr(handler))
        log.exception("scheduled events: %s: handler %s failed", self, name)

    def _log_not_approved(self, error: Exception) -> None:
        log.warning(
            "scheduled events: %s: not approved, so the event starts at its own time: %s",
            self,
            error,
            extra=error_fields(error),
        )

    def __str__(self) -> str:
        return f"{self.change.event.event_type} {self.change.event.event_id}"


class HandlerRegistry:
    """The handlers of each event type. Case does not matter."""

    def __init__(self, clock: Clock, *, allow_async: bool) -> None:
        self._clock = clock
        self._allow_async = allow_async
        self._handlers: dict[str, list[Handler]] = {}
        self._jobs: dict[str, Job] = {}

    def register(self, event_types: tuple[str, ...]) -> Callable[[H], H]:
        """Returns a decorator that adds a handler to these types. See `EventWatcher.on`."""
        _check_event_types(event_types)
        targets = [self._handlers_of(event_type) for event_type in event_types]

        def add(handler: H) -> H:
            self._check_handler(handler)
            for handlers in targets:
                if handler not in handlers:
                    handlers.append(handler)
            return handler

        return add

    def new_jobs(self, changes: deque[EventChange], margin: float) -> Iterator[Job]:
        """Removes the changes. They move the deadlines of known events, and each other event with handlers is a job."""
        while changes:
            change = changes.popleft()
            event_id = change.event.event_id
            handlers = self._handlers.get(str(change.event.event_type).lower(), [])
            if job := self._jobs.get(event_id):
                job.deadline.move(change)
            elif change.kind == "added" and handlers:
                job = Job(change, list(handlers), EventDeadline(change, margin, self._clock))
                self._jobs[event_id] = job
                if len(self._jobs) > MAX_JOBS:
                    del self._jobs[next(iter(self._jobs))]
                yield job

    def seconds_left(self, event_id: str) -> float | None:
        """Seconds until the handlers of an event must have finished. See `EventWatcher.seconds_left`."""
        job = self._jobs.get(event_id)
        return None if job is None else job.deadline.seconds

    def _handlers_of(self, event_type: str) -> list[Handler]:
        key = event_type.lower()
        if key not in self._handlers and key not in _KNOWN_KEYS:
            log.warning(
                "EventWatcher.on: unknown event type %r. The known types are %s. The handler runs only if IMDS reports "
                "an event of this type.",
                event_type,
                ", ".join(_KNOWN_TYPES),
            )
        return self._handlers.setdefault(key, [])

    def _check_handler(self, handler: Handler) -> None:
        if not callable(handler):
            raise ImdsValidationError(
                "EventWatcher.on: a handler must be a function, such as def drain(change, seconds), not "
                f"{type(handler).__name__}",
                parameter="handler",
            )
        if _is_async(handler) and not self._allow_async:
            raise ImdsValidationError(
                "EventWatcher.on: an async handler needs an AsyncImdsClient, and this watcher has an ImdsClient. Use "
                "def instead of async def, or EventWatcher(AsyncImdsClient())",
                parameter="handler",
            )


class HandlerThreads:
    """Runs each job in a thread. Leaving the context waits for the jobs, but not beyond their deadlines."""

    def __init__(self, clock: Clock, approve: Callable[[EventChange], None] | None) -> None:
        self._clock = clock
        self._approve = approve
        self._running: dict[Job, threading.Thread] = {}

    def start(self, job: Job) -> None:
        thread = self._running[job] = threading.Thread(target=self._run, args=(job,), daemon=True)
        thread.start()

    def abandon_late(self) -> None:
        """Forgets the jobs that have finished or are late, and logs those that are late."""
        for job in [job for job, thread in self._running.items() if job.deadline.overdue or not thread.is_alive()]:
            if self._running.pop(job).is_alive():
                job.log_late("left running")

    def _run(self, job: Job) -> None:
        try:
            job.run(self._approve)
        finally:
            job.finished.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if exc_value is not None and not isinstance(exc_value, ImdsError):
            return  # Ctrl-C, or an exception of a signal handler, ends the program without waiting
        for job, thread in self._running.items():
            limit = job.deadline.limit
            if limit is None:
                thread.join()
            elif not self._clock.wait(limit, job.finished):
                job.log_late("left running")


class HandlerTasks:
    """Runs each job in a task, which is cancelled at the deadline. Leaving the context waits for the jobs."""

    def __init__(self, approve: Callable[[EventChange], Awaitable[None]] | None) -> None:
        self._approve = approve
        self._scopes: dict[Job, CancelScope] = {}
        self._interruption: Exception | None = None

    def start(self, job: Job) -> None:
        self._group.start_soon(self._run, job)

    def move_deadlines(self) -> None:
        """Lets the tasks end at the deadlines that their jobs have now."""
        import anyio

        for job, scope in self._scopes.items():
            limit = job.deadline.limit
            scope.deadline = math.inf if limit is None else anyio.current_time() + limit

    async def _run(self, job: Job) -> None:
        import anyio

        with anyio.CancelScope() as scope:
            self._scopes[job] = scope
            self.move_deadlines()
            try:
                await job.arun(self._approve)
            except Exception as error:
                self._interruption = error
                self._group.cancel_scope.cancel()
            finally:
                del self._scopes[job]
        if scope.cancelled_caught:
            job.log_late("cancelled")

    async def __aenter__(self) -> Self:
        import anyio

        self._group: TaskGroup = anyio.create_task_group()
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        is_handled: bool | None = False
        if not isinstance(exc_value, Exception):
            is_handled = await self._group.__aexit__(exc_type, exc_value, traceback)
        else:
            if not isinstance(exc_value, ImdsError):
                self._group.cancel_scope.cancel()
            # With the error, the group would cancel the handlers and raise an ExceptionGroup.
            await self._group.__aexit__(None, None, None)
        if self._interruption is not None:
            raise self._interruption
        return is_handled


def _check_event_types(event_types: tuple[str, ...]) -> None:
    wrong = [event_type for event_type in event_types if not isinstance(event_type, str) or not event_type]
    if not event_types:
        problem = "at least one event type is required"
    elif not wrong:
        return
    elif callable(wrong[0]):
        problem = "pass only event types, not the handler"
    else:
        problem = f'an event type must be a string such as "Preempt", not {wrong[0]!r}'
    raise ImdsValidationError(
        f'EventWatcher.on: {problem}. Write @watcher.on("Preempt", "Terminate") above the handler, or '
        'watcher.on("Preempt", "Terminate")(handler)',
        parameter="event_types",
    )


async def _acall(handler: Handler, change: EventChange, seconds: float | None) -> None:
    """Calls an async handler in this task, and any other handler in a thread, which a cancellation does not end."""
    if not _is_async(handler):
        import anyio.to_thread

        await anyio.to_thread.run_sync(handler, change, seconds, abandon_on_cancel=True)
        return
    result: Any = handler(change, seconds)
    await result


def _is_async(handler: Handler) -> bool:
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(type(handler).__call__)
