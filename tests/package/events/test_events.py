"""EventWatcher against scripted answers: what it yields, when it asks, and what its handlers get."""

from __future__ import annotations

import gc
import json
import logging
import signal
import socket
import threading
import time
import typing
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import formatdate
from functools import partial
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import azure_imds
from azure_imds import (
    AsyncImdsClient,
    BadRequestError,
    EventChange,
    EventWatcher,
    ImdsClient,
    ImdsError,
    ImdsResponseError,
    ImdsValidationError,
    RetryPolicy,
)
from azure_imds._events.changes import ChangeDetector, parse_not_before
from azure_imds_api.models.known_event_type import KnownEventType
from azure_imds_api.models.scheduled_event import ScheduledEvent
from support import COLOURS, Colour, FakeClock, answer, example, raw_server, read_request

START = 1_700_000_000.0
NOON = datetime(2024, 1, 2, 12, 0, tzinfo=UTC)

Document = list[dict[str, Any]] | httpx.Response | Exception | Callable[[], Any]


def an_event(event_id: str = "A", **changes: Any) -> dict[str, Any]:
    """A reboot of vm-0, as IMDS announces it."""
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
    return answer(200, {"compute": {"name": name}})


class Host(httpx.MockTransport):
    """An IMDS that gives its documents in turn and, when all are through, the last again, and calls `after`."""

    def __init__(self, *documents: Document, instance: tuple[httpx.Response | Exception, ...] = (named("vm-0"),)):
        self.requests: list[httpx.Request] = []
        self.posted: list[Any] = []
        self.consent: httpx.Response | Exception = answer(200)
        self.after: Callable[[], object] = lambda: None
        self._documents = list(documents)
        self._instance = list(instance)
        self._last: Document = []
        self._incarnation = 0
        super().__init__(self._answer)

    def __str__(self) -> str:
        return "host"

    def count(self, path: str) -> int:
        return sum(request.method == "GET" and request.url.path.endswith(path) for request in self.requests)

    @property
    def polls(self) -> list[httpx.Request]:
        return [request for request in self.requests if request.url.path.endswith("/scheduledevents")]

    def _answer(self, request: httpx.Request) -> Any:
        self.requests.append(request)
        if request.method == "POST":
            self.posted.append(json.loads(request.content))
            return self._said(self.consent)
        if request.url.path.endswith("/instance"):
            return self._said(self._instance.pop(0) if len(self._instance) > 1 else self._instance[0])
        if self._documents:
            self._last = self._documents.pop(0)
            self._incarnation += 1
        else:
            self.after()
        return self._said(self._last)

    def _said(self, what: Any) -> Any:
        if callable(what):
            what = what()
        if isinstance(what, Exception):
            raise what
        if isinstance(what, list):
            return answer(200, {"DocumentIncarnation": self._incarnation, "Events": what})
        if isinstance(what, httpx.Response):
            return httpx.Response(what.status_code, headers=what.headers, content=what.content)
        return what  # a coroutine


def all_of(watcher: Any) -> Any:
    """Everything that a watcher yields until it ends: a list, or a coroutine of one."""
    if isinstance(watcher._client, ImdsClient):
        return list(watcher)

    async def main() -> list[EventChange]:
        return [change async for change in watcher]

    return main()


def watch(colour: Colour, host: Host, *, client: dict[str, Any] | None = None, **options: Any) -> list[EventChange]:
    """What a watcher yields until all of the host's documents are through."""

    def action(imds: Any) -> Any:
        watcher = EventWatcher(imds, **options)
        host.after = watcher.stop
        return all_of(watcher)

    changes: list[EventChange] = colour.run(action, **{"transport": host, "clock": FakeClock(START), **(client or {})})
    return changes


def seen(changes: list[EventChange]) -> list[tuple[str, str, str]]:
    return [(change.kind, change.event.event_id, str(change.event.event_status)) for change in changes]


LIFE = [("added", "A", "Scheduled"), ("changed", "A", "Started"), ("gone", "A", "Started")]


# What it yields


def test_an_event_is_added_changes_and_is_gone(colour: Colour) -> None:
    event = an_event()
    changes = watch(colour, Host([], [event], [event], [started(event)], [started(event)], []))
    assert seen(changes) == LIFE
    added, changed, gone = changes
    assert added.event == model(event)
    assert added.previous is None
    assert added.not_before == datetime.fromtimestamp(START + 900, UTC)
    assert changed.event == model(started(event))
    assert changed.previous == added.event
    assert changed.not_before is None
    assert gone.event == gone.previous == changed.event


