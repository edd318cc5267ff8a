"""The rate limits of IMDS: 5 requests per second. For identity 20 per second, 5 of them concurrent."""

from __future__ import annotations

from .clock import Clock
from .responses import is_identity

GENERAL_PER_SECOND = 5
IDENTITY_PER_SECOND = 20
IDENTITY_CONCURRENT = 5


class TokenBucket:
    """A token bucket: allows `per_second` requests per second, and as many in one burst after a pause."""

    def __init__(self, per_second: float, clock: Clock) -> None:
        self._rate = per_second
        self._clock = clock
        self._tokens = float(per_second)
        self._refilled_at = clock.elapsed()

    def try_acquire(self) -> bool:
        """Takes one token from the bucket. Returns whether one was available."""
        now = self._clock.elapsed()
        self._tokens = min(self._rate, self._tokens + (now - self._refilled_at) * self._rate)
        self._refilled_at = now
        # Rounding of floats can make a refill of exactly one token slightly less than 1.
        if self._tokens < 1 - 1e-6:
            return False
        self._tokens -= 1
        return True


class Limits:
    """The limits of one machine. All identities of the machine share them.

    Attributes:
        enabled: whether requests above the limits are refused.
    """

    def __init__(self, clock: Clock, *, enabled: bool) -> None:
        self.enabled = enabled
        self._general = TokenBucket(GENERAL_PER_SECOND, clock)
        self._identity = TokenBucket(IDENTITY_PER_SECOND, clock)
        self._concurrent = 0

    def begin_request(self, path: str) -> bool:
        """Counts a request as running. Returns whether it is within the limit of concurrent requests."""
        if not is_identity(path):
            return True
        self._concurrent += 1
        return not self.enabled or self._concurrent <= IDENTITY_CONCURRENT

    def end_request(self, path: str) -> None:
        """Counts a request as finished."""
        if is_identity(path):
            self._concurrent -= 1

    def try_acquire(self, path: str) -> bool:
        """Counts a request against the rate limit of its endpoint. Returns whether it is within the limit."""
        if not self.enabled:
            return True
        return (self._identity if is_identity(path) else self._general).try_acquire()
