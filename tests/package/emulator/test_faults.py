"""Faults, as clients receive them."""

from __future__ import annotations

import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from azure_imds_emulator import Emulator
from emulator_support import exchange, get_raw, make_client_for, wait_until

VERSIONS = "/metadata/versions"
INFO = "/metadata/identity/info?api-version=2018-02-01"
GET = b"GET /metadata/versions HTTP/1.1\r\nHost: x\r\nMetadata: true\r\n\r\n"


def test_a_fault_affects_the_next_requests_only(emulator: Emulator, http: httpx.Client) -> None:
    fault = emulator.fail(429, times=3, retry_after=2)
    responses = [http.get("/versions") for _ in range(4)]
    assert [response.status_code for response in responses] == [429, 429, 429, 200]
    assert responses[0].headers["Retry-After"] == "2"
    assert (fault.hits, emulator.faults.pending) == (3, ())


@pytest.mark.parametrize(
    ("status", "target", "body"),
    [
        (429, INFO, {"error": "invalid_request", "error_description": "Temporarily throttled, too many requests"}),
        (410, INFO, {"error": "gone", "error_description": "Gone"}),
        (500, INFO, {"error": "server_error", "error_description": "Server error"}),
        (429, VERSIONS, {"error": "Too many requests"}),
        (410, VERSIONS, {"error": "Gone"}),
        (503, VERSIONS, {"error": "Service unavailable"}),
        (503, "/metadata/loadbalancer", {"error": "Internal service unavailable. Retry later"}),
        (418, VERSIONS, {"error": "I'm a Teapot"}),
        (599, INFO, {"error": "unknown", "error_description": "Unknown"}),
    ],
)
def test_a_status_has_the_error_text_of_the_endpoint(emulator: Emulator, status: int, target: str, body: Any) -> None:
    emulator.fail(status)
    head, sent = get_raw(emulator, target)
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert json.loads(sent)["error"].lower() == body["error"].lower()
    assert sent.lower() == json.dumps(body, separators=(",", ":")).encode().lower()


def test_a_fault_can_be_limited_to_a_path_and_a_method(emulator: Emulator, http: httpx.Client) -> None:
    emulator.fail(503, path="/metadata/identity", times=9)
    emulator.fail(500, path="/metadata/*events", method="post", times=9)
    assert http.get("/versions").status_code == 200
    assert http.get("/identity/info?api-version=2018-02-01").status_code == 503
    assert http.get("/scheduledevents?api-version=2020-07-01").status_code == 200
    assert http.post("/scheduledevents?api-version=2020-07-01").status_code == 500


def test_faults_apply_in_the_order_in_which_they_were_added(emulator: Emulator, http: httpx.Client) -> None:
    for status in (500, 503, 429):
        emulator.fail(status)
    assert [http.get("/versions").status_code for _ in range(4)] == [500, 503, 429, 200]


def test_a_fault_can_end_at_a_time(emulator: Emulator, http: httpx.Client) -> None:
    emulator.clock.freeze()
    emulator.fail(410, seconds=70)
    assert [http.get("/versions").status_code for _ in range(5)] == [410] * 5
    emulator.clock.advance(70)
    assert http.get("/versions").status_code == 200
    emulator.fail(410, until=emulator.clock.time() + 10, times=1)
    assert [http.get("/versions").status_code for _ in range(2)] == [410, 200]


def test_faults_can_be_cancelled(emulator: Emulator, http: httpx.Client) -> None:
    emulator.fail(500, times=9).cancel()
    assert http.get("/versions").status_code == 200
    emulator.fail(500, seconds=9)
    emulator.faults.clear()
    assert http.get("/versions").status_code == 200


def test_body_and_headers_can_be_anything(emulator: Emulator) -> None:
    emulator.fail(200, body="<html>", headers={"Content-Type": "text/html", "X-Odd": "1", "Date": None})
    head, body = get_raw(emulator, VERSIONS)
    assert body == b"<html>"
    assert b"Content-Type: text/html" in head
    assert b"X-Odd: 1" in head
    assert b"Date" not in head
    emulator.fail(body={"access_token": 5})
    head, body = get_raw(emulator, VERSIONS)
    assert (head.split(b"\r\n")[0], body) == (b"HTTP/1.1 200 OK", b'{"access_token":5}')
    assert b"application/json" in head


def test_a_redirect_has_the_given_location(emulator: Emulator, http: httpx.Client) -> None:
    emulator.fail(redirect="http://example.invalid/")
    response = http.get("/versions")
    assert (response.status_code, response.headers["Location"], response.content) == (
        302,
        "http://example.invalid/",
        b"",
    )


