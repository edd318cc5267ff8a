"""The stand-alone emulator: ``python -m azure_imds_emulator``, and what ``azure-imds emulator`` runs."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import threading
from collections.abc import Sequence

from .config import Settings
from .emulator import Emulator


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM. Returns the exit status: 0 after a signal, 1 if the port cannot be used."""
    parser = argparse.ArgumentParser(prog="azure-imds emulator", description="A local Azure Instance Metadata Service.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--arc", action="store_true")
    arguments = parser.parse_args(argv)
    settings = Settings(host=arguments.host, port=arguments.port, arc=arguments.arc, rate_limits=True)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        emulator = Emulator(settings=settings).start()
    except OSError as error:
        print(f"azure-imds emulator: {error}", file=sys.stderr)
        return 1
    with emulator:
        print(f"listening on {emulator.endpoint}")
        for name, value in emulator.environment.items():
            print(f"export {name}={shlex.quote(value)}")
        sys.stdout.flush()
        ended.wait()
    return 0
