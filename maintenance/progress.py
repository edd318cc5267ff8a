"""What a command does now. It goes to stderr, so that stdout contains only the result."""

from __future__ import annotations

import sys


def show_step(text: str) -> None:
    """Prints what takes some time now."""
    print(f"{text} ...", file=sys.stderr, flush=True)
