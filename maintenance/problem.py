"""What ends a command with a line for people instead of a traceback."""

from __future__ import annotations


class Problem(Exception):
    """Something that a person must put right; its text says what."""
