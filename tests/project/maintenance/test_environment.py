"""The installation that `make` starts: what it shows, what it leaves after a failure, and what `make demo` needs.

A shell script takes the place of the Python of the environment. tests/project/integration/test_environment.py uses pip.
"""

from __future__ import annotations

import fcntl
import io
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from maintenance import environment
from maintenance.environment import Counts, Progress, install, is_fresh, main
from maintenance.problem import Problem
from support import ROOT, FakeClock

PIP = """#!/bin/sh
case "$*" in
    *--version*) exit 0 ;;
    *" -e "*) echo "installed this project" >> log; exit 0 ;;
esac
echo "$*" >> log
. ./script
"""

#: Creates an environment, as `python -m venv` does.
VENV = """#!/bin/sh
mkdir -p "$3/bin" "$3/lib/python3/site-packages"
cp pip "$3/bin/python"
echo "created" >> log
"""


class Project:
    """A folder with an environment that is complete, whose pip runs a shell script."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stamp = Path(".venv/.installed")
        self.output = io.StringIO()
        self.write("pip", PIP)
        self.write("venv", VENV)
        self.write("script", "")
        Path("requirements.txt").write_text("one==1 \\\n    --hash=sha256:00\ntwo==2 \\\n    --hash=sha256:00\n")
        Path("pyproject.toml").touch()
        subprocess.run(["./venv", "-m", "venv", ".venv"], check=True)
        Path("log").unlink()

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

    def install(self, script: str = "", *, packages: tuple[str, ...] = ()) -> str:
        """Runs the script as pip, and returns what was printed."""
        self.write("script", script)
        self.output.truncate(0)
        self.output.seek(0)
        locked = None if packages else Path("requirements.txt")
        install(self.stamp, locked=locked, packages=packages, progress=Progress(self.output))
        return self.output.getvalue()

    @property
    def log(self) -> list[str]:
        """What was run, without the options that all runs of pip have."""
        lines = Path("log").read_text().splitlines() if Path("log").exists() else []
        return [re.sub(r".*--progress-bar=off ", "", line) for line in lines]

    @property
    def state(self) -> list[str]:
        """The files that say whether the environment is complete."""
        return sorted(path.name for path in Path(".venv").glob(".install*"))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(environment.sys, "executable", "./venv")
    return Project(tmp_path)


def test_an_installation_ends_with_the_stamp(project: Project) -> None:
    printed = project.install()
    assert project.log == ["--require-hashes -r requirements.txt", "installed this project"]
    assert project.state == [".installed"]
    assert printed.startswith("Installing requirements.txt into .venv, which usually takes 10 seconds ...\n")
    assert re.fullmatch(r"Installed in \d+ seconds\.", printed.splitlines()[-1])


def test_packages_are_installed_without_this_project(project: Project) -> None:
    assert "Installing ray==1 into .venv, which usually takes minutes ...\n" in project.install(packages=("ray==1",))
    assert project.log == ["ray==1"]


def test_only_the_new_stamp_says_that_all_is_installed(project: Project) -> None:
    for name in (".installed", ".installed-demo", ".installed-1.0"):
        Path(".venv", name).touch()
    project.install("ls -a .venv > during")
    assert not [name for name in Path("during").read_text().split() if name.startswith(".installed")]
    assert project.state == [".installed"]


def test_without_an_environment_one_is_created(project: Project) -> None:
    shutil.rmtree(".venv")
    assert project.install().startswith("Creating .venv with Python 3.")
    assert project.log[0] == "created"


def test_an_environment_without_pip_is_created_again(project: Project) -> None:
    Path(".venv/bin/python").unlink()
    Path(".venv/bin/python").symlink_to("/nowhere/python3")
    Path(".venv/old").touch()
    project.install()
    assert project.log[0] == "created"
    assert not Path(".venv/old").exists()


def test_a_moved_environment_is_created_again(project: Project) -> None:
    project.install()
    assert project.stamp.read_text() == f"{project.folder}\n"
    project.stamp.write_text("/old/place\n")
    printed = project.install()
    assert printed.startswith(".venv was installed in /old/place, and works only there.\nCreating .venv with ")
    assert "created" in project.log


def test_an_installation_that_failed_before_any_change_keeps_the_environment(project: Project) -> None:
    project.install()
    with pytest.raises(Problem, match=r"^pip could not install into \.venv, see above\. The next make tries again\."):
        project.install("exit 1")
    assert project.state == []
    project.install()
    assert "created" not in project.log


HALF = "touch .venv/lib/python3/site-packages/half; "


def test_an_installation_that_failed_in_the_middle_starts_again(project: Project) -> None:
    with pytest.raises(Problem):
        project.install(HALF + "exit 1")
    assert project.state == [".installing"]
    assert project.install().startswith("The last installation into .venv did not end, so it starts again.\nCreating")
    assert not Path(".venv/lib/python3/site-packages/half").exists()
    assert project.state == [".installed"]


def test_the_errors_of_pip_are_shown(project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Problem):
        project.install("echo 'ERROR: no such package' >&2; exit 1")
    assert capfd.readouterr().err == "ERROR: no such package\n"


def test_a_warning_is_shown_once(project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    kinds = ("WARNING: Location '$name' is ignored", "WARNING: Retrying ($number left)", "ERROR: not $number")
    echoes = "; ".join(f'echo "{kind}" >&2' for kind in kinds)
    project.install(f"for name in a b; do for number in 1 2; do {echoes}; done; done")
    assert capfd.readouterr().err.splitlines() == [
        "WARNING: Location 'a' is ignored",
        "WARNING: Retrying (1 left)",
        "ERROR: not 1",
        "ERROR: not 2",
        "ERROR: not 1",
        "ERROR: not 2",
    ]


@contextmanager
def running(words: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Runs the command in the folder of the project. Ends it with everything that it started."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "maintenance.environment", *words]
    with subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


WORDS = [".venv/.installed", "--locked", "requirements.txt"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_installation_ends_pip_and_is_not_complete(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = Project(tmp_path)
    os.mkfifo("fifo")
    project.write("script", HALF + "echo $$ > fifo; exec sleep 60")
    with running(WORDS) as process:
        pip = int(Path("fifo").read_text())
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        with pytest.raises(ProcessLookupError):
            os.kill(pip, 0)
    assert process.returncode == 128 + number
    assert errors == "Interrupted. The next make installs what is missing.\n"
    assert project.state == [".installing"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_pip_starts_ends_it(
    number: signal.Signals, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, started = subprocess.Popen, list[subprocess.Popen[str]]()

    def start_interrupted(command: list[str], **options: Any) -> subprocess.Popen[str]:
        process = start(command, **options)
        if "install" in command:
            started.append(process)
            signal.raise_signal(number)
        return process

    monkeypatch.setattr(subprocess, "Popen", start_interrupted)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            project.install("exec sleep 60")
        [pip] = started
        assert pip.poll() == -signal.SIGTERM
    finally:
        signal.signal(signal.SIGTERM, before)
        for process in started:
            process.kill()
            process.wait()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


def test_an_installation_whose_output_is_not_read_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    project = Project(tmp_path)
    with running(WORDS) as process:
        assert process.stdout
        process.stdout.close()
        assert process.stderr
        errors = process.stderr.read()
        assert process.wait(timeout=60) == 1
    assert errors == "Nothing reads the output, so the installation ends. The next make installs the rest.\n"
    assert project.state == []


def test_only_one_process_installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    project = Project(tmp_path)
    folder = os.open(".", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with running(WORDS) as process:
        assert process.stdout
        line = process.stdout.readline()
        project.stamp.touch()
        os.close(folder)
        rest, errors = process.communicate(timeout=60)
    assert line == "Waiting for another make, which installs packages here ...\n"
    assert (process.returncode, rest, errors, project.log) == (0, "", "", [])


def test_a_stamp_is_fresh_if_no_file_is_newer(tmp_path: Path) -> None:
    stamp, needed = tmp_path / "stamp", tmp_path / "needed"
    needed.touch()
    assert not is_fresh(stamp, [needed])
    stamp.touch()
    assert is_fresh(stamp, [needed])
    os.utime(needed, ns=(0, stamp.stat().st_mtime_ns + 1))
    assert not is_fresh(stamp, [needed])


def test_a_folder_that_cannot_be_written_is_one_line(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").touch()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        assert main(["file/.installed", "--locked", "requirements.txt"]) == 1
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert capsys.readouterr() == ("", "Nothing can be installed into file: [Errno 17] File exists: 'file'\n")


OUTPUT = """\
Looking in links: /packages
Ignoring colorama: markers 'sys_platform == "win32"' don't match your environment
Collecting One-Two==1.0 (from -r requirements.txt (line 1))
  Downloading one_two-1.0-py3-none-any.whl (1.2 MB)
