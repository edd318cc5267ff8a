"""The service's rate limits: 5 requests a second in general; 20 a second and 5 at once for identity."""

from __future__ import annotations

from .answers import is_identity
from .clock import Clock

GENERAL_PER_SECOND = 5
IDENTITY_PER_SECOND = 20
IDENTITY_AT_ONCE = 5


class TokenBucket:
    """Lets through so many a second, and as many at once after a pause."""

    def __init__(self, per_second: float, clock: Clock) -> None:
        self._rate = per_second
        self._clock = clock
        self._level = float(per_second)
        self._filled = clock.elapsed()

    def take(self) -> bool:
        """Take one; `False` if there is none."""
        now = self._clock.elapsed()
        self._level = min(self._rate, self._level + (now - self._filled) * self._rate)
        self._filled = now
        # A twentieth of a second, as a difference of floats, can come out a little short of one request.
        if self._level < 1 - 1e-6:
            return False
        self._level -= 1
        return True


class Limits:
    """Both limits of one machine. They are the machine's, not an identity's."""

    def __init__(self, clock: Clock, *, enabled: bool) -> None:
        self.enabled = enabled
        self._general = TokenBucket(GENERAL_PER_SECOND, clock)
        self._identity = TokenBucket(IDENTITY_PER_SECOND, clock)
        self._at_once = 0

    def enter(self, path: str) -> bool:
        """Count a request in; `False` if identity is already busy with as many as it takes at once."""
        if not is_identity(path):
            return True
        self._at_once += 1
        return not self.enabled or self._at_once <= IDENTITY_AT_ONCE

    def leave(self, path: str) -> None:
        """Count the request out again."""
        if is_identity(path):
            self._at_once -= 1

    def take(self, path: str) -> bool:
        """Whether the request is within the rate."""
        if not self.enabled:
            return True
        return (self._identity if is_identity(path) else self._general).take()
