"""Scheduled events, from announcement to start to removal."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from .clock import LAST_MOMENT, Clock, Moment, check_interval, check_seconds, choose_start, to_unix_seconds
from .json_text import check_text, parse_json
from .machine import Json, Machine, is_array, is_object
from .scheduled_event import (
    DESCRIPTIONS,
    DURATIONS,
    NOTICE,
    STARTED_FOR,
    TYPE_SINCE,
    EventSource,
    EventType,
    ScheduledEvent,
    make_event_id,
)

#: After this many seconds without a request, the service turns scheduled events off.
IDLE_SECONDS = 24 * 3600.0


class UnknownEvent(LookupError):
    """The document has no event with this id."""


class BadStartRequest(ValueError):
    """The body of an approval is not valid."""


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
        self._upcoming: list[ScheduledEvent] = []
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
    def upcoming(self) -> tuple[ScheduledEvent, ...]:
        """The events that will appear in the document later."""
        with self._lock:
            self._apply_due_changes()
            return tuple(self._upcoming)

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
        after: float | None = None,
        at: Moment | None = None,
        notice: float | None = None,
        not_before: Moment | None = None,
        description: str | None = None,
        source: EventSource = "Platform",
        duration: int | None = None,
        started_for: float = STARTED_FOR,
        started: bool = False,
        started_at: Moment | None = None,
        every: float | None = None,
        event_id: str | None = None,
        scenario: str | None = None,
    ) -> ScheduledEvent:
        """Adds an event to the document, now or later, and returns it.

        Moments are Unix seconds, aware datetimes or ISO 8601 texts, on the emulator's clock.

        Args:
            event_type: the type of the event.
            resources: names of the affected machines. Default: this machine.
            after: seconds until the event appears in the document. Default: 0.
            at: moment when the event appears in the document, instead of `after`.
            notice: seconds from its appearance until the event starts by itself. Default: the documented minimum of
                the type.
            not_before: moment when the event starts by itself, instead of `notice`.
            description: free text. Default: a sentence about the type; `""` if `source` is `User`, as in Azure.
            source: `Platform` or `User`.
            duration: expected interruption in seconds. Default: 5 for Freeze, otherwise -1 (unknown).
            started_for: seconds that the event stays in the document after its start.
            started: whether the event has started already when it appears, without notice, as after a failure of the
                host.
            started_at: moment when the event started, instead of `started`.
            every: seconds after which a new event like this one appears, again and again. It must be over by then.
            event_id: the id of the event. Default: a new upper-case GUID.
            scenario: name of the scenario that the event belongs to. `ScenarioPlayer.stop` removes it.

        Raises:
            ValueError: an unknown type or source, arguments that exclude each other, a wrong number, or an id that
                exists already.
        """
        if event_type not in NOTICE:
            raise ValueError(f"event_type must be one of {', '.join(NOTICE)}, got {event_type!r}")
        if source not in ("Platform", "User"):
            raise ValueError(f"source must be Platform or User, got {source!r}")
        if notice is not None and not_before is not None:
            raise ValueError("notice and not_before exclude each other: pass one of them")
        if started and started_at is not None:
            raise ValueError("started and started_at exclude each other: pass one of them")
        if isinstance(resources, str) or not all(isinstance(name, str) for name in resources or ()):
            raise ValueError(f"resources must be a list of names, for example ['vm-1'], got {resources!r}")
        texts = [("description", description), ("event_id", event_id), ("scenario", scenario)]
        for name, text in (*texts, *(("resources", resource) for resource in resources or ())):
            if not isinstance(text, str | None):
                raise ValueError(f"{name} must be a text, got {text!r}")
            try:
                check_text(text or "")
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        if duration is not None and (not isinstance(duration, int) or not -1 <= duration <= LAST_MOMENT):
            raise ValueError(f"duration must be a whole number of seconds, or -1 for unknown, got {duration!r}")
        appears = choose_start(self._clock.time(), after, at)
        if not_before is None:
            start = appears + (NOTICE[event_type] if notice is None else check_seconds("notice", notice))
        else:
            start = to_unix_seconds("not_before", not_before)
        if started_at is not None:
            started_at = to_unix_seconds("started_at", started_at)
        default_description = "" if source == "User" else DESCRIPTIONS[event_type]
        event = ScheduledEvent(
            event_id or make_event_id(),
            event_type,
            tuple(resources) if resources is not None else (self._machine.name,),
            appears,
            start,
            default_description if description is None else description,
            source,
            DURATIONS.get(event_type, -1) if duration is None else duration,
            check_seconds("started_for", started_for),
            appears if started else started_at,
            every,
            scenario,
        )
        if every is not None:
            check_interval(every, event.lifetime)
        with self._lock:
            self._apply_due_changes()
            if any(event.event_id == other.event_id for other in (*self._events, *self._upcoming)):
                raise ValueError(f"event_id {event.event_id} exists already: choose another id, or omit it")
            self._upcoming.append(event)
            self._apply_due_changes()
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

        An event that has not appeared yet does not appear, and does not repeat.

        Raises:
            UnknownEvent: there is no event with this id.
        """
        with self._lock:
            self._apply_due_changes()
            for event in self._upcoming:
                if event.event_id == event_id:
                    self._upcoming.remove(event)
                    return
            self._events.remove(self._find(event_id))
            self._incarnation += 1

    def complete(self, event_id: str) -> None:
        """Ends an event: it is removed from the document, which has no status for completed events.

        Raises:
            UnknownEvent: there is no event with this id.
        """
        self.cancel(event_id)

    def remove_scenario(self, name: str) -> int:
        """Removes all events of a scenario, and returns their number."""
        with self._lock:
            found = [event for event in (*self.upcoming, *self.events) if event.scenario == name]
            for event in found:
                self.cancel(event.event_id)
            return len(found)

    def take_from(self, other: EventSchedule, incarnation: int | None) -> None:
        """Replaces all events by those of another schedule.

        Args:
            incarnation: the `DocumentIncarnation` afterwards. Default: it increases by 1.
        """
        with self._lock:
            self._apply_due_changes()
            self._events, self._upcoming = list(other.events), list(other.upcoming)
            self._incarnation = self._incarnation + 1 if incarnation is None else incarnation

    def clear(self) -> None:
        """Removes all events, also those that have not appeared yet."""
        with self._lock:
            self._apply_due_changes()
            self._upcoming.clear()
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
            events = [event for event in self._events if TYPE_SINCE.get(event.event_type, "") <= version]
            return {
                "DocumentIncarnation": self._incarnation,
                "Events": [event.build(version) for event in events],
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
        """Adds events that are due, starts them, and removes those that are over. Each is a change of its own."""
        now = self._clock.time()
        for event in sorted(self._upcoming, key=lambda event: event.at):
            if event.at <= now:
                self._upcoming.remove(event)
                self._add_to_document(event, now)
        for event in list(self._events):
            if event.started_at is None and event.not_before <= now:
                event.start(event.not_before)
                self._incarnation += 1
            if event.started_at is not None and event.started_at + event.started_for <= now:
                self._events.remove(event)
                self._incarnation += 1

    def _add_to_document(self, event: ScheduledEvent, now: float) -> None:
        if event.every is not None:
            # An event is over before the next one like it appears. These appeared and were over between two looks.
            missed = int((now - event.at) // event.every)
            self._incarnation += missed * (3 if event.started_at is None else 2)
            self._upcoming.append(event.copy_later((missed + 1) * event.every))
            if missed:
                current = event.copy_later(missed * event.every)
                event.has_appeared = True
                if event.started_at is None:
                    event.start(event.not_before)
                event = current
            event.every = None
        event.has_appeared = True
        self._events.append(event)
        self._incarnation += 1
