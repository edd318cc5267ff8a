"""EventWatcher with the emulator: events from their announcement to their end, over real HTTP."""

from __future__ import annotations

import json
import threading
import typing
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from azure_imds import BadRequestError, EventChange, EventWatcher, ImdsClient
from azure_imds._clock import Clock as SystemClock
from azure_imds_api.models.known_event_type import KnownEventType
from azure_imds_emulator import Clock as EmulatorClock
from azure_imds_emulator import Emulator
from events_support import all_of, in_background
from support import Colour, FakeClock

START = 1_700_000_000.0
LEAST_NOTICE = {"Freeze": 900, "Reboot": 900, "Redeploy": 600, "Preempt": 30, "Terminate": 300}

Step = Callable[[], object]


class World(FakeClock):
    """One clock for a watcher and its emulator. It runs the steps of a plan, and then stops the watcher."""

    def __init__(self, **options: Any) -> None:
        super().__init__(START)
        self.emulator_clock = EmulatorClock(START, frozen=True)
        self.emulator = Emulator(clock=self.emulator_clock, **options)
        self.plan: list[tuple[float, Step]] = []

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.emulator_clock.advance(seconds)
        while self.plan and self.now >= START + self.plan[0][0]:
            self.plan.pop(0)[1]()

    def watch(self, colour: Colour, *plan: tuple[float, Step], **options: Any) -> list[EventChange]:
        """Returns the changes during a plan of steps: seconds from the start, and the function to call then."""

        def action(imds: Any) -> Any:
            watcher = EventWatcher(imds, **options)
            self.plan = [*plan[:-1], (plan[-1][0], lambda: (plan[-1][1](), watcher.stop()))]
            return all_of(watcher)

        changes: list[EventChange] = colour.run(action, endpoint=self.emulator.endpoint, clock=self)
        return changes

    def moment(self, change: EventChange) -> float | None:
        """The NotBefore of a change, in seconds from the start."""
        return change.not_before.timestamp() - START if change.not_before else None


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    with world.emulator:
        yield world


def seen(changes: list[EventChange]) -> list[tuple[str, str]]:
    return [(change.kind, str(change.event.event_status)) for change in changes]


LIFE = [("added", "Scheduled"), ("changed", "Started"), ("gone", "Started")]


def nothing() -> None:
    pass


@pytest.mark.parametrize("event_type", typing.get_args(KnownEventType))
def test_an_event_starts_at_its_time_and_ends(colour: Colour, world: World, event_type: Any) -> None:
    notice = LEAST_NOTICE[event_type]
    changes = world.watch(
        colour, (30, lambda: world.emulator.schedule(event_type)), (notice + 690, nothing), interval=30
    )
    assert seen(changes) == LIFE
    assert changes[0].event.event_type == event_type
    assert [world.moment(change) for change in changes] == [30 + notice, None, None]


def test_a_cancelled_event_is_gone(colour: Colour, world: World) -> None:
    changes = world.watch(
        colour,
        (2, lambda: world.emulator.schedule("Reboot", event_id="A")),
        (5, lambda: world.emulator.events.cancel("A")),
        (8, nothing),
    )
    assert seen(changes) == [("added", "Scheduled"), ("gone", "Scheduled")]


def test_a_host_failure_has_no_notice(colour: Colour, world: World) -> None:
    changes = world.watch(
        colour, (2, lambda: world.emulator.schedule("Reboot", started=True, started_for=3)), (8, nothing)
    )
    assert seen(changes) == [("added", "Started"), ("gone", "Started")]


def test_an_event_that_exists_already_is_yielded(colour: Colour, world: World) -> None:
    world.emulator.schedule("Preempt")
    assert seen(world.watch(colour, (5, nothing))) == [("added", "Scheduled")]


def test_an_approved_event_starts_immediately(colour: Colour, world: World) -> None:
    event_id = world.emulator.schedule("Reboot", started_for=5).event_id

    def action(imds: Any) -> Any:
        watcher = EventWatcher(imds)
        if isinstance(imds, ImdsClient):
            changes = [next(watcher)]
            watcher.approve(changes[0])
            watcher.approve(changes[0])  # a second approval is allowed
            return [*changes, next(watcher), next(watcher)]

        async def main() -> list[EventChange]:
            changes = [await anext(watcher)]
            await watcher.approve(changes[0])
            await watcher.approve(changes[0].event)
            return [*changes, await anext(watcher), await anext(watcher)]

        return main()

    changes = colour.run(action, endpoint=world.emulator.endpoint, clock=world)
    assert seen(changes) == LIFE
    assert world.now < START + 10, "long before the 900 seconds of notice"
    posts = [request for request in world.emulator.requests if request.method == "POST"]
    assert [json.loads(request.body) for request in posts] == [{"StartRequests": [{"EventId": event_id}]}] * 2


