"""`drain`: runs a command before Azure stops this machine. `events --exec`: runs one for each change of an event."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from .completion import complete_event_types
from .drain_options import DEFAULT_TYPES, DrainOptions, Grace, check_command, check_grace, parse_types
from .exits import Exit
from .progress import show_steps
from .session import Session

if TYPE_CHECKING:
    from .._events.changes import EventChange

#: Seconds for one attempt to approve an event. The loop around it tries again.
APPROVAL_SECONDS = 5.0


def drain_machine(
    session: Session,
    command: Annotated[
        str | None, Option("--exec", metavar="COMMAND", show_default=False, help="The shell command to run. Required.")
    ] = None,
    event_types: Annotated[
        str,
        Option(
            "--on",
            metavar="TYPES",
            autocompletion=complete_event_types,
            show_default=False,
            help=f"Types of events, separated by commas. Default: {DEFAULT_TYPES}.",
        ),
    ] = DEFAULT_TYPES,
    approve: Annotated[
        bool,
        Option(
            "--approve",
            help="Approve the event after the command has ended with status 0. `kill` ends before the process that it "
            "stops, so let the command wait for it.",
        ),
    ] = False,
    grace: Grace = 5.0,
    once: Annotated[bool, Option("--once", help="Exit after the first event, with 1 if the command failed.")] = False,
    state: Annotated[
        Path | None,
        Option(
            "--state",
            metavar="FILE",
            show_default=False,
            help="Remember handled events in this file, so that a restart neither repeats nor forgets one.",
        ),
    ] = None,
    print_unit: Annotated[
        bool, Option("--print-unit", help="Print a systemd unit that runs this command with these options.")
    ] = False,
) -> None:
    """Run a command before Azure stops this machine.

    Watches for scheduled events of this machine until SIGTERM or Ctrl-C, and runs the command once for each. The
    command gets the event in variables, such as AZURE_IMDS_EVENT_TYPE and AZURE_IMDS_EVENT_SECONDS, and as JSON on its
    standard input. It is ended before the event starts.
    """
    options = DrainOptions(
        event_types=parse_types(event_types),
        command=check_command(command),
        approve=approve,
        grace=check_grace(grace),
        once=once,
        state=state,
    )
    if print_unit:
        from .systemd_unit import make_unit

        print(make_unit(options, session.settings), end="")
    else:
        drain(session, options)


def drain(session: Session, options: DrainOptions) -> None:
    """Runs the command for each event until a signal, or with `once` for one event."""
    from .._client.client import ImdsClient
    from .._events.watcher import EventWatcher
    from .._log import log
    from .drain_state import DrainState
    from .event_commands import EventCommands, Rules

    def concerns(change: EventChange) -> bool:
        return change.kind == "added" and str(change.event.event_type).lower() in wanted

    wanted = {event_type.lower() for event_type in options.event_types}
    settings = session.settings
    show_steps()
    with (
        DrainState(options.state) as state,
        ImdsClient(settings.endpoint, deadline=settings.deadline) as imds,
        EventWatcher(imds) as watcher,
    ):
        approver = EventWatcher(imds.with_options(retry=None, deadline=APPROVAL_SECONDS))
        rules = Rules(
            command=options.command,
            grace=options.grace,
            concerns=concerns,
            approve=approver.approve if options.approve else None,
            once=options.once,
        )
        commands = EventCommands(watcher, rules, state, imds.options.clock)
        with stop_at_signals(commands.stop) as received:
            log.info("watching for events of this machine: %s", ", ".join(options.event_types))
            commands.run()
    if signal.SIGINT in received:
        raise SystemExit(Exit.INTERRUPTED)
    if options.once and (commands.failed or not commands.has_handled):
        raise SystemExit(Exit.FINDINGS)


def run_for_changes(session: Session, command: str, grace: float, *, every_machine: bool) -> None:
    """Runs the command for each change of an event until a signal."""
    from .._client.client import ImdsClient
    from .._events.watcher import EventWatcher
    from .event_commands import EventCommands, Rules

    settings = session.settings
    show_steps()
    with (
        ImdsClient(settings.endpoint, deadline=settings.deadline) as imds,
        EventWatcher(imds, resource=None if every_machine else "auto") as watcher,
    ):
        rules = Rules(command=command, grace=grace, concerns=lambda change: True)
        commands = EventCommands(watcher, rules, None, imds.options.clock)
        with stop_at_signals(commands.stop) as received:
            commands.run()
    if signal.SIGINT in received:
        raise SystemExit(Exit.INTERRUPTED)


@contextmanager
def stop_at_signals(stop: Callable[[], object]) -> Generator[list[int]]:
    """Calls `stop` at SIGTERM, SIGINT and SIGHUP. Yields the list of those that were received."""
    received: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        received.append(number)
        stop()

    previous: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in map(int, (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as with nohup
                previous[number] = signal.signal(number, handle)
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
