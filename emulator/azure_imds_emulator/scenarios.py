"""Scenarios: events with the timing that Azure documents, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from .clock import check_seconds
from .events import EventSchedule
from .machine import Json
from .scheduled_event import ScheduledEvent

#: Seconds between the end of an event and the next one, in a loop.
PAUSE = 60.0
_SPEEDS = (0.001, 10_000.0)


@cache
def _load_scenarios() -> dict[str, dict[str, Json]]:
    text = files("azure_imds_emulator").joinpath("data/scenarios.json").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, Json]] = json.loads(text)
    return loaded


def list_scenarios() -> Mapping[str, str]:
    """Returns what happens in each scenario, by name."""
    return {name: scenario["summary"] for name, scenario in _load_scenarios().items()}


class ScenarioPlayer:
    """Adds the events of scenarios to a schedule."""

    def __init__(self, events: EventSchedule) -> None:
        self._events = events

    @property
    def running(self) -> tuple[str, ...]:
        """The names of the scenarios with events that are not over."""
        events = (*self._events.events, *self._events.upcoming)
        return tuple(dict.fromkeys(event.scenario for event in events if event.scenario is not None))

    def play(self, name: str, *, after: float = 0.0, speed: float = 1.0, loop: bool = False) -> ScheduledEvent:
        """Adds the event of a scenario, with the timing that Azure documents, and returns it.

        Args:
            name: `live-migration`, `user-reboot`, `host-maintenance`, `host-failure`, `degraded-hardware`,
                `spot-eviction` or `scale-in`.
            after: seconds until the event appears in the document. `speed` does not change them.
            speed: how many times faster than documented the scenario passes. With 60, a minute takes a second.
            loop: whether the scenario begins again a minute after its end, until `stop`. `speed` changes this minute.

        Raises:
            ValueError: there is no such scenario, or an argument has a wrong value.
        """
        scenarios = _load_scenarios()
        if not isinstance(name, str) or name not in scenarios:
            raise ValueError(f"scenario must be one of {', '.join(scenarios)}, got {name!r}")
        slowest, fastest = _SPEEDS
        if isinstance(speed, bool) or not isinstance(speed, int | float) or not slowest <= speed <= fastest:
            raise ValueError(f"speed must be a number from {slowest:g} to {fastest:g}, for example 60, got {speed!r}")
        if not isinstance(loop, bool):
            raise ValueError(f"loop must be true or false, got {loop!r}")
        check_seconds("after", after)
        event = dict(scenarios[name]["event"])
        for member in ("notice", "started_for"):
            if member in event:
                event[member] /= speed
        length = event.get("notice", 0.0) + event["started_for"]
        every = length + PAUSE / speed if loop else None
        return self._events.schedule(**event, after=after, every=every, scenario=name)

    def stop(self, name: str) -> int:
        """Removes all events of a scenario, and returns their number."""
        return self._events.remove_scenario(name)
