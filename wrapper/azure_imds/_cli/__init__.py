"""The command `azure-imds`. Needs the extra `cli`; `azure-imds emulator` needs the extra `emulator` alone."""

from .entry import main

__all__ = ["main"]
