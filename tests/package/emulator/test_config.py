"""Configuration by file and environment, and the errors of wrong configurations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from azure_imds_emulator import ConfigError, Emulator, Settings
from azure_imds_emulator.cli import make_parser, read_settings
from azure_imds_emulator.config import from_environment, load, parse

FULL = """\
host: 127.0.0.1
port: 0
rate_limits: true
token_lifetime: 3600
first_call_delay: 1.5
attested_digest_oid: strict
machine:
  tenant_id: 11111111-1111-1111-1111-111111111111
  instance:
    compute:
      name: web-7
      platformFaultDomain: 2
      tagsList: [{name: env, value: test}, {name: team, value: web}]
  system_assigned: false
  user_assigned:
    - id-a
    - {name: id-b, client_id: 22222222-2222-2222-2222-222222222222}
    - resource_id: /subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-c
  load_balancer: null
  invalid_resources: [https://unknown.example]
events:
  - event_type: Terminate
    not_before: 2040-01-01T00:00:00Z
faults:
  - status: 503
    times: 2
    path: /metadata/identity
"""


def test_a_file_sets_everything() -> None:
    settings = parse(FULL, "full.yaml")
    assert (settings.rate_limits, settings.token_lifetime, settings.first_call_delay) == (True, 3600, 1.5)
    machine = settings.machine
    assert machine.name == "web-7"
    assert machine.compute["platformFaultDomain"] == "2", "scalars of /instance are strings"
    assert machine.compute["location"] == "eastus", "other values stay"
    assert machine.compute["resourceId"].endswith("/virtualMachines/web-7")
    assert machine.compute["tags"] == "env:test;team:web"
    assert machine.system_assigned is None
    assert [(identity.resource_id or "").rpartition("/")[2] for identity in machine.user_assigned] == [
        "id-a",
        "id-b",
        "id-c",
    ]
    assert machine.user_assigned[1].client_id == "22222222-2222-2222-2222-222222222222"
    assert machine.load_balancer is None
    emulator = Emulator(settings=settings)
    assert emulator.events.events[0].not_before == 2208988800
    assert emulator.faults.pending[0].remaining == 2
    assert Settings().machine.name == "vm-example-0", "the defaults do not change"


def test_json_can_be_indented_with_tabs(tmp_path: Path) -> None:
    path = tmp_path / "emulator.json"
    path.write_text(
        json.dumps({"token_lifetime": 60, "machine": {"instance": {"compute": {"zone": "3"}}}}, indent="\t")
    )
    settings = load(path)
    assert (settings.token_lifetime, settings.machine.compute["zone"]) == (60, "3")


def test_a_captured_document_can_be_the_machine(tmp_path: Path) -> None:
    (tmp_path / "vm.json").write_text('{"compute": {"name": "captured"}, "network": {"interface": []}}')
    path = tmp_path / "emulator.yaml"
    path.write_text("machine:\n  document: vm.json\n  instance: {compute: {zone: 2}}\n")
    assert load(path).machine.instance == {
        "compute": {"name": "captured", "zone": "2"},
        "network": {"interface": []},
    }


def test_the_control_server_can_be_set_apart() -> None:
    text = "host: 0.0.0.0\ncontrol_host: 127.0.0.1\ncontrol_hosts: [host.docker.internal]\nlog: true\n"
    settings = parse(text, "c")
    assert (settings.host, settings.control_host, settings.control_hosts, settings.log) == (
        "0.0.0.0",
        "127.0.0.1",
        ["host.docker.internal"],
        True,
    )
    variables = {
        "AZURE_IMDS_EMULATOR_CONTROL_HOST": "::1",
        "AZURE_IMDS_EMULATOR_CONTROL_HOSTS": "a.example, b.example,",
        "AZURE_IMDS_EMULATOR_LOG": "1",
    }
    settings = from_environment(variables)
    assert (settings.control_host, settings.control_hosts, settings.log) == ("::1", ["a.example", "b.example"], True)
    options = make_parser().parse_args(["--control-hosts", "c.example,d.example", "--no-log"])
    settings = read_settings(options, variables)
    assert (settings.control_hosts, settings.log) == (["c.example", "d.example"], False)


def test_an_empty_file_changes_nothing() -> None:
    assert parse("", "empty").port == 0


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("port: 1\nprot: 2\n", 2, "did you mean 'port'"),
        ("port: 70000\n", 1, "from 0 to 65535"),
        ("port: '1'\n", 1, "whole number"),
        ("arc: maybe\n", 1, "true or false"),
        ("rate_limits: 1\n", 1, "true or false"),
        ("token_lifetime: 0\n", 1, "from 1"),
        ("first_call_delay: true\n", 1, "number"),
        ("attested_digest_oid: odd\n", 1, "must be observed or strict, got 'odd'"),
        ("port: 1\nport: 2\n", 2, "contains 'port' twice"),
        ("- port\n", 1, "mapping"),
        ("machine:\n  tenant_id: nonsense\n", 2, "GUID"),
        ("machine:\n  user_assigned: id-a\n", 2, "list"),
        ("machine:\n  user_assigned:\n  - {client_id: 22222222-2222-2222-2222-222222222222}\n", 3, "needs a name"),
        ("machine:\n  system_assigned: {client: x}\n", 2, "client_id"),
        ("machine:\n  instance:\n    compte: {}\n", 3, "did you mean 'compute'"),
        ("machine:\n  load_balancer: {inboundRules: 5}\n", 2, "list"),
        ("machine:\n  document: nowhere.json\n", 2, "No such file"),
        (
            "events:\n- event_type: Reboot\n- event_type: Explode\n",
            3,
            "event_type must be one of Freeze, Reboot, Redeploy, Preempt, Terminate, got 'Explode'",
        ),
        ("events:\n- event_type: Reboot\n  not_before: soon\n", 2, "soon"),
        ("events:\n- {notice: 60}\n", 2, "an entry of events: missing a required argument: 'event_type'"),
        ("faults:\n- {status: 500, tims: 2}\n", 2, "unknown name 'tims' in an entry of faults; did you mean 'times'?"),
        ("faults:\n- preset: nonsense\n", 2, "preset must be one of imds-restarting, "),
        ("faults:\n- {status: 500, times: many}\n", 2, "times"),
        ("faults:\n- {delay: long}\n", 2, "delay must be a number of seconds"),
        ("machine: {\n", 2, "expected"),
        ("port: [1\nhost: x\n", 2, ""),
        ('{\n"port": 1\n"host": "x"}', 3, "not JSON"),
        ("port: !!python/object:os.system x\n", 1, "python/object:os.system is not supported"),
    ],
)
def test_a_wrong_file_is_refused_with_line_and_reason(text: str, line: int, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, "file.yaml")
    assert str(caught.value).startswith(f"file.yaml:{line}: "), str(caught.value)
    assert reason in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: No such file"):
        load(tmp_path / "nowhere.yaml")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "binary")


def test_variables_set_the_settings_with_one_value() -> None:
    environment = {
        "AZURE_IMDS_EMULATOR_PORT": "8080",
        "AZURE_IMDS_EMULATOR_ARC": "yes",
        "AZURE_IMDS_EMULATOR_FIRST_CALL_DELAY": "2.5",
        "AZURE_IMDS_EMULATOR_HOST": "",
    }
    settings = from_environment(environment)
    assert (settings.port, settings.arc, settings.first_call_delay, settings.host) == (8080, True, 2.5, "127.0.0.1")


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "http"), ("PORT", "70000"), ("ARC", "maybe"), ("ATTESTED_DIGEST_OID", "odd"), ("TOKEN_LIFETIME", "1.5")],
)
def test_a_wrong_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"AZURE_IMDS_EMULATOR_{name}: "):
        from_environment({f"AZURE_IMDS_EMULATOR_{name}": value})


@pytest.mark.parametrize("options", [{"port": -1}, {"token_lifetime": 0}, {"attested_digest_oid": "odd"}])
def test_a_wrong_argument_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Emulator(**options)
    with pytest.raises(TypeError):
        Emulator(prot=1)  # type: ignore[call-arg]
