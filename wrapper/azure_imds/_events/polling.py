"""Polling: when `EventWatcher` sends a request, and how it handles the answer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

from attrs import define

from azure_imds_api.models.scheduled_event import ScheduledEvent

from .._client.async_client import AsyncImdsClient
from .._client.client import ImdsClient
from .._client.client_base import with_cancellation
from .._client.options import ATTEMPT_SECONDS, Options
from .._client.sync_transport import RequestCancelled
from .._clock import Clock
from .._interruptions import is_interruption
from .._log import error_fields, log
from ..errors import ImdsError, ImdsUnavailableError, ImdsValidationError, ThrottledError
from .changes import ChangeDetector, EventChange

if TYPE_CHECKING:
    from azure_imds_api.models.instance import Instance
    from azure_imds_api.models.scheduled_events import ScheduledEvents

C = TypeVar("C", ImdsClient, AsyncImdsClient)

#: Seconds between two polls. IMDS answers five requests a second from all programs of the machine together. It answers
#: further requests with 429.
MIN_INTERVAL = 0.2
MAX_INTERVAL = 3600.0
#: The longest wait between two polls during an outage, in seconds. Preempt gives only 30 seconds of notice.
MAX_BACKOFF = 10.0
#: After this many seconds without a request, IMDS turns scheduled events off. The next answer then takes minutes.
IDLE_SECONDS = 24 * 3600.0
#: How many documents are kept while the machine's name is unknown. Each differs from the one before.
MAX_PENDING = 1000


@define
class _Schedule:
    """When a request is due next, on the monotonic clock, and how often it has failed in a row."""

    due: float
    failures: int = 0

    def record_success(self, due: float) -> None:
        self.due, self.failures = due, 0

    def record_failure(self, error: ImdsError, began: float, interval: float, clock: Clock) -> None:
        if not self.failures:
            log.warning(
                "scheduled events: a request failed, and is retried until IMDS answers: %s",
                error,
                extra=error_fields(error),
            )
        longest = min(interval * 2.0 ** min(self.failures, 10), MAX_BACKOFF)
        # Random, so that machines which failed together do not poll together.
        wait = interval + clock.jitter(max(0.0, longest - interval))
        if isinstance(error, ThrottledError):
            wait = max(wait, min(error.retry_after or 0.0, MAX_BACKOFF))
        self.failures += 1
        self.due = began + wait


class Poller(Generic[C]):
    """Polls IMDS once per interval, and turns the answers into changes.

    Attributes:
        interval: seconds between two polls.
        changes: the changes found so far, which the caller removes.
        stopped: whether `stop()` was called.
    """

    def __init__(self, client: C, interval: float, resource: str | Collection[str] | None) -> None:
        options: Options = client.options
        self.interval = interval
        self.changes: deque[EventChange] = deque()
        self.stopped = False
        self._clock = options.clock
        # The next poll is the retry. Only the first answer may take longer than a usual attempt.
        cancellable: C = with_cancellation(client, lambda: self.stopped)
        self._slow_client: C = cancellable.with_options(retry=None)
        self._quick_client: C = cancellable.with_options(retry=None, timeout=options.timeout or ATTEMPT_SECONDS)
        self._needs_name = resource == "auto"
        self._names = None if self._needs_name else _resource_names(resource)
        self._answered: float | None = None
        self._began = self._clock.monotonic()
        self._poll_schedule = _Schedule(self._began)
        self._name_schedule = _Schedule(self._began)
        self._pending: deque[ScheduledEvents] = deque(maxlen=MAX_PENDING)
        self._detector = ChangeDetector()
        self._wakeups: SimpleQueue[None] = SimpleQueue()
        self._wake: Callable[[], object] = partial(self._wakeups.put, None)

    def poll(self: Poller[ImdsClient]) -> None:
        """Waits until the next poll is due, sends it, and adds what has changed to `changes`.

        Raises:
            ImdsError: the client was closed. Other errors are logged, and the next poll tries again.
        """
        with self._end_on_stop():
            if wait := self._seconds_to_wait():
                self._clock.wait(wait, self._wakeups)
            if self.stopped:
                return
            schedule = self._poll_schedule
            try:
                self._on_document(self._polling_client().scheduled_events.get_events())
                if self._must_fetch_name():
                    schedule = self._name_schedule
                    self._on_name(self._quick_client.instances.get_metadata())
            except ImdsError as error:
                self._on_error(schedule, error)

    async def apoll(self: Poller[AsyncImdsClient]) -> None:
        """The same as `poll`, for asyncio and trio."""
        with self._cancel_on_stop():
            if wait := self._seconds_to_wait():
                await self._clock.asleep(wait)
            if self.stopped:
                return
            schedule = self._poll_schedule
            try:
                self._on_document(await self._polling_client().scheduled_events.get_events())
                if self._must_fetch_name():
                    schedule = self._name_schedule
                    self._on_name(await self._quick_client.instances.get_metadata())
            except ImdsError as error:
                self._on_error(schedule, error)

    def stop(self) -> None:
        """Ends the poll that is running, and all later ones. Safe in other threads and in signal handlers."""
        self.stopped = True
        self._wake()

    @contextmanager
    def _end_on_stop(self) -> Generator[None]:
        """Lets `stop()` end a request of this thread."""
        try:
            yield
        except RequestCancelled:
            return

    @contextmanager
    def _cancel_on_stop(self) -> Generator[None]:
        """Lets `stop()` cancel a wait or a request of this task."""
        import anyio

        with anyio.CancelScope() as scope:
            self._wake = _from_any_thread(scope.cancel)
            try:
                yield
            finally:
                self._wake = partial(self._wakeups.put, None)

    def _seconds_to_wait(self) -> float:
        return 0.0 if self.stopped else max(0.0, self._poll_schedule.due - self._clock.monotonic())

    def _polling_client(self) -> C:
        """Begins a poll, and returns the client for it."""
        self._began = self._clock.monotonic()
        idle = self._answered is None or self._began - self._answered >= IDLE_SECONDS
        return self._slow_client if idle else self._quick_client

    def _on_document(self, document: ScheduledEvents) -> None:
        wait = self.interval
        if self._answered is None:
            # Random, so that machines which started together do not poll together. A wait that is too short gets an
            # interval more: with a common minimum, many would poll together.
            wait = self._clock.jitter(self.interval)
            if wait < MIN_INTERVAL * (2 if self._needs_name else 1):
                wait += self.interval
        self._answered = self._clock.monotonic()
        self._poll_schedule.record_success(self._began + wait)
        if not self._pending or self._pending[-1].events != document.events:
            self._pending.append(document)
        self._detect_changes()

    def _must_fetch_name(self) -> bool:
        """Whether to fetch the machine's name in this poll. Until the name is known, polling keeps its interval."""
        fetch = self._needs_name and self._name_schedule.due <= self._clock.monotonic()
        if fetch:
            # This poll is two requests, which both count toward the rate limit.
            self._poll_schedule.due = max(self._poll_schedule.due, self._began + 2 * MIN_INTERVAL)
        return fetch

    def _on_name(self, instance: Instance) -> None:
        name = instance.compute.name
        if not name:
            raise ImdsUnavailableError(
                "the instance metadata does not contain the name of this machine, which EventWatcher needs to find the "
                "events of this machine",
                hint="Give EventWatcher a resource: the machine's name, or None for the events of all machines.",
            )
        self._names = _resource_names(name)
        self._needs_name = False
        self._detect_changes()

    def _detect_changes(self) -> None:
        """Compares the pending documents, once it is known which resources count."""
        while self._pending and not self._needs_name:
            events = self._pending.popleft().events
            self.changes += self._detector.detect(event for event in events if self._affects_resources(event))

    def _affects_resources(self, event: ScheduledEvent) -> bool:
        return self._names is None or not self._names.isdisjoint(map(_comparable, event.resources))

    def _on_error(self, schedule: _Schedule, error: ImdsError) -> None:
        closed = type(error) is ImdsError  # all other failures have a subclass
        if closed or isinstance(error, ImdsValidationError):
            raise error
        schedule.record_failure(error, self._began, self.interval, self._clock)


