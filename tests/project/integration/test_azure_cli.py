"""The Azure CLI, unmodified: `az login --identity`, up to a list of subscriptions of Azure Resource Manager.

The package is too large for every run of CI. `make test-clients` installs it and runs these tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from integration import parts
from integration.certificates import Certificate, issue
from integration.containers import Pod, run_compose, run_emulator
from integration.resource_manager import HOST, SUBSCRIPTION, SUBSCRIPTION_NAME

from azure_imds_emulator import make_machine as make_vm
from support import ROOT, TEST_PATH

pytestmark = [pytest.mark.integration, pytest.mark.large]

AZ = ROOT / ".tools" / "azure-cli" / "bin" / "az"

#: The address of Azure Resource Manager, in the network of examples/compose.yaml.
ADDRESS = "169.254.169.3"


@dataclass(frozen=True)
class Site:
    """A machine with IMDS and Azure Resource Manager.

    Attributes:
        pod: IMDS, and the machine.
        certificate: the certificate of Azure Resource Manager.
    """

    pod: Pod
    certificate: Certificate


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A machine with IMDS and Azure Resource Manager."""
    parts.machines()
    folder = tmp_path_factory.mktemp("azure-cli")
    configuration = folder / "emulator.yaml"
    configuration.write_text("machine: {user_assigned: [id-web]}\n", encoding="utf-8")
    certificate = issue(folder, HOST)
    with run_compose(folder, "--config", str(configuration)) as pod:
        azure = pod.emulator.machine
        azure.add_address(f"{ADDRESS}/24", "eth0")
        pod.machine.add_name(ADDRESS, HOST)
        command = azure.command(
            *(sys.executable, "-m", "integration.resource_manager", ADDRESS),
            *(certificate.certificate, certificate.key, "http://169.254.169.254:8170/discovery/keys"),
        )
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": TEST_PATH}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as manager:
            try:
                assert manager.stdout is not None
                assert manager.stdout.readline() == "listens\n"
                yield Site(pod, certificate)
            finally:
                manager.kill()


@pytest.fixture
def az(site: Site, tmp_path: Path) -> Callable[..., Any]:
    """Runs the CLI, which has no account yet, and returns what it printed."""
    program = parts.package(AZ, "make test-clients")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "REQUESTS_CA_BUNDLE": str(site.certificate.authority),
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
    }

    def run(*arguments: str, **variables: str) -> Any:
        command = [program, *arguments, "--output", "json"]
        return json.loads(site.pod.machine.run(*command, env={**environment, **variables}, cwd=tmp_path))

    return run


def test_the_login_lists_the_subscriptions_that_the_identity_can_see(az: Callable[..., Any]) -> None:
    [account] = az("login", "--identity")
    assert (account["id"], account["name"]) == (SUBSCRIPTION, SUBSCRIPTION_NAME)
    assert account["user"] == {
        "assignedIdentityInfo": "MSI",
        "name": "systemAssignedIdentity",
        "type": "servicePrincipal",
    }


def test_the_login_with_a_user_assigned_identity(az: Callable[..., Any]) -> None:
    identity = make_vm("default").add_user_assigned("id-web")
    [account] = az("login", "--identity", "--resource-id", identity.resource_id or "")
    assert account["user"]["assignedIdentityInfo"] == f"MSIResource-{identity.resource_id}"


def test_a_request_to_azure_resource_manager_after_the_login(az: Callable[..., Any]) -> None:
    az("login", "--identity")
    answer = az("rest", "--url", "/subscriptions?api-version=2022-12-01")
    assert [value["subscriptionId"] for value in answer["value"]] == [SUBSCRIPTION]


def test_the_cli_obeys_the_variable(az: Callable[..., Any], site: Site, tmp_path: Path) -> None:
    before = site.pod.emulator.read_requests()
    with run_emulator(site.pod.machine, tmp_path) as other:
        # The keys of this emulator are others, so Azure Resource Manager refuses the token.
        with pytest.raises(AssertionError, match=r"InvalidSignatureError|PyJWKClientError"):
            az("login", "--identity", AZURE_POD_IDENTITY_AUTHORITY_HOST="http://127.0.0.1:8169")
        assert [request.status for request in other.read_requests()] == [200]
    assert site.pod.emulator.read_requests() == before
