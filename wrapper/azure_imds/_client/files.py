"""Opens files that others may have put there: a FIFO or a device in place of a file must not block."""

from __future__ import annotations

import os
from io import FileIO

_MODES = {os.O_RDONLY: "r", os.O_WRONLY: "w", os.O_RDWR: "r+"}


def open_without_blocking(path: str, flags: int = os.O_RDONLY) -> FileIO:
    """Opens a file, which the caller checks. A file that is created can be read and written by this user only.

    Raises:
        OSError: the file cannot be opened. IsADirectoryError for a folder.
    """
    for name in ("O_CLOEXEC", "O_NONBLOCK", "O_BINARY"):
        flags |= getattr(os, name, 0)
    mode = _MODES[flags & (os.O_WRONLY | os.O_RDWR)]
    # An object and not a descriptor: whatever interrupts the caller, the file is closed with the last reference to it.
    return FileIO(path, mode, opener=lambda path, _: os.open(path, flags, 0o600))
