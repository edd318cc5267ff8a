"""Events and faults that begin later or repeat, on a frozen clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from azure_imds_emulator import Clock, ConfigError, Emulator
from azure_imds_emulator.config import from_environment, parse
from emulator_support import make_client_for

MINUTE = 60
NOW = 1704164645
VERSIONS = "/metadata/versions"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(clock=Clock(NOW, frozen=True)) as running:
        yield running


def get_events(http: httpx.Client) -> list[tuple[str, str]]:
    document = http.get("/scheduledevents", params={"api-version": "2020-07-01"}).json()
    return [(event["EventType"], event["EventStatus"]) for event in document["Events"]]


def get_incarnation(http: httpx.Client) -> int:
    return int(http.get("/scheduledevents", params={"api-version": "2020-07-01"}).json()["DocumentIncarnation"])


# Events


def test_an_event_can_appear_later(emulator: Emulator, http: httpx.Client) -> None:
    event = emulator.schedule("Preempt", after=30)
    assert (get_events(http), get_incarnation(http)) == ([], 1)
    assert (event.status, emulator.events.upcoming) == ("Upcoming", (event,))
    emulator.clock.advance(29)
    assert get_events(http) == []
    emulator.clock.advance(1)
    assert get_events(http) == [("Preempt", "Scheduled")]
    assert (emulator.events.events, emulator.events.upcoming) == ((event,), ())
    assert event.not_before == NOW + 30 + 30, "the notice begins when the event appears"
    emulator.clock.advance(30)
    assert (get_events(http), get_incarnation(http)) == ([("Preempt", "Started")], 3)


def test_an_event_can_appear_at_a_moment(emulator: Emulator, http: httpx.Client) -> None:
    emulator.schedule("Reboot", at="2024-01-02T03:05:05Z", notice=60)
    emulator.clock.advance(59)
    assert get_events(http) == []
    emulator.clock.advance(1)
    assert get_events(http) == [("Reboot", "Scheduled")]


def test_a_failure_of_the_host_can_happen_later(emulator: Emulator, http: httpx.Client) -> None:
    emulator.schedule("Reboot", after=10, started=True, started_for=5)
    emulator.clock.advance(10)
    assert (get_events(http), get_incarnation(http)) == ([("Reboot", "Started")], 2)
    emulator.clock.advance(5)
    assert (get_events(http), get_incarnation(http)) == ([], 3)


def test_an_event_that_has_not_appeared_cannot_be_approved(emulator: Emulator) -> None:
    event = emulator.schedule("Reboot", after=10)
    with pytest.raises(LookupError):
        emulator.events.approve(event.event_id)


def test_an_event_that_was_cancelled_does_not_appear(emulator: Emulator, http: httpx.Client) -> None:
    event = emulator.schedule("Reboot", after=10, every=3600)
    emulator.events.cancel(event.event_id)
    emulator.clock.advance(7200)
    assert (get_events(http), get_incarnation(http)) == ([], 1)


def test_clearing_also_removes_what_has_not_appeared(emulator: Emulator, http: httpx.Client) -> None:
    emulator.schedule("Reboot", after=10, every=3600)
    emulator.reset()
    emulator.clock.advance(3600)
    assert (get_events(http), get_incarnation(http)) == ([], 1)


def test_an_event_repeats_with_a_new_id(emulator: Emulator, http: httpx.Client) -> None:
    first = emulator.schedule("Preempt", after=5, started_for=60, every=600)
    seen = []
    for _ in range(3):
        emulator.clock.advance(5)
        assert get_events(http) == [("Preempt", "Scheduled")]
        seen += [(event.event_id, event.at, event.not_before) for event in emulator.events.events]
        emulator.clock.advance(595)
        assert get_events(http) == []
    assert seen[0][0] == first.event_id
    assert len({event_id for event_id, _, _ in seen}) == 3
    assert [(at - NOW, start - NOW) for _, at, start in seen] == [(5, 35), (605, 635), (1205, 1235)]


def test_an_approval_does_not_move_the_next_repetition(emulator: Emulator, http: httpx.Client) -> None:
    event = emulator.schedule("Reboot", notice=60, started_for=30, every=600)
    emulator.events.approve(event.event_id)
    emulator.clock.advance(599)
    assert get_events(http) == []
    emulator.clock.advance(1)
    assert get_events(http) == [("Reboot", "Scheduled")]


@pytest.mark.parametrize(("started", "changes"), [(False, 3), (True, 2)])
def test_repetitions_that_nobody_saw_count_as_changes(
    emulator: Emulator, http: httpx.Client, started: bool, changes: int
) -> None:
    event = emulator.schedule("Reboot", notice=10, started_for=10, every=100, started=started)
    emulator.clock.advance(1_000_000 * 100 + 99)
    assert (get_events(http), get_incarnation(http)) == ([], 1 + 1_000_001 * changes)
    assert event.status == "Started"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"after": -1}, "after must be a number of seconds of 0 or more"),
        ({"after": "soon"}, "after must be a number of seconds"),
        ({"after": 1, "at": NOW}, "after and at exclude each other: pass one of them"),
        ({"at": "soon"}, "at must be Unix seconds, a datetime or an ISO 8601 text"),
        ({"every": 0}, "every must be at least 1500 seconds, so that repetitions do not overlap, got 0"),
        ({"every": 89, "notice": 60, "started_for": 30}, "every must be at least 90 seconds"),
        ({"every": 0, "notice": 0, "started_for": 0}, "every must be at least 0.001 seconds"),
        ({"every": "daily"}, "every must be a number of seconds"),
        ({"started": True, "started_at": NOW}, "started and started_at exclude each other"),
        ({"scenario": 1}, "scenario must be a text"),
    ],
)
def test_wrong_times_of_an_event_are_refused(emulator: Emulator, arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        emulator.schedule("Reboot", **arguments)
    assert (emulator.events.events, emulator.events.upcoming) == ((), ())


# Faults


def get_statuses(http: httpx.Client, count: int) -> list[int]:
    return [http.get("/versions").status_code for _ in range(count)]


def test_a_fault_can_begin_later(emulator: Emulator, http: httpx.Client) -> None:
    fault = emulator.fail(503, after=30, times=2)
    emulator.clock.advance(29)
    assert get_statuses(http, 2) == [200, 200]
    assert emulator.faults.pending == (fault,)
    emulator.clock.advance(1)
    assert get_statuses(http, 3) == [503, 503, 200]
    assert (emulator.faults.pending, fault.hits) == ((), 2)


def test_the_seconds_of_a_fault_begin_with_it(emulator: Emulator, http: httpx.Client) -> None:
    emulator.fail(410, at=NOW + 30, seconds=70)
    emulator.clock.advance(30)
    assert get_statuses(http, 3) == [410, 410, 410]
    emulator.clock.advance(70)
    assert get_statuses(http, 1) == [200]


def test_a_fault_that_has_not_begun_does_not_hide_the_next_one(emulator: Emulator, http: httpx.Client) -> None:
    emulator.fail(503, after=30)
    emulator.fail(429)
    assert get_statuses(http, 2) == [429, 200]


def test_a_fault_repeats(emulator: Emulator, http: httpx.Client) -> None:
    fault = emulator.fail(503, after=10, seconds=5, every=60)
    emulator.clock.advance(10)
    assert get_statuses(http, 2) == [503, 503]
    emulator.clock.advance(5)
    assert get_statuses(http, 1) == [200]
    emulator.clock.advance(55 + 1000 * 60)
    assert get_statuses(http, 1) == [503]
    emulator.clock.advance(5)
    assert get_statuses(http, 1) == [200]
    assert emulator.faults.pending == (fault,)
    fault.cancel()
    emulator.clock.advance(55)
    assert get_statuses(http, 1) == [200]
    assert emulator.faults.pending == ()


def test_a_number_of_requests_counts_anew_with_each_repetition(emulator: Emulator, http: httpx.Client) -> None:
    emulator.fail(429, times=1, every=60)
    assert get_statuses(http, 2) == [429, 200]
    emulator.clock.advance(60)
    assert get_statuses(http, 2) == [429, 200]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"after": -1}, "after must be a number of seconds of 0 or more"),
        ({"after": 1, "at": NOW}, "after and at exclude each other"),
        ({"seconds": 10, "every": 9}, "every must be at least 10 seconds"),
        ({"hang": 1}, "hang must be true or false, got 1"),
        ({"body": "x", "body_base64": "AA=="}, "body and body_base64 exclude each other"),
        ({"body_base64": "?"}, "body_base64 must be base64, for example 'AP8=', got '?'"),
    ],
)
def test_wrong_arguments_of_a_fault_are_refused(emulator: Emulator, arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason.replace("?", r"\?")):
        emulator.fail(503, **arguments)
    assert emulator.faults.pending == ()


def test_a_body_can_be_any_bytes_in_json(control: httpx.Client, http: httpx.Client) -> None:
    assert control.post("/api/faults", json={"body_base64": "AP8="}).status_code == 201
    assert http.get("/versions").content == b"\x00\xff"


# In a file, in variables and in the control API


def test_a_file_can_say_when_events_and_faults_begin(http: httpx.Client) -> None:
    text = "events: [{event_type: Preempt, after: 30}]\nfaults: [{status: 503, after: 60, every: 3600}]"
    emulator = Emulator(settings=parse(text, "c"), clock=Clock(NOW, frozen=True))
    with emulator, make_client_for(emulator) as client:
        assert (get_events(client), get_statuses(client, 1)) == ([], [200])
        emulator.clock.advance(30)
        assert get_events(client) == [("Preempt", "Scheduled")]
        emulator.clock.advance(30)
        assert get_statuses(client, 2) == [503, 200]


def test_variables_can_have_events_and_faults() -> None:
    variables = {
        "AZURE_IMDS_EMULATOR_EVENTS": "[{event_type: Preempt, after: 30}]",
        "AZURE_IMDS_EMULATOR_FAULTS": '[{"status": 429, "times": 2}]',
        "AZURE_IMDS_EMULATOR_SCENARIOS": "- name: scale-in\n",
    }
    settings = from_environment(variables)
    assert settings.events == [{"event_type": "Preempt", "after": 30}]
    assert settings.faults == [{"status": 429, "times": 2}]
    assert settings.scenarios == [{"name": "scale-in"}]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[{event_type: Reboot, after: -1}]", "1: an entry of events: after must be a number of seconds"),
        ("- event_type: Reboot\n  aftr: 1", "2: unknown name 'aftr' in an entry of events; did you mean 'after'"),
        ("Reboot", "1: events must be a list"),
    ],
)
def test_a_wrong_variable_is_named_with_its_line(text: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=f"AZURE_IMDS_EMULATOR_EVENTS:{reason}"):
        from_environment({"AZURE_IMDS_EMULATOR_EVENTS": text})


def test_the_control_api_shows_what_has_not_appeared(
    emulator: Emulator, control: httpx.Client, http: httpx.Client
) -> None:
    made = control.post("/api/events", json={"event_type": "Preempt", "after": 30}).json()
    assert (made["at"], made["not_before"]) == (NOW + 30, NOW + 60)
    assert control.post("/api/faults", json={"status": 503, "after": 30, "path": VERSIONS}).json()["at"] == NOW + 30
    state = control.get("/api/state").json()
    assert state["events"]["events"] == [made]
    assert made["status"] == "Upcoming"
    assert control.delete(f"/api/events/{made['event_id']}").status_code == 200
    emulator.clock.advance(30)
    assert (get_events(http), get_statuses(http, 2)) == ([], [503, 200])
