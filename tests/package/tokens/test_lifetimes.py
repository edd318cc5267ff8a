"""How long a token is valid: every form in which hosts state it, unreadable values, and clocks that are wrong."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from azure_imds import AccessToken, ImdsResponseError
from azure_imds._tokens.dates import parse_date
from support import ROOT, Colour
from token_support import DAY, HOUR, Clocks, Imds, holding, number

NOW = 1_700_000_000
YEARS = int(10 * 365.25 * DAY)


@pytest.mark.parametrize("members", [["expires_on"], ["expires_in"], ["expires_on", "expires_in"]], ids="+".join)
@pytest.mark.parametrize("huge", [1e300, "1e300", 10**300, 253402300800000, str(NOW + YEARS + 1)])
def test_a_lifetime_over_ten_years_is_a_response_error(colour: Colour, huge: Any, members: list[str]) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock, **dict.fromkeys(members, huge))
    with holding(colour, transport=imds, clock=clock) as credential:
        error = credential.error()
    assert type(error) is ImdsResponseError
    assert "the token's lifetime is over ten years" in str(error)
    assert str(huge) not in str(error)


def test_a_lifetime_of_ten_years_is_accepted(colour: Colour) -> None:
    clock = Clocks(NOW)
    with holding(colour, transport=Imds(clock, YEARS), clock=clock) as credential:
        assert credential.get_token().expires_on == NOW + YEARS


def test_the_clock_may_be_ten_years_ahead_and_not_behind(colour: Colour) -> None:
    for step, expected in [(YEARS + DAY, AccessToken), (-YEARS, ImdsResponseError)]:
        clock = Clocks(NOW)
        imds = Imds(Clocks(NOW))
        clock.step(step)
        with holding(colour, transport=imds, clock=clock) as credential:
            found = credential.get_token() if step > 0 else credential.error()
        assert type(found) is expected


EXPIRES_ON = json.loads((ROOT / "tests" / "data" / "tokens" / "expires-on.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("body", EXPIRES_ON, ids=lambda body: str(body["expires_on"]))
def test_expires_on_is_the_same_moment_in_every_form_that_hosts_send(colour: Colour, body: dict[str, Any]) -> None:
    clock = Clocks(1893456000 - HOUR)
    fields = {"expires_in": None, **body}
    with holding(colour, transport=Imds(clock, **fields), clock=clock) as credential:
        token = credential.get_token()
        assert (token.token, token.expires_on) == ("a.b.c", 1893456000)
        assert type(token.expires_on) is int
        assert token.expires_at == datetime(2030, 1, 1, tzinfo=UTC)
        clock.advance(HOUR - 1)
        assert credential.get_token() is token


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("06/20/2019 02:57:58 +00:00", 1560999478),
        ("11/05/2021 15:18:31 +00:00", 1636125511),
        ("1/16/2020 5:24:12 AM +00:00", 1579152252),
        ("1/16/2020 5:24:12 pm +00:00", 1579195452),
        ("1/16/2020 12:00:00 PM +00:00", 1579176000),
        ("09/14/2017 00:00:00 PM +00:00", 1505347200),
        ("9/14/2017 13:00:00 PM +00:00", 1505394000),
        ("1/16/2020 05:24:12", 1579152252),
        ("1/16/2020 05:24:12Z", 1579152252),
        ("1/16/2020 07:24:12 +0200", 1579152252),
        ("  1/16/2020   05:24:12  +00:00 ", 1579152252),
        ("2020-01-16T05:24:12Z", 1579152252),
        ("2020-01-16T07:24:12+02:00", 1579152252),
        ("2020-01-16T05:24:12.1234567+00:00", 1579152252),
        ("2020-01-16 05:24:12", 1579152252),
        ("2020-01-16", 1579132800),
    ],
)
def test_dates_are_read_leniently(text: str, seconds: int) -> None:
    found = parse_date(text)
    assert found is not None
    assert int(found) == seconds


@pytest.mark.parametrize(
    "text", ["", "soon", "13/01/2020 00:00:00", "1/16/2020 25:00:00 AM", "1/16/20 1:2:3", "2020", "/" * 9, "1" * 5000]
)
def test_what_is_no_date_is_not_read(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"expires_on": "soon", "expires_in": None}, "expires_on is unreadable"),
        ({"expires_on": None, "expires_in": [1]}, "expires_in is unreadable"),
        ({"expires_on": True, "expires_in": "a day"}, "expires_on and expires_in are unreadable"),
        ({"expires_on": None, "expires_in": ""}, "it has neither expires_on nor expires_in"),
        ({"expires_on": "", "expires_in": None}, "it has neither expires_on nor expires_in"),
    ],
)
def test_an_unreadable_lifetime_is_not_called_missing(colour: Colour, fields: dict[str, Any], problem: str) -> None:
    with holding(colour, transport=Imds(**fields)) as credential:
        error = credential.error()
    assert type(error) is ImdsResponseError
    assert f"cannot be used: {problem}, so the token's lifetime is unknown" in str(error)
    assert "soon" not in str(error)
    assert "a day" not in str(error)


@pytest.mark.parametrize("ahead", [DAY, DAY + 1, 400 * DAY])
def test_a_clock_that_is_ahead_by_a_token_s_life_causes_one_warning_and_one_request(
    colour: Colour, ahead: float, caplog: pytest.LogCaptureFixture
) -> None:
    imds, clock = Imds(Clocks(NOW)), Clocks(NOW + ahead)
    with holding(colour, transport=imds, clock=clock) as credential:
        assert [number(credential.get_token()) for _ in range(5)] == [1] * 5
        assert credential.get_token().expires_on == NOW + DAY, "what IMDS sent"
        clock.advance(DAY / 2 - 1)
        assert number(credential.get_token()) == 1
        assert len(imds) == 1, "the token is fresh for half of its lifetime"
        clock.advance(DAY / 2 + 1)
        assert number(credential.get_token()) == 2, "it has expired"
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert f"by the clock of this machine, a new token expired {ahead - DAY:.0f} s ago" in record.getMessage()
    assert "Check the clock" in record.getMessage()


def test_without_expires_in_a_token_that_seems_old_is_kept_for_half_a_minute(
    colour: Colour, caplog: pytest.LogCaptureFixture
) -> None:
    imds, clock = Imds(Clocks(NOW), expires_in=None), Clocks(NOW + 2 * DAY)
    with holding(colour, transport=imds, clock=clock) as credential:
        assert [number(credential.get_token()) for _ in range(5)] == [1] * 5
        clock.advance(29)
        assert number(credential.get_token()) == 1
        clock.advance(1)
        assert number(credential.get_token()) == 2
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "clock" in record.getMessage()