def test_an_event_first_seen_as_started_is_added(colour: Colour) -> None:
    changes = watch(colour, Host([started(an_event())]))
    assert seen(changes) == [("added", "A", "Started")]
    assert changes[0].not_before is None
    assert changes[0].seconds_left() == 0.0


def test_a_cancelled_event_is_gone_as_it_was_last(colour: Colour) -> None:
    changes = watch(colour, Host([an_event()], []))
    assert seen(changes) == [("added", "A", "Scheduled"), ("gone", "A", "Scheduled")]
    assert changes[1].seconds_left() is None


@pytest.mark.parametrize(
    "change",
    [{"NotBefore": formatdate(START + 60, usegmt=True)}, {"Description": "Soon."}, {"New": 1}, {"EventType": "Freeze"}],
    ids=lambda change: next(iter(change)),
)
def test_any_member_may_change(colour: Colour, change: dict[str, Any]) -> None:
    changes = watch(colour, Host([an_event()], [an_event(**change)]))
    assert [one.kind for one in changes] == ["added", "changed"]
    assert changes[1].event == model(an_event(**change))
    assert changes[1].previous == model(an_event())


def test_changes_come_in_the_document_s_order_and_what_is_gone_last(colour: Colour) -> None:
    a, b, c = (an_event(name) for name in "ABC")
    changes = watch(colour, Host([a, b], [c, started(b)], [started(b), c]))
    assert seen(changes) == [
        ("added", "A", "Scheduled"),
        ("added", "B", "Scheduled"),
        ("added", "C", "Scheduled"),
        ("changed", "B", "Started"),
        ("gone", "A", "Scheduled"),
    ]


@pytest.mark.parametrize("incarnations", [(7, 1), (7, 7), (7, 8)], ids=["reset", "same", "next"])
def test_a_reset_incarnation_loses_nothing(colour: Colour, incarnations: tuple[int, int]) -> None:
    first, second = (
        answer(200, {"DocumentIncarnation": number, "Events": [event]})
        for number, event in zip(incarnations, (an_event("A"), an_event("B")), strict=True)
    )
    assert seen(watch(colour, Host(first, second))) == [
        ("added", "A", "Scheduled"),
        ("added", "B", "Scheduled"),
        ("gone", "A", "Scheduled"),
    ]


def test_a_new_incarnation_of_the_same_events_is_no_change(colour: Colour) -> None:
    assert len(watch(colour, Host([an_event()], [an_event()], [an_event()]))) == 1


def test_all_types_of_the_reference_are_read(colour: Colour) -> None:
    changes = watch(colour, Host(answer(200, example("scheduledevents-all-types"))), resource=None)
    assert {change.event.event_type for change in changes} == set(typing.get_args(KnownEventType))
    assert changes[0].not_before == datetime(2024, 1, 2, 3, 19, 5, tzinfo=UTC)


@pytest.mark.parametrize("name", ["2017-08-01", "2019-04-01", "2019-08-01"])
def test_documents_of_older_versions_are_read(colour: Colour, name: str) -> None:
    host = Host(answer(200, example(f"scheduledevents-{name}")))
    assert seen(watch(colour, host, resource="vm-example-0")) == [
        ("added", "00000000-0000-0000-0000-0000000000A2", "Scheduled")
    ]


def test_a_type_and_a_status_that_nobody_knows_yet_are_yielded(colour: Colour) -> None:
    changes = watch(colour, Host([an_event(EventType="Relocate", EventStatus="Paused")]))
    assert changes[0].event.event_type == "Relocate"
    assert changes[0].event.event_status == "Paused"


def test_an_id_that_comes_twice_counts_once(colour: Colour) -> None:
    twice = [an_event(), started(an_event())]
    assert seen(watch(colour, Host(twice, twice, twice))) == [("added", "A", "Started")]


def test_changes_of_one_document_survive_a_loop_that_was_left(colour: Colour) -> None:
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


def test_a_change_is_frozen() -> None:
    change = EventChange("added", model(an_event()))
    with pytest.raises(AttributeError):
        change.kind = "gone"  # type: ignore[misc]


