"""Scheduled events: requests and memory of a day of watching, on a simulated clock."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import httpx

from azure_imds import EventWatcher, ImdsClient
from azure_imds._clock import Clock

from .ratios import Growth, Ratio


class _SimulatedClock(Clock):
    """Time passes only while someone waits."""

    def __init__(self) -> None:
        self.now = 1_750_000_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def wait(self, seconds: float, bell: SimpleQueue[None]) -> bool:
        self.now += seconds
        return False


class _Day(httpx.BaseTransport):
    """An IMDS with a new event every half hour. Each event lasts 15 minutes."""

    def __init__(self, clock: _SimulatedClock) -> None:
        self.clock = clock
        self.started = clock.now
        self.polls = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/scheduledevents"):
            return httpx.Response(200, content=b'{"compute": {"name": "vm-0"}}')
        self.polls += 1
        half_hours, inside = divmod(int(self.clock.now - self.started), 1800)
        events: list[Any] = []
        if inside < 900:
            status = "Scheduled" if inside < 600 else "Started"
            events.append(
                {"EventId": f"e{half_hours}", "EventType": "Reboot", "ResourceType": "VirtualMachine",
                 "Resources": ["vm-0"], "EventStatus": status, "NotBefore": "", "EventSource": "Platform"}
            )  # fmt: skip
        document = {"DocumentIncarnation": 1 + half_hours * 3, "Events": events}
        return httpx.Response(200, content=json.dumps(document))


def measure(quick: bool) -> Iterator[Ratio | Growth]:
    """Measures polls per second, and the memory after each hour relative to the first hour."""
    hours = 3 if quick else 24
    clock = _SimulatedClock()
    day = _Day(clock)
    memory: list[float] = []
    changes = 0
    with ImdsClient("http://127.0.0.1", transport=day, clock=clock) as imds:
        watcher = EventWatcher(imds)
        for _ in watcher:
            changes += 1
            if clock.now - day.started >= 3600 * (len(memory) + 1):
                gc.collect()
                memory.append(float(sys.getallocatedblocks()))
            if len(memory) == hours or day.polls > 2 * 3600 * hours:
                break
    if changes < hours * 6 - 2:
        raise RuntimeError(f"the watcher missed changes: {changes} in {hours} hours")
    seconds = clock.now - day.started
    yield Ratio(f"watcher over {hours} simulated hours: polls", "one per second", (day.polls / seconds,), 1.01)
    relative = tuple(one / memory[0] for one in memory)
    yield Ratio("watcher: memory after the last hour", "the first hour", (relative[-1],), 1.1)
    shown = [hour for hour in (1, 2, 3, 6, 12, 24) if hour <= hours]
    costs = tuple(relative[hour - 1] for hour in shown)
    yield Growth("watcher's memory", "simulated hours", tuple(map(float, shown)), costs)
