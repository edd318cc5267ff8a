"""`azure-imds exec` runs a command with a token."""

from __future__ import annotations

import errno
import os
import signal
import stat
import sys
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NoReturn

import pytest

from azure_imds import AccessToken, ImdsUnavailableError
from azure_imds._cli import execution
from azure_imds._cli.claims import read_claims
from azure_imds._cli.execution import TokenFile, forward_signals, keep_fresh, run_child
from azure_imds._cli.exits import Exit
from azure_imds_emulator import Emulator
from cli_support import Run, read_usage_message, run, start
from support import FakeClock

RESOURCE = "https://vault.azure.net"
PYTHON = sys.executable


def test_the_token_is_in_a_variable_of_the_command_only(emulator: Emulator) -> None:
    done = run("exec", "--resource", RESOURCE, "--", "sh", "-c", "echo $AZURE_ACCESS_TOKEN; exit 7")
    assert read_claims(done.out.strip())["aud"] == RESOURCE
    assert (done.status, done.err) == (7, "")


def test_the_variable_can_have_another_name(emulator: Emulator) -> None:
    done = run("exec", "--resource", RESOURCE, "--env", "T", "sh", "-c", "echo ${#T} ${AZURE_ACCESS_TOKEN-none}")
    length, other = done.out.split()
    assert int(length) > 100
    assert other == "none"


@pytest.mark.parametrize("options", [[], ["--token-file", "token"]], ids=["variable", "file"])
def test_the_variable_can_be_the_path(options: list[str], emulator: Emulator, tmp_path: Path) -> None:
    if options:
        options = [options[0], str(tmp_path / options[1])]
    done = run("exec", "--resource", RESOURCE, "--env", "PATH", *options, "sh", "-c", "echo ${#PATH}")
    assert (done.status, done.err) == (0, "")
    assert int(done.out) > 100


