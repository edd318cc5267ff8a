"""When to retry, and after how long. (Microsoft Learn, "How to use managed identities ... retry guidance".)"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

from attrs import Attribute, field, frozen

from .._clock import Clock
from .._interruptions import is_interruption
from ..errors import ImdsError
from .validation import invalid

#: Statuses that are temporary on every operation. The specification adds more for single operations.
TRANSIENT = frozenset({408, 410, 429})

#: Seconds within which IMDS returns after a 410, and seconds between two attempts meanwhile.
GONE_SECONDS = 70.0
GONE_WAIT = 5.0

#: Seconds over which the retries of machines are spread that IMDS has told to wait for the same time.
SPREAD = 1.0

#: A larger int raises OverflowError when it is combined with a float.
_LARGEST = sys.float_info.max


def at_least(least: float, *, whole: bool = False) -> Callable[[Any, Attribute[Any], Any], None]:
    """An attrs validator: a finite number of at least `least`."""

    def check(_: Any, attribute: Attribute[Any], value: Any) -> None:
        good = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not good or not least <= value <= _LARGEST:
            raise invalid(attribute.name, f"must be {'a whole number' if whole else 'a number'} of at least {least}")

    return check


def seconds_or_none(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """An attrs validator: a positive number of seconds, or None for the default."""
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _LARGEST
    ):
        raise invalid(attribute.name, "must be a positive number of seconds, for example 2.5")


def callable_or_none(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """An attrs validator: a function, or None."""
    if value is not None and not callable(value):
        raise invalid(attribute.name, "must be a function of an error and an attempt number, or None")


@frozen(kw_only=True)
class RetryPolicy:
    """How often to retry a call, and how long to wait in between. All times are in seconds.

    Attributes:
        attempts: the maximum number of requests in one call. Responses with 410 do not count.
        first_wait: the upper limit of the first wait. It doubles with each further wait. The wait itself is a random
            part of it (full jitter), so that machines which failed together do not retry together.
        longest_wait: no wait is longer, except after Retry-After and 410, and if `polite_wait` is not shorter.
        polite_wait: the minimum wait after 429 and 5xx. The random part is added to it, in any case up to a second.
            Microsoft asks clients not to retry these immediately.
        retry: decides about errors for which the default is not right. It is called with the error of each attempt and
            the number of the attempt, from 1: also with responses that cannot be read, with a failed challenge of Azure
            Arc, and for requests that may have had an effect. True retries, False does not, and None leaves the
            decision to the policy. `attempts` and the deadline apply to all retries. For example, to wait for the
            identity of a new machine:
            `RetryPolicy(retry=lambda error, attempt: isinstance(error, IdentityNotFoundError) or None)`.

    Raises:
        ImdsValidationError: a value has the wrong type or is out of range.
    """

    attempts: int = field(default=6, validator=at_least(1, whole=True))
    first_wait: float = field(default=0.8, validator=at_least(0))
    longest_wait: float = field(default=60.0, validator=at_least(0))
    polite_wait: float = field(default=1.0, validator=at_least(0))
    retry: Callable[[ImdsError, int], bool | None] | None = field(default=None, validator=callable_or_none)

    def should_retry(self, error: ImdsError, attempt: int) -> bool | None:
        """What the user's function decides about an error. None if it leaves the decision to the policy."""
        return None if self.retry is None else self.retry(error, attempt)

    def wait(self, failures: int, status: int | None, retry_after: float | None, clock: Clock) -> float:
        """Seconds to wait before the next attempt.

        Args:
            failures: how many attempts have failed, 1 or more.
            status: the HTTP status of the last response. None if there was no response.
            retry_after: the seconds that the response asked to wait, if any.
            clock: the source of randomness.
        """
        if retry_after:
            return retry_after + clock.jitter(SPREAD)
        if status == 410:
            return GONE_WAIT + clock.jitter(SPREAD)
        ceiling = self.first_wait * 2.0 ** min(failures - 1, 30)
        if status is None or (status != 429 and status < 500) or not self.polite_wait:
            return clock.jitter(min(ceiling, self.longest_wait))
        left = min(ceiling, self.longest_wait - self.polite_wait)
        return self.polite_wait + clock.jitter(left if left > 0 else SPREAD)


def policy_or_none(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """An attrs validator: a RetryPolicy, or None."""
    if value is not None and not isinstance(value, RetryPolicy):
        raise invalid(attribute.name, "must be a RetryPolicy, or None for one attempt")


def retry_after_seconds(value: str | None, now: float) -> float | None:
    """Reads a Retry-After header (RFC 9110 §10.2.3): seconds or a date. None if absent or unreadable."""
    if not value:
        return None
    value = value.strip()
    import email.utils  # slow to import, and needed only here

    try:
        if value.isascii() and value[:1].isdigit():
            seconds = float(value)
        else:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - now
    except (ValueError, TypeError, OverflowError) as error:
        if is_interruption(error):
            raise
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
