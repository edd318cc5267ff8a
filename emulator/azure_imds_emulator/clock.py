"""The emulator's clock, which tests can advance and freeze."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime

#: A moment: Unix seconds, an aware datetime, or a text in ISO 8601.
Moment = float | datetime | str

#: The last moment that the emulator knows, in Unix seconds: about the year 5138. Dates need at most four digits then,
#: also in tokens and documents that are valid longer.
LAST_MOMENT = 100_000_000_000.0
#: The shortest time between two repetitions in seconds. Unix seconds are not more precise than microseconds.
SHORTEST_INTERVAL = 0.001


class Clock:
    """A clock that follows the system clock until it is advanced or frozen. Thread-safe.

    Everything in the emulator that depends on time uses this clock: token lifetimes, events, rate limits, key files
    and the delays of faults.

    Args:
        start: the time at first, in Unix seconds or as an aware datetime. Default: now.
        frozen: whether only `advance` changes the time.
    """

    def __init__(self, start: float | datetime | None = None, *, frozen: bool = False) -> None:
        self._lock = threading.Lock()
        first = time.time() if start is None else to_unix_seconds("start", start)
        self._offset = 0.0 if start is None else first - time.time()
        self._elapsed_offset = 0.0
        self._frozen: tuple[float, float] | None = None
        self._sleepers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        if frozen:
            # Not through freeze(): the time must be exactly `start`.
            self._frozen = (first, self.elapsed())

    def __repr__(self) -> str:
        return f"<Clock {self.datetime().isoformat()}{' frozen' if self._frozen else ''}>"

    def time(self) -> float:
        """Returns the time in Unix seconds."""
        frozen = self._frozen
        return frozen[0] if frozen else time.time() + self._offset

    def datetime(self) -> datetime:
        """Returns the time as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def elapsed(self) -> float:
        """Returns monotonic seconds since an arbitrary point, for waits and rates."""
        frozen = self._frozen
        return frozen[1] if frozen else time.monotonic() + self._elapsed_offset

    @property
    def frozen(self) -> bool:
        """Whether the clock is frozen."""
        return self._frozen is not None

    @property
    def waiting(self) -> int:
        """How many responses wait for this clock now: delays of faults, slow bytes, the first scheduled-events request.

        Before a test advances the clock for a request that another thread sends, it waits until this number rises.
        """
        return len(self._sleepers)

    def advance(self, seconds: float) -> None:
        """Moves the clock forward. Everything that is due by then happens.

        Raises:
            ValueError: `seconds` is negative or too large. The clock cannot go back.
        """
        check_seconds("advance", seconds)
        with self._lock:
            if self.time() + seconds > LAST_MOMENT:
                raise ValueError(f"advance must not move the clock beyond the year 5138, got {seconds!r}")
            if self._frozen:
                self._frozen = (self._frozen[0] + seconds, self._frozen[1] + seconds)
            else:
                self._offset += seconds
                self._elapsed_offset += seconds
        self._wake_sleepers()

    def move_to(self, moment: Moment) -> None:
        """Sets the time: Unix seconds, an aware datetime, or ISO 8601.

        Forward, everything that is due by then happens. Backward, only the time changes: nothing that happened is
        undone, and waits do not get longer.

        Raises:
            ValueError: it is not a moment that the clock can show.
        """
        target = to_unix_seconds("time", moment)
        with self._lock:
            step = target - self.time()
            forward = max(step, 0.0)
            if self._frozen:
                self._frozen = (target, self._frozen[1] + forward)
            else:
                self._offset += step
                self._elapsed_offset += forward
        self._wake_sleepers()

    def freeze(self) -> None:
        """Stops the clock at the current time. Only `advance` changes it until `resume`."""
        with self._lock:
            self._frozen = (self.time(), self.elapsed())

    def resume(self) -> None:
        """Lets a frozen clock run again, from the time it shows."""
        with self._lock:
            if self._frozen:
                frozen_time, frozen_elapsed = self._frozen
                self._offset = frozen_time - time.time()
                self._elapsed_offset = frozen_elapsed - time.monotonic()
                self._frozen = None
        self._wake_sleepers()

    async def sleep(self, seconds: float) -> None:
        """Waits until this clock has moved on by `seconds`, because time passed or because it was advanced."""
        due = self.elapsed() + seconds
        woken = asyncio.Event()
        sleeper = (asyncio.get_running_loop(), woken)
        with self._lock:
            self._sleepers.add(sleeper)
        try:
            while (left := due - self.elapsed()) > 0:
                woken.clear()
                if self._frozen:
                    # Only advance() or resume() can end this wait. Neither can be missed between the check and the
                    # wait: both wake us through this event loop, which runs the wake-up after this step.
                    await woken.wait()
                    continue
                try:
                    await asyncio.wait_for(woken.wait(), left)
                except TimeoutError:
                    continue
        finally:
            with self._lock:
                self._sleepers.discard(sleeper)

    def _wake_sleepers(self) -> None:
        with self._lock:
            sleepers = list(self._sleepers)
        for loop, woken in sleepers:
            loop.call_soon_threadsafe(woken.set)


def to_unix_seconds(name: str, moment: Moment) -> float:
    """Converts a moment to Unix seconds. It can be a number already, an aware datetime, or a text in ISO 8601.

    Raises:
        ValueError: it is not a moment from 1970 to 5138, or has no time zone. The message starts with `name`.
    """
    try:
        if isinstance(moment, str):
            moment = datetime.fromisoformat(moment)
        if not isinstance(moment, datetime) or moment.tzinfo is not None:
            seconds = moment.timestamp() if isinstance(moment, datetime) else float(moment)
            if not 0 <= seconds <= LAST_MOMENT:
                raise ValueError
            return seconds
    except (OverflowError, TypeError, ValueError):
        raise ValueError(
            f"{name} must be Unix seconds, a datetime or an ISO 8601 text, for example 2030-01-01T00:00:00Z,"
            f" got {moment!r}"
        ) from None
    raise ValueError(f"{name} needs a time zone, for example {moment.isoformat()}+00:00, got {moment.isoformat()}")


def check_seconds(name: str, seconds: float) -> float:
    """Returns a number of seconds unchanged.

    Raises:
        ValueError: it is not a number, negative or too large. The message starts with `name`.
    """
    if not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
        raise ValueError(f"{name} must be a number of seconds of 0 or more, for example 60, got {seconds!r}")
    if seconds > LAST_MOMENT:
        raise ValueError(f"{name} must be at most {LAST_MOMENT:.0f} seconds, got {seconds!r}")
    return seconds


def choose_start(now: float, after: float | None, at: Moment | None) -> float:
    """Returns the moment that `after` or `at` describes, in Unix seconds. Without both, it is now.

    Raises:
        ValueError: both are set, or one has a wrong value.
    """
    if at is None:
        return now + (0.0 if after is None else check_seconds("after", after))
    if after is not None:
        raise ValueError("after and at exclude each other: pass one of them")
    return to_unix_seconds("at", at)


def check_interval(every: float, least: float) -> float:
    """Returns the seconds between two repetitions unchanged.

    Args:
        least: how long a repetition takes.

    Raises:
        ValueError: it is not a number, too large, or so small that repetitions would overlap.
    """
    least = max(least, SHORTEST_INTERVAL)
    if check_seconds("every", every) < least:
        raise ValueError(f"every must be at least {least:g} seconds, so that repetitions do not overlap, got {every!r}")
    return every
