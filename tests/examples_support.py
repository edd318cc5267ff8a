"""Runs the programs in examples/ as users do: each in its own process, with warnings as errors."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support import ROOT

PROGRAMS = ROOT / "examples"

#: Seconds after which a program is considered stuck, even on a busy machine.
PATIENCE = 120

_LISTENS = re.compile(r"Uvicorn running on (http://127\.0\.0\.1:\d+)")


def run(program: str, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a program and waits for its end."""
    return subprocess.run(
        _command(program, arguments),
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


class Served:
    """A running server program.

    Attributes:
        url: the address that it listens on.
        lines: its output so far; complete after `end`.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.lines: list[str] = []
        self._process = process
        for line in process.stdout:
            self.lines.append(line)
            if found := _LISTENS.search(line):
                self.url = found[1]
                break
        else:
            raise AssertionError("".join(self.lines))
        # Reads everything, because a full pipe would block the program.
        self._reader = threading.Thread(target=self.lines.extend, args=(process.stdout,))
        self._reader.start()

    def end(self, signum: int = signal.SIGTERM) -> int:
        """Sends a signal and returns the exit code, which is negative if a signal ended the program."""
        self._process.send_signal(signum)
        status = self._process.wait(PATIENCE)
        self._reader.join()
        return status

    @property
    def log(self) -> str:
        return "".join(self.lines)


@contextmanager
def serve(program: str, *arguments: str | Path, **environment: str) -> Iterator[Served]:
    """Runs a server program on a free port until the end of the block."""
    with subprocess.Popen(
        _command(program, (*arguments, "--port", "0")),
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        last_resort = threading.Timer(PATIENCE, process.kill)
        last_resort.start()
        try:
            running = Served(process)
            last_resort.cancel()
            try:
                yield running
            finally:
                running.end()
        finally:
            last_resort.cancel()
            process.kill()


def _command(program: str, arguments: tuple[str | Path, ...]) -> list[str]:
    return [sys.executable, "-W", "error", str(PROGRAMS / program), *map(str, arguments)]
