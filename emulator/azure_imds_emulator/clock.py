"""The emulator's idea of time, which tests turn by hand."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime


class Clock:
    """Runs with the machine's clock until it is turned or frozen.

    Everything in the emulator that depends on time asks this clock: token lives, events, rate limits, key files,
    and the delays of faults. Safe to use from any thread.

    Args:
        start: where the clock stands at first: Unix seconds, or an aware datetime. Default: now.
        frozen: whether it stands still but for `advance`.
    """

    def __init__(self, start: float | datetime | None = None, *, frozen: bool = False) -> None:
        self._lock = threading.Lock()
        begin = time.time() if start is None else unix_seconds(start)
        self._offset = 0.0 if start is None else begin - time.time()
        self._elapsed_offset = 0.0
        self._frozen: tuple[float, float] | None = None
        self._sleepers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        if frozen:
            # Exactly where it was told to stand, not a microsecond later.
            self._frozen = (begin, self.elapsed())

    def __repr__(self) -> str:
        return f"<Clock {self.datetime().isoformat()}{' frozen' if self._frozen else ''}>"

    def time(self) -> float:
        """Unix seconds, as this clock has them."""
        frozen = self._frozen
        return frozen[0] if frozen else time.time() + self._offset

    def datetime(self) -> datetime:
        """The same moment, as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def elapsed(self) -> float:
        """Seconds from an arbitrary point, never going backwards: for waits and rates."""
        frozen = self._frozen
        return frozen[1] if frozen else time.monotonic() + self._elapsed_offset

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._frozen is not None

    @property
    def waiting(self) -> int:
        """How many answers wait for this clock just now: delays of faults, slow bytes, the first call for events.

        A test that turns the clock under a waiting request looks here first.
        """
        return len(self._sleepers)

    def advance(self, seconds: float) -> None:
        """Turn the clock forward by so many seconds; whatever falls due in between happens.

        Raises:
            ValueError: the number is negative or not finite; this clock does not run backwards.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"the clock advances by a number of seconds that is zero or more, not {seconds!r}")
        with self._lock:
            if self._frozen:
                self._frozen = (self._frozen[0] + seconds, self._frozen[1] + seconds)
            else:
                self._offset += seconds
                self._elapsed_offset += seconds
            sleepers = list(self._sleepers)
        for loop, woken in sleepers:
            loop.call_soon_threadsafe(woken.set)

    def freeze(self) -> None:
        """Stand still from now on; only `advance` moves the clock."""
        with self._lock:
            self._frozen = (self.time(), self.elapsed())

    def resume(self) -> None:
        """Run again, from where the clock stands."""
        with self._lock:
            if self._frozen:
                stood, elapsed = self._frozen
                self._offset = stood - time.time()
                self._elapsed_offset = elapsed - time.monotonic()
                self._frozen = None
            sleepers = list(self._sleepers)
        for loop, woken in sleepers:
            loop.call_soon_threadsafe(woken.set)

    async def sleep(self, seconds: float) -> None:
        """Wait until this clock has moved on by so many seconds, by itself or because somebody turned it."""
        due = self.elapsed() + seconds
        woken = asyncio.Event()
        sleeper = (asyncio.get_running_loop(), woken)
        with self._lock:
            self._sleepers.add(sleeper)
        try:
            while (left := due - self.elapsed()) > 0:
                woken.clear()
                if self._frozen:
                    # Nobody's time passes: only advance() or resume() ends this wait. The check and the wait are
                    # safe against a turn in between, since the wake-up runs on this loop, after this step.
                    await woken.wait()
                    continue
                try:
                    await asyncio.wait_for(woken.wait(), left)
                except TimeoutError:
                    continue
        finally:
            with self._lock:
                self._sleepers.discard(sleeper)


def unix_seconds(moment: float | datetime | str) -> float:
    """Unix seconds of a moment: a number already, a datetime, or a text in ISO 8601.

    Raises:
        ValueError: no moment, or one without a time zone.
    """
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError(f"{moment.isoformat()} needs a time zone")
        return moment.timestamp()
    return float(moment)
