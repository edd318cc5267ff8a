"""The source of time and randomness, in one place, so that tests can replace it."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queue import SimpleQueue


class Clock:
    """The source of time for clients and credentials. Pass a subclass as `clock=` to control time in tests.

    All times are in seconds:

    - `monotonic()` never goes back. It is used for waits, timeouts and deadlines.
    - `time()` is Unix time. It is compared with what servers send, such as `expires_on`.

    A subclass overrides what it needs. `monotonic` and `time` are plain functions here, since each call with a cached
    token uses them.
    """

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)

    def sleep(self, seconds: float) -> None:
        """Blocks the thread for so many seconds."""
        time.sleep(seconds)

    def wait(self, seconds: float, wakeups: SimpleQueue[None]) -> bool:
        """Blocks the thread until there is an item in the queue, for at most so many seconds.

        A queue, because a signal handler may put an item there. The handler may interrupt the thread that holds the
        lock of an Event.

        Returns:
            Whether there was an item.
        """
        from queue import Empty

        try:
            wakeups.get(timeout=seconds)
        except Empty:
            return False
        return True

    async def asleep(self, seconds: float) -> None:
        """Waits for so many seconds, under asyncio or trio."""
        import anyio

        await anyio.sleep(seconds)

    def jitter(self, ceiling: float) -> float:
        """A random number of seconds between 0 and `ceiling`, for waits."""
        return random.uniform(0, ceiling)


SYSTEM = Clock()
