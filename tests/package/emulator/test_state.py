"""The state: what `/api/state` shows can be written back, and saved as a configuration file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from azure_imds_emulator import Clock, Emulator, Machine, ManagedIdentity, make_machine
from azure_imds_emulator.cli import main
from azure_imds_emulator.config import load, parse
from azure_imds_emulator.machine_reader import list_machine_names
from emulator_support import make_client, make_client_for

NOW = 1704164645
EXAMPLES = Path(__file__).parents[2] / "data" / "examples"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(clock=Clock(NOW, frozen=True)) as running:
        yield running


def get_state(control: httpx.Client) -> dict[str, Any]:
    state: dict[str, Any] = control.get("/api/state").json()
    return state


def fill(emulator: Emulator) -> None:
    """Brings every part of the emulator into a state that is not the default one."""
    emulator.machine.compute["zone"] = "3"
    emulator.machine.add_user_assigned("id-web")
    emulator.machine.invalid_resources.add("https://unknown.example")
    emulator.events.approve(emulator.schedule("Reboot").event_id)
    emulator.schedule("Freeze", resources=["a", "b"], source="User", duration=7)
    emulator.schedule("Terminate", after=60, every=7200, notice=1000)
    emulator.schedule("Redeploy", after=600, started=True)
    emulator.play("spot-eviction", loop=True)
    emulator.fail(429, times=3, retry_after=2, path="/metadata/identity", method="get")
    emulator.fail(preset="docker-desktop", after=30, seconds=5, every=60)
    emulator.fail(body=b"\x00\xff", headers={"X": "1", "Date": None}, truncate=0, slow=0.5, path="/metadata/x")
    emulator.fail(redirect="http://example.invalid/", hang=True, path="/metadata/x")
    emulator.limits.enabled = True
    emulator.tokens.lifetime = 60
    emulator.events.first_call_delay = 1.5


# Round trips


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_the_state_can_be_written_back_without_a_change(
    emulator: Emulator, control: httpx.Client, http: httpx.Client, method: str
) -> None:
    fill(emulator)
    http.get("/versions")
    before = get_state(control)
    document = emulator.events.build_document("2020-07-01")
    written = control.request(method, "/api/state", json=before)
    assert written.status_code == 200, written.text
    assert written.json() == get_state(control) == before
    assert emulator.events.build_document("2020-07-01") == document


def test_the_state_of_one_emulator_can_be_written_to_another(emulator: Emulator, control: httpx.Client) -> None:
    fill(emulator)
    state = get_state(control)
    with Emulator(machine="windows") as other, make_client(base_url=other.control_url) as client:
        assert client.put("/api/state", json=state).status_code == 200
        written = get_state(client)
        assert other.clock.frozen
        assert other.machine.instance == emulator.machine.instance
        for each in (state, written):
            del each["endpoint"], each["environment"], each["requests"]
        assert written == state
        assert other.events.events == emulator.events.events
        assert other.events.upcoming == emulator.events.upcoming


def test_an_earlier_state_can_be_restored(emulator: Emulator, control: httpx.Client) -> None:
    fill(emulator)
    before = get_state(control)
    emulator.clock.advance(100_000)
    emulator.reset()
    emulator.machine.instance = {}
    assert control.put("/api/state", json=before).status_code == 200
    assert get_state(control) == before
    assert emulator.clock.time() == NOW


@pytest.mark.parametrize("name", list_machine_names())
def test_every_machine_can_be_written_back(name: str) -> None:
    with Emulator(machine=name) as emulator, make_client(base_url=emulator.control_url) as control:
        machine = get_state(control)["machine"]
        before = json.dumps(emulator.machine.to_dict())
        for method in ("PATCH", "PUT"):
            assert control.request(method, "/api/machine", json=machine).status_code == 200
            assert json.dumps(emulator.machine.to_dict()) == before


@pytest.mark.parametrize(
    "instance",
    [
        {"compute": {"publicKeys": None, "number": 1.5, "deep": [{"a": None, "b": [1, True]}]}, "network": {}},
        {"compute": []},
        {},
    ],
    ids=json.dumps,
)
def test_a_recorded_document_keeps_its_types(emulator: Emulator, control: httpx.Client, instance: Any) -> None:
    emulator.machine.instance = instance
    state = get_state(control)
    assert control.put("/api/state", json=state).status_code == 200
    assert json.dumps(emulator.machine.instance) == json.dumps(instance)


def test_a_patch_of_a_recorded_machine_changes_only_what_differs(emulator: Emulator, control: httpx.Client) -> None:
    emulator.machine.instance = {"compute": {"publicKeys": None, "name": "a", "n": 1}, "network": {}}
    machine = get_state(control)["machine"]
    machine["instance"]["compute"]["name"] = "b"
    machine["instance"]["compute"]["new"] = ""
    assert control.patch("/api/machine", json={"instance": machine["instance"]}).status_code == 200
    compute = emulator.machine.compute
    assert (compute["publicKeys"], compute["n"], compute["name"], compute["new"]) == (None, 1, "b", "")


def test_events_and_faults_are_accepted_as_they_are_shown(emulator: Emulator, control: httpx.Client) -> None:
    fill(emulator)
    state = get_state(control)
    emulator.reset()
    for event in state["events"]["events"]:
        assert control.post("/api/events", json=event).status_code == 201, event
    for fault in state["faults"]["pending"]:
        assert control.post("/api/faults", json=fault).status_code == 201, fault
    again = get_state(control)
    assert again["events"]["events"] == state["events"]["events"]
    assert again["faults"] == state["faults"]


def test_a_fault_keeps_its_counts(emulator: Emulator, control: httpx.Client, http: httpx.Client) -> None:
    emulator.fail(503, times=3, path="/metadata/versions")
    http.get("/versions")
    state = get_state(control)
    control.put("/api/state", json=state)
    (fault,) = emulator.faults.pending
    assert (fault.remaining, fault.hits) == (2, 1)
    assert [http.get("/versions").status_code for _ in range(3)] == [503, 503, 200]


# Changes of a part


def test_a_patch_changes_only_the_members_that_it_has(emulator: Emulator, control: httpx.Client) -> None:
    fill(emulator)
    before = get_state(control)
    assert control.patch("/api/state", json={"rate_limits": False, "clock": {"advance": 1}}).status_code == 200
    after = get_state(control)
    assert (after["rate_limits"], after["clock"]) == (False, {"time": NOW + 1, "frozen": True})
    assert (after["machine"], after["faults"], after["events"]) == (
        before["machine"],
        before["faults"],
        before["events"],
    )


def test_a_new_list_of_events_is_a_new_incarnation(emulator: Emulator, control: httpx.Client) -> None:
    control.patch("/api/state", json={"events": {"events": [{"event_type": "Reboot", "notice": 60}]}})
    assert emulator.events.incarnation == 2
    assert emulator.events.events[0].not_before == NOW + 60


def test_the_status_of_an_event_can_be_changed(emulator: Emulator, control: httpx.Client) -> None:
    emulator.schedule("Reboot")
    emulator.clock.advance(30)
    events = get_state(control)["events"]["events"]
    events[0]["status"] = "Started"
    assert control.patch("/api/state", json={"events": {"events": events}}).status_code == 200
    assert (emulator.events.events[0].status, emulator.events.events[0].started_at) == ("Started", NOW + 30)


def test_the_clock_can_be_set(emulator: Emulator, control: httpx.Client) -> None:
    assert control.post("/api/clock", json={"time": "2030-01-01T00:00:00Z"}).json() == {
        "time": 1893456000.0,
        "frozen": True,
    }
    assert control.post("/api/clock", json={"time": NOW, "frozen": False}).json()["frozen"] is False
    assert NOW <= emulator.clock.time() < 1893456000


def test_a_clock_that_is_set_back_shortens_no_wait() -> None:
    clock = Clock(NOW, frozen=True)
    elapsed = clock.elapsed()
    clock.move_to(NOW - 100)
    assert (clock.time(), clock.elapsed()) == (NOW - 100, elapsed)
    clock.move_to(NOW)
    assert (clock.time(), clock.elapsed()) == (NOW, elapsed + 100)
    clock.resume()
    clock.move_to(NOW + 1000)
    assert NOW + 1000 <= clock.time() < NOW + 2000
    assert clock.elapsed() >= elapsed + 1100


# Wrong states


WRONG: list[tuple[Any, str]] = [
    ([], "the body must be a JSON object"),
    ({"event": []}, "unknown name 'event' in the state; known names: machine, clock, events"),
    ({"events": []}, "events must be an object with the members incarnation, events, types"),
    ({"events": {"events": {}}}, "events.events must be a list of objects"),
    ({"events": {"events": [1]}}, "events.events must be a list of objects"),
    ({"events": {"events": [{"event_type": "Explode"}]}}, "event_type must be one of Freeze"),
    ({"events": {"events": [{"event_type": "Reboot", "x": 1}]}}, "got an unexpected keyword argument 'x'"),
    ({"events": {"events": [{"event_type": "Reboot", "status": "Over"}]}}, "status must be one of Upcoming"),
    ({"events": {"events": [{"event_type": "Reboot", "status": "Scheduled", "started_at": 1}]}}, "set it to null"),
    ({"events": {"incarnation": "1"}}, "events.incarnation must be a whole number"),
    ({"faults": {"pending": [{"status": 1}]}}, "status must be a number from 200 to 599"),
    ({"faults": {"pending": [{"status": 500, "remaining": -1}]}}, "remaining must be a whole number of 0 or more"),
    ({"faults": {"pending": [{"status": 500, "hits": "x"}]}}, "hits must be a whole number of 0 or more"),
    ({"faults": {"remaining": []}}, "faults must be an object with the members pending, presets"),
    ({"clock": {}}, "needs advance or frozen"),
    ({"clock": {"time": "soon"}}, "time must be Unix seconds"),
    ({"clock": {"time": 1, "advance": 1}}, "advance and time exclude each other"),
    ({"rate_limits": 1}, "rate_limits must be true or false, got 1"),
    ({"token_lifetime": 0}, "token_lifetime must be a number from 1"),
    ({"token_lifetime": "1"}, "token_lifetime must be a number of seconds, got '1'"),
    ({"first_call_delay": True}, "first_call_delay must be a number of seconds, got True"),
    ({"machine": {"tenant_id": "x"}}, "tenant_id must be a GUID"),
    ({"machine": {"document": "/etc/passwd"}}, "only a configuration file can name a file"),
    ({"machine": {"identities": []}}, "identities only shows system_assigned and user_assigned: change those"),
]


@pytest.mark.parametrize(("change", "reason"), WRONG, ids=[json.dumps(change)[:50] for change, _ in WRONG])
def test_a_wrong_state_changes_nothing(emulator: Emulator, control: httpx.Client, change: Any, reason: str) -> None:
    fill(emulator)
    before = get_state(control)
    body = {"rate_limits": False, "clock": {"advance": 5}, "machine": {"tenant_id": "9" * 8}} | change if change else []
    if change and "machine" not in change:
        del body["machine"]
    refused = control.patch("/api/state", json=body)
    assert refused.status_code == 400
    assert reason in refused.json()["error"]
    assert get_state(control) == before


def test_a_put_needs_the_whole_state(emulator: Emulator, control: httpx.Client) -> None:
    refused = control.put("/api/state", json={"machine": {}})
    assert (refused.status_code, refused.json()) == (
        400,
        {"error": "/api/state: clock is missing: PUT replaces the whole state, use PATCH to change a part of it"},
    )


def test_a_put_needs_json(control: httpx.Client) -> None:
    assert control.put("/api/state", content="{}", headers={"Content-Type": "text/plain"}).status_code == 415


# Configuration files


def describe_future(emulator: Emulator) -> list[Any]:
    """Returns what clients will see of each event from now on."""
    now = emulator.clock.time()
    return [
        (
            event.event_id,
            event.event_type,
            event.status,
            event.resources,
            event.description,
            event.source,
            event.duration,
            event.every,
            event.scenario,
            max(event.at, now),
            event.not_before if event.started_at is None else event.started_at + event.started_for,
        )
        for event in (*emulator.events.events, *emulator.events.upcoming)
    ]


def test_a_saved_emulator_begins_as_it_was(emulator: Emulator, tmp_path: Path) -> None:
    fill(emulator)
    emulator.clock.advance(10)
    emulator.save(tmp_path / "saved.yaml")
    restored = Emulator(settings=load(tmp_path / "saved.yaml"), clock=Clock(NOW + 10, frozen=True))
    assert restored.machine.to_dict() == emulator.machine.to_dict()
    assert describe_future(restored) == describe_future(emulator)
    for one, other in zip(restored.faults.pending, emulator.faults.pending, strict=True):
        assert (one.body, one.headers, one.remaining, one.every) == (
            other.body,
            other.headers,
            other.remaining,
            other.every,
        )
        assert (one.until, max(one.at, NOW + 10)) == (other.until, max(other.at, NOW + 10))
    settings = restored.settings
    assert (settings.rate_limits, settings.token_lifetime, settings.first_call_delay) == (True, 60, 1.5)


def test_a_started_event_is_saved_with_the_time_that_is_left(emulator: Emulator, tmp_path: Path) -> None:
    emulator.events.approve(emulator.schedule("Reboot", started_for=100).event_id)
    emulator.clock.advance(40)
    emulator.save(tmp_path / "saved.yaml")
    restored = Emulator(settings=load(tmp_path / "saved.yaml"), clock=Clock(NOW, frozen=True))
    assert [event.status for event in restored.events.events] == ["Started"]
    restored.clock.advance(60)
    assert restored.events.events == ()


def test_the_control_api_returns_the_configuration(emulator: Emulator, control: httpx.Client) -> None:
    emulator.fail(503, times=2)
    response = control.get("/api/config")
    assert response.headers["Content-Type"].startswith("application/yaml")
    settings = parse(response.text, "saved")
    assert settings.faults[0]["status"] == 503
    assert settings.machine.instance == emulator.machine.instance


@pytest.mark.parametrize("name", list_machine_names())
def test_every_machine_can_be_saved(name: str, tmp_path: Path) -> None:
    Emulator(machine=name).save(tmp_path / "saved.yaml")
    settings = load(tmp_path / "saved.yaml")
    assert settings.machine == make_machine(name)
    assert settings.arc == (name == "arc")


def test_odd_texts_and_numbers_can_be_saved(tmp_path: Path) -> None:
    odd = {"a": "2020-01-01", "b": "1:30", "c": "null", "d": "\x85\u2028\t ", "e": None, "f": 1.5, "g": "é", "h": "3"}
    machine = Machine(instance={"compute": odd}, system_assigned=None)
    Emulator(machine=machine, control_hosts=["a.example"], arc_token_dir=tmp_path / "keys").save(tmp_path / "c")
    settings = load(tmp_path / "c")
    assert settings.machine == machine
    assert settings.control_hosts == ["a.example"]
    assert settings.arc_token_dir == str(tmp_path / "keys")


def test_the_command_prints_its_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.yaml").write_text("token_lifetime: 60\nfaults: [{status: 503, delay: 1.5}]\n")
    options = ["--config", str(tmp_path / "c.yaml"), "--machine", "spot", "--event", "Preempt", "--after", "30"]
    assert main([*options, "--port", "8169", "--print-config"]) == 0
    settings = parse(capsys.readouterr().out, "printed")
    assert (settings.port, settings.token_lifetime, settings.rate_limits) == (8169, 60, True)
    assert settings.events == [{"event_type": "Preempt", "after": 30}]
    assert settings.faults == [{"status": 503, "delay": 1.5}]
    assert settings.machine == make_machine("spot")


# Requests


def test_a_request_has_one_form_in_python_and_in_the_api(
    emulator: Emulator, control: httpx.Client, http: httpx.Client
) -> None:
    http.get("/versions?a=1&a=2&b=%20x", headers=[("X-Two", "1"), ("X-Two", "2"), ("Authorization", "Basic c2VjcmV0")])
    (request,) = emulator.requests
    (shown,) = control.get("/api/requests").json()
    assert shown == request.to_dict()
    for name in ("number", "time", "method", "path", "query", "query_string", "status", "fault"):
        assert shown[name] == getattr(request, name)
    assert shown["query"] == {"a": "1", "b": " x"}
    assert shown["headers"]["X-Two"] == request.headers["X-Two"] == "1"
    assert shown["headers"]["Authorization"] == "<hidden>"
    with control.stream("GET", "/api/stream") as stream:
        line = next(line for line in stream.iter_lines() if line.startswith("data: "))
    assert json.loads(line[6:]) == shown


def test_only_bodies_of_scheduled_events_are_shown(emulator: Emulator) -> None:
    with make_client_for(emulator) as http:
        http.post("/scheduledevents?api-version=2020-07-01", content=b'{"StartRequests": "\xff"}')
        http.post("/identity/oauth2/token", content=b"client_assertion=c2VjcmV0")
        http.get("/versions")
    assert [request.to_dict()["body"] for request in emulator.requests] == [
        '{"StartRequests": "�"}',
        "<hidden>",
        "",
    ]


def test_a_system_assigned_identity_keeps_its_ids(emulator: Emulator, control: httpx.Client) -> None:
    emulator.machine.system_assigned = ManagedIdentity("1" * 8 + "-1111-1111-1111-" + "1" * 12, "o")
    machine = get_state(control)["machine"]
    machine["system_assigned"]["object_id"] = "22222222-2222-2222-2222-222222222222"
    del machine["identities"]
    assert control.patch("/api/machine", json=machine).status_code == 200
    assert emulator.machine.system_assigned.object_id == "22222222-2222-2222-2222-222222222222"
