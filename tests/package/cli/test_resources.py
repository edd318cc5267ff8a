"""Short names of resources."""

from __future__ import annotations

import pytest

from azure_imds._cli.claims import read_claims
from azure_imds._cli.resources import CLOUDS, RESOURCES
from azure_imds_emulator import Emulator
from cli_support import Run


def requested(call: Run, *arguments: str) -> str:
    done = call("token", *arguments)
    assert (done.status, done.err) == (0, "")
    return str(read_claims(done.out)["aud"])


@pytest.mark.parametrize("name", RESOURCES)
def test_a_name_has_a_resource_in_every_cloud(name: str) -> None:
    assert set(RESOURCES[name]) == set(CLOUDS)
    assert all(resource.startswith("https://") for resource in RESOURCES[name].values())


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


@pytest.mark.parametrize(("cloud", "expected"), RESOURCES["arm"].items())
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
