"""Tools of the event tests: an IMDS that returns prepared documents, watchers in threads, and a clock for handlers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from typing import Any

import anyio
import httpx
from attrs import field, frozen

from azure_imds import EventChange, EventWatcher, ImdsClient
from azure_imds_api.models.scheduled_event import ScheduledEvent
from support import Colour, FakeClock, answer

START = 1_700_000_000.0

#: What the fake IMDS returns for one poll: events, a whole answer, an error, or a function that returns one of these.
Document = list[dict[str, Any]] | httpx.Response | Exception | Callable[[], Any]


def an_event(event_id: str = "A", **changes: Any) -> dict[str, Any]:
    """A reboot of vm-0 in 15 minutes, as IMDS announces it."""
    event = {
        "EventId": event_id,
        "EventStatus": "Scheduled",
        "EventType": "Reboot",
        "ResourceType": "VirtualMachine",
        "Resources": ["vm-0"],
        "NotBefore": formatdate(START + 900, usegmt=True),
        "Description": "Host server is undergoing maintenance.",
        "EventSource": "Platform",
        "DurationInSeconds": -1,
    }
    return {**event, **changes}


def started(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "EventStatus": "Started", "NotBefore": ""}


def model(event: dict[str, Any]) -> ScheduledEvent:
    return ScheduledEvent.from_dict(event)


def named(name: str) -> httpx.Response:
    """Instance metadata with the name of the machine."""
    return answer(200, {"compute": {"name": name}})


class Host(httpx.MockTransport):
    """A fake IMDS that returns its documents in turn. Then it repeats the last one and calls `after` each time."""

    def __init__(self, *documents: Document, instance: tuple[httpx.Response | Exception, ...] = (named("vm-0"),)):
        self.requests: list[httpx.Request] = []
        self.posted: list[Any] = []
        self.consent: httpx.Response | Exception = answer(200)
        self.after: Callable[[], object] = lambda: None
        self._documents = list(documents)
        self._instance = list(instance)
        self._last: Document = []
        self._incarnation = 0
        super().__init__(self._handle)

    def __str__(self) -> str:
        return "host"

    def count(self, path: str) -> int:
        return sum(request.method == "GET" and request.url.path.endswith(path) for request in self.requests)

    @property
    def polls(self) -> list[httpx.Request]:
        return [request for request in self.requests if request.url.path.endswith("/scheduledevents")]

    @property
    def read_timeouts(self) -> list[float]:
        """The read timeout of each poll, in seconds."""
        return [round(request.extensions["timeout"]["read"], 3) for request in self.polls]

    def _handle(self, request: httpx.Request) -> Any:
        self.requests.append(request)
        if request.method == "POST":
            self.posted.append(json.loads(request.content))
            return self._reply(self.consent)
        if request.url.path.endswith("/instance"):
            return self._reply(self._instance.pop(0) if len(self._instance) > 1 else self._instance[0])
        if self._documents:
            self._last = self._documents.pop(0)
            self._incarnation += 1
        else:
            self.after()
        return self._reply(self._last)

    def _reply(self, document: Any) -> Any:
        if callable(document):
            document = document()
        if isinstance(document, Exception):
            raise document
        if isinstance(document, list):
            return answer(200, {"DocumentIncarnation": self._incarnation, "Events": document})
        if isinstance(document, httpx.Response):
            return httpx.Response(document.status_code, headers=document.headers, content=document.content)
        return document  # a coroutine


def all_of(watcher: Any) -> Any:
    """Everything that a watcher yields until it ends: a list, or a coroutine that returns one."""
    if isinstance(watcher._client, ImdsClient):
        return list(watcher)
    return all_of_async(watcher)


async def all_of_async(watcher: Any) -> list[EventChange]:
    return [change async for change in watcher]


def watch(colour: Colour, host: Host, *, client: dict[str, Any] | None = None, **options: Any) -> list[EventChange]:
    """Returns the changes that a watcher yields for all documents of the host."""

    def action(imds: Any) -> Any:
        watcher = EventWatcher(imds, **options)
        host.after = watcher.stop
        return all_of(watcher)

    changes: list[EventChange] = colour.run(action, **{"transport": host, "clock": FakeClock(START), **(client or {})})
    return changes


def seen(changes: list[EventChange]) -> list[tuple[str, str, str]]:
    return [(change.kind, change.event.event_id, str(change.event.event_status)) for change in changes]


#: A whole life of event A, as `seen` shows it.
LIFE = [("added", "A", "Scheduled"), ("changed", "A", "Started"), ("gone", "A", "Started")]


@frozen
class Background:
    """A watcher in a thread."""

    thread: threading.Thread
    watchers: list[Any] = field(factory=list)
    results: list[Any] = field(factory=list)
    stopping: threading.Event = field(factory=threading.Event)

    def stop(self) -> None:
        """Stops the watcher and waits for the thread."""
        self.stopping.set()
        for watcher in self.watchers:
            watcher.stop()
        self.thread.join(30)


@contextmanager
def in_background(
    colour: Colour, *, use: Callable[[Any], Any] = all_of, resource: Any = "auto", interval: float = 1.0, **client: Any
) -> Iterator[Background]:
    """Uses a watcher in a thread. At the end the watcher is stopped, also after a failed assertion."""

    def action(imds: Any) -> Any:
        watcher = EventWatcher(imds, resource=resource, interval=interval)
        background.watchers.append(watcher)
        if background.stopping.is_set():  # so early that stop() has not seen the watcher
            watcher.stop()
        return use(watcher)

    thread = threading.Thread(target=lambda: background.results.append(colour.run(action, **client)), daemon=True)
    background = Background(thread)
    thread.start()
    try:
        yield background
    finally:
        background.stop()


class HandClock(FakeClock):
    """Time passes only when a test calls `turn`. Each call allows one poll."""

    def attach(self, watcher: Any) -> Any:
        self.wakeups = watcher._poller._wakeups
        return watcher

    def turn(self, seconds: float = 1.0) -> None:
        self.now += seconds
        self.wakeups.put(None)

    def wait(self, seconds: float, bell: Any) -> bool:
        bell.get(timeout=30)
        return True

    async def asleep(self, seconds: float) -> None:
        with anyio.fail_after(30):
            while self.wakeups.empty():
                await anyio.lowlevel.checkpoint()
        self.wakeups.get()


def run(
    colour: Colour, host: Host, prepare: Callable[[Any, HandClock], object], *, resource: Any = "vm-0", **options: Any
) -> None:
    """Calls `watcher.run()`, after `prepare(watcher, clock)` has registered handlers."""
    clock = HandClock(START)

    def action(imds: Any) -> Any:
        watcher = clock.attach(EventWatcher(imds, resource=resource))
        prepare(watcher, clock)
        return watcher.run(**options)

    colour.run(action, transport=host, clock=clock, retry=None)


def as_handler(colour: Colour, function: Callable[[EventChange, float | None], object], *, asynchronous: bool) -> Any:
    """The function as a handler: an `async def` if wanted and if the client can await it."""
    if not asynchronous or colour.name == "sync":
        return function

    async def handler(change: EventChange, seconds: float | None) -> None:
        function(change, seconds)

    return handler
