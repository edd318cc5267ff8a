"""When the client retries, after how long, and when it stops."""

from __future__ import annotations

import email.utils
import random

import httpx
import pytest

from azure_imds import (
    BadRequestError,
    ForbiddenError,
    GoneError,
    ImdsTimeoutError,
    ImdsUnavailableError,
    ImdsValidationError,
    NotFoundError,
    RetryPolicy,
    ServerError,
    ThrottledError,
)
from azure_imds._client.retry import retry_after_seconds
from azure_imds._clock import Clock
from support import Colour, FakeClock, Script, answer, example, get_token, ok

UPDATING = answer(410, {"error": "gone", "error_description": "Gone"})


@pytest.mark.parametrize("status", [404, 408, 410, 429, 500, 502, 503, 504, 599])
def test_a_temporary_status_is_retried_on_identity(colour: Colour, status: int) -> None:
    script = Script(answer(status, {"error": "x"}), answer(status, {"error": "x"}), ok())
    result = colour.run(get_token, transport=script, clock=FakeClock())
    assert result.token_type == "Bearer"
    assert len(script.requests) == 3


@pytest.mark.parametrize("status", [301, 302, 400, 401, 403, 405, 407, 409, 418, 451])
def test_any_other_status_is_final(colour: Colour, status: int) -> None:
    script = Script(answer(status, {"error": "x"}), ok())
    error = colour.error(get_token, transport=script, clock=FakeClock())
    assert getattr(error, "status_code", None) == status
    assert len(script.requests) == 1


