"""Time as the client sees it, in one place, so that tests can turn it."""

from __future__ import annotations

import random
import time


class Clock:
    """Two clocks: `monotonic` for waiting, `time` for what servers say. Both in seconds."""

    def monotonic(self) -> float:
        """Seconds that only ever grow; for deadlines."""
        return time.monotonic()

    def time(self) -> float:
        """Unix seconds; for dates and `expires_on`."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Blocks this thread."""
        time.sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        """Waits under asyncio or trio."""
        import anyio

        await anyio.sleep(seconds)

    def jitter(self, ceiling: float) -> float:
        """A random number of seconds between 0 and `ceiling`."""
        return random.uniform(0, ceiling)


SYSTEM = Clock()
