"""The options of the command line that add events and scenarios: `--event Preempt --after 30`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .clock import Clock
from .events import EventSchedule
from .machine import Json
from .parser import Parser, make_choice, make_number, make_value_error
from .scenarios import ScenarioPlayer, list_scenarios
from .scheduled_event import NOTICE
from .settings import Settings

#: The attribute of the parsed arguments with the steps.
STEPS = "steps"

_TOPIC = "Scheduled events"


@dataclass
class Step:
    """An `--event` or `--scenario`, with the options after it.

    Attributes:
        option: the option that began the step.
        arguments: arguments of `Emulator.schedule` or `Emulator.play`.
    """

    option: str
    arguments: dict[str, Json] = field(default_factory=dict[str, Json])


class _BeginStep(argparse.Action):
    """Begins a step. `const` is the name of the argument."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        setattr(namespace, STEPS, [*getattr(namespace, STEPS), Step(self.option_strings[0], {self.const: values})])


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
            parser.error(f"{option} must follow {' or '.join(beginnings)}, for example {example}")
        steps[-1].arguments[option.removeprefix("--")] = True if self.nargs == 0 else values


def add_step_options(parser: Parser) -> None:
    """Adds the options to the parser."""
    scenarios = list(list_scenarios())
    parser.add_option(
        _TOPIC,
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
        _TOPIC,
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
        _TOPIC,
        "--after",
        dest=STEPS,
        action=_ChangeStep,
        const=(("--event", "--scenario"), "--event Preempt --after 30"),
        type=make_number(float, "30"),
        default=[],
        metavar="SECONDS",
        help="Time until the event or scenario before this option appears. Default: 0.",
    )
    parser.add_option(
        _TOPIC,
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
        _TOPIC,
        "--loop",
        dest=STEPS,
        action=_ChangeStep,
        const=(("--scenario",), "--scenario spot-eviction --loop"),
        nargs=0,
        default=[],
        help="Begin the scenario before this option again and again.",
    )


def add_steps(settings: Settings, steps: Sequence[Step]) -> Settings:
    """Returns the settings with the steps after their events and scenarios.

    Raises:
        UsageError: a step has a wrong value.
    """
    schedule = EventSchedule(settings.machine, Clock())
    player = ScenarioPlayer(schedule)
    events, scenarios = list(settings.events), list(settings.scenarios)
    for step in steps:
        is_event = step.option == "--event"
        check: Callable[..., object] = schedule.schedule if is_event else player.play
        try:
            check(**step.arguments)
        except ValueError as error:
            option, _, problem = str(error).partition(" ")
            raise make_value_error(f"--{option}", problem) from error
        (events if is_event else scenarios).append(step.arguments)
    return replace(settings, events=events, scenarios=scenarios)
