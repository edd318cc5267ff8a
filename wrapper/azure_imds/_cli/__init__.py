"""The command `azure-imds`. It needs the extra `cli`; `azure-imds emulator` needs only the extra `emulator`."""

from .entry import main

__all__ = ["main"]
