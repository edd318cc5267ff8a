"""Handlers: which are called for an event, with how much time, and what happens when they fail or are late."""

from __future__ import annotations

import logging
import threading
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import formatdate
from functools import partial
from typing import Any

import anyio
import pytest

from azure_imds import (
    AsyncImdsClient,
    EventChange,
    EventWatcher,
    ImdsClient,
    ImdsError,
    ImdsResponseError,
    ImdsValidationError,
)
from azure_imds_api.models.known_event_type import KnownEventType
from events_support import START, HandClock, Host, an_event, as_handler, model, run, started
from support import COLOURS, Colour, FakeClock, answer


def test_every_known_type_can_have_a_handler(colour: Colour) -> None:
    types = typing.get_args(KnownEventType)
    called: list[tuple[str, str]] = []

    def prepare(watcher: Any, clock: HandClock) -> None:
        for event_type in types:

            def handler(change: EventChange, seconds: float | None, form: str = event_type) -> None:
                called.append((form, str(change.event.event_type)))
                if len(called) == len(types):
                    watcher.stop()

            assert watcher.on(event_type)(handler) is handler

    run(colour, Host([an_event(t, EventType=t) for t in types]), prepare)
    assert sorted(called) == [(t, t) for t in sorted(types)]


def test_a_handler_of_several_types_is_called_for_each(colour: Colour) -> None:
    called: list[str] = []

    def prepare(watcher: Any, clock: HandClock) -> None:
        @watcher.on("Preempt", "terminate", "Relocate")
        def handler(change: EventChange, seconds: float | None) -> None:
            called.append(change.event.event_id)
            if len(called) == 3:
                watcher.stop()

    types = ["Preempt", "Reboot", "Terminate", "Relocate"]
    run(colour, Host([an_event(t, EventType=t) for t in types]), prepare)
    assert sorted(called) == ["Preempt", "Relocate", "Terminate"]


class Worker:
    def __init__(self) -> None:
        self.drained = 0

    def drain(self, change: EventChange, seconds: float | None) -> None:
        self.drained += 1


def test_a_handler_that_is_registered_repeatedly_is_called_once_for_an_event(colour: Colour) -> None:
    worker = Worker()

    def prepare(watcher: Any, clock: HandClock) -> None:
        watcher.on("Reboot", "REBOOT", "Freeze")(worker.drain)
        watcher.on("Reboot")(worker.drain)
        watcher.on("Reboot")(lambda change, seconds: watcher.stop())

    run(colour, Host([an_event()]), prepare)
    assert worker.drained == 1


def test_one_decorator_registers_several_handlers(colour: Colour) -> None:
    called: list[str] = []

    def prepare(watcher: Any, clock: HandClock) -> None:
        on_reboot = watcher.on("Reboot")
        on_reboot(lambda change, seconds: called.append("first"))
        on_reboot(lambda change, seconds: (called.append("second"), watcher.stop()))

    run(colour, Host([an_event()]), prepare)
    assert called == ["first", "second"]


def test_a_type_that_the_contract_does_not_contain_logs_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    with ImdsClient() as imds:
        watcher = EventWatcher(imds)
        watcher.on("Relocate", "RELOCATE", "Preempt")(print)
        watcher.on("relocate")(print)
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "azure_imds",
            "WARNING",
            "EventWatcher.on: unknown event type 'Relocate'. The known types are Freeze, Preempt, Reboot, Redeploy, "
            "Terminate. The handler runs only if IMDS reports an event of this type.",
        )
    ]


def test_known_types_log_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with ImdsClient() as imds:
        for event_type in typing.get_args(KnownEventType):
            EventWatcher(imds).on(event_type, event_type.lower(), event_type.upper())(print)
    assert not caplog.records


