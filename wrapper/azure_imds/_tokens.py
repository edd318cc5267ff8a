"""What a credential keeps: tokens, until when each is good, and who is fetching one right now. No I/O."""

from __future__ import annotations

import math
import os
import threading
import weakref
from typing import Any, Generic, NoReturn, TypeVar

from attrs import field, frozen

from ._clock import Clock
from .errors import ImdsResponseError, ImdsValidationError

E = TypeVar("E")

#: Seconds before its expiry at which a token is to be replaced, whatever its life. (MSAL does the same.)
ALMOST_EXPIRED = 300.0
#: Seconds of life from which on a token is to be replaced at half of it. (MSAL, azure-identity.)
LONG_LIFE = 7200.0
#: Seconds after an attempt at early refresh in which there is no other.
REFRESH_PAUSE = 30.0


@frozen
class AccessToken:
    """A token and its times, in the form that azure-core's clients expect. The repr hides the token.

    Attributes:
        token: the bearer token. Treat it as opaque, and as a secret.
        expires_on: Unix seconds at which it stops being valid.
        refresh_on: Unix seconds from which a new one is worth getting, or None.
        token_type: `Bearer`.
    """

    token: str = field(repr=False)
    expires_on: int
    refresh_on: int | None = None
    token_type: str = "Bearer"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("an access token is not pickled; pickle the credential, and ask it for a token where you are")

    def __copy__(self) -> AccessToken:
        return self

    def __deepcopy__(self, memo: Any) -> AccessToken:
        return self


@frozen
class Entry:
    """A token with its times on both clocks: it is good only while both say so.

    The wall clock can be set back, and the monotonic clock stops while the machine is suspended; either alone would
    make an expired token look valid.
    """

    token: AccessToken
    expires: float
    expires_monotonic: float
    due: float
    due_monotonic: float

    def valid(self, clock: Clock) -> bool:
        """Whether it may be handed out."""
        return clock.time() < self.expires and clock.monotonic() < self.expires_monotonic

    def fresh(self, clock: Clock) -> bool:
        """Whether it may be handed out and nobody need think of a new one."""
        return clock.time() < self.due and clock.monotonic() < self.due_monotonic


def entry(answer: Any, asked: float, asked_monotonic: float) -> Entry:
    """Reads a token answer that was asked for at these times; numbers may be strings, integers or floats.

    Raises:
        ImdsResponseError: it says nothing of when the token expires.
    """
    life = _number(answer.expires_in)
    expires = _number(answer.expires_on)
    if expires is None and life is None:
        raise ImdsResponseError("the answer has neither expires_on nor expires_in, so the token's life is unknown")
    if expires is None:
        expires = asked + (life or 0.0)
    if life is None:
        life = expires - asked
    refresh_in = _number(answer.refresh_in)
    if refresh_in is None and life >= LONG_LIFE:
        refresh_in = life / 2
    token = AccessToken(
        answer.access_token,
        int(expires),
        None if refresh_in is None else int(asked + refresh_in),
        answer.token_type or "Bearer",
    )
    return entry_of(token, expires - asked, life, refresh_in, asked, asked_monotonic)


def entry_of(
    token: AccessToken, left: float, life: float, refresh_in: float | None, now: float, monotonic: float
) -> Entry:
    """An entry for a token that has `left` seconds by the wall clock and `life` by its own count."""
    refresh = math.inf if refresh_in is None else refresh_in
    return Entry(
        token,
        expires=now + left,
        expires_monotonic=monotonic + life,
        due=now + min(refresh, left - ALMOST_EXPIRED),
        due_monotonic=monotonic + min(refresh, life - ALMOST_EXPIRED),
    )


