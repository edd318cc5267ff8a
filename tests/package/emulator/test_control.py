"""The control API: it does for other processes what `Emulator` does in Python."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from azure_imds_emulator import Emulator
from emulator_support import make_client, make_client_for


def test_faults_can_be_added_and_removed(emulator: Emulator, control: httpx.Client, http: httpx.Client) -> None:
    made = control.post("/api/faults", json={"status": 429, "times": 2, "retry_after": 1})
    assert (made.status_code, made.json()["remaining"]) == (201, 2)
    assert http.get("/versions").status_code == 429
    assert control.get("/api/state").json()["faults"]["pending"][0]["remaining"] == 1
    control.delete("/api/faults")
    assert http.get("/versions").status_code == 200


@pytest.mark.parametrize("path", ["/api/state", "/api/requests", "/discovery/keys", "/api/none"])
def test_json_ends_with_a_newline_for_the_prompt_after_curl(control: httpx.Client, path: str) -> None:
    assert control.get(path).text.endswith("}\n" if path != "/api/requests" else "]\n")


def test_events_can_be_approved_completed_and_cancelled(emulator: Emulator, control: httpx.Client) -> None:
    made = control.post("/api/events", json={"event_type": "Reboot", "notice": 60})
    assert made.status_code == 201
    path = f"/api/events/{made.json()['event_id']}"
    assert control.post(f"{path}/approve", json={}).json()["status"] == "Started"
    assert control.post(f"{path}/complete", json={}).status_code == 200
    assert control.delete(path).status_code == 404
    other = control.post("/api/events", json={"event_type": "Freeze"}).json()["event_id"]
    assert control.delete(f"/api/events/{other}").status_code == 200
    assert control.get("/api/state").json()["events"] == {
        "incarnation": 7,
        "events": [],
        "types": ["Freeze", "Reboot", "Redeploy", "Preempt", "Terminate"],
    }


def test_the_clock_can_be_advanced_and_frozen(emulator: Emulator, control: httpx.Client) -> None:
    before = emulator.clock.time()
    response = control.post("/api/clock", json={"advance": 3600, "frozen": True}).json()
    assert response["frozen"] is True
    assert response["time"] >= before + 3600
    assert emulator.clock.frozen
    assert control.post("/api/clock", json={"frozen": False}).json()["frozen"] is False


def test_the_limits_can_be_changed(emulator: Emulator, control: httpx.Client) -> None:
    assert control.post("/api/limits", json={"enabled": True}).json() == {"enabled": True}
    assert emulator.limits.enabled
    assert control.post("/api/limits", json={"enabled": 1}).status_code == 400


def test_the_machine_can_be_changed_as_in_a_file(emulator: Emulator, control: httpx.Client, http: httpx.Client) -> None:
    change = {"instance": {"compute": {"zone": 3}}, "user_assigned": ["id-a"], "load_balancer": None}
    assert control.patch("/api/machine", json=change).status_code == 200
    text = {"api-version": "2021-02-01", "format": "text"}
    assert http.get("/instance/compute/zone", params=text).text == "3"
    assert http.get("/loadbalancer", params={"api-version": "2020-10-01"}).status_code == 404
    assert len(control.get("/api/state").json()["machine"]["identities"]) == 2
    refused = control.patch("/api/machine", json={"instance": {"compute": {"zone": 1}}, "tenant_id": "x"})
    assert (refused.status_code, "GUID" in refused.json()["error"]) == (400, True)
    assert emulator.machine.compute["zone"] == "3", "a refused change changes nothing"


def test_requests_are_returned_without_secrets(control: httpx.Client) -> None:
    with Emulator(arc=True) as arc, make_client_for(arc) as http, httpx.Client(trust_env=False) as outside:
        secret = {"Authorization": "Basic c2VjcmV0"}
        http.get("/identity/oauth2/token?api-version=2020-06-01&resource=https://x.example", headers=secret)
        (request,) = outside.get(f"{arc.control_url}/api/requests").json()
        assert (request["method"], request["path"], request["status"]) == (
            "GET",
            "/metadata/identity/oauth2/token",
            401,
        )
        assert "c2VjcmV0" not in json.dumps(request)
        outside.delete(f"{arc.control_url}/api/requests")
        assert outside.get(f"{arc.control_url}/api/requests").json() == []


def test_requests_are_streamed(emulator: Emulator, control: httpx.Client, http: httpx.Client) -> None:
    http.get("/versions")
    with control.stream("GET", "/api/stream") as stream:
        lines = stream.iter_lines()
        http.get("/instance?api-version=1")
        seen = [json.loads(next(line for line in lines if line.startswith("data: "))[6:]) for _ in range(2)]
    assert [(request["path"], request["status"]) for request in seen] == [
        ("/metadata/versions", 200),
        ("/metadata/instance", 400),
    ]


def test_a_reset_clears_events_faults_and_requests(
    emulator: Emulator, control: httpx.Client, http: httpx.Client
) -> None:
    emulator.schedule("Reboot")
    emulator.fail(500, times=9)
    http.get("/versions")
    assert control.post("/api/reset", json={}).status_code == 200
    assert (emulator.events.events, emulator.faults.pending, emulator.requests.total) == ((), (), 0)


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("/api/faults", {"status": 1}, "status must be a number from 200 to 599, for example 503, got 1"),
        ("/api/faults", {"unknown": 1}, "got an unexpected keyword argument 'unknown'"),
        ("/api/faults", [], "the body must be a JSON object"),
        ("/api/events", {"event_type": "Explode"}, "event_type must be one of Freeze, Reboot, Redeploy, "),
        ("/api/events", {}, "missing a required argument: 'event_type'"),
        ("/api/clock", {}, "needs advance or frozen, for example "),
        ("/api/clock", {"advance": -1}, "advance must be a number of seconds of 0 or more, for example 60, got -1"),
        ("/api/clock", {"advance": "1"}, "advance must be a number of seconds of 0 or more, for example 60, got '1'"),
        ("/api/clock", {"back": 1}, "needs advance or frozen, for example "),
    ],
)
def test_wrong_arguments_are_refused_with_the_reason(control: httpx.Client, path: str, body: Any, reason: str) -> None:
    response = control.post(path, json=body)
    assert response.status_code == 400
    assert response.json()["error"].startswith(f"{path}: {reason}")


def test_a_body_that_is_not_json_is_refused_with_the_reason(control: httpx.Client) -> None:
    response = control.post("/api/faults", content="{", headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert response.json()["error"].startswith("/api/faults: the body is not JSON: ")


def test_requests_of_foreign_web_pages_are_refused(control: httpx.Client) -> None:
    rebound = control.get("/api/state", headers={"Host": "attacker.example"})
    assert rebound.status_code == 403
    simple = control.post("/api/faults", content='{"status": 500}', headers={"Content-Type": "text/plain"})
    assert simple.status_code == 415
    response = control.get("/")
    assert "access-control-allow-origin" not in response.headers
    assert "default-src 'self'" in response.headers["content-security-policy"]
    for host in ("localhost:1", "127.0.0.1", "[::1]:5", "emulator:8170"):
        assert control.get("/api/state", headers={"Host": host}).status_code == 200


def test_names_with_dots_can_be_allowed() -> None:
    names = ["host.docker.internal", "imds.tests.svc.cluster.local"]
    with Emulator(control_hosts=names) as emulator, make_client(base_url=emulator.control_url) as client:
        for host in (*names, "Host.Docker.Internal:8170", "host.docker.internal."):
            assert client.get("/api/state", headers={"Host": host}).status_code == 200
        for host in ("attacker.example", "evil.host.docker.internal", "host.docker.internal.evil.example"):
            response = client.get("/api/state", headers={"Host": host})
            assert response.status_code == 403
            assert "add the name to control_hosts" in response.json()["error"]


def test_the_control_api_can_have_its_own_address() -> None:
    with Emulator(control_host="localhost") as emulator, make_client(base_url=emulator.control_url) as client:
        assert emulator.control_url.startswith("http://localhost:")
        assert emulator.endpoint.startswith("http://127.0.0.1:")
        assert client.get("/api/state").json()["endpoint"] == emulator.endpoint


def test_the_page_has_the_elements_that_its_script_uses(control: httpx.Client) -> None:
    page, script = control.get("/").text, control.get("/page.js").text
    ids = set(re.findall(r'byId\("([\w-]+)"\)', script))
    assert ids == set(re.findall(r'\bid="([\w-]+)"', page)) - set(re.findall(r'aria-labelledby="([\w-]+)"', page))


def test_the_metadata_port_has_no_control_api(http: httpx.Client) -> None:
    assert http.get("/api/state").status_code == 404
