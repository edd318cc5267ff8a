"""When to try again, and after how long. (Microsoft Learn, "How to use managed identities ... retry guidance".)"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

from attrs import Attribute, field, frozen

from .._clock import Clock
from ..errors import ImdsValidationError

#: Statuses that pass by themselves on every operation; the specification adds to them per operation.
TRANSIENT = frozenset({408, 410, 429})

#: Seconds within which IMDS is back after a 410, and the wait between two looks.
GONE_SECONDS = 70.0
GONE_WAIT = 5.0

#: An int may be larger, and then raises OverflowError wherever a float meets it.
_LARGEST = sys.float_info.max


def at_least(least: float, *, whole: bool = False) -> Callable[[Any, Attribute[Any], Any], None]:
    """An attrs validator: a finite number that is not below `least`."""

    def check(_: Any, attribute: Attribute[Any], value: Any) -> None:
        good = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not good or not least <= value <= _LARGEST:
            number = "a whole number" if whole else "a number"
            raise ImdsValidationError(f"{attribute.name} must be {number} from {least} up", parameter=attribute.name)

    return check


def seconds_or_none(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """An attrs validator: a positive number of seconds, or None for the default."""
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _LARGEST
    ):
        raise ImdsValidationError(f"{attribute.name} must be a positive number of seconds", parameter=attribute.name)


@frozen(kw_only=True)
class RetryPolicy:
    """How often and how long to try again. All times in seconds.

    Attributes:
        attempts: requests in one call at the most, where IMDS answers with something other than 410.
        first_wait: the ceiling of the first wait; each further ceiling doubles. The wait is a random part of it
            (full jitter), so that machines which failed together do not come back together.
        longest_wait: no ceiling grows beyond this.
        polite_wait: the least wait after 429 and 5xx, which Microsoft asks not to repeat at once.
    """

    attempts: int = field(default=6, validator=at_least(1, whole=True))
    first_wait: float = field(default=0.8, validator=at_least(0))
    longest_wait: float = field(default=60.0, validator=at_least(0))
    polite_wait: float = field(default=1.0, validator=at_least(0))

    def wait(self, failures: int, status: int | None, retry_after: float | None, clock: Clock) -> float:
        """Seconds to wait after the `failures`-th failure; `status` is None where no answer came."""
        if retry_after:
            return retry_after
        if status == 410:
            return GONE_WAIT
        ceiling = min(self.longest_wait, self.first_wait * 2.0 ** min(failures - 1, 30))
        least = self.polite_wait if status is not None and (status == 429 or status >= 500) else 0.0
        return max(least, clock.jitter(ceiling))


def policy_or_none(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """An attrs validator: a RetryPolicy, or None."""
    if value is not None and not isinstance(value, RetryPolicy):
        raise ImdsValidationError(
            f"{attribute.name} must be a RetryPolicy, or None for one attempt", parameter=attribute.name
        )


def retry_after_seconds(value: str | None, now: float) -> float | None:
    """Reads a Retry-After header (RFC 9110 §10.2.3): seconds, or a date. None where absent or unreadable."""
    if not value:
        return None
    value = value.strip()
    import email.utils  # costs more than the rest of this module, and is needed only here

    try:
        if value.isascii() and value[:1].isdigit():
            seconds = float(value)
        else:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - now
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
