"""EventWatcher against the emulator: whole lives of events, over real HTTP."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
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
from docs_support import DOCS, blocks
from support import ROOT, Colour, FakeClock

START = 1_700_000_000.0
LEAST_NOTICE = {"Freeze": 900, "Reboot": 900, "Redeploy": 600, "Preempt": 30, "Terminate": 300}

Step = Callable[[], object]


class World(FakeClock):
    """One time for the watcher and its emulator. Things happen when it comes to them, and then the watcher stops."""

    def __init__(self, **options: Any) -> None:
        super().__init__(START)
        self.there = EmulatorClock(START, frozen=True)
        self.emulator = Emulator(clock=self.there, **options)
        self.plan: list[tuple[float, Step]] = []

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.there.advance(seconds)
        while self.plan and self.now >= START + self.plan[0][0]:
            self.plan.pop(0)[1]()

    def watch(self, colour: Colour, *plan: tuple[float, Step], **options: Any) -> list[EventChange]:
        """What is yielded while the plan (seconds from the start, and what happens then) is carried out."""

        def action(imds: Any) -> Any:
            watcher = EventWatcher(imds, **options)
            self.plan = [*plan[:-1], (plan[-1][0], lambda: (plan[-1][1](), watcher.stop()))]
            if isinstance(imds, ImdsClient):
                return list(watcher)

            async def main() -> list[EventChange]:
                return [change async for change in watcher]

            return main()

        changes: list[EventChange] = colour.run(action, endpoint=self.emulator.endpoint, clock=self)
        return changes

    def moment(self, change: EventChange) -> float | None:
        """Its NotBefore, in seconds from the start."""
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
def test_an_event_begins_when_its_time_has_come_and_ends(colour: Colour, world: World, event_type: Any) -> None:
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


def test_a_failed_host_gives_no_notice(colour: Colour, world: World) -> None:
    changes = world.watch(
        colour, (2, lambda: world.emulator.schedule("Reboot", started=True, started_for=3)), (8, nothing)
    )
    assert seen(changes) == [("added", "Started"), ("gone", "Started")]


def test_an_event_that_is_there_already_is_yielded(colour: Colour, world: World) -> None:
    world.emulator.schedule("Preempt")
    assert seen(world.watch(colour, (5, nothing))) == [("added", "Scheduled")]


def test_an_approved_event_begins_at_once(colour: Colour, world: World) -> None:
    event_id = world.emulator.schedule("Reboot", started_for=5).event_id

    def action(imds: Any) -> Any:
        watcher = EventWatcher(imds)
        if isinstance(imds, ImdsClient):
            changes = [next(watcher)]
            watcher.approve(changes[0])
            watcher.approve(changes[0])  # nobody minds
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


def test_another_machine_s_events_are_not_ours(colour: Colour, world: World) -> None:
    world.emulator.machine.compute["name"] = "vmss_0"
    world.emulator.schedule("Reboot", resources=["vmss_1"], event_id="OTHER")
    world.emulator.schedule("Reboot", resources=["vmss_0"], event_id="OURS")
    world.emulator.schedule("Freeze", resources=["VMSS_1", "VMSS_0"], event_id="BOTH")
    assert [change.event.event_id for change in world.watch(colour, (5, nothing))] == ["OURS", "BOTH"]
    everyone = world.watch(colour, (5, nothing), resource=None)
    assert [change.event.event_id for change in everyone] == ["OTHER", "OURS", "BOTH"]


def test_two_machines_see_the_same_event_and_one_approves(colour: Colour, world: World) -> None:
    world.emulator.schedule("Freeze", resources=["vmss_0", "vmss_1"], event_id="A", started_for=5)
    results = {}
    for name in ("vmss_0", "vmss_1"):
        plan = [(2, lambda: world.emulator.events.approve("A")), (3, nothing)] if name == "vmss_0" else [(3, nothing)]
        world.now = START
        results[name] = seen(world.watch(colour, *plan, resource=name))
    assert results == {"vmss_0": LIFE[:2], "vmss_1": [("added", "Started")]}


def test_an_outage_in_the_middle_of_a_life_is_survived(colour: Colour, world: World) -> None:
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


def test_the_machine_s_name_is_asked_for_until_it_is_known(colour: Colour, world: World) -> None:
    world.emulator.fail(404, path="/metadata/instance", times=4)
    world.emulator.schedule("Preempt", notice=8, started_for=4)
    assert seen(world.watch(colour, (60, nothing))) == LIFE


def test_the_rate_limit_is_respected(colour: Colour) -> None:
    world = World(rate_limits=True)
    with world.emulator:
        world.watch(colour, (10, nothing), interval=0.2)
        assert {request.status for request in world.emulator.requests} == {200}


def test_it_asks_once_a_second(colour: Colour, world: World) -> None:
    world.watch(colour, (60, nothing))
    assert sum(request.path.endswith("/scheduledevents") for request in world.emulator.requests) == 60


class Told(EmulatorClock):
    """Tells when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__(START, frozen=True)
        self.waited_for = threading.Event()

    async def sleep(self, seconds: float) -> None:
        self.waited_for.set()
        await super().sleep(seconds)


