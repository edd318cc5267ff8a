"""examples/drain.py and the examples of docs/events.md, run against the emulator."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import types
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from azure_imds import EventWatcher, ImdsClient
from azure_imds_api.models.known_event_type import KnownEventType
from azure_imds_emulator import Emulator
from docs_support import DOCS, find_blocks
from support import ROOT

#: Seconds after which a program is killed, so that a test that waits for its output fails.
TIME_LIMIT = 120


@contextmanager
def program(emulator: Emulator, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Runs Python with these arguments. At the end the process is killed, also after a failed assertion."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-u", *map(str, arguments)],
        env=os.environ | emulator.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        time_limit = threading.Timer(TIME_LIMIT, process.kill)
        time_limit.start()
        try:
            yield process
        finally:
            time_limit.cancel()
            process.kill()


@pytest.fixture
def drain() -> Iterator[tuple[Emulator, subprocess.Popen[str]]]:
    with Emulator() as emulator, program(emulator, ROOT / "examples" / "drain.py") as process:
        yield emulator, process


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def rest(process: subprocess.Popen[str]) -> tuple[str, str]:
    """The rest of the output and of the errors. `communicate` would lose the text that `readline` has buffered."""
    assert process.stdout is not None
    assert process.stderr is not None
    out, errors = process.stdout.read(), process.stderr.read()
    process.wait(30)
    return out, errors


@pytest.mark.parametrize("event_type", ["Preempt", "Reboot"])
def test_the_drain_example_drains_its_worker_and_approves_the_event(
    drain: tuple[Emulator, subprocess.Popen[str]], event_type: Any
) -> None:
    emulator, process = drain
    other = emulator.schedule(event_type, resources=["another-machine"], notice=600)
    event = emulator.schedule(event_type, description="Evicted.", notice=600)
    assert line(process) == "working\n"
    assert line(process) == f"{event_type} {event.event_id}: Evicted.\n"
    out, errors = rest(process)
    assert re.fullmatch(r"drained; \d+ jobs given back\n", out)
    assert (errors, process.returncode) == ("", 0)
    assert (event.status, other.status) == ("Started", "Scheduled")


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without a signal")
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_the_drain_example_ends_after_a_signal(drain: tuple[Emulator, subprocess.Popen[str]], signum: int) -> None:
    emulator, process = drain
    emulator.schedule("Freeze")
    assert line(process) == "working\n"
    process.send_signal(signum)
    out, errors = rest(process)
    assert (out, errors, process.returncode) == ("", "", 0)


#: The examples of the page in their order.
WATCH, APPROVE, HANDLERS, LOOP, DRAIN = find_blocks(DOCS / "events.md", "python")


def test_the_first_example_prints_changes() -> None:
    with Emulator() as emulator, program(emulator, "-c", WATCH.text) as process:
        emulator.schedule("Preempt")
        assert re.fullmatch(r"added Preempt Scheduled \d\d?\.\d+\n", line(process))


@pytest.fixture
def watcher(imds_emulator: Emulator) -> Iterator[EventWatcher[ImdsClient]]:
    with ImdsClient() as imds, EventWatcher(imds) as watcher:
        yield watcher


def test_the_approval_starts_the_event(watcher: EventWatcher[ImdsClient], imds_emulator: Emulator) -> None:
    event = imds_emulator.schedule("Reboot")
    exec(APPROVE.text, {"watcher": watcher})
    assert event.status == "Started"


def test_the_handler_saves_and_approves(
    watcher: EventWatcher[ImdsClient], imds_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = imds_emulator.schedule("Preempt")
    given: list[float] = []

    def write_checkpoint(timeout: float) -> None:
        given.append(timeout)
        watcher.stop()

    program: Any = types.ModuleType("my_program")
    program.write_checkpoint = write_checkpoint
    monkeypatch.setitem(sys.modules, "my_program", program)
    exec(HANDLERS.text, {"watcher": watcher})
    assert 0 <= given[0] <= 25
    assert event.status == "Started"


def test_the_loop_has_a_name_under_which_its_tests_find_it() -> None:
    # project/docs/test_docs_drain.py runs it.
    assert LOOP.title == "worker.py"


def test_the_page_shows_the_drain_example_unchanged() -> None:
    assert DRAIN.source == "examples/drain.py"


def test_the_page_names_each_event_type() -> None:
    page = (DOCS / "events.md").read_text(encoding="utf-8")
    for event_type in typing.get_args(KnownEventType):
        assert f'"{event_type}"' in page
