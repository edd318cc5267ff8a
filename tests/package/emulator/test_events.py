"""Scheduled events, from announcement to removal."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from azure_imds_emulator import Clock, Emulator
from emulator_support import make_client_for, wait_until

EXAMPLES = Path(__file__).parents[2] / "data" / "examples"
PATH = "/scheduledevents"
MINUTE = 60


def get_document(http: httpx.Client, version: str = "2020-07-01") -> dict[str, Any]:
    found: dict[str, Any] = http.get(PATH, params={"api-version": version}).json()
    return found


def post(http: httpx.Client, body: Any, **options: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return http.post(PATH, params={"api-version": "2020-07-01"}, content=content, **options)


def make_approval(*ids: str) -> dict[str, Any]:
    return {"StartRequests": [{"EventId": event_id} for event_id in ids]}


def test_a_new_document_has_no_events(http: httpx.Client) -> None:
    assert http.get(PATH, params={"api-version": "2020-07-01"}).content == b'{"DocumentIncarnation":1,"Events":[]}'


@pytest.mark.parametrize("version", ["2017-08-01", "2019-04-01", "2019-08-01"])
def test_the_document_of_each_version_equals_the_example(version: str) -> None:
    expected = json.loads((EXAMPLES / f"scheduledevents-{version}.json").read_text(encoding="utf-8"))
    with Emulator(clock=Clock(1704164645, frozen=True)) as emulator, make_client_for(emulator) as http:
        emulator.schedule(
            "Reboot",
            event_id="00000000-0000-0000-0000-0000000000A2",
            description="Host server is undergoing maintenance.",
        )
        response = http.get(PATH, params={"api-version": version})
    assert response.content == json.dumps(expected, separators=(",", ":")).encode()


def test_an_event_is_scheduled_then_started_then_removed() -> None:
    names = ("empty", "scheduled", "started", "completed")
    expected = [json.loads((EXAMPLES / f"scheduledevents-{name}.json").read_text()) for name in names]
    with Emulator(clock=Clock(1704164645, frozen=True)) as emulator, make_client_for(emulator) as http:
        seen = [get_document(http)]
        event = emulator.schedule(
            "Freeze",
            event_id="00000000-0000-0000-0000-0000000000A1",
            resources=["vmss_vm0", "vmss_vm1"],
            description=expected[1]["Events"][0]["Description"],
        )
        seen.append(get_document(http))
        assert post(http, make_approval(event.event_id)).json()["Events"] == expected[2]["Events"]
        seen.append(get_document(http))
        emulator.clock.advance(10 * MINUTE)
        seen.append(get_document(http))
    # The examples are from the documentation. On hosts, an approval counts twice.
    assert [document.pop("DocumentIncarnation") for document in seen] == [1, 2, 4, 5]
    for document in expected:
        del document["DocumentIncarnation"]
    assert seen == expected


def test_an_event_starts_by_itself_at_not_before(emulator: Emulator, http: httpx.Client) -> None:
    emulator.clock.freeze()
    emulator.schedule("Reboot")
    emulator.clock.advance(15 * MINUTE - 1)
    assert get_document(http)["Events"][0]["EventStatus"] == "Scheduled"
    emulator.clock.advance(1)
    assert get_document(http)["Events"][0]["EventStatus"] == "Started"
    assert get_document(http)["Events"][0]["NotBefore"] == ""


def test_a_long_advance_counts_every_change(emulator: Emulator, http: httpx.Client) -> None:
    emulator.schedule("Reboot")
    emulator.clock.advance(3600)
    assert get_document(http) == {"DocumentIncarnation": 4, "Events": []}


@pytest.mark.parametrize(
    ("kind", "notice"), [("Freeze", 900), ("Reboot", 900), ("Redeploy", 600), ("Preempt", 30), ("Terminate", 300)]
)
def test_each_type_has_its_documented_notice(emulator: Emulator, http: httpx.Client, kind: Any, notice: int) -> None:
    emulator.clock.freeze()
    event = emulator.schedule(kind)
    assert event.not_before - emulator.clock.time() == notice
    assert get_document(http)["Events"][0]["EventType"] == kind


def test_older_versions_do_not_show_newer_event_types(emulator: Emulator, http: httpx.Client) -> None:
    emulator.schedule("Preempt")
    emulator.schedule("Terminate")
    versions = ("2017-08-01", "2017-11-01", "2019-01-01")
    assert [len(get_document(http, version)["Events"]) for version in versions] == [0, 1, 2]


def test_the_preview_version_puts_an_underscore_before_names(emulator: Emulator, http: httpx.Client) -> None:
    emulator.schedule("Reboot", resources=["web"])
    assert get_document(http, "2017-03-01")["Events"][0]["Resources"] == ["_web"]
    assert get_document(http, "2017-08-01")["Events"][0]["Resources"] == ["web"]


def test_a_cancelled_event_is_removed(emulator: Emulator, http: httpx.Client) -> None:
    event = emulator.schedule("Redeploy", source="User", duration=7)
    shown = get_document(http)["Events"][0]
    assert (shown["EventSource"], shown["DurationInSeconds"], shown["Resources"]) == ("User", 7, ["vm-example-0"])
    emulator.events.cancel(event.event_id)
    assert get_document(http) == {"DocumentIncarnation": 3, "Events": []}
    with pytest.raises(LookupError):
        emulator.events.cancel(event.event_id)


def test_an_event_can_start_without_notice(emulator: Emulator, http: httpx.Client) -> None:
    emulator.schedule("Reboot", started=True)
    assert get_document(http)["Events"][0]["EventStatus"] == "Started"


def test_an_approval_can_be_repeated_and_sent_with_a_form_content_type(emulator: Emulator, http: httpx.Client) -> None:
    event = emulator.schedule("Reboot")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for _ in range(2):
        assert post(http, make_approval(event.event_id), headers=form).status_code == 200
    assert get_document(http)["DocumentIncarnation"] == 4


def test_an_event_of_a_user_has_no_description(emulator: Emulator, http: httpx.Client) -> None:
    emulator.schedule("Reboot", source="User")
    emulator.schedule("Reboot", source="User", description="mine")
    assert [event["Description"] for event in get_document(http)["Events"]] == ["", "mine"]


def test_one_post_approves_several_or_none(emulator: Emulator, http: httpx.Client) -> None:
    ids = [emulator.schedule("Reboot").event_id for _ in range(2)]
    unknown = "00000000-0000-0000-0000-00000000DEAD"
    assert post(http, make_approval(ids[0], unknown)).status_code == 400
    assert {event.status for event in emulator.events.events} == {"Scheduled"}
    assert post(http, make_approval(*ids)).status_code == 200
    assert {event.status for event in emulator.events.events} == {"Started"}


@pytest.mark.parametrize("event_id", ["lower", "other"])
def test_an_approval_needs_the_exact_id(emulator: Emulator, http: httpx.Client, event_id: str) -> None:
    event = emulator.schedule("Reboot", event_id="00000000-0000-0000-0000-0000000000AB")
    sent = event.event_id.lower() if event_id == "lower" else "x"
    assert post(http, make_approval(sent)).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b" " * 70_000,
        {},
        {"StartRequests": []},
        {"StartRequests": [1]},
        {"StartRequests": [{}]},
        {"StartRequests": {"EventId": "x"}},
        {"StartRequests": [{"EventId": 5}]},
    ],
)
def test_a_malformed_approval_is_refused(http: httpx.Client, body: Any) -> None:
    assert post(http, body).status_code == 400


def test_a_very_long_body_gets_a_complete_error_response(http: httpx.Client) -> None:
    assert post(http, b" " * 1_000_000).status_code == 400


def test_unknown_members_of_an_approval_are_ignored(emulator: Emulator, http: httpx.Client) -> None:
    body = make_approval(emulator.schedule("Reboot").event_id) | {"DocumentIncarnation": 2}
    assert post(http, body).status_code == 200


def test_the_first_response_has_the_configured_delay() -> None:
    clock = Clock(frozen=True)
    with (
        Emulator(first_call_delay=120, clock=clock) as emulator,
        make_client_for(emulator) as http,
        ThreadPoolExecutor(1) as pool,
    ):
        waiting = pool.submit(get_document, http)
        wait_until(lambda: clock.waiting == 1)
        clock.advance(119)
        assert not waiting.done()
        clock.advance(1)
        assert waiting.result()["DocumentIncarnation"] == 1
        assert get_document(http)["DocumentIncarnation"] == 1, "the second call does not wait"


def test_a_delayed_first_response_contains_events_scheduled_meanwhile() -> None:
    clock = Clock(frozen=True)
    with (
        Emulator(first_call_delay=120, clock=clock) as emulator,
        make_client_for(emulator) as http,
        ThreadPoolExecutor(1) as pool,
    ):
        waiting = pool.submit(get_document, http)
        wait_until(lambda: clock.waiting == 1)
        emulator.schedule("Reboot")
        clock.advance(120)
        assert [event["EventType"] for event in waiting.result()["Events"]] == ["Reboot"]


def test_a_day_without_requests_turns_scheduled_events_off(emulator: Emulator, http: httpx.Client) -> None:
    emulator.events.first_call_delay = 5
    assert emulator.events.record_request() == 5
    assert emulator.events.record_request() == 0
    emulator.clock.advance(24 * 3600)
    assert emulator.events.record_request() == 5


@pytest.mark.parametrize(
    "arguments",
    [
        {"event_type": "Explode"},
        {"event_type": "Reboot", "source": "Nobody"},
        {"event_type": "Reboot", "notice": 1, "not_before": 1},
        {"event_type": "Reboot", "notice": -1},
        {"event_type": "Reboot", "resources": "one"},
        {"event_type": "Reboot", "not_before": "2030-01-01"},
        {"event_type": "Reboot", "event_id": 7},
    ],
)
def test_wrong_arguments_of_an_event_are_refused(emulator: Emulator, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        emulator.schedule(**arguments)
    assert emulator.events.incarnation == 1


def test_an_event_id_must_be_new(emulator: Emulator) -> None:
    event = emulator.schedule("Reboot")
    with pytest.raises(ValueError, match="already"):
        emulator.schedule("Reboot", event_id=event.event_id)