def _number(value: Any) -> float | None:
    """A finite number of seconds from a string, an integer or a float; None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def resource_of(scopes: tuple[str, ...]) -> str:
    """The resource that a scope speaks of: `https://x/.default` is `https://x`, and a resource is itself.

    Raises:
        ImdsValidationError: not exactly one scope, or a blank one.
    """
    if len(scopes) != 1:
        raise ImdsValidationError(f"give exactly one scope or resource, not {len(scopes)}", parameter="scopes")
    scope = scopes[0]
    if not isinstance(scope, str):
        raise ImdsValidationError(f"a scope is a str, not {type(scope).__name__}", parameter="scopes")
    resource = scope.removesuffix("/.default")
    if not resource.strip():
        raise ImdsValidationError("the scope is blank", parameter="scopes")
    return resource


class Flight(Generic[E]):
    """One fetch under way. `landed` is what the others wait on: a threading or an anyio event."""

    def __init__(self, landed: E) -> None:
        self.landed = landed
        self.entry: Entry | None = None
        self.error: Exception | None = None


class Cache:
    """The tokens of one credential by resource, safe for threads without the GIL, and usable after a fork.

    Fetches are numbered when they start. What an older one brings never replaces what a newer one did, and nothing
    that was asked for before `clear` is kept after it.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        #: Entries by the very arguments they were asked for with: the one look-up of a cached call.
        self.by_scopes: dict[tuple[str, ...], Entry] = {}
        self._entries: dict[str, Entry] = {}
        self._numbers: dict[str, int] = {}
        self._next_try: dict[str, float] = {}
        self._last = 0
        self._cleared = 0
        self.reset()
        _caches.add(self)

    def reset(self) -> None:
        """Forgets fetches: after a fork, the threads that made them are not there, and a lock may be locked."""
        self.lock = threading.Lock()
        self.flights: dict[Any, Flight[Any]] = {}
        self._refreshing: set[str] = set()

    def number(self) -> int:
        """The number of a fetch that starts now."""
        with self.lock:
            self._last += 1
            return self._last

    def peek(self, resource: str) -> Entry | None:
        """The entry of a resource if it is valid."""
        found = self._entries.get(resource)
        return found if found is not None and found.valid(self.clock) else None

    def get(self, scopes: tuple[str, ...], resource: str) -> Entry | None:
        """The same, remembered for these scopes."""
        with self.lock:
            found = self.peek(resource)
            if found is not None:
                if len(self.by_scopes) > 2 * len(self._entries) + 100:
                    self.by_scopes.clear()
                self.by_scopes[scopes] = found
            return found

    def put(self, resource: str, new: Entry, number: int) -> None:
        """Keeps what fetch `number` brought, unless it has expired or something newer is there."""
        with self.lock:
            if number <= max(self._cleared, self._numbers.get(resource, 0)):
                return
            self._numbers[resource] = number
            self.by_scopes.clear()
            if new.valid(self.clock):
                self._entries[resource] = new
            else:
                self._entries.pop(resource, None)
            self._next_try[resource] = 0.0 if new.fresh(self.clock) else self._pause_end()

    def clear(self) -> None:
        """Forgets every token."""
        with self.lock:
            self._cleared = self._last
            for memory in (self._entries, self.by_scopes, self._numbers, self._next_try):
                memory.clear()

    def begin_refresh(self, resource: str) -> bool:
        """Whether the caller is to refresh a token that is due: nobody else is, and none failed a moment ago."""
        with self.lock:
            paused = self.clock.monotonic() < self._next_try.get(resource, 0.0)
            if paused or resource in self._refreshing:
                return False
            self._refreshing.add(resource)
            return True

    def end_refresh(self, resource: str, *, failed: bool) -> None:
        """Lets others refresh again, after a pause if this attempt failed."""
        with self.lock:
            self._refreshing.discard(resource)
            if failed:
                self._next_try[resource] = self._pause_end()

    def _pause_end(self) -> float:
        return self.clock.monotonic() + REFRESH_PAUSE


_caches: weakref.WeakSet[Cache] = weakref.WeakSet()


def _after_fork() -> None:
    for cache in list(_caches):
        cache.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
