"""What a credential keeps: tokens, until when each is good, and who is fetching one right now. No I/O."""

from __future__ import annotations

import math
import os
import threading
import weakref
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from attrs import evolve, field, frozen

from .._clock import Clock
from ..errors import ImdsValidationError

if TYPE_CHECKING:
    # azure-core's clients are typed to take only tokens of this very class; at run time they use its attributes alone.
    from azure.core.credentials import AccessToken as _Base
else:
    _Base = object

E = TypeVar("E")

#: Seconds before its expiry at which a token is to be replaced, whatever its life. (MSAL does the same.)
ALMOST_EXPIRED = 300.0
#: Seconds of life from which on a token is to be replaced at half of it. (MSAL, azure-identity.)
LONG_LIFE = 7200.0
#: Seconds after an attempt at early refresh in which there is no other.
REFRESH_PAUSE = 30.0
#: Seconds between two looks at a refresh that is under way: it may end without a word, as after a fork.
_LOOK_AGAIN = 1.0


@frozen(order=False)
class AccessToken(_Base):
    """A token and its times, in the form that azure-core's clients expect. The repr hides the token.

    Attributes:
        token: the bearer token. Treat it as opaque, and as a secret.
        expires_on: Unix seconds at which it stops being valid.
        refresh_on: Unix seconds from which a new one is worth getting, or None.
        token_type: `Bearer`.
    """

    token: str = field(repr=False)  # pyright: ignore[reportIncompatibleVariableOverride]
    expires_on: int  # pyright: ignore[reportIncompatibleVariableOverride]
    refresh_on: int | None = None
    token_type: str = "Bearer"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("an access token is not pickled; pickle the credential, and ask it for a token where you are")

    def __copy__(self) -> AccessToken:
        return self

    def __deepcopy__(self, memo: Any) -> AccessToken:
        return self


@frozen(eq=False, repr=False)
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


def entry(answer: Any, asked: float, asked_monotonic: float) -> Entry | str:
    """Reads a token answer that was asked for at these times, or says why it cannot be used.

    Numbers may be strings, integers or floats; what is none counts as absent. It raises nothing, since an error's
    traceback would keep this frame, and with it the token.
    """
    token = answer.access_token
    if not (token.isascii() and token.isprintable() and token == token.strip()):
        return "the token has a character that no header can carry"
    expires, life, refresh_in = map(number, (answer.expires_on, answer.expires_in, answer.refresh_in))
    if expires is None:
        if life is None:
            return "it has neither expires_on nor expires_in, so the token's life is unknown"
        expires = asked + life
    if life is None:
        life = expires - asked
    if refresh_in is None and life >= LONG_LIFE:
        refresh_in = life / 2
    refresh = math.inf if refresh_in is None else refresh_in
    return Entry(
        AccessToken(
            token,
            int(expires),
            None if refresh_in is None else int(asked + refresh_in),
            answer.token_type if isinstance(answer.token_type, str) and answer.token_type else "Bearer",
        ),
        expires=expires,
        expires_monotonic=asked_monotonic + life,
        due=min(asked + refresh, expires - ALMOST_EXPIRED),
        due_monotonic=asked_monotonic + min(refresh, life - ALMOST_EXPIRED),
    )


def number(value: Any) -> float | None:
    """A finite number from a string, an integer or a float; None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


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
        self._lock = threading.Lock()
        self._flights: dict[Any, Flight[Any]] = {}
        self._refreshing: set[str] = set()

    def get(self, scopes: tuple[str, ...], resource: str) -> Entry | None:
        """The entry of a resource if it is valid; remembered for these scopes.

        One that is due, while nobody is to refresh it, is given as due later: until then it costs no more than a fresh
        one. What a refresh brings takes its place at once.
        """
        with self._lock:
            found = self._entries.get(resource)
            if found is None or not found.valid(self.clock):
                return None
            if not found.fresh(self.clock) and not self._may_refresh(resource):
                later = max(self._next_try.get(resource, 0.0), self.clock.monotonic() + _LOOK_AGAIN)
                found = evolve(found, due=found.expires, due_monotonic=min(later, found.expires_monotonic))
            if len(self.by_scopes) > 2 * len(self._entries) + 100:
                self.by_scopes.clear()
            self.by_scopes[scopes] = found
            return found

    def put(self, resource: str, new: Entry, number: int, *, forced: bool = False) -> bool:
        """Keeps what fetch `number` brought, unless it has expired or something newer is there; says whether it did.

        A forced fetch ends the old token in any case: whoever forced it had a reason.
        """
        with self._lock:
            if number <= max(self._cleared, self._numbers.get(resource, 0)):
                return False
            self._next_try[resource] = 0.0 if new.fresh(self.clock) else self._pause_end()
            valid = new.valid(self.clock)
            if valid or forced:
                self._numbers[resource] = number
                self._refreshing.discard(resource)
                self.by_scopes.clear()
                self._entries.pop(resource, None)
            if valid:
                self._entries[resource] = new
            return valid

    def clear(self) -> None:
        """Forgets every token, and lets nobody who comes later wait for a fetch that is under way."""
        with self._lock:
            self._cleared = self._last
            for memory in (self._entries, self.by_scopes, self._numbers, self._next_try, self._flights):
                memory.clear()
            self._refreshing.clear()

    # One flight for all who ask at once

    def board(self, key: Any, resource: str, mine: Flight[E], *, forced: bool, early: bool) -> Flight[E] | Entry:
        """What there is already, an entry or somebody's flight; else `mine`, which the caller is to fly and to land."""
        with self._lock:
            found = None if forced else self._entries.get(resource)
            if found is not None and (found.fresh if early else found.valid)(self.clock):
                return found
            return self._flights.setdefault(key, mine)

    def land(self, key: Any, mine: Flight[Any]) -> None:
        """Ends a flight, if it was one."""
        with self._lock:
            if self._flights.get(key) is mine:
                del self._flights[key]
        mine.landed.set()

    def number(self) -> int:
        """The number of a fetch that starts now."""
        with self._lock:
            self._last += 1
            return self._last

    def cleared_since(self, number: int) -> bool:
        """Whether `clear` was called after this fetch had started."""
        return number <= self._cleared

    # Early refresh

    def begin_refresh(self, resource: str) -> bool:
        """Whether the caller is to refresh a token that is due: nobody else is, and none failed a moment ago."""
        with self._lock:
            may = self._may_refresh(resource)
            if may:
                self._refreshing.add(resource)
            return may

    def _may_refresh(self, resource: str) -> bool:
        return resource not in self._refreshing and self.clock.monotonic() >= self._next_try.get(resource, 0.0)

    def end_refresh(self, resource: str, *, failed: bool) -> None:
        """Lets others refresh again, after a pause if this attempt failed."""
        with self._lock:
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
