"""Scheduled events, from announcement to start to removal."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import formatdate
from typing import Literal

from .clock import LAST_MOMENT, Clock, check_seconds, to_unix_seconds
from .json_text import parse_json
from .machine import Json, Machine, is_array, is_object

EventType = Literal["Freeze", "Reboot", "Redeploy", "Preempt", "Terminate"]
EventSource = Literal["Platform", "User"]

#: The documented minimum notice of each type in seconds. For Terminate, the default of a scale set.
NOTICE: Mapping[str, float] = {"Freeze": 900, "Reboot": 900, "Redeploy": 600, "Preempt": 30, "Terminate": 300}

_DESCRIPTIONS = {
    "Freeze": "The emulated host pauses the virtual machine for a moment.",
    "Reboot": "The emulated host restarts the virtual machine.",
    "Redeploy": "The virtual machine moves to another emulated host.",
    "Preempt": "The emulated Spot virtual machine is evicted.",
    "Terminate": "The emulated virtual machine is deleted.",
}
#: Default of the expected interruption in seconds. For other types it is -1, which means unknown.
_DURATIONS = {"Freeze": 5}

#: The api-version that introduced an event type. We assume that older versions do not show such events.
_TYPE_SINCE = {"Preempt": "2017-11-01", "Terminate": "2019-01-01"}
#: The last api-version that puts an underscore before resource names.
_LAST_WITH_UNDERSCORE = "2017-03-01"

#: Seconds that an event stays in the document after its start. The documentation mentions about ten minutes.
STARTED_FOR = 600.0
#: After this many seconds without a request, the service turns scheduled events off.
IDLE_SECONDS = 24 * 3600.0


class UnknownEvent(LookupError):
    """The document has no event with this id."""


class BadStartRequest(ValueError):
    """The body of an approval is not valid."""


@dataclass(slots=True)
class ScheduledEvent:
    """A scheduled event. Times are Unix seconds of the emulator's clock.

    Attributes:
        event_id: an upper-case GUID. An approval must contain it byte for byte.
        event_type: `Freeze`, `Reboot`, `Redeploy`, `Preempt` or `Terminate`.
        resources: names of the affected machines.
        not_before: when the event starts if it is not approved earlier.
        description: free text.
        source: `Platform` or `User`.
        duration: expected interruption in seconds. 0 means none, -1 means unknown.
        started_for: seconds that the event stays in the document after its start.
        started_at: when the event started; `None` while it is scheduled.
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
        """The `EventStatus` in the document."""
        return "Scheduled" if self.started_at is None else "Started"


