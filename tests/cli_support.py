"""Runs the command `azure-imds`: in this process, as a process of its own, or at a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path
from typing import Any, Self

import attrs
import pytest

from azure_imds import _cli

COMMAND = str(Path(sys.executable).with_name("azure-imds"))

#: Nothing listens there, so a test without an emulator reaches no IMDS.
NOWHERE = "http://127.0.0.1:1"

#: Seconds after which a process that a test started is killed: a command that hangs must not hang the tests.
LIFETIME = 60

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@attrs.frozen
class Done:
    """The output of a command and its exit status."""

    status: int
    out: str
    err: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """What a terminal showed, without colours and line breaks."""
        return " ".join(_ESCAPES.sub("", self.out).split())

    @property
    def coloured(self) -> bool:
        return re.search(r"\x1b\[[0-9;]+m", self.out) is not None


def read_usage_message(error: str) -> str:
    """The message on stderr about wrong usage. Lines with the usage and an example must follow it."""
    first, usage, *example, last = error.splitlines()
    assert first.startswith("azure-imds: ")
    assert usage.startswith("Usage: azure-imds ")
    assert example[0].startswith("Example: azure-imds ")
    assert all(line.startswith("    ") for line in example[1:])
    assert last.startswith("`azure-imds ")
    assert last.endswith(" --help` explains the options.")
    return first.removeprefix("azure-imds: ")


Run = Callable[..., Done]


def build_environment(**changes: str) -> dict[str, str]:
    return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": NOWHERE, **os.environ, **changes}


def run(*arguments: str, **changes: str) -> Done:
    """Runs the installed command with its output in pipes."""
    return run_program(COMMAND, *arguments, **changes)


def run_program(*command: str, **changes: str) -> Done:
    """Runs any program to its end; its time is limited."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIFETIME, env=build_environment(**changes))
    return Done(done.returncode, done.stdout, done.stderr)


@contextmanager
def start(*arguments: str, new_session: bool = False) -> Iterator[subprocess.Popen[str]]:
    """The installed command as a process with its output in pipes. It is killed when the block ends in any way.

    Args:
        arguments: those of the command.
        new_session: whether it has no terminal, wherever the tests run.
    """
    process = subprocess.Popen(
        [COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=build_environment(),
        text=True,
        start_new_session=new_session,
    )
    with process, kill_at_the_end(process):
        yield process


@contextmanager
def kill_at_the_end(process: subprocess.Popen[Any]) -> Iterator[None]:
    """Kills a process when the block ends in any way, or before that if it lives too long."""
    timer = threading.Timer(LIFETIME, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        process.kill()


def run_here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A function that runs the command in this process, as if in a pipe."""

    def call(*arguments: str) -> Done:
        if "AZURE_POD_IDENTITY_AUTHORITY_HOST" not in os.environ:
            monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", NOWHERE)
        capsys.readouterr()
        status = _cli.main(list(arguments))
        written = capsys.readouterr()
        return Done(int(status), written.out, written.err)

    return call


class Terminal:
    """The command at a terminal of its own, which shows stdout and stderr. It is killed when the block ends."""

    def __init__(self, *arguments: str, columns: int = 80, **changes: str) -> None:
        variables = build_environment(**{"TERM": "xterm-256color", **changes})
        for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", *(name for name in changes if not changes[name])):
            if not changes.get(name):
                variables.pop(name, None)
        self._master, slave = pty.openpty()
        try:
            ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
            self.process = subprocess.Popen(
                [COMMAND, *arguments], stdin=slave, stdout=slave, stderr=slave, env=variables, start_new_session=True
            )
        except BaseException:
            os.close(self._master)
            raise
        finally:
            os.close(slave)
        self._seen = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def read_until(self, text: str) -> None:
        """Waits until the terminal has shown this text, apart from colours and line breaks."""
        while text not in self.so_far.words:
            self.read_more(text)

    def read_more(self, expected: str = "more") -> None:
        """Waits until the terminal shows anything new."""
        assert self._read(), f"the command ended before it showed {expected!r}: {self.so_far.words}"

    @property
    def so_far(self) -> Done:
        return Done(-1, self._seen.decode(errors="replace"))

    def interrupt(self) -> None:
        """Sends the signal that a terminal sends at Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def end(self) -> Done:
        """Waits for the end of the command."""
        while self._read():
            pass
        return Done(self.process.wait(timeout=LIFETIME), self._seen.decode())

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], LIFETIME)
        assert ready, f"the command is silent: {self._seen!r}"
        try:
            data = os.read(self._master, 65536)
        except OSError:  # on Linux, the other side is closed
            data = b""
        self._seen += data
        return bool(data)


def run_at_terminal(*arguments: str, columns: int = 80, **changes: str) -> Done:
    """Runs a command at a terminal to its end."""
    with Terminal(*arguments, columns=columns, **changes) as terminal:
        return terminal.end()
