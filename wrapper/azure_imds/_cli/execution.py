"""`azure-imds exec`: runs a command with a token, in a variable or in a file that is kept up to date."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NoReturn

from .._client.validation import invalid
from .._clock import SYSTEM, Clock
from .._log import log
from .._tokens.private_files import open_private, write_private
from ..errors import ImdsError
from .child import wait_for_status
from .exits import Exit
from .resources import resolve_resource
from .session import Session, print_error

if TYPE_CHECKING:
    from .._tokens.access_token import AccessToken

#: Seconds between two attempts to replace a token that is due, and the longest time between two looks at it.
_PAUSE = 30.0
_LONGEST_PAUSE = 3600.0
#: Seconds before expiry at which a token is replaced if no other time is known.
_EARLY = 300.0

#: Signals that are passed on to the command. It gets those of the keyboard from the terminal itself.
_FORWARDED = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
_KEYBOARD = ("SIGINT", "SIGQUIT")


#: The variable with the token, unless another place is named.
_VARIABLE = "AZURE_ACCESS_TOKEN"


def execute(
    session: Session,
    command: Sequence[str],
    resource: str | None,
    cloud: str | None,
    selector: Mapping[str, Any],
    variable: str | None,
    path: str | None,
) -> int:
    """Runs a command with a token, and returns its exit status. Everything is checked before a token is requested.

    Args:
        session: the settings.
        command: the program and its arguments.
        resource: what the token is for, or its name.
        cloud: the cloud in which the name is looked up. None: that of the machine.
        selector: the identity, as arguments of the credential.
        variable: the variable of the command with the token.
        path: the file with the token. Without both, the token is in a variable.

    Raises:
        ImdsError: an argument is wrong, or there is no token.
    """
    from .._tokens.credential import ImdsCredential

    if not command or not command[0]:
        raise invalid("command", "is required, for example -- env")
    if resource is None:
        raise invalid("resource", "is required, for example https://management.azure.com/")
    if variable is not None:
        check_variable(variable)
    file = None if path is None else TokenFile(path)
    settings = session.settings
    with ImdsCredential(endpoint=settings.endpoint, deadline=settings.deadline, **selector) as credential:
        program = shutil.which(command[0])
        if program is None:
            return report_missing_program(command[0])
        with session.open_client() as imds:
            uri = resolve_resource(resource, cloud, imds)
        with session.show_waiting("waiting for a token"):
            token = credential.get_token(uri)
        name = variable or ("" if file else _VARIABLE)
        variables = {name: token.token} if name else {}
        try:
            if file is not None:
                return _run_with_file(program, command, variables, file, lambda: credential.get_token(uri))
            if sys.platform != "win32":
                replace_process(program, command, variables)
            with forward_signals() as forward_to:
                return run_child(program, command, variables, forward_to)
        except OSError as error:
            print_error(f"{command[0]} cannot be run: {error.strerror or error}")
            return Exit.NOT_FOUND if isinstance(error, FileNotFoundError) else Exit.NOT_EXECUTABLE


def _run_with_file(
    program: str,
    command: Sequence[str],
    variables: Mapping[str, str],
    file: TokenFile,
    get_token: Callable[[], AccessToken],
) -> int:
    wakeups: SimpleQueue[None] = SimpleQueue()
    # Signals do not end this process any more, so that it always removes the file.
    with forward_signals() as forward_to:
        try:
            try:
                file.write(get_token())
            except OSError as error:
                print_error(f"--token-file {file.path} cannot be written: {error.strerror or error}")
                return Exit.IOERR
            threading.Thread(target=keep_fresh, args=(file, get_token, wakeups, SYSTEM), daemon=True).start()
            return run_child(program, command, variables, forward_to)
        finally:
            wakeups.put(None)
            file.remove()


def report_missing_program(name: str) -> Exit:
    """Writes to stderr why a program cannot be run. Returns the exit status, as in shells."""
    exists = os.path.dirname(name) and os.path.exists(name)
    print_error(f"{name} cannot be run: {'it is not an executable file' if exists else 'there is no such program'}")
    return Exit.NOT_EXECUTABLE if exists else Exit.NOT_FOUND


def check_variable(name: str) -> None:
    """Raises ImdsValidationError if a variable cannot have this name."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name, re.ASCII):
        raise invalid("env", "must be a name of letters, digits and _, for example AZURE_ACCESS_TOKEN")


