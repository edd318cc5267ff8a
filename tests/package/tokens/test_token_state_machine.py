"""Any order of calls, failures, jumps of the clocks, refreshes and clears: what always holds."""

from __future__ import annotations

import contextlib
import logging
from contextvars import ContextVar
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from azure_imds import ImdsUnavailableError
from azure_imds._tokens.cache import ALMOST_EXPIRED, LONG_LIFE, REFRESH_PAUSE
from azure_imds_api.api.identity import IDENTITY_GET_TOKEN
from support import COLOURS, Colour
from token_support import DAY, DOWN, HOUR, Clocks, Gate, Imds, holding, number

RESOURCES = ["https://a", "https://b"]
LIVES = st.sampled_from([-10, 0, 1, 60, 299, 301, 1000, HOUR, LONG_LIFE - 1, LONG_LIFE, DAY])
#: Seconds that a token request may take; a later answer is none.
ATTEMPT = IDENTITY_GET_TOKEN.response_seconds or 0
SPANS = st.sampled_from([0.5, 1, 31, 299, 1000, HOUR, DAY / 2, DAY])


#: What both clocks said when the request was sent: a token's life counts from there, however late the answer comes.
ASKED: ContextVar[tuple[float, float]] = ContextVar("ASKED")


class Known:
    """What a careful reader of the protocol knows of one token; both clocks must agree that it is good."""

    def __init__(
        self, wall: float, ticks: float, on: float | None, within: float | None, refresh: float | None
    ) -> None:
        self.ends = wall + (within or 0) if on is None else on
        life = self.ends - wall if within is None else within
        self.ends_ticks = ticks + life
        if refresh is None and life >= LONG_LIFE:
            refresh = life / 2
        self.due = min(self.ends - ALMOST_EXPIRED, wall + (DAY * 99 if refresh is None else refresh))
        self.due_ticks = ticks + min(life - ALMOST_EXPIRED, DAY * 99 if refresh is None else refresh)

    def valid(self, clock: Clocks) -> bool:
        return clock.wall < self.ends and clock.ticks < self.ends_ticks

    def fresh(self, clock: Clocks) -> bool:
        return clock.wall < self.due and clock.ticks < self.due_ticks


class World(Imds):
    """An IMDS that knows the true time, and what it told whom.

    Attributes:
        truth: seconds that have truly passed.
        ahead: seconds by which the machine's wall clock is ahead of what IMDS goes by.
        form: which of expires_on and expires_in an answer has: on, in or both.
    """

    def __init__(self, clocks: Clocks) -> None:
        super().__init__(clocks)
        self.clocks = clocks
        self.truth = 0.0
        self.ahead = 0.0
        self.form = "both"
        self.refresh_in: int | None = None
        self.ends: dict[int, float] = {}
        self.known: dict[int, Known] = {}

    def _enter(self, request: httpx.Request) -> Gate | None:
        ASKED.set((self.clocks.wall, self.clocks.ticks))
        return super()._enter(request)

    def answer(self, number: int) -> dict[str, Any]:
        # With expires_on alone, a machine whose clock is behind cannot know.
        form = "both" if self.ahead < 0 else self.form
        on = None if form == "in" else int(self.clocks.wall - self.ahead + self.life)
        within = None if form == "on" else int(self.life)
        self.ends[number] = self.truth + self.life
        self.known[number] = Known(*ASKED.get(), on, within, self.refresh_in)
        self.fields = {"expires_on": on, "expires_in": within, "refresh_in": self.refresh_in}
        return super().answer(number)


