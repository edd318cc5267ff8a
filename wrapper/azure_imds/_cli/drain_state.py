"""The events that `drain` has handled: in memory, and in a file that survives a restart."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, get_args

import attrs
import typer

from .._log import log
from .._tokens.private_files import open_private, try_lock, write_private

#: Every file starts with these bytes, so that another program's file is never replaced.
_HEAD = b'{"azure-imds drain": 1,'
#: Bytes of the largest file.
_LARGEST = 1 << 20
#: How many events are remembered. An event that is gone stays in the file, in case IMDS returns it.
MAX_EVENTS = 1000

#: `running`: the command was started, and nothing is known about its end. `succeeded`: it has ended with status 0, but
#: the event is not approved. `done`: nothing is left to do, because the event is approved or will not be approved.
Progress = Literal["running", "succeeded", "done"]


@attrs.define
class Handled:
    """What was done for one event.

    Attributes:
        progress: how far it is.
        starts: how often the command was started.
        status: the exit status of the command; None if it has not ended by itself.
    """

    progress: Progress = "running"
    starts: int = 0
    status: int | None = None


class DrainState:
    """What was done for each event. A context manager: with a file, only one process at a time can use it.

    Each change is written before the next step, by replacing the file. If that fails, it is logged, and the event is
    handled all the same.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._events: dict[str, Handled] = {}
        self._lock = threading.Lock()
        self._files = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Reads and locks the file.

        Raises:
            BadParameter: the file cannot be used, and why.
        """
        if self._path is not None:
            with contextlib.ExitStack() as files:
                try:
                    self._path = self._path.resolve()
                    self._open(self._path, files)
                except (OSError, RuntimeError) as error:  # the latter: a loop of links, up to Python 3.12
                    problem = getattr(error, "strerror", None) or error
                    raise _refuse(self._path, f"cannot be used: {problem}") from None
                self._files = files.pop_all()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._files.close()

    def get(self, event_id: str) -> Handled | None:
        """What was done for an event. None if nothing was."""
        with self._lock:
            found = self._events.get(event_id)
            return None if found is None else attrs.evolve(found)

    def set(self, event_id: str, handled: Handled) -> None:
        """Stores what was done for an event."""
        with self._lock:
            self._events.pop(event_id, None)
            self._events[event_id] = handled
            while len(self._events) > MAX_EVENTS:
                del self._events[next(iter(self._events))]
            if self._path is not None:
                try:
                    self._write(self._path)
                except OSError as error:
                    log.error(
                        "--state %s: cannot be written: %s. After a restart, the command can run again for event %s.",
                        self._path,
                        error.strerror or error,
                        event_id,
                    )

    def _open(self, path: Path, files: contextlib.ExitStack) -> None:
        lock = files.enter_context(open_private(f"{path}.lock", os.O_RDWR | os.O_CREAT))  # never removed
        if not try_lock(lock.fileno()):
            raise _refuse(path, "is used by another azure-imds drain. Give each its own file")
        if path.exists() and not path.is_file():
            raise _refuse(path, "is not a file")
        content = b""
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
            found = os.fstat(file.fileno())
            if found.st_uid != os.geteuid() or found.st_mode & 0o022:  # they could prevent that the command runs
                raise _refuse(path, "can be changed by other users. Choose another path, or delete the file")
            content = file.read(_LARGEST)
        if content.strip(b"\0\n"):  # after a power failure, a file can be empty or full of zeros
            if not content.startswith(_HEAD):
                raise _refuse(path, "is not a file of azure-imds drain. Choose another path, or delete the file")
            self._read(path, content)
        self._write(path)

    def _read(self, path: Path, content: bytes) -> None:
        try:
            self._events = {event_id: _to_handled(value) for event_id, value in json.loads(content)["events"].items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            kept = path.with_name(f"{path.name}.damaged")
            os.replace(path, kept)
            log.error(
                "--state %s: is damaged, and was renamed to %s. The command can run again for an event that was "
                "handled before.",
                path,
                kept,
            )

    def _write(self, path: Path) -> None:
        events = {event_id: attrs.asdict(handled) for event_id, handled in self._events.items()}
        content = _HEAD + b' "events": ' + json.dumps(events).encode() + b"}\n"
        write_private(str(path), content, durable=True)


def _to_handled(value: Any) -> Handled:
    handled = Handled(**value)
    starts_ok = isinstance(handled.starts, int)
    status_ok = handled.status is None or isinstance(handled.status, int)
    if handled.progress not in get_args(Progress) or not starts_ok or not status_ok:
        raise ValueError("not a known value")
    return handled


def _refuse(path: Path, problem: str) -> typer.BadParameter:
    return typer.BadParameter(f"{path} {problem}.", param_hint="'--state'")
