"""Tokens shared between the processes of one user on one machine: a file each, in a folder that is only theirs.

Whatever is wrong with the files, the processes go on without them: one warning, never an error.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator
from functools import cache
from typing import Any, Literal

from .._clock import Clock
from .._log import log
from ..errors import ImdsValidationError
from .cache import AccessToken, Entry, number

#: Bytes; a token has some thousands.
_LARGEST = 65536
#: Seconds between two looks at another process's lock.
_LOOK = 0.01
#: The form of a file; another one is ignored.
_FORM = 1
_TIMES = ("expires_on", "stored", "stored_monotonic", "life", "due", "fresh_for")


class SharedCache:
    """A folder of tokens, one file and one lock for each identity and resource."""

    def __init__(self, folder: str, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._warned = False

    @classmethod
    def open(cls, asked: Literal[True] | str | os.PathLike[str], clock: Clock) -> SharedCache:
        """The cache at a path, or at the user's usual place for True."""
        try:
            # Absolute: the process may go elsewhere. And a link with a slash behind it would be followed.
            folder = _usual_folder() if asked is True else os.path.abspath(os.fsdecode(asked))
        except TypeError:
            folder = "\0"
        if "\0" in folder:
            raise ImdsValidationError("shared_cache must be True, False or a path", parameter="shared_cache")
        return cls(folder, clock)

    @staticmethod
    def name(identity: tuple[str, ...], resource: str) -> str:
        """A file name that says nothing about whose token it is, and that no two identities or resources share."""
        return f"{_digest(identity)}-{_digest(resource)}"

    @contextlib.contextmanager
    def turn(self, name: str, patience: float, *, forced: bool, fresh: bool) -> Generator[Entry | None]:
        """Gives what another process has left, now or while this one waits; or None, with the lock of `name`.

        After `patience` seconds, and where there can be no lock, it gives None without it.

        Args:
            forced: whether nothing that others leave will do.
            fresh: whether only what is not due will do.
        """
        # A token that is there needs no lock: its holder may be waiting for an IMDS that is away.
        if (found := self._useful(name, forced, fresh)) is not None:
            yield found
            return
        with self._lock_file(name) as descriptor:
            until = self._clock.monotonic() + patience
            while not (seen := self._look(descriptor, until, name, forced, fresh))[0]:
                self._clock.sleep(_LOOK)
            yield seen[1]

    @contextlib.asynccontextmanager
    async def aturn(self, name: str, patience: float, *, forced: bool, fresh: bool) -> AsyncGenerator[Entry | None]:
        """The same, waiting without blocking the event loop."""
        # A token that is there needs no lock: its holder may be waiting for an IMDS that is away.
        if (found := self._useful(name, forced, fresh)) is not None:
            yield found
            return
        with self._lock_file(name) as descriptor:
            until = self._clock.monotonic() + patience
            while not (seen := self._look(descriptor, until, name, forced, fresh))[0]:
                await self._clock.asleep(_LOOK)
            yield seen[1]

    def _look(
        self, descriptor: int | None, until: float, name: str, forced: bool, fresh: bool
    ) -> tuple[bool, Entry | None]:
        """Whether the waiting is over, and what there is."""
        held = descriptor is None or _try_lock(descriptor)
        # All who wait for a token take it as soon as it is there, and not one after the other.
        found = self._useful(name, forced, fresh)
        return held or found is not None or self._clock.monotonic() >= until, found

    def _useful(self, name: str, forced: bool, fresh: bool) -> Entry | None:
        return None if forced else self.read(name, fresh=fresh)

    @contextlib.contextmanager
    def _lock_file(self, name: str) -> Generator[int | None]:
        # The file stays: to remove it while another process waits for it would let two hold it.
        descriptor: int | None = None
        try:
            self._check_folder()
            descriptor = _open(self._path(name, "lock"), os.O_RDWR | os.O_CREAT)
            _locks.add(descriptor)
        except OSError as error:
            self._warn(error)
        process = os.getpid()
        try:
            yield descriptor
        finally:
            # A process that was forked meanwhile shares the lock, so closing alone would not free it; and there it is
            # neither to be freed nor closed again.
            if descriptor is not None and process == os.getpid():
                _locks.discard(descriptor)
                with contextlib.suppress(OSError):
                    _unlock(descriptor)
                os.close(descriptor)

    def read(self, name: str, *, fresh: bool = False) -> Entry | None:
        """The entry that another process left, if it is valid (and, if asked, not due)."""
        try:
            self._check_folder()
            descriptor = _open(self._path(name, "json"), os.O_RDONLY)
            with open(descriptor, "rb") as file:
                content = file.read(_LARGEST + 1)
            found = self._entry(content)
        except FileNotFoundError:
            return None
        except Exception as error:  # a file may hold anything
            self._warn(error)
            return None
        return found if found is not None and (found.fresh if fresh else found.valid)(self._clock) else None

    def _entry(self, content: bytes) -> Entry | None:
        """What a file says; any exception means that it is damaged."""
        if len(content) > _LARGEST:
            raise ValueError("too large")
        stored: dict[str, Any] = json.loads(content)
        if stored["form"] != _FORM or stored["boot"] != _boot():
            return None
        text, kind = stored["token"], stored["token_type"]
        if not (isinstance(text, str) and text and isinstance(kind, str)):
            raise ValueError("no token")
        refresh_on = None if stored["refresh_on"] is None else int(_finite(stored["refresh_on"]))
        expires, since, since_monotonic, life, due, fresh_for = (_finite(stored[name]) for name in _TIMES)
        now, monotonic = self._clock.time(), self._clock.monotonic()
        # Both clocks count the token's age. One that was set back since cannot say how old it is.
        ages = now - since, monotonic - since_monotonic
        if min(ages) < 0:
            return None
        return Entry(
            AccessToken(text, int(expires), refresh_on, kind),
            expires=expires,
            expires_monotonic=monotonic + life - max(ages),
            due=due,
            due_monotonic=monotonic + fresh_for - max(ages),
        )

    def write(self, name: str, new: Entry) -> None:
        """Leaves an entry for other processes, all at once or not at all."""
        now, monotonic = self._clock.time(), self._clock.monotonic()
        token = new.token
        stored = {
            "form": _FORM,
            "boot": _boot(),
            "token": token.token,
            "token_type": token.token_type,
            "expires_on": token.expires_on,
            "refresh_on": token.refresh_on,
            "stored": now,
            "stored_monotonic": monotonic,
            "life": new.expires_monotonic - monotonic,
            "due": new.due,
            "fresh_for": new.due_monotonic - monotonic,
        }
        content = json.dumps(stored).encode()
        if len(content) > _LARGEST:
            return
        path = self._path(name, "json")
        draft = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
        try:
            self._check_folder()
            descriptor = _open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            try:
                with open(descriptor, "wb") as file:
                    file.write(content)
                os.replace(draft, path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(draft)
                raise
        except OSError as error:
            self._warn(error)

    def remove(self, name: str) -> None:
        """Removes one token."""
        with contextlib.suppress(OSError):
            os.unlink(self._path(name, "json"))

    def clear(self, identity: tuple[str, ...]) -> None:
        """Removes the tokens of one identity, and what a process that was killed may have left of one."""
        try:
            self._check_folder()
            for name in os.listdir(self._folder):
                if name.startswith(f"{_digest(identity)}-") and not name.endswith(".lock"):
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(os.path.join(self._folder, name))
        except OSError as error:
            self._warn(error)

    def _path(self, name: str, kind: str) -> str:
        return os.path.join(self._folder, f"{name}.{kind}")

    def _check_folder(self) -> None:
        """Makes the folder if it is missing; raises OSError if somebody else could put files there."""
        with contextlib.suppress(FileExistsError):
            os.makedirs(self._folder, mode=0o700)
        found = os.lstat(self._folder)
        if not stat.S_ISDIR(found.st_mode):
            raise OSError(f"{self._folder} is not a folder")
        _check_owner(found, self._folder)

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            reason = str(error) if isinstance(error, OSError) else type(error).__name__
            log.warning("the shared token cache in %s is not used: %s", self._folder, reason)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:32]