def test_the_identity_is_chosen_and_options_after_the_command_are_its_own(
    emulator: Emulator, call: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = emulator.machine.add_user_assigned("id-web")
    ran: list[Any] = []

    def record(program: str, command: Any, variables: Any) -> NoReturn:
        assert os.path.basename(program) == "env"
        ran.append((command, variables))
        raise SystemExit(5)

    monkeypatch.setattr(execution, "replace_process", record)
    options = ["--resource", RESOURCE, "--client-id", identity.client_id, "--env", "T"]
    assert call("exec", *options, "env", "--verbose", "--env", "x").status == 5
    [(command, variables)] = ran
    assert command == ["env", "--verbose", "--env", "x"]
    assert read_claims(variables["T"])["oid"] == identity.object_id
    assert "T" not in os.environ


def test_the_command_gets_the_signals_of_this_process(emulator: Emulator) -> None:
    line = "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.05; done"
    with start("exec", "--resource", RESOURCE, "sh", "-c", line) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "caught\n"
    assert process.returncode == 3


def test_the_command_does_not_ignore_a_closed_pipe(emulator: Emulator) -> None:
    done = run("exec", "--resource", RESOURCE, "grep", "SigIgn", "/proc/self/status")
    assert int(done.out.split()[1], 16) & 1 << (signal.SIGPIPE - 1) == 0


def test_a_file_with_the_token_is_there_while_the_command_runs(emulator: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "token"
    line = f"stat -c %a {path}; cat {path}; echo; echo ${{AZURE_ACCESS_TOKEN-none}}; exit 9"
    done = run("exec", "--resource", RESOURCE, "--token-file", str(path), "--", "sh", "-c", line)
    mode, token, variable = done.out.split()
    assert (mode, variable, done.status, done.err) == ("600", "none", 9, "")
    assert read_claims(token)["aud"] == RESOURCE
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_with_a_file_signals_are_passed_on_and_the_file_is_removed(
    number: signal.Signals, emulator: Emulator, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    options = ["--resource", RESOURCE, "--token-file", str(path)]
    with start("exec", *options, "sh", "-c", "echo ready; exec sleep 60", new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert path.exists()
        process.send_signal(number)
        assert process.wait(30) == 128 + number
    assert [*tmp_path.iterdir()] == []


#: Arguments after `exec`, the exit status, and the message.
BAD: list[tuple[list[str], Exit, str]] = [
    (["true"], Exit.USAGE, "--resource is required, for example https://management.azure.com/"),
    (["--resource", RESOURCE], Exit.USAGE, "COMMAND is required, for example -- env"),
    (["--resource", RESOURCE, ""], Exit.USAGE, "COMMAND is required, for example -- env"),
    (
        ["--resource", "", "true"],
        Exit.USAGE,
        "--resource must not be blank, for example https://vault.azure.net/.default",
    ),
    (
        ["--resource", RESOURCE, "--env", "1T", "true"],
        Exit.USAGE,
        "--env must be a name of letters, digits and _, for example AZURE_ACCESS_TOKEN",
    ),
    (
        ["--resource", RESOURCE, "--client-id", "web", "true"],
        Exit.USAGE,
        "--client-id must look like 00000000-0000-0000-0000-000000000003",
    ),
    (
        ["--resource", RESOURCE, "--token-file", "", "true"],
        Exit.USAGE,
        "--token-file must not be empty, for example /run/user/1000/token",
    ),
    (
        ["--resource", RESOURCE, "--token-file", "/nowhere/token", "true"],
        Exit.USAGE,
        "--token-file must be in a folder that exists, not in /nowhere, for example /run/user/1000/token",
    ),
    (
        ["--resource", RESOURCE, "no-such-program"],
        Exit.NOT_FOUND,
        "no-such-program cannot be run: there is no such program",
    ),
    (
        ["--resource", RESOURCE, __file__],
        Exit.NOT_EXECUTABLE,
        f"{__file__} cannot be run: it is not an executable file",
    ),
]


@pytest.mark.parametrize(("typed", "status", "message"), BAD, ids=[" ".join(typed)[:40] for typed, _, _ in BAD])
def test_what_cannot_work_ends_before_a_token_is_requested(
    typed: list[str], status: Exit, message: str, call: Run, emulator: Emulator
) -> None:
    done = call("exec", *typed)
    assert (done.status, done.out) == (status, "")
    shown = read_usage_message(done.err) if status is Exit.USAGE else done.err.removeprefix("azure-imds: ").rstrip("\n")
    assert shown == message
    assert not emulator.requests


def test_without_a_token_the_command_is_not_run(call: Run, tmp_path: Path) -> None:
    done = call("exec", "--resource", RESOURCE, "--deadline", "0.2", "touch", str(tmp_path / "ran"))
    assert done.status == Exit.UNAVAILABLE
    assert [*tmp_path.iterdir()] == []


def test_a_script_without_an_interpreter_cannot_be_run(call: Run, emulator: Emulator, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/nowhere/interpreter\n")
    script.chmod(0o700)
    options = ["--resource", RESOURCE, "--token-file", str(tmp_path / "token")]
    done = call("exec", *options, str(script))
    assert done.status == Exit.NOT_FOUND
    assert f"{script} cannot be run: No such file or directory" in done.err
    assert [*tmp_path.iterdir()] == [script]


def test_without_its_file_the_command_is_not_run(
    call: Run, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: str, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(execution, "write_private", fail)
    path = tmp_path / "token"
    done = call("exec", "--resource", RESOURCE, "--token-file", str(path), "touch", str(tmp_path / "ran"))
    assert done.status == Exit.IOERR
    assert done.err == f"azure-imds: --token-file {path} cannot be written: No space left on device\n"
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("kind", ["open to others", "link", "folder", "pipe"])
def test_what_is_not_a_private_file_is_not_replaced(kind: str, call: Run, emulator: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "token"
    match kind:
        case "open to others":
            path.touch(0o644)
        case "link":
            path.symlink_to(tmp_path / "other")
        case "folder":
            path.mkdir()
        case _:
            os.mkfifo(path, 0o600)
    before = path.lstat()
    done = call("exec", "--resource", RESOURCE, "--token-file", str(path), "true")
    assert done.status == Exit.USAGE
    assert done.err.startswith("azure-imds: --token-file must be a new file, or one that only you can read (")
    assert path.lstat() == before


def token(text: str, now: float, **times: Any) -> AccessToken:
    return AccessToken(text, int(now + 3600), **times)


def test_a_file_that_a_killed_run_has_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.touch(0o600)
    file = TokenFile(str(path))
    file.write(token("t", 0))
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("t", 0o600)
    file.remove()
    assert not path.exists()


def test_a_removed_file_is_not_written_again(tmp_path: Path) -> None:
    file = TokenFile(str(tmp_path / "token"))
    file.remove()
    file.write(token("t", 0))
    assert [*tmp_path.iterdir()] == []


def follow(tmp_path: Path, *answers: Any) -> tuple[list[str], list[float], list[int]]:
    """Keeps a file up to date until the answers end. Returns its contents after each, the pauses, and its inodes."""
    clock, wakeups, left = FakeClock(), SimpleQueue[None](), [*answers]
    file, seen, inodes = TokenFile(str(tmp_path / "token")), list[str](), list[int]()

    def get_token() -> AccessToken:
        if Path(file.path).exists():
            seen.append(Path(file.path).read_text())
            inodes.append(Path(file.path).stat().st_ino)
        if not left:
            wakeups.put(None)
            raise ImdsUnavailableError("the end")
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer(clock.now)

    keep_fresh(file, get_token, wakeups, clock)
    return seen, clock.waits, inodes


def test_the_token_is_replaced_when_it_is_due(tmp_path: Path) -> None:
    seen, pauses, inodes = follow(
        tmp_path,
        lambda now: token("first", now, refresh_on=int(now + 1000)),
        lambda now: token("second", now),
        lambda now: token("third", now),
    )
    assert seen == ["first", "second", "third"]
    assert pauses == [0, 1000, 3300, 3300]
    assert len({*inodes}) >= 2  # each is a new file: readers never see a part of a token


def test_a_token_that_is_due_is_looked_at_again_soon(tmp_path: Path) -> None:
    _, pauses, _ = follow(tmp_path, lambda now: token("t", now, refresh_on=int(now - 5)), lambda now: token("u", now))
    assert pauses == [0, 30, 3300]


def test_a_long_life_is_looked_at_every_hour(tmp_path: Path) -> None:
    _, pauses, _ = follow(tmp_path, lambda now: AccessToken("t", int(now + 86400)))
    assert pauses == [0, 3600]


def test_a_failure_is_logged_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen, pauses, _ = follow(
        tmp_path, lambda now: token("t", now), ImdsUnavailableError("gone"), lambda now: token("u", now)
    )
    assert (seen, pauses) == (["t", "t", "u"], [0, 3300, 30, 3300])
    assert "is not replaced: gone" in caplog.text


def test_a_folder_that_is_gone_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    clock, wakeups, file = FakeClock(), SimpleQueue[None](), TokenFile(str(folder / "token"))
    folder.rmdir()

    def get_token() -> AccessToken:
        wakeups.put(None)
        return token("CANARY", clock.now)

    keep_fresh(file, get_token, wakeups, clock)
    assert "is not replaced: " in caplog.text
    assert "CANARY" not in caplog.text


def test_the_handlers_of_signals_are_restored() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with forward_signals() as forward_to:
        assert run_child(PYTHON, [PYTHON, "-Sc", "raise SystemExit(4)"], {}, forward_to) == 4
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2], ids=lambda number: number.name
)
def test_a_signal_before_the_command_starts_is_passed_on(number: signal.Signals) -> None:
    with forward_signals() as forward_to:
        signal.raise_signal(number)
        assert run_child("/bin/sleep", ["sleep", "60"], {}, forward_to) == 128 + number


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with forward_signals() as forward_to:
            assert run_child("/bin/sh", ["sh", "-c", "kill -HUP $$; exit 6"], {}, forward_to) == 6
    finally:
        signal.signal(signal.SIGHUP, previous)
