"""IMDS for benchmarks: the emulator in a separate process, without rate limits."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def serving(*options: str) -> Iterator[tuple[str, int]]:
    """Runs the emulator; yields its endpoint and its process id."""
    command = [sys.executable, "-m", "azure_imds_emulator", "--no-rate-limits", *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        yield server.stdout.readline().split()[1], server.pid
    finally:
        server.terminate()
        server.wait()


def environment(endpoint: str) -> dict[str, str]:
    """Returns variables with which all libraries find that IMDS, and with which Python caches bytecode."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"AZURE_POD_IDENTITY_AUTHORITY_HOST": endpoint}