def _from_any_thread(action: Callable[[], object]) -> Callable[[], None]:
    """Wraps `action`, which belongs to the running event loop, for use in other threads and in signal handlers."""
    run_soon: Callable[[Callable[[], object]], object]
    try:
        run_soon = asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError as error:
        if is_interruption(error):
            raise
        import trio

        run_soon = trio.lowlevel.current_trio_token().run_sync_soon

    def call() -> None:
        try:
            run_soon(action)
        except RuntimeError:  # the event loop has ended, and the task with it
            return

    return call


def _comparable(name: str) -> str:
    """Returns a resource's name in the form in which names are compared.

    Up to api-version 2017-08-01, names in events start with an underscore. Names of machines never do.
    """
    return name.removeprefix("_").casefold()


def _resource_names(resource: str | Collection[str] | None) -> frozenset[str] | None:
    if resource is None:
        return None
    if isinstance(resource, Collection):
        given: list[object] = [resource] if isinstance(resource, str) else list(resource)
        names = [name for name in given if isinstance(name, str) and name]
        if names and len(names) == len(given):
            return frozenset(map(_comparable, names))
    raise ImdsValidationError(
        'EventWatcher: resource must be "auto", None, the name of a machine such as "vmss_1", or a list of names such '
        'as ["vmss_1", "vmss_2"]',
        parameter="resource",
    )