def test_the_first_answer_may_take_two_minutes(colour: Colour) -> None:
    clock = Told()
    results: list[EventChange] = []

    def action(imds: Any) -> Any:
        watcher = EventWatcher(imds)
        return next(watcher) if isinstance(imds, ImdsClient) else anext(watcher)

    with Emulator(clock=clock, first_call_delay=120) as emulator:
        emulator.schedule("Reboot")
        thread = threading.Thread(target=lambda: results.append(colour.run(action, endpoint=emulator.endpoint)))
        thread.start()
        assert clock.waited_for.wait(30)
        clock.advance(119)
        assert thread.is_alive()
        clock.advance(1)
        thread.join(30)
        assert seen(results) == [("added", "Scheduled")]
        assert len([request for request in emulator.requests if request.path.endswith("/scheduledevents")]) == 1


def test_handlers_drain_before_the_event_and_let_it_begin(colour: Colour, world: World) -> None:
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

    colour.run(action, endpoint=world.emulator.endpoint, clock=Still(START))
    assert calls == [25.0]
    assert event.status == "Started"


class Still(FakeClock):
    """Time stands still, however long a handler takes."""

    wait = SystemClock.wait

    def sleep(self, seconds: float) -> None:
        pass


# The drain example


@pytest.fixture
def drain() -> Iterator[tuple[Emulator, subprocess.Popen[str]]]:
    with Emulator() as emulator:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", ROOT / "examples" / "drain.py"],
            env=os.environ | emulator.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        last_resort = threading.Timer(120, process.kill)
        last_resort.start()
        with process:
            try:
                yield emulator, process
            finally:
                last_resort.cancel()
                process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def rest(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What else it prints until its end. `communicate` would forget what `readline` has read ahead."""
    assert process.stdout is not None
    assert process.stderr is not None
    out, errors = process.stdout.read(), process.stderr.read()
    process.wait(30)
    return out, errors


@pytest.mark.parametrize("event_type", ["Preempt", "Reboot"])
def test_the_example_drains_its_worker_and_approves(
    drain: tuple[Emulator, subprocess.Popen[str]], event_type: Any
) -> None:
    emulator, process = drain
    other = emulator.schedule(event_type, resources=["another-machine"], notice=600)
    event = emulator.schedule(event_type, description="Evicted.", notice=600)
    assert line(process) == "working\n"
    assert line(process) == f"{event_type} {event.event_id}: Evicted.\n"
    out, errors = rest(process)
    assert re.fullmatch(r"drained; \d+ jobs given back\n", out)
    assert (errors, process.returncode) == ("", 0)
    assert (event.status, other.status) == ("Started", "Scheduled")


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking it")
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_the_example_ends_on_a_signal(drain: tuple[Emulator, subprocess.Popen[str]], signum: int) -> None:
    emulator, process = drain
    emulator.schedule("Freeze")
    assert line(process) == "working\n"
    process.send_signal(signum)
    out, errors = rest(process)
    assert (out, errors, process.returncode) == ("", "", 0)


#: The how-to's examples: watch, approve, run handlers, and examples/drain.py.
WATCH, APPROVE, HANDLERS, DRAIN = blocks(DOCS / "events.md", "python")


def test_the_how_to_s_first_example_prints_changes() -> None:
    with Emulator() as emulator:
        emulator.schedule("Preempt")
        with subprocess.Popen(
            [sys.executable, "-u", "-c", WATCH.text],
            env=os.environ | emulator.environment,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert re.fullmatch(r"added Preempt Scheduled \d\d?\.\d+\n", line(process))
            process.kill()


@pytest.fixture
def watcher(imds_emulator: Emulator) -> Iterator[EventWatcher[ImdsClient]]:
    with ImdsClient() as imds, EventWatcher(imds) as watcher:
        yield watcher


def test_the_how_to_s_approval_lets_the_event_begin(watcher: EventWatcher[ImdsClient], imds_emulator: Emulator) -> None:
    event = imds_emulator.schedule("Reboot")
    exec(APPROVE.text, {"watcher": watcher, "change": next(iter(watcher))})
    assert event.status == "Started"


def test_the_how_to_s_handler_saves_and_approves(watcher: EventWatcher[ImdsClient], imds_emulator: Emulator) -> None:
    event = imds_emulator.schedule("Preempt")
    given: list[float] = []

    def write_checkpoint(timeout: float) -> None:
        given.append(timeout)
        watcher.stop()

    exec(HANDLERS.text, {"watcher": watcher, "write_checkpoint": write_checkpoint})
    assert 0 <= given[0] <= 25
    assert event.status == "Started"


def test_the_how_to_shows_the_example_as_it_is() -> None:
    assert DRAIN.source == "examples/drain.py"


def test_the_how_to_names_each_type_s_handler() -> None:
    page = (DOCS / "events.md").read_text(encoding="utf-8")
    for event_type in typing.get_args(KnownEventType):
        assert f'"{event_type}"' in page
