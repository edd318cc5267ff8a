"""The state of a running emulator in JSON: `/api/state` shows it, and accepts it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from inspect import signature
from typing import TypeVar

from .clock import Clock
from .config import read_machine
from .events import EventSchedule
from .faults import Fault, FaultQueue
from .hosts import load_hosts
from .machine import Json, is_array, is_object
from .parts import Parts
from .presets import PRESETS
from .scenarios import list_scenarios
from .scheduled_event import NOTICE, ScheduledEvent
from .settings import Settings, find_problem

#: Members of the state that can be changed. The others inform, and are ignored.
WRITABLE = ("machine", "clock", "events", "faults", "rate_limits", "token_lifetime", "first_call_delay")
_READ_ONLY = ("endpoint", "environment", "host", "title", "arc", "scenarios", "requests")
_STATUSES = ("Upcoming", "Scheduled", "Started")

T = TypeVar("T")


def describe_state(parts: Parts, endpoint: str, environment: dict[str, str]) -> dict[str, Json]:
    """Returns the state.

    Args:
        endpoint: URL of the metadata server.
        environment: the variables that direct clients to it.
    """
    host = parts.settings.host_name
    events = (*parts.events.events, *parts.events.upcoming)
    return {
        "endpoint": endpoint,
        "environment": environment,
        "host": host,
        "title": load_hosts()[host].title,
        "arc": parts.settings.is_arc,
        "machine": parts.settings.machine.to_dict(),
        "clock": describe_clock(parts.clock),
        "events": {
            "incarnation": parts.events.incarnation,
            "events": [event.to_dict() for event in events],
            "types": list(NOTICE),
        },
        "scenarios": {"running": list(parts.scenarios.running), "known": dict(list_scenarios())},
        "faults": {"pending": [fault.to_dict() for fault in parts.faults.pending], "presets": list(PRESETS)},
        "rate_limits": parts.limits.enabled,
        "token_lifetime": parts.tokens.lifetime,
        "first_call_delay": parts.events.first_call_delay,
        "requests": {"total": parts.requests.total},
    }


def describe_clock(clock: Clock) -> dict[str, Json]:
    """Returns the member `clock` of the state."""
    return {"time": clock.time(), "frozen": clock.frozen}


def change_state(parts: Parts, state: dict[str, Json], *, whole: bool) -> None:
    """Changes the members that the state contains.

    Args:
        whole: whether the state must contain all members that can be changed, and the whole machine.

    Raises:
        ValueError: the state is not valid. Nothing changes.
    """
    known = (*WRITABLE, *_READ_ONLY)
    if unknown := [name for name in state if name not in known]:
        raise ValueError(f"unknown name {unknown[0]!r} in the state; known names: {', '.join(known)}")
    if whole and (missing := [name for name in WRITABLE if name not in state]):
        raise ValueError(f"{missing[0]} is missing: PUT replaces the whole state, use PATCH to change a part of it")
    # Everything is read before anything changes. The events are read at the time that the state has.
    clock = Clock(parts.clock.time(), frozen=True)
    if "clock" in state:
        change_clock(clock, state["clock"])
        clock.freeze()
    machine = parts.settings.machine
    if "machine" in state:
        machine = read_machine(state["machine"], machine, whole=whole)
    events, incarnation = EventSchedule(machine, clock), None
    if "events" in state:
        incarnation = _read_events(state["events"], events, clock.time())
    faults = FaultQueue(clock)
    if "faults" in state:
        _read_faults(state["faults"], faults)
    if not isinstance(state.get("rate_limits", False), bool):
        raise ValueError(f"rate_limits must be true or false, got {state['rate_limits']!r}")
    for name, kind in (("token_lifetime", int), ("first_call_delay", (int, float))):
        if name in state:
            if isinstance(state[name], bool) or not isinstance(state[name], kind):
                raise ValueError(f"{name} must be a number of seconds, got {state[name]!r}")
            if problem := find_problem(name, state[name]):
                raise ValueError(f"{name} {problem}")

    if "clock" in state:
        change_clock(parts.clock, state["clock"])
    parts.settings.machine.become(machine)
    if "events" in state:
        parts.events.take_from(events, incarnation)
    if "faults" in state:
        parts.faults.take_from(faults)
    parts.limits.enabled = state.get("rate_limits", parts.limits.enabled)
    parts.tokens.lifetime = state.get("token_lifetime", parts.tokens.lifetime)
    parts.events.first_call_delay = state.get("first_call_delay", parts.events.first_call_delay)


def change_clock(clock: Clock, changes: Json) -> None:
    """Moves a clock as `advance` or `time` says, and lets it run or not as `frozen` says.

    Raises:
        ValueError: there is nothing to change, or a value is wrong. The clock does not change.
    """
    if not is_object(changes) or not changes or changes.keys() - {"advance", "time", "frozen"}:
        raise ValueError('needs advance or frozen, for example {"advance": 60} or {"frozen": true}, or time')
    if "advance" in changes and "time" in changes:
        raise ValueError("advance and time exclude each other: pass one of them")
    frozen: Json = changes.get("frozen", clock.frozen)
    if not isinstance(frozen, bool):
        raise ValueError(f"frozen must be true or false, got {frozen!r}")
    was_frozen = clock.frozen
    if frozen:
        # Before it moves, so that it shows exactly the time that was asked for.
        clock.freeze()
    try:
        if "advance" in changes:
            clock.advance(changes["advance"])
        if "time" in changes:
            clock.move_to(changes["time"])
    except ValueError:
        frozen = was_frozen
        raise
    finally:
        if not frozen:
            clock.resume()


def add_event(schedule: EventSchedule, description: dict[str, Json], now: float) -> ScheduledEvent:
    """Adds an event that is described by the arguments of `schedule`, or as the state shows it.

    Raises:
        TypeError, ValueError: the description is not valid.
    """
    arguments = dict(description)
    status: Json = arguments.pop("status", None)
    if status is not None:
        if status not in _STATUSES:
            raise ValueError(f"status must be one of {', '.join(_STATUSES)}, got {status!r}")
        has_started = arguments.get("started_at") is not None
        if status == "Scheduled" and has_started:
            raise ValueError("status is Scheduled, but started_at is set: set it to null")
        if status == "Started" and not has_started:
            arguments["started_at"] = now
    return call(schedule.schedule, arguments)


def add_fault(queue: FaultQueue, description: dict[str, Json]) -> Fault:
    """Adds a fault that is described by the arguments of `fail`, or as the state shows it.

    Raises:
        TypeError, ValueError: the description is not valid.
    """
    arguments = dict(description)
    arguments.pop("what", None)
    counts = {name: arguments.pop(name) for name in ("hits", "remaining") if name in arguments}
    for name, count in counts.items():
        if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 0):
            raise ValueError(f"{name} must be a whole number of 0 or more, got {count!r}")
    fault = call(queue.fail, arguments)
    fault.hits = counts.get("hits") or 0
    fault.remaining = counts.get("remaining", fault.remaining)
    return fault


def call(function: Callable[..., T], arguments: dict[str, Json]) -> T:
    """Calls a function. The error for a wrong argument names it, but not the function, which clients do not know."""
    signature(function).bind(**arguments)
    return function(**arguments)


def _read_events(value: Json, schedule: EventSchedule, now: float) -> int | None:
    """Adds the events of the member `events`, and returns the incarnation if there is one."""
    members = _read_members(value, "events", ("incarnation", "events", "types"))
    for event in _read_objects(members.get("events", []), "events.events"):
        add_event(schedule, event, now)
    incarnation: Json = members.get("incarnation")
    if incarnation is None or (isinstance(incarnation, int) and not isinstance(incarnation, bool)):
        return incarnation
    raise ValueError(f"events.incarnation must be a whole number, got {incarnation!r}")


def _read_faults(value: Json, queue: FaultQueue) -> None:
    members = _read_members(value, "faults", ("pending", "presets"))
    for fault in _read_objects(members.get("pending", []), "faults.pending"):
        add_fault(queue, fault)


def _read_members(value: Json, what: str, known: tuple[str, ...]) -> dict[str, Json]:
    if not is_object(value) or value.keys() - set(known):
        raise ValueError(f"{what} must be an object with the members {', '.join(known)}, as the state shows it")
    return value


def _read_objects(value: Json, what: str) -> list[dict[str, Json]]:
    if not is_array(value) or not all(is_object(entry) for entry in value):
        raise ValueError(f"{what} must be a list of objects")
    return value


def make_settings(parts: Parts) -> Settings:
    """Returns settings with which another emulator begins as this one is now."""
    now = parts.clock.time()
    machine = replace(parts.settings.machine)
    return replace(
        parts.settings,
        machine=machine,
        events=[event.to_arguments(now) for event in (*parts.events.events, *parts.events.upcoming)],
        faults=[fault.to_arguments(now) for fault in parts.faults.pending],
        scenarios=[],
        rate_limits=parts.limits.enabled,
        token_lifetime=parts.tokens.lifetime,
        first_call_delay=parts.events.first_call_delay,
    )
