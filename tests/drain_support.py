"""Tools of the tests of `drain`: a clock that tests move, and the commands of events in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from azure_imds import EventChange, EventWatcher, ImdsClient
from azure_imds._cli.drain_state import DrainState
from azure_imds._cli.event_commands import EventCommands, Rules
from azure_imds._clock import Clock
from emulator_support import wait_until

#: Seconds after which a test that hangs fails. No assertion depends on the number.
FOREVER = 30.0


class MovedClock(Clock):
    """Real time, plus the seconds by which a test moves it. Waits notice the move."""

    def __init__(self, start: float | None = None) -> None:
        self.moved = 0.0
        self._offset = 0.0 if start is None else start - time.time()

    def monotonic(self) -> float:  # type: ignore[override]
        return time.monotonic() + self.moved

    def time(self) -> float:  # type: ignore[override]
        return time.time() + self._offset + self.moved

    def wait(self, seconds: float, wakeups: SimpleQueue[None]) -> bool:
        until = self.monotonic() + seconds
        while (left := until - self.monotonic()) > 0:
            try:
                wakeups.get(timeout=min(left, 0.01))
            except Empty:
                continue
            return True
        return False


def is_new(change: EventChange) -> bool:
    return change.kind == "added"


class Draining:
    """Commands that run in a thread until `end`, which returns when no command runs."""

    def __init__(self, commands: EventCommands) -> None:
        self.commands = commands
        self._thread = threading.Thread(target=commands.run, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Waits for the end that `once` causes."""
        self._thread.join(FOREVER)
        assert not self._thread.is_alive(), "it does not end"

    @property
    def has_ended(self) -> bool:
        return not self._thread.is_alive()

    def end(self) -> None:
        self.commands.stop()
        self.join()


def pass_time(running: Draining, clock: MovedClock) -> None:
    """Lets a second pass again and again, until everything has ended."""

    def has_ended() -> bool:
        clock.moved += 1
        return running.has_ended

    wait_until(has_ended)


@contextmanager
def draining(
    command: str,
    *,
    clock: Clock | None = None,
    state: Path | None = None,
    approve: bool = True,
    once: bool = True,
    grace: float = 5.0,
    concerns: Callable[[EventChange], bool] = is_new,
    repeat: bool = False,
    **client: Any,
) -> Iterator[Draining]:
    """Runs a command for the events of a machine. At the end everything is ended, also after a failed assertion.

    Args:
        clock: the source of time.
        repeat: whether the command is run for each change, as by `events --exec`.
        command, state, approve, once, grace, concerns: see `Rules` and `DrainState`.
        client: options of the client.
    """
    clock = clock or MovedClock()
    with (
        DrainState(state) as memory,
        ImdsClient(clock=clock, retry=None, **client) as imds,
        EventWatcher(imds, interval=0.2) as watcher,
    ):
        rules = Rules(
            command=command, grace=grace, concerns=concerns, approve=watcher.approve if approve else None, once=once
        )
        running = Draining(EventCommands(watcher, rules, None if repeat else memory, clock))
        try:
            yield running
        finally:
            running.commands.stop()
            running.commands.stop()
            running.join()
