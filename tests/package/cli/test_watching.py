"""`events --watch`: a table that lives, or a line a change."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from azure_imds._cli.exits import Exit
from azure_imds_emulator import Emulator
from cli_support import COMMAND, Terminal, environment


class Watching:
    """A watching command whose lines are read as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def line(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the command ended"
        return json.loads(line)


@contextmanager
def watching(*options: str) -> Iterator[Watching]:
    process = subprocess.Popen(
        [COMMAND, "events", "--watch", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        text=True,
    )
    with process:
        yield Watching(process)
        if process.poll() is None:
            process.kill()


def test_each_change_is_a_line_at_once(emulator: Emulator) -> None:
    event = emulator.schedule("Reboot", notice=600)
    with watching() as watch:
        added = watch.line()
        assert (added["kind"], added["event"]["EventId"], added["previous"]) == ("added", event.event_id, None)
        assert added["notBefore"].endswith("+00:00")
        emulator.events.approve(event.event_id)
        changed = watch.line()
        assert (changed["kind"], changed["notBefore"]) == ("changed", None)
        assert changed["previous"]["EventStatus"] == "Scheduled"
        emulator.events.complete(event.event_id)
        assert watch.line()["kind"] == "gone"


def test_ctrl_c_ends_it_in_silence(emulator: Emulator) -> None:
    emulator.schedule("Reboot", notice=600)
    with watching() as watch:
        watch.line()
        watch.process.send_signal(signal.SIGINT)
        out, err = watch.process.communicate(timeout=30)
    assert (watch.process.returncode, out, err) == (Exit.INTERRUPTED, "", "")


def test_a_reader_that_goes_ends_it_in_silence(emulator: Emulator) -> None:
    event = emulator.schedule("Reboot", notice=600)
    with watching() as watch:
        watch.line()
        assert watch.process.stdout
        watch.process.stdout.close()
        emulator.events.approve(event.event_id)
        assert watch.process.wait(timeout=30) == Exit.CLOSED
        assert watch.process.stderr
        assert watch.process.stderr.read() == ""


def test_a_query_picks_from_each_change(emulator: Emulator) -> None:
    emulator.schedule("Preempt", notice=60)
    with watching("--query", "event/EventType") as watch:
        assert watch.line() == "Preempt"


@pytest.mark.parametrize(("options", "first"), [([], "Redeploy"), (["--all"], "Reboot")])
def test_the_events_of_neighbours_are_shown_on_request(emulator: Emulator, options: list[str], first: str) -> None:
    emulator.schedule("Reboot", notice=60, resources=["another"])
    emulator.schedule("Redeploy", notice=60)
    with watching(*options, "--query", "event/EventType") as watch:
        assert watch.line() == first


def test_an_outage_is_told_on_stderr_and_survived(emulator: Emulator) -> None:
    emulator.fail(503, path="/metadata/scheduledevents")
    emulator.schedule("Reboot", notice=600)
    with watching() as watch:
        assert watch.line()["kind"] == "added"
        watch.process.send_signal(signal.SIGINT)
        _, err = watch.process.communicate(timeout=30)
    assert "IMDS is asked again until it answers" in err


def test_at_a_terminal_a_table_counts_down(emulator: Emulator) -> None:
    emulator.schedule("Preempt", notice=3000)
    terminal = Terminal("events", "--watch", columns=120)
    terminal.read_until("in 49 min 5")
    terminal.read_until("Watching; Ctrl-C ends it.")
    seen = terminal.so_far.words.count("in 49 min")
    while terminal.so_far.words.count("in 49 min") < seen + 2:
        assert terminal._more()
    terminal.interrupt()
    done = terminal.end()
    assert done.status == Exit.INTERRUPTED
    assert done.out.endswith("\x1b[?25h"), "the cursor is back"


def test_at_a_terminal_what_is_over_is_said_to_be(emulator: Emulator) -> None:
    event = emulator.schedule("Preempt", notice=3000)
    terminal = Terminal("events", "--watch", columns=120)
    terminal.read_until("Preempt")
    emulator.events.cancel(event.event_id)
    terminal.read_until("is over")
    terminal.interrupt()
    assert terminal.end().status == Exit.INTERRUPTED


def test_at_a_terminal_that_nothing_is_scheduled_is_said(emulator: Emulator) -> None:
    terminal = Terminal("events", "--watch", columns=120)
    terminal.read_until("No events are scheduled. Watching")
    terminal.interrupt()
    assert terminal.end().status == Exit.INTERRUPTED
