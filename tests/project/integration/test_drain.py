"""`azure-imds drain` as a process: its signals, its restarts, and its unit in systemd."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from azure_imds._cli.systemd_unit import quote
from azure_imds_emulator import Emulator
from cli_support import COMMAND, build_environment, kill_at_the_end, run
from docs_support import DOCS, find_blocks
from emulator_support import wait_until

pytestmark = pytest.mark.integration


@contextmanager
def drain(emulator: Emulator, *options: str) -> Iterator[subprocess.Popen[str]]:
    with (
        subprocess.Popen(
            [COMMAND, "drain", *options],
            stderr=subprocess.PIPE,
            text=True,
            env=build_environment(**emulator.environment),
        ) as process,
        kill_at_the_end(process),
    ):
        yield process


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


def is_alive(pid: int) -> bool:
    """Whether a process runs. One that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGHUP, 0)], ids=lambda value: str(value)
)
def test_a_signal_ends_the_command_and_all_of_its_processes(
    number: signal.Signals, status: int, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.schedule("Preempt", notice=600)
    out = tmp_path / "out"
    with drain(emulator, "--grace", "1", "--exec", f"trap '' TERM; sleep 600 & echo $! > {out}; wait") as process:
        wait_until(lambda: out.exists() and out.read_text().endswith("\n"))
        process.send_signal(number)
        _, log = process.communicate(timeout=30)
    assert process.returncode == status, log
    assert "azure-imds ends, so the command is ended" in log
    assert "Traceback" not in log
    wait_until(lambda: not is_alive(int(out.read_text())))


def test_a_signal_before_any_event_ends_it_at_once(emulator: Emulator) -> None:
    with drain(emulator, "--exec", ":") as process:
        assert process.stderr
        assert "watching" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_with_nohup_it_survives_the_end_of_the_terminal(emulator: Emulator, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with (
        subprocess.Popen(
            ["nohup", COMMAND, "drain", "--once", "--exec", f"touch {out}"],
            stderr=subprocess.PIPE,
            text=True,
            env=build_environment(**emulator.environment),
        ) as process,
        kill_at_the_end(process),
    ):
        assert process.stderr
        while "watching" not in process.stderr.readline():
            continue
        process.send_signal(signal.SIGHUP)
        emulator.schedule("Preempt", notice=600)
        assert process.wait(30) == 0
    assert out.exists()


def test_a_closed_stderr_does_not_keep_the_command_from_its_end(emulator: Emulator, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with drain(emulator, "--once", "--approve", "--exec", f"echo text; echo more; touch {out}") as process:
        assert process.stderr
        assert "watching" in process.stderr.readline()
        process.stderr.close()
        event = emulator.schedule("Preempt", notice=600)
        wait_until(out.exists)
        wait_until(lambda: emulator.events.events[0].status == "Started")
        process.wait(30)
    assert event.event_id == emulator.events.events[0].event_id


def test_after_sigkill_the_command_runs_again_and_never_after_its_end(emulator: Emulator, tmp_path: Path) -> None:
    emulator.schedule("Preempt", notice=600)
    out, state = tmp_path / "out", tmp_path / "state.json"
    command = f'echo "$AZURE_IMDS_EVENT_START $$" >> {out}; [ $AZURE_IMDS_EVENT_START = 2 ] || sleep 600'
    options = ("--approve", "--state", str(state), "--exec", command)
    with drain(emulator, *options) as process:
        wait_until(lambda: out.exists() and out.read_text().endswith("\n"))
        process.kill()
        process.wait(30)
    os.killpg(int(out.read_text().split()[1]), signal.SIGKILL)
    with drain(emulator, *options) as process:
        wait_until(lambda: emulator.events.events[0].status == "Started")
        process.terminate()
        assert process.wait(30) == 0
    with drain(emulator, *options) as process:
        polls = len(emulator.requests)
        wait_until(lambda: len(emulator.requests) > polls + 3)
        process.terminate()
        assert process.wait(30) == 0
    assert [line.split()[0] for line in out.read_text().splitlines()] == ["1", "2"]
    assert sum(request.method == "POST" for request in emulator.requests) == 1


def test_a_second_process_with_the_same_state_is_refused(emulator: Emulator, tmp_path: Path) -> None:
    options = ("--state", str(tmp_path / "state.json"), "--exec", ":")
    with drain(emulator, *options) as process:
        assert process.stderr
        assert "watching" in process.stderr.readline()
        done = run("drain", *options, **emulator.environment)
    assert done.status == 2
    assert "is used by another azure-imds drain" in done.err


def test_an_emulated_eviction_runs_the_command_and_is_approved(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["emulator", "--scenario", "spot-eviction", "--speed", "3", "--", COMMAND, "drain", "--once", "--approve"]
    done = run(*words, "--exec", f'echo "$AZURE_IMDS_EVENT_TYPE in $AZURE_IMDS_EVENT_SECONDS s" > {out}')
    assert done.status == 0, done.err
    assert "approved" in done.err
    kind, _, seconds, _ = out.read_text().split()
    assert kind == "Preempt"
    assert 0 <= int(seconds) <= 5


# systemd

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and not os.environ.get("REQUIRE_INTEGRATION"),
    reason="needs systemd-analyze",
)


def analyze(*words: str | Path) -> str:
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def write_unit(folder: Path, *options: str) -> Path:
    unit = folder / "azure-imds-drain.service"
    done = run("drain", "--print-unit", *options)
    assert done.status == 0, done.err
    unit.write_text(done.out)
    return unit


@needs_systemd
@pytest.mark.parametrize(
    "options",
    [
        ("--exec", "systemctl stop app"),
        ("--exec", "printf '%s\\n' \"$AZURE_IMDS_EVENT_TYPE\" 100% | logger; # it's {done}", "--approve", "--once"),
        ("--exec", ":", "--state", "/srv/my app/100%.json", "--endpoint", "http://127.0.0.1:8169"),
        ("--exec", ":", "--endpoint", "http://imds.example:8169", "--verbose", "--deadline", "20"),
    ],
    ids=["plain", "quotes", "paths", "name"],
)
def test_systemd_accepts_the_unit(options: tuple[str, ...], tmp_path: Path) -> None:
    analyze("verify", "--man=no", write_unit(tmp_path, *options))


@needs_systemd
def test_systemd_rates_the_unit_as_hardened(tmp_path: Path) -> None:
    unit = write_unit(tmp_path, "--exec", "systemctl stop app")
    rated = analyze("security", "--offline=true", "--no-pager", "--threshold=30", unit)
    assert "OK" in rated.splitlines()[-1]


@needs_systemd
def test_systemd_accepts_the_additions_that_the_pages_show(tmp_path: Path) -> None:
    blocks = [block for page in sorted(DOCS.rglob("*.md")) for block in find_blocks(page, "ini")]
    assert blocks
    for number, block in enumerate(blocks):
        folder = tmp_path / str(number)
        (folder / "azure-imds-drain.service.d").mkdir(parents=True)
        unit = write_unit(folder, "--exec", ":")
        (folder / "azure-imds-drain.service.d" / "override.conf").write_text(block.text)
        analyze("verify", "--man=no", unit)


@needs_systemd
@pytest.mark.parametrize("argument", ["a b", "100% of $HOME", "say \"x\" 'y'\\n", "line\nline\ttab", "%% \\\\", "süß;"])
def test_systemd_reads_an_argument_as_it_was(argument: str) -> None:
    """The manager of a user prints the command line of a unit that it has loaded, and starts nothing."""
    folder = Path(tempfile.mkdtemp())
    try:
        (folder / "quoted.service").write_text(f"[Service]\nExecStart=/bin/echo {quote(argument)} end\n")
        folder.chmod(0o777)
        done = subprocess.run(
            ["/lib/systemd/systemd", "--test", "--user", "--no-pager", "--unit=quoted.service"],
            capture_output=True,
            timeout=60,
            text=True,
            user="nobody" if os.geteuid() == 0 else None,
            cwd=folder,
            env={"XDG_RUNTIME_DIR": str(folder), "HOME": str(folder), "SYSTEMD_UNIT_PATH": f"{folder}:"},
        )
    finally:
        shutil.rmtree(folder)
    shown = re.search(r"Command Line: /bin/echo (.*) end$", done.stdout, re.MULTILINE)
    assert shown, done.stdout[-2000:] + done.stderr[-2000:]
    word = re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), shown[1].strip('"'))
    assert word.replace("$$", "$") == argument  # it replaces variables later, when it starts the command
