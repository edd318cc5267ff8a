"""The ready-made machines, in Python, in files and on the command line."""

from __future__ import annotations

import argparse
import copy
import ipaddress
from pathlib import Path
from typing import Any

import httpx
import pytest

from azure_imds_emulator import ConfigError, Emulator, Machine, make_machine
from azure_imds_emulator.cli import make_parser, read_settings
from azure_imds_emulator.config import load, parse
from azure_imds_emulator.instance import select_fields
from azure_imds_emulator.machine_reader import list_machine_names
from azure_imds_emulator.versions import PUBLISHED
from emulator_support import make_client_for

ENVIRONMENT = "AZURE_IMDS_EMULATOR_MACHINE"


def get_instance(machine: str) -> dict[str, Any]:
    with Emulator(machine=machine) as emulator, make_client_for(emulator) as http:
        found: dict[str, Any] = http.get("/instance", params={"api-version": PUBLISHED[-1]}).json()
        return found


def list_addresses(instance: dict[str, Any]) -> list[str]:
    return [
        address["privateIpAddress"]
        for interface in instance["network"]["interface"]
        for protocol in ("ipv4", "ipv6")
        for address in interface[protocol]["ipAddress"]
    ]


def test_the_default_machine_is_a_common_one() -> None:
    instance = get_instance("default")
    compute = instance["compute"]
    assert [ipaddress.ip_address(address).version for address in list_addresses(instance)] == [4]
    assert compute["plan"] == {"name": "", "product": "", "publisher": ""}
    assert (compute["host"], compute["hostGroup"]) == ({"id": ""}, {"id": ""})
    assert (compute["priority"], compute["osType"], compute["name"]) == ("Regular", "Linux", "vm-example-0")
    assert not any(":" in str(rule) for rule in (Machine().load_balancer or {})["inboundRules"][0].values())


EXPECTED: dict[str, dict[str, Any]] = {
    "spot": {"priority": "Spot", "evictionPolicy": "Deallocate"},
    "two-identities": {"name": "vm-two-0"},
    "vmss-instance": {"name": "vmss-example_3", "vmScaleSetName": "vmss-example"},
    "windows": {"osType": "Windows", "licenseType": "Windows_Server", "publicKeys": []},
    "confidential": {"vmSize": "Standard_DC2as_v5"},
    "gov": {"azEnvironment": "AzureUSGovernmentCloud", "location": "usgovvirginia"},
    "china": {"azEnvironment": "AzureChinaCloud", "location": "chinanorth3"},
    "dual-stack": {},
    "arc": {"provider": "Microsoft.HybridCompute", "name": "server-example-0"},
}


def test_every_machine_is_tested_here() -> None:
    assert set(EXPECTED) | {"default"} == set(list_machine_names())


@pytest.mark.parametrize("name", EXPECTED)
def test_a_machine_is_what_its_name_says(name: str) -> None:
    compute = get_instance(name)["compute"]
    assert {member: compute[member] for member in EXPECTED[name]} == EXPECTED[name]
    assert compute["resourceId"].endswith(f"/{compute['name'].rpartition('_')[2]}")


@pytest.mark.parametrize("name", sorted({*EXPECTED, "default"} - {"arc"}))
def test_a_machine_has_all_members_of_the_newest_document(name: str) -> None:
    assert get_instance(name)["compute"].keys() == Machine().compute.keys()


def test_a_scale_set_instance_has_two_names() -> None:
    compute = get_instance("vmss-instance")["compute"]
    assert compute["osProfile"]["computerName"] == "vmss-exam000003"
    assert "/virtualMachineScaleSets/vmss-example/virtualMachines/3" in compute["resourceId"]


def test_a_confidential_machine_says_so() -> None:
    assert get_instance("confidential")["compute"]["securityProfile"]["securityType"] == "ConfidentialVM"


def test_a_dual_stack_machine_has_addresses_of_both_kinds() -> None:
    addresses = list_addresses(get_instance("dual-stack"))
    assert {ipaddress.ip_address(address).version for address in addresses} == {4, 6}
    rules = (make_machine("dual-stack").load_balancer or {})["inboundRules"]
    assert any(":" in rule["frontendIpAddress"] for rule in rules)


