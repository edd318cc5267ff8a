"""`DrainPlugin` on a LocalCluster whose workers are on several emulated machines, each with an emulator of its own."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from integration import parts
from integration.cluster import local_cluster

from azure_imds.integrations.dask import DrainPlugin
from azure_imds_emulator import Emulator
from docs_support import DOCS, join_python

dask = parts.module("dask")
distributed = parts.module("distributed")

pytestmark = pytest.mark.integration

#: The notice of an event that a test does not wait for.
NOTICE = 3600.0
MARGIN = 2.0
PLUGIN = DrainPlugin(interval=0.2, margin=MARGIN)
GUIDE = DOCS / "guides" / "dask.md"


class Machine:
    """An emulated machine with Dask workers."""

    def __init__(self, cluster: Any, name: str, workers: int) -> None:
        self.name = name
        self.emulator = Emulator()
        self.emulator.machine.compute["name"] = name
        self._cluster = cluster
        self._names: list[int] = []
        self._nannies: list[Any] = []
        self.emulator.start()
        self.add_workers(workers)

    def add_workers(self, count: int) -> None:
        """Starts workers on this machine, and returns when they are running."""
        spec = self._cluster.new_spec
        options = {**spec["options"], "env": self.emulator.environment, "nthreads": 1}
        before = set(self._cluster.worker_spec)
        self._cluster.new_spec = {**spec, "options": options}
        self._cluster.scale(len(before) + count)
        self._cluster.new_spec = spec
        names = set(self._cluster.worker_spec) - before
        wait_until(lambda: names <= self._cluster.workers.keys())
        self._names += names
        self._nannies += [self._cluster.workers[name] for name in names]

    @property
    def workers(self) -> list[str]:
        """The addresses of its workers in the cluster."""
        states = list(self._cluster.scheduler.workers.values())
        return [state.address for state in states if state.name in self._names]

    @property
    def states(self) -> set[str]:
        """The states of its workers in the cluster."""
        return {self._cluster.scheduler.workers[address].status.name for address in self.workers}

    @property
    def nannies(self) -> set[str]:
        """The states of its nannies."""
        return {nanny.status.name for nanny in self._nannies}

    @property
    def polls(self) -> int:
        return sum(request.path == "/metadata/scheduledevents" for request in self.emulator.requests)

    @property
    def approvals(self) -> int:
        return sum(request.method == "POST" for request in self.emulator.requests)

    def wait_for_polls(self, count: int = 2) -> None:
        """Returns after so many further polls. A poll that began before cannot have seen the present events."""
        seen = self.polls
        wait_until(lambda: self.polls >= seen + count)

    def wait_until_closed(self) -> None:
        wait_until(lambda: self.workers == [])
        wait_until(lambda: self.nannies == {"closed"})

    def remove(self) -> None:
        for name in self._names:
            self._cluster.worker_spec.pop(name, None)
        self._cluster.scale(len(self._cluster.worker_spec))
        wait_until(lambda: self._cluster.workers.keys().isdisjoint(self._names))
        self.emulator.stop()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    # Otherwise an idle worker may take a task before it starts.
    with (
        dask.config.set({"distributed.scheduler.work-stealing": False}),
        local_cluster(0, tmp_path_factory.mktemp("dask")) as cluster,
    ):
        yield cluster


@pytest.fixture(scope="module")
def client(cluster: Any) -> Iterator[Any]:
    with distributed.Client(cluster) as client:
        client.register_plugin(PLUGIN)
        yield client


@pytest.fixture(scope="module")
def refuge(client: Any, cluster: Any) -> Iterator[Machine]:
    """A machine that stays."""
    machine = Machine(cluster, "refuge", 1)
    yield machine
    machine.remove()


@pytest.fixture
def add_machine(client: Any, cluster: Any, request: pytest.FixtureRequest) -> Callable[[str, int], Machine]:
    def add(name: str, workers: int = 1) -> Machine:
        machine = Machine(cluster, name, workers)
        request.addfinalizer(machine.remove)
        wait_until(lambda: len(machine.workers) == workers and machine.states == {"running"})
        return machine

    return add


class Tasks:
    """Tasks that write a line when they start, and that can wait for a file. The lines show what was computed."""

    def __init__(self, client: Any, folder: Path) -> None:
        self._client = client
        self._folder = folder
        self._gate = folder / "gate"
        self.futures: list[Any] = []

    def submit(self, machine: Machine | None, count: int, *, held: bool = False) -> None:
        """Sends tasks, which the machine computes if it can. Held tasks wait for `release`."""
        where = {} if machine is None else {"workers": machine.workers, "allow_other_workers": True}
        numbers = range(len(self.futures), len(self.futures) + count)
        self.futures += self._client.map(
            compute, numbers, folder=str(self._folder), gate=str(self._gate) if held else "", pure=False, **where
        )

    def release(self) -> None:
        self._gate.touch()

    @property
    def started(self) -> Counter[int]:
        """How often each task was started."""
        return Counter(int(path.name.split("-")[1]) for path in self._folder.glob("task-*"))

    def wait_for_starts(self, count: int) -> None:
        wait_until(lambda: self.started.total() >= count)

    def waiting_on(self, machine: Machine) -> int:
        """How many tasks the scheduler has sent to a machine, and which are not finished."""
        return sum(len(keys) for keys in self._client.processing(machine.workers).values())

    def check(self) -> None:
        """Fails if a result is lost."""
        assert self._client.gather(self.futures) == list(range(len(self.futures)))


def wait_until(condition: Callable[[], bool]) -> None:
    """Waits until a condition is true. Fails after a minute."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "the condition did not become true within a minute"
        time.sleep(0.02)


