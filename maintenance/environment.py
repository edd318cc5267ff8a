"""Installs packages into a virtual environment, and shows the progress. The Makefile runs it.

It runs before anything is installed, so it imports the standard library only.

A file in the environment, the stamp, says that everything is installed, and in which folder. In an installation, the
file `.installing` takes its place. If that file is there at the start, the last installation did not end. Then
everything is installed again, because pip does not notice that a package was copied in part.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NoReturn

from .problem import Problem

#: Seconds between two lines of progress, if the output is not a terminal.
INTERVAL = 10

#: Seconds that a package needs on a machine with two cores and a fast connection.
SECONDS_PER_PACKAGE = 0.3


class Progress:
    """How much is done: on a terminal one line that is rewritten, otherwise a new line from time to time."""

    def __init__(self, output: IO[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._clock = clock
        self._terminal = output.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")
        self._start = self._last = clock()
        self._width = 0
        self._lock = threading.Lock()

    @property
    def seconds(self) -> int:
        """Seconds since the start."""
        return int(self._clock() - self._start)

    def say(self, text: str, output: IO[str] | None = None) -> None:
        """Prints a line that stays, by default to the output of the progress."""
        with self._lock:
            self._clear()
            print(text, file=output or self._output, flush=True)
            self._last = self._clock()

    def show(self, text: str) -> None:
        """Shows a state that will change."""
        text = f"  {self.seconds} s: {text}"
        if self._terminal:
            with self._lock:
                self._clear()
                text = text[: shutil.get_terminal_size().columns - 1]  # a line that wraps cannot be rewritten
                print(text, end="", file=self._output, flush=True)
                self._width = len(text)
        elif self._clock() - self._last >= INTERVAL:
            self.say(text)

    def clear(self) -> None:
        """Removes the line that is rewritten."""
        with self._lock:
            self._clear()

    def _clear(self) -> None:
        if self._width:
            print(f"\r{'':<{self._width}}\r", end="", file=self._output, flush=True)
            self._width = 0


class Counts:
    """How many packages are downloaded and installed, from what pip prints and writes."""

    def __init__(self, environment: Path, total: int = 0, start: str = "searching packages") -> None:
        self._environment = environment
        self._total = total
        self._start = start
        self._names: set[str] = set()
        self._download = ""
        self._to_install = 0
        self._before: set[tuple[Path, int]] = set()

    def read(self, line: str) -> None:
        """Reads a line that pip printed. A text that is not known, as from another pip, changes nothing."""
        if line.startswith("Ignoring "):
            self._total -= 1  # a package for other platforms
        elif match := re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)", line):
            self._names.add(match[1].lower())
            self._download = ""
        elif line.lstrip().startswith("Downloading "):
            self._download = f", {line.strip()}"
        elif line.startswith("Installing collected packages: "):
            self._to_install = line.count(",") + 1
            self._before = self._find_installed()

    def __str__(self) -> str:
        if self._to_install:
            installed = len(self._find_installed() - self._before)
            checked = ", pip checks them" if installed == self._to_install else ""
            return f"{installed} of {self._to_install} packages installed{checked}"
        if not self._names:
            return self._start
        of = f" of {self._total}" if self._total > 0 else ""
        return f"{len(self._names)}{of} packages found{self._download}"

    def _find_installed(self) -> set[tuple[Path, int]]:
        # The last file of a package that pip writes, with its time, because an update writes it again.
        found = set()
        for record in self._environment.glob("lib/*/site-packages/*.dist-info/RECORD"):
            with suppress(FileNotFoundError):  # pip removes it just now
                found.add((record, record.stat().st_mtime_ns))
        return found


class Complaints:
    """The warnings and errors of pip. Warnings that differ only in a name or a number are shown once."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._shown = set[str]()

    def read(self, line: str) -> None:
        """Reads a line that pip printed to stderr."""
        kind = re.sub(r"'[^']*'|[0-9]+", "", line)
        if kind in self._shown and line.startswith("WARNING: "):
            return
        self._shown.add(kind)
        self._say(line)


def install(stamp: Path, *, locked: Path | None, packages: Sequence[str], progress: Progress) -> None:
    """Installs packages into the environment that contains the stamp, and creates the stamp.

    Args:
        stamp: the file that says that everything is installed.
        locked: a file with pinned requirements and their hashes. If it is given, this project is installed as well.
        packages: requirements without hashes.
        progress: where to show the progress.

    Raises:
        Problem: the installation failed.
        OSError: a file could not be written.
    """
    environment = stamp.parent
    started = environment / ".installing"
    interrupted = started.exists()
    environment.mkdir(parents=True, exist_ok=True)
    started.touch()
    places = set[str]()
    for old in environment.glob(".installed*"):
        places.add(old.read_text(encoding="utf-8", errors="surrogateescape").rstrip("\n"))
        old.unlink()
    moved = places - {"", os.getcwd()}
    for place in moved:
        progress.say(f"{environment} was installed in {place}, and works only there.")
    if interrupted:
        progress.say(f"The last installation into {environment} did not end, so it starts again.")
    if interrupted or moved or not _has_pip(environment):
        progress.say(f"Creating {environment} with Python {platform.python_version()} ...")
        for path in environment.iterdir():
            if path != started:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        if subprocess.run([sys.executable, "-m", "venv", environment]).returncode:
            raise Problem(f"{environment} could not be created with {sys.executable}, see above")
    before = _read_state(environment)
    try:
        if locked:
            count = len(re.findall(r"^[\w.-]+==", locked.read_text(encoding="utf-8"), re.MULTILINE))
            seconds = round(count * SECONDS_PER_PACKAGE, -1) or 10
            progress.say(f"Installing {locked} into {environment}, which usually takes {seconds:.0f} seconds ...")
            _run_pip(environment, ["--require-hashes", "-r", str(locked)], progress, Counts(environment, count))
            counts = Counts(environment, start="installing this project")
            _run_pip(environment, ["--no-deps", "--no-build-isolation", "-e", "."], progress, counts)
        else:
            progress.say(f"Installing {' '.join(packages)} into {environment}, which usually takes minutes ...")
            _run_pip(environment, packages, progress, Counts(environment))
    except BaseException:
        if _read_state(environment) == before:
            started.unlink()  # pip ended before it changed anything, for example while it downloaded
        raise
    started.write_text(f"{os.getcwd()}\n", encoding="utf-8", errors="surrogateescape")
    started.rename(stamp)
    progress.say(f"Installed in {progress.seconds} seconds.")


