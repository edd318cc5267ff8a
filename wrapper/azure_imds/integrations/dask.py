"""Dask: a plugin that empties the workers of a machine before Azure stops it."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import distributed
import locket  # pyright: ignore[reportMissingTypeStubs]
from attrs import define, field, frozen

from .._client.async_client import AsyncImdsClient
from .._client.validation import invalid
from .._events.changes import EventChange
from .._events.polling import MAX_INTERVAL, MIN_INTERVAL
from .._events.watcher import EventWatcher
from .._log import log
from ..errors import ImdsError

#: Parts of distributed that are not typed.
_Client: Any = distributed.Client
_Lock: Any = distributed.Lock

#: Is in the metadata of an event with the names of the empty machines. No machine has this name.
_APPROVED = ""
#: The machine does not return from these events. Other events stay in the document after it has returned.
_LAST = frozenset({"Preempt", "Terminate"})
#: Seconds between two looks at workers that are being emptied.
_PAUSE = 0.5
#: The longest wait in seconds until the next attempt while the plugin cannot work, such as on a machine without IMDS.
_LONGEST_WAIT = 60.0


@define(eq=False, slots=False)
class DrainPlugin(distributed.WorkerPlugin):
    """Empties the Dask workers of a machine before Azure stops the machine, and then approves the event.

        client.register_plugin(DrainPlugin())

    When a scheduled event names the machine of a worker, all workers of the machine are retired together:

    1. They take no new tasks. Results, and tasks that have not started yet, move to other machines.
    2. Running tasks have until `margin` seconds before the event's `not_before`, which may change meanwhile. Tasks that
       still run then are computed again on other machines.
    3. The event is approved, once, if all tasks have finished and all results are elsewhere. An event that names
       several machines is approved when the last of them is empty, and only if each of them has had workers.
    4. The workers and their nannies are closed, and are not restarted.

    If an event is cancelled before that, the workers continue. If there is no worker on another machine that can take
    the results, the workers continue too, and the plugin tries again until the machine stops.

    One worker per machine polls IMDS. If it ends, another one takes over. An outage of IMDS does not end the plugin.

    Args:
        events: the types of the events. Case does not matter.
        approve: whether to approve the events. Otherwise they start at their `not_before`.
        margin: seconds before `not_before`, from 0 to 3600, after which running tasks are no longer waited for.
        interval: seconds between two polls, from 0.2 to 3600.

    Raises:
        ImdsValidationError: an argument has the wrong type or is out of range.
    """

    events: Collection[str] = ("Preempt", "Terminate", "Redeploy", "Reboot")
    approve: bool = True
    margin: float = 5.0
    interval: float = 1.0
    #: Dask's name of the plugin. Registering it again replaces it.
    name: ClassVar[str] = "azure-imds-drain"
    _tasks: dict[str, asyncio.Task[None]] = field(factory=dict[str, asyncio.Task[None]], init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        several = isinstance(self.events, Collection) and not isinstance(self.events, str)
        if not several or not self.events or not all(isinstance(name, str) and name for name in self.events):
            raise invalid("events", 'must be a list of event types, such as ["Preempt", "Terminate"]', "DrainPlugin")
        for name, value, least in (("margin", self.margin, 0.0), ("interval", self.interval, MIN_INTERVAL)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= MAX_INTERVAL:
                problem = f"must be a number of seconds from {least:g} to {MAX_INTERVAL:g}, such as {name}=5"
                raise invalid(name, problem, "DrainPlugin")

    def setup(self, worker: Any) -> None:
        """Dask calls this in the event loop of each worker, also of those that start later."""
        self._tasks[worker.id] = asyncio.create_task(self._run(worker))

    async def teardown(self, worker: Any) -> None:
        """Dask calls this when a worker closes, or when the plugin is removed."""
        if task := self._tasks.pop(worker.id, None):
            task.cancel()
            await asyncio.wait([task])

    async def _run(self, worker: Any) -> None:
        """Watches until it is cancelled."""
        wait = self.interval
        while True:
            began = time.monotonic()
            try:
                async with AsyncImdsClient() as imds:
                    await self._watch(worker, imds)
            except* (ImdsError, OSError) as errors:
                if time.monotonic() - began > _LONGEST_WAIT:
                    wait = self.interval  # it has worked meanwhile
                level = logging.WARNING if wait == self.interval else logging.DEBUG
                log.log(level, "DrainPlugin: tries again until IMDS and the scheduler answer: %s", errors.exceptions[0])
            except* Exception:
                log.exception("DrainPlugin: tries again after an error")
            await asyncio.sleep(wait / 2 + random.uniform(0, wait / 2))
            wait = min(2 * wait, _LONGEST_WAIT)

    async def _watch(self, worker: Any, imds: AsyncImdsClient) -> None:
        compute = (await imds.instances.get_metadata()).compute
        # Names of machines are unique in a resource group.
        group = f"{compute.subscription_id}/{compute.resource_group_name}"
        machine = [self.name, group.casefold(), compute.name.casefold()]
        await worker.scheduler.set_metadata(keys=[*machine, worker.contact_address], value=True)
        types = {event_type.casefold() for event_type in self.events}
        task: asyncio.Task[None] | None = None
        async with (
            _one_per_machine(worker, machine, self.interval),
            asyncio.TaskGroup() as tasks,
            EventWatcher(imds, interval=self.interval, resource=compute.name) as watcher,
        ):
            drain = _Drain(self, worker, machine, watcher)
            async for change in watcher:
                if str(change.event.event_type).casefold() in types:
                    drain.update(change)
                if drain.pending and (task is None or task.done()):
                    task = tasks.create_task(drain.run())


@frozen(eq=False)
class _Drain:
    """Empties all workers of a machine.

    Attributes:
        machine: the key of the machine in the scheduler's metadata, which contains the addresses of its workers.
        pending: the newest change of each event by its id.
    """

    plugin: DrainPlugin
    worker: Any
    machine: list[str]
    watcher: EventWatcher[AsyncImdsClient]
    pending: dict[str, EventChange] = field(factory=dict[str, EventChange])

    def update(self, change: EventChange) -> None:
        """Adds, replaces or removes an event."""
        event = change.event
        if change.kind == "gone":
            self.pending.pop(event.event_id, None)
        elif event.event_id in self.pending or event.event_status != "Started" or event.event_type in _LAST:
            self.pending[event.event_id] = change

    async def run(self) -> None:
        """Returns when the workers are closed, or when no event is pending any more."""
        connection = {"asynchronous": True, "security": self.worker.security, "set_as_default": False}
        async with _Client(self.worker.scheduler, **connection) as client:
            # How many tasks each worker was running before the last time when all results were moved.
            moved: dict[str, int] | None = None
            while workers := await self._find_workers(client):
                if not self.pending:
                    await client.run(_resume, workers=workers, on_error="ignore")
                    return
                running: dict[str, int] = await client.run(_return_tasks, workers=workers, on_error="ignore")
                if running != moved:
                    retirement = asyncio.ensure_future(
                        client.retire_workers(workers, close_workers=False, remove=False)
                    )
                    await client.run(_return_tasks, workers=workers, on_error="ignore")
                    moved = running if len(await retirement) == len(workers) else None
                is_empty = moved is not None and not any(moved.values())
                if is_empty and self.plugin.approve:
                    await self._approve(client)
                if self.pending and (is_empty or self._is_late()):
                    await client.retire_workers(workers, close_workers=True, remove=True)
                await asyncio.sleep(_PAUSE)

    async def _find_workers(self, client: Any) -> list[str]:
        return list(await client.nthreads(list(await client.get_metadata(self.machine))))

    def _is_late(self) -> bool:
        seconds = [change.seconds_left() for change in self.pending.values()]
        return any(left is not None and left <= self.plugin.margin for left in seconds)

    async def _approve(self, client: Any) -> None:
        """Approves the events whose machines are all empty, unless a worker has done it."""
        for change in [*self.pending.values()]:
            event = change.event
            key = [f"{DrainPlugin.name}-empty", event.event_id]
            await client.set_metadata([*key, self.machine[-1]], True)
            empty = {*await client.get_metadata(key)}
            all_are_empty = {name.casefold() for name in event.resources} <= empty
            if not all_are_empty or _APPROVED in empty or event.event_status == "Started":
                continue
            lock = _Lock(f"{DrainPlugin.name} {event.event_id}", scheduler_rpc=client.scheduler, loop=client.loop)
            lock.refresh_leases = False  # the metadata replaces the lock
            if await lock.acquire(blocking=False):
                await client.set_metadata([*key, _APPROVED], True)
                try:
                    await self.watcher.approve(change)
                except ImdsError as error:
                    log.warning("DrainPlugin: %s %s: not approved: %s", event.event_type, event.event_id, error)


@asynccontextmanager
async def _one_per_machine(worker: Any, machine: list[str], interval: float) -> AsyncGenerator[None]:
    """Waits until no other process on this machine is in this context for the same scheduler and machine."""
    name = sha256(repr([worker.scheduler.address, machine]).encode()).hexdigest()
    path = Path(worker.local_directory).with_name(f"azure-imds-{name}.lock")
    lock: Any = locket.lock_file(str(path), timeout=0)  # pyright: ignore[reportUnknownMemberType]
    while True:
        try:
            lock.acquire()
            break
        except locket.LockError:
            await asyncio.sleep(interval)
    try:
        yield
    finally:
        lock.release()


async def _return_tasks(dask_worker: Any) -> int:
    """Runs on a worker that is being retired. Gives its waiting tasks back, and returns how many tasks are running."""
    attempts = 10
    while dask_worker.status != distributed.Status.closing_gracefully:
        attempts -= 1
        if not attempts:
            return -1
        await asyncio.sleep(0.05)
    for task in [*dask_worker.state.tasks.values()]:
        if task.state in ("waiting", "ready", "constrained"):
            dask_worker.batched_send({"op": "reschedule", "key": task.key, "stimulus_id": DrainPlugin.name})
    return len(dask_worker.state.executing) + len(dask_worker.state.long_running)


async def _resume(dask_worker: Any) -> None:
    """Runs on a worker that was being retired. It takes tasks again."""
    if dask_worker.status == distributed.Status.closing_gracefully:
        dask_worker.status = distributed.Status.running
