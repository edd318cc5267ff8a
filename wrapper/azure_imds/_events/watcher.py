"""`EventWatcher`: an iterator over the changes of scheduled events, which also runs handlers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator
from types import TracebackType
from typing import Any, Generic, Self, overload

from azure_imds_api.models.known_event_type import KnownEventType
from azure_imds_api.models.scheduled_event import ScheduledEvent
from azure_imds_api.models.start_events_request import StartEventsRequest
from azure_imds_api.models.start_request import StartRequest

from .._client.async_client import AsyncImdsClient
from .._client.client import ImdsClient
from ..errors import ImdsValidationError
from .changes import EventChange
from .handlers import H, HandlerRegistry, HandlerTasks, HandlerThreads
from .polling import MAX_INTERVAL, MIN_INTERVAL, C, Poller


class EventWatcher(Generic[C]):
    """Watches scheduled events: `for change in EventWatcher(client)`, or `async for` with an AsyncImdsClient.

    It yields an `EventChange` for each event that is new, has changed or is gone. An event that has already started
    when it is first seen, such as after a host failure, is yielded as new.

    The loop ends only after `stop()`. During an outage of IMDS the watcher keeps polling and writes one warning to the
    log `azure_imds`. After the outage it yields what has changed.

    You can leave a loop and start another one, which continues where the first stopped: no change is yielded twice.
    After `stop()` the watcher stays stopped. Use one loop, or one `run()`, at a time.

    A poll is one request, which takes no longer than the client's `timeout` (10 seconds). The first request turns
    scheduled events on for the machine. It may take as long as the API description allows (150 seconds), or the
    client's `deadline` if it has one.

    Args:
        client: an ImdsClient, or an AsyncImdsClient for `async for`. The watcher does not close it.
        interval: seconds between two polls, from 0.2 to 3600. Azure recommends 1.
        resource: the machines whose events are yielded. `"auto"`: this machine, whose name is read from the instance
            metadata. A name or a collection of names: those machines. None: all machines of the availability set or
            scale set. Case does not matter.

    Raises:
        ImdsValidationError: an argument has the wrong type or is out of range.
        ImdsError: raised later by the loop or by `run()`, after the client was closed.
    """

    def __init__(self, client: C, *, interval: float = 1.0, resource: str | Collection[str] | None = "auto") -> None:
        if not isinstance(client, (ImdsClient, AsyncImdsClient)):
            raise ImdsValidationError(
                f"EventWatcher: client must be an ImdsClient or an AsyncImdsClient, not {type(client).__name__}. Write "
                "EventWatcher(ImdsClient())",
                parameter="client",
            )
        _check_seconds("EventWatcher", "interval", interval, MIN_INTERVAL, MAX_INTERVAL)
        self._client: C = client
        self._clock = client.options.clock
        self._poller: Poller[C] = Poller(client, interval, resource)
        self._handlers = HandlerRegistry(self._clock, allow_async=isinstance(client, AsyncImdsClient))

    def __iter__(self: EventWatcher[ImdsClient]) -> Iterator[EventChange]:
        return self

    def __next__(self: EventWatcher[ImdsClient]) -> EventChange:
        if not isinstance(self._client, ImdsClient):
            raise TypeError("EventWatcher: the client is an AsyncImdsClient: use `async for`")
        while not self._poller.stopped:
            if self._poller.changes:
                return self._poller.changes.popleft()
            self._poller.poll()
        raise StopIteration

    def __aiter__(self: EventWatcher[AsyncImdsClient]) -> AsyncIterator[EventChange]:
        return self

    async def __anext__(self: EventWatcher[AsyncImdsClient]) -> EventChange:
        if not isinstance(self._client, AsyncImdsClient):
            raise TypeError("EventWatcher: the client is an ImdsClient: use `for`")
        while not self._poller.stopped:
            if self._poller.changes:
                return self._poller.changes.popleft()
            await self._poller.apoll()
        raise StopAsyncIteration

    def stop(self) -> None:
        """Ends the loop or `run()`. It can be called in any thread or task, and in a signal handler.

        A wait between polls and a request that is running end at once. There is one exception: with an
        ImdsClient that has its own `transport` or `http_client`, the loop ends when the request ends.
        """
        self._poller.stop()

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

    @overload
    def approve(self: EventWatcher[ImdsClient], event: EventChange | ScheduledEvent | str) -> None: ...
    @overload
    def approve(
        self: EventWatcher[AsyncImdsClient], event: EventChange | ScheduledEvent | str
    ) -> Coroutine[Any, Any, None]: ...
    def approve(self: EventWatcher[Any], event: EventChange | ScheduledEvent | str) -> Any:
        """Approves an event, so that it can start before its `not_before`. Await it with an AsyncImdsClient.

        One approval counts for all machines that the event names.

        Args:
            event: the event, a change of it, or its EventId. The id is sent unchanged.

        Raises:
            ImdsValidationError: the argument is not an event or an EventId.
            ImdsError: IMDS did not accept the approval. See `azure_imds.errors`.
        """
        event_id = _event_id("approve", event)
        return self._client.scheduled_events.start_events(body=StartEventsRequest([StartRequest(event_id)]))

    def seconds_left(self, event: EventChange | ScheduledEvent | str) -> float | None:
        """Returns the seconds that the handlers of an event have now.

        A handler that runs for long calls it from time to time, since the event can be given another time meanwhile.
        While `run()` polls, the number follows the newest answer of IMDS. It can be called in any thread.

        Args:
            event: the event, a change of it, or its EventId.

        Returns:
            Seconds until `margin` seconds before the event's `not_before`, or 0.0 if that has passed. None if the time
            is unknown, if the event is gone, which means that it has ended or was cancelled, or if no handler was
            called for it.

        Raises:
            ImdsValidationError: the argument is not an event or an EventId.
        """
        return self._handlers.seconds_left(_event_id("seconds_left", event))

    def on(self, *event_types: KnownEventType | str) -> Callable[[H], H]:
        """Returns a decorator that registers a handler for events of these types.

        `run()` calls `handler(change, seconds)` once for each event, when the event is first seen. `seconds` is the
        time left for the handlers. It is 0.0 if the event has started, and None if the time is unknown. The time can
        change while the handler runs: see `seconds_left`.

            @watcher.on("Preempt", "Terminate")
            def drain(change, seconds): ...

        The handler is a function, which runs in a thread. With an AsyncImdsClient it can also be an `async def`.

        Args:
            event_types: one or more event types. Case does not matter. A type that the API description does not contain
                is accepted, and logs one warning.

        Returns:
            A decorator that returns the handler unchanged.

        Raises:
            ImdsValidationError: there is no event type, or an argument is not a string. The decorator raises it if the
                handler cannot be called, or if it is an `async def` and the client is an ImdsClient.
        """
        return self._handlers.register(event_types)

    @overload
    def run(self: EventWatcher[ImdsClient], *, margin: float = 5.0, approve: bool = False) -> None: ...
    @overload
    def run(
        self: EventWatcher[AsyncImdsClient], *, margin: float = 5.0, approve: bool = False
    ) -> Coroutine[Any, Any, None]: ...
    def run(self: EventWatcher[Any], *, margin: float = 5.0, approve: bool = False) -> Any:
        """Watches until `stop()` is called, and calls the handlers. Await it with an AsyncImdsClient.

        Handlers of one event run one after the other. Handlers of different events run in parallel, and polling
        continues meanwhile. The handlers of an event have until `margin` seconds before its `not_before`. If a later
        answer of IMDS has another `not_before`, this deadline moves with it:

        - A handler that raises an exception is logged.
        - A handler that is late is logged. If it is an `async def`, it is also cancelled.
        - If no time was left when the event was first seen, if its time is unknown, or after it was cancelled, there is
          no limit.

        After `stop()`, this method waits until the running handlers have finished or are late.

        Args:
            margin: seconds before `not_before` at which the handlers must have finished, from 0 to 3600.
            approve: whether to approve an event after all of its handlers have returned without an exception. Events
                that have started or are gone by then are not approved.

        Raises:
            ImdsValidationError: the margin is not a number of seconds.
            ImdsError: the client was closed.
        """
        _check_seconds("EventWatcher.run", "margin", margin, 0.0, MAX_INTERVAL)
        return self._run(margin, approve) if isinstance(self._client, ImdsClient) else self._arun(margin, approve)

    def _run(self: EventWatcher[ImdsClient], margin: float, approve: bool) -> None:
        with HandlerThreads(self._clock, self.approve if approve else None) as threads:
            while not self._poller.stopped:
                self._poller.poll()
                for job in self._handlers.new_jobs(self._poller.changes, margin):
                    threads.start(job)
                threads.abandon_late()

    async def _arun(self: EventWatcher[AsyncImdsClient], margin: float, approve: bool) -> None:
        async with HandlerTasks(self.approve if approve else None) as tasks:
            while not self._poller.stopped:
                await self._poller.apoll()
                for job in self._handlers.new_jobs(self._poller.changes, margin):
                    tasks.start(job)
                tasks.move_deadlines()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._client!r}, interval={self._poller.interval!r})"


def _event_id(method: str, event: EventChange | ScheduledEvent | str) -> str:
    event = event.event if isinstance(event, EventChange) else event
    event_id = event.event_id if isinstance(event, ScheduledEvent) else event
    if not isinstance(event_id, str) or not event_id:
        raise ImdsValidationError(
            f"EventWatcher.{method}: event must be an EventChange, a ScheduledEvent or the text of an EventId. Write "
            f"watcher.{method}(change)",
            parameter="event",
        )
    return event_id


def _check_seconds(caller: str, name: str, value: float, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise ImdsValidationError(
            f"{caller}: {name} must be a number of seconds from {least:g} to {most:g}, such as {name}=5",
            parameter=name,
        )
