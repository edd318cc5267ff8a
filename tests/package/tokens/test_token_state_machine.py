"""Invariants of a credential for any order of calls, failures, clock jumps, refreshes and clears."""

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
#: Seconds that a token request may take. A later answer counts as a failure.
ATTEMPT = IDENTITY_GET_TOKEN.response_seconds or 0
SPANS = st.sampled_from([0.5, 1, 31, 299, 1000, HOUR, DAY / 2, DAY])


#: The times of both clocks when the request was sent. A lifetime starts there, however late the answer arrives.
ASKED: ContextVar[tuple[float, float]] = ContextVar("ASKED")


class Known:
    """The times of a token according to the protocol. Both clocks must agree that it is valid."""

    def __init__(
        self, wall: float, ticks: float, on: float | None, within: float | None, refresh: float | None
    ) -> None:
        self.ends = wall + (within or 0) if on is None else on
        life = self.ends - wall if within is None else within
        if on is not None and on <= wall and (within is None or within > 0):
            # The clock is ahead, or the token is old.
            life = REFRESH_PAUSE if within is None else within
            self.ends = wall + life
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
    """An IMDS that knows the true time and records its answers.

    Attributes:
        truth: the seconds that have really passed.
        ahead: the seconds by which the machine's wall clock is ahead of IMDS's clock.
        form: which of expires_on and expires_in an answer contains: on, in or both.
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
        # With expires_on alone, a machine whose clock is behind cannot know the lifetime.
        form = "both" if self.ahead < 0 else self.form
        on = None if form == "in" else int(self.clocks.wall - self.ahead + self.life)
        within = None if form == "on" else int(self.life)
        # Without expires_in, a token that has expired by the wall clock may be valid. It is kept for a short time.
        is_unsure = on is not None and within is None and on <= ASKED.get()[0]
        self.ends[number] = self.truth + max(self.life, REFRESH_PAUSE if is_unsure else self.life)
        self.known[number] = Known(*ASKED.get(), on, within, self.refresh_in)
        self.fields = {"expires_on": on, "expires_in": within, "refresh_in": self.refresh_in}
        return super().answer(number)


class TokenMachine(RuleBasedStateMachine):
    """Two resources of one credential, while everything else changes. One refresh at a time may hang."""

    colour: Colour

    @initialize(trouble=st.sampled_from(["wall clock", "sleep"]))
    def begin(self, trouble: str) -> None:
        # Not both in one run: a machine that is suspended while its wall clock is set back cannot know the time.
        self.trouble = trouble
        self.clock = Clocks()
        self.imds = World(self.clock)
        self.stack = contextlib.ExitStack()
        self.held = self.stack.enter_context(holding(self.colour, transport=self.imds, clock=self.clock, retry=None))
        self.kept: dict[str, int] = {}
        self.not_before: dict[str, float] = {}
        self.gate: Gate | None = None
        self.hanging = ""  # the resource whose refresh hangs
        self.outdated = False  # whether the result of that refresh will be dropped
        # More can happen while a token is due.
        self.a_caller_asks(RESOURCES[0], hang=False)
        self.time_passes(DAY / 2)

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.the_hanging_refresh_continues()
            self.stack.close()

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
    def the_machine_is_suspended(self, seconds: float) -> None:
        self.imds.truth += seconds
        self.clock.step(seconds)

    @rule(away=st.booleans())
    def imds_fails_or_recovers(self, away: bool) -> None:
        self.imds.failure = DOWN if away else None

    @rule(life=LIVES, form=st.sampled_from(["both", "on", "in"]), refresh_in=st.sampled_from([None, 0, 50, HOUR]))
    def answers_change(self, life: int, form: str, refresh_in: int | None) -> None:
        self.imds.life, self.imds.form, self.imds.refresh_in = life, form, refresh_in

    @rule()
    def the_hanging_refresh_continues(self) -> None:
        gate, self.gate = self.gate, None
        if gate is not None:
            late = self.clock.ticks - self.hanging_since > ATTEMPT
            gate.open()
            self.held.wait_for_refreshes()
            self.refresh_ended(self.hanging, failed=late or self.imds.failure is not None, outdated=self.outdated)
            self.hanging, self.outdated = "", False

    @rule(resource=st.sampled_from(RESOURCES), hang=st.booleans())
    def a_caller_asks(self, resource: str, hang: bool) -> None:
        known = self.known(resource)
        if self.gate is not None and not (resource == self.hanging and known):
            self.the_hanging_refresh_continues()
            known = self.known(resource)
        requests = len(self.imds)
        if known is None:
            if self.imds.failure is None:
                self.store(resource, number(self.held.get_token(resource)), forced=False)
            else:
                assert isinstance(self.held.error(resource), ImdsUnavailableError)
            assert len(self.imds) == requests + 1, "without a valid token there is always one request"
            return
        due = not known.fresh(self.clock) and self.clock.ticks >= self.not_before.get(resource, 0.0)
        starts = due and (self.gate is None or self.outdated)
        if starts and self.gate is not None:
            self.the_hanging_refresh_continues()
            return
        if starts and hang:
            self.gate, self.hanging, self.hanging_since = Gate(), resource, self.clock.ticks
            self.imds.gates = [self.gate]
        assert number(self.held.get_token(resource)) == self.kept[resource]
        if starts and hang and self.gate is not None:
            self.gate.wait_for()
        elif starts:
            self.held.wait_for_refreshes()
            self.refresh_ended(resource, failed=self.imds.failure is not None, outdated=False)
        assert len(self.imds) == requests + starts, "with a valid token, one request if it is due and there is no pause"

    @rule(resource=st.sampled_from(RESOURCES), claims=st.sampled_from(["", "c"]))
    def a_caller_forces_a_refresh(self, resource: str, claims: str) -> None:
        requests = len(self.imds)
        options: dict[str, Any] = {"claims": claims} if claims else {"force_refresh": True}
        if self.imds.failure is None:
            self.store(resource, number(self.held.get_token(resource, **options)), forced=True)
            self.outdated = self.outdated or resource == self.hanging
        else:
            assert isinstance(self.held.error(resource, **options), ImdsUnavailableError)
        assert len(self.imds) == requests + 1
        assert self.imds.query()["bypass_cache"] == "true"

    @rule()
    def a_caller_clears(self) -> None:
        self.held.clear()
        self.kept.clear()
        self.not_before.clear()
        self.outdated = self.gate is not None

    def known(self, resource: str) -> Known | None:
        """Returns the times of the stored token, if it is valid."""
        known = self.imds.known.get(self.kept.get(resource, 0))
        return known if known is not None and known.valid(self.clock) else None

    def refresh_ended(self, resource: str, *, failed: bool, outdated: bool) -> None:
        if failed:
            self.not_before[resource] = self.clock.ticks + REFRESH_PAUSE
        elif not outdated:
            self.store(resource, max(self.imds.known), forced=False)

    def store(self, resource: str, token: int, *, forced: bool) -> None:
        known = self.imds.known[token]
        if known.valid(self.clock):
            self.kept[resource] = token
        elif forced:
            self.kept.pop(resource, None)
        self.not_before[resource] = 0.0 if known.fresh(self.clock) else self.clock.ticks + REFRESH_PAUSE

    @invariant()
    def no_expired_token_counts_as_valid(self) -> None:
        for resource in RESOURCES:
            found = self.held.credential._cache.get((resource,), resource)
            # IMDS rounds to whole seconds.
            assert found is None or self.imds.truth < self.imds.ends[number(found.token)] + 1

    @invariant()
    def requests_for_one_resource_do_not_overlap(self) -> None:
        assert self.imds.most_at_once <= (2 if self.gate is not None or self.imds.most_at_once == 2 else 1)


SETTINGS = settings(
    max_examples=80, stateful_step_count=40, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.integration
@pytest.mark.parametrize("colour", COLOURS, ids=str)
def test_the_invariants_hold_in_any_order_of_events(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "azure_imds")
    run_state_machine_as_test(type("Machine", (TokenMachine,), {"colour": colour}), settings=SETTINGS)