def test_an_event_that_is_gone_cannot_be_approved(colour: Colour, world: World) -> None:
    error = colour.error(lambda imds: EventWatcher(imds).approve("A"), endpoint=world.emulator.endpoint, clock=world)
    assert isinstance(error, BadRequestError)


def test_events_of_other_machines_are_not_yielded(colour: Colour, world: World) -> None:
    world.emulator.machine.compute["name"] = "vmss_0"
    world.emulator.schedule("Reboot", resources=["vmss_1"], event_id="OTHER")
    world.emulator.schedule("Reboot", resources=["vmss_0"], event_id="OURS")
    world.emulator.schedule("Freeze", resources=["VMSS_1", "VMSS_0"], event_id="BOTH")
    assert [change.event.event_id for change in world.watch(colour, (5, nothing))] == ["OURS", "BOTH"]
    everyone = world.watch(colour, (5, nothing), resource=None)
    assert [change.event.event_id for change in everyone] == ["OTHER", "OURS", "BOTH"]


def test_one_of_two_machines_approves_their_event(colour: Colour, world: World) -> None:
    world.emulator.schedule("Freeze", resources=["vmss_0", "vmss_1"], event_id="A", started_for=5)
    results = {}
    for name in ("vmss_0", "vmss_1"):
        plan = [(2, lambda: world.emulator.events.approve("A")), (3, nothing)] if name == "vmss_0" else [(3, nothing)]
        world.now = START
        results[name] = seen(world.watch(colour, *plan, resource=name))
    assert results == {"vmss_0": LIFE[:2], "vmss_1": [("added", "Started")]}


def test_an_event_is_followed_through_outages(colour: Colour, world: World) -> None:
    changes = world.watch(
        colour,
        (2, lambda: world.emulator.schedule("Preempt", started_for=60)),
        (10, lambda: world.emulator.fail(503, times=3)),
        (28, lambda: world.emulator.fail(410, times=2)),
        (50, lambda: world.emulator.fail(429, retry_after=3)),
        (60, lambda: world.emulator.fail(close=True, times=2)),
        (120, nothing),
    )
    assert seen(changes) == LIFE


def test_the_name_of_the_machine_is_requested_until_it_is_known(colour: Colour, world: World) -> None:
    world.emulator.fail(404, path="/metadata/instance", times=4)
    world.emulator.schedule("Preempt", notice=8, started_for=4)
    assert seen(world.watch(colour, (60, nothing))) == LIFE


def test_the_rate_limit_is_respected(colour: Colour) -> None:
    world = World(rate_limits=True)
    with world.emulator:
        world.watch(colour, (10, nothing), interval=0.2)
        assert {request.status for request in world.emulator.requests} == {200}


def test_it_polls_once_a_second(colour: Colour, world: World) -> None:
    world.watch(colour, (60, nothing))
    assert sum(request.path.endswith("/scheduledevents") for request in world.emulator.requests) == 60


class ObservedClock(EmulatorClock):
    """Sets `waited_for` when the emulator starts to wait."""

    def __init__(self) -> None:
        super().__init__(START, frozen=True)
        self.waited_for = threading.Event()

    async def sleep(self, seconds: float) -> None:
        self.waited_for.set()
        await super().sleep(seconds)


def test_the_first_answer_may_take_two_minutes(colour: Colour) -> None:
    clock = ObservedClock()

    def first_change(watcher: Any) -> Any:
        return next(watcher, None) if colour.name == "sync" else anext(watcher, None)

    with (
        Emulator(clock=clock, first_call_delay=120) as emulator,
        in_background(colour, use=first_change, endpoint=emulator.endpoint) as background,
    ):
        emulator.schedule("Reboot")
        assert clock.waited_for.wait(30)
        clock.advance(119)
        assert background.thread.is_alive()
        clock.advance(1)
        background.thread.join(30)
        assert seen(background.results) == [("added", "Scheduled")]
        assert len([request for request in emulator.requests if request.path.endswith("/scheduledevents")]) == 1


def test_a_handler_drains_before_the_event_which_is_then_approved(colour: Colour, world: World) -> None:
    event = world.emulator.schedule("Preempt")
    calls: list[float | None] = []

    def action(imds: Any) -> Any:
        watcher: Any = EventWatcher(imds)

        @watcher.on("Preempt")
        def drain(change: EventChange, seconds: float | None) -> None:
            assert world.emulator.events.events[0].status == "Scheduled"
            calls.append(seconds)
            watcher.stop()

        return watcher.run(approve=True)

    colour.run(action, endpoint=world.emulator.endpoint, clock=StoppedClock(START))
    assert calls == [25.0]
    assert event.status == "Started"


class StoppedClock(FakeClock):
    """Time does not pass, even if a handler takes long."""

    wait = SystemClock.wait

    def sleep(self, seconds: float) -> None:
        pass