def test_the_annotation_of_on_offers_the_types_of_the_contract() -> None:
    assert typing.get_type_hints(EventWatcher.on)["event_types"] == KnownEventType | str


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "at least one event type is required"),
        ((print,), "pass only event types, not the handler"),
        (("Preempt", print), "pass only event types, not the handler"),
        ((print, "Preempt"), "pass only event types, not the handler"),
        ((["Preempt", "Reboot"],), "an event type must be a string such as \"Preempt\", not ['Preempt', 'Reboot']"),
        (("Preempt", None), 'an event type must be a string such as "Preempt", not None'),
        (("",), "an event type must be a string such as \"Preempt\", not ''"),
    ],
    ids=["nothing", "only a handler", "type and handler", "handler and type", "list", "None", "empty"],
)
def test_the_event_types_are_checked(
    arguments: tuple[Any, ...], problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    with ImdsClient() as imds, pytest.raises(ImdsValidationError) as caught:
        EventWatcher(imds).on(*arguments)
    assert caught.value.parameter == "event_types"
    assert str(caught.value) == (
        f'EventWatcher.on: {problem}. Write @watcher.on("Preempt", "Terminate") above the handler, or '
        'watcher.on("Preempt", "Terminate")(handler)'
    )


@pytest.mark.parametrize("name", ["on_preempt", "on_premept", "on_relocate"])
def test_an_unknown_attribute_is_an_attribute_error(name: str) -> None:
    with ImdsClient() as imds, pytest.raises(AttributeError, match=name):
        getattr(EventWatcher(imds), name)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_handler_gets_the_change_and_the_seconds_left(colour: Colour, asynchronous: bool) -> None:
    calls: list[tuple[EventChange, float | None]] = []

    def prepare(watcher: Any, clock: HandClock) -> None:
        def handler(change: EventChange, seconds: float | None) -> None:
            calls.append((change, seconds))
            watcher.stop()

        watcher.on("rEBOOT")(as_handler(colour, handler, asynchronous=asynchronous))

    run(colour, Host([an_event()]), prepare, margin=20)
    ((change, seconds),) = calls
    assert change.kind == "added"
    assert change.event == model(an_event())
    assert seconds == 880.0


@pytest.mark.parametrize(
    ("event", "left"),
    [
        (started(an_event()), 0.0),
        (an_event(NotBefore=formatdate(START + 3, usegmt=True)), 0.0),
        (an_event(NotBefore="soon"), None),
        (an_event(NotBefore=""), None),
    ],
    ids=["started", "within the margin", "garbage", "none"],
)
def test_a_handler_is_called_even_if_no_time_is_left(colour: Colour, event: dict[str, Any], left: float | None) -> None:
    calls: list[float | None] = []

    def prepare(watcher: Any, clock: HandClock) -> None:
        def handler(change: EventChange, seconds: float | None) -> None:
            calls.append(seconds)
            watcher.stop()

        watcher.on("Reboot")(handler)

    run(colour, Host([event]), prepare)
    assert calls == [left]


def test_a_handler_is_called_once_for_an_event(colour: Colour) -> None:
    a, b = an_event("A"), an_event("B")
    host = Host([a], [a], [started(a)], [started(a)], [b], [started(b)], [])
    calls: list[str] = []

    def prepare(watcher: Any, clock: HandClock) -> None:
        host.after = watcher.stop
        watcher.on("Reboot")(lambda change, seconds: calls.append(change.event.event_id))
        watcher.on("Freeze")(lambda change, seconds: calls.append("freeze"))
        for _ in range(7):
            clock.turn()

    run(colour, host, prepare)
    assert sorted(calls) == ["A", "B"]


def test_the_handlers_of_an_event_run_in_the_order_of_registration(colour: Colour) -> None:
    calls: list[str] = []

    def prepare(watcher: Any, clock: HandClock) -> None:
        for name in "abc":
            watcher.on("Reboot")(lambda change, seconds, name=name: calls.append(name))
        watcher.on("Reboot")(lambda change, seconds: watcher.stop())

    run(colour, Host([an_event()]), prepare)
    assert calls == ["a", "b", "c"]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_failure_of_a_handler_is_logged_and_polling_continues(
    colour: Colour, asynchronous: bool, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []

    def prepare(watcher: Any, clock: HandClock) -> None:
        def broken(change: EventChange, seconds: float | None) -> None:
            calls.append(change.event.event_id)
            raise RuntimeError("disk full")

        def next_one(change: EventChange, seconds: float | None) -> None:
            clock.turn()
            if change.event.event_id == "B":
                watcher.stop()

        watcher.on("Reboot")(as_handler(colour, broken, asynchronous=asynchronous))
        watcher.on("Reboot")(next_one)

    host = Host([an_event("A")], [an_event("B")])
    run(colour, host, prepare, approve=True)
    assert calls == ["A", "B"]
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 2
    assert "Reboot A" in errors[0].getMessage()
    assert "disk full" in caplog.text
    assert not host.posted, "after a failure, the event is not approved"


def test_polling_continues_while_a_handler_runs(colour: Colour) -> None:
    first_is_running, second_came = threading.Event(), threading.Event()
    calls: list[str] = []

    def prepare(watcher: Any, clock: HandClock) -> None:
        def handler(change: EventChange, seconds: float | None) -> None:
            if change.event.event_id == "A":
                clock.turn()
                first_is_running.set()
                assert second_came.wait(30)
            else:
                assert first_is_running.is_set()
                second_came.set()
                watcher.stop()
            calls.append(change.event.event_id)

        watcher.on("Reboot")(handler)

    run(colour, Host([an_event("A")], [an_event("A"), an_event("B")]), prepare)
    assert sorted(calls) == ["A", "B"]


@pytest.mark.parametrize("colour", COLOURS[1:], ids=str)
def test_async_handlers_of_different_events_run_in_parallel(colour: Colour) -> None:
    calls: list[str] = []

    def prepare(watcher: Any, clock: HandClock) -> None:
        second_came = anyio.Event()

        async def handler(change: EventChange, seconds: float | None) -> None:
            if change.event.event_id == "A":
                clock.turn()
                await second_came.wait()
                watcher.stop()
            else:
                second_came.set()
            calls.append(change.event.event_id)

        watcher.on("Reboot")(handler)

    run(colour, Host([an_event("A")], [an_event("A"), an_event("B")]), prepare)
    assert calls == ["B", "A"]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_event_is_approved_when_its_handlers_have_finished(colour: Colour, asynchronous: bool) -> None:
    host = Host([an_event("A"), an_event("F", EventType="Freeze")])
    posted_before: list[int] = []

    def prepare(watcher: Any, clock: HandClock) -> None:
        def handler(change: EventChange, seconds: float | None) -> None:
            posted_before.append(len(host.posted))
            watcher.stop()

        watcher.on("Reboot")(as_handler(colour, handler, asynchronous=asynchronous))

    run(colour, host, prepare, approve=True)
    assert posted_before == [0]
    assert host.posted == [{"StartRequests": [{"EventId": "A"}]}], (
        "approved before run() returns, and no other event is"
    )


@pytest.mark.parametrize("consent", [answer(400, {"error": "x"}), RuntimeError("closed")], ids=repr)
def test_a_failed_approval_is_logged(colour: Colour, consent: Any, caplog: pytest.LogCaptureFixture) -> None:
    host = Host([an_event()])
    host.consent = consent
    run(colour, host, lambda watcher, _: watcher.on("Reboot")(lambda *_: watcher.stop()), approve=True)
    assert len(host.posted) == 1
    assert "Reboot A: not approved" in caplog.text


def test_events_are_not_approved_by_default(colour: Colour) -> None:
    host = Host([an_event()])
    run(colour, host, lambda watcher, _: watcher.on("Reboot")(lambda *_: watcher.stop()))
    assert not host.posted


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Handlers wait for this event. It is set at the end of the test, so that their threads end."""
    event = threading.Event()
    yield event
    event.set()


def test_a_late_handler_in_a_thread_is_logged(release: threading.Event, caplog: pytest.LogCaptureFixture) -> None:
    ended = threading.Event()
    host = Host([an_event()])

    def prepare(watcher: Any, clock: HandClock) -> None:
        host.after = watcher.stop

        def handler(change: EventChange, seconds: float | None) -> None:
            assert seconds is not None
            clock.turn(seconds)
            release.wait(30)
            ended.set()

        watcher.on("Reboot")(handler)

    run(COLOURS[0], host, prepare)
    assert not ended.is_set(), "run() does not wait for it"
    assert [record.getMessage() for record in caplog.records] == [
        "scheduled events: Reboot A: handlers did not finish in time and were left running"
    ]
    release.set()
    assert ended.wait(30)


def test_after_stop_run_waits_for_a_thread_until_its_deadline(
    release: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    class NoTime(HandClock):
        def wait(self, seconds: float, bell: Any) -> bool:
            if bell is self.wakeups:
                return super().wait(seconds, bell)
            self.waits.append(seconds)
            return False

    clock = NoTime(START)
    with ImdsClient(transport=Host([an_event()]), clock=clock) as imds:
        watcher = clock.attach(EventWatcher(imds))
        watcher.on("Reboot")(lambda *_: (watcher.stop(), release.wait(30)))
        watcher.run(margin=0)
    assert clock.waits == [900.0]
    assert "left running" in caplog.text


#: So little time before the margin of five seconds that real time may pass.
SOON = datetime.fromtimestamp(START + 5.01, UTC).isoformat()


@pytest.mark.parametrize("colour", COLOURS[1:], ids=str)
def test_a_late_async_handler_is_cancelled_and_logged(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    host = Host([an_event(NotBefore=SOON)])

    def prepare(watcher: Any, clock: HandClock) -> None:
        async def handler(change: EventChange, seconds: float | None) -> None:
            try:
                await anyio.sleep_forever()
            finally:
                watcher.stop()

        watcher.on("Reboot")(handler)

    run(colour, host, prepare, margin=5.0, approve=True)
    assert not host.posted
    assert [record.getMessage() for record in caplog.records] == [
        "scheduled events: Reboot A: handlers did not finish in time and were cancelled"
    ]


@pytest.mark.parametrize("colour", COLOURS[1:], ids=str)
def test_a_cancelled_run_cancels_its_handlers(colour: Colour) -> None:
    ended: list[str] = []

    async def action(imds: AsyncImdsClient) -> None:
        watcher = EventWatcher(imds)

        async def handler(change: EventChange, seconds: float | None) -> None:
            group.cancel_scope.cancel()
            try:
                await anyio.sleep_forever()
            finally:
                ended.append(change.event.event_id)

        watcher.on("Reboot")(handler)
        async with anyio.create_task_group() as group:
            await watcher.run()

    colour.run(action, transport=Host([an_event()]), clock=FakeClock(START))
    assert ended == ["A"]


def test_run_raises_the_error_of_a_closed_client_unchanged(colour: Colour) -> None:
    def action(imds: Any) -> Any:
        watcher: Any = EventWatcher(imds)
        if isinstance(imds, ImdsClient):
            imds.close()
            return watcher.run()

        async def main() -> None:
            await imds.close()
            await watcher.run()

        return main()

    error = colour.error(action, transport=Host([]))
    assert type(error) is ImdsError
    assert not isinstance(error, ImdsResponseError)


@pytest.mark.parametrize("margin", [-1, float("nan"), "5", None, True])
def test_the_margin_is_checked(colour: Colour, margin: Any) -> None:
    error = colour.error(lambda imds: EventWatcher(imds).run(margin=margin))
    assert isinstance(error, ImdsValidationError)
    assert error.parameter == "margin"
    assert str(error) == "EventWatcher.run: margin must be a number of seconds from 0 to 3600, such as margin=5"


async def async_handler(change: EventChange, seconds: float | None) -> None: ...


class AsyncHandler:
    async def __call__(self, change: EventChange, seconds: float | None) -> None: ...


@pytest.mark.parametrize(
    ("handler", "problem"),
    [
        (None, "a handler must be a function, such as def drain(change, seconds), not NoneType"),
        ("x", "a handler must be a function, such as def drain(change, seconds), not str"),
        *[
            (
                handler,
                "an async handler needs an AsyncImdsClient, and this watcher has an ImdsClient. Use def instead of "
                "async def, or EventWatcher(AsyncImdsClient())",
            )
            for handler in (async_handler, AsyncHandler(), partial(async_handler))
        ],
    ],
    ids=["None", "text", "async def", "async __call__", "partial"],
)
def test_a_handler_is_checked(handler: Any, problem: str) -> None:
    with ImdsClient() as imds, pytest.raises(ImdsValidationError) as caught:
        EventWatcher(imds).on("Preempt")(handler)
    assert caught.value.parameter == "handler"
    assert str(caught.value) == f"EventWatcher.on: {problem}"
