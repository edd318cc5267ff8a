"""One scheduled event, and what the documentation says about its type."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from email.utils import formatdate
from typing import Literal

from .machine import Json

EventType = Literal["Freeze", "Reboot", "Redeploy", "Preempt", "Terminate"]
EventSource = Literal["Platform", "User"]

#: The documented minimum notice of each type in seconds. For Terminate, the default of a scale set.
NOTICE: Mapping[str, float] = {"Freeze": 900, "Reboot": 900, "Redeploy": 600, "Preempt": 30, "Terminate": 300}

DESCRIPTIONS: Mapping[str, str] = {
    "Freeze": "The emulated host pauses the virtual machine for a moment.",
    "Reboot": "The emulated host restarts the virtual machine.",
    "Redeploy": "The virtual machine moves to another emulated host.",
    "Preempt": "The emulated Spot virtual machine is evicted.",
    "Terminate": "The emulated virtual machine is deleted.",
}
#: Default of the expected interruption in seconds. For other types it is -1, which means unknown.
DURATIONS: Mapping[str, int] = {"Freeze": 5}

#: Seconds that an event stays in the document after its start. The documentation mentions about ten minutes.
STARTED_FOR = 600.0

#: The api-version that introduced an event type. We assume that older versions do not show such events.
TYPE_SINCE: Mapping[str, str] = {"Preempt": "2017-11-01", "Terminate": "2019-01-01"}
#: The last api-version that puts an underscore before resource names.
_LAST_WITH_UNDERSCORE = "2017-03-01"


def make_event_id() -> str:
    """Returns a new id, an upper-case GUID."""
    return str(uuid.uuid4()).upper()


@dataclass(slots=True)
class ScheduledEvent:
    """A scheduled event. Times are Unix seconds of the emulator's clock.

    Attributes:
        event_id: an upper-case GUID. An approval must contain it byte for byte.
        event_type: `Freeze`, `Reboot`, `Redeploy`, `Preempt` or `Terminate`.
        resources: names of the affected machines.
        at: when the event appears in the document.
        not_before: when the event starts if it is not approved earlier.
        description: free text.
        source: `Platform` or `User`.
        duration: expected interruption in seconds. 0 means none, -1 means unknown.
        started_for: seconds that the event stays in the document after its start.
        started_at: when the event started; `None` while it is scheduled.
        every: seconds from this event to the next one like it. `None` for an event that does not repeat, and for one
            that is in the document: its successor repeats.
        scenario: name of the scenario that the event belongs to, or `None`.
        has_appeared: whether the event is or was in the document.
    """

    event_id: str
    event_type: str
    resources: tuple[str, ...]
    at: float
    not_before: float
    description: str
    source: str
    duration: int
    started_for: float = STARTED_FOR
    started_at: float | None = None
    every: float | None = None
    scenario: str | None = None
    has_appeared: bool = False

    @property
    def status(self) -> Literal["Upcoming", "Scheduled", "Started"]:
        """The `EventStatus` in the document. `Upcoming` for an event that has not appeared there."""
        if not self.has_appeared:
            return "Upcoming"
        return "Scheduled" if self.started_at is None else "Started"

    @property
    def lifetime(self) -> float:
        """Seconds from its announcement to its end, without an approval."""
        start = self.not_before if self.started_at is None else self.started_at
        return max(start - self.at, 0.0) + self.started_for

    def start(self, moment: float) -> None:
        """Starts the event, at the earliest when it appears in the document."""
        self.started_at = max(moment, self.at)

    def copy_later(self, seconds: float) -> ScheduledEvent:
        """Returns a new event that is like this one, but later."""
        return replace(
            self,
            event_id=make_event_id(),
            at=self.at + seconds,
            not_before=self.not_before + seconds,
            started_at=None if self.started_at is None else self.started_at + seconds,
        )

    def to_dict(self) -> dict[str, Json]:
        """Returns the event in JSON: its attributes, with `status` instead of `has_appeared`."""
        members = asdict(self) | {"resources": list(self.resources)}
        del members["has_appeared"]
        # The status comes after the type.
        return {"event_id": self.event_id, "event_type": self.event_type, "status": self.status} | members

    def to_arguments(self, now: float) -> dict[str, Json]:
        """Returns the arguments of `schedule` that add this event to another emulator, with times relative to now."""
        arguments = self.to_dict()
        for name in ("at", "not_before", "started_at", "status"):
            del arguments[name]
        if self.at > now:
            arguments["after"] = self.at - now
        if self.started_at is None:
            arguments["notice"] = max(self.not_before - max(now, self.at), 0.0)
        else:
            arguments["started"] = True
            arguments["started_for"] = self.started_for - max(now - self.started_at, 0.0)
        return {name: value for name, value in arguments.items() if value is not None}

    def build(self, version: str) -> dict[str, Json]:
        """Returns the event as the document of an api-version contains it."""
        prefix = "_" if version <= _LAST_WITH_UNDERSCORE else ""
        members: dict[str, Json] = {
            "EventId": self.event_id,
            "EventStatus": self.status,
            "EventType": self.event_type,
            "ResourceType": "VirtualMachine",
            "Resources": [prefix + name for name in self.resources],
            "NotBefore": "" if self.started_at is not None else formatdate(self.not_before, usegmt=True),
        }
        if version >= "2019-04-01":
            members["Description"] = self.description
        if version >= "2019-08-01":
            members["EventSource"] = self.source
        if version >= "2020-07-01":
            members["DurationInSeconds"] = self.duration
        return members
