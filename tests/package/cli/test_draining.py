"""`drain` and `events --exec`: for which events the command runs, with which input, until when, and what follows."""

from __future__ import annotations

import errno
import itertools
import json
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from azure_imds._cli import child, event_commands
from azure_imds._cli import draining as draining_command
from azure_imds._cli.drain_options import parse_types
from azure_imds._cli.exits import Exit
from azure_imds_emulator import Emulator
from cli_support import Run
from drain_support import MovedClock, draining, pass_time
from emulator_support import wait_until
from events_support import START, Host, an_event, named, started
from support import answer

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs process groups")


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "azure_imds")


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Any:
    """The messages so far."""
    return lambda: [record.getMessage() for record in caplog.records]


def at(seconds: float) -> str:
    return datetime.fromtimestamp(START + seconds, UTC).isoformat()


def approvals(emulator: Emulator) -> int:
    return sum(request.method == "POST" for request in emulator.requests)


# The command line


def test_the_command_runs_once_for_an_event_which_is_then_approved(
    emulator: Emulator, call: Run, tmp_path: Path
) -> None:
    emulator.schedule("Reboot", notice=900, resources=["another"])
    emulator.schedule("Freeze", notice=900)
    event = emulator.schedule("Preempt", notice=600)
    done = call("drain", "--once", "--approve", "--exec", f"cd '{tmp_path}'; cat > stdin; env > env; echo ready")
    assert done.status == Exit.OK, done.err
    assert done.out == ""
    assert f"azure-imds: Preempt {event.event_id}: ready\n" in done.err
    assert [(e.event_type, e.status) for e in emulator.events.events] == [
        ("Reboot", "Scheduled"),
        ("Freeze", "Scheduled"),
        ("Preempt", "Started"),
    ]
    assert approvals(emulator) == 1
    given = json.loads((tmp_path / "stdin").read_text())
    assert (given["kind"], given["previous"], given["event"]["EventId"]) == ("added", None, event.event_id)
    variables = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines() if "=" in line)
    assert 580 <= int(variables.pop("AZURE_IMDS_EVENT_SECONDS")) <= 595
    assert {name: value for name, value in variables.items() if name.startswith("AZURE_IMDS_EVENT_")} == {
        "AZURE_IMDS_EVENT_CHANGE": "added",
        "AZURE_IMDS_EVENT_ID": event.event_id,
        "AZURE_IMDS_EVENT_TYPE": "Preempt",
        "AZURE_IMDS_EVENT_STATUS": "Scheduled",
        "AZURE_IMDS_EVENT_SOURCE": "Platform",
        "AZURE_IMDS_EVENT_DESCRIPTION": given["event"]["Description"],
        "AZURE_IMDS_EVENT_RESOURCES": emulator.machine.compute["name"],
        "AZURE_IMDS_EVENT_NOT_BEFORE": given["notBefore"],
        "AZURE_IMDS_EVENT_START": "1",
    }


def test_after_a_failure_the_event_is_not_approved(emulator: Emulator, call: Run) -> None:
    emulator.schedule("Preempt", notice=600)
    done = call("drain", "--once", "--approve", "--exec", "exit 3")
    assert done.status == Exit.FINDINGS
    assert "the command returned 3" in done.err
    assert approvals(emulator) == 0