def _finite(value: object) -> float:
    found = number(value)
    if found is None:
        raise ValueError("not a number")
    return found


@cache
def _boot() -> str:
    """Tells this run of this machine from all others, "" where that is not known.

    The monotonic clocks of two runs say nothing about each other, and a folder may be on a disk that several machines
    share, each of which is somebody else to Azure.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return ""


def _usual_folder() -> str:
    """The user's runtime folder, which is in memory and goes at logout; else one among temporary files."""
    if sys.platform == "win32":
        return os.path.join(os.environ.get("LOCALAPPDATA", tempfile.gettempdir()), "azure-imds")
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    # After sudo or su, it may be another user's.
    with contextlib.suppress(OSError):
        if os.path.isabs(runtime) and os.stat(runtime).st_uid == os.getuid():
            return os.path.join(runtime, "azure-imds")
    return os.path.join(tempfile.gettempdir(), f"azure-imds-{os.getuid()}")


def _open(path: str, flags: int) -> int:
    """Opens a regular file of this user's that nobody else can read, never through a link."""
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o600)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(f"{path} is not a regular file")
        _check_owner(found, path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_owner(found: os.stat_result, path: str) -> None:
    if sys.platform == "win32":
        return  # the folder's access list says who may read, and %LOCALAPPDATA% is the user's own
    if found.st_uid != os.getuid():
        raise OSError(f"{path} belongs to another user")
    if found.st_mode & 0o077:
        raise OSError(f"{path} is open to other users (mode {stat.S_IMODE(found.st_mode):o})")


def _is_held(error: OSError) -> bool:
    """Whether another process has the lock; where a file system knows no locks, waiting would be in vain."""
    return error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            return not _is_held(error)
        return True

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return not _is_held(error)
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


#: The locks that this process has, or is waiting for.
_locks: set[int] = set()


def _after_fork() -> None:
    # They are the parent's. Were they kept here, a parent that is killed would leave them locked.
    for descriptor in list(_locks):
        with contextlib.suppress(OSError):
            os.close(descriptor)
    _locks.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