class TokenFile:
    """A file with a token that only this user can read."""

    def __init__(self, path: str) -> None:
        """Checks the path.

        Raises:
            ImdsValidationError: the file cannot be there.
        """
        self.path = os.path.abspath(path)
        self._lock = threading.Lock()
        self._content: bytes | None = None
        self._removed = False
        problem = _find_problem(self.path) if path else "must not be empty"
        if problem:
            raise invalid("token_file", f"{problem}, for example /run/user/1000/token")

    def write(self, token: AccessToken) -> None:
        """Replaces the token. Readers see the whole old one or the whole new one.

        Raises:
            OSError: the file cannot be written.
        """
        content = token.token.encode()
        with self._lock:
            if not self._removed and content != self._content:
                write_private(self.path, content)
                self._content = content

    def remove(self) -> None:
        """Removes the file, finally."""
        with self._lock:
            self._removed = True
            if self._content is not None:
                with suppress(OSError):
                    os.unlink(self.path)


def _find_problem(path: str) -> str:
    """Why a token cannot be written to a path. "" if it can, or if an earlier run has left its file there."""
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        return f"must be in a folder that exists, not in {folder}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"must be in a folder in which files can be created, not in {folder}"
    if os.path.lexists(path):
        try:
            open_private(path, os.O_RDONLY).close()
        except OSError as error:
            return f"must be a new file, or one that only you can read ({error.strerror or error})"
    return ""


def keep_fresh(file: TokenFile, get_token: Callable[[], AccessToken], wakeups: SimpleQueue[None], clock: Clock) -> None:
    """Replaces the token in a file when it is due, until the queue has an item.

    A failure is logged. The next attempt follows after half a minute.
    """
    pause = 0.0
    while not clock.wait(pause, wakeups):
        pause = _PAUSE
        try:
            token = get_token()
            file.write(token)
            due = token.refresh_on if token.refresh_on is not None else token.expires_on - _EARLY
            pause = min(max(due - clock.time(), _PAUSE), _LONGEST_PAUSE)
        except (ImdsError, OSError) as error:
            log.warning("the token in %s is not replaced: %s", file.path, error)


def replace_process(program: str, command: Sequence[str], variables: Mapping[str, str]) -> NoReturn:
    """Runs a command in the place of this process, so that it gets all signals itself.

    Args:
        program: the file of the program. It was searched in the PATH of this process, not in one of `variables`.
        command: the program and its arguments.
        variables: variables of the command, in addition to those of this process.

    Raises:
        OSError: the command cannot be run.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, and the command would inherit that
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    os.execve(program, list(command), {**os.environ, **variables})


def run_child(
    program: str,
    command: Sequence[str],
    variables: Mapping[str, str],
    forward_to: Callable[[subprocess.Popen[bytes]], None],
) -> int:
    """Runs a command to its end, and returns its exit status.

    Args:
        program, command, variables: see `replace_process`.
        forward_to: see `forward_signals`.

    Returns:
        128 plus the number of a signal that ended the command, as in shells.

    Raises:
        OSError: the command cannot be run.
    """
    process = subprocess.Popen(list(command), executable=program, env={**os.environ, **variables})
    forward_to(process)
    return wait_for_status(process)


@contextmanager
def forward_signals() -> Generator[Callable[[subprocess.Popen[bytes]], None]]:
    """Passes signals on to a process, once there is one. Earlier signals are kept for it."""
    process: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def forward(number: int, frame: object) -> None:
        if process:
            process[0].send_signal(number)
        else:
            early.append(number)

    def forward_to(started: subprocess.Popen[bytes]) -> None:
        process.append(started)
        for number in early:
            started.send_signal(number)

    ignore_keyboard = _is_in_foreground()
    handlers: dict[int, Any] = {}
    for name in (*_FORWARDED, *_KEYBOARD):
        number = getattr(signal, name, None)
        # A signal that is ignored, as by nohup, stays so: the command inherits that.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            quiet = name in _KEYBOARD and ignore_keyboard
            handlers[number] = signal.signal(number, _do_nothing if quiet else forward)
    try:
        yield forward_to
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _do_nothing(number: int, frame: object) -> None:
    """Instead of SIG_IGN, which the command would inherit."""


def _is_in_foreground() -> bool:
    """Whether the terminal sends the signals of its keyboard to this process and the command at the same time."""
    if sys.platform == "win32":
        return True
    with suppress(OSError):
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
        try:
            return os.tcgetpgrp(terminal) == os.getpgrp()
        finally:
            os.close(terminal)
    return False