# Times


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Tue, 02 Jan 2024 12:00:00 GMT", NOON),
        ("2024-01-02T12:00:00Z", NOON),
        ("2024-01-02T12:00:00.5000000Z", NOON + timedelta(seconds=0.5)),
        ("2024-01-02T13:00:00+01:00", NOON),
        ("2024-01-02T12:00:00", NOON),
        ("", None),
        (None, None),
    ],
)
def test_both_forms_of_time_are_read(
    text: str | None, moment: datetime | None, caplog: pytest.LogCaptureFixture
) -> None:
    found = parse_not_before(text)
    assert found == moment
    assert found is None or found.tzinfo is UTC
    assert not caplog.records


@pytest.mark.parametrize("text", ["soon", " ", "0", "2024-13-45T99:00:00Z", "Tue, 99 Foo 2024 99:99:99 GMT", 5, []])
def test_no_time_is_none_with_one_line_in_the_log(colour: Colour, text: Any, caplog: pytest.LogCaptureFixture) -> None:
    event = an_event(NotBefore=text)
    changes = watch(colour, Host([event], [event], [{**event, "Description": "x"}], []))
    assert [change.kind for change in changes] == ["added", "changed", "gone"]
    assert all(change.not_before is None for change in changes)
    assert changes[0].seconds_left() is None
    assert len(caplog.records) == 1
    assert "NotBefore of event A" in caplog.text


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ [-+A-Z0-9]*"))
def test_no_text_breaks_the_reading_of_times(text: str) -> None:
    found = parse_not_before(text)
    assert found is None or found.tzinfo is UTC


def test_seconds_left_counts_down_to_zero() -> None:
    change = EventChange("added", model(an_event()), not_before=NOON)
    assert change.seconds_left(NOON - timedelta(seconds=30)) == 30.0
    assert change.seconds_left(datetime(2024, 1, 2, 12, 59, 50, tzinfo=timezone(timedelta(hours=1)))) == 10.0
    assert change.seconds_left(NOON + timedelta(seconds=30)) == 0.0
    assert change.seconds_left() == 0.0


# When it asks


def test_it_asks_once_an_interval(colour: Colour) -> None:
    clock = FakeClock(START)
    watch(colour, Host([], [], [], []), client={"clock": clock}, interval=2.5)
    assert clock.waits == [2.5, 2.5, 2.5, 2.5]


def test_five_requests_a_second_are_never_exceeded(colour: Colour) -> None:
    clock, times = FakeClock(START), []
    host = Host(*[[]] * 20)
    answered = host.handler
    host.handler = lambda request: (times.append(clock.now), answered(request))[1]  # type: ignore[func-returns-value]
    watch(colour, host, client={"clock": clock}, interval=0.2)
    assert len(times) == 22
    assert all(sum(first <= other < first + 0.999 for other in times) <= 5 for first in times)


def test_a_slow_consumer_is_not_followed_by_a_burst(colour: Colour) -> None:
    clock = FakeClock(START)
    host = Host([], lambda: setattr(clock, "now", clock.now + 5) or [], [], [])
    watch(colour, host, client={"clock": clock})
    assert clock.waits == [1.0, 1.0, 1.0]  # none after the poll that took five seconds


@pytest.mark.parametrize("interval", [0.19, 0, -1, float("nan"), float("inf"), 10**400, 3601, True, "1", None])
def test_the_interval_is_checked(interval: Any) -> None:
    with ImdsClient() as imds, pytest.raises(ImdsValidationError) as caught:
        EventWatcher(imds, interval=interval)
    assert caught.value.parameter == "interval"


@pytest.mark.parametrize("client", [None, "http://127.0.0.1", httpx.Client, ImdsClient])
def test_the_client_is_checked(client: Any) -> None:
    with pytest.raises(ImdsValidationError, match="ImdsClient") as caught:
        EventWatcher(client)
    assert caught.value.parameter == "client"


def test_the_wrong_loop_says_which_is_right() -> None:
    with ImdsClient() as imds, pytest.raises(TypeError, match="use `for`"):
        anyio.run(all_of_async, EventWatcher(imds))
    with pytest.raises(TypeError, match="use `async for`"):
        list(EventWatcher(AsyncImdsClient()))  # type: ignore[misc]


async def all_of_async(watcher: Any) -> list[EventChange]:
    return [change async for change in watcher]


