"""Short names of resources."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from azure_imds._cli import resources
from azure_imds._cli.claims import read_claims
from azure_imds._cli.resources import CLOUDS, parse_resource, read_resources
from azure_imds_emulator import Emulator
from cli_support import Run, run, run_at_terminal


def requested(call: Run, *arguments: str) -> str:
    done = call("token", *arguments)
    assert (done.status, done.err) == (0, "")
    return str(read_claims(done.out)["aud"])


def last_requested(emulator: Emulator) -> str:
    return str(emulator.requests[-1].query["resource"])


ARM = {cloud: str(read_resources()["arm"][cloud]) for cloud in CLOUDS}

#: Commands that request a token, up to the resource.
COMMANDS = {
    "token": ["token"],
    "wait": ["wait", "--timeout", "5", "--resource"],
    "doctor": ["doctor", "--resource"],
    "call": ["call", "identity.get_token", "--resource"],
}


@pytest.mark.parametrize("name", read_resources())
def test_a_name_has_a_service_and_a_resource_in_some_cloud(name: str) -> None:
    values = read_resources()[name]
    assert set(values) == {"service", *CLOUDS}
    assert values["service"]
    assert values["public"]
    for cloud in CLOUDS:
        if (resource := values[cloud]) is not None:
            assert parse_resource(resource) == resource


def test_no_name_is_written_twice() -> None:
    def check(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len({key for key, _ in pairs}) == len(pairs)
        return dict(pairs)

    source = Path(resources.__file__).with_suffix(".json")
    json.loads(source.read_text(encoding="utf-8"), object_pairs_hook=check)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_a_name(command: str, call: Run, emulator: Emulator) -> None:
    emulator.machine.compute["azEnvironment"] = "AzureChinaCloud"
    assert call(*COMMANDS[command], "vault").status == 0
    tokens = [request for request in emulator.requests if request.path == "/metadata/identity/oauth2/token"]
    assert [request.query["resource"] for request in tokens] == ["https://vault.azure.cn"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_a_cloud_and_a_scope(command: str, call: Run, emulator: Emulator) -> None:
    assert call(*COMMANDS[command], "vault/.default", "--cloud", "usgov").status == 0
    paths = [request.path for request in emulator.requests]
    assert not any(path.endswith("azEnvironment") for path in paths)
    tokens = [request for request in emulator.requests if request.path == "/metadata/identity/oauth2/token"]
    assert tokens[0].query["resource"] == "https://vault.usgovcloudapi.net"


def test_exec_takes_a_name(emulator: Emulator) -> None:
    emulator.machine.compute["azEnvironment"] = "AzureChinaCloud"
    assert run("exec", "--resource", "vault", "--", "true").status == 0
    assert last_requested(emulator) == "https://vault.azure.cn"
    assert run("exec", "--resource", "vault/.default", "--cloud", "usgov", "--", "true").status == 0
    assert last_requested(emulator) == "https://vault.usgovcloudapi.net"
    done = run("exec", "--resource", "valt", "--", "true")
    assert (done.status, done.out) == (2, "")
    assert "Did you mean 'vault'?" in done.err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("typed", "problem"),
    [("valt", "Did you mean 'vault'?"), ("vault.azure.net", "Did you mean 'https://vault.azure.net'?")],
)
def test_every_command_refuses_what_is_no_resource(
    command: str, typed: str, problem: str, call: Run, emulator: Emulator
) -> None:
    done = call(*COMMANDS[command], typed)
    assert (done.status, done.out) == (2, "")
    assert f"{typed!r} " in done.err
    assert problem in done.err
    assert not emulator.requests


@pytest.mark.parametrize("command", sorted({*COMMANDS} - {"doctor"}))
def test_other_arguments_are_checked_before_the_machine_is_asked_for_its_cloud(
    command: str, call: Run, emulator: Emulator
) -> None:
    done = call(*COMMANDS[command], "vault", "--client-id", "web")
    assert (done.status, done.out) == (2, "")
    assert "--client-id must look like" in done.err
    assert not emulator.requests


def test_wait_waits_for_the_cloud_of_the_machine_too(call: Run, emulator: Emulator) -> None:
    emulator.fail(503, path="/metadata/instance", times=1)
    assert call("wait", "--resource", "vault", "--timeout", "20").status == 0
    assert last_requested(emulator) == "https://vault.azure.net"


def test_the_doctor_reports_a_name_that_the_cloud_lacks(call: Run, emulator: Emulator) -> None:
    emulator.machine.compute["azEnvironment"] = "AzureStack"
    done = call("doctor", "--resource", "vault", "--json")
    finding = next(found for found in done.json["findings"] if found["check"] == "token")
    assert done.status == 1
    assert (finding["status"], finding["text"].partition(",")[0]) == (
        "fail",
        "--resource 'vault' is not known in the cloud of this machine",
    )


def test_a_name_that_a_cloud_lacks(call: Run, emulator: Emulator) -> None:
    done = call("token", "devops", "--cloud", "china")
    assert (done.status, done.out) == (2, "")
    assert "RESOURCE 'devops' is not known in the cloud 'china'. Pass its URI" in done.err
    assert not emulator.requests


def test_a_machine_that_does_not_name_its_cloud(call: Run, emulator: Emulator) -> None:
    emulator.machine.compute["azEnvironment"] = ""
    done = call("token", "vault")
    assert (done.status, done.out) == (2, "")
    assert "'vault' is not known because this machine names no cloud. Pass its URI or --cloud" in done.err


def test_a_machine_that_answers_404_for_its_cloud(call: Run, emulator: Emulator) -> None:
    emulator.fail(404, path="/metadata/instance/compute/azEnvironment", times=100)
    done = call("token", "vault")
    assert (done.status, done.out) == (2, "")
    problem = "RESOURCE 'vault' depends on the cloud of this machine, and the request for it got 404"
    assert f"{problem} (compute/azEnvironment). Pass its URI or --cloud" in done.err


def test_the_names_are_listed_without_a_request(call: Run, emulator: Emulator) -> None:
    rows = call("token", "--list").json
    assert {row["name"]: row["resource"] for row in rows} == {
        name: values["public"] for name, values in read_resources().items()
    }
    china = {row["name"]: row["resource"] for row in call("token", "--list", "--cloud", "china").json}
    assert china["vault"] == "https://vault.azure.cn"
    assert "devops" not in china
    assert not emulator.requests


def test_a_list_in_a_narrow_terminal_breaks_no_uri(emulator: Emulator) -> None:
    done = run_at_terminal("token", "--list", "--cloud", "usgov")
    assert done.status == 0
    for row in run("token", "--list", "--cloud", "usgov").json:
        assert row["resource"] in done.out


def test_a_token_needs_a_resource(call: Run, emulator: Emulator) -> None:
    done = call("token")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("azure-imds: Missing argument 'RESOURCE'. `azure-imds token --list` shows the names")
    assert "\nUsage: azure-imds token [OPTIONS] [RESOURCE]\n" in done.err


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("AzurePublicCloud", "https://vault.azure.net"),
        ("AzureUSGovernmentCloud", "https://vault.usgovcloudapi.net"),
        ("AZURECHINACLOUD", "https://vault.azure.cn"),
    ],
)
def test_a_name_means_the_resource_in_the_cloud_of_the_machine(
    environment: str, expected: str, call: Run, emulator: Emulator
) -> None:
    emulator.machine.compute["azEnvironment"] = environment
    assert requested(call, "vault") == expected


@pytest.mark.parametrize(("cloud", "expected"), ARM.items())
def test_the_cloud_can_be_given(cloud: str, expected: str, call: Run, emulator: Emulator) -> None:
    assert requested(call, "arm", "--cloud", cloud) == expected
    assert [request.path for request in emulator.requests] == ["/metadata/identity/oauth2/token"]


def test_a_resource_that_is_the_same_in_all_clouds_needs_one_request(call: Run, emulator: Emulator) -> None:
    assert requested(call, "storage") == "https://storage.azure.com/"
    assert len(emulator.requests) == 1


def test_the_machine_may_be_in_another_cloud(call: Run, emulator: Emulator) -> None:
    emulator.machine.compute["azEnvironment"] = "AzureStack"
    done = call("token", "vault")
    assert done.status == 2
    assert "'vault' is not known in the cloud of this machine, 'AzureStack'" in done.err


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("https://vault.azure.net/.default", "https://vault.azure.net"),
        ("https://management.azure.com//.default", "https://management.azure.com/"),
        ("api://11111111-2222-3333-4444-555555555555/.default", "api://11111111-2222-3333-4444-555555555555"),
        ("6dae42f8-4368-4678-94ff-3960e28e3630", "6dae42f8-4368-4678-94ff-3960e28e3630"),
        ("urn:example:app", "urn:example:app"),
    ],
)
def test_a_resource_or_scope_is_accepted(typed: str, sent: str, call: Run, emulator: Emulator) -> None:
    assert requested(call, typed) == sent


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["vault.azure.net"], "'vault.azure.net' has no scheme. Did you mean 'https://vault.azure.net'?"),
        (["https:/vault.azure.net"], "Did you mean 'https://vault.azure.net'?"),
        (["https:vault.azure.net"], "Did you mean 'https://vault.azure.net'?"),
        (["//vault.azure.net/.default"], "Did you mean 'https://vault.azure.net'?"),
        (["vault.azure.net:443/a"], "Did you mean 'https://vault.azure.net:443/a'?"),
        (["Vault"], "Did you mean 'vault'?"),
        (["nothing-like-it"], "`azure-imds token --list` shows the names."),
        (["valt"], "Did you mean 'vault'?"),
        (["vault", "--cloud", "chna"], "Did you mean 'china'?"),
    ],
)
def test_a_wrong_resource_fails_before_a_request(
    arguments: list[str], problem: str, call: Run, emulator: Emulator
) -> None:
    done = call("token", *arguments)
    assert (done.status, done.out) == (2, "")
    assert problem in done.err
    assert not emulator.requests
