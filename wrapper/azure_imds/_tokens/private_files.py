"""Files and folders that only this user can use, and locks between the user's processes."""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from io import BufferedWriter, FileIO

from .._client.files import open_without_blocking
from .._interruptions import is_interruption, suppress_errors


def usual_folder() -> str:
    """Returns a folder in the user's runtime folder, which is in memory and removed at logout, or a temporary one."""
    if sys.platform == "win32":
        return os.path.join(os.environ.get("LOCALAPPDATA", tempfile.gettempdir()), "azure-imds")
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    # After sudo or su, the variable may name another user's folder. New files belong to the effective user.
    with suppress_errors(OSError):
        if os.path.isabs(runtime) and os.stat(runtime).st_uid == os.geteuid():
            return os.path.join(runtime, "azure-imds")
    return os.path.join(tempfile.gettempdir(), f"azure-imds-{os.geteuid()}")


def make_folder(path: str) -> None:
    """Creates a folder, and those above it that are missing, for this user only and whatever the umask."""
    missing: list[str] = []
    while not os.path.lexists(path):
        missing.append(path)
        path = os.path.dirname(path)
    for folder in reversed(missing):
        with suppress_errors(FileExistsError):  # another process may be faster
            os.mkdir(folder, 0o700)
            os.chmod(folder, 0o700)


def check_folder(path: str) -> None:
    """Raises OSError if a path is not a folder, or if another user could put files there."""
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode):
        raise OSError(f"{path} is not a folder")
    check_owner(found, path)


def open_private(path: str, flags: int) -> FileIO:
    """Opens a regular file that belongs to this user and that only this user can read. Follows no symbolic link."""
    file = open_without_blocking(path, flags | getattr(os, "O_NOFOLLOW", 0))
    try:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(f"{path} is not a regular file")
        check_owner(found, path)
        if flags & os.O_CREAT and found.st_mode & 0o600 != 0o600 and sys.platform != "win32":
            os.fchmod(file.fileno(), 0o600)  # the umask has removed the user's own rights
        return file
    except BaseException:
        file.close()
        raise


def write_private(path: str, content: bytes, *, durable: bool = False) -> None:
    """Writes a file that only this user can read. Other processes see all of it or the previous one.

    Args:
        path: the file.
        content: what it contains afterwards.
        durable: whether it must survive a power failure.

    Raises:
        OSError: the file cannot be written. The previous one is unchanged.
    """
    draft = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    try:
        with BufferedWriter(open_private(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL)) as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(draft, path)
        if durable:
            _sync_folder(os.path.dirname(path))
    except BaseException:
        with suppress_errors(OSError):
            os.unlink(draft)
        raise


def _sync_folder(path: str) -> None:
    """Writes the names of a folder's files to its disk."""
    if sys.platform == "win32":
        return  # folders cannot be opened there
    descriptor = os.open(path or ".", os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_owner(found: os.stat_result, path: str) -> None:
    """Raises OSError if a file or folder belongs to another user, or if other users can use it."""
    if sys.platform == "win32":
        return  # there, the folder's access list decides, and %LOCALAPPDATA% belongs to the user
    if found.st_uid != os.geteuid():
        raise OSError(f"{path} belongs to another user")
    if found.st_mode & 0o077:
        raise OSError(f"{path} is open to other users (mode {stat.S_IMODE(found.st_mode):o})")


def _is_held(error: OSError) -> bool:
    """Whether another process holds the lock. If not, the file system has no locks, and waiting would not help."""
    return error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


if sys.platform == "win32":
    import msvcrt

    def try_lock(descriptor: int) -> bool:
        """Locks a file, or returns False if another process holds the lock. True also if there are no locks."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if is_interruption(error):
                raise
            return not _is_held(error)
        return True

    def unlock(descriptor: int) -> None:
        """Ends the lock of a file."""
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Locks a file, or returns False if another process holds the lock. True also if there are no locks."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if is_interruption(error):
                raise
            return not _is_held(error)
        return True

    def unlock(descriptor: int) -> None:
        """Ends the lock of a file."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)
