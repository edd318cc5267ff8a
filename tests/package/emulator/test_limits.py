"""Rate limits, counted on a frozen clock."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from azure_imds_emulator import Clock, Emulator
from emulator_support import make_client_for, wait_until

INFO = "/identity/info?api-version=2018-02-01"
THROTTLED = b'{"error":"invalid_request","error_description":"Temporarily throttled, too many requests"}'


@pytest.fixture
def limited() -> Iterator[Emulator]:
    with Emulator(rate_limits=True, clock=Clock(frozen=True)) as emulator:
        yield emulator


def get_statuses(http: httpx.Client, path: str, count: int) -> list[int]:
    return [http.get(path).status_code for _ in range(count)]


def test_the_sixth_request_of_a_second_is_throttled(limited: Emulator) -> None:
    with make_client_for(limited) as http:
        assert get_statuses(http, "/versions", 6) == [200] * 5 + [429]
        assert http.get("/instance?api-version=2021-02-01").content == b'{"error":"Too many requests"}'
        limited.clock.advance(1)
        assert get_statuses(http, "/versions", 6) == [200] * 5 + [429]


def test_identity_has_its_own_limit_of_twenty_requests_per_second(limited: Emulator) -> None:
    with make_client_for(limited) as http:
        assert get_statuses(http, INFO, 21) == [200] * 20 + [429]
        assert http.get(INFO).content == THROTTLED
        assert http.get("/versions").status_code == 200
        limited.clock.advance(0.05)
        assert get_statuses(http, INFO, 2) == [200, 429]


def test_refused_requests_do_not_count(limited: Emulator) -> None:
    with make_client_for(limited) as http:
        assert get_statuses(http, "/instance?api-version=1", 10) == [400] * 10
        assert http.get("/versions").status_code == 200


def test_a_throttled_approval_has_no_effect(limited: Emulator) -> None:
    event = limited.schedule("Reboot")
    with make_client_for(limited) as http:
        get_statuses(http, "/versions", 5)
        response = http.post(
            "/scheduledevents?api-version=2020-07-01", json={"StartRequests": [{"EventId": event.event_id}]}
        )
    assert response.status_code == 429
    assert event.status == "Scheduled"


def test_identity_allows_five_concurrent_requests(limited: Emulator) -> None:
    limited.fail(delay=1, path="/metadata/identity", times=6)
    with make_client_for(limited) as http, ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(http.get, INFO) for _ in range(6)]
        wait_until(lambda: limited.clock.waiting == 6)
        limited.clock.advance(1)
        found = sorted(response.result().status_code for response in waiting)
        assert found == [200] * 5 + [429]
        assert http.get(INFO).status_code == 200


def test_the_limits_can_be_changed_while_it_runs(limited: Emulator) -> None:
    limited.limits.enabled = False
    with make_client_for(limited) as http:
        assert get_statuses(http, "/versions", 20) == [200] * 20
        limited.limits.enabled = True
        assert 429 in get_statuses(http, "/versions", 6)


def test_the_limits_are_off_by_default(emulator: Emulator, http: httpx.Client) -> None:
    assert get_statuses(http, "/versions", 30) == [200] * 30
