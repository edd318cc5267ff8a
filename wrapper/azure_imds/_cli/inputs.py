"""Reads what the command line names. A device or a pipe may never end, so the size is limited."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import AnyStr

#: The largest input, in bytes of a file or characters of standard input. Documents and certificates are much smaller.
LARGEST = 1 << 20


def read_file(path: Path) -> bytes:
    """Returns the content of a file, a device or a named pipe.

    Raises:
        OSError: it cannot be read, or it is too large.
    """
    with open(path, "rb") as file:
        return _check_size(file.read(LARGEST + 1))


def read_standard_input() -> str:
    """Returns the text on standard input. It is empty if the shell has closed it.

    Raises:
        OSError: it cannot be read, or it is too large.
        ValueError: it cannot be decoded.
    """
    return _check_size(sys.stdin.read(LARGEST + 1)) if sys.stdin else ""


def _check_size(content: AnyStr) -> AnyStr:
    if len(content) > LARGEST:
        raise OSError(errno.EFBIG, f"it is larger than {LARGEST >> 20} MiB")
    return content
