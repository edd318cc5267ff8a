"""The deadline of handlers, which moves when a later document has another NotBefore for their event."""

from __future__ import annotations

import math
import threading
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from azure_imds import EventChange, EventWatcher, ImdsClient, ImdsValidationError
from azure_imds._events import handlers
from events_support import START, Document, HandClock, Host, an_event, run, started
from support import COLOURS, Colour


def an_event_at(seconds: float, event_id: str = "A") -> dict[str, Any]:
    """An event that starts so many seconds after the start of the test."""
    return an_event(event_id, NotBefore=datetime.fromtimestamp(START + seconds, UTC).isoformat())


#: A later document, and the seconds that are left with the margin of 5 seconds and two seconds after the start.
LATER: list[tuple[list[dict[str, Any]], float | None]] = [
    ([an_event_at(900)], 893),
    ([an_event_at(60)], 53),
    ([an_event_at(3600)], 3593),
    ([an_event_at(3)], 0.0),
    ([started(an_event())], 893),
    ([an_event(NotBefore="soon")], 893),
    ([], None),
]
by_document = pytest.mark.parametrize(
    ("document", "left"), LATER, ids=["same", "earlier", "later", "too late", "started", "unreadable", "gone"]
)


@by_document
def test_the_seconds_left_follow_the_newest_document(
    colour: Colour, document: list[dict[str, Any]], left: float | None
) -> None:
    third_poll = threading.Event()
    seen: list[float | None] = []

    def prepare(watcher: Any, clock: HandClock) -> None:
        @watcher.on("Reboot")
        def handler(change: EventChange, seconds: float | None) -> None:
            clock.turn()
            clock.turn()
            assert third_poll.wait(30)
            seen.extend([seconds, *map(watcher.seconds_left, (change, change.event, "A"))])
            watcher.stop()

    run(colour, Host([an_event()], document, lambda: third_poll.set() or document), prepare)
    assert seen == [895, left, left, left]


@by_document
@pytest.mark.parametrize("colour", COLOURS[1:], ids=str)
def test_the_time_after_which_a_task_is_cancelled_follows_the_newest_document(
    colour: Colour, document: list[dict[str, Any]], left: float | None
) -> None:
    seen: list[float] = []

    def prepare(watcher: Any, clock: HandClock) -> None:
        @watcher.on("Reboot")
        async def handler(change: EventChange, seconds: float | None) -> None:
            clock.turn()
            clock.turn()
            try:
                await third_poll.wait()
            finally:
                seen.append(anyio.current_effective_deadline() - anyio.current_time())
                watcher.stop()

        third_poll = anyio.Event()
        host.after = third_poll.set

    host = Host([an_event()], document)
    run(colour, host, prepare)
    assert seen[0] == (math.inf if left is None else -math.inf if left == 0 else pytest.approx(left, abs=30))


@pytest.mark.parametrize(
    "first", [an_event_at(2), an_event(NotBefore="soon"), started(an_event())], ids=["too late", "unknown", "started"]
)
@pytest.mark.parametrize("colour", COLOURS[1:], ids=str)
def test_a_task_without_a_limit_gets_one_from_a_later_document(colour: Colour, first: dict[str, Any]) -> None:
    seen: list[bool] = []
    clocks: list[HandClock] = []

    def prepare(watcher: Any, clock: HandClock) -> None:
        @watcher.on("Reboot")
        async def handler(change: EventChange, seconds: float | None) -> None:
            seen.append(anyio.current_effective_deadline() == math.inf)
            clock.turn()
            clock.turn()
            try:
                await anyio.sleep_forever()
            finally:
                watcher.stop()

        clocks.append(clock)

    host = Host([first], [an_event()], lambda: clocks[0].turn(895) or [an_event()], [an_event()])
    run(colour, host, prepare)
    assert seen == [True]


def test_a_thread_is_late_at_the_moved_deadline(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()
    host = Host([an_event_at(900)], [an_event_at(60)], [an_event_at(60)])

    def prepare(watcher: Any, clock: HandClock) -> None:
        host.after = watcher.stop

        @watcher.on("Reboot")
        def handler(change: EventChange, seconds: float | None) -> None:
            clock.turn()
            clock.turn(54)
            release.wait(30)

    try:
        run(COLOURS[0], host, prepare)
    finally:
        release.set()
    assert "handlers did not finish in time and were left running" in caplog.text


def test_the_next_handler_of_an_event_gets_the_seconds_that_are_left_then(colour: Colour) -> None:
    third_poll = threading.Event()
    calls: list[float | None] = []

    def prepare(watcher: Any, clock: HandClock) -> None:
        @watcher.on("Reboot")
        def first(change: EventChange, seconds: float | None) -> None:
            clock.turn()
            clock.turn()
            assert third_poll.wait(30)

        @watcher.on("Reboot")
        def second(change: EventChange, seconds: float | None) -> None:
            calls.append(seconds)
            watcher.stop()

    document = [an_event_at(60)]
    run(colour, Host([an_event()], document, lambda: third_poll.set() or document), prepare)
    assert calls == [53]


@pytest.mark.parametrize("document", [[], [started(an_event())]], ids=["gone", "started"])
def test_an_event_that_no_longer_waits_is_not_approved(colour: Colour, document: Document) -> None:
    third_poll = threading.Event()

    def prepare(watcher: Any, clock: HandClock) -> None:
        @watcher.on("Reboot")
        def handler(change: EventChange, seconds: float | None) -> None:
            clock.turn()
            clock.turn()
            assert third_poll.wait(30)
            watcher.stop()

    host = Host([an_event()], document, lambda: third_poll.set() or document)
    run(colour, host, prepare, approve=True)
    assert not host.posted


def test_an_event_that_is_gone_and_returns_is_not_handled_again(colour: Colour) -> None:
    calls: list[str] = []
    host = Host([an_event()], [], [an_event()], [an_event(), an_event("B")])

    def prepare(watcher: Any, clock: HandClock) -> None:
        host.after = watcher.stop
        watcher.on("Reboot")(lambda change, seconds: calls.append(change.event.event_id))
        for _ in range(4):
            clock.turn()

    run(colour, host, prepare)
    assert sorted(calls) == ["A", "B"]


def test_the_number_of_events_that_are_remembered_has_a_limit(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "MAX_JOBS", 2)
    seen: list[float | None] = []

    def prepare(watcher: Any, clock: HandClock) -> None:
        watchers.append(watcher)
        watcher.on("Reboot")(lambda *_: watcher.stop())

    watchers: list[Any] = []
    run(colour, Host([an_event("A"), an_event("B"), an_event("C")]), prepare)
    seen.extend(map(watchers[0].seconds_left, "ABC"))
    assert seen == [None, 895, 895]


def test_the_seconds_of_an_event_without_handlers_are_unknown(colour: Colour) -> None:
    assert colour.run(lambda imds: EventWatcher(imds).seconds_left("A")) is None


@pytest.mark.parametrize("event", [None, "", 5, b"A"])
def test_the_argument_of_seconds_left_is_checked(event: Any) -> None:
    with ImdsClient() as imds, pytest.raises(ImdsValidationError) as caught:
        EventWatcher(imds).seconds_left(event)
    assert caught.value.parameter == "event"
    assert str(caught.value) == (
        "EventWatcher.seconds_left: event must be an EventChange, a ScheduledEvent or the text of an EventId. Write "
        "watcher.seconds_left(change)"
    )