def compute(number: int, folder: str, gate: str) -> int:
    Path(folder, f"task-{number}-{uuid.uuid4().hex}").touch()
    while gate and not os.path.exists(gate):
        time.sleep(0.05)
    return number


def pause(dask_worker: Any) -> None:
    dask_worker.status = distributed.Status.paused


def resume(dask_worker: Any) -> None:
    dask_worker.status = distributed.Status.running


@pytest.fixture
def tasks(client: Any, tmp_path: Path) -> Iterator[Tasks]:
    tasks = Tasks(client, tmp_path)
    yield tasks
    tasks.release()
    client.cancel(tasks.futures)


def once(count: int) -> Counter[int]:
    return Counter(dict.fromkeys(range(count), 1))


def test_a_machine_is_emptied_without_losing_or_repeating_a_task(
    add_machine: Callable[..., Machine], refuge: Machine, client: Any, tasks: Tasks
) -> None:
    spot = add_machine("spot", 2)
    tasks.submit(spot, 8)
    distributed.wait(tasks.futures)
    tasks.submit(spot, 6, held=True)
    tasks.wait_for_starts(8 + 2)
    assert tasks.waiting_on(spot) == 6
    event = spot.emulator.schedule("Preempt", notice=NOTICE)
    tasks.wait_for_starts(8 + 3)  # the other machine takes those that have not started
    assert tasks.waiting_on(spot) == 2
    assert (spot.states, spot.approvals) == ({"closing_gracefully"}, 0)

    tasks.release()
    spot.wait_until_closed()
    assert spot.approvals == 1
    assert event.status == "Started"
    tasks.check()
    assert tasks.started == once(14)
    assert spot.workers == [], "a nanny has restarted its worker"
    assert (len(refuge.workers), refuge.approvals) == (1, 0)


def test_one_worker_of_a_machine_polls(add_machine: Callable[..., Machine], refuge: Machine) -> None:
    spot = add_machine("spot", 3)
    before = spot.polls
    spot.wait_for_polls(12)
    times = [request.time for request in spot.emulator.requests if request.path == "/metadata/scheduledevents"][before:]
    # One worker polls once in an interval, and less often on a slow machine. Three workers poll three times.
    assert len(times) < 2 * (times[-1] - times[0]) / PLUGIN.interval + 2


def test_events_of_other_machines_of_other_types_and_of_the_past_are_left_alone(
    add_machine: Callable[..., Machine], refuge: Machine, tasks: Tasks
) -> None:
    spot = add_machine("spot")
    spot.emulator.schedule("Preempt", resources=["spot-2"], notice=NOTICE)
    spot.emulator.schedule("Freeze", notice=NOTICE)
    spot.emulator.schedule("Reboot", started=True)
    spot.wait_for_polls()
    assert (spot.states, spot.approvals) == ({"running"}, 0)


def test_workers_continue_after_an_event_is_cancelled(
    add_machine: Callable[..., Machine], refuge: Machine, client: Any, tasks: Tasks
) -> None:
    spot = add_machine("spot", 2)
    tasks.submit(spot, 2, held=True)
    tasks.wait_for_starts(2)
    event = spot.emulator.schedule("Terminate", notice=NOTICE)
    wait_until(lambda: spot.states == {"closing_gracefully"})
    spot.emulator.events.cancel(event.event_id)
    wait_until(lambda: spot.states == {"running"})
    tasks.release()
    tasks.check()
    assert tasks.started == once(2)
    assert client.submit(lambda: 1, workers=spot.workers, pure=False).result() == 1
    assert spot.approvals == 0

    spot.emulator.schedule("Terminate", notice=NOTICE)
    spot.wait_until_closed()
    assert spot.approvals == 1


def test_a_task_that_still_runs_at_the_deadline_is_computed_elsewhere(
    add_machine: Callable[..., Machine], refuge: Machine, tasks: Tasks
) -> None:
    spot = add_machine("spot")
    tasks.submit(spot, 1)
    distributed.wait(tasks.futures)
    tasks.submit(spot, 1, held=True)
    tasks.wait_for_starts(2)
    event = spot.emulator.schedule("Preempt", notice=NOTICE)
    wait_until(lambda: spot.states == {"closing_gracefully"})
    event.not_before = spot.emulator.clock.time() + MARGIN  # the event is brought forward
    tasks.wait_for_starts(3)
    assert spot.approvals == 0
    tasks.release()
    tasks.check()
    assert tasks.started == {0: 1, 1: 2}
    spot.wait_until_closed()


