"""Text on a terminal. A document can contain characters that a terminal obeys instead of showing them."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Callable

#: Categories of characters that are invisible or that control how text is shown, such as escape characters and
#: overrides of the writing direction.
_CONTROLS = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def is_control(character: str) -> bool:
    """Whether a terminal would not show the character. Line feeds and tabs are text."""
    return character not in "\n\t" and unicodedata.category(character) in _CONTROLS


def printable(text: str) -> str:
    """Returns the text with its control characters as Python escapes them."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c.encode("unicode_escape").decode() if is_control(c) else c for c in text)


def run_program(main: Callable[[], int]) -> int:
    """Runs a program, and returns its exit code. If nothing reads its output any more, as in `| head`, it just ends."""
    try:
        try:
            return main()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes the rest when it ends
        return 1