def test_close_sends_no_byte(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    emulator.fail(close=True)
    with caplog.at_level(logging.DEBUG):
        assert exchange(emulator, GET) == b""
    assert emulator.requests[-1].status is None
    assert emulator.requests[-1].fault == "close"
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_truncated_body_is_shorter_than_its_content_length(emulator: Emulator, http: httpx.Client) -> None:
    whole = http.get("/versions").content
    emulator.fail(truncate=10)
    head, body = get_raw(emulator, VERSIONS)
    assert body == whole[:10]
    assert f"Content-Length: {len(whole)}".encode() in head
    emulator.fail(truncate=10)
    with pytest.raises(httpx.RemoteProtocolError):
        http.get("/versions")


def test_truncated_json_can_have_the_right_content_length(emulator: Emulator, http: httpx.Client) -> None:
    emulator.fail(truncate=10, content_length=10)
    response = http.get("/versions")
    assert (response.status_code, response.content) == (200, b'{"apiVersi')


@pytest.mark.parametrize("length", [0, 5, 100_000])
def test_content_length_can_be_wrong(emulator: Emulator, http: httpx.Client, length: int) -> None:
    whole = http.get("/versions").content
    emulator.fail(content_length=length)
    head, body = get_raw(emulator, VERSIONS)
    assert f"Content-Length: {length}".encode() in head
    assert body == whole


def test_a_delay_ends_when_the_clock_is_advanced(emulator: Emulator, http: httpx.Client) -> None:
    emulator.fail(delay=3600)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(http.get, "/versions")
        wait_until(lambda: emulator.clock.waiting == 1)
        emulator.clock.advance(3600)
        assert waiting.result().status_code == 200


def test_slow_sends_single_bytes(emulator: Emulator, http: httpx.Client) -> None:
    emulator.clock.freeze()
    emulator.fail(200, body=b"abc", slow=60)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(http.get, "/versions")
        begun = emulator.clock.elapsed()
        while not waiting.done():
            wait_until(lambda: emulator.clock.waiting == 1 or waiting.done())
            emulator.clock.advance(20)
        assert waiting.result().content == b"abc"
        assert emulator.clock.elapsed() - begun >= 3 * 60


def test_a_hang_ends_when_the_client_disconnects_or_the_emulator_stops(http: httpx.Client) -> None:
    with Emulator() as emulator:
        emulator.fail(hang=True, times=2)
        with pytest.raises(httpx.ReadTimeout):
            http.get(f"{emulator.endpoint}{VERSIONS}", timeout=0.05)
        with ThreadPoolExecutor(1) as pool:
            left = pool.submit(exchange, emulator, GET)
            wait_until(lambda: emulator.requests.total == 2)
            begun = time.monotonic()
            emulator.stop()
            assert left.result() == b""
        assert time.monotonic() - begun < 30


def test_a_failed_response_keeps_the_connection_open(emulator: Emulator) -> None:
    emulator.fail(500)
    last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    received = exchange(emulator, GET + GET + last)
    assert received.count(b"HTTP/1.1 ") == 3


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"status": 99},
        {"status": 600},
        {"status": "500"},
        {"preset": "nonsense"},
        {"preset": "docker-desktop", "status": 500},
        {"status": 500, "times": -1},
        {"status": 500, "times": True},
        {"status": 500, "seconds": -1},
        {"status": 500, "seconds": 1, "until": 5},
        {"status": 500, "headers": {"X": "a\r\nb"}},
        {"status": 500, "headers": {"X": 1}},
        {"status": 500, "path": 1},
        {"status": 500, "body": 1},
        {"truncate": -1},
        {"delay": float("nan")},
    ],
)
def test_wrong_arguments_of_a_fault_are_refused(emulator: Emulator, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        emulator.fail(**arguments)
    assert emulator.faults.pending == ()


# Presets that change the normal response


def get_events(http: httpx.Client) -> httpx.Response:
    return http.get("/scheduledevents", params={"api-version": "2020-07-01"})


def test_events_can_have_the_type_of_text(emulator: Emulator, http: httpx.Client) -> None:
    emulator.fail(preset="events-as-text")
    assert http.get("/versions").headers["Content-Type"].startswith("application/json")
    response = get_events(http)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/plain")
    assert response.json()["Events"] == []
    assert get_events(http).headers["Content-Type"].startswith("application/json")


def test_a_document_can_have_no_events_member(emulator: Emulator, http: httpx.Client) -> None:
    emulator.fail(preset="events-without-list")
    assert get_events(http).json() == {"DocumentIncarnation": 1}


def test_descriptions_can_be_empty(emulator: Emulator, http: httpx.Client) -> None:
    emulator.schedule("Reboot")
    emulator.fail(preset="events-empty-description")
    assert [event["Description"] for event in get_events(http).json()["Events"]] == [""]
    older = http.get("/scheduledevents", params={"api-version": "2017-11-01"})
    assert "Description" not in older.json()["Events"][0]


def test_a_preset_changes_a_document_that_is_built_late() -> None:
    with Emulator(first_call_delay=60) as emulator, make_client_for(emulator) as http:
        emulator.clock.freeze()
        emulator.fail(preset="events-without-list")
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(get_events, http)
            wait_until(lambda: emulator.clock.waiting == 1)
            emulator.clock.advance(60)
            assert waiting.result().json() == {"DocumentIncarnation": 1}


def test_the_instance_can_be_partial_except_for_provisioning_agents(emulator: Emulator, http: httpx.Client) -> None:
    emulator.fail(preset="instance-partial", times=3)
    query = {"api-version": "2021-08-01"}
    assert list(http.get("/instance", params=query).json()) == ["compute"]
    failed = http.get("/instance", params=query | {"extended": "true"})
    assert (failed.status_code, failed.json()) == (500, {"error": "Server error"})
    assert http.get("/instance", params={"api-version": "1"}).status_code == 400, "an error stays as it is"


def test_a_host_of_2017_has_its_own_error_for_a_version_that_never_existed(emulator: Emulator) -> None:
    emulator.fail(preset="unknown-api-version-2017")
    head, body = get_raw(emulator, "/metadata/instance?api-version=2017-07-01")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert body == b'{ "error": "Not found. Invalid version requested" }'


def test_a_preset_for_a_path_can_have_another_path_or_body(emulator: Emulator, http: httpx.Client) -> None:
    emulator.fail(preset="events-as-text", path="/metadata/versions")
    assert http.get("/versions").headers["Content-Type"] == "text/plain"
    emulator.fail(preset="events-without-list", body={"a": 1})
    assert get_events(http).json() == {"a": 1}
