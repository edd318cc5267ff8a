"""The tokens that a credential keeps in memory, and when each is to be refreshed. No I/O."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from .._client.single_flight import SingleFlight
from .._clock import Clock
from .._forks import reset_after_fork
from .._interruptions import is_interruption
from .access_token import AccessToken

#: Seconds before expiry from which a token is due for a refresh, whatever its lifetime. (MSAL does the same.)
ALMOST_EXPIRED = 300.0
#: Tokens with a lifetime of at least this many seconds are refreshed at half of it. (MSAL, azure-identity.)
LONG_LIFE = 7200.0
#: By how much of its time an early refresh is earlier, at most. The share is random, so that machines that start
#: together do not refresh their tokens together.
SPREAD = 0.1
#: Seconds to wait after an early refresh before the next attempt.
REFRESH_PAUSE = 30.0
#: Seconds of the longest lifetime that is accepted. Tokens of managed identities are valid for about a day.
LONGEST_LIFE = 10 * 365.25 * 86400
#: Seconds between checks of whether a running refresh has ended. It may never report its end, for example after a fork.
_CHECK_AGAIN = 1.0


class Entry(NamedTuple):
    """A token with its times on both clocks. It is valid only while both clocks agree.

    The wall clock can be set back, and the monotonic clock stops while the machine is suspended. With only one of them,
    an expired token could look valid.

    Attributes:
        overdue: for how many seconds the token had expired by the wall clock when it was received. None: it had not.
        asked_monotonic: when the token was requested, on the monotonic clock.
    """

    token: AccessToken
    expires: float
    expires_monotonic: float
    due: float
    due_monotonic: float
    overdue: float | None = None
    asked_monotonic: float = 0.0

    def valid(self, clock: Clock) -> bool:
        """Whether the token has not expired."""
        return clock.time() < self.expires and clock.monotonic() < self.expires_monotonic

    def fresh(self, clock: Clock) -> bool:
        """Whether the token is valid and not yet due for a refresh."""
        return clock.time() < self.due and clock.monotonic() < self.due_monotonic


def read_entry(answer: Any, asked: float, asked_monotonic: float, earlier: float = 0.0) -> Entry | str:
    """Reads IMDS's answer to a token request.

    Numbers may be strings, integers or floats, and `expires_on` may be a date.

    Args:
        answer: the answer, as the generated model.
        asked: the Unix time, in seconds, at which the request was sent. Lifetimes count from there.
        asked_monotonic: the same moment on the monotonic clock.
        earlier: the share of the time until the refresh by which it is earlier.

    Returns:
        The entry, or what is wrong with the answer.
    """
    values: dict[str, Any] = answer.to_dict()
    token = values["access_token"]
    if not is_header_safe(token):
        return "the token contains a character that is not allowed in a header"
    stated, refresh_in = parse_number(values.get("expires_in")), parse_number(values.get("refresh_in"))
    expires_on = _parse_time(values.get("expires_on"))
    if expires_on is None and stated is None:
        return _unknown_lifetime(values)
    expires = asked + (stated or 0.0) if expires_on is None else expires_on
    life = expires - asked if stated is None else stated
    if max(life, -life, expires - asked) > LONGEST_LIFE:
        return "the token's lifetime is over ten years: it is wrong, or the clock of this machine is"
    valid_until, overdue = expires, None
    if expires <= asked and (stated is None or stated > 0):
        # The wall clock is ahead, or IMDS returned an old token. Otherwise there would be a request for each call.
        overdue, life = asked - expires, REFRESH_PAUSE if stated is None else stated
        valid_until = asked + life
    if refresh_in is None and life >= LONG_LIFE:
        refresh_in = life / 2
    refresh = math.inf if refresh_in is None else refresh_in
    due = min(asked + refresh, valid_until - ALMOST_EXPIRED)
    until_due = min(refresh, life - ALMOST_EXPIRED)
    kind = values.get("token_type")
    return Entry(
        AccessToken(
            token,
            int(expires),
            None if refresh_in is None else int(asked + min(refresh_in, LONGEST_LIFE)),
            kind if isinstance(kind, str) and kind else "Bearer",
        ),
        expires=valid_until,
        expires_monotonic=asked_monotonic + life,
        due=due - earlier * max(0.0, due - asked),
        due_monotonic=asked_monotonic + until_due - earlier * max(0.0, until_due),
        overdue=overdue,
        asked_monotonic=asked_monotonic,
    )


def is_header_safe(token: str) -> bool:
    """Whether a token can be sent in a header."""
    return token.isascii() and token.isprintable() and token == token.strip()


def _parse_time(value: Any) -> float | None:
    """Converts Unix seconds or a date to Unix seconds. Returns None for anything else."""
    found = parse_number(value)
    if found is None and isinstance(value, str):
        from .dates import parse_date

        found = parse_date(value)
    return found if found is not None and found > 0 else None


def _unknown_lifetime(values: dict[str, Any]) -> str:
    unreadable = [name for name in ("expires_on", "expires_in") if values.get(name) not in (None, "")]
    if not unreadable:
        return "it has neither expires_on nor expires_in, so the token's lifetime is unknown"
    what = f"{' and '.join(unreadable)} {'are' if len(unreadable) > 1 else 'is'} unreadable"
    return f"{what}, so the token's lifetime is unknown: a number of seconds is expected, or for expires_on a date"


def parse_number(value: Any) -> float | None:
    """Converts a string, an integer or a float to a finite float. Returns None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        if is_interruption(error):
            raise
        return None
    return found if math.isfinite(found) else None