class EventSchedule:
    """The scheduled events of one machine. Thread-safe.

    No task runs in the background. Each access first applies the changes that became due since the last access, in
    order.

    Args:
        first_call_delay: delay in seconds of the first response, which turns scheduled events on. It can take up to
            120 seconds in Azure.
    """

    def __init__(self, machine: Machine, clock: Clock, *, first_call_delay: float = 0.0) -> None:
        self._machine = machine
        self._clock = clock
        self._lock = threading.RLock()
        self._events: list[ScheduledEvent] = []
        self._incarnation = 1
        self._last_request: float | None = None
        self.first_call_delay = first_call_delay

    def __repr__(self) -> str:
        return f"<EventSchedule {self.incarnation}: {self.events!r}>"

    @property
    def events(self) -> tuple[ScheduledEvent, ...]:
        """The events that are in the document now."""
        with self._lock:
            self._apply_due_changes()
            return tuple(self._events)

    @property
    def incarnation(self) -> int:
        """The `DocumentIncarnation`. Each change increases it by 1, an approval by 2 as in Azure."""
        with self._lock:
            self._apply_due_changes()
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
        """Adds an event to the document and returns it.

        Args:
            event_type: the type of the event.
            resources: names of the affected machines. Default: this machine.
            notice: seconds until the event starts by itself. Default: the documented minimum of the type.
            not_before: when the event starts by itself (Unix seconds, an aware datetime, or ISO 8601), instead of
                `notice`.
            description: free text. Default: a sentence about the type; `""` if `source` is `User`, as in Azure.
            source: `Platform` or `User`.
            duration: expected interruption in seconds. Default: 5 for Freeze, otherwise -1 (unknown).
            started_for: seconds that the event stays in the document after its start.
            event_id: the id of the event. Default: a new upper-case GUID.
            started: whether the event has started already, without notice, as after a failure of the host.

        Raises:
            ValueError: an unknown type or source, `notice` together with `not_before`, a wrong number, or an id that
                exists already.
        """
        if event_type not in NOTICE:
            raise ValueError(f"event_type must be one of {', '.join(NOTICE)}, got {event_type!r}")
        if source not in ("Platform", "User"):
            raise ValueError(f"source must be Platform or User, got {source!r}")
        if notice is not None and not_before is not None:
            raise ValueError("notice and not_before exclude each other: pass one of them")
        if isinstance(resources, str) or not all(isinstance(name, str) for name in resources or ()):
            raise ValueError(f"resources must be a list of names, for example ['vm-1'], got {resources!r}")
        for name, text in (("description", description), ("event_id", event_id)):
            if not isinstance(text, str | None):
                raise ValueError(f"{name} must be a text, got {text!r}")
        if duration is not None and (not isinstance(duration, int) or not -1 <= duration <= LAST_MOMENT):
            raise ValueError(f"duration must be a whole number of seconds, or -1 for unknown, got {duration!r}")
        now = self._clock.time()
        if not_before is None:
            start = now + (NOTICE[event_type] if notice is None else check_seconds("notice", notice))
        else:
            start = to_unix_seconds("not_before", not_before)
        default_description = "" if source == "User" else _DESCRIPTIONS[event_type]
        event = ScheduledEvent(
            event_id or str(uuid.uuid4()).upper(),
            event_type,
            tuple(resources) if resources is not None else (self._machine.name,),
            start,
            default_description if description is None else description,
            source,
            _DURATIONS.get(event_type, -1) if duration is None else duration,
            check_seconds("started_for", started_for),
            now if started else None,
        )
        with self._lock:
            self._apply_due_changes()
            if any(event.event_id == other.event_id for other in self._events):
                raise ValueError(f"event_id {event.event_id} exists already: choose another id, or omit it")
            self._events.append(event)
            self._incarnation += 1
        return event

    def approve(self, event_id: str) -> ScheduledEvent:
        """Starts an event now, for all its machines, and returns it. A started event does not change.

        Raises:
            UnknownEvent: there is no event with this id.
        """
        with self._lock:
            event = self._find(event_id)
            if event.started_at is None:
                event.started_at = self._clock.time()
                self._incarnation += 2
            return event

    def cancel(self, event_id: str) -> None:
        """Removes an event from the document, as if the platform had cancelled it.

        Raises:
            UnknownEvent: there is no event with this id.
        """
        with self._lock:
            self._events.remove(self._find(event_id))
            self._incarnation += 1

    def complete(self, event_id: str) -> None:
        """Ends an event: it is removed from the document, which has no status for completed events.

        Raises:
            UnknownEvent: there is no event with this id.
        """
        self.cancel(event_id)

    def clear(self) -> None:
        """Removes all events."""
        with self._lock:
            self._apply_due_changes()
            if self._events:
                self._events.clear()
                self._incarnation += 1

    def record_request(self) -> float:
        """Records that a client sent a request. Returns the delay of its response in seconds."""
        with self._lock:
            now = self._clock.time()
            is_first = self._last_request is None or now - self._last_request >= IDLE_SECONDS
            self._last_request = now
            return self.first_call_delay if is_first else 0.0

    def build_document(self, version: str) -> dict[str, Json]:
        """Returns the document of an api-version."""
        with self._lock:
            self._apply_due_changes()
            events = [event for event in self._events if _TYPE_SINCE.get(event.event_type, "") <= version]
            return {
                "DocumentIncarnation": self._incarnation,
                "Events": [_build_event(event, version) for event in events],
            }

    def approve_posted(self, body: bytes) -> None:
        """Approves the events in the body of a POST. If an event is unknown, approves no event.

        Raises:
            BadStartRequest: the body is not an object with a list `StartRequests` of objects with an `EventId`.
            UnknownEvent: there is no event with one of the ids.
        """
        try:
            posted = parse_json(body)
        except ValueError as error:
            raise BadStartRequest("the body is not JSON") from error
        requests: Json = posted.get("StartRequests") if is_object(posted) else None
        if not is_array(requests) or not requests:
            raise BadStartRequest("the body has no list StartRequests")
        ids: list[str] = []
        for request in requests:
            event_id: Json = request.get("EventId") if is_object(request) else None
            if not isinstance(event_id, str):
                raise BadStartRequest("a start request has no EventId")
            ids.append(event_id)
        with self._lock:
            for event_id in ids:
                self._find(event_id)
            for event_id in ids:
                self.approve(event_id)

    def _find(self, event_id: str) -> ScheduledEvent:
        self._apply_due_changes()
        for event in self._events:
            if event.event_id == event_id:
                return event
        raise UnknownEvent(event_id)

    def _apply_due_changes(self) -> None:
        """Starts events that are due and removes events that are over. Each is a change of its own."""
        now = self._clock.time()
        for event in list(self._events):
            if event.started_at is None and event.not_before <= now:
                event.started_at = event.not_before
                self._incarnation += 1
            if event.started_at is not None and event.started_at + event.started_for <= now:
                self._events.remove(event)
                self._incarnation += 1


def _build_event(event: ScheduledEvent, version: str) -> dict[str, Json]:
    prefix = "_" if version <= _LAST_WITH_UNDERSCORE else ""
    members: dict[str, Json] = {
        "EventId": event.event_id,
        "EventStatus": event.status,
        "EventType": event.event_type,
        "ResourceType": "VirtualMachine",
        "Resources": [prefix + name for name in event.resources],
        "NotBefore": "" if event.started_at is not None else formatdate(event.not_before, usegmt=True),
    }
    if version >= "2019-04-01":
        members["Description"] = event.description
    if version >= "2019-08-01":
        members["EventSource"] = event.source
    if version >= "2020-07-01":
        members["DurationInSeconds"] = event.duration
    return members