Requirement already satisfied: three==2 in ./.venv/lib (from -r requirements.txt (line 4)) (2)
Requirement already satisfied: three>=1 in ./.venv/lib (from one-two==1.0->-r requirements.txt (line 1)) (2)
  Using cached four-1.0-py3-none-any.whl (3 kB)
Installing collected packages: one-two, four
"""


def test_the_counts_are_those_of_pip(tmp_path: Path) -> None:
    counts = Counts(tmp_path, total=4)
    shown = []
    for line in OUTPUT.splitlines():
        counts.read(line)
        shown.append(str(counts))
    assert shown == [
        "searching packages",
        "searching packages",
        "1 of 3 packages found",
        "1 of 3 packages found, Downloading one_two-1.0-py3-none-any.whl (1.2 MB)",
        "2 of 3 packages found",
        "2 of 3 packages found",
        "2 of 3 packages found",
        "0 of 2 packages installed",
    ]
    for number, name in enumerate(("four", "one_two"), start=1):
        record = tmp_path / f"lib/python3/site-packages/{name}-1.0.dist-info/RECORD"
        record.parent.mkdir(parents=True)
        assert str(counts).startswith(f"{number - 1} of 2")
        record.touch()
    assert str(counts) == "2 of 2 packages installed, pip checks them"


def test_a_log_has_a_line_every_ten_seconds_without_control_characters() -> None:
    clock, output = FakeClock(), io.StringIO()
    progress = Progress(output, clock.monotonic)
    for number in range(25):
        progress.show(f"{number} of 25")
        clock.sleep(1)
    progress.clear()
    assert output.getvalue() == "  10 s: 10 of 25\n  20 s: 20 of 25\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("variable", "value"), [("CI", "true"), ("TERM", "dumb")])
def test_a_terminal_of_ci_or_without_control_characters_is_a_log(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    output = Terminal()
    Progress(output).show("1 of 2")
    assert output.getvalue() == ""


def test_a_terminal_has_one_line_that_is_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "20")
    clock, output = FakeClock(), Terminal()
    progress = Progress(output, clock.monotonic)
    progress.show("a text that is too long for the line")
    progress.show("1 of 2")
    progress.say("Installed.")
    wide, narrow = "  0 s: a text that i", "  0 s: 1 of 2"
    wide = wide[:19]
    erase = [f"\r{' ' * len(text)}\r" for text in (wide, narrow)]
    assert output.getvalue() == f"{wide}{erase[0]}{narrow}{erase[1]}Installed.\n"


def read_pins(name: str) -> dict[str, list[str]]:
    """Returns the pinned packages of a file, each with its hashes."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    return {entry.partition(" ")[0]: re.findall(r"--hash=(\S+)", entry) for entry in entries}