def reads(host: Host) -> list[float]:
    return [round(request.extensions["timeout"]["read"], 3) for request in host.polls]


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ({}, [150, 10, 10]),
        ({"deadline": 20}, [20, 10, 10]),
        ({"deadline": 4}, [4, 4, 4]),
        ({"timeout": 3}, [3, 3, 3]),
        ({"timeout": 60}, [60, 60, 60]),
        ({"retry": RetryPolicy(attempts=2)}, [150, 10, 10]),
    ],
    ids=str,
)
def test_the_first_call_may_take_as_long_as_the_specification_says(
    colour: Colour, options: dict[str, Any], seconds: list[float]
) -> None:
    host = Host([], [])
    watch(colour, host, client=options)
    assert reads(host) == seconds


def test_it_is_patient_until_the_first_answer_and_after_a_day_without_one(colour: Colour) -> None:
    clock = FakeClock(START)
    down = httpx.ReadTimeout("late")
    host = Host(down, down, [], down, lambda: setattr(clock, "now", clock.now + 86400) or down, [])
    watch(colour, host, client={"clock": clock})
    assert reads(host) == [150, 150, 150, 10, 10, 150, 10]


# Outages

OUTAGES: list[Document] = [
    *(answer(status, {"error": "x"}) for status in (400, 403, 404, 405, 408, 410, 429, 500, 503)),
    answer(200, b"not JSON"),
    answer(200, {"DocumentIncarnation": 1, "Events": [{"EventId": "A"}]}),
    httpx.ConnectError("refused"),
    httpx.ReadTimeout("late"),
    httpx.RemoteProtocolError("closed"),
]


@pytest.mark.parametrize("outage", OUTAGES, ids=repr)
def test_an_outage_loses_and_repeats_nothing(
    colour: Colour, outage: Document, caplog: pytest.LogCaptureFixture
) -> None:
    event = an_event()
    with caplog.at_level(logging.INFO, "azure_imds"):
        host = Host([event], outage, outage, outage, [started(event)], outage, [started(event)], [])
        assert seen(watch(colour, host)) == LIFE
    assert len(caplog.records) == 2, "one line for each outage"
    assert len(host.polls) == 9, "one request for each poll"


def test_waits_in_an_outage_grow_and_are_bounded(colour: Colour) -> None:
    clock = FakeClock(START)
    watch(colour, Host(*[answer(503, {"error": "x"})] * 7, [], []), client={"clock": clock})
    assert clock.waits == [1, 2, 4, 8, 10, 10, 10, 1, 1]


def test_an_interval_longer_than_that_is_kept(colour: Colour) -> None:
    clock = FakeClock(START)
    watch(colour, Host(*[answer(503, {"error": "x"})] * 3), client={"clock": clock}, interval=60)
    assert clock.waits == [60, 60, 60]


def test_a_poll_that_timed_out_is_followed_by_the_next_at_once(colour: Colour) -> None:
    clock = FakeClock(START)

    def late() -> Exception:
        clock.now += 10
        return httpx.ReadTimeout("late")

    watch(colour, Host([], late, late, []), client={"clock": clock})
    assert clock.waits == [1, 1]


@pytest.mark.parametrize(("asked", "waited"), [("5", 5), ("600", 10), ("0", 1)])
def test_retry_after_is_kept_within_bounds(colour: Colour, asked: str, waited: float) -> None:
    clock = FakeClock(START)
    watch(colour, Host([], answer(429, {"error": "x"}, Retry_After=asked), []), client={"clock": clock})
    assert clock.waits == [1, waited, 1]


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


# Whose events


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("vm-0", "vm-0"),
        ("VM-0", "vm-0"),
        ("vm-0", "VM-0"),
        ("vm-0", "_vm-0"),
        ("vmss_0", "vmss_0"),
        ("vmss_0", "_VMSS_0"),
        ("vmss_000A1B", "vmss_000a1b"),
    ],
)
def test_by_default_it_yields_the_machine_s_own_events(colour: Colour, name: str, resource: str) -> None:
    mine = an_event("A", Resources=["other", resource])
    others = [an_event(f"B{n}", Resources=r) for n, r in enumerate([["vm-00"], ["other"], ["vmss_1"], ["vmss"], []])]
    host = Host([*others, mine], instance=(named(name),))
    assert seen(watch(colour, host)) == [("added", "A", "Scheduled")]


