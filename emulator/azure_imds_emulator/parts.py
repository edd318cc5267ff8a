"""The parts of one emulator that can be changed while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from .clock import Clock
from .events import EventSchedule
from .faults import FaultQueue
from .identity import TokenService
from .limits import Limits
from .requests import RequestLog
from .scenarios import ScenarioPlayer
from .settings import Settings


@dataclass(frozen=True, repr=False)
class Parts:
    """The parts of one emulator.

    Attributes:
        settings: the settings at its start.
        clock: its clock.
        events: its scheduled events.
        faults: its pending faults.
        limits: its rate limits.
        requests: the requests that it received.
        scenarios: its scenarios.
        tokens: its tokens.
    """

    settings: Settings
    clock: Clock
    events: EventSchedule
    faults: FaultQueue
    limits: Limits
    requests: RequestLog
    scenarios: ScenarioPlayer
    tokens: TokenService
