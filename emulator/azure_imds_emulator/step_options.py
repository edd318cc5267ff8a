"""The options of the command line that add events and scenarios: `--event Preempt --after 30`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .clock import Clock
from .events import EventSchedule
from .machine import Json
from .scenarios import ScenarioPlayer, list_scenarios
from .scheduled_event import NOTICE
from .settings import Settings

#: The attribute of the parsed arguments with the steps.
STEPS = "steps"


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


def add_step_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options to the parser."""
    group = parser.add_argument_group("events")
    group.add_argument(
        "--event",
        dest=STEPS,
        action=_BeginStep,
        const="event_type",
        choices=list(NOTICE),
        default=[],
        help="add a scheduled event with the documented notice; can be repeated",
    )
    group.add_argument(
        "--scenario",
        dest=STEPS,
        action=_BeginStep,
        const="name",
        choices=list(list_scenarios()),
        default=[],
        help="begin a scenario with the documented timing; can be repeated",
    )
    group.add_argument(
        "--after",
        dest=STEPS,
        action=_ChangeStep,
        const=(("--event", "--scenario"), "--event Preempt --after 30"),
        type=float,
        default=[],
        metavar="SECONDS",
        help="seconds until the event or scenario before this option appears (default: 0)",
    )
    group.add_argument(
        "--speed",
        dest=STEPS,
        action=_ChangeStep,
        const=(("--scenario",), "--scenario live-migration --speed 60"),
        type=float,
        default=[],
        metavar="FACTOR",
        help="how many times faster than documented the scenario before this option passes (default: 1)",
    )
    group.add_argument(
        "--loop",
        dest=STEPS,
        action=_ChangeStep,
        const=(("--scenario",), "--scenario spot-eviction --loop"),
        nargs=0,
        default=[],
        help="begin the scenario before this option again and again",
    )


def add_steps(settings: Settings, steps: Sequence[Step]) -> Settings:
    """Returns the settings with the steps after their events and scenarios.

    Raises:
        ValueError: a step has a wrong value. The message starts with the option.
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
            raise ValueError(f"--{error}") from error
        (events if is_event else scenarios).append(step.arguments)
    return replace(settings, events=events, scenarios=scenarios)
