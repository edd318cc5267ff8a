"""Time as the client sees it, in one place, so that tests can turn it."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queue import SimpleQueue


class Clock:
    """Two clocks, both in seconds: `monotonic` only ever grows, and is for waiting; `time` is what servers speak of.

    They are the functions themselves, because a cached token is looked at with nothing else.
    """

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)

    def sleep(self, seconds: float) -> None:
        """Blocks this thread."""
        time.sleep(seconds)

    def wait(self, seconds: float, bell: SimpleQueue[None]) -> bool:
        """Blocks this thread until something comes out of the queue, for `seconds` at the most; whether it came.

        A queue, because a signal handler may put something there; an Event's lock might be held by what it interrupts.
        """
        from queue import Empty

        try:
            bell.get(timeout=seconds)
        except Empty:
            return False
        return True

    async def asleep(self, seconds: float) -> None:
        """Waits under asyncio or trio."""
        import anyio

        await anyio.sleep(seconds)

    def jitter(self, ceiling: float) -> float:
        """A random number of seconds between 0 and `ceiling`."""
        return random.uniform(0, ceiling)


SYSTEM = Clock()
