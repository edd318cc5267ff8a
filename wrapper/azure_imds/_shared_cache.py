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
from typing import Any

from ._call import log
from ._clock import Clock
from ._tokens import AccessToken, Entry, entry_of

#: Bytes; a token has some thousands.
_LARGEST = 65536
#: Seconds between two looks at another process's lock.
_LOOK = 0.01
#: The form of a file; another one is ignored.
_FORM = 1


class SharedCache:
    """A folder of tokens, one file and one lock for each identity and resource."""

    def __init__(self, folder: str, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._warned = False

    @classmethod
    def open(cls, asked: bool | str | os.PathLike[str], clock: Clock) -> SharedCache | None:
        """The cache at a path, at the user's usual place for True, or none for False."""
        if asked is False:
            return None
        return cls(_usual_folder() if asked is True else os.fspath(asked), clock)

    @staticmethod
    def name(identity: tuple[str, ...], resource: str) -> str:
        """A file name that says nothing about whose token it is, and that no two identities or resources share."""
        return f"{_digest(identity)}-{_digest(resource)}"

    @contextlib.contextmanager
    def locked(self, name: str, patience: float) -> Generator[None]:
        """Holds the lock of `name`, or goes on without it after `patience` seconds or where there can be none."""
        with self._lock_file(name) as descriptor:
            until = self._clock.monotonic() + patience
            while descriptor is not None and not _try_lock(descriptor) and self._clock.monotonic() < until:
                self._clock.sleep(_LOOK)
            yield

    @contextlib.asynccontextmanager
    async def alocked(self, name: str, patience: float) -> AsyncGenerator[None]:
        """The same, waiting without blocking the event loop."""
        with self._lock_file(name) as descriptor:
            until = self._clock.monotonic() + patience
            while descriptor is not None and not _try_lock(descriptor) and self._clock.monotonic() < until:
                await self._clock.asleep(_LOOK)
            yield

    @contextlib.contextmanager
    def _lock_file(self, name: str) -> Generator[int | None]:
        # The file stays: to remove it while another process waits for it would let two hold it. Closing unlocks.
        descriptor: int | None = None
        try:
            self._check_folder()
            descriptor = _open(self._path(name, "lock"), os.O_RDWR | os.O_CREAT)
        except OSError as error:
            self._warn(error)
        try:
            yield descriptor
        finally:
            if descriptor is not None:
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
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            self._warn(error)
            return None
        return found if found is not None and (found.fresh if fresh else found.valid)(self._clock) else None

    def _entry(self, content: bytes) -> Entry | None:
        if len(content) > _LARGEST:
            raise ValueError("too large")
        stored: dict[str, Any] = json.loads(content)
        if stored["form"] != _FORM:
            return None
        now, monotonic = self._clock.time(), self._clock.monotonic()
        times = {name: float(stored[name]) for name in ("stored", "stored_monotonic", "left", "life", "refresh_in")}
        if not isinstance(stored["token"], str) or not stored["token"] or any(t != t for t in times.values()):
            raise ValueError("no token in it")
        if now < times["stored"]:
            return None  # the clock was set back since, so it cannot say how old the token is
        # Both clocks count the token's age; the monotonic one starts anew with the machine.
        age = max(now - times["stored"], monotonic - times["stored_monotonic"])
        refresh_on = stored["refresh_on"]
        token = AccessToken(
            stored["token"],
            int(stored["expires_on"]),
            None if refresh_on is None else int(refresh_on),
            str(stored["token_type"]),
        )
        refresh_in = None if times["refresh_in"] < 0 else times["refresh_in"] - age
        return entry_of(token, times["left"] - age, times["life"] - age, refresh_in, now, monotonic)

    def write(self, name: str, new: Entry) -> Entry:
        """Leaves an entry for other processes, all at once or not at all; returns it."""
        now, monotonic = self._clock.time(), self._clock.monotonic()
        token = new.token
        stored = {
            "form": _FORM,
            "token": token.token,
            "token_type": token.token_type,
            "expires_on": token.expires_on,
            "refresh_on": token.refresh_on,
            "stored": now,
            "stored_monotonic": monotonic,
            "left": new.expires - now,
            "life": new.expires_monotonic - monotonic,
            "refresh_in": -1 if token.refresh_on is None else max(0.0, token.refresh_on - now),
        }
        path = self._path(name, "json")
        draft = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
        try:
            self._check_folder()
            descriptor = _open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            try:
                with open(descriptor, "w", encoding="utf-8") as file:
                    json.dump(stored, file)
                os.replace(draft, path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(draft)
                raise
        except OSError as error:
            self._warn(error)
        return new

    def clear(self, identity: tuple[str, ...]) -> None:
        """Removes the tokens of one identity."""
        try:
            self._check_folder()
            for name in os.listdir(self._folder):
                if name.startswith(f"{_digest(identity)}-") and name.endswith(".json"):
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


def _usual_folder() -> str:
    """The user's runtime folder, which is in memory and goes at logout; else one among temporary files."""
    if sys.platform == "win32":
        return os.path.join(os.environ.get("LOCALAPPDATA", tempfile.gettempdir()), "azure-imds")
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isabs(runtime):
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


def _held(error: OSError) -> bool:
    """Whether another process has the lock; where a file system knows no locks, waiting would be in vain."""
    return error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            return not _held(error)
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return not _held(error)
        return True