@pytest.mark.parametrize(("name", "domain"), [("gov", "metadata.azure.us"), ("china", "metadata.azure.cn")])
def test_other_clouds_have_their_own_domain(name: str, domain: str) -> None:
    assert make_machine(name).attested_domain == domain


def test_the_client_of_a_machine_with_two_identities_must_choose_one() -> None:
    with Emulator(machine="two-identities") as emulator, make_client_for(emulator) as http:
        query = {"resource": "https://vault.azure.net", "api-version": "2018-02-01"}
        refused = http.get("/identity/oauth2/token", params=query)
        assert refused.status_code == 400
        assert "Multiple user assigned identities exist" in refused.json()["error_description"]
        for identity in emulator.machine.identities:
            answer = http.get("/identity/oauth2/token", params={**query, "client_id": identity.client_id})
            assert answer.json()["client_id"] == identity.client_id
        assert [identity.name for identity in emulator.machine.identities] == ["id-web", "id-db"]


def test_the_machine_arc_is_an_arc_agent() -> None:
    with Emulator(machine="arc") as emulator:
        assert emulator.settings.arc
        assert emulator.arc_token_dir.is_dir()
    assert not Emulator(machine="arc", arc=False).settings.arc


def test_each_machine_is_a_new_object() -> None:
    one, other = make_machine("spot"), make_machine("spot")
    before = copy.deepcopy(other.instance)
    one.compute["name"] = "changed"
    one.compute["osProfile"]["computerName"] = "changed"
    one.compute["tagsList"].append({})
    assert other.instance == before
    assert make_machine("spot").instance == before


def test_an_unknown_machine_is_refused_with_the_known_names() -> None:
    with pytest.raises(ValueError, match=r"machine must be one of default, spot, .*, got 'nonsense'"):
        Emulator(machine="nonsense")
    with pytest.raises(ConfigError, match="c:1: machine must be one of default, spot"):
        parse("machine: {base: nonsense}", "c")


def test_a_file_can_name_a_machine_and_change_it() -> None:
    assert parse("machine: spot", "c").machine.compute["priority"] == "Spot"
    changed = parse("machine: {instance: {compute: {name: x}}, base: spot}", "c").machine
    assert (changed.name, changed.compute["priority"]) == ("x", "Spot")
    assert parse("machine: arc", "c").arc
    assert parse("machine: {base: arc}", "c").arc
    assert not parse("machine: {base: arc}\narc: false", "c").arc


def read(*options: str, **environment: str) -> Any:
    return read_settings(make_parser().parse_args(options), environment)


def test_the_command_has_an_option_and_a_variable(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("machine: {base: windows, instance: {compute: {zone: 3}}}")
    file = ("--config", str(path))
    assert read(*file).machine.compute["osType"] == "Windows"
    assert read(*file, **{ENVIRONMENT: "spot"}).machine.compute["priority"] == "Spot"
    chosen = read(*file, "--machine", "gov", **{ENVIRONMENT: "spot"}).machine.compute
    assert (chosen["azEnvironment"], chosen["priority"], chosen["zone"]) == ("AzureUSGovernmentCloud", "Regular", "3")
    assert read("--machine", "arc").arc
    assert not read("--machine", "arc", "--no-arc").arc
    assert isinstance(make_parser(), argparse.ArgumentParser)
    assert load(path).machine.compute["osType"] == "Windows"


def test_a_request_can_name_a_machine(control: httpx.Client, http: httpx.Client) -> None:
    assert control.patch("/api/machine", json={"base": "spot"}).status_code == 200
    text = {"api-version": "2021-02-01", "format": "text"}
    assert http.get("/instance/compute/priority", params=text).text == "Spot"


def test_every_version_of_every_machine_can_be_read() -> None:
    for name in list_machine_names():
        machine = make_machine(name)
        assert all(select_fields(machine.instance, version) for version in PUBLISHED)
