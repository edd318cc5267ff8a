"""The command line of the emulator: `python -m azure_imds_emulator` and `azure-imds emulator`."""

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

from .config import ENVIRONMENT_PREFIX, from_environment, load
from .emulator import Emulator
from .machine_reader import choose_machine, list_machine_names
from .settings import Settings, find_problem


def make_parser(prog: str = "azure-imds emulator") -> argparse.ArgumentParser:
    """Makes the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Run a local Azure Instance Metadata Service for development and tests.",
        epilog="Each option can also be set in the configuration file and by an environment variable such as"
        f" {ENVIRONMENT_PREFIX}PORT. Options override variables, and variables override the file.",
    )
    parser.add_argument(
        "--config", metavar="FILE", help="YAML or JSON file with settings, the machine, events and faults"
    )
    parser.add_argument("--machine", metavar="NAME", help=f"the machine to emulate: {', '.join(list_machine_names())}")
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port of the metadata service (default: a free port)")
    parser.add_argument("--control-port", type=int, help="port of the control API and page (default: a free port)")
    parser.add_argument("--arc", action=argparse.BooleanOptionalAction, default=None, help="emulate an Azure Arc agent")
    parser.add_argument(
        "--arc-token-dir", metavar="DIR", help="folder for the agent's key files (default: a temporary folder)"
    )
    parser.add_argument(
        "--arc-echo",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether the agent supports user-assigned identities and returns their ids (default: yes)",
    )
    parser.add_argument(
        "--rate-limits",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="respond with 429 above the rate limits of IMDS (default: yes)",
    )
    parser.add_argument(
        "--token-lifetime", type=int, metavar="SECONDS", help="time from a token's issue to its expiry (default: 86400)"
    )
    parser.add_argument(
        "--first-call-delay",
        type=float,
        metavar="SECONDS",
        help="delay of the first scheduled-events request (default: 0)",
    )
    parser.add_argument(
        "--metadata-header",
        choices=("exact", "any"),
        help="require the header `Metadata: true` exactly, or accept any case (default: exact)",
    )
    parser.add_argument("--server", help="value of the Server header")
    return parser


def read_settings(arguments: argparse.Namespace, environment: dict[str, str]) -> Settings:
    """Returns the settings: options override variables, variables override the file, the file overrides defaults.

    Raises:
        ConfigError: the file or a variable is not valid.
        ValueError: an option is out of range.
    """
    # Unlike in tests, the rate limits are on, as in IMDS.
    settings = Settings(rate_limits=True)
    path = arguments.config or environment.get(f"{ENVIRONMENT_PREFIX}CONFIG")
    machine = arguments.machine or environment.get(f"{ENVIRONMENT_PREFIX}MACHINE")
    if machine:
        settings = replace(settings, **choose_machine(machine))
    if path:
        settings = load(path, settings, machine=machine)
    settings = from_environment(environment, settings)
    options = {
        name: value
        for name, value in vars(arguments).items()
        if name not in ("config", "machine") and value is not None
    }
    for name, value in options.items():
        if problem := find_problem(name, value):
            raise ValueError(f"--{name.replace('_', '-')} {problem}")
    return replace(settings, **options)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the emulator until SIGINT or SIGTERM.

    Args:
        argv: the arguments after the name of the command. Default: those of the process.

    Returns:
        The exit status: 0 after a signal, 1 if the address or folder cannot be used, 2 for a wrong configuration.
    """
    arguments = make_parser().parse_args(argv)
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Emulator(settings=read_settings(arguments, dict(os.environ))) as emulator:
            print_addresses(emulator)
            stopped.wait()
    except ValueError as error:
        print(f"azure-imds emulator: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"azure-imds emulator: {error}", file=sys.stderr)
        return 1
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return 0


def print_addresses(emulator: Emulator) -> None:
    """Prints the addresses of the emulator, and the shell commands that direct clients to it."""
    print(f"endpoint {emulator.endpoint}")
    print(f"control  {emulator.control_url}/")
    if emulator.settings.arc:
        print(f"keys     {emulator.arc_token_dir}")
    host = emulator.settings.host
    if host not in ("localhost", "::1") and not host.startswith("127."):
        print(
            f"azure-imds emulator: host {host} is not a loopback address: everyone who can reach it can use the control"
            " API. Use it only on a network that you trust.",
            file=sys.stderr,
        )
    for name, value in emulator.environment.items():
        print(f"export {name}={shlex.quote(value)}")
    sys.stdout.flush()
