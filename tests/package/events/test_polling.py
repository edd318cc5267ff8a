"""When a watcher polls, with which timeouts, what it does in an outage, and for which machines."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any

import httpx
import pytest

from azure_imds import EventWatcher, ImdsClient, ImdsValidationError, RetryPolicy
from events_support import LIFE, START, Document, Host, all_of, an_event, named, seen, started, watch
from support import Colour, FakeClock, answer


def test_it_polls_once_per_interval(colour: Colour) -> None:
    clock = FakeClock(START)
    watch(colour, Host([], [], [], []), client={"clock": clock}, interval=2.5)
    assert clock.waits == [2.5, 2.5, 2.5, 2.5]


def test_it_never_sends_more_than_five_requests_a_second(colour: Colour) -> None:
    clock, times = FakeClock(START), []
    host = Host(*[[]] * 20)
    handle = host.handler
    host.handler = lambda request: (times.append(clock.now), handle(request))[1]  # type: ignore[func-returns-value]
    watch(colour, host, client={"clock": clock}, interval=0.2)
    assert len(times) == 22
    assert all(sum(first <= other < first + 0.999 for other in times) <= 5 for first in times)


def test_a_slow_consumer_is_not_followed_by_a_burst(colour: Colour) -> None:
    clock = FakeClock(START)
    host = Host([], lambda: setattr(clock, "now", clock.now + 5) or [], [], [])
    watch(colour, host, client={"clock": clock})
    assert clock.waits == [1.0, 1.0, 1.0]  # no wait after the poll that took five seconds


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
def test_only_the_first_poll_has_the_long_timeout_of_the_contract(
    colour: Colour, options: dict[str, Any], seconds: list[float]
) -> None:
    host = Host([], [])
    watch(colour, host, client=options)
    assert host.read_timeouts == seconds


def test_the_long_timeout_holds_until_the_first_answer_and_returns_after_a_day_without_one(colour: Colour) -> None:
    clock = FakeClock(START)
    down = httpx.ReadTimeout("late")
    host = Host(down, down, [], down, lambda: setattr(clock, "now", clock.now + 86400) or down, [])
    watch(colour, host, client={"clock": clock})
    assert host.read_timeouts == [150, 150, 150, 10, 10, 150, 10]


OUTAGES: list[Document] = [
    *(answer(status, {"error": "x"}) for status in (400, 403, 404, 405, 408, 410, 429, 500, 503)),
    answer(200, b"not JSON"),
    answer(200, {"DocumentIncarnation": 1, "Events": [{"EventId": "A"}]}),
    httpx.ConnectError("refused"),
    httpx.ReadTimeout("late"),
    httpx.RemoteProtocolError("closed"),
]


@pytest.mark.parametrize("outage", OUTAGES, ids=repr)
def test_an_outage_loses_and_repeats_no_change(
    colour: Colour, outage: Document, caplog: pytest.LogCaptureFixture
) -> None:
    event = an_event()
    with caplog.at_level(logging.INFO, "azure_imds"):
        host = Host([event], outage, outage, outage, [started(event)], outage, [started(event)], [])
        assert seen(watch(colour, host)) == LIFE
    assert len(caplog.records) == 2, "one warning per outage"
    assert len(host.polls) == 9, "one request per poll"


def test_waits_during_an_outage_grow_up_to_ten_seconds(colour: Colour) -> None:
    clock = FakeClock(START)
    watch(colour, Host(*[answer(503, {"error": "x"})] * 7, [], []), client={"clock": clock})
    assert clock.waits == [1, 2, 4, 8, 10, 10, 10, 1, 1]


class Lucky(FakeClock):
    def jitter(self, ceiling: float) -> float:
        return ceiling / 4


def test_waits_during_an_outage_are_random(colour: Colour) -> None:
    clock = Lucky(START)
    watch(colour, Host([], *[answer(503, {"error": "x"})] * 5, []), client={"clock": clock}, resource="vm-0")
    assert clock.waits == [0.25, 1, 1.25, 1.75, 2.75, 3.25, 1]


@pytest.mark.parametrize(("interval", "first"), [(60, 15), (0.5, 0.625)])
def test_only_the_wait_after_the_first_answer_is_random(colour: Colour, interval: float, first: float) -> None:
    clock = Lucky(START)
    watch(colour, Host([], [], []), client={"clock": clock}, interval=interval, resource="vm-0")
    assert clock.waits == pytest.approx([first, interval, interval])


@pytest.mark.parametrize("resource", ["auto", "vm-0"])
@pytest.mark.parametrize("part", [0.01, 0.15, 0.3, 0.5, 0.99])
def test_machines_that_start_together_are_spread_evenly(colour: Colour, resource: str, part: float) -> None:
    class Random(FakeClock):
        def jitter(self, ceiling: float) -> float:
            return ceiling * part

    clock = Random(START)
    watch(colour, Host([], [], [], instance=(named("vm-0"),)), client={"clock": clock}, resource=resource)
    assert clock.waits[0] % 1 == pytest.approx(part)
    assert clock.waits[0] >= (0.4 if resource == "auto" else 0.2), "IMDS answers five requests per second"


def test_a_longer_interval_is_kept_during_an_outage(colour: Colour) -> None:
    clock = FakeClock(START)
    watch(colour, Host(*[answer(503, {"error": "x"})] * 3), client={"clock": clock}, interval=60)
    assert clock.waits == [60, 60, 60]


def test_the_next_poll_follows_a_timeout_immediately(colour: Colour) -> None:
    clock = FakeClock(START)

    def late() -> Exception:
        clock.now += 10
        return httpx.ReadTimeout("late")

    watch(colour, Host([], late, late, []), client={"clock": clock})
    assert clock.waits == [1, 1]


@pytest.mark.parametrize(("asked", "waited"), [("5", 5), ("600", 10), ("0", 1)])
def test_retry_after_is_respected_up_to_ten_seconds(colour: Colour, asked: str, waited: float) -> None:
    clock = FakeClock(START)
    watch(colour, Host([], answer(429, {"error": "x"}, Retry_After=asked), []), client={"clock": clock})
    assert clock.waits == [1, waited, 1]


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
def test_by_default_it_yields_only_the_events_of_this_machine(colour: Colour, name: str, resource: str) -> None:
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
def test_resource_selects_other_machines(colour: Colour, resource: Any, ids: list[str]) -> None:
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
    assert str(caught.value).startswith('EventWatcher: resource must be "auto", None, the name of a machine')


def test_the_name_is_fetched_once(colour: Colour) -> None:
    host = Host([], [an_event()], [])
    watch(colour, host)
    assert host.count("/instance") == 1


def test_an_event_is_gone_while_it_does_not_name_this_machine(colour: Colour) -> None:
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
def test_changes_wait_for_the_name_of_the_machine(
    colour: Colour, outage: httpx.Response | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    event, other = an_event(), an_event("B", Resources=["vm-1"])
    lives = ([other], [event, other], [event], [started(event)], *[[]] * 22)
    host = Host(*lives, instance=(*[outage] * 5, named("vm-0")))
    clock = FakeClock(START)
    assert seen(watch(colour, host, client={"clock": clock})) == LIFE
    assert clock.waits == [1.0] * 26, "polling keeps its interval, with or without a name"
    assert host.count("/instance") == 6, "after 0, 1, 3, 7, 15 and 25 seconds"
    assert len(caplog.records) == 1


def test_the_documents_that_wait_for_the_name_are_limited(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_equal_documents_wait_for_the_name_once(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure_imds._events.polling.MAX_PENDING", 3)
    event = an_event()
    host = Host(
        *[[event]] * 9, *[[started(event)]] * 9, *[[]] * 9, instance=(*[answer(404, {"error": "x"})] * 5, named("vm-0"))
    )
    assert seen(watch(colour, host)) == LIFE


class CountingClock(FakeClock):
    """Counts its waits instead of keeping them, and calls each function of `at` at its time."""

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


def test_the_polls_and_the_memory_of_a_day_are_limited(colour: Colour) -> None:
    """One event per hour, followed by an outage of ten minutes."""
    clock = CountingClock()
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
        checks = [(START + hour * 3600 + 2500, count) for hour in range(1, 24)]
        clock.at = iter([*checks, (START + 24 * 3600, watcher.stop)])
        if isinstance(imds, ImdsClient):
            for change in watcher:
                changes.append(change.kind)
            return None

        async def main() -> None:
            async for change in watcher:
                changes.append(change.kind)

        return main()

    logging.disable(logging.CRITICAL)  # pytest would keep each record
    gc.collect()
    gc.freeze()  # objects that exist already need not be collected again and again
    try:
        colour.run(action, transport=httpx.MockTransport(reply), clock=clock)
    finally:
        logging.disable(logging.NOTSET)
    assert changes == ["added", "changed", "gone"] * 24
    assert 2800 <= polls[0] <= 2881
    # The minimum, because trio removes old deadlines only when there are a thousand. A day has 2800 polls.
    assert min(objects[12:]) - min(objects[2:12]) < 100
