"""How long the work for an event may take. The deadline moves with the event's NotBefore."""

from __future__ import annotations

from datetime import UTC, datetime

from .._clock import Clock
from .._log import log
from .changes import EventChange


class EventDeadline:
    """The time for the work of one event: until some seconds before the NotBefore of the newest document.

    An event that starts early does not move the deadline: to end the work then gains nothing.

    Attributes:
        change: the newest change of the event.
        margin: the seconds between the deadline and NotBefore.
    """

    def __init__(self, change: EventChange, margin: float, clock: Clock, *, flexible: bool = False) -> None:
        """Sets the deadline.

        Args:
            change: the change with which the event was first seen.
            margin: seconds before NotBefore at which the work must have ended.
            clock: the source of time.
            flexible: whether at least half of the time is for the work, and the margin is the rest.
        """
        self.change = change
        self.margin = margin
        self._limited = False
        self._longest_margin = margin
        self._flexible = flexible
        self._clock = clock
        self._at: float | None = None
        self._set(self._seconds_until_start())

    def move(self, change: EventChange) -> None:
        """Applies a later change of the event. The deadline moves if the event has another readable NotBefore."""
        last, self.change = self.change, change
        if change.kind == "gone":
            self._at = None
        elif change.not_before is not None and (self._at is None or change.not_before != last.not_before):
            self._set(self._seconds_until_start())
            log.info("scheduled events: %s %s: %s seconds are left now", *self._names, round(self.seconds or 0))

    @property
    def seconds(self) -> float | None:
        """Seconds until the deadline, 0.0 if it has passed, None if it is unknown or the event is gone."""
        at = self._at  # another thread may move it
        return None if at is None else max(0.0, at - self._clock.monotonic())

    @property
    def limit(self) -> float | None:
        """Seconds after which the work is ended. None if it has no limit, because no time has ever been left.

        Then the event has begun, or its time is unknown.
        """
        return self.seconds if self._limited else None

    @property
    def overdue(self) -> bool:
        """Whether the work is late, and is ended."""
        return self.limit == 0

    @property
    def can_approve(self) -> bool:
        """Whether an approval has an effect: the event is not gone and has not started."""
        return self.change.kind != "gone" and self.change.event.event_status != "Started"

    def _seconds_until_start(self) -> float | None:
        return self.change.seconds_left(datetime.fromtimestamp(self._clock.time(), UTC))

    def _set(self, until_start: float | None) -> None:
        if self._flexible and until_start is not None:
            self.margin = min(self._longest_margin, until_start / 2)
        left = None if until_start is None else max(0.0, until_start - self.margin)
        self._at = None if left is None else self._clock.monotonic() + left
        self._limited = self._limited or bool(left)

    @property
    def _names(self) -> tuple[str, str]:
        return str(self.change.event.event_type), self.change.event.event_id
