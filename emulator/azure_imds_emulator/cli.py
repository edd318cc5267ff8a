"""The command line of the emulator: `python -m azure_imds_emulator` and `azure-imds emulator`."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from urllib.parse import urlsplit

from .addresses import find_outside_address, format_commands, format_removals, is_loopback, make_url
from .config import ENVIRONMENT_PREFIX, from_environment, load
from .emulator import Emulator
from .hosts import AZURE
from .machine_reader import choose_machine
from .options import make_parser
from .parser import UsageError, make_value_error
from .saved_config import format_settings
from .settings import Settings, find_problem
from .step_options import STEPS, add_steps

#: Seconds after which the end of the emulator is checked again.
_LONGEST_WAIT = 0.5


def read_settings(arguments: argparse.Namespace, environment: dict[str, str]) -> Settings:
    """Returns the settings: options override variables, variables override the file, the file overrides defaults.

    Raises:
        ConfigError: the file or a variable is not valid.
        UsageError: an option is not valid.
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
    settings = add_steps(settings, arguments.steps)
    options = {
        name: value
        for name, value in vars(arguments).items()
        if name not in ("config", "machine", "print_config", STEPS) and value is not None
    }
    for name, value in options.items():
        if problem := find_problem(name, value):
            raise make_value_error(name, problem)
    return replace(settings, **options)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the emulator until SIGINT or SIGTERM, or until the command after `--` ends.

    Args:
        argv: the arguments after the name of the command. Default: those of the process.

    Returns:
        The exit status: 0 after a signal, 1 if the address or folder cannot be used, 2 for a wrong configuration. With
        a command, its exit status; 126 or 127 if it cannot be started; 128 plus the number of the signal that ended it.
    """
    own, command = split_command(sys.argv[1:] if argv is None else argv)
    parser = make_parser()
    arguments = argparse.Namespace()
    try:
        arguments = parser.parse(own)
        settings = read_settings(arguments, dict(os.environ))
        if arguments.print_config:
            print(format_settings(settings), end="")
            return 0
        emulator = Emulator(settings=settings)
        return run_command(emulator, command) if command else run_until_signal(emulator)
    except SystemExit as end:
        return int(end.code or 0)
    except UsageError as error:
        print(parser.explain(error), file=sys.stderr)
        return 2
    except ValueError as error:
        name = str(error).partition(" ")[0]
        is_option = getattr(arguments, name, None) is not None
        print(parser.explain(make_value_error(name, error)) if is_option else f"azure-imds: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"azure-imds: {place}{error.strerror or error}", file=sys.stderr)
        return 1


def split_command(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns the options of the emulator, and the command after `--`."""
    own = list(arguments)
    if "--" not in own:
        return own, []
    index = own.index("--")
    return own[:index], own[index + 1 :]


@contextmanager
def handle_signals(handler: Callable[[int], object]) -> Generator[None]:
    """Calls the handler with the number of each SIGINT and SIGTERM."""

    def handle(number: int, frame: FrameType | None) -> None:
        handler(number)

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, original in previous.items():
            signal.signal(number, original)


def run_until_signal(emulator: Emulator) -> int:
    """Runs the emulator until SIGINT or SIGTERM."""
    stopped = threading.Event()
    with handle_signals(lambda number: stopped.set()), emulator:
        warn_about_control(emulator)
        print_addresses(emulator)
        # Free-threaded Pythons may not notice a signal that arrives while a wait begins. They notice it when it ends.
        while not stopped.wait(_LONGEST_WAIT):
            pass
    return 0


def run_command(emulator: Emulator, command: list[str]) -> int:
    """Runs a command with the variables of the emulator, and returns its exit status."""
    process: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def forward(number: int) -> None:
        # In a terminal, the command receives Ctrl-C itself.
        if process is None:
            early.append(number)
        elif number != signal.SIGINT or not os.isatty(0):
            process.send_signal(number)

    with handle_signals(forward), emulator:
        warn_about_control(emulator)
        variables = emulator.environment | {f"{ENVIRONMENT_PREFIX}CONTROL_URL": emulator.control_url}
        try:
            foreign = emulator.find_foreign_variables(os.environ)
            kept = {name: value for name, value in os.environ.items() if name not in foreign}
            process = subprocess.Popen(command, env=kept | variables)
        except OSError as error:
            print(f"azure-imds: {command[0]}: {error.strerror}", file=sys.stderr)
            return 127 if isinstance(error, FileNotFoundError) else 126
        for number in early:
            forward(number)
        status = process.wait()
    return status if status >= 0 else 128 - status


def warn_about_control(emulator: Emulator) -> None:
    """Prints a warning if other machines can reach the control API."""
    host = emulator.settings.control_host or emulator.settings.host
    if not is_loopback(host):
        print(
            f"azure-imds: host {host} is not a loopback address: everyone who can reach it can use the control"
            " API. Use it only on a network that you trust, or add --control-host 127.0.0.1.",
            file=sys.stderr,
        )


def print_addresses(emulator: Emulator) -> None:
    """Prints the addresses of the emulator, and the shell commands that direct clients to it."""
    settings = emulator.settings
    print(f"endpoint {emulator.endpoint}")
    print(f"control  {emulator.control_url}/")
    if settings.host_name != AZURE:
        print(f"host     {settings.host_name}")
    if settings.is_arc:
        print(f"keys     {emulator.arc_token_dir}")
    if settings.machine.user_assigned:  # the client has to choose
        for identity in settings.machine.identities:
            print(f"identity {identity.client_id} ({identity.name})")
    foreign = emulator.find_foreign_variables(os.environ)
    for command in format_removals(foreign) + format_commands(emulator.environment):
        print(command)
    if outside := find_outside_address(settings.host):
        address = urlsplit(emulator.endpoint)
        endpoint = make_url(outside, address.port or 80, address.scheme)
        print("# on other machines and in containers:")
        for command in format_commands(emulator.make_environment(endpoint)):
            print(f"# {command}")
    sys.stdout.flush()