def token_reader(entry: Entry, clock: Clock) -> Callable[[], AccessToken]:
    """Makes a function that returns the token while it is fresh, and raises LookupError afterwards.

    A cached call is a dict look-up and a call of this function. It is faster than comparing times in `get_token`, and
    the frame of `get_token` never holds the token.
    """
    token, due, due_monotonic = entry.token, entry.due, entry.due_monotonic
    time, monotonic = clock.time, clock.monotonic

    def read() -> AccessToken:
        if time() < due and monotonic() < due_monotonic:
            return token
        raise LookupError

    return read


class Cache:
    """The tokens of one credential, by resource, and the running fetches. Thread-safe, and usable after a fork.

    Each fetch gets a sequence number when it starts. The result of an older fetch never replaces that of a newer one.
    The result of a fetch that started before `clear` is not stored.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        #: For the exact arguments of a `get_token` call, a function that returns their token while it is fresh.
        self.by_scopes: dict[tuple[str, ...], Callable[[], AccessToken]] = {}
        self.fetches: SingleFlight[Entry] = SingleFlight()
        self._entries: dict[str, Entry] = {}
        self._sequences: dict[str, int] = {}
        self._next_try: dict[str, float] = {}
        self._next_forced: dict[str, float] = {}
        self._last = 0
        self._cleared = 0
        self.reset()
        reset_after_fork(self)

    def reset(self) -> None:
        """Prepares for use in a forked child, which has none of the parent's other threads: a lock may be held."""
        self._lock = threading.Lock()
        self._refreshing: set[str] = set()
        self.fetches.reset()

    def get(self, scopes: tuple[str, ...], resource: str) -> Entry | None:
        """Returns the entry of a resource if it is valid, and remembers it for these scopes.

        If the token is due but a refresh is running or was tried within the last 30 seconds, the returned copy is
        marked as due later, so that callers keep taking the fast path. A new token replaces the copy at once.
        """
        with self._lock:
            found = self._entries.get(resource)
            if found is None or not found.valid(self.clock):
                return None
            if not found.fresh(self.clock) and not self._may_refresh(resource):
                later = max(self._next_try.get(resource, 0.0), self.clock.monotonic() + _CHECK_AGAIN)
                found = found._replace(due=found.expires, due_monotonic=min(later, found.expires_monotonic))
            if len(self.by_scopes) > 2 * len(self._entries) + 100:
                self.by_scopes.clear()
            self.by_scopes[scopes] = token_reader(found, self.clock)
            return found

    def find(self, resource: str, *, only_fresh: bool) -> Entry | None:
        """Returns the entry of a resource if it is valid, or only if it is fresh."""
        found = self._entries.get(resource)
        return found if found is not None and (found.fresh if only_fresh else found.valid)(self.clock) else None

    def put(self, resource: str, new: Entry, sequence: int, *, forced: bool = False) -> bool:
        """Stores the result of a fetch, unless it has expired or a newer one is stored. Returns whether it was stored.

        A forced fetch removes the old token in any case, since the caller had a reason to reject it.
        """
        with self._lock:
            if sequence <= max(self._cleared, self._sequences.get(resource, 0)):
                return False
            self._next_try[resource] = 0.0 if new.fresh(self.clock) else self._pause_end()
            valid = new.valid(self.clock)
            if valid or forced:
                self._sequences[resource] = sequence
                self._refreshing.discard(resource)
                self.by_scopes.clear()
                if valid:
                    self._entries[resource] = new  # in one step, since `find` takes no lock
                else:
                    self._entries.pop(resource, None)
            return valid

    def clear(self) -> None:
        """Removes every token. Later calls do not wait for a fetch that is running, and its result is not stored."""
        with self._lock:
            self._cleared = self._last
            for memory in (self._entries, self.by_scopes, self._sequences, self._next_try, self._next_forced):
                memory.clear()
            self._refreshing.clear()
        self.fetches.clear()

    def next_sequence(self) -> int:
        """Returns the sequence number of a fetch that starts now."""
        with self._lock:
            self._last += 1
            return self._last

    def cleared_since(self, sequence: int) -> bool:
        """Whether `clear` was called after this fetch had started."""
        return sequence <= self._cleared

    def begin_refresh(self, resource: str) -> bool:
        """Whether the caller should refresh a token that is due: no refresh is running, and none failed recently."""
        with self._lock:
            may = self._may_refresh(resource)
            if may:
                self._refreshing.add(resource)
            return may

    def may_force(self, resource: str) -> bool:
        """Whether a service that rejects its token may cause a refresh: it caused none within the last 30 seconds."""
        return self.clock.monotonic() >= self._next_forced.get(resource, 0.0)

    def end_forced(self, resource: str) -> None:
        """Starts the pause of `may_force`."""
        with self._lock:
            self._next_forced[resource] = self._pause_end()

    def _may_refresh(self, resource: str) -> bool:
        return resource not in self._refreshing and self.clock.monotonic() >= self._next_try.get(resource, 0.0)

    def end_refresh(self, resource: str, *, failed: bool) -> None:
        """Allows the next refresh. If this one failed, the next has to wait for the pause to end."""
        with self._lock:
            self._refreshing.discard(resource)
            if failed:
                self._next_try[resource] = self._pause_end()

    def _pause_end(self) -> float:
        return self.clock.monotonic() + REFRESH_PAUSE
