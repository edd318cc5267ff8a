"""Text on a terminal. A document can contain characters that a terminal obeys instead of showing them."""

from __future__ import annotations

import unicodedata

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
