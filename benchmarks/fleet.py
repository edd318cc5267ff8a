"""`python -m benchmarks.fleet` simulates a fleet of machines: their inventory, their polling and the drain of a tenth.

    make fleet FLEET_ARGS="[--machines 200] [--docs]"

Each machine has an emulator of IMDS and a Dask worker with `DrainPlugin`. They share a few processes, and the scheduler
is in this process. Fleets of an eighth, a quarter, half and all of the machines run one after the other, so that the
growth is seen in one run. `--docs` writes the results that docs/fleet.md shows.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import logging
import multiprocessing
import os
import platform
import resource
import statistics
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import dask
import distributed as untyped_distributed
from attrs import frozen

from azure_imds import AsyncImdsClient, ImdsClient, ImdsCredential
from azure_imds.integrations.dask import DrainPlugin
from azure_imds_emulator import Emulator

from .summary import as_table

distributed: Any = untyped_distributed

DOCS = Path(__file__).parents[1] / "docs" / "benchmarks"
RESULTS, EXTRAPOLATION = DOCS / "fleet.md", DOCS / "fleet-extrapolation.md"

#: What the largest fleet is multiplied to.
SIZES = (10, 100, 1_000, 10_000, 100_000)
#: Processes for the emulators, and as many for the workers.
PROCESSES = 2
#: Seconds between two polls of a machine.
INTERVAL = 1.0
#: Seconds for which the polls are counted.
WATCHED = 10.0
#: Seconds that a task takes, and how many tasks each machine has when the events are announced.
TASK_SECONDS, TASKS = 0.5, 3
#: Seconds of notice of a Preempt.
NOTICE = 30.0
RESOURCE = "https://vault.azure.net"

#: Method, path and time of a request.
Request = tuple[str, str, float]

_spawn = multiprocessing.get_context("spawn")


@frozen
class Fleet:
    """What was measured with one fleet. Times are in seconds.

    Attributes:
        machines: how many machines it has.
        inventory: time until the metadata of all machines was gathered.
        inventory_requests: requests to IMDS for the inventory, for each machine.
        polls: polls per second, for each machine.
        skew: the share of the machines whose wait after the first poll is in the most frequent tenth of the interval.
        drain: times from the announcement of the event to its approval, for each drained machine.
        approvals: approvals, for each drained machine.
        starts: how often each task was started.
        results: the results of all tasks. Task number n returns n.
        token_requests: requests to IMDS for a token that two threads of each machine need, for each machine.
        started_within: time in which the machines asked for their first token.
        refreshed_within: time in which they will refresh it.
        connections: open sockets of the scheduler, per machine.
        scheduler_seconds: the processor time of the scheduler in each phase, per machine.
    """

    machines: int
    inventory: float
    inventory_requests: list[int]
    polls: list[float]
    skew: float
    drain: list[float]
    approvals: list[int]
    starts: Counter[int]
    results: list[int]
    token_requests: list[int]
    started_within: float
    refreshed_within: float
    connections: float
    scheduler_seconds: dict[str, float]


class FleetPlugin(DrainPlugin):
    """The plugin for workers that are on different emulated machines, although they share a process."""

    async def _watch(self, worker: Any, imds: AsyncImdsClient) -> None:
        async with AsyncImdsClient(endpoint=worker.name) as own:
            await super()._watch(worker, own)


# What runs in the other processes


def run_machines(first: int, count: int, connection: Connection) -> None:
    """Runs emulators until the connection ends, and answers questions about them."""
    with contextlib.ExitStack() as stack:
        emulators = [stack.enter_context(Emulator()) for _ in range(count)]
        for number, emulator in enumerate(emulators, first):
            emulator.machine.compute["name"] = f"machine-{number}"
        connection.send([emulator.endpoint for emulator in emulators])
        with contextlib.suppress(EOFError):
            while True:
                question, several = connection.recv()
                connection.send([question(emulators[index]) for index in several])


def run_workers(scheduler: str, names: Sequence[str], folder: str) -> None:
    """Runs Dask workers until they are closed."""

    async def run() -> None:
        options = {"nthreads": 1, "host": "127.0.0.1", "dashboard": False, "memory_limit": 0, "local_directory": folder}
        workers: list[Any] = [distributed.Worker(scheduler, name=name, **options) for name in names]
        await asyncio.gather(*workers)
        await asyncio.gather(*(worker.finished() for worker in workers))

    allow_many_sockets()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    # A real worker measures itself up to 100 times per second. So many workers in a process would do nothing else.
    quiet = {"admin.tick.interval": "5s", "admin.system-monitor.interval": "5s", "worker.profile.enabled": False}
    with dask.config.set({f"distributed.{name}": value for name, value in quiet.items()}):
        asyncio.run(run())


def find_requests(emulator: Emulator) -> list[Request]:
    """Returns the requests since the last time."""
    requests = [(request.method, request.path, request.time) for request in emulator.requests]
    emulator.requests.clear()
    return requests


def announce(emulator: Emulator, notice: float) -> float:
    emulator.schedule("Preempt", notice=notice)
    return time.time()


def find_approval(emulator: Emulator) -> float | None:
    """When the event was approved. None if it has not been approved."""
    [event] = emulator.events.events
    return event.started_at


# What runs on the workers


def describe(endpoint: str) -> str:
    with ImdsClient(endpoint=endpoint) as imds:
        return imds.instances.get_metadata().compute.name


def get_refresh(endpoint: str) -> tuple[float, float]:
    """When the machine asked for a token, and when its credential will refresh it."""
    with ImdsCredential(endpoint=endpoint) as credential:
        asked = time.time()
        token = credential.get_token(RESOURCE)
        assert credential.get_token(RESOURCE).token == token.token
        return asked, token.refresh_on or token.expires_on


def compute(number: int, folder: str) -> int:
    Path(folder, f"{number}-{uuid.uuid4().hex}").touch()
    time.sleep(TASK_SECONDS)
    return number


# The fleet


class Machines:
    """The emulators of all machines, which are in other processes."""

    def __init__(self, count: int) -> None:
        self.endpoints: list[str] = []
        self._parts: list[tuple[range, Connection]] = []
        self._processes: list[Any] = []
        for part in split(count):
            here, there = _spawn.Pipe()
            process = _spawn.Process(target=run_machines, args=(part.start, len(part), there), daemon=True)
            process.start()
            there.close()
            self._processes.append(process)
            self._parts.append((part, here))
        for _, connection in self._parts:
            self.endpoints += connection.recv()

    def ask(self, question: Any, machines: range | None = None) -> list[Any]:
        """Asks the emulators of these machines. Default: all."""
        answers: list[Any] = []
        wanted = machines if machines is not None else range(len(self.endpoints))
        for part, connection in self._parts:
            connection.send((question, [number - part.start for number in part if number in wanted]))
        for _, connection in self._parts:
            answers += connection.recv()
        return answers

    def close(self) -> None:
        for _, connection in self._parts:
            connection.close()
        for process in self._processes:
            process.join()


@contextlib.contextmanager
def dask_cluster(endpoints: list[str]) -> Iterator[Any]:
    """A cluster with one worker for each machine, and a client of it. The name of a worker is its IMDS's address."""
    processes: list[Any] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            with (
                distributed.LocalCluster(
                    n_workers=0,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.CRITICAL,
                    local_directory=folder,
                ) as cluster,
                distributed.Client(cluster) as client,
            ):
                for part in split(len(endpoints)):
                    names = endpoints[part.start : part.stop]
                    process = _spawn.Process(target=run_workers, args=(cluster.scheduler_address, names, folder))
                    process.start()
                    processes.append(process)
                client.wait_for_workers(len(endpoints))
                yield client
        finally:
            for process in processes:
                process.join(30)  # workers end with their scheduler
                process.kill()


