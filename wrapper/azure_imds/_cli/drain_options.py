"""The options of `drain`, and their checks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_args

from typer import BadParameter, Option

from .settings import parse_seconds
from .suggestions import suggest

#: The types of events for which `drain` runs its command by default: all that end the machine or what runs on it.
DEFAULT_TYPES = "Preempt,Terminate,Redeploy,Reboot"
_LONGEST_GRACE = 600.0


Grace = Annotated[
    float,
    Option(
        "--grace",
        parser=parse_seconds,
        metavar="SECONDS",
        show_default=False,
        help="Seconds before the event starts at which the command gets SIGTERM. Then it has this time to end. "
        "Default: 5.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class DrainOptions:
    """The options of `drain`."""

    event_types: tuple[str, ...]
    command: str
    approve: bool
    grace: float
    once: bool
    state: Path | None


def parse_types(text: str) -> tuple[str, ...]:
    """The event types in a list with commas, as the specification writes them."""
    from azure_imds_api.models.known_event_type import KnownEventType

    types = {str(known).lower(): str(known) for known in get_args(KnownEventType)}
    given = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in given if word.lower() not in types]
    if unknown or not given:
        hint = suggest(unknown[0], types.values()) if unknown else ""
        problem = f"{unknown[0]!r} is not an event type" if unknown else "there is no event type"
        raise BadParameter(
            f"{problem}. The types are {', '.join(types.values())}, for example Preempt,Terminate.{hint}",
            param_hint="'--on'",
        )
    return tuple(dict.fromkeys(types[word.lower()] for word in given))


def check_command(command: str | None) -> str:
    """The command, if it can be run on this system."""
    if os.name == "nt":
        raise BadParameter(
            "not supported on Windows, which has no process groups. Use EventWatcher in Python.", param_hint="'--exec'"
        )
    if command is None or not command.strip() or "\0" in command:
        raise BadParameter("must be a command, for example 'systemctl stop app'.", param_hint="'--exec'")
    return command


def check_grace(grace: float) -> float:
    """The grace, if it is in its range."""
    if not 0 <= grace <= _LONGEST_GRACE:
        raise BadParameter(
            f"must be a number of seconds from 0 to {_LONGEST_GRACE:g}, for example 5.", param_hint="'--grace'"
        )
    return grace
