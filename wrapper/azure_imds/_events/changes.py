"""Changes of scheduled events: what differs between two documents of IMDS.

The facts are those of Microsoft Learn, "Azure Metadata Service: Scheduled Events for Linux VMs".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from attrs import evolve, frozen

from azure_imds_api.models.scheduled_event import ScheduledEvent

from .._interruptions import is_interruption
from .._log import log


@frozen
class EventChange:
    """One change of one scheduled event.

    Attributes:
        kind: `"added"` for a new event. `"changed"` if the event has another status, another time or another value in
            any field. `"gone"` if the event has ended or was cancelled.
        event: the event after the change. For `"gone"`, the event in its last known state.
        previous: the event before the change. None for `"added"`.
        not_before: the earliest time at which `event` starts, in UTC. None if it has started, or if IMDS gives no
            readable time.
    """

    kind: Literal["added", "changed", "gone"]
    event: ScheduledEvent
    previous: ScheduledEvent | None = None
    not_before: datetime | None = None

    def seconds_left(self, now: datetime | None = None) -> float | None:
        """Returns the seconds until the event may start.

        Args:
            now: an aware datetime to count from. The default is the current time.

        Returns:
            0.0 if the event has started or its time has passed. None if it is gone or its time is unknown.
        """
        if self.kind == "gone":
            return None
        if self.event.event_status == "Started":
            return 0.0
        if self.not_before is None:
            return None
        return max(0.0, (self.not_before - (now or datetime.now(UTC))).total_seconds())


def parse_not_before(text: str | None, event_id: str = "") -> datetime | None:
    """Reads a NotBefore in RFC 1123 or ISO 8601 format.

    Returns:
        The time in UTC. None if there is no text, or if the text is no time, which is logged.
    """
    if text is None or text == "":
        return None
    try:
        moment = datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except Exception as error:  # which exceptions the parsers raise depends on the version of Python
        if is_interruption(error):
            raise
        log.warning("scheduled events: cannot read the NotBefore of event %s: %.60r", event_id, text)
        return None


def _read_not_before(event: ScheduledEvent) -> datetime | None:
    """Reads the NotBefore as it came: the attribute is None if it is a list or an object."""
    return parse_not_before(event.to_dict().get("NotBefore"), event.event_id)


class ChangeDetector:
    """Compares each document with the one before. Events that are gone are forgotten."""

    def __init__(self) -> None:
        self._known: dict[str, EventChange] = {}

    def detect(self, events: Iterable[ScheduledEvent]) -> list[EventChange]:
        """Returns the changes since the last call: added and changed events in their order, then those that are gone.

        DocumentIncarnation is ignored. A new value does not mean that an event has changed, and it is not documented
        whether the counter ever restarts.
        """
        before, self._known = self._known, {}
        changes: list[EventChange] = []
        for event_id, event in {event.event_id: event for event in events}.items():
            last = before.pop(event_id, None)
            if last is None:
                last = EventChange("added", event, None, _read_not_before(event))
                changes.append(last)
            elif last.event != event:
                same_time = last.event.not_before == event.not_before
                not_before = last.not_before if same_time else _read_not_before(event)
                last = EventChange("changed", event, last.event, not_before)
                changes.append(last)
            self._known[event_id] = last
        return changes + [evolve(last, kind="gone", previous=last.event) for last in before.values()]
