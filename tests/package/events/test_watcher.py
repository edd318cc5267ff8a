"""EventWatcher: its arguments, its loops, how they end, and how events are approved."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import httpx
import pytest

import azure_imds
from azure_imds import (
    AsyncImdsClient,
    BadRequestError,
    EventChange,
    EventWatcher,
    ImdsClient,
    ImdsError,
    ImdsValidationError,
)
from events_support import LIFE, START, Host, all_of, all_of_async, an_event, in_background, model, seen, started
from support import COLOURS, Colour, FakeClock, answer, raw_server, read_request


@pytest.mark.parametrize("interval", [0.19, 0, -1, float("nan"), float("inf"), 10**400, 3601, True, "1", None])
def test_the_interval_is_checked(interval: Any) -> None:
    with ImdsClient() as imds, pytest.raises(ImdsValidationError) as caught:
        EventWatcher(imds, interval=interval)
    assert caught.value.parameter == "interval"
    assert (
        str(caught.value) == "EventWatcher: interval must be a number of seconds from 0.2 to 3600, such as interval=5"
    )


@pytest.mark.parametrize("client", [None, "http://127.0.0.1", httpx.Client, ImdsClient])
def test_the_client_is_checked(client: Any) -> None:
    with pytest.raises(ImdsValidationError, match=r"^EventWatcher: client must be an ImdsClient") as caught:
        EventWatcher(client)
    assert caught.value.parameter == "client"


def test_the_wrong_kind_of_loop_names_the_right_one() -> None:
    with ImdsClient() as imds, pytest.raises(TypeError, match="use `for`"):
        anyio.run(all_of_async, EventWatcher(imds))
    with pytest.raises(TypeError, match="use `async for`"):
        list(EventWatcher(AsyncImdsClient()))  # type: ignore[misc]


def test_a_second_loop_continues_where_the_first_one_was_left(colour: Colour) -> None:
    host = Host([an_event("A"), an_event("B")], [an_event("B")])

    def action(imds: Any) -> Any:
        watcher = EventWatcher(imds)
        host.after = watcher.stop
        if isinstance(imds, ImdsClient):
            changes = []
            for change in watcher:
                changes.append(change)
                break
            return [*changes, *watcher]

        async def main() -> list[EventChange]:
            changes = []
            async for change in watcher:
                changes.append(change)
                break
            return [*changes, *[change async for change in watcher]]

        return main()

    changes = colour.run(action, transport=host, clock=FakeClock(START))
    assert [(change.kind, change.event.event_id) for change in changes] == [
        ("added", "A"),
        ("added", "B"),
        ("gone", "A"),
    ]


def test_a_closed_client_ends_the_loop_with_its_error(colour: Colour) -> None:
    host = Host([an_event()])

    def action(imds: Any) -> Any:
        watcher = EventWatcher(imds)
        if isinstance(imds, ImdsClient):
            next(watcher)
            imds.close()
            return next(watcher)

        async def main() -> EventChange:
            await anext(watcher)
            await imds.close()
            return await anext(watcher)

        return main()

    error = colour.error(action, transport=host, clock=FakeClock(START))
    assert type(error) is ImdsError
    assert "closed" in str(error)


def test_a_closed_http_client_ends_the_loop_too(colour: Colour) -> None:
    host = Host([an_event()])
    kind = httpx.Client if colour.name == "sync" else httpx.AsyncClient
    theirs: Any = kind(transport=host)

    def action(imds: Any) -> Any:
        watcher = EventWatcher(imds)
        if isinstance(imds, ImdsClient):
            next(watcher)
            theirs.close()
            return next(watcher)

        async def main() -> EventChange:
            await anext(watcher)
            await theirs.aclose()
            return await anext(watcher)

        return main()

    error = colour.error(action, http_client=theirs, clock=FakeClock(START))
    assert type(error) is ImdsError
    assert "closed" in str(error)


def test_stop_before_the_loop_ends_it(colour: Colour) -> None:
    def action(imds: Any) -> Any:
        watcher = EventWatcher(imds)
        watcher.stop()
        watcher.stop()
        return all_of(watcher)

    host = Host([an_event()])
    assert colour.run(action, transport=host) == []
    assert not host.requests


def test_stop_discards_the_changes_that_were_not_yielded() -> None:
    with ImdsClient(transport=Host([an_event("A"), an_event("B")])) as imds:
        watcher = EventWatcher(imds)
        for _ in watcher:
            watcher.stop()
        assert list(watcher) == []


def test_the_end_of_the_context_stops_the_watcher(colour: Colour) -> None:
    def action(imds: Any) -> Any:
        if isinstance(imds, ImdsClient):
            with EventWatcher(imds) as watcher:
                next(watcher)
            return list(watcher)

        async def main() -> list[EventChange]:
            async with EventWatcher(imds) as watcher:
                await anext(watcher)
            with watcher as same:
                return [change async for change in same]

        return main()

    assert colour.run(action, transport=Host([an_event()])) == []


def test_stop_from_another_thread_ends_a_wait(colour: Colour) -> None:
    waiting = threading.Event()
    host = Host(lambda: waiting.set() or [])
    with in_background(colour, interval=3600, resource=None, transport=host) as background:
        assert waiting.wait(30)
        background.stop()
        assert background.results == [[]]
        background.watchers[0].stop()  # its event loop has ended


def test_stop_from_another_thread_ends_a_request(colour: Colour) -> None:
    asked = threading.Event()

    def silent(connection: socket.socket) -> None:
        while connection.recv(65536):
            asked.set()

    with raw_server(silent) as url, in_background(colour, resource=None, endpoint=url) as background:
        assert asked.wait(30)
        assert background.thread.is_alive()
        background.stop()  # waits 30 seconds, and the first answer may take 150
        assert background.results == [[]]


@pytest.fixture
def alarm() -> Iterator[Callable[[], object]]:
    """Sends SIGALRM soon after it is called. At the end there is no alarm, and the old handler is back."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("this platform has no timer signals")
    before = signal.getsignal(signal.SIGALRM)
    yield lambda: signal.setitimer(signal.ITIMER_REAL, 0.05)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def stop_on_alarm(imds: Any) -> Any:
    watcher = EventWatcher(imds, interval=3600, resource=None)
    signal.signal(signal.SIGALRM, lambda *_: watcher.stop())
    return all_of(watcher)


