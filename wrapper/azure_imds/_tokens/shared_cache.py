"""Tokens shared between the processes of one user on one machine, as files in a folder that only the user can use.

If anything is wrong with the files, the processes continue without them. There is one warning, and never an error.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import weakref
from collections.abc import AsyncGenerator, Callable, Generator
from functools import cache
from io import BufferedReader, FileIO
from typing import Any, Literal

from .._clock import Clock
from .._interruptions import is_interruption, suppress_errors
from .._log import log
from .access_token import AccessToken
from .cache import LONGEST_LIFE, Entry, is_header_safe, parse_number
from .private_files import check_folder, make_folder, open_private, try_lock, unlock, usual_folder, write_private

#: Bytes of the largest file that is read or written. A token has a few thousand.
_LARGEST = 65536
#: Seconds between two attempts to lock a file that another process has locked.
_LOCK_INTERVAL = 0.01
#: The version of the file format. Files of another version are ignored.
_FORM = 2
_TIMES = ("expires_on", "expires", "stored", "stored_monotonic", "life", "due", "fresh_for")
#: Seconds between two searches for expired tokens of other programs.
_CLEANUP_INTERVAL = 1.0
#: A file with a token, or a draft of it, whose name has more parts.
_FILE = re.compile(r"([0-9a-f]{32}-[0-9a-f]{32})\.json(\..+)?")


def _ignore() -> None:
    """What happens during a wait that is not observed."""


class SharedCache:
    """A folder of tokens, with one token file and one lock file for each identity and resource."""

    def __init__(self, folder: str, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._warned = False
        self._next_cleanup = 0.0

    @classmethod
    def open(cls, path: Literal[True] | str | os.PathLike[str], clock: Clock) -> SharedCache | None:
        """Returns the cache at a path, or in the user's usual folder for True. None if it is not a path."""
        try:
            # Absolute, since the process may change its directory. abspath also removes a trailing slash: with one, a
            # symbolic link would be followed.
            folder = usual_folder() if path is True else os.path.abspath(os.fsdecode(path))
        except TypeError:
            return None
        return None if "\0" in folder else cls(folder, clock)

    @staticmethod
    def name(identity: tuple[str, ...], resource: str) -> str:
        """Returns a file name that is unique for an identity and a resource, and reveals neither."""
        return f"{_digest(identity)}-{_digest(resource)}"

    @contextlib.contextmanager
    def wait_for_token(
        self,
        name: str,
        seconds: float,
        *,
        ignore_stored: bool,
        only_fresh: bool,
        on_wait: Callable[[], object] = _ignore,
    ) -> Generator[Entry | None]:
        """Waits until another process has stored the token (yields it), or until we hold the lock (yields None).

        After `seconds`, or if the file system has no locks, it yields None without the lock.

        Args:
            name: the name of the token's files.
            seconds: how long to wait for the process that holds the lock.
            ignore_stored: never yield a stored token, only None.
            only_fresh: yield a stored token only if it is not due for a refresh.
            on_wait: called while another process holds the lock.
        """
        # A stored token needs no lock: the process that holds it may be waiting for an IMDS that does not answer.
        if (found := self._read_unless(ignore_stored, name, only_fresh)) is not None:
            yield found
            return
        with self._lock_file(name) as file:
            until = self._clock.monotonic() + seconds
            while not (seen := self._try(file, until, name, ignore_stored, only_fresh))[0]:
                on_wait()
                self._clock.sleep(_LOCK_INTERVAL)
            yield seen[1]

    @contextlib.asynccontextmanager
    async def await_token(
        self,
        name: str,
        seconds: float,
        *,
        ignore_stored: bool,
        only_fresh: bool,
        on_wait: Callable[[], object] = _ignore,
    ) -> AsyncGenerator[Entry | None]:
        """Does the same as `wait_for_token` without blocking the event loop."""
        # A stored token needs no lock: the process that holds it may be waiting for an IMDS that does not answer.
        if (found := self._read_unless(ignore_stored, name, only_fresh)) is not None:
            yield found
            return
        with self._lock_file(name) as file:
            until = self._clock.monotonic() + seconds
            while not (seen := self._try(file, until, name, ignore_stored, only_fresh))[0]:
                on_wait()
                await self._clock.asleep(_LOCK_INTERVAL)
            yield seen[1]

    def _try(
        self, file: FileIO | None, until: float, name: str, ignore_stored: bool, only_fresh: bool
    ) -> tuple[bool, Entry | None]:
        """Tries once to lock the file and to read the token. Returns whether the wait is over, and the token."""
        held = file is None or try_lock(file.fileno())
        # All waiting processes read the token as soon as it is stored, without queueing for the lock.
        found = self._read_unless(ignore_stored, name, only_fresh)
        return held or found is not None or self._clock.monotonic() >= until, found

    def _read_unless(self, ignore_stored: bool, name: str, only_fresh: bool) -> Entry | None:
        return None if ignore_stored else self.read(name, only_fresh=only_fresh)

    @contextlib.contextmanager
    def _lock_file(self, name: str) -> Generator[FileIO | None]:
        # The file is never removed: another process may be waiting for it, and then two would hold the lock.
        file: FileIO | None = None
        try:
            try:
                self._check_folder()
                file = open_private(self._path(name, "lock"), os.O_RDWR | os.O_CREAT)
                _locks.add(file)
            except OSError as error:
                self._on_problem(error)
            yield file
        finally:
            # A process that was forked in between shares the lock, so closing alone does not release it. In that
            # process, the file is already closed and must not be released.
            if file is not None and not file.closed:
                with suppress_errors(OSError), file:
                    unlock(file.fileno())

    def read(self, name: str, *, only_fresh: bool = False) -> Entry | None:
        """Returns the entry that another process stored, if it is valid, or only if it is fresh."""
        try:
            self._check_folder()
            with BufferedReader(open_private(self._path(name, "json"), os.O_RDONLY)) as file:
                content = file.read(_LARGEST + 1)
            found = self._parse(content)
        except Exception as error:  # a file can contain anything
            self._on_problem(error, is_usual=isinstance(error, FileNotFoundError))
            return None
        return found if found is not None and (found.fresh if only_fresh else found.valid)(self._clock) else None

    def _parse(self, content: bytes) -> Entry | None:
        """Parses a token file. Any exception means that the file is damaged."""
        if len(content) > _LARGEST:
            raise ValueError("too large")
        stored: dict[str, Any] = json.loads(content)
        if stored["form"] != _FORM or stored["boot"] != _boot_id():
            return None
        text, kind = stored["token"], stored["token_type"]
        if not (isinstance(text, str) and text and is_header_safe(text) and isinstance(kind, str)):
            raise ValueError("no token")
        refresh_on = None if stored["refresh_on"] is None else int(_finite(stored["refresh_on"]))
        expires_on, expires, since, since_monotonic, life, due, fresh_for = (_finite(stored[name]) for name in _TIMES)
        if max(life, expires - since, expires_on - since) > LONGEST_LIFE or expires_on <= 0:
            raise ValueError("no lifetime of a token")
        now, monotonic = self._clock.time(), self._clock.monotonic()
        # The token's age by both clocks. If a clock was set back after the token was stored, the age is unknown.
        ages = now - since, monotonic - since_monotonic
        if min(ages) < 0:
            return None
        return Entry(
            AccessToken(text, int(expires_on), refresh_on, kind),
            expires=expires,
            expires_monotonic=monotonic + life - max(ages),
            due=due,
            due_monotonic=monotonic + fresh_for - max(ages),
            asked_monotonic=monotonic - max(ages),
        )

    def write(self, name: str, new: Entry) -> None:
        """Stores an entry for other processes. They see the whole file or none of it."""
        now, monotonic = self._clock.time(), self._clock.monotonic()
        token = new.token
        stored = {
            "form": _FORM,
            "boot": _boot_id(),
            "token": token.token,
            "token_type": token.token_type,
            "expires_on": token.expires_on,
            "refresh_on": token.refresh_on,
            "expires": new.expires,
            "stored": now,
            "stored_monotonic": monotonic,
            "life": new.expires_monotonic - monotonic,
            "due": new.due,
            "fresh_for": new.due_monotonic - monotonic,
        }
        content = json.dumps(stored).encode()
        if len(content) > _LARGEST:
            return
        try:
            self._check_folder()
            write_private(self._path(name, "json"), content)
            self._clean_up(name)
        except OSError as error:
            # Another process may write at the same time, without the lock, and remove the draft.
            self._on_problem(error, is_usual=isinstance(error, FileNotFoundError))

    def _clean_up(self, own: str) -> None:
        """Removes drafts of killed processes and expired tokens, except where a process holds the lock.

        Args:
            own: the name of the token that was just stored, whose lock this process holds.
        """
        now = self._clock.monotonic()
        with_tokens = now >= self._next_cleanup
        if with_tokens:
            self._next_cleanup = now + _CLEANUP_INTERVAL
        for file in os.listdir(self._folder):
            if match := _FILE.fullmatch(file):
                name, draft = match.groups()
                with suppress_errors(OSError):
                    if draft and name == own:
                        os.unlink(os.path.join(self._folder, file))
                    elif name != own and (draft or (with_tokens and self._has_expired(file))):
                        self._remove_unless_locked(name, file, is_draft=bool(draft))

    def _remove_unless_locked(self, name: str, file: str, *, is_draft: bool) -> None:
        with self._lock_file(name) as lock:
            if lock is not None and try_lock(lock.fileno()) and (is_draft or self._has_expired(file)):
                os.unlink(os.path.join(self._folder, file))

    def _has_expired(self, file: str) -> bool:
        """Whether a file contains a token that has expired, in any version of the format."""
        with BufferedReader(open_private(os.path.join(self._folder, file), os.O_RDONLY)) as opened:
            content = opened.read(_LARGEST)
        with suppress_errors(Exception):  # a file can contain anything
            stored = json.loads(content)
            return _finite(stored.get("expires", stored["expires_on"])) <= self._clock.time()
        return False

    def remove(self, name: str) -> None:
        """Removes one token."""
        with suppress_errors(OSError):
            os.unlink(self._path(name, "json"))

    def clear(self, identity: tuple[str, ...]) -> None:
        """Removes the tokens of one identity, and incomplete files of a process that was killed."""
        try:
            self._check_folder()
            for name in os.listdir(self._folder):
                if name.startswith(f"{_digest(identity)}-") and not name.endswith(".lock"):
                    with suppress_errors(FileNotFoundError):
                        os.unlink(os.path.join(self._folder, name))
        except OSError as error:
            self._on_problem(error)

    def _path(self, name: str, kind: str) -> str:
        return os.path.join(self._folder, f"{name}.{kind}")

    def _check_folder(self) -> None:
        """Creates the folder if it is missing. Raises OSError if another user could put files there."""
        make_folder(self._folder)
        check_folder(self._folder)

    def _on_problem(self, error: Exception, *, is_usual: bool = False) -> None:
        """Logs the first problem that is not usual. Raises the exception if it has interrupted the call."""
        if is_interruption(error):
            raise error
        if not self._warned and not is_usual:
            self._warned = True
            reason = str(error) if isinstance(error, OSError) else type(error).__name__
            log.warning("the shared token cache in %s is not used: %s", self._folder, reason)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:32]


def _finite(value: object) -> float:
    found = parse_number(value)
    if found is None:
        raise ValueError("not a number")
    return found


@cache
def _boot_id() -> str:
    """Returns an identifier of this boot of this machine, or "" if it is unknown.

    Monotonic times of different boots cannot be compared. And a folder may be on a disk that several machines share,
    each with another identity.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except (OSError, ValueError) as error:
        if is_interruption(error):
            raise
        return ""


#: The lock files that this process has open: it holds their locks or waits for them.
_locks: weakref.WeakSet[FileIO] = weakref.WeakSet()


def _after_fork() -> None:
    # They belong to the parent. If the child kept them open and the parent was killed, they would stay locked.
    for file in list(_locks):
        with contextlib.suppress(OSError):
            file.close()
    _locks.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
