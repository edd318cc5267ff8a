"""The error that ends a command with one line instead of a traceback."""

from __future__ import annotations


class Problem(Exception):
    """Something that the user of a command must fix. The text says what."""