def test_stop_from_a_signal_handler_ends_a_wait(colour: Colour, alarm: Callable[[], object]) -> None:
    assert colour.run(stop_on_alarm, transport=Host(lambda: [alarm(), []][1])) == []


def test_stop_from_a_signal_handler_ends_a_request(colour: Colour, alarm: Callable[[], object]) -> None:
    def silent(connection: socket.socket) -> None:
        connection.recv(65536)
        alarm()
        while connection.recv(65536):
            pass

    with raw_server(silent) as url:
        assert colour.run(stop_on_alarm, endpoint=url) == []


def test_an_answer_that_arrives_in_small_parts_is_complete() -> None:
    content = json.dumps({"DocumentIncarnation": 1, "Events": [an_event()]}).encode()

    def slow(connection: socket.socket) -> None:
        read_request(connection)
        for part in (b"HTTP/1.1 200 OK\r\n", b"Content-Length: %d\r\n\r\n" % len(content), content[:9], content[9:]):
            time.sleep(0.15)  # longer than the interval at which the transport checks for stop()
            connection.sendall(part)

    with raw_server(slow) as url, ImdsClient(url) as imds:
        assert next(EventWatcher(imds, resource=None)).event == model(an_event())


@pytest.mark.parametrize("colour", COLOURS[1:], ids=str)
def test_stop_from_another_task_ends_a_request(colour: Colour) -> None:
    async def action(imds: AsyncImdsClient) -> list[EventChange]:
        watcher = EventWatcher(imds)

        async def stop() -> None:
            await asked.wait()
            watcher.stop()

        async with anyio.create_task_group() as group:
            group.start_soon(stop)
            return [change async for change in watcher]

    asked = anyio.Event()

    async def forever() -> None:
        asked.set()
        await anyio.sleep_forever()

    assert colour.run(action, transport=Host(forever)) == []


@pytest.mark.parametrize("colour", COLOURS[1:], ids=str)
def test_a_cancelled_task_loses_no_change(colour: Colour) -> None:
    asked = anyio.Event()

    async def forever() -> None:
        asked.set()
        await anyio.sleep_forever()

    async def action(imds: AsyncImdsClient) -> list[EventChange]:
        watcher = EventWatcher(imds)
        host.after = watcher.stop
        changes = [await anext(watcher)]
        async with anyio.create_task_group() as group:
            group.start_soon(anext, watcher)
            await asked.wait()
            group.cancel_scope.cancel()
        return [*changes, *[change async for change in watcher]]

    event = an_event()
    host = Host([event], forever, [started(event)], [])
    assert seen(colour.run(action, transport=host, clock=FakeClock(START))) == LIFE


@pytest.mark.parametrize("event_id", ["00000000-0000-0000-0000-0000000000A1", "aBc-{1}", "x" * 300])
@pytest.mark.parametrize("form", ["change", "event", "id"])
def test_approve_sends_the_id_unchanged(colour: Colour, event_id: str, form: str) -> None:
    event = model(an_event(event_id))
    given_as = {"change": EventChange("added", event), "event": event, "id": event_id}[form]
    host = Host([])
    assert colour.run(lambda imds: EventWatcher(imds).approve(given_as), transport=host) is None
    assert host.posted == [{"StartRequests": [{"EventId": event_id}]}]


@pytest.mark.parametrize("nothing", ["", None, 5, {"EventId": "A"}])
def test_approve_refuses_other_values(colour: Colour, nothing: Any) -> None:
    host = Host([])
    error = colour.error(lambda imds: EventWatcher(imds).approve(nothing), transport=host)
    assert isinstance(error, ImdsValidationError)
    assert error.parameter == "event"
    assert str(error) == (
        "EventWatcher.approve: event must be an EventChange, a ScheduledEvent or the text of an EventId. Write "
        "watcher.approve(change)"
    )
    assert not host.requests


def test_approve_raises_the_error_of_imds(colour: Colour) -> None:
    host = Host([])
    host.consent = answer(400, {"error": "x"})
    assert isinstance(colour.error(lambda imds: EventWatcher(imds).approve("A"), transport=host), BadRequestError)


def test_the_names_are_exported() -> None:
    assert azure_imds.EventWatcher is EventWatcher
    assert azure_imds.EventChange is EventChange