def _read_state(environment: Path) -> dict[Path, int]:
    """Returns what changes when a package is installed or removed."""
    return {folder: folder.stat().st_mtime_ns for folder in environment.glob("lib/*/site-packages")}


def _has_pip(environment: Path) -> bool:
    try:
        done = subprocess.run([environment / "bin" / "python", "-m", "pip", "--version"], capture_output=True)
    except OSError:
        return False
    return done.returncode == 0


def _run_pip(environment: Path, arguments: Sequence[str], progress: Progress, counts: Counts) -> None:
    """Runs `pip install`, and shows its progress and its errors.

    Raises:
        Problem: pip failed.
    """
    options = ["--disable-pip-version-check", "--no-input", "--no-color", "--progress-bar=off"]
    # These signals wait until the `try` below, which ends pip. Otherwise pip would stay if one arrives while it starts.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        process = subprocess.Popen(
            [environment / "bin" / "python", "-m", "pip", "install", *options, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            close_fds=False,  # pip inherits the lock: if this process is killed, the next one waits until pip has ended
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, mask),
        )
    except BaseException:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        raise
    complaints = Complaints(lambda line: progress.say(line, sys.stderr))
    actions = {process.stdout: counts.read, process.stderr: complaints.read}

    def read(stream: IO[str], action: Callable[[str], None]) -> None:
        with stream:
            for line in stream:
                action(line.rstrip())

    readers = [threading.Thread(target=read, args=item, daemon=True) for item in actions.items()]
    for reader in readers:
        reader.start()
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        while process.poll() is None:
            progress.show(str(counts))
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.2)
    finally:
        process.terminate()
        process.wait()
        for reader in readers:
            reader.join(timeout=5)
        progress.clear()
    if process.returncode:
        raise Problem(
            f"pip could not install into {environment}, see above. The next make tries again. "
            "If this machine cannot reach the package index, set PIP_INDEX_URL to another one"
        )


@contextmanager
def lock_folder(progress: Progress) -> Iterator[bool]:
    """Lets only one process install from this folder at a time. Yields whether another one did before."""
    folder = os.open(".", os.O_RDONLY)
    os.set_inheritable(folder, True)
    waited = False
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("Waiting for another make, which installs packages here ...")
            fcntl.flock(folder, fcntl.LOCK_EX)
            waited = True
        except OSError:
            pass  # a file system without locks
        yield waited
    finally:
        os.close(folder)


def is_fresh(stamp: Path, needed: Sequence[Path]) -> bool:
    """Whether the stamp is there and as new as all files that it depends on."""
    return stamp.exists() and all(file.stat().st_mtime_ns <= stamp.stat().st_mtime_ns for file in needed)


def _interrupt(number: int, _: object) -> NoReturn:
    # An exception, unlike the default action of the signal, lets pip be ended.
    raise KeyboardInterrupt(number)


def main(words: Sequence[str] | None = None) -> int:
    """Installs what the command line names. Returns the exit code."""
    summary = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m maintenance.environment", description=summary)
    parser.add_argument("stamp", type=Path, help="the file in the environment that says that everything is installed")
    parser.add_argument("--locked", type=Path, help="pinned requirements with hashes, to install with this project")
    parser.add_argument("packages", nargs="*", help="other packages to install, such as ray==2.60.0")
    arguments = parser.parse_args(words)
    signal.signal(signal.SIGTERM, _interrupt)
    progress = Progress(sys.stdout)
    needed = [arguments.locked, Path("pyproject.toml")] if arguments.locked else []
    try:
        with lock_folder(progress) as waited:
            if not (waited and is_fresh(arguments.stamp, needed)):
                install(arguments.stamp, locked=arguments.locked, packages=arguments.packages, progress=progress)
    except Problem as problem:
        print(f"{problem}.", file=sys.stderr)
        return 1
    except BrokenPipeError:
        print("Nothing reads the output, so the installation ends. The next make installs the rest.", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"Nothing can be installed into {arguments.stamp.parent}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interruption:
        print("Interrupted. The next make installs what is missing.", file=sys.stderr)
        return 128 + int(interruption.args[0] if interruption.args else signal.SIGINT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
