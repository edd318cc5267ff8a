"""`EventWatcher`: scheduled events as they come, change and go, and handlers that run before they begin.

(Microsoft Learn, "Azure Metadata Service: Scheduled Events for Linux VMs".)
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar, get_args, overload

from attrs import define, evolve, field, frozen

from azure_imds_api.models.known_event_type import KnownEventType
from azure_imds_api.models.scheduled_event import ScheduledEvent
from azure_imds_api.models.start_events_request import StartEventsRequest
from azure_imds_api.models.start_request import StartRequest

from .._client.client import AsyncImdsClient, ImdsClient
from .._client.options import ATTEMPT_SECONDS
from .._client.transport import GivenUp, until_given_up
from .._clock import Clock
from .._log import log
from ..errors import ImdsError, ImdsUnavailableError, ImdsValidationError, ThrottledError

if TYPE_CHECKING:
    from azure_imds_api.models.instance import Instance
    from azure_imds_api.models.scheduled_events import ScheduledEvents

C = TypeVar("C", ImdsClient, AsyncImdsClient)

#: IMDS answers five requests a second, all users of the machine together; further ones get 429.
LEAST_INTERVAL = 0.2
LONGEST_INTERVAL = 3600.0
#: Between two polls of an outage: short beside the 30 seconds of notice that Preempt gives.
LONGEST_BACKOFF = 10.0
#: Without a request for this long the service turns the feature off, and the next answer takes minutes again.
FORGOTTEN_SECONDS = 24 * 3600.0
#: Documents that wait for the machine's name. They differ, so that this many stand for many events.
MOST_PENDING = 1000


@frozen
class EventChange:
    """One difference between two documents.

    Attributes:
        kind: `added`; `changed`, such as from Scheduled to Started, or to another time; `gone`: over, or called off.
        event: the event as it is now; where it is gone, as it was last.
        previous: the event as it was before; None where it is new.
        not_before: when `event` begins at the earliest, in UTC. None if it has begun, or has no time that can be read.
    """

    kind: Literal["added", "changed", "gone"]
    event: ScheduledEvent
    previous: ScheduledEvent | None = None
    not_before: datetime | None = None

    def seconds_left(self, now: datetime | None = None) -> float | None:
        """Seconds until the event may begin; 0.0 when its time has come; None where it is gone, or its time unknown.

        Args:
            now: an aware datetime instead of the present.
        """
        if self.kind == "gone":
            return None
        if self.event.event_status == "Started":
            return 0.0
        if self.not_before is None:
            return None
        return max(0.0, (self.not_before - (now or datetime.now(UTC))).total_seconds())


#: Called with the change and the seconds left for it. It may be an `async def` where the client is an AsyncImdsClient.
Handler = Callable[[EventChange, float | None], object]
H = TypeVar("H", bound=Handler)

#: `on_preempt` and its like, from the specification's list of types.
_FORMS: dict[str, str] = {f"on_{event_type.lower()}": event_type for event_type in get_args(KnownEventType)}


def read_time(text: str | None, event_id: str = "") -> datetime | None:
    """A NotBefore in UTC: RFC 1123, or ISO 8601. None where there is none, or (logged) none that can be read."""
    if text is None or text == "":
        return None
    try:
        moment = datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except Exception:  # the parsers' ways to fail differ between versions of Python, and none may end the watching
        log.warning("scheduled events: NotBefore of event %s cannot be read: %.60r", event_id, text)
        return None


class Differ:
    """Turns documents into changes. What is gone is forgotten."""

    def __init__(self) -> None:
        self._known: dict[str, EventChange] = {}

    def changes(self, events: Iterable[ScheduledEvent]) -> list[EventChange]:
        """What is different since the last call: new and changed events in their order, then those that are gone.

        The events are compared, not DocumentIncarnation: it says only whether they may differ, and whether it ever
        starts again is not documented.
        """
        before, self._known = self._known, {}
        found: list[EventChange] = []
        for event_id, event in {event.event_id: event for event in events}.items():
            last = before.pop(event_id, None)
            if last is None:
                last = EventChange("added", event, None, read_time(event.not_before, event_id))
                found.append(last)
            elif last.event != event:
                same_time = last.event.not_before == event.not_before
                not_before = last.not_before if same_time else read_time(event.not_before, event_id)
                last = EventChange("changed", event, last.event, not_before)
                found.append(last)
            self._known[event_id] = last
        return found + [evolve(last, kind="gone", previous=last.event) for last in before.values()]


@define
class _Turn:
    """When a request is next due, on the monotonic clock, and how often it has failed in a row."""

    due: float
    failures: int = 0

    def succeeded(self, due: float) -> None:
        self.due, self.failures = due, 0

    def failed(self, error: ImdsError, began: float, interval: float) -> None:
        if not self.failures:
            log.warning("scheduled events: IMDS is asked again until it answers: %s", error)
        wait = interval * 2.0 ** min(self.failures, 10)
        if isinstance(error, ThrottledError):
            wait = max(wait, error.retry_after or 0.0)
        self.failures += 1
        self.due = began + max(interval, min(wait, LONGEST_BACKOFF))


@frozen(eq=False)
class _Job:
    """The handlers of one event, one after the other.

    Attributes:
        until: when they must be done, on the monotonic clock; None where that is not known.
        limited: whether there is time at all. Where the event has begun, nothing is gained by breaking off.
        finished: gets a message when they are.
    """

    change: EventChange
    handlers: list[Handler]
    clock: Clock
    until: float | None
    limited: bool
    finished: SimpleQueue[None] = field(factory=SimpleQueue[None])

    @property
    def seconds(self) -> float | None:
        """The time left."""
        return None if self.until is None else max(0.0, self.until - self.clock.monotonic())

    @property
    def overdue(self) -> bool:
        return self.limited and self.seconds == 0

    def __str__(self) -> str:
        return f"{self.change.event.event_type} {self.change.event.event_id}"

    def failed(self, handler: Handler) -> None:
        log.exception("scheduled events: %s: handler %s failed", self, getattr(handler, "__qualname__", repr(handler)))

    def late(self, what: str) -> None:
        log.warning("scheduled events: %s: handlers did not finish in time and were %s", self, what)

    def not_approved(self, error: Exception) -> None:
        log.warning("scheduled events: %s is not approved, and begins by itself: %s", self, error)


class EventWatcher(Generic[C]):
    """Watches this machine's scheduled events: `for change in EventWatcher(client)`, or `async for`.

    It yields an `EventChange` for each event that is new, has changed or is gone. An event that has begun when it is
    first seen, as after a host's failure, is yielded too. Outages of IMDS are survived, with one line in the log for
    each; what changes meanwhile is yielded after them. The loop ends with `stop()` alone.

    A loop that was left can be entered again, and goes on where the other stopped: nothing is yielded twice. After
    `stop()` a watcher stays at its end; make another one to begin anew. One loop, or `run()`, at a time.

    Every poll is one request, and waits no longer than the client's `timeout` (10 seconds). Only the first, which
    turns the feature on, may take as long as the specification says (150 seconds), or the client's `deadline`.

    Args:
        client: an ImdsClient, or an AsyncImdsClient for `async for`. It stays the caller's to close.
        interval: seconds between two polls, 0.2 or more. Azure recommends 1.
        resource: whose events: this machine's own ("auto", its name is taken from the instance metadata), those of
            the machine or machines named here, or all of the group (None). Case does not matter.

    Raises:
        ImdsValidationError: an argument is not of its kind.
        ImdsError: later, from the loop: the client was closed.
    """

    def __init__(self, client: C, *, interval: float = 1.0, resource: str | Collection[str] | None = "auto") -> None:
        if not isinstance(client, (ImdsClient, AsyncImdsClient)):
            raise ImdsValidationError("client must be an ImdsClient or an AsyncImdsClient", parameter="client")
        _check_seconds("interval", interval, LEAST_INTERVAL, LONGEST_INTERVAL)
        options = client.options
        self._client: C = client
        self._interval = interval
        self._mine = None if resource == "auto" else _names(resource)
        self._nameless = resource == "auto"
        self._clock = options.clock
        # The watcher itself is what tries again.
        self._patient: C = client.with_options(retry=None)
        self._brisk: C = client.with_options(retry=None, timeout=options.timeout or ATTEMPT_SECONDS)
        self._answered: float | None = None
        self._began = self._clock.monotonic()
        self._polls = _Turn(self._began)
        self._naming = _Turn(self._began)
        self._pending: deque[ScheduledEvents] = deque(maxlen=MOST_PENDING)
        self._differ = Differ()
        self._ready: deque[EventChange] = deque()
        self._handlers: dict[str, list[Handler]] = {}
        self._stopped = False
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._wake: Callable[[], object] = partial(self._bell.put, None)

    # Iterating

    def __iter__(self: EventWatcher[ImdsClient]) -> Iterator[EventChange]:
        return self

    def __next__(self: EventWatcher[ImdsClient]) -> EventChange:
        if not isinstance(self._client, ImdsClient):
            raise TypeError("this watcher's client is asynchronous: use `async for`")
        while not self._stopped:
            if self._ready:
                return self._ready.popleft()
            self._round()
        raise StopIteration

    def __aiter__(self: EventWatcher[AsyncImdsClient]) -> AsyncIterator[EventChange]:
        return self

    async def __anext__(self: EventWatcher[AsyncImdsClient]) -> EventChange:
        if not isinstance(self._client, AsyncImdsClient):
            raise TypeError("this watcher's client is synchronous: use `for`")
        while not self._stopped:
            if self._ready:
                return self._ready.popleft()
            await self._around()
        raise StopAsyncIteration

    def stop(self) -> None:
        """Ends the loop or `run()` at once, from any thread or task, or from a signal handler.

        A wait ends early, and so does a request under way; only through a transport or an httpx client of the caller's
        an ImdsClient awaits the answer.
        """
        self._stopped = True
        self._wake()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # Approving

    @overload
    def approve(self: EventWatcher[ImdsClient], event: EventChange | ScheduledEvent | str) -> None: ...
    @overload
    def approve(
        self: EventWatcher[AsyncImdsClient], event: EventChange | ScheduledEvent | str
    ) -> Coroutine[Any, Any, None]: ...
    def approve(self: EventWatcher[Any], event: EventChange | ScheduledEvent | str) -> Any:
        """Lets an event begin now: for all machines that it names, as soon as all that must consent have done so.

        Await it where the client is an AsyncImdsClient.

        Args:
            event: the event, a change of it, or its EventId, which is sent letter by letter.

        Raises:
            ImdsValidationError: no event.
            ImdsError: IMDS did not take it; see `azure_imds.errors`.
        """
        event = event.event if isinstance(event, EventChange) else event
        event_id = event.event_id if isinstance(event, ScheduledEvent) else event
        return self._client.scheduled_events.start_events(body=StartEventsRequest([StartRequest(event_id)]))

    # Handlers

    def on(self, event_type: KnownEventType | str, handler: H) -> H:
        """Has `run()` call `handler(change, seconds)` once for each event of this type, when it is first seen.

        Each known type has its short form, which decorates as well: `on_preempt(handler)`, `on_reboot(handler)`, ...
        `seconds` are those left for the handlers: 0.0 where the event has begun, None where its time is not known.

        Args:
            event_type: such as Preempt; case does not matter.
            handler: a function, run in a thread of its own; or an `async def` if the client is an AsyncImdsClient.

        Returns:
            The handler.

        Raises:
            ImdsValidationError: nothing that can be called, or an `async def` with an ImdsClient.
        """
        if not callable(handler):
            raise ImdsValidationError("handler must be a function", parameter="handler")
        if _is_async(handler) and isinstance(self._client, ImdsClient):
            raise ImdsValidationError("an async handler needs an AsyncImdsClient", parameter="handler")
        self._handlers.setdefault(event_type.lower(), []).append(handler)
        return handler

    def __getattr__(self, name: str) -> Callable[[H], H]:
        if name not in _FORMS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return partial(self.on, _FORMS[name])

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_FORMS})

    @overload
    def run(self: EventWatcher[ImdsClient], *, margin: float = 5.0, approve: bool = False) -> None: ...
    @overload
    def run(
        self: EventWatcher[AsyncImdsClient], *, margin: float = 5.0, approve: bool = False
    ) -> Coroutine[Any, Any, None]: ...
    def run(self: EventWatcher[Any], *, margin: float = 5.0, approve: bool = False) -> Any:
        """Watches until `stop()`, and calls the handlers. Await it where the client is an AsyncImdsClient.

        The handlers of one event run one after the other, those of different events side by side, and polling goes
        on meanwhile. They have until `margin` seconds before NotBefore. A handler that raises is logged. One that is
        late is logged, and cancelled if it is async. If there is no time left from the start, because the event has
        begun, they may take what time they need.

        After `stop()` this waits for the handlers that are running, but for none beyond its time.

        Args:
            margin: seconds before NotBefore at which handlers must be done.
            approve: whether to approve an event when all its handlers have returned, none of them with an exception.

        Raises:
            ImdsValidationError: the margin is not a number of seconds.
            ImdsError: the client was closed.
        """
        _check_seconds("margin", margin, 0.0, LONGEST_INTERVAL)
        return self._run(margin, approve) if isinstance(self._client, ImdsClient) else self._arun(margin, approve)

    def _run(self: EventWatcher[ImdsClient], margin: float, approve: bool) -> None:
        running: dict[_Job, threading.Thread] = {}
        failure: Exception | None = None
        try:
            while not self._stopped:
                self._round()
                for job in self._jobs(margin):
                    running[job] = threading.Thread(target=self._handle, args=(job, approve), daemon=True)
                    running[job].start()
                for job in [job for job, thread in running.items() if job.overdue or not thread.is_alive()]:
                    if running.pop(job).is_alive():
                        job.late("left alone")
        except Exception as error:
            failure = error
        for job, thread in running.items():
            if not job.limited:
                thread.join()
            elif not self._clock.wait(job.seconds or 0.0, job.finished):
                job.late("left alone")
        if failure is not None:
            raise failure

    def _handle(self: EventWatcher[ImdsClient], job: _Job, approve: bool) -> None:
        try:
            for handler in job.handlers:
                try:
                    handler(job.change, job.seconds)
                except Exception:
                    job.failed(handler)
                    approve = False
            if approve:
                self.approve(job.change)
        except Exception as error:
            job.not_approved(error)
        finally:
            job.finished.put(None)

    async def _arun(self: EventWatcher[AsyncImdsClient], margin: float, approve: bool) -> None:
        import anyio

        failure: Exception | None = None
        async with anyio.create_task_group() as group:
            try:
                while not self._stopped:
                    await self._around()
                    for job in self._jobs(margin):
                        group.start_soon(self._ahandle, job, approve)
            except Exception as error:
                failure = error
        if failure is not None:
            raise failure

    async def _ahandle(self: EventWatcher[AsyncImdsClient], job: _Job, approve: bool) -> None:
        import anyio

        with anyio.move_on_after(job.seconds if job.limited else None) as scope:
            try:
                for handler in job.handlers:
                    try:
                        await _called(handler, job.change, job.seconds)
                    except Exception:
                        job.failed(handler)
                        approve = False
                if approve:
                    await self.approve(job.change)
            except Exception as error:
                job.not_approved(error)
        if scope.cancelled_caught:
            job.late("cancelled")

    def _jobs(self, margin: float) -> Iterator[_Job]:
        while self._ready:
            change = self._ready.popleft()
            handlers = self._handlers.get(str(change.event.event_type).lower(), [])
            if change.kind == "added" and handlers:
                left = change.seconds_left(datetime.fromtimestamp(self._clock.time(), UTC))
                left = None if left is None else max(0.0, left - margin)
                until = None if left is None else self._clock.monotonic() + left
                yield _Job(change, list(handlers), self._clock, until, bool(left))

    # Polling: the two ways differ by `await`, and by how a wait is ended early

    def _round(self: EventWatcher[ImdsClient]) -> None:
        wait = self._polls.due - self._clock.monotonic()
        if wait > 0:
            self._clock.wait(wait, self._bell)
        if self._stopped:
            return
        turn = self._polls
        try:
            with until_given_up(lambda: self._stopped):
                self._saw(self._asking().scheduled_events.get_events())
                if self._asks_for_name():
                    turn = self._naming
                    self._named(self._brisk.instances.get_metadata())
        except GivenUp:
            return
        except ImdsError as error:
            self._missed(turn, error)

    async def _around(self: EventWatcher[AsyncImdsClient]) -> None:
        import anyio

        with anyio.CancelScope() as scope:
            self._wake = _from_anywhere(scope.cancel)
            turn = self._polls
            try:
                wait = self._polls.due - self._clock.monotonic()
                if wait > 0 and not self._stopped:
                    await self._clock.asleep(wait)
                if self._stopped:
                    return
                self._saw(await self._asking().scheduled_events.get_events())
                if self._asks_for_name():
                    turn = self._naming
                    self._named(await self._brisk.instances.get_metadata())
            except ImdsError as error:
                self._missed(turn, error)
            finally:
                self._wake = partial(self._bell.put, None)

    # What each step means

    def _asking(self) -> C:
        """The client for the poll that begins now."""
        self._began = self._clock.monotonic()
        asleep = self._answered is None or self._began - self._answered >= FORGOTTEN_SECONDS
        return self._patient if asleep else self._brisk

    def _saw(self, document: ScheduledEvents) -> None:
        self._answered = self._clock.monotonic()
        self._polls.succeeded(self._began + self._interval)
        if not self._pending or self._pending[-1].events != document.events:
            self._pending.append(document)
        self._release()

    def _asks_for_name(self) -> bool:
        """Whether the machine's name is to be asked for now. Meanwhile polling goes on at its own pace."""
        asks = self._nameless and self._naming.due <= self._clock.monotonic()
        if asks:
            self._polls.due = max(self._polls.due, self._began + 2 * LEAST_INTERVAL)  # these are two requests
        return asks

    def _named(self, instance: Instance) -> None:
        name = instance.compute.name if instance.compute else None
        if not name:
            raise ImdsUnavailableError(
                "the instance metadata does not name this machine, so that no event is known to be its own",
                hint="Give the watcher a resource, or None for all.",
            )
        self._mine = _names(name)
        self._nameless = False
        self._release()

    def _release(self) -> None:
        """Compares the documents seen, as soon as it is known whose events count."""
        while self._pending and not self._nameless:
            events = self._pending.popleft().events
            self._ready += self._differ.changes(event for event in events if self._concerned(event))

    def _concerned(self, event: ScheduledEvent) -> bool:
        return self._mine is None or not self._mine.isdisjoint(map(_plain, event.resources))

    def _missed(self, turn: _Turn, error: ImdsError) -> None:
        closed = type(error) is ImdsError  # every other trouble has a class of its own
        if closed or isinstance(error, ImdsValidationError):
            raise error
        turn.failed(error, self._began, self._interval)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._client!r}, interval={self._interval!r})"


