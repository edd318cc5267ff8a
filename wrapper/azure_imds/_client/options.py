"""The settings of a client, and their defaults."""

from __future__ import annotations

import inspect
import re
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any

import httpx
from attrs import Attribute, field, frozen

from .._clock import SYSTEM, Clock
from .host import Host
from .retry import GONE_SECONDS, RetryPolicy, policy_or_none, seconds_or_none
from .single_flight import SingleFlight
from .validation import invalid, to_plain

if TYPE_CHECKING:
    from .observation import Observation, ObservedCall

#: Seconds. IMDS is on the local host, so a connection takes milliseconds or is never made.
CONNECT_SECONDS = 2.0
ATTEMPT_SECONDS = 10.0
DEADLINE_SECONDS = 30.0
#: Seconds until a call gives up if no connection can be made, and never could in this process.
UNREACHABLE_SECONDS = 5.0
#: Seconds. The operating system's poll cannot wait longer than 24 days.
LONGEST_ATTEMPT = 1_000_000.0
#: Seconds. IMDS is back within 70 seconds of a 410.
GONE_DEADLINE_SECONDS = GONE_SECONDS + 5.0

#: Selects the newest version that the host supports.
NEWEST = "newest"
VERSION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def version_or_none(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """An attrs validator: a calendar version, "newest", or None."""
    if value is not None and value != NEWEST and not (isinstance(value, str) and VERSION.fullmatch(value)):
        raise invalid(attribute.name, 'must be a date such as 2021-02-01, "newest" or None')


def observer_or_none(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """An attrs validator: a function that is called with one argument, or None."""
    if value is None:
        return
    is_async = inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(type(value).__call__)
    if is_async or not callable(value):
        problem = "must be a function that takes an ObservedCall, for example print, and no async def"
        raise invalid(attribute.name, problem)


class Memory:
    """What a client and its siblings have learned about their host.

    Attributes:
        newest: the newest version that the host supports. None if it is not known.
        versions: by operation id, the older version that the host supports.
        responses: by `Call.key`, the cached responses of a client with `cache=True`.
        leaves: paths of `get` that IMDS returns only as text.
        runs: the calls that are running now and whose response will be cached.
        failed_observers: the last observers that have raised an exception, which is logged only once.
    """

    def __init__(self) -> None:
        self.newest: str | None = None
        self.versions: dict[str, str] = {}
        self.responses: dict[Hashable, httpx.Response] = {}
        self.leaves: set[str] = set()
        self.runs: SingleFlight[Any] = SingleFlight()
        # Programs may pass a new function with each `with_options`, so the number is limited.
        self.failed_observers: deque[object] = deque(maxlen=100)


@frozen(kw_only=True, eq=False, repr=False)
class Options:
    """What all calls of one client have in common. Times are in seconds. None means the default."""

    endpoint: str | None = None
    host: Host
    timeout: float | None = field(default=None, validator=seconds_or_none)
    deadline: float | None = field(default=None, validator=seconds_or_none)
    retry: RetryPolicy | None = field(factory=RetryPolicy, validator=policy_or_none)
    clock: Clock = SYSTEM
    api_version: str | None = field(default=None, converter=to_plain, validator=version_or_none)
    step_down: bool = True
    cache: bool = False
    observer: Callable[[ObservedCall], object] | None = field(default=None, validator=observer_or_none)
    headers: tuple[tuple[str, str], ...] = ()
    """Headers that the program adds to each request."""
    params: tuple[tuple[str, str], ...] = ()
    """Query parameters that the program adds to each request."""
    memory: Memory = field(factory=Memory)
    is_cancelled: Callable[[], bool] | None = None
    """Returns whether the current request is not needed any more."""
    caller: str = ""
    """What the user called, such as ImdsCredential. Error messages start with it instead of the operation's name."""
    argument_names: Mapping[str, str] = field(factory=dict[str, str])
    """The operation's arguments that `caller` knows by another name. Hints use this name."""
    observation: Observation | None = None
    """Collects the facts of another call, which this client's calls are a part of. They are not observed themselves."""
