"""What the names and values of headers can contain."""

from __future__ import annotations

import re

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def is_header_name(text: str) -> bool:
    """Whether a header can have this name."""
    return _NAME.fullmatch(text) is not None


def is_header_value(text: str) -> bool:
    """Whether a header can have this value: Latin-1 without control characters, which could begin another header."""
    return all(32 <= ord(char) <= 255 and ord(char) != 127 for char in text)