@pytest.mark.parametrize(
    ("resource", "ids"),
    [
        (None, ["A", "B", "C"]),
        ("one", ["A", "C"]),
        (["ONE", "two"], ["A", "B", "C"]),
        ({"two"}, ["B", "C"]),
        (("x",), []),
        (["auto"], []),
    ],
    ids=repr,
)
def test_other_machines_can_be_named(colour: Colour, resource: Any, ids: list[str]) -> None:
    host = Host(
        [an_event("A", Resources=["one"]), an_event("B", Resources=["two"]), an_event("C", Resources=["one", "two"])]
    )
    assert [change.event.event_id for change in watch(colour, host, resource=resource)] == ids
    assert host.count("/instance") == 0


@pytest.mark.parametrize("resource", ["", [], [""], [1], 5, b"vm", ["vm", None]], ids=repr)
def test_the_resource_is_checked(resource: Any) -> None:
    with ImdsClient() as imds, pytest.raises(ImdsValidationError) as caught:
        EventWatcher(imds, resource=resource)
    assert caught.value.parameter == "resource"


def test_the_name_is_fetched_once(colour: Colour) -> None:
    host = Host([], [an_event()], [])
    watch(colour, host)
    assert host.count("/instance") == 1


def test_an_event_whose_machines_change_comes_and_goes(colour: Colour) -> None:
    host = Host([an_event()], [an_event(Resources=["vm-1"])], [an_event(Resources=["vm-1", "vm-0"])])
    assert [change.kind for change in watch(colour, host)] == ["added", "gone", "added"]


NAMELESS = [
    httpx.ConnectError("refused"),
    answer(503, {"error": "x"}),
    answer(200, {"network": {}}),
    answer(200, {"compute": {"name": ""}}),
    answer(200, {"compute": {}}),
]


