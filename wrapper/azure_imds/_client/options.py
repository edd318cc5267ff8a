"""What every call of one client has in common: its settings, and what it has learned about its host."""

from __future__ import annotations

import re
from typing import Any

import httpx
from attrs import Attribute, define, field, frozen

from .._clock import SYSTEM, Clock
from ..errors import ImdsValidationError
from .host import Host
from .retry import GONE_SECONDS, RetryPolicy, policy_or_none, seconds_or_none

#: Seconds. The address is on this very host: a connection takes milliseconds or never comes.
CONNECT_SECONDS = 2.0
ATTEMPT_SECONDS = 10.0
DEADLINE_SECONDS = 30.0
#: The operating system's poll has no number for more than 24 days.
LONGEST_ATTEMPT = 1_000_000.0
#: Some seconds more than the 70 within which IMDS is back after a 410.
GONE_DEADLINE_SECONDS = GONE_SECONDS + 5.0

#: Asks for the newest version that the host offers.
NEWEST = "newest"
VERSION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def version_or_none(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """An attrs validator: a calendar version, "newest", or None."""
    if value is not None and value != NEWEST and not (isinstance(value, str) and VERSION.fullmatch(value)):
        raise ImdsValidationError(
            f'{attribute.name} must be a date such as 2021-02-01, "newest" or None', parameter=attribute.name
        )


@define(eq=False, repr=False)
class Memory:
    """What a client and its siblings have learned about their host."""

    newest: str | None = None
    versions: dict[str, str] = field(factory=dict[str, str])
    """By operation, the older version that the host turned out to know."""
    answers: dict[str, httpx.Response] = field(factory=dict[str, httpx.Response])
    """By URL, the answers that the caller wished to keep."""


@frozen(kw_only=True, eq=False, repr=False)
class Options:
    """What every call of one client has in common. Times in seconds; None means the default."""

    endpoint: str | None = None
    host: Host
    timeout: float | None = field(default=None, validator=seconds_or_none)
    deadline: float | None = field(default=None, validator=seconds_or_none)
    retry: RetryPolicy | None = field(factory=RetryPolicy, validator=policy_or_none)
    clock: Clock = SYSTEM
    api_version: str | None = field(default=None, validator=version_or_none)
    step_down: bool = True
    cache: bool = False
    memory: Memory = field(factory=Memory)
    tried: int = 0
    """Attempts that the call's first part has made, and the seconds that it has used up."""
    spent: float = 0.0
