"""How long a call may take, and each of its attempts. All times are in seconds on the monotonic clock."""

from __future__ import annotations

from typing import Any

from azure_imds_api.api import Operation

from .options import (
    ATTEMPT_SECONDS,
    DEADLINE_SECONDS,
    GONE_DEADLINE_SECONDS,
    LONGEST_ATTEMPT,
    UNREACHABLE_SECONDS,
    Options,
)


class Deadline:
    """The time limit of one call, from its start.

    Attributes:
        seconds: how long the call may take as a whole.
    """

    def __init__(self, options: Options, operation: Operation[Any], elapsed: float = 0.0) -> None:
        """Starts the time. `elapsed` is what an earlier part of the same call has used."""
        self._clock = options.clock
        self._started = self._clock.monotonic() - elapsed
        self._is_fixed = options.deadline is not None
        response_seconds = operation.response_seconds or 0.0
        waits = max(map(sum, operation.retry_waits.values()), default=0.0)
        longest = max(DEADLINE_SECONDS, response_seconds, waits + ATTEMPT_SECONDS if waits else 0.0)
        self.seconds = longest if options.deadline is None else options.deadline
        self._usual_seconds = self.seconds
        self._attempt_seconds = max(ATTEMPT_SECONDS, response_seconds) if options.timeout is None else options.timeout
        self._attempt_end = self._started

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock.monotonic() - self._started

    @property
    def left(self) -> float:
        """Seconds until the end. Negative after it."""
        return self.seconds - self.elapsed

    @property
    def next_attempt(self) -> float:
        """Seconds that an attempt may take if it starts now."""
        return max(0.001, min(self._attempt_seconds, self.left, LONGEST_ATTEMPT))

    def start_attempt(self) -> float:
        """Starts the time of an attempt, and returns the seconds that it may take."""
        seconds = self.next_attempt
        self._attempt_end = self._clock.monotonic() + seconds
        return seconds

    def attempt_is_over(self) -> bool:
        """Whether the current attempt has used up its time."""
        return self._clock.monotonic() > self._attempt_end

    def shorten_for_unreachable(self) -> None:
        """Leaves little time to an endpoint that nothing listens on, unless the user has set a deadline."""
        if not self._is_fixed:
            self.seconds = min(self.seconds, UNREACHABLE_SECONDS)

    def restore_after_answer(self) -> None:
        """Allows the usual time again, since the endpoint has answered."""
        self.seconds = max(self.seconds, self._usual_seconds)

    def extend_for_gone(self) -> None:
        """Allows the time that IMDS needs to return after a 410, unless the user has set a deadline."""
        if not self._is_fixed:
            self.seconds = max(self.seconds, GONE_DEADLINE_SECONDS)
