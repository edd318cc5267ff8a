"""Waits are random, endpoints that were never there get little time, and a user's function decides about retries."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from azure_imds import (
    ArcChallengeError,
    IdentityNotFoundError,
    ImdsClient,
    ImdsError,
    ImdsResponseError,
    ImdsTimeoutError,
    ImdsUnavailableError,
    RetryPolicy,
    ServerError,
)
from azure_imds._clock import Clock
from azure_imds_api import models
from support import Colour, FakeClock, Script, answer, example, get_token, ok

NOT_FOUND = answer(400, {"error": "invalid_request", "error_description": "Identity not found"})
UNAVAILABLE = answer(503, {"error": "x"})


class Recorded(Clock):
    """Records the ceiling of each random part."""

    def __init__(self) -> None:
        self.ceilings: list[float] = []

    def jitter(self, ceiling: float) -> float:
        self.ceilings.append(ceiling)
        return 0.0


POLICIES = {
    "usual": RetryPolicy(),
    "short": RetryPolicy(longest_wait=1.0),
    "shorter than polite": RetryPolicy(longest_wait=0.5, polite_wait=2.0),
    "none": RetryPolicy(first_wait=0.0),
    "long": RetryPolicy(first_wait=50.0),
}


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize("failures", [1, 2, 5, 20])
@pytest.mark.parametrize(("status", "retry_after"), [(429, None), (500, None), (429, 7.0), (503, 0.0), (410, None)])
def test_every_wait_after_a_response_has_a_random_part(
    policy: RetryPolicy, failures: int, status: int, retry_after: float | None
) -> None:
    clock = Recorded()
    assert policy.wait(failures, status, retry_after, clock) > 0
    assert clock.ceilings[0] >= 0.5


def test_no_wait_is_longer_than_the_longest() -> None:
    policy = RetryPolicy(first_wait=8.0, longest_wait=10.0)
    assert [policy.wait(failures, 500, None, FakeClock()) for failures in (1, 2, 3, 40)] == [9.0, 10.0, 10.0, 10.0]
    assert [policy.wait(failures, None, None, FakeClock()) for failures in (1, 2, 3, 40)] == [8.0, 10.0, 10.0, 10.0]


# Endpoints that are not there

NOTHING_THERE = [
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("late"),
    ConnectionRefusedError(111, "Connection refused"),
]


@pytest.mark.parametrize("failure", NOTHING_THERE, ids=lambda failure: type(failure).__name__)
def test_an_endpoint_that_was_never_there_gets_five_seconds(colour: Colour, failure: Exception) -> None:
    clock = FakeClock()
    start = clock.now
    error = colour.error(get_token, transport=Script(failure), clock=clock)
    assert isinstance(error, ImdsUnavailableError)
    assert clock.now - start <= 5
    assert len(clock.waits) > 1


def test_the_first_timeout_states_the_time_that_the_call_had(colour: Colour) -> None:
    failure = httpx.ConnectTimeout("late")
    error = colour.error(get_token, transport=Script(failure), clock=FakeClock(), retry=None)
    assert isinstance(error, ImdsTimeoutError)
    assert error.deadline == 5


@pytest.mark.parametrize("failure", NOTHING_THERE, ids=lambda failure: type(failure).__name__)
def test_a_deadline_of_the_caller_applies_instead(colour: Colour, failure: Exception) -> None:
    clock = FakeClock()
    start = clock.now
    policy = RetryPolicy(attempts=100, longest_wait=5)
    colour.error(get_token, transport=Script(failure), clock=clock, deadline=60, retry=policy)
    assert 50 < clock.now - start <= 60


@pytest.mark.parametrize("first", [ok(), UNAVAILABLE], ids=["success", "503"])
def test_an_endpoint_that_has_answered_gets_the_usual_time(colour: Colour, first: httpx.Response) -> None:
    policy = RetryPolicy(attempts=100, longest_wait=5)
    colour.run(get_token, transport=Script(first, ok()), clock=FakeClock())
    clock = FakeClock()
    start = clock.now
    colour.error(get_token, transport=Script(httpx.ConnectError("refused")), clock=clock, retry=policy)
    assert 20 < clock.now - start <= 30


def test_an_endpoint_that_answers_later_in_the_call_gets_the_usual_time(colour: Colour) -> None:
    clock = FakeClock()
    script = Script(httpx.ConnectError("refused"), *[UNAVAILABLE] * 4, ok())
    assert colour.run(get_token, transport=script, clock=clock).token_type == "Bearer"
    assert sum(clock.waits) > 5


# The user's function


class Decision:
    """A function that returns the same decision for every error, and records its arguments."""

    def __init__(self, decision: bool | None) -> None:
        self.calls: list[tuple[str, int]] = []
        self._decision = decision

    def __call__(self, error: ImdsError, attempt: int) -> bool | None:
        self.calls.append((type(error).__name__, attempt))
        return self._decision


@pytest.mark.parametrize(
    ("failure", "kind", "by_default"),
    [
        (NOT_FOUND, IdentityNotFoundError, 1),
        (UNAVAILABLE, ServerError, 3),
        (httpx.ReadTimeout("late"), ImdsTimeoutError, 3),
        (answer(200, {"access_token": 5}), ImdsResponseError, 1),
        (answer(204), ImdsResponseError, 1),
        (answer(200, "<html>", server=""), ImdsUnavailableError, 1),
    ],
    ids=["400", "503", "timeout", "unreadable", "204", "not IMDS"],
)
@pytest.mark.parametrize("decision", [True, False, None])
def test_the_function_decides_about_every_error(
    colour: Colour, failure: Any, kind: type[ImdsError], by_default: int, decision: bool | None
) -> None:
    decide, script = Decision(decision), Script(failure)
    policy = RetryPolicy(attempts=3, retry=decide)
    error = colour.error(get_token, transport=script, clock=FakeClock(), retry=policy)
    assert isinstance(error, kind)
    attempts = {True: 3, False: 1, None: by_default}[decision]
    assert len(script.requests) == attempts
    assert decide.calls == [(kind.__name__, number) for number in range(1, attempts + 1)]


@pytest.mark.parametrize(("decision", "attempts"), [(True, 3), (False, 1), (None, 1)])
def test_the_function_decides_about_a_failed_challenge(
    colour: Colour, decision: bool | None, attempts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_IMDS_ARC_TOKEN_DIR", str(tmp_path))
    decide = Decision(decision)
    script = Script(answer(401, b"", www_authenticate=f"Basic realm={tmp_path}/missing.key"))
    policy = RetryPolicy(attempts=3, retry=decide)
    options: dict[str, Any] = {"endpoint": "http://127.0.0.1:1", "clock": FakeClock(), "retry": policy}
    error = colour.error(get_token, transport=script, **options)
    assert isinstance(error, ArcChallengeError)
    assert len(decide.calls) == len(script.requests) == attempts


def test_a_key_that_appears_later_is_used_if_the_function_says_so(
    colour: Colour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_IMDS_ARC_TOKEN_DIR", str(tmp_path))

    def agent(request: httpx.Request) -> httpx.Response:
        return ok() if "authorization" in request.headers else challenge

    def decide(error: ImdsError, attempt: int) -> bool | None:
        (tmp_path / "late.key").write_text("key")
        return isinstance(error, ArcChallengeError) or None

    challenge = answer(401, b"", www_authenticate=f"Basic realm={tmp_path}/late.key")
    policy = RetryPolicy(retry=decide)
    options: dict[str, Any] = {"endpoint": "http://127.0.0.1:1", "clock": FakeClock(), "retry": policy}
    assert colour.run(get_token, transport=Script(agent), **options).token_type == "Bearer"


@pytest.mark.parametrize(("decision", "attempts"), [(True, 3), (False, 1)])
def test_the_function_decides_about_requests_with_an_effect(colour: Colour, decision: bool, attempts: int) -> None:
    script = Script(UNAVAILABLE)
    body = models.StartEventsRequest.from_dict(example("scheduledevents-start-request"))
    policy = RetryPolicy(attempts=3, retry=Decision(decision))
    colour.error(
        lambda imds: imds.scheduled_events.start_events(body=body), transport=script, clock=FakeClock(), retry=policy
    )
    assert len(script.requests) == attempts


def test_the_deadline_applies_to_retries_of_the_function(colour: Colour) -> None:
    clock = FakeClock()
    start = clock.now
    policy = RetryPolicy(attempts=1000, retry=Decision(True))
    colour.error(get_token, transport=Script(NOT_FOUND), clock=clock, retry=policy, deadline=12)
    assert clock.now - start <= 12


def test_an_exception_of_the_function_reaches_the_caller(colour: Colour) -> None:
    failure = LookupError("the user's own")

    def decide(error: ImdsError, attempt: int) -> bool | None:
        raise failure

    error = colour.error(get_token, transport=Script(NOT_FOUND), clock=FakeClock(), retry=RetryPolicy(retry=decide))
    assert error is failure


def retry_missing_identity(error: ImdsError, attempt: int) -> bool | None:
    return isinstance(error, IdentityNotFoundError) or None


@pytest.mark.parametrize(
    "change", [lambda one: one, lambda one: pickle.loads(pickle.dumps(one))], ids=["same", "pickled"]
)
def test_a_policy_with_a_function_can_be_pickled(change: Callable[[Any], Any]) -> None:
    policy = change(RetryPolicy(attempts=9, retry=retry_missing_identity))
    assert policy == RetryPolicy(attempts=9, retry=retry_missing_identity)
    assert change(ImdsClient(retry=policy)).options.retry == policy
