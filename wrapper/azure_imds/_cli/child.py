"""A command that runs at the same time as this program: its input, its output line by line, and its end."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import SimpleQueue
from typing import IO

from .._clock import Clock

#: The longest line of output that is passed on, in bytes. The rest is passed on as further lines.
LINE_BYTES = 4096
#: How many lines of output are passed on. Further output is read and discarded, so that the command is not blocked.
MAX_LINES = 1000
#: Seconds between two looks at whether the processes of a group have ended, and for the last output of a command.
_PAUSE = 0.05
_LAST_OUTPUT = 1.0


class Child:
    """A command of the shell. It has a process group of its own, which ends with it when it is ended.

    Attributes:
        status: its exit status; 128 plus the number of the signal that ended it. None while it runs.
    """

    def __init__(
        self,
        command: str,
        environment: Mapping[str, str],
        text: str,
        on_line: Callable[[str], object],
        wakeups: SimpleQueue[None],
    ) -> None:
        """Starts the command.

        Args:
            command: the text for the shell.
            environment: variables in addition to those of this process.
            text: its standard input.
            on_line: called for each line of its output, in a thread.
            wakeups: receives an item when the command has ended.

        Raises:
            OSError: the command cannot be started.
        """
        self.status: int | None = None
        self._killed = False
        self._process = subprocess.Popen(
            command,
            shell=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        stdin, output = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert output is not None
        self._reader = threading.Thread(target=_read_lines, args=(output, on_line), daemon=True)
        try:
            self._reader.start()
            threading.Thread(target=_write, args=(stdin, text), daemon=True).start()
            threading.Thread(target=self._wait, args=(wakeups,), daemon=True).start()
        except RuntimeError as error:  # there are too many threads
            self.kill()
            self._process.wait()
            with suppress(OSError):
                stdin.close()
            if self._reader.ident is None:
                output.close()
            raise OSError(errno.EAGAIN, str(error)) from None

    def end(self, grace: float, clock: Clock, wakeups: SimpleQueue[None]) -> None:
        """Ends the command and all processes of its group: with SIGTERM, and with SIGKILL after the grace.

        Args:
            grace: seconds that the processes have to end.
            clock: measures them.
            wakeups: the queue that was given to the constructor. An item ends a pause early.
        """
        until = clock.monotonic() + grace
        self._signal(signal.SIGTERM)
        while not self._killed and self._signal(0) and (left := until - clock.monotonic()) > 0:
            clock.wait(min(left, _PAUSE), wakeups)
        self.kill()

    def kill(self) -> None:
        """Kills the command and all processes of its group. Safe in signal handlers."""
        self._killed = True
        self._signal(signal.SIGKILL)

    def read_rest(self) -> None:
        """Waits for the last output. A process that the command has left in the background may keep it open."""
        self._reader.join(_LAST_OUTPUT)

    def _signal(self, number: int) -> bool:
        """Sends a signal to the group. Returns whether it has any process; with 0, that is all it does."""
        with suppress(ProcessLookupError, PermissionError):  # the latter: macOS, for a group of zombies
            os.killpg(self._process.pid, number)
            return True
        return False

    def _wait(self, wakeups: SimpleQueue[None]) -> None:
        self.status = wait_for_status(self._process)
        wakeups.put(None)


def wait_for_status(process: subprocess.Popen[bytes]) -> int:
    """Waits for the end of a process and returns its exit status; 128 plus the number of the signal that ended it."""
    status = process.wait()
    return status if status >= 0 else 128 - status


def _write(stdin: IO[bytes], text: str) -> None:
    with suppress(OSError), stdin:  # the command need not read it
        stdin.write(text.encode())


def _read_lines(output: IO[bytes], on_line: Callable[[str], object]) -> None:
    count = 0
    with output:
        while line := output.readline(LINE_BYTES):
            count += 1
            if count <= MAX_LINES:
                on_line(line.decode(errors="replace").rstrip("\r\n"))
            elif count == MAX_LINES + 1:
                on_line(f"(further output is not logged: more than {MAX_LINES} lines)")
