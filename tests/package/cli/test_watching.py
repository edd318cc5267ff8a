"""`events --watch`: a live table at a terminal, or a line of JSON for each change in a pipe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from azure_imds._cli.exits import Exit
from azure_imds_emulator import Emulator
from cli_support import Terminal, start


class Watching:
    """A running command whose lines are read one by one."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def line(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the command ended"
        return json.loads(line)


@contextmanager
def watching(*options: str) -> Iterator[Watching]:
    """The running command. It is killed when the block ends in any way."""
    with start("events", "--watch", *options) as process:
        yield Watching(process)


def has_ended(process: subprocess.Popen[Any]) -> bool:
    """Whether a process was killed and waited for."""
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
    return process.returncode == -signal.SIGKILL


def test_a_failed_assertion_ends_the_process(emulator: Emulator) -> None:
    with pytest.raises(AssertionError, match="failed here"), watching() as watch:
        raise AssertionError("failed here")
    assert has_ended(watch.process)


def test_a_failed_assertion_ends_the_process_at_a_terminal(emulator: Emulator) -> None:
    with pytest.raises(AssertionError, match="failed here"), Terminal("events", "--watch") as terminal:
        raise AssertionError("failed here")
    assert has_ended(terminal.process)


def test_a_line_that_never_arrives_is_not_waited_for_longer_than_a_process_may_live(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli_support.LIFETIME", 0.01)
    with watching() as watch, pytest.raises(AssertionError, match="the command ended"):
        watch.line()
    assert has_ended(watch.process)


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


def test_ctrl_c_ends_it_without_a_message(emulator: Emulator) -> None:
    emulator.schedule("Reboot", notice=600)
    with watching() as watch:
        watch.line()
        watch.process.send_signal(signal.SIGINT)
        out, err = watch.process.communicate(timeout=30)
    assert (watch.process.returncode, out, err) == (Exit.INTERRUPTED, "", "")


def test_a_closed_pipe_ends_it_without_a_message(emulator: Emulator) -> None:
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
def test_the_events_of_other_machines_are_shown_on_request(emulator: Emulator, options: list[str], first: str) -> None:
    emulator.schedule("Reboot", notice=60, resources=["another"])
    emulator.schedule("Redeploy", notice=60)
    with watching(*options, "--query", "event/EventType") as watch:
        assert watch.line() == first


def test_an_outage_is_logged_on_stderr_and_survived(emulator: Emulator) -> None:
    emulator.fail(503, path="/metadata/scheduledevents")
    emulator.schedule("Reboot", notice=600)
    with watching() as watch:
        assert watch.line()["kind"] == "added"
        watch.process.send_signal(signal.SIGINT)
        _, err = watch.process.communicate(timeout=30)
    assert "a request failed, and is retried until IMDS answers" in err


def test_at_a_terminal_a_table_counts_down(emulator: Emulator) -> None:
    emulator.schedule("Preempt", notice=3000)
    with Terminal("events", "--watch", columns=120) as terminal:
        terminal.read_until("in 49 min 5")
        terminal.read_until("Watching; press Ctrl-C to stop.")
        seen = terminal.so_far.words.count("in 49 min")
        while terminal.so_far.words.count("in 49 min") < seen + 2:
            terminal.read_more()
        terminal.interrupt()
        done = terminal.end()
    assert done.status == Exit.INTERRUPTED
    assert done.out.endswith("\x1b[?25h"), "the cursor is back"


def test_at_a_terminal_an_event_that_ended_is_marked(emulator: Emulator) -> None:
    event = emulator.schedule("Preempt", notice=3000)
    with Terminal("events", "--watch", columns=120) as terminal:
        terminal.read_until("Preempt")
        emulator.events.cancel(event.event_id)
        terminal.read_until("has ended")
        terminal.interrupt()
        assert terminal.end().status == Exit.INTERRUPTED


def test_at_a_terminal_an_empty_list_of_events_is_stated(emulator: Emulator) -> None:
    with Terminal("events", "--watch", columns=120) as terminal:
        terminal.read_until("No events are scheduled. Watching")
        terminal.interrupt()
        assert terminal.end().status == Exit.INTERRUPTED