async def _called(handler: Handler, change: EventChange, seconds: float | None) -> None:
    """Calls a handler: in the event loop if it is async, else in a thread, which is left alone if it is late."""
    if not _is_async(handler):
        import anyio.to_thread

        await anyio.to_thread.run_sync(handler, change, seconds, abandon_on_cancel=True)
        return
    result: Any = handler(change, seconds)
    await result


def _is_async(handler: Handler) -> bool:
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(type(handler).__call__)


def _from_anywhere(action: Callable[[], object]) -> Callable[[], None]:
    """`action` for the running event loop, callable from other threads and from signal handlers."""
    soon: Callable[[Callable[[], object]], object]
    try:
        soon = asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:
        import trio

        soon = trio.lowlevel.current_trio_token().run_sync_soon

    def call() -> None:
        try:
            soon(action)
        except RuntimeError:  # the loop has just ended, and with it what was to be woken
            return

    return call


def _plain(name: str) -> str:
    """A resource's name to compare by. Until 2017-08-01 events have an underscore before it; no real name has one."""
    return name.removeprefix("_").casefold()


def _names(resource: str | Collection[str] | None) -> frozenset[str] | None:
    if resource is None:
        return None
    if isinstance(resource, Collection):
        given: list[object] = [resource] if isinstance(resource, str) else list(resource)
        names = [name for name in given if isinstance(name, str) and name]
        if names and len(names) == len(given):
            return frozenset(map(_plain, names))
    raise ImdsValidationError('resource must be "auto", a name, some names, or None', parameter="resource")


def _check_seconds(name: str, value: float, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise ImdsValidationError(f"{name} must be a number of seconds from {least:g} to {most:g}", parameter=name)