class TokenMachine(RuleBasedStateMachine):
    """Two resources of one credential, in a world where everything else changes. One refresh at a time may hang."""

    colour: Colour

    @initialize(trouble=st.sampled_from(["wall clock", "sleep"]))
    def begin(self, trouble: str) -> None:
        # Not both in one world: a machine that sleeps while its wall clock is set back cannot know.
        self.trouble = trouble
        self.clock = Clocks()
        self.imds = World(self.clock)
        self.stack = contextlib.ExitStack()
        self.held = self.stack.enter_context(holding(self.colour, transport=self.imds, clock=self.clock, retry=None))
        self.kept: dict[str, int] = {}
        self.not_before: dict[str, float] = {}
        self.gate: Gate | None = None
        self.hanging = ""  # the resource whose refresh hangs
        self.outdated = False  # whether what it brings is worth nothing any more
        # A world in which a token is due is the more interesting one.
        self.somebody_asks(RESOURCES[0], hang=False)
        self.time_passes(DAY / 2)

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.what_hangs_goes_on()
            self.stack.close()

    # The world

    @rule(seconds=SPANS)
    def time_passes(self, seconds: float) -> None:
        self.imds.truth += seconds
        self.clock.advance(seconds)

    @precondition(lambda self: self.trouble == "wall clock")
    @rule(seconds=SPANS, back=st.booleans())
    def the_wall_clock_is_set(self, seconds: float, back: bool) -> None:
        step = -seconds if back else seconds
        self.imds.ahead += step
        self.clock.step(step)

    @precondition(lambda self: self.trouble == "sleep")
    @rule(seconds=SPANS)
    def the_machine_sleeps(self, seconds: float) -> None:
        self.imds.truth += seconds
        self.clock.step(seconds)

    @rule(away=st.booleans())
    def imds_goes_or_comes_back(self, away: bool) -> None:
        self.imds.failure = DOWN if away else None

    @rule(life=LIVES, form=st.sampled_from(["both", "on", "in"]), refresh_in=st.sampled_from([None, 0, 50, HOUR]))
    def answers_change(self, life: int, form: str, refresh_in: int | None) -> None:
        self.imds.life, self.imds.form, self.imds.refresh_in = life, form, refresh_in

    @rule()
    def what_hangs_goes_on(self) -> None:
        gate, self.gate = self.gate, None
        if gate is not None:
            late = self.clock.ticks - self.hanging_since > ATTEMPT
            gate.open()
            self.held.settle()
            self.refresh_ended(self.hanging, failed=late or self.imds.failure is not None, outdated=self.outdated)
            self.hanging, self.outdated = "", False

    # The callers

    @rule(resource=st.sampled_from(RESOURCES), hang=st.booleans())
    def somebody_asks(self, resource: str, hang: bool) -> None:
        known = self.known(resource)
        if self.gate is not None and not (resource == self.hanging and known):
            self.what_hangs_goes_on()
            known = self.known(resource)
        requests = len(self.imds)
        if known is None:
            if self.imds.failure is None:
                self.take(resource, number(self.held.get_token(resource)), forced=False)
            else:
                assert isinstance(self.held.error(resource), ImdsUnavailableError)
            assert len(self.imds) == requests + 1, "without a valid token there is always one request"
            return
        due = not known.fresh(self.clock) and self.clock.ticks >= self.not_before.get(resource, 0.0)
        starts = due and (self.gate is None or self.outdated)
        if starts and self.gate is not None:
            self.what_hangs_goes_on()
            return
        if starts and hang:
            self.gate, self.hanging, self.hanging_since = Gate(), resource, self.clock.ticks
            self.imds.gates = [self.gate]
        assert number(self.held.get_token(resource)) == self.kept[resource]
        if starts and hang and self.gate is not None:
            self.gate.wait_for()
        elif starts:
            self.held.settle()
            self.refresh_ended(resource, failed=self.imds.failure is not None, outdated=False)
        assert len(self.imds) == requests + starts, "with a valid token, one request if it is due and no pause is on"

    @rule(resource=st.sampled_from(RESOURCES), claims=st.sampled_from(["", "c"]))
    def somebody_forces(self, resource: str, claims: str) -> None:
        requests = len(self.imds)
        options: dict[str, Any] = {"claims": claims} if claims else {"force_refresh": True}
        if self.imds.failure is None:
            self.take(resource, number(self.held.get_token(resource, **options)), forced=True)
            self.outdated = self.outdated or resource == self.hanging
        else:
            assert isinstance(self.held.error(resource, **options), ImdsUnavailableError)
        assert len(self.imds) == requests + 1
        assert self.imds.query()["bypass_cache"] == "true"

    @rule()
    def somebody_clears(self) -> None:
        self.held.clear()
        self.kept.clear()
        self.not_before.clear()
        self.outdated = self.gate is not None

    # What is known

    def known(self, resource: str) -> Known | None:
        """What is known of the token that is kept, if that is valid."""
        known = self.imds.known.get(self.kept.get(resource, 0))
        return known if known is not None and known.valid(self.clock) else None

    def refresh_ended(self, resource: str, *, failed: bool, outdated: bool) -> None:
        if failed:
            self.not_before[resource] = self.clock.ticks + REFRESH_PAUSE
        elif not outdated:
            self.take(resource, max(self.imds.known), forced=False)

    def take(self, resource: str, token: int, *, forced: bool) -> None:
        known = self.imds.known[token]
        if known.valid(self.clock):
            self.kept[resource] = token
        elif forced:
            self.kept.pop(resource, None)
        self.not_before[resource] = 0.0 if known.fresh(self.clock) else self.clock.ticks + REFRESH_PAUSE

    # What always holds

    @invariant()
    def no_token_that_has_truly_expired_is_held_to_be_valid(self) -> None:
        for resource in RESOURCES:
            found = self.held.credential._cache.get((resource,), resource)
            # IMDS speaks in whole seconds.
            assert found is None or self.imds.truth < self.imds.ends[number(found.token)] + 1

    @invariant()
    def requests_for_one_key_follow_each_other(self) -> None:
        assert self.imds.most_at_once <= (2 if self.gate is not None or self.imds.most_at_once == 2 else 1)


SETTINGS = settings(
    max_examples=80, stateful_step_count=40, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("colour", COLOURS, ids=str)
def test_the_laws_hold_in_any_order_of_events(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "azure_imds")
    run_state_machine_as_test(type("Machine", (TokenMachine,), {"colour": colour}), settings=SETTINGS)
