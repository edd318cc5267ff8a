"""The stand-alone emulator: `python -m azure_imds_emulator`, and what `azure-imds emulator` runs."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from types import FrameType

from .config import ENVIRONMENT_PREFIX, ConfigError, from_environment, load
from .emulator import Emulator
from .settings import Settings


def parser(prog: str = "azure-imds emulator") -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog=prog,
        description="A local Azure Instance Metadata Service for development and tests.",
        epilog=f"Each option is also a key of the file and a variable such as {ENVIRONMENT_PREFIX}PORT."
        " Options go before variables, variables before the file.",
    )
    made.add_argument("--config", metavar="FILE", help="YAML or JSON: settings, the machine, events and faults")
    made.add_argument("--host", help="address to listen on (127.0.0.1)")
    made.add_argument("--port", type=int, help="port of the metadata service (0: any free one)")
    made.add_argument("--control-port", type=int, help="port of the control API and page (0: any free one)")
    made.add_argument("--arc", action=argparse.BooleanOptionalAction, default=None, help="be an Azure Arc agent")
    made.add_argument("--arc-token-dir", metavar="DIR", help="where the agent writes its key files (a temporary one)")
    made.add_argument(
        "--arc-echo",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether the agent knows user-assigned identities and repeats them (yes)",
    )
    made.add_argument(
        "--rate-limits", action=argparse.BooleanOptionalAction, default=None, help="answer 429 beyond the limits (yes)"
    )
    made.add_argument("--token-lifetime", type=int, metavar="SECONDS", help="from issue to expiry (86400)")
    made.add_argument(
        "--first-call-delay", type=float, metavar="SECONDS", help="of the first scheduled-events request (0)"
    )
    made.add_argument("--server", help="the Server header")
    return made


def settings(arguments: argparse.Namespace, environment: dict[str, str]) -> Settings:
    """Options before variables before the file before defaults.

    Raises:
        ConfigError: file or variable cannot be used.
        ValueError: an option is out of range.
    """
    # Alone it is a stand-in for the service, limits included; inside tests they are off.
    found = Settings(rate_limits=True)
    path = arguments.config or environment.get(f"{ENVIRONMENT_PREFIX}CONFIG")
    if path:
        found = load(path, found)
    found = from_environment(environment, found)
    options = {name: value for name, value in vars(arguments).items() if name != "config" and value is not None}
    return replace(found, **options)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM.

    Args:
        argv: the arguments after the command's name; default: the process's.

    Returns:
        The exit status: 0 after a signal, 1 if the address or folder cannot be used, 2 for a bad configuration.
    """
    arguments = parser().parse_args(argv)
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    previous = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Emulator(settings=settings(arguments, dict(os.environ))) as emulator:
            announce(emulator)
            ended.wait()
    except (ConfigError, ValueError) as error:
        print(f"azure-imds emulator: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"azure-imds emulator: {error}", file=sys.stderr)
        return 1
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return 0


def announce(emulator: Emulator) -> None:
    """Print where the emulator listens, and the lines to paste into a shell."""
    print(f"endpoint {emulator.endpoint}")
    print(f"control  {emulator.control_url}/")
    if emulator.settings.arc:
        print(f"keys     {emulator.arc_token_dir}")
    if emulator.settings.host not in ("localhost", "::1") and not emulator.settings.host.startswith("127."):
        print(
            "azure-imds emulator: whoever reaches this address can turn its knobs; keep it to a network that you trust",
            file=sys.stderr,
        )
    for name, value in emulator.environment.items():
        print(f"export {name}={shlex.quote(value)}")
    sys.stdout.flush()
