"""Scheduled events: from announcement to start to disappearance."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import formatdate
from typing import Literal

from .clock import Clock, unix_seconds
from .machine import Json, Machine, is_array, is_object

EventType = Literal["Freeze", "Reboot", "Redeploy", "Preempt", "Terminate"]
EventSource = Literal["Platform", "User"]

#: The documented least notice of each type, in seconds; for Terminate the default of a scale set's profile.
NOTICE: Mapping[str, float] = {"Freeze": 900, "Reboot": 900, "Redeploy": 600, "Preempt": 30, "Terminate": 300}

_DESCRIPTIONS = {
    "Freeze": "The emulated host pauses the virtual machine for a moment.",
    "Reboot": "The emulated host restarts the virtual machine.",
    "Redeploy": "The virtual machine moves to another emulated host.",
    "Preempt": "The emulated Spot virtual machine is evicted.",
    "Terminate": "The emulated virtual machine is deleted.",
}
#: Expected interruption in seconds where none is given; -1 says unknown.
_DURATIONS = {"Freeze": 5}

#: The api-version that first knew an event type. Older ones do not show such an event (a guess).
_TYPE_SINCE = {"Preempt": "2017-11-01", "Terminate": "2019-01-01"}
#: The last version that put an underscore before resource names.
_UNDERSCORED = "2017-03-01"

#: An event stays in the document for this long after its start; the documentation tells of about ten minutes.
STARTED_FOR = 600.0
#: Without a request for this long, the service turns scheduled events off again.
FORGOTTEN_AFTER = 24 * 3600.0


class UnknownEvent(LookupError):
    """No event of that id is in the document."""


class BadStartRequest(ValueError):
    """The body of an approval cannot be read."""


@dataclass(slots=True)
class ScheduledEvent:
    """An event in the document. Times are Unix seconds on the emulator's clock.

    Attributes:
        event_id: an upper-case GUID, to be echoed byte for byte.
        event_type: `Freeze`, `Reboot`, `Redeploy`, `Preempt` or `Terminate`.
        resources: names of the affected machines.
        not_before: when the event starts unless it is approved earlier.
        description: free text.
        source: `Platform` or `User`.
        duration: expected interruption in seconds; 0 none, -1 unknown.
        started_for: seconds that the event stays visible after its start.
        started_at: when it started; `None` while it is scheduled.
    """

    event_id: str
    event_type: str
    resources: tuple[str, ...]
    not_before: float
    description: str
    source: str
    duration: int
    started_for: float = STARTED_FOR
    started_at: float | None = None

    @property
    def status(self) -> Literal["Scheduled", "Started"]:
        """Where in its life the event stands, as the document calls it."""
        return "Scheduled" if self.started_at is None else "Started"


class EventSchedule:
    """The events of one machine's group. Safe to use from any thread.

    Nothing runs in the background: whenever somebody looks, what fell due since then is made up for, in order.

    Args:
        first_call_delay: seconds that the first answer takes, since it turns the feature on; the real one may take
            up to 120.
    """

    def __init__(self, machine: Machine, clock: Clock, *, first_call_delay: float = 0.0) -> None:
        self._machine = machine
        self._clock = clock
        self._lock = threading.RLock()
        self._events: list[ScheduledEvent] = []
        self._incarnation = 1
        self._last_asked: float | None = None
        self.first_call_delay = first_call_delay

    def __repr__(self) -> str:
        return f"<EventSchedule {self.incarnation}: {self.events!r}>"

    @property
    def events(self) -> tuple[ScheduledEvent, ...]:
        """The events as they stand now."""
        with self._lock:
            self._catch_up()
            return tuple(self._events)

    @property
    def incarnation(self) -> int:
        """The document's number, higher by one after each change."""
        with self._lock:
            self._catch_up()
            return self._incarnation

    def schedule(
        self,
        event_type: EventType,
        *,
        resources: Sequence[str] | None = None,
        notice: float | None = None,
        not_before: float | datetime | str | None = None,
        description: str | None = None,
        source: EventSource = "Platform",
        duration: int | None = None,
        started_for: float = STARTED_FOR,
        event_id: str | None = None,
        started: bool = False,
    ) -> ScheduledEvent:
        """Announce an event.

        Args:
            event_type: what will happen.
            resources: names of the affected machines; default: this one.
            notice: seconds until it starts by itself; default: the least notice documented for the type.
            not_before: the same as a moment (Unix seconds, an aware datetime, or ISO 8601), instead of `notice`.
            description: free text.
            source: who asked for it.
            duration: expected interruption in seconds; default 5 for Freeze, else -1 (unknown).
            started_for: seconds that it stays in the document once started.
            event_id: default: a new upper-case GUID.
            started: whether it appears already started, without notice, as after a host's failure.

        Raises:
            ValueError: an unknown type or source, both `notice` and `not_before`, a bad number, or a used id.
        """
        if event_type not in NOTICE:
            raise ValueError(f"unknown event type {event_type!r}; one of {', '.join(NOTICE)}")
        if source not in ("Platform", "User"):
            raise ValueError(f"unknown event source {source!r}; Platform or User")
        if notice is not None and not_before is not None:
            raise ValueError("give either notice or not_before, not both")
        if isinstance(resources, str) or not all(isinstance(name, str) for name in resources or ()):
            raise ValueError("resources is a list of names")
        for name, text in (("description", description), ("event_id", event_id)):
            if not isinstance(text, str | None):
                raise ValueError(f"{name} is a text, not {text!r}")
        now = self._clock.time()
        if not_before is None:
            moment = now + (NOTICE[event_type] if notice is None else _not_negative("notice", notice))
        else:
            moment = unix_seconds(not_before)
        event = ScheduledEvent(
            event_id or str(uuid.uuid4()).upper(),
            event_type,
            tuple(resources) if resources is not None else (self._machine.name,),
            moment,
            _DESCRIPTIONS[event_type] if description is None else description,
            source,
            _DURATIONS.get(event_type, -1) if duration is None else int(duration),
            _not_negative("started_for", started_for),
            now if started else None,
        )
        with self._lock:
            self._catch_up()
            if any(event.event_id == other.event_id for other in self._events):
                raise ValueError(f"there is an event {event.event_id} already")
            self._events.append(event)
            self._incarnation += 1
        return event

    def approve(self, event_id: str) -> ScheduledEvent:
        """Start the event now, for all its machines. One that has started already stays as it is.

        Raises:
            UnknownEvent: no such event.
        """
        with self._lock:
            event = self._find(event_id)
            if event.started_at is None:
                event.started_at = self._clock.time()
                self._incarnation += 1
            return event

    def cancel(self, event_id: str) -> None:
        """Take the event out of the document, as when the platform calls it off.

        Raises:
            UnknownEvent: no such event.
        """
        with self._lock:
            self._events.remove(self._find(event_id))
            self._incarnation += 1

    def complete(self, event_id: str) -> None:
        """Let the event be over: it leaves the document. There is no status for this.

        Raises:
            UnknownEvent: no such event.
        """
        self.cancel(event_id)

    def clear(self) -> None:
        """Take out all events."""
        with self._lock:
            self._catch_up()
            if self._events:
                self._events.clear()
                self._incarnation += 1

    def asked(self) -> float:
        """Note that a client asked; returns the seconds that this answer takes."""
        with self._lock:
            now = self._clock.time()
            asleep = self._last_asked is None or now - self._last_asked >= FORGOTTEN_AFTER
            self._last_asked = now
            return self.first_call_delay if asleep else 0.0

    def document(self, version: str) -> dict[str, Json]:
        """The document as that api-version shows it."""
        with self._lock:
            self._catch_up()
            shown = [event for event in self._events if _TYPE_SINCE.get(event.event_type, "") <= version]
            return {"DocumentIncarnation": self._incarnation, "Events": [_shown(event, version) for event in shown]}

    def start_requested(self, body: bytes) -> None:
        """Approve what a posted body names: all of it or, if any of it is wrong, nothing.

        Raises:
            BadStartRequest: the body is no object with a list `StartRequests` of objects with an `EventId`.
            UnknownEvent: an id that is not in the document.
        """
        try:
            posted: Json = json.loads(body)
        except ValueError as error:
            raise BadStartRequest("not JSON") from error
        requests: Json = posted.get("StartRequests") if is_object(posted) else None
        if not is_array(requests) or not requests:
            raise BadStartRequest("no StartRequests")
        ids: list[str] = []
        for request in requests:
            event_id: Json = request.get("EventId") if is_object(request) else None
            if not isinstance(event_id, str):
                raise BadStartRequest("a start request without EventId")
            ids.append(event_id)
        with self._lock:
            for event_id in ids:
                self._find(event_id)
            for event_id in ids:
                self.approve(event_id)

    def _find(self, event_id: str) -> ScheduledEvent:
        self._catch_up()
        for event in self._events:
            if event.event_id == event_id:
                return event
        raise UnknownEvent(event_id)

    def _catch_up(self) -> None:
        """Let happen what fell due: starts at NotBefore, and disappearances. Each is a change of its own."""
        now = self._clock.time()
        for event in list(self._events):
            if event.started_at is None and event.not_before <= now:
                event.started_at = event.not_before
                self._incarnation += 1
            if event.started_at is not None and event.started_at + event.started_for <= now:
                self._events.remove(event)
                self._incarnation += 1


def _shown(event: ScheduledEvent, version: str) -> dict[str, Json]:
    prefix = "_" if version <= _UNDERSCORED else ""
    shown: dict[str, Json] = {
        "EventId": event.event_id,
        "EventStatus": event.status,
        "EventType": event.event_type,
        "ResourceType": "VirtualMachine",
        "Resources": [prefix + name for name in event.resources],
        "NotBefore": "" if event.started_at is not None else formatdate(event.not_before, usegmt=True),
    }
    if version >= "2019-04-01":
        shown["Description"] = event.description
    if version >= "2019-08-01":
        shown["EventSource"] = event.source
    if version >= "2020-07-01":
        shown["DurationInSeconds"] = event.duration
    return shown


def _not_negative(name: str, seconds: float) -> float:
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{name} is a number of seconds that is zero or more, not {seconds!r}")
    return float(seconds)
