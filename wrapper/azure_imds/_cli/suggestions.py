"""What the user may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def suggest(typed: str, known: Iterable[str]) -> str:
    """A question with the most similar names, to append to an error message. "" if none is similar."""
    from difflib import get_close_matches

    names = {name.lower(): name for name in known}
    similar = [names[name] for name in get_close_matches(typed.lower(), names)]
    return f" Did you mean {' or '.join(map(repr, similar))}?" if similar else ""