def test_404_is_final_outside_identity(colour: Colour) -> None:
    script = Script(answer(404, {"error": "Not found"}))
    error = colour.error(lambda imds: imds.load_balancer.get_metadata(), transport=script, clock=FakeClock())
    assert isinstance(error, NotFoundError)
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("late"),
        httpx.ReadTimeout("late"),
        httpx.ReadError("reset"),
        httpx.WriteError("reset"),
        httpx.RemoteProtocolError("closed"),
        ConnectionResetError("reset"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_a_failed_connection_is_retried(colour: Colour, failure: Exception) -> None:
    script = Script(failure, ok())
    assert colour.run(get_token, transport=script, clock=FakeClock()).token_type == "Bearer"


def test_one_attempt_without_a_policy(colour: Colour) -> None:
    script = Script(answer(503, {"error": "x"}), ok())
    error = colour.error(get_token, transport=script, retry=None)
    assert isinstance(error, ServerError)
    assert error.attempts == 1


def test_it_gives_up_after_the_policy_s_attempts(colour: Colour) -> None:
    script, clock = Script(answer(500, {"error": "x"})), FakeClock()
    error = colour.error(get_token, transport=script, clock=clock, deadline=1000)
    assert isinstance(error, ServerError)
    assert (error.attempts, len(script.requests), error.retryable) == (6, 6, True)
    assert clock.waits == [1.8, 2.6, 4.2, 7.4, 13.8], "a second and the ceiling, which doubles"
    assert error.elapsed == pytest.approx(sum(clock.waits))


def test_it_never_waits_past_the_deadline(colour: Colour) -> None:
    script, clock = Script(answer(500, {"error": "x"})), FakeClock()
    start = clock.now
    error = colour.error(get_token, transport=script, clock=clock, deadline=5)
    assert isinstance(error, ServerError)
    assert clock.now - start < 5


def test_waits_are_jittered_over_their_whole_range() -> None:
    class Real(Clock):
        def __init__(self) -> None:
            self.random = random.Random(1)

        def jitter(self, ceiling: float) -> float:
            return self.random.uniform(0, ceiling)

    policy, clock = RetryPolicy(), Real()
    waits = [policy.wait(4, None, None, clock) for _ in range(1000)]
    assert 0 <= min(waits) < 0.2
    assert 6.2 < max(waits) <= 6.4


def test_429_is_never_retried_immediately(colour: Colour) -> None:
    class Lucky(FakeClock):
        def jitter(self, ceiling: float) -> float:
            return 0.0

    clock = Lucky()
    colour.run(get_token, transport=Script(answer(429, {"error": "x"}, retry_after="0"), ok()), clock=clock)
    assert clock.waits == [1.0]


def test_retry_after_in_seconds_is_obeyed(colour: Colour) -> None:
    clock = FakeClock()
    colour.run(get_token, transport=Script(answer(429, {"error": "x"}, retry_after="7"), ok()), clock=clock)
    assert clock.waits == [8.0]


def test_retry_after_as_a_date_is_obeyed(colour: Colour) -> None:
    clock = FakeClock()
    date = email.utils.formatdate(clock.now + 9, usegmt=True)
    colour.run(get_token, transport=Script(answer(503, {"error": "x"}, retry_after=date), ok()), clock=clock)
    assert clock.waits == [10.0]


def test_a_retry_after_beyond_the_deadline_ends_the_call_immediately(colour: Colour) -> None:
    clock = FakeClock()
    script = Script(answer(429, {"error": "x"}, retry_after="3600"))
    error = colour.error(get_token, transport=script, clock=clock)
    assert isinstance(error, ThrottledError)
    assert error.retry_after == 3600
    assert clock.waits == []


@pytest.mark.parametrize("garbage", ["", "soon", "-5", "nan", "inf", "1e999", "Mon, 99 Foo", "٣", "0x10"])
def test_an_invalid_retry_after_is_ignored(garbage: str) -> None:
    assert not retry_after_seconds(garbage, now=0.0)


def test_410_is_retried_for_seventy_seconds(colour: Colour) -> None:
    clock = FakeClock()
    start = clock.now
    error = colour.error(get_token, transport=Script(UPDATING), clock=clock)
    assert isinstance(error, GoneError)
    assert 70 <= clock.now - start <= 75


def test_410_ends_with_the_update(colour: Colour) -> None:
    clock = FakeClock()
    script = Script(*[UPDATING] * 12, ok())
    assert colour.run(get_token, transport=script, clock=clock).token_type == "Bearer"


def test_410_stays_within_a_deadline_that_the_caller_set(colour: Colour) -> None:
    clock = FakeClock()
    start = clock.now
    error = colour.error(get_token, transport=Script(UPDATING), clock=clock, deadline=20)
    assert isinstance(error, GoneError)
    assert clock.now - start <= 20


def test_an_error_response_is_raised_even_if_a_timeout_follows(colour: Colour) -> None:
    script = Script(answer(429, {"error": "invalid_request"}), httpx.ReadTimeout("late"))
    error = colour.error(get_token, transport=script, clock=FakeClock())
    assert isinstance(error, ThrottledError)
    assert error.attempts == len(script.requests) > 1


def test_no_response_at_all_is_a_timeout(colour: Colour) -> None:
    error = colour.error(get_token, transport=Script(httpx.ReadTimeout("late")), clock=FakeClock(), deadline=3)
    assert isinstance(error, ImdsTimeoutError)
    assert isinstance(error, TimeoutError)
    assert error.deadline == 3


def test_only_refused_connections_are_unavailable(colour: Colour) -> None:
    error = colour.error(get_token, transport=Script(httpx.ConnectError("refused")), clock=FakeClock())
    assert type(error) is ImdsUnavailableError
    assert "refused" in str(error)


def test_each_attempt_has_its_own_request_id(colour: Colour) -> None:
    script = Script(answer(500, {"error": "x"}), answer(500, {"error": "x"}), ok())
    colour.run(get_token, transport=script, clock=FakeClock())
    ids = {request.headers["x-ms-client-request-id"] for request in script.requests}
    assert len(ids) == 3


def test_the_approval_of_an_event_may_be_retried(colour: Colour) -> None:
    from azure_imds_api import models

    script = Script(answer(500, {"error": "x"}), answer(200, example("scheduledevents-started")))
    body = models.StartEventsRequest.from_dict(example("scheduledevents-start-request"))
    colour.run(lambda imds: imds.scheduled_events.start_events(body=body), transport=script, clock=FakeClock())
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    "options", [{"attempts": 0}, {"attempts": True}, {"first_wait": -1}, {"longest_wait": "1"}, {"polite_wait": None}]
)
def test_a_policy_checks_its_numbers(options: dict[str, object]) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        RetryPolicy(**options)  # type: ignore[arg-type]
    assert caught.value.parameter in options


def test_bad_request_and_forbidden_are_not_retryable(colour: Colour) -> None:
    for status, kind in ((400, BadRequestError), (403, ForbiddenError)):
        error = colour.error(get_token, transport=Script(answer(status, {"error": "x"})))
        assert isinstance(error, kind)
        assert not error.retryable
