"""The options of the command line that add events, scenarios and faults: `--event Preempt --after 30`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .clock import Clock
from .events import EventSchedule
from .faults import FaultQueue
from .machine import Json
from .parser import Parser, make_choice, make_number, make_value_error, suggest
from .presets import PRESETS
from .scenarios import ScenarioPlayer, list_scenarios
from .scheduled_event import NOTICE
from .settings import Settings

#: The attribute of the parsed arguments with the steps.
STEPS = "steps"

_EVENTS, _FAULTS = "Scheduled events", "Faults"

#: Faults that are neither a status nor a preset.
_CONNECTION_FAULTS = ("hang", "close")


@dataclass
class Step:
    """An `--event`, `--scenario` or `--fault`, with the options after it.

    Attributes:
        option: the option that began the step.
        arguments: arguments of `Emulator.schedule`, `Emulator.play` or `Emulator.fail`.
    """

    option: str
    arguments: dict[str, Json] = field(default_factory=dict[str, Json])


class _BeginStep(argparse.Action):
    """Begins a step. `const` is the name of the argument. Without one, the value contains the arguments."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        value: Any = values
        step = Step(self.option_strings[0], {self.const: value} if self.const else value)
        setattr(namespace, STEPS, [*getattr(namespace, STEPS), step])


class _ChangeStep(argparse.Action):
    """Sets an argument of the last step. `const` contains the options that can begin this step, and an example."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        option = self.option_strings[0]
        beginnings, example = self.const
        steps: list[Step] = getattr(namespace, STEPS)
        if not steps or steps[-1].option not in beginnings:
            *others, last = beginnings
            listed = f"{', '.join(others)} or {last}" if others else last
            parser.error(f"{option} must follow {listed}, for example {example}")
        steps[-1].arguments[option.removeprefix("--")] = True if self.nargs == 0 else values


def add_step_options(parser: Parser) -> None:
    """Adds the options to the parser."""
    scenarios = list(list_scenarios())
    parser.add_option(
        _EVENTS,
        "--event",
        dest=STEPS,
        action=_BeginStep,
        const="event_type",
        type=make_choice(list(NOTICE)),
        default=[],
        metavar="TYPE",
        help=f"Add a scheduled event with the documented notice: {', '.join(NOTICE)}. Can be repeated.",
    )
    parser.add_option(
        _EVENTS,
        "--scenario",
        dest=STEPS,
        action=_BeginStep,
        const="name",
        type=make_choice(scenarios),
        default=[],
        metavar="NAME",
        help=f"Begin a scenario with the documented timing: {', '.join(scenarios)}. Can be repeated.",
    )
    parser.add_option(
        _EVENTS,
        "--after",
        dest=STEPS,
        action=_ChangeStep,
        const=(("--event", "--scenario", "--fault"), "--event Preempt --after 30"),
        type=make_number(float, "30"),
        default=[],
        metavar="SECONDS",
        help="Time until the event, scenario or fault before this option begins. Default: 0.",
    )
    parser.add_option(
        _EVENTS,
        "--speed",
        dest=STEPS,
        action=_ChangeStep,
        const=(("--scenario",), "--scenario live-migration --speed 60"),
        type=make_number(float, "60"),
        default=[],
        metavar="FACTOR",
        help="How many times faster than documented the scenario before this option passes. Default: 1.",
    )
    parser.add_option(
        _EVENTS,
        "--loop",
        dest=STEPS,
        action=_ChangeStep,
        const=(("--scenario",), "--scenario spot-eviction --loop"),
        nargs=0,
        default=[],
        help="Begin the scenario before this option again and again.",
    )
    _add_fault_options(parser)


def _add_fault_options(parser: Parser) -> None:
    parser.add_option(
        _FAULTS,
        "--fault",
        dest=STEPS,
        action=_BeginStep,
        type=_parse_fault,
        default=[],
        metavar="FAULT",
        help=f"Make the next request fail: a status such as 503, {', '.join(_CONNECTION_FAULTS)}, or a response of "
        f"real hosts: {', '.join(PRESETS)}. Can be repeated.",
    )
    parser.add_option(
        _FAULTS,
        "--times",
        dest=STEPS,
        action=_ChangeStep,
        const=(("--fault",), "--fault 503 --times 3"),
        type=make_number(int, "3"),
        default=[],
        metavar="COUNT",
        help="How many requests the fault before this option affects. Default: 1.",
    )
    parser.add_option(
        _FAULTS,
        "--path",
        dest=STEPS,
        action=_ChangeStep,
        const=(("--fault",), "--fault 404 --path /metadata/identity"),
        type=_parse_path,
        default=[],
        metavar="PATH",
        help="Limit the fault before this option to a path and all below it, or to a pattern with *.",
    )


def _parse_fault(text: str) -> dict[str, Json]:
    """The arguments of `Emulator.fail` for a status, a preset or a fault of the connection."""
    if text in PRESETS:
        return {"preset": text}
    if text in _CONNECTION_FAULTS:
        return {text: True}
    if len(text) == 3 and text.isascii() and text.isdigit() and 200 <= int(text) <= 599:
        return {"status": int(text)}
    names = [*_CONNECTION_FAULTS, *PRESETS]
    listed = ", ".join(map(repr, names))
    raise argparse.ArgumentTypeError(
        f"{text!r} is not a status from 200 to 599, or one of {listed}.{suggest(text, names)}"
    )


def _parse_path(text: str) -> str:
    if not text.startswith(("/", "*")):
        raise argparse.ArgumentTypeError(f"{text!r} does not begin with / or *, for example /metadata/identity")
    return text


def add_steps(settings: Settings, steps: Sequence[Step]) -> Settings:
    """Returns the settings with the steps after their events, scenarios and faults.

    Raises:
        UsageError: a step has a wrong value.
    """
    schedule = EventSchedule(settings.machine, Clock())
    targets: dict[str, tuple[Callable[..., object], list[dict[str, Json]]]] = {
        "--event": (schedule.schedule, list(settings.events)),
        "--scenario": (ScenarioPlayer(schedule).play, list(settings.scenarios)),
        "--fault": (FaultQueue(Clock()).fail, list(settings.faults)),
    }
    for step in steps:
        check, added = targets[step.option]
        try:
            check(**step.arguments)
        except ValueError as error:
            raise make_value_error(str(error).partition(" ")[0], error) from error
        added.append(step.arguments)
    events, scenarios, faults = (added for _, added in targets.values())
    return replace(settings, events=events, scenarios=scenarios, faults=faults)