def test_the_demo_installs_a_part_of_what_everything_installs() -> None:
    demo, everything = read_pins("demo.txt"), read_pins("dev.txt")
    assert {name: everything.get(name) for name in demo} == demo
    assert len(demo) < len(everything) / 4


@pytest.mark.parametrize(
    ("targets", "stamps", "expected"),
    [
        (["demo"], [], ".venv/.installed-demo --locked requirements/demo.txt"),
        (["demo"], [".installed-demo"], None),
        (["demo"], [".installed"], None),
        ([], [".installed-demo"], ".venv/.installed --locked requirements/dev.txt"),
        (["demo", "test"], [".installed-demo"], ".venv/.installed --locked requirements/dev.txt"),
    ],
)
def test_make_installs_only_what_the_demo_needs_if_nothing_else_is_made(
    targets: list[str], stamps: list[str], expected: str | None, tmp_path: Path
) -> None:
    write_project(tmp_path, stamps)
    done = make(tmp_path, "-n", *targets)
    assert done.returncode == 0, done.stderr
    found = re.findall(r"-m maintenance\.environment (.*)", done.stdout)
    assert found == ([expected] if expected else [])


@pytest.mark.parametrize("target", ["demo", "generate"])
def test_make_installs_again_in_a_moved_folder(target: str, tmp_path: Path) -> None:
    folder = tmp_path / "a  folder"
    write_project(folder, [".installed"])
    stamp = folder / ".venv/.installed"
    stamp.write_text(f"{folder}\n")
    assert "maintenance.environment" not in make(folder, "-n", target).stdout
    moved = folder.rename(tmp_path / "moved")
    done = make(moved, "-n", target)
    assert "-m maintenance.environment .venv/.installed --locked requirements/dev.txt\n" in done.stdout


@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_name_of_python_is_as_none(value: str, tmp_path: Path) -> None:
    write_project(tmp_path, [])
    assert "\npython3 -m maintenance.environment " in make(tmp_path, "-n", "demo", f"PYTHON={value}").stdout


def test_a_python_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    write_project(tmp_path, [])
    done = make(tmp_path, "demo", "PYTHON=python3.0")
    assert done.stderr.splitlines()[0] == (
        "python3.0 is not installed, or not in PATH. Python 3.11 or newer is required: run make PYTHON=python3.x"
    )
    assert done.returncode == 2


def write_project(folder: Path, stamps: list[str]) -> None:
    """Writes the Makefile and the files that its rules for the environment depend on, with empty stamps."""
    for name in ("requirements/dev.txt", "requirements/demo.txt", "pyproject.toml", *(f".venv/{s}" for s in stamps)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    shutil.copy(ROOT / "Makefile", folder)


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if not re.match("MAKE|MFLAGS|PYTHON$", name)}
    return subprocess.run(
        ["make", *words], cwd=folder, env=variables, capture_output=True, text=True, timeout=60, check=False
    )