def test_running_tasks_have_until_a_later_not_before(
    add_machine: Callable[..., Machine], refuge: Machine, tasks: Tasks
) -> None:
    spot = add_machine("spot")
    tasks.submit(spot, 1, held=True)
    tasks.wait_for_starts(1)
    event = spot.emulator.schedule("Preempt", notice=MARGIN + 3)
    wait_until(lambda: spot.states == {"closing_gracefully"})
    event.not_before += NOTICE
    spot.emulator.clock.advance(5)
    spot.wait_for_polls()
    time.sleep(4)
    tasks.release()
    spot.wait_until_closed()
    tasks.check()
    assert tasks.started == once(1)
    assert spot.approvals == 1


def test_an_event_during_an_outage_of_imds(add_machine: Callable[..., Machine], refuge: Machine, tasks: Tasks) -> None:
    spot = add_machine("spot")
    spot.wait_for_polls()
    spot.emulator.fail(close=True, times=4)
    spot.emulator.schedule("Preempt", notice=NOTICE)
    spot.wait_until_closed()
    assert spot.approvals == 1


def test_a_worker_that_starts_while_the_event_is_pending(
    add_machine: Callable[..., Machine], refuge: Machine, tasks: Tasks
) -> None:
    spot = add_machine("spot")
    tasks.submit(spot, 1, held=True)
    tasks.wait_for_starts(1)
    spot.emulator.schedule("Preempt", notice=NOTICE)
    wait_until(lambda: spot.states == {"closing_gracefully"})
    spot.add_workers(1)
    wait_until(lambda: len(spot.workers) == 2 and spot.states == {"closing_gracefully"})
    tasks.release()
    spot.wait_until_closed()
    assert spot.approvals == 1

    spot.add_workers(1)  # a service manager restarts the program while the machine stops
    spot.wait_until_closed()
    assert spot.approvals == 1
    tasks.check()
    assert tasks.started == once(1)


def test_an_event_of_several_machines_is_approved_when_the_last_is_empty(
    add_machine: Callable[..., Machine], refuge: Machine, tasks: Tasks
) -> None:
    first, second = add_machine("first"), add_machine("second")
    tasks.submit(second, 1, held=True)
    tasks.wait_for_starts(1)
    for machine in (first, second):
        machine.emulator.schedule("Reboot", event_id="E1", resources=["First", "second"], notice=NOTICE)
    first.wait_until_closed()
    assert (first.approvals, second.states) == (0, {"closing_gracefully"})
    tasks.release()
    second.wait_until_closed()
    assert (first.approvals, second.approvals) == (0, 1)


def test_an_event_that_also_names_a_machine_without_workers_is_not_approved(
    add_machine: Callable[..., Machine], refuge: Machine
) -> None:
    spot = add_machine("spot")
    spot.emulator.schedule("Reboot", resources=["spot", "database"], notice=NOTICE)
    spot.wait_until_closed()
    assert spot.approvals == 0


def test_another_worker_takes_over(add_machine: Callable[..., Machine], refuge: Machine, client: Any) -> None:
    spot = add_machine("spot", 2)
    spot.wait_for_polls()
    for process in client.run(os.getpid, workers=spot.workers).values():
        os.kill(process, signal.SIGKILL)  # the nanny starts another worker
        spot.wait_for_polls()
    spot.emulator.schedule("Preempt", notice=NOTICE)
    spot.wait_until_closed()
    assert spot.approvals == 1


def test_results_without_another_machine_stay_until_one_comes(
    client: Any, cluster: Any, tmp_path: Path, refuge: Machine, add_machine: Callable[..., Machine], tasks: Tasks
) -> None:
    spot = add_machine("spot")
    tasks.submit(spot, 3)
    distributed.wait(tasks.futures)
    client.run(pause, workers=refuge.workers)  # it takes no results
    try:
        spot.emulator.schedule("Preempt", notice=NOTICE)
        wait_until(lambda: "could-not-retire" in str(cluster.scheduler.get_events("all")))
        assert (len(spot.workers), spot.approvals) == (1, 0)
    finally:
        client.run(resume, workers=refuge.workers)
    spot.wait_until_closed()
    assert spot.approvals == 1
    tasks.check()
    assert tasks.started == once(3)


def test_the_example_of_the_guide_runs(cluster: Any, client: Any) -> None:
    space: dict[str, Any] = {}
    exec(join_python(GUIDE).replace("tcp://scheduler:8786", cluster.scheduler_address), space)
    space["client"].close()
    assert DrainPlugin.name in cluster.scheduler.worker_plugins
    client.register_plugin(PLUGIN)  # replaces it
