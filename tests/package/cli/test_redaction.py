"""`azure-imds doctor --redact` leaves out what identifies the machine. The report says whether that was done."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from azure_imds._cli import local_checks
from azure_imds._cli.doctor import examine
from azure_imds._cli.redaction import Redactor
from azure_imds._cli.surroundings import Surroundings
from azure_imds_emulator import Emulator
from cli_support import Run
from support import FakeClock

GUID = "12345678-9abc-def0-1234-56789abcdef0"
OTHER = "22345678-9abc-def0-1234-56789abcdef0"


class Steady(FakeClock):
    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator.clock.time())

    def sleep(self, seconds: float) -> None:
        pass


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"client id {GUID}, tenant {OTHER}, again {GUID}.", "client id <id 1>, tenant <id 2>, again <id 1>."),
        (f"({GUID.upper()}) {GUID}", "(<id 1>) <id 1>"),
        (GUID.replace("-", ""), "<id 1>"),
        (f"api://{GUID}/x", "api://<id 1>/x"),
        ("/subscriptions/a/resourceGroups/b/x, and", "<resource id 1>, and"),
        ("This machine is vm-7 in eastus.", "This machine is <name 1> in eastus."),
        ("vm-7 vm-77 VM-7.", "<name 1> vm-77 <name 1>."),
        ("from vm-7.corp.example:80", "from <name 1>:80"),
        ("Requests leave from 10.1.2.3.", "Requests leave from <address 1>."),
        ("http://10.1.2.3:8080/x and 20.1.2.3", "http://<address 1>:8080/x and <address 2>"),
        ("from 2001:db8::1 port 80", "from <address 1> port 80"),
        ("http://[fd00:ec2::254]:80/x", "http://[<address 1>]:80/x"),
        ("169.254.169.254, 127.0.0.1, ::1 and 169.254.7.7", "169.254.169.254, 127.0.0.1, ::1 and 169.254.7.7"),
        ("at 12:34:56, version 1.2.3.4567, 2025-11-15", "at 12:34:56, version 1.2.3.4567, 2025-11-15"),
        ("instance 12 ms, token 3 ms", "instance 12 ms, token 3 ms"),
        ("IMDS/150.870.65.1854", "IMDS/150.870.65.1854"),
    ],
)
def test_values_are_replaced_by_their_kind(text: str, expected: str) -> None:
    assert Redactor(["vm-7", "vm-7.corp.example", ""]).redact(text) == expected


@pytest.fixture
def private(emulator: Emulator) -> set[str]:
    """What identifies the machine of the emulator."""
    document = emulator.machine.instance
    text = json.dumps(document)
    values = {document["compute"]["name"], emulator.machine.tenant_id, *re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", text)}
    return {value for value in values if value}


def report(emulator: Emulator, **options: Any) -> str:
    found = examine(
        emulator.endpoint,
        resource="https://vault.azure.net",
        surroundings=Surroundings({}, Path("/nowhere")),
        clock=Steady(emulator),
        **options,
    )
    return json.dumps([finding.to_dict() for finding in found])


@pytest.mark.parametrize("case", ["healthy", "user-assigned", "unknown identity", "other audience"])
def test_no_id_and_no_name_is_in_a_redacted_report(emulator: Emulator, private: set[str], case: str) -> None:
    options: dict[str, Any] = {"events": True}
    if case == "user-assigned":
        identity = emulator.machine.add_user_assigned("id-of-web")
        private |= {"id-of-web", identity.client_id, identity.object_id}
        options["selector"] = {"client_id": identity.client_id}
    elif case == "unknown identity":
        private.add(GUID)
        options["selector"] = {"client_id": GUID}
    plain, redacted = report(emulator, **options), report(emulator, redact=True, **options)
    assert any(value in plain for value in private)
    assert not [value for value in private if value.lower() in redacted.lower()]
    assert re.sub(r"\d+ ms", "", re.sub(r'"seconds": [^}]*', "", redacted)).count('"check"') == plain.count('"check"')


def test_the_address_of_the_machine_is_left_out(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_checks, "find_local_address", lambda host, port: "10.20.30.40")
    assert "Requests leave from 10.20.30.40." in report(emulator)
    assert "Requests leave from <address 1>." in report(emulator, redact=True)


def test_the_name_of_the_endpoint_is_left_out() -> None:
    found = examine(
        "http://imds.corp.invalid", resource="r", redact=True, surroundings=Surroundings({}, Path("/nowhere"))
    )
    text = json.dumps([finding.to_dict() for finding in found])
    assert "corp" not in text
    assert "http://<name 1>" in text


def test_the_report_says_first_what_it_contains(emulator: Emulator, call: Run) -> None:
    for form in ("table", "text"):
        done = call("doctor", "--output", form)
        first = done.out.splitlines()[0]
        assert "Contains ids, names and addresses. Use --redact before you share this report." in first
        done = call("doctor", "--output", form, "--redact")
        assert "Ids, names and addresses are left out." in done.out.splitlines()[0]
        assert emulator.machine.tenant_id not in done.out
    parsed = json.loads(call("doctor", "--json").out)
    assert next(iter(parsed)) == "note"
    assert "--redact" in parsed["note"]
