"""Runs the command `azure-imds`: here, as a process of its own, or at a terminal. Always towards this machine."""

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
from collections.abc import Callable
from fcntl import ioctl
from pathlib import Path
from typing import Any

import attrs
import pytest

from azure_imds import _cli

COMMAND = str(Path(sys.executable).with_name("azure-imds"))

#: Nothing listens there, so a test that forgets its emulator meets no IMDS.
NOWHERE = "http://127.0.0.1:1"

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@attrs.frozen
class Done:
    """What a command wrote, and its exit status."""

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


Run = Callable[..., Done]


def environment(**changes: str) -> dict[str, str]:
    return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": NOWHERE, **os.environ, **changes}


def run(*arguments: str, **changes: str) -> Done:
    """The installed command, its output piped."""
    done = subprocess.run([COMMAND, *arguments], capture_output=True, text=True, timeout=60, env=environment(**changes))
    return Done(done.returncode, done.stdout, done.stderr)


def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in this process, as if piped."""

    def call(*arguments: str) -> Done:
        if "AZURE_POD_IDENTITY_AUTHORITY_HOST" not in os.environ:
            monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", NOWHERE)
        capsys.readouterr()
        status = _cli.main(list(arguments))
        written = capsys.readouterr()
        return Done(int(status), written.out, written.err)

    return call


class Terminal:
    """The command at a terminal of its own, with stdout and stderr on it."""

    def __init__(self, *arguments: str, columns: int = 80, **changes: str) -> None:
        self._master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        variables = environment(**{"TERM": "xterm-256color", **changes})
        for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", *(name for name in changes if not changes[name])):
            if not changes.get(name):
                variables.pop(name, None)
        self._process = subprocess.Popen(
            [COMMAND, *arguments], stdin=slave, stdout=slave, stderr=slave, env=variables, start_new_session=True
        )
        os.close(slave)
        self._seen = b""

    def read_until(self, text: str) -> None:
        """Waits until the terminal has shown this, apart from colours and line breaks."""
        while text not in self.so_far.words:
            assert self._more(), f"the command ended before it showed {text!r}: {self.so_far.words}"

    @property
    def so_far(self) -> Done:
        return Done(-1, self._seen.decode(errors="replace"))

    def interrupt(self) -> None:
        """What a terminal does at Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def end(self) -> Done:
        while self._more():
            pass
        os.close(self._master)
        return Done(self._process.wait(timeout=30), self._seen.decode())

    def _more(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], 60)
        assert ready, f"the command is silent: {self._seen!r}"
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux's way to say that the other side is closed
            data = b""
        self._seen += data
        return bool(data)


def at_terminal(*arguments: str, columns: int = 80, **changes: str) -> Done:
    """Runs a command at a terminal to its end."""
    return Terminal(*arguments, columns=columns, **changes).end()