def test_once_a_signal_before_the_end_of_the_command_is_no_success(
    emulator: Emulator, call: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def stop_now(stop: Callable[[], object]) -> Iterator[list[int]]:
        stop()
        yield [signal.SIGTERM]

    monkeypatch.setattr(draining_command, "stop_at_signals", stop_now)
    emulator.schedule("Preempt", notice=600)
    assert call("drain", "--once", "--exec", ":").status == Exit.FINDINGS
    assert call("drain", "--exec", ":").status == Exit.OK


def test_events_are_not_approved_by_default(emulator: Emulator, call: Run) -> None:
    emulator.schedule("Preempt", notice=600)
    assert call("drain", "--once", "--exec", ":").status == Exit.OK
    assert approvals(emulator) == 0


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--exec", ":", "--on", "Premept"], "'--on': 'Premept' is not an event type. The types are Freeze, Preempt,"),
        (["--exec", ":", "--on", " , "], "'--on': there is no event type. The types are"),
        ([], "'--exec': must be a command, for example 'systemctl stop app'."),
        (["--exec", " "], "'--exec': must be a command"),
        (["--exec", ":", "--grace", "-1"], "'--grace': must be a number of seconds from 0 to 600, for example 5."),
        (["--exec", ":", "--grace", "nan"], "'--grace': must be a number of seconds from 0 to 600"),
        (["--exec", ":", "--grace", "soon"], "'--grace': must be a number of seconds"),
        (
            ["--exec", ":", "--state", "/nowhere/drain.json"],
            "'--state': /nowhere/drain.json cannot be used: No such",
        ),
        (["--exec", ":", "--api-version", "2020-07-01"], "--api-version"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_options_are_refused_without_a_request(
    options: list[str], problem: str, emulator: Emulator, call: Run
) -> None:
    done = call("drain", *options)
    assert done.status == Exit.USAGE
    assert problem in " ".join(done.err.replace("│", " ").split())
    assert not emulator.requests


def test_the_types_are_those_of_the_specification_in_any_case() -> None:
    assert parse_types("preempt, TERMINATE,Preempt") == ("Preempt", "Terminate")


@pytest.mark.parametrize("options", [["--watch"], ["--approve", "A"]])
def test_events_exec_excludes_other_modes(options: list[str], emulator: Emulator, call: Run) -> None:
    done = call("events", "--exec", ":", *options)
    assert done.status == Exit.USAGE
    assert f"pass only one of {options[0]}, --exec" in " ".join(done.err.replace("│", " ").split())


# The life of a command


def test_output_is_logged_line_by_line_without_control_characters(emulator: Emulator, call: Run) -> None:
    event = emulator.schedule("Preempt", notice=600)
    done = call("drain", "--once", "--exec", r"printf 'one\n\033[31mtwo\r\nth\377ree' >&2")
    lines = [line.removeprefix(f"azure-imds: Preempt {event.event_id}: ") for line in done.err.splitlines()]
    assert lines[2:5] == ["one", "\ufffd[31mtwo", "th\ufffdree"]


def test_long_output_is_cut_and_does_not_block_the_command(
    emulator: Emulator, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "MAX_LINES", 3)
    emulator.schedule("Preempt", notice=600)
    with draining(
        "head -c 9000 /dev/zero | tr '\\0' x; yes | head -c 300000; echo end", endpoint=emulator.endpoint
    ) as running:
        running.join()
    lines = [line.partition(": ")[2] for line in log() if line.startswith("Preempt ")]
    assert [len(line) for line in lines[1:4]] == [4096, 4096, 809]
    assert lines[4:6] == ["(further output is not logged: more than 3 lines)", "the command returned 0"]


def test_a_process_that_the_command_leaves_in_the_background_is_not_waited_for(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_LAST_OUTPUT", 0.01)
    emulator.schedule("Preempt", notice=600)
    go = tmp_path / "go"
    with draining(f"(until [ -e '{go}' ]; do sleep 0.02; done) & exit 0", endpoint=emulator.endpoint) as running:
        running.join()
    assert approvals(emulator) == 1
    go.touch()


def test_the_input_need_not_be_read(emulator: Emulator) -> None:
    emulator.schedule("Preempt", notice=600, description="x" * 200_000)
    with draining("exec <&-; exit 0", endpoint=emulator.endpoint) as running:
        running.join()
    assert not running.commands.failed
    assert approvals(emulator) == 1


def test_odd_values_are_safe_in_variables(tmp_path: Path) -> None:
    event = an_event("A\0B", Description="\ud800\x1b[2J" + "d" * 5000, EventSource=None, Resources=["vm-0"])
    out = tmp_path / "out"
    command = (
        f'printf "%s|%s|%s" "$AZURE_IMDS_EVENT_ID" "$AZURE_IMDS_EVENT_SOURCE" "$AZURE_IMDS_EVENT_DESCRIPTION" > {out}'
    )
    host = Host(answer(200, json.dumps({"DocumentIncarnation": 1, "Events": [event]})))
    with draining(command, transport=host, clock=MovedClock(START)) as running:
        running.join()
    assert not running.commands.failed
    assert out.read_text() == "A\ufffdB||\ufffd\ufffd[2J" + "d" * 1995


def test_a_command_that_cannot_be_started_is_a_failure(
    emulator: Emulator, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise OSError(7, "Argument list too long")

    monkeypatch.setattr(event_commands, "Child", refuse)
    emulator.schedule("Preempt", notice=600)
    with draining(":", endpoint=emulator.endpoint) as running:
        running.join()
    assert running.commands.failed
    assert approvals(emulator) == 0
    assert any("the command cannot be started: Argument list too long" in line for line in log())


def test_a_command_that_is_not_started_runs_after_a_restart(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise OSError(errno.ENOENT, "No such file or directory")

    state, out = tmp_path / "state", tmp_path / "out"
    emulator.schedule("Preempt", notice=600)
    with monkeypatch.context() as patch, draining(":", endpoint=emulator.endpoint, state=state) as running:
        patch.setattr(event_commands, "Child", refuse)
        running.join()
    command = f"echo $AZURE_IMDS_EVENT_START > {out}"
    with draining(command, endpoint=emulator.endpoint, state=state) as again:
        again.join()
    assert (running.commands.failed, again.commands.failed) == (True, False)
    assert out.read_text() == "1\n"
    assert approvals(emulator) == 1


class Shortage:
    """In place of `Child`: the first attempts to start a command fail."""

    def __init__(self, failures: float, number: int = errno.EAGAIN) -> None:
        self.attempts = 0
        self._failures = failures
        self._number = number

    def __call__(self, *arguments: Any) -> child.Child:
        self.attempts += 1
        if self.attempts <= self._failures:
            raise OSError(self._number, os.strerror(self._number))
        return child.Child(*arguments)


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE], ids=os.strerror)
def test_a_command_is_started_when_the_system_has_a_process_again(
    number: int, emulator: Emulator, tmp_path: Path, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shortage = Shortage(3, number)
    monkeypatch.setattr(event_commands, "Child", shortage)
    emulator.schedule("Preempt", notice=600)
    clock = MovedClock()
    with draining(f"echo $AZURE_IMDS_EVENT_START > {tmp_path}/out", endpoint=emulator.endpoint, clock=clock) as running:
        pass_time(running, clock)
    assert not running.commands.failed
    assert (shortage.attempts, (tmp_path / "out").read_text(), approvals(emulator)) == (4, "1\n", 1)
    problem = f"the command cannot be started yet: {os.strerror(number)}"
    assert len([line for line in log() if line.endswith(problem)]) == 1


@pytest.mark.parametrize(
    "host",
    [
        lambda: Host([an_event(NotBefore=formatdate(START + 60, usegmt=True))]),
        lambda: Host([an_event(NotBefore="")], [an_event(NotBefore="")], [started(an_event())]),
    ],
    ids=["limited", "unlimited"],
)
def test_a_command_that_cannot_be_started_in_time_is_a_failure(
    host: Callable[[], Host], log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_commands, "Child", Shortage(float("inf")))
    clock = MovedClock(START)
    with draining(":", transport=host(), clock=clock) as running:
        pass_time(running, clock)
    assert running.commands.failed
    assert log()[-1].endswith(f"the command cannot be started: {os.strerror(errno.EAGAIN)}")


def test_the_wait_for_a_process_ends_with_the_program(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shortage = Shortage(float("inf"))
    monkeypatch.setattr(event_commands, "Child", shortage)
    emulator.schedule("Preempt", notice=600)
    with draining(":", endpoint=emulator.endpoint, state=tmp_path / "state") as running:
        wait_until(lambda: shortage.attempts > 0)
        running.end()
    assert '"running"' in (tmp_path / "state").read_text()


@pytest.mark.parametrize("failing", range(1, 5))
def test_without_a_thread_the_command_is_started_later_and_only_once(
    failing: int, emulator: Emulator, tmp_path: Path, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = itertools.count(1)

    class Thread(threading.Thread):
        def start(self) -> None:
            if next(starts) == failing:
                raise RuntimeError("can't start new thread")
            super().start()

    for module in (child, event_commands):
        monkeypatch.setattr(module, "threading", SimpleNamespace(Thread=Thread, Lock=threading.Lock))
    monkeypatch.setattr(event_commands, "_PAUSE", 0.01)
    emulator.schedule("Preempt", notice=600)
    with draining(f"sleep 0.2; echo x >> {tmp_path}/out", endpoint=emulator.endpoint) as running:
        running.join()
    assert not running.commands.failed
    assert (tmp_path / "out").read_text() == "x\n"
    assert len([line for line in log() if line.endswith("cannot be started yet: can't start new thread")]) == 1


#: Says when it runs. At SIGTERM it says so too, and exits with 0.
POLITE = "trap 'echo terminated >> {0}; exit 0' TERM; echo runs >> {0}; while :; do sleep 0.02; done"
#: Ignores SIGTERM, as does a process that it has started.
STUBBORN = "trap '' TERM; sleep 600 & echo $! >> {0}; wait"


def test_a_command_is_ended_before_the_event_starts_and_the_event_is_not_approved(
    emulator: Emulator, tmp_path: Path, log: Any
) -> None:
    emulator.schedule("Preempt", notice=60)
    clock, out = MovedClock(), tmp_path / "out"
    with draining(POLITE.format(out), clock=clock, endpoint=emulator.endpoint) as running:
        wait_until(out.exists)
        clock.moved += 56
        running.join()
    assert out.read_text() == "runs\nterminated\n"
    assert running.commands.failed
    assert approvals(emulator) == 0
    assert any("the event is about to start, so the command is ended" in line for line in log())


def is_alive(pid: int) -> bool:
    """Whether a process runs. One that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_after_the_grace_all_processes_of_the_command_are_killed(emulator: Emulator, tmp_path: Path, log: Any) -> None:
    emulator.schedule("Preempt", notice=60)
    clock, out = MovedClock(), tmp_path / "out"
    with draining(STUBBORN.format(out), clock=clock, endpoint=emulator.endpoint) as running:
        wait_until(lambda: out.exists() and out.read_text().endswith("\n"))
        pid = int(out.read_text())
        clock.moved += 56
        wait_until(lambda: any("so the command is ended" in line for line in log()))
        assert is_alive(pid)
        pass_time(running, clock)
    wait_until(lambda: not is_alive(pid))


@pytest.mark.parametrize(
    ("document", "left"),
    [([an_event(EventType="Preempt", NotBefore=at(900))], 890), ([], 0), ([started(an_event())], 0)],
    ids=["later", "cancelled", "started"],
)
def test_the_deadline_follows_the_event(document: list[dict[str, Any]], left: float, tmp_path: Path, log: Any) -> None:
    clock, go, out = MovedClock(START), tmp_path / "go", tmp_path / "out"
    host = Host([an_event(EventType="Preempt", NotBefore=at(60))], lambda: wait_until(out.exists) or document, document)
    command = f"echo > {out}; until [ -e '{go}' ]; do sleep 0.02; done"
    with draining(command, clock=clock, transport=host) as running:
        wait_until(lambda: len(host.polls) > 3)
        if document != [started(an_event())]:
            clock.moved += 100
            polls = len(host.polls)
            wait_until(lambda: len(host.polls) > polls + 1)
        go.touch()
        running.join()
    assert not running.commands.failed
    assert len(host.posted) == (1 if left else 0)


def test_a_deadline_that_moves_to_the_past_ends_the_command(tmp_path: Path) -> None:
    clock, out = MovedClock(START), tmp_path / "out"
    soon = [an_event(EventType="Preempt", NotBefore=at(-1))]
    host = Host([an_event(EventType="Preempt", NotBefore=at(600))], lambda: wait_until(out.exists) or soon, soon)
    with draining(POLITE.format(out), clock=clock, transport=host) as running:
        running.join()
    assert running.commands.failed


@pytest.mark.parametrize(("notice", "grace", "seconds"), [(60, 5, 55), (8, 5, 4), (60, 0, 60), (0, 5, None)])
def test_at_least_half_of_the_time_is_for_the_command(
    notice: float, grace: float, seconds: int | None, tmp_path: Path
) -> None:
    class Frozen(MovedClock):
        def time(self) -> float:  # type: ignore[override]
            return START

    out = tmp_path / "out"
    host = Host([an_event(EventType="Preempt", NotBefore=at(notice))])
    with draining(
        f'printf "%s" "$AZURE_IMDS_EVENT_SECONDS" > {out}', clock=Frozen(), transport=host, grace=grace
    ) as running:
        running.join()
    expected = out.read_text()
    assert expected in ({""} if seconds is None else {str(seconds), str(seconds - 1)})


# Which events, and how often


def test_an_event_that_has_started_before_it_was_seen_is_too_late(emulator: Emulator, tmp_path: Path, log: Any) -> None:
    emulator.schedule("Reboot", started=True)
    emulator.schedule("Preempt", notice=600)
    with draining(f"echo $AZURE_IMDS_EVENT_TYPE >> {tmp_path}/out", endpoint=emulator.endpoint) as running:
        running.join()
    assert (tmp_path / "out").read_text() == "Preempt\n"
    assert any("has already started, so it is too late for the command" in line for line in log())


def test_an_event_that_names_other_machines_too_is_not_approved(emulator: Emulator, log: Any) -> None:
    emulator.schedule("Reboot", notice=600, resources=[emulator.machine.compute["name"], "another"])
    with draining(":", endpoint=emulator.endpoint) as running:
        running.join()
    assert not running.commands.failed
    assert approvals(emulator) == 0
    assert any("not approved, since it names other machines too" in line for line in log())


def test_an_event_that_is_gone_and_returns_is_handled_once(tmp_path: Path) -> None:
    out = tmp_path / "out"
    host = Host([an_event()], [], [an_event()])
    with draining(f"echo >> {out}; sleep 0.1", transport=host, clock=MovedClock(START), once=False) as running:
        wait_until(lambda: len(host.polls) > 4 and bool(host.posted))
        running.end()
    assert out.read_text() == "\n"
    assert len(host.posted) == 1


def test_an_event_that_is_gone_when_the_command_ends_is_approved_when_it_returns(tmp_path: Path, log: Any) -> None:
    out, go = tmp_path / "out", tmp_path / "go"
    events = [an_event()]
    host = Host(events)
    command = f"echo >> {out}; until [ -e {go} ]; do sleep 0.02; done"
    with draining(command, transport=host, clock=MovedClock(START), once=False) as running:
        wait_until(out.exists)
        events.clear()
        polls = len(host.polls)
        wait_until(lambda: len(host.polls) > polls + 1)
        go.touch()
        wait_until(lambda: any("not approved, since it is gone" in line for line in log()))
        events.append(an_event())
        wait_until(lambda: bool(host.posted))
        running.end()
    assert out.read_text() == "\n"
    assert len(host.posted) == 1


def test_events_are_handled_in_parallel(tmp_path: Path) -> None:
    """Each command waits until both run."""
    host = Host([an_event("A"), an_event("B")])
    command = (
        f"echo >> {tmp_path}/$AZURE_IMDS_EVENT_ID; until [ -e {tmp_path}/A -a -e {tmp_path}/B ]; do sleep 0.02; done"
    )
    with draining(command, transport=host, clock=MovedClock(START), once=False):
        wait_until(lambda: len(host.posted) == 2)


def test_an_approval_survives_an_outage(log: Any) -> None:
    answers = [answer(503, {"error": "x"}), httpx.ConnectError("refused"), answer(200)]
    host, clock = Host([an_event()]), MovedClock(START)

    def consent() -> Any:
        clock.moved += 10  # skips the pause
        return answers.pop(0)

    host.consent = consent  # type: ignore[assignment]
    with draining(":", transport=host, clock=clock) as running:
        pass_time(running, clock)
    assert not answers
    assert sum("not approved" in line for line in log()) == 1, "one warning per outage"
    assert log()[-1] == "Reboot A: approved"


def test_a_refused_approval_is_not_repeated(log: Any) -> None:
    host = Host([an_event()])
    host.consent = answer(400, {"error": "x"})
    with draining(":", transport=host, clock=MovedClock(START)) as running:
        running.join()
    assert len(host.posted) == 1
    assert any("Reboot A: not approved" in line for line in log())


def test_an_outage_of_imds_is_survived(emulator: Emulator) -> None:
    emulator.fail(503, times=3)
    emulator.schedule("Preempt", notice=600)
    clock = MovedClock()
    with draining(":", endpoint=emulator.endpoint, clock=clock) as running:
        pass_time(running, clock)
    assert approvals(emulator) == 1


def test_each_change_of_an_event_runs_the_command_in_order(emulator: Emulator, tmp_path: Path) -> None:
    out = tmp_path / "out"
    event = emulator.schedule("Reboot", notice=600)
    with draining(
        f'sleep 0.3; echo "$AZURE_IMDS_EVENT_CHANGE $AZURE_IMDS_EVENT_STATUS" >> {out}',
        endpoint=emulator.endpoint,
        concerns=lambda change: True,
        repeat=True,
    ) as running:
        polls = len(emulator.requests)
        wait_until(lambda: len(emulator.requests) > polls + 3)
        emulator.events.approve(event.event_id)
        polls = len(emulator.requests)
        wait_until(lambda: len(emulator.requests) > polls + 2)
        emulator.events.complete(event.event_id)
        wait_until(lambda: out.exists() and out.read_text().count("\n") == 3)
        running.end()
    assert out.read_text() == "added Scheduled\nchanged Started\ngone Started\n"
    assert approvals(emulator) == 0


def test_a_command_for_the_start_of_an_event_is_not_ended_by_the_time_of_the_start(tmp_path: Path) -> None:
    waits: list[float] = []

    class Watched(MovedClock):
        def wait(self, seconds: float, wakeups: SimpleQueue[None]) -> bool:
            waits.append(seconds)
            return super().wait(seconds, wakeups)

    out, clock = tmp_path / "out", Watched(START)
    event = an_event(NotBefore=at(60))
    host = Host([event], lambda: setattr(clock, "moved", 60) or [started(event)], [started(event)])
    with draining(
        '[ "$AZURE_IMDS_EVENT_CHANGE" = added ] || '
        f'{{ sleep 0.3; echo "$AZURE_IMDS_EVENT_STATUS,$AZURE_IMDS_EVENT_SECONDS" >> {out}; }}',
        transport=host,
        clock=clock,
        concerns=lambda change: True,
        repeat=True,
    ):
        wait_until(out.exists)
    assert out.read_text() == "Started,\n"
    assert min(waits) > 0, "without a limit, it waits for the end of the command and does not look again and again"


# Stopping, restarts and the state


def test_stop_ends_the_command_and_the_event_stays_open(emulator: Emulator, tmp_path: Path) -> None:
    out, state = tmp_path / "out", tmp_path / "state.json"
    emulator.schedule("Preempt", notice=600)
    with draining(POLITE.format(out), endpoint=emulator.endpoint, state=state) as running:
        wait_until(out.exists)
        running.end()
    assert out.read_text() == "runs\nterminated\n"
    assert approvals(emulator) == 0
    with draining(f'echo "start $AZURE_IMDS_EVENT_START" >> {out}', endpoint=emulator.endpoint, state=state) as running:
        running.join()
    assert out.read_text() == "runs\nterminated\nstart 2\n"
    assert approvals(emulator) == 1


def test_a_second_stop_kills_the_command(emulator: Emulator, tmp_path: Path) -> None:
    out = tmp_path / "out"
    emulator.schedule("Preempt", notice=600)
    with draining(STUBBORN.format(out), endpoint=emulator.endpoint, grace=600) as running:
        wait_until(out.exists)
        running.commands.stop()
        running.end()


@pytest.mark.parametrize("command", ["exit 0", "exit 3"])
def test_a_restart_does_not_repeat_a_command(command: str, emulator: Emulator, tmp_path: Path, log: Any) -> None:
    out, state = tmp_path / "out", tmp_path / "state.json"
    emulator.schedule("Preempt", notice=600)
    for once in (True, False):
        with draining(
            f"echo >> {out}; {command}", endpoint=emulator.endpoint, state=state, once=once, approve=False
        ) as running:
            if once:
                running.join()
            else:
                wait_until(lambda: any("was handled before" in line for line in log()))
    assert out.read_text() == "\n"


def test_a_restart_approves_what_was_not_approved(tmp_path: Path) -> None:
    out, state = tmp_path / "out", tmp_path / "state.json"
    host = Host([an_event()])
    host.consent = httpx.ConnectError("refused")
    with draining(f"echo >> {out}", transport=host, clock=MovedClock(START), state=state) as running:
        wait_until(lambda: bool(host.posted))
        running.end()
    host.posted.clear()
    host.consent = answer(200)
    with draining(f"echo >> {out}", transport=host, clock=MovedClock(START), state=state) as running:
        running.join()
    assert out.read_text() == "\n"
    assert host.posted == [{"StartRequests": [{"EventId": "A"}]}]


def test_without_a_name_of_the_machine_nothing_runs(tmp_path: Path) -> None:
    out = tmp_path / "out"
    host = Host([an_event()], instance=(answer(503, {"error": "x"}), named("vm-0")))
    clock = MovedClock(START)
    with draining(f"echo >> {out}", transport=host, clock=clock) as running:
        pass_time(running, clock)
    assert out.read_text() == "\n"