@pytest.mark.parametrize("outage", NAMELESS, ids=repr)
def test_changes_wait_for_the_machine_s_name(
    colour: Colour, outage: httpx.Response | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    event, other = an_event(), an_event("B", Resources=["vm-1"])
    lives = ([other], [event, other], [event], [started(event)], *[[]] * 22)
    host = Host(*lives, instance=(*[outage] * 5, named("vm-0")))
    clock = FakeClock(START)
    assert seen(watch(colour, host, client={"clock": clock})) == LIFE
    assert clock.waits == [1.0] * 26, "polling keeps its pace, with or without a name"
    assert host.count("/instance") == 6, "after 0, 1, 3, 7, 15 and 25 seconds"
    assert len(caplog.records) == 1


def test_what_waits_for_a_name_is_bounded(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure_imds._events.polling.MAX_PENDING", 10)
    host = Host(*[[an_event()], []] * 10, instance=(answer(404, {"error": "x"}),))

    def action(imds: Any) -> Any:
        watcher = EventWatcher(imds)
        host.after = watcher.stop
        result = all_of(watcher)
        if isinstance(imds, ImdsClient):
            return len(watcher._poller._pending)

        async def main() -> int:
            await result
            return len(watcher._poller._pending)

        return main()

    assert colour.run(action, transport=host, clock=FakeClock(START)) == 10


def test_the_same_events_wait_only_once(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure_imds._events.polling.MAX_PENDING", 3)
    event = an_event()
    host = Host(
        *[[event]] * 9, *[[started(event)]] * 9, *[[]] * 9, instance=(*[answer(404, {"error": "x"})] * 5, named("vm-0"))
    )
    assert seen(watch(colour, host)) == LIFE


# Stopping


def test_stop_before_the_loop_is_not_forgotten(colour: Colour) -> None:
    def action(imds: Any) -> Any:
        watcher = EventWatcher(imds)
        watcher.stop()
        watcher.stop()
        return all_of(watcher)

    host = Host([an_event()])
    assert colour.run(action, transport=host) == []
    assert not host.requests


def test_stop_discards_what_was_not_fetched_yet() -> None:
    with ImdsClient(transport=Host([an_event("A"), an_event("B")])) as imds:
        watcher = EventWatcher(imds)
        for _ in watcher:
            watcher.stop()
        assert list(watcher) == []


def test_leaving_the_context_stops_it(colour: Colour) -> None:
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
    watchers: list[Any] = []
    results: list[Any] = []

    def action(imds: Any) -> Any:
        watchers.append(EventWatcher(imds, interval=3600, resource=None))
        return all_of(watchers[0])

    host = Host(lambda: waiting.set() or [])
    thread = threading.Thread(target=lambda: results.append(colour.run(action, transport=host)), daemon=True)
    thread.start()
    assert waiting.wait(30)
    watchers[0].stop()
    thread.join(30)
    assert results == [[]]
    watchers[0].stop()  # its event loop is gone by now


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer signals here")
def test_stop_from_a_signal_handler_ends_a_wait(colour: Colour) -> None:
    def action(imds: Any) -> Any:
        watcher = EventWatcher(imds, interval=3600, resource=None)
        signal.signal(signal.SIGALRM, lambda *_: watcher.stop())
        return all_of(watcher)

    def soon() -> list[Any]:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        return []

    before = signal.getsignal(signal.SIGALRM)
    try:
        assert colour.run(action, transport=Host(soon)) == []
    finally:
        signal.signal(signal.SIGALRM, before)


def test_stop_from_another_thread_ends_a_request(colour: Colour) -> None:
    asked = threading.Event()
    watchers: list[Any] = []
    results: list[Any] = []

    def silent(connection: socket.socket) -> None:
        while connection.recv(65536):
            asked.set()

    def action(imds: Any) -> Any:
        watchers.append(EventWatcher(imds, resource=None))
        return all_of(watchers[0])

    with raw_server(silent) as url:
        thread = threading.Thread(target=lambda: results.append(colour.run(action, endpoint=url)), daemon=True)
        thread.start()
        assert asked.wait(30)
        assert thread.is_alive()
        watchers[0].stop()
        thread.join(30)  # the first answer may take 150
    assert results == [[]]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer signals here")
def test_stop_from_a_signal_handler_ends_a_request(colour: Colour) -> None:
    def silent(connection: socket.socket) -> None:
        connection.recv(65536)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        while connection.recv(65536):
            pass

    def action(imds: Any) -> Any:
        watcher = EventWatcher(imds, resource=None)
        signal.signal(signal.SIGALRM, lambda *_: watcher.stop())
        return all_of(watcher)

    before = signal.getsignal(signal.SIGALRM)
    try:
        with raw_server(silent) as url:
            assert colour.run(action, endpoint=url) == []
    finally:
        signal.signal(signal.SIGALRM, before)


def test_an_answer_that_comes_in_drops_is_whole() -> None:
    content = json.dumps({"DocumentIncarnation": 1, "Events": [an_event()]}).encode()

    def slow(connection: socket.socket) -> None:
        read_request(connection)
        for drop in (b"HTTP/1.1 200 OK\r\n", b"Content-Length: %d\r\n\r\n" % len(content), content[:9], content[9:]):
            time.sleep(0.15)  # longer than between two looks at whether it is still wanted
            connection.sendall(drop)

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
def test_a_cancelled_task_loses_nothing(colour: Colour) -> None:
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


# Approving


@pytest.mark.parametrize("event_id", ["00000000-0000-0000-0000-0000000000A1", "aBc-{1}", "x" * 300])
@pytest.mark.parametrize("form", ["change", "event", "id"])
def test_approve_sends_the_id_letter_by_letter(colour: Colour, event_id: str, form: str) -> None:
    event = model(an_event(event_id))
    given_as = {"change": EventChange("added", event), "event": event, "id": event_id}[form]
    host = Host([])
    assert colour.run(lambda imds: EventWatcher(imds).approve(given_as), transport=host) is None
    assert host.posted == [{"StartRequests": [{"EventId": event_id}]}]


@pytest.mark.parametrize("nothing", ["", None, 5, {"EventId": "A"}])
def test_approve_refuses_what_is_no_event(colour: Colour, nothing: Any) -> None:
    host = Host([])
    error = colour.error(lambda imds: EventWatcher(imds).approve(nothing), transport=host)
    assert isinstance(error, ImdsValidationError)
    assert not host.requests


def test_approve_raises_what_imds_says(colour: Colour) -> None:
    host = Host([])
    host.consent = answer(400, {"error": "x"})
    assert isinstance(colour.error(lambda imds: EventWatcher(imds).approve("A"), transport=host), BadRequestError)


# Handlers


class HandClock(FakeClock):
    """Time stands still until a test turns it, and each turn lets one poll happen."""

    def attach(self, watcher: Any) -> Any:
        self._bell = watcher._poller._wakeups
        return watcher

    def turn(self, seconds: float = 1.0) -> None:
        self.now += seconds
        self._bell.put(None)

    def wait(self, seconds: float, bell: Any) -> bool:
        bell.get(timeout=30)
        return True

    async def asleep(self, seconds: float) -> None:
        with anyio.fail_after(30):
            while self._bell.empty():
                await anyio.lowlevel.checkpoint()
        self._bell.get()


def run(
    colour: Colour, host: Host, prepare: Callable[[Any, HandClock], object], *, resource: Any = "vm-0", **options: Any
) -> None:
    """`watcher.run()`, after `prepare(watcher, clock)` has put its handlers there."""
    clock = HandClock(START)

    def action(imds: Any) -> Any:
        watcher = clock.attach(EventWatcher(imds, resource=resource))
        prepare(watcher, clock)
        return watcher.run(**options)

    colour.run(action, transport=host, clock=clock, retry=None)


#: A handler as it is, and as an `async def` where the client can await it.
def wrapped(colour: Colour, handler: Callable[[EventChange, float | None], object]) -> list[Callable[..., Any]]:
    async def awaited(change: EventChange, seconds: float | None) -> None:
        handler(change, seconds)

    return [handler] if colour.name == "sync" else [handler, awaited]


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

        watcher.on("rEBOOT")(wrapped(colour, handler)[-1 if asynchronous else 0])

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
def test_a_handler_without_time_left_is_called_all_the_same(
    colour: Colour, event: dict[str, Any], left: float | None
) -> None:
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


def test_the_handlers_of_an_event_run_in_their_order(colour: Colour) -> None:
    calls: list[str] = []

    def prepare(watcher: Any, clock: HandClock) -> None:
        for name in "abc":
            watcher.on("Reboot")(lambda change, seconds, name=name: calls.append(name))
        watcher.on("Reboot")(lambda change, seconds: watcher.stop())

    run(colour, Host([an_event()]), prepare)
    assert calls == ["a", "b", "c"]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_handler_that_raises_is_logged_and_watching_goes_on(
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

        watcher.on("Reboot")(wrapped(colour, broken)[-1 if asynchronous else 0])
        watcher.on("Reboot")(next_one)

    host = Host([an_event("A")], [an_event("B")])
    run(colour, host, prepare, approve=True)
    assert calls == ["A", "B"]
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 2
    assert "Reboot A" in errors[0].getMessage()
    assert "disk full" in caplog.text
    assert not host.posted, "what was not drained is not approved"


def test_polling_goes_on_while_a_handler_runs(colour: Colour) -> None:
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
def test_async_handlers_run_beside_each_other(colour: Colour) -> None:
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

        watcher.on("Reboot")(wrapped(colour, handler)[-1 if asynchronous else 0])

    run(colour, host, prepare, approve=True)
    assert posted_before == [0]
    assert host.posted == [{"StartRequests": [{"EventId": "A"}]}], "run() waits for it, and for no other event"


@pytest.mark.parametrize("consent", [answer(400, {"error": "x"}), RuntimeError("closed")], ids=repr)
def test_an_approval_that_fails_is_logged(colour: Colour, consent: Any, caplog: pytest.LogCaptureFixture) -> None:
    host = Host([an_event()])
    host.consent = consent
    run(colour, host, lambda watcher, _: watcher.on("Reboot")(lambda *_: watcher.stop()), approve=True)
    assert len(host.posted) == 1
    assert "Reboot A: not approved" in caplog.text


def test_nothing_is_approved_unless_asked_for(colour: Colour) -> None:
    host = Host([an_event()])
    run(colour, host, lambda watcher, _: watcher.on("Reboot")(lambda *_: watcher.stop()))
    assert not host.posted


def test_a_handler_in_a_thread_that_is_late_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    release, ended = threading.Event(), threading.Event()
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
    assert not ended.is_set(), "it is not waited for"
    assert [record.getMessage() for record in caplog.records] == [
        "scheduled events: Reboot A: handlers did not finish in time and were left running"
    ]
    release.set()
    assert ended.wait(30)


def test_after_stop_a_thread_is_waited_for_until_its_deadline(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()

    class NoTime(HandClock):
        def wait(self, seconds: float, bell: Any) -> bool:
            if bell is self._bell:
                return super().wait(seconds, bell)
            self.waits.append(seconds)
            return False

    clock = NoTime(START)
    with ImdsClient(transport=Host([an_event()]), clock=clock) as imds:
        watcher = clock.attach(EventWatcher(imds))
        watcher.on("Reboot")(lambda *_: (watcher.stop(), release.wait(30)))
        watcher.run(margin=0)
    release.set()
    assert clock.waits == [900.0]
    assert "left running" in caplog.text


SOON = datetime.fromtimestamp(START + 5.01, UTC).isoformat()


@pytest.mark.parametrize("colour", COLOURS[1:], ids=str)
def test_an_async_handler_that_is_late_is_cancelled_and_reported(
    colour: Colour, caplog: pytest.LogCaptureFixture
) -> None:
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


def test_run_raises_the_loop_s_error_as_it_is(colour: Colour) -> None:
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


def test_a_handler_is_checked() -> None:
    async def handler(change: EventChange, seconds: float | None) -> None: ...

    class Callable_:
        async def __call__(self, change: EventChange, seconds: float | None) -> None: ...

    with ImdsClient() as imds:
        watcher: Any = EventWatcher(imds)
        for wrong in (None, "x", handler, Callable_(), partial(handler)):
            with pytest.raises(ImdsValidationError) as caught:
                watcher.on("Preempt")(wrong)
            assert caught.value.parameter == "handler"


# Long watching


def test_what_is_gone_is_forgotten() -> None:
    detector = ChangeDetector()
    for number in range(1000):
        detector.detect([model(an_event(str(number)))])
    detector.detect([])
    assert not detector._known


class Brief(FakeClock):
    """Counts its waits instead of keeping them, and calls `at` when its time has come."""

    def __init__(self) -> None:
        super().__init__(START)
        self.count = 0
        self.at: Iterator[tuple[float, Callable[[], object]]] = iter(())
        self._next: tuple[float, Callable[[], object]] | None = None

    def sleep(self, seconds: float) -> None:
        self.count += 1
        self.now += seconds
        self._next = self._next or next(self.at, None)
        if self._next and self.now >= self._next[0]:
            self._next[1]()
            self._next = None


def test_a_day_of_watching_takes_bounded_polls_and_memory(colour: Colour) -> None:
    """An event every hour, and ten minutes of outage after each."""
    clock = Brief()
    polls = [0]
    objects: list[int] = []
    changes: list[str] = []

    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/instance"):
            return named("vm-0")
        polls[0] += 1
        hour, second = divmod(clock.now - START, 3600)
        if second >= 3000:
            return answer(503, {"error": "Service unavailable"})
        event = an_event(f"event-{hour:.0f}", NotBefore=formatdate(START + hour * 3600 + 900, usegmt=True))
        events = [] if second >= 1800 else [started(event)] if second >= 900 else [event]
        return answer(200, {"DocumentIncarnation": int(clock.now // 900), "Events": events})

    def count() -> None:
        gc.collect()
        objects.append(len(gc.get_objects()))

    def action(imds: Any) -> Any:
        watcher = EventWatcher(imds, interval=30)
        looks = [(START + hour * 3600 + 2500, count) for hour in range(1, 24)]
        clock.at = iter([*looks, (START + 24 * 3600, watcher.stop)])
        if isinstance(imds, ImdsClient):
            for change in watcher:
                changes.append(change.kind)
            return None

        async def main() -> None:
            async for change in watcher:
                changes.append(change.kind)

        return main()

    logging.disable(logging.CRITICAL)  # pytest would keep every line
    gc.collect()
    gc.freeze()  # what is there already need not be looked at again and again
    try:
        colour.run(action, transport=httpx.MockTransport(reply), clock=clock)
    finally:
        gc.unfreeze()
        logging.disable(logging.NOTSET)
    assert changes == ["added", "changed", "gone"] * 24
    assert 2800 <= polls[0] <= 2881
    # Valleys, because trio sweeps its old deadlines only when a thousand have gathered. A day has 2800 polls.
    assert min(objects[12:]) - min(objects[2:12]) < 100


def test_the_names_are_exported() -> None:
    assert azure_imds.EventWatcher is EventWatcher
    assert azure_imds.EventChange is EventChange
