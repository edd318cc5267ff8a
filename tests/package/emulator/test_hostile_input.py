"""Input that tries to read files, to stop the emulator, or to make later responses fail."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from azure_imds_emulator import ConfigError, Emulator
from azure_imds_emulator.cli import main
from azure_imds_emulator.config import from_environment, load, parse
from azure_imds_emulator.json_text import MAX_SIZE
from cli_support import read_usage_message
from emulator_support import get_raw, make_client, make_client_for

JSON = {"Content-Type": "application/json"}
BRACKETS = "[" * 100_000
#: Each level stands for ten times the level below it. All together stand for ten billion values.
BOMB = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" if n else "l0: &l0 [x]\n" for n in range(11))

needs_fifo = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")


# Files


def test_a_request_cannot_name_a_document(emulator: Emulator, control: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"compute": {"name": "stolen"}}')
    for body in ({"document": str(tmp_path / "secret.json")}, {"document": "/dev/zero", "instance": {}}):
        response = control.patch("/api/machine", json=body)
        assert response.status_code == 400
        assert response.json() == {
            "error": "/api/machine: document: only a configuration file can name a file; send its content as instance"
        }
    assert "stolen" not in control.get("/api/state").text
    assert emulator.machine.name == "vm-example-0"


@needs_fifo
def test_a_fifo_in_a_request_does_not_stop_the_emulator(control: httpx.Client, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert control.patch("/api/machine", json={"document": str(tmp_path / "fifo")}).status_code == 400
    assert control.get("/api/state").status_code == 200


@needs_fifo
def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", Path("/dev/zero")):
        with pytest.raises(ConfigError, match=f"{path}: not a regular file"):
            load(path)
        with pytest.raises(ConfigError, match=f"c:2: document {path}: not a regular file"):
            parse(f"machine:\n  document: {path}\n", "c")


def test_files_have_a_maximum_size(tmp_path: Path) -> None:
    (tmp_path / "large.json").write_text('{"compute": {}}' + " " * MAX_SIZE)
    with pytest.raises(ConfigError, match=r"c:1: document .*large\.json: longer than 1048576 bytes"):
        parse("machine: {document: large.json}", "c", folder=tmp_path)
    with pytest.raises(ConfigError, match=r"large\.json: longer than 262144 bytes"):
        load(tmp_path / "large.json")
    with pytest.raises(ConfigError, match="c: longer than 262144 bytes"):
        parse("#" * MAX_SIZE, "c")


# Configuration


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BRACKETS, "c:1: nested deeper than 50 levels"),
        (f"machine:\n  extended: {BRACKETS}", "c:2: nested deeper than 50 levels"),
        ('{"a":\n' + "[" * 1_000 + "]" * 1_000 + "}", "c:2: nested deeper than 50 levels"),
        ("- " * 10_000, "c:1: nested deeper than 50 levels"),
        (BOMB, "c:5: more than 20000 values"),
        ("a: &a [*a]", "c:1: the alias 'a' has no anchor before it, or contains itself"),
        ("".join(f"l{n}: &l{n} [*l{n - 1}]\n" if n else "l0: &l0 []\n" for n in range(60)), "c:50: nested deeper"),
        ("[" + "x, " * 20_001 + "]", "c:1: more than 20000 values"),
        ("a: 1" + ":1" * 100_000, "c:1: a number has more than 40 characters"),
        ("a: 0x" + "f" * 100_000, "c:1: a number has more than 40 characters"),
        ("a: .inf", "c:1: .inf is not a finite number"),
        ("a: !!int '{}'", "c:1: {} is not a finite number"),
        ('a: "\\ud800"', "c:1: the text '\\ud800' contains half of a surrogate pair"),
        ("? [x]\n: y", "c:1: the names in a mapping must be texts"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
def test_a_configuration_that_is_too_large_or_odd_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, "c")
    assert str(caught.value).startswith(message)


SURROGATE = "\ud800"


@pytest.mark.parametrize("name", ["description", "event_id", "scenario", "resources"])
def test_an_event_with_a_text_that_cannot_be_sent_is_refused(emulator: Emulator, http: httpx.Client, name: str) -> None:
    arguments: dict[str, Any] = {name: [SURROGATE] if name == "resources" else SURROGATE}
    with pytest.raises(ValueError, match=rf"^{name}: the text '\\ud800' contains half of a surrogate pair$"):
        emulator.schedule("Preempt", **arguments)
    assert_that_everything_answers(http)


@pytest.mark.parametrize("body", [SURROGATE, {"a": SURROGATE}, [SURROGATE]], ids=ascii)
def test_a_fault_with_a_text_that_cannot_be_sent_is_refused(emulator: Emulator, http: httpx.Client, body: Any) -> None:
    with pytest.raises(ValueError, match=r"^body: the text '.*\\ud800.*' contains half of a surrogate pair$"):
        emulator.fail(500, body=body)
    assert_that_everything_answers(http)


@pytest.mark.parametrize(
    "headers", [{"a b": "x"}, {"": "x"}, {"a\n": "x"}, {"ä": "x"}, {"a": "\x7f"}, {"a": "€"}], ids=ascii
)
def test_a_fault_with_a_header_that_cannot_be_sent_is_refused(
    control: httpx.Client, http: httpx.Client, headers: dict[str, str]
) -> None:
    response = control.post("/api/faults", json={"headers": headers})
    assert response.status_code == 400
    assert "contains characters that a header cannot contain" in response.json()["error"]
    assert_that_everything_answers(http)


@pytest.mark.parametrize("value", [SURROGATE, "€", "a\r\nSet-Cookie: b", "\0", "\x7f"], ids=ascii)
def test_a_server_that_a_header_cannot_contain_is_refused(value: str) -> None:
    message = "must be Latin-1 without control characters, for example IMDS/150.870.65.1854, got "
    with pytest.raises(ValueError, match=f"^server {message}"):
        Emulator(server=value)
    with pytest.raises(ConfigError, match=f"AZURE_IMDS_EMULATOR_SERVER: {message}"):
        from_environment({"AZURE_IMDS_EMULATOR_SERVER": f"x{value}x"})
    if value != SURROGATE:
        with pytest.raises(ConfigError, match=f"c:1: server {message}"):
            parse(json.dumps({"server": value}), "c")


@pytest.mark.parametrize("name", ["host", "control_host", "control_hosts", "as_host", "issuer", "arc_token_dir"])
def test_a_setting_that_is_not_text_in_utf_8_is_refused(name: str) -> None:
    settings: dict[str, Any] = {name: [SURROGATE] if name == "control_hosts" else SURROGATE}
    with pytest.raises(ValueError, match=rf"^{name} must be text in UTF-8, got '\\ud800'$"):
        Emulator(**settings)


def test_an_option_that_is_not_text_in_utf_8_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--host", os.fsdecode(b"\xff")]) == 2
    message = read_usage_message(capsys.readouterr().err)
    assert message == "Invalid value for '--host': must be text in UTF-8, got '\\udcff'"


def test_anchors_can_be_used() -> None:
    text = "machine:\n  system_assigned: &ids {client_id: 22222222-2222-2222-2222-222222222222}\n  extended: *ids\n"
    machine = parse(text, "c").machine
    assert machine.extended == {"client_id": "22222222-2222-2222-2222-222222222222"}


# Requests to the control API


@pytest.fixture(scope="module")
def shared() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


PATHS = (
    "/api/faults",
    "/api/events",
    "/api/clock",
    "/api/limits",
    "/api/machine",
    "/api/reset",
    "/api/events/x/approve",
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (BRACKETS, "nested deeper than 50 levels"),
        ("[" * 60 + "]" * 60, "nested deeper than 50 levels"),
        ('{"a":' * 100_000, "nested deeper than 50 levels"),
        ('{"status": 500, "status": 503}', "contains 'status' twice"),
        ('{"a": NaN}', "NaN is not a finite number"),
        ('{"a": 1e999}', "1e999 is not a finite number"),
        ('{"a": "\\ud800"}', "half of a surrogate pair"),
        ('{"\\udfff": 1}', "half of a surrogate pair"),
        ("9" * 5_000, "Exceeds the limit"),
        (b"\xff", "not JSON"),
        (f"{BOMB}", "not JSON"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_a_body_that_cannot_be_used_gets_a_400(shared: Emulator, path: str, body: str, reason: str) -> None:
    method = "PATCH" if path == "/api/machine" else "POST"
    with make_client(base_url=shared.control_url) as control:
        response = control.request(method, path, content=body, headers=JSON)
        if path in ("/api/reset", "/api/events/x/approve"):
            # These endpoints do not read the body.
            assert response.status_code in (200, 404)
            return
        assert response.status_code == 400
        assert reason in response.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/clock", {"advance": 1e300}),
        ("POST", "/api/clock", {"advance": 10**400}),
        ("POST", "/api/clock", {"advance": 99_999_999_999}),
        ("POST", "/api/clock", {"frozen": "no"}),
        ("POST", "/api/events", {"event_type": "Reboot", "notice": 1e300}),
        ("POST", "/api/events", {"event_type": "Reboot", "not_before": 1e300}),
        ("POST", "/api/events", {"event_type": "Reboot", "not_before": "9999-12-31T23:59:59-10:00"}),
        ("POST", "/api/events", {"event_type": "Reboot", "not_before": -1}),
        ("POST", "/api/events", {"event_type": "Reboot", "duration": 1.5}),
        ("POST", "/api/events", {"event_type": "Reboot", "started_for": 1e300}),
        ("POST", "/api/events", {"event_type": ["Reboot"]}),
        ("POST", "/api/faults", {"status": 500, "seconds": 1e300}),
        ("POST", "/api/faults", {"status": 500, "until": 1e300}),
        ("POST", "/api/faults", {"delay": 1e300}),
        ("POST", "/api/faults", {"preset": ["x"]}),
        ("POST", "/api/faults", {"status": 500, "times": 1.5}),
        ("PATCH", "/api/machine", []),
        ("PATCH", "/api/machine", {"instance": {"compute": []}}),
        ("PATCH", "/api/machine", {"instance": {"compute": "x"}}),
        ("PATCH", "/api/machine", {"instance": {"network": None}}),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict | list) else None,
)
def test_values_that_would_break_later_responses_are_refused(
    emulator: Emulator, control: httpx.Client, http: httpx.Client, method: str, path: str, body: Any
) -> None:
    response = control.request(method, path, json=body)
    assert response.status_code == 400, response.text
    assert response.json()["error"].startswith(f"{path}: ")
    assert_that_everything_answers(http)
    assert control.get("/api/state").status_code == 200


@pytest.mark.parametrize(
    "compute",
    [
        {"tagsList": ["x"]},
        {"tagsList": 5},
        {"plan": "x"},
        {"name": {"a": 1}, "subscriptionId": []},
        {"location": ["x"], "azEnvironment": {}},
        {"vmId": None, "licenseType": [[]]},
    ],
    ids=str,
)
def test_a_machine_with_odd_members_answers_every_request(
    control: httpx.Client, http: httpx.Client, compute: Any
) -> None:
    assert control.patch("/api/machine", json={"instance": {"compute": compute}}).status_code == 200
    assert_that_everything_answers(http)


@pytest.mark.parametrize("document", ['{"compute": [], "network": 5}', "{}", '{"compute": null}'])
def test_a_document_with_odd_members_answers_every_request(document: str, tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text(document)
    settings = parse("machine: {document: odd.json}", "c", folder=tmp_path)
    with Emulator(settings=settings) as emulator, make_client_for(emulator) as http:
        assert_that_everything_answers(http)


def test_a_body_that_is_too_long_is_refused(control: httpx.Client) -> None:
    response = control.post("/api/faults", content=b" " * (MAX_SIZE + 1), headers=JSON)
    assert response.status_code == 413
    assert response.json()["error"].startswith("/api/faults: ")


def test_an_unknown_path_or_method_gets_an_error_in_json(control: httpx.Client) -> None:
    assert control.get("/api/nothing").json() == {"error": "/api/nothing: Not Found"}
    assert control.get("/api/faults").json() == {"error": "/api/faults: Method Not Allowed. Use DELETE or POST"}


def test_an_unknown_charset_is_ignored(control: httpx.Client) -> None:
    headers = {"Content-Type": "application/json; charset=nonsense"}
    assert control.post("/api/faults", content=b'{"status": 500}', headers=headers).status_code == 201


# Requests to the metadata service


def test_an_approval_with_many_brackets_gets_a_400(emulator: Emulator, http: httpx.Client) -> None:
    response = http.post("/scheduledevents?api-version=2020-07-01", content=b"[" * 60_000)
    assert (response.status_code, response.json()) == (400, {"error": "Bad request"})


def test_an_index_with_thousands_of_digits_is_unknown(emulator: Emulator) -> None:
    head, body = get_raw(emulator, f"/metadata/instance/network/interface/{'9' * 5_000}?api-version=2021-02-01")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert body == b'{ "error": "Not found" }'


def assert_that_everything_answers(http: httpx.Client) -> None:
    for path, version in (
        ("/instance", "2025-04-07"),
        ("/instance/compute", "2021-02-01"),
        ("/attested/document", "2020-09-01"),
        ("/scheduledevents", "2020-07-01"),
        ("/identity/oauth2/token", "2018-02-01"),
        ("/identity/info", "2018-02-01"),
    ):
        query = {"api-version": version, "resource": "https://vault.azure.net"}
        assert http.get(path, params=query).status_code < 500, path
    text = {"api-version": "2021-02-01", "format": "text"}
    assert http.get("/instance/compute", params=text).status_code < 500