def split(count: int) -> list[range]:
    """The numbers of the machines in each process."""
    ends = [count * index // PROCESSES for index in range(PROCESSES + 1)]
    return [range(first, last) for first, last in itertools.pairwise(ends)]


def simulate(count: int, notice: float = NOTICE) -> Fleet:
    """Runs a fleet with so many machines and so many seconds of notice, and returns what was measured."""
    machines = Machines(count)
    with (
        contextlib.closing(machines),
        dask_cluster(machines.endpoints) as client,
        tempfile.TemporaryDirectory() as folder,
    ):
        seconds: dict[str, float] = {}

        @contextlib.contextmanager
        def phase(name: str) -> Iterator[None]:
            machines.ask(find_requests)  # forgets them
            before = time.process_time()
            yield
            seconds[name] = (time.process_time() - before) / count

        def on_each_machine(function: Any) -> list[Any]:
            futures = [
                client.submit(function, endpoint, workers=[endpoint], pure=False) for endpoint in machines.endpoints
            ]
            return list(client.gather(futures))

        with phase("inventory"):
            began = time.monotonic()
            names = on_each_machine(describe)
            inventory = time.monotonic() - began
            assert names == [f"machine-{number}" for number in range(count)]
        inventory_requests = [len(requests) for requests in machines.ask(find_requests)]

        with phase("tokens"):
            refreshes = on_each_machine(get_refresh)
        token_requests = [len(requests) for requests in machines.ask(find_requests)]

        client.register_plugin(FleetPlugin(interval=INTERVAL))
        starts: list[list[Request]] = [[] for _ in machines.endpoints]
        while any(len(find_polls(requests)) < 2 for requests in starts):
            time.sleep(INTERVAL)
            for requests, further in zip(starts, machines.ask(find_requests), strict=True):
                requests += further
        began = time.monotonic()
        with phase("polling"):
            time.sleep(WATCHED)
        polls = machines.ask(find_requests)
        watched = time.monotonic() - began

        drained = range(max(1, count // 10))
        with phase("drain"):
            # Each task is sent to its machine, and may run on another one.
            futures = [
                client.submit(compute, number, folder, workers=[endpoint], allow_other_workers=True, pure=False)
                for number, endpoint in enumerate(machines.endpoints * TASKS)
            ]
            announced = machines.ask(partial(announce, notice=notice), drained)
            while None in (approved := machines.ask(find_approval, drained)):
                time.sleep(0.1)
            results = list(client.gather(futures))
            client.cancel(futures)
        approvals = [sum(method == "POST" for method, _, _ in each) for each in machines.ask(find_requests, drained)]
        connections = sum("socket:" in target for target in open_files()) / count
        return Fleet(
            machines=count,
            inventory=inventory,
            inventory_requests=inventory_requests,
            polls=[len(each) / watched for each in polls],
            skew=find_skew([find_first_wait(each) for each in starts]),
            drain=[end - begin for begin, end in zip(announced, approved, strict=True)],
            approvals=approvals,
            starts=Counter(int(path.name.partition("-")[0]) for path in Path(folder).iterdir()),
            results=results,
            token_requests=token_requests,
            started_within=spread([asked for asked, _ in refreshes]),
            refreshed_within=spread([refresh for _, refresh in refreshes]),
            connections=connections,
            scheduler_seconds=seconds,
        )


def find_polls(requests: Sequence[Request]) -> list[float]:
    """Returns when a machine has polled."""
    return [moment for _, path, moment in requests if path == "/metadata/scheduledevents"]


def find_first_wait(requests: Sequence[Request]) -> float:
    """Returns the seconds between the first two polls of a machine."""
    first, second, *_ = find_polls(requests)
    return second - first


def find_skew(waits: Sequence[float]) -> float:
    """Returns the share of the waits that are in the most frequent tenth of the interval."""
    tenths = Counter(int(wait % INTERVAL / INTERVAL * 10) for wait in waits)
    return max(tenths.values()) / len(waits)


def spread(values: Sequence[float]) -> float:
    return max(values) - min(values)


def open_files() -> Iterator[str]:
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            yield os.readlink(entry)


def allow_many_sockets() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def as_markdown(fleets: Sequence[Fleet]) -> str:
    """Returns a table with a column for each fleet."""

    def row(what: str, form: str, values: Any) -> list[str]:
        return [what, *(format(values(fleet), form) for fleet in fleets)]

    rows = [
        ["Machines", *(str(fleet.machines) for fleet in fleets)],
        row("**Inventory**: requests to each IMDS, most", "d", lambda f: max(f.inventory_requests)),
        row("time for all machines, s", ".2f", lambda f: f.inventory),
        row("processor time of the scheduler per machine, ms", ".1f", _milliseconds("inventory")),
        row("**Tokens**: requests to each IMDS, most", "d", lambda f: max(f.token_requests)),
        row("first requests of all machines within, s", ".1f", lambda f: f.started_within),
        row("refreshes of all machines within, s", ".1f", lambda f: f.refreshed_within),
        row("**Polling**: requests per second to each IMDS, most", ".1f", lambda f: max(f.polls)),
        row("machines in the most frequent tenth of the interval", ".0%", lambda f: f.skew),
        row("processor time of the scheduler per machine and second, ms", ".1f", _milliseconds("polling")),
        row("**Drain**: machines with an event", "d", lambda f: len(f.drain)),
        row("time to the approval, median, s", ".1f", lambda f: statistics.median(f.drain)),
        row("time to the approval, slowest, s", ".1f", lambda f: max(f.drain)),
        row("approvals of each event, most", "d", lambda f: max(f.approvals)),
        row("tasks of the fleet", "d", lambda f: len(f.results)),
        row("tasks lost", "d", lambda f: len(f.results) - len({*f.results})),
        row("tasks computed twice", "d", lambda f: f.starts.total() - len(f.starts)),
        row("processor time of the scheduler per machine, ms", ".1f", _milliseconds("drain")),
        row("**Connections** of the scheduler per machine", ".1f", lambda f: f.connections),
    ]
    return "\n".join([*as_table(rows, "l" + "r" * len(fleets)), ""])


def as_extrapolation(fleet: Fleet) -> str:
    """Returns a table that multiplies what one machine costs, and divides by documented limits."""

    def row(what: str, form: str, value: Callable[[int], float]) -> list[str]:
        return [what, *(format(value(size), form) for size in SIZES)]

    rows = [
        ["Machines", *(f"{size:,}" for size in SIZES)],
        row("Polls per second to each IMDS", ",.0f", lambda size: 1 / INTERVAL),
        row("Polls per second to all IMDS together", ",.0f", lambda size: size / INTERVAL),
        row("Connections of the scheduler", ",.0f", lambda size: fleet.connections * size),
        row("Processor time of the scheduler for an inventory, s", ",.1f", _cost(fleet, "inventory")),
        row("Processor time of the scheduler for the drain of a tenth, s", ",.1f", _cost(fleet, "drain")),
        row("Seconds to read each machine from Azure Resource Manager", ",.0f", lambda size: max(0, size - 250) / 25),
        row("Token requests per second, all started within a minute", ",.1f", lambda size: size / 60),
    ]
    return "\n".join([*as_table(rows, "l" + "r" * len(SIZES)), ""])


def _cost(fleet: Fleet, phase: str) -> Callable[[int], float]:
    return lambda size: fleet.scheduler_seconds[phase] * size


def _milliseconds(phase: str) -> Any:
    seconds = WATCHED if phase == "polling" else 1.0
    return lambda fleet: fleet.scheduler_seconds[phase] / seconds * 1000


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fleet", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--machines", type=int, default=200, help="size of the largest fleet (default: %(default)s)")
    parser.add_argument("--docs", action="store_true", help="write the results of docs/fleet.md")
    options = parser.parse_args()
    if options.machines < 2:
        parser.error("--machines must be at least 2, since the tasks of a machine move to another one")
    allow_many_sockets()
    fleets: list[Fleet] = []
    for size in sorted({max(2, options.machines // part) for part in (8, 4, 2, 1)}):
        print(f"simulating {size} machines ...", flush=True)
        fleets.append(simulate(size))
    measured, extrapolated = as_markdown(fleets), as_extrapolation(fleets[-1])
    print(measured, extrapolated, sep="\n")
    if options.docs:
        machine = f"Python {platform.python_version()}, {os.cpu_count()} cores"
        RESULTS.write_text(f"{measured}\nMeasured on {machine}, while other work was running.\n", encoding="utf-8")
        EXTRAPOLATION.write_text(extrapolated, encoding="utf-8")


if __name__ == "__main__":
    main()
