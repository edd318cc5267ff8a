"""Programs that know nothing of this project, unmodified, on a machine with the emulator at the address of IMDS.

The machine is the service `app` of examples/compose.yaml. docs/guides/containers-and-ci.md lists what each proves.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from integration import parts
from integration.azurite import ACCOUNT, Azurite
from integration.certificates import issue
from integration.containers import LoggedRequest, Pod, RunningEmulator, run_compose, run_emulator
from integration.namespaces import Machine, make_machine

from azure_imds_emulator import make_machine as make_vm
from support import ROOT

pytestmark = pytest.mark.integration

PROGRAMS = Path(__file__).parent / "clients"
AZCOPY = parts.NODE_PACKAGES / "@azure-tools" / "azcopy-linux" / "dist" / "bin" / "azcopy_linux_amd64"
PAGE = ROOT / "docs" / "guides" / "containers-and-ci.md"

RESOURCE = "https://vault.azure.net"
STORAGE = f"{ACCOUNT}.blob.core.windows.net"
#: The address of Azure Storage, in the network of examples/compose.yaml.
STORAGE_ADDRESS = "169.254.169.3"
TEXT = "written by a program that knows nothing of this project"

VARIABLE = "AZURE_POD_IDENTITY_AUTHORITY_HOST"


@dataclass(frozen=True)
class OtherClient:
    """A client of another project.

    Attributes:
        name: its name in the documentation.
        agent: the beginning of its User-Agent.
        obeys: whether it uses the address in AZURE_POD_IDENTITY_AUTHORITY_HOST.
        command: the command that uses it. More arguments follow.
        needs: the files of the packages that it needs.
        environment: variables that it needs.
    """

    name: str
    agent: str
    obeys: bool
    command: Sequence[str | Path]
    needs: Sequence[Path] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def from_pypi(name: str, agent: str, program: str, *, obeys: bool) -> OtherClient:
    return OtherClient(name, agent, obeys, [sys.executable, PROGRAMS / program, name])


def from_npm(name: str, agent: str, package: str) -> OtherClient:
    command = ["node", PROGRAMS / "tokens.cjs", package]
    needs = [parts.NODE_PACKAGES / package]
    return OtherClient(name, agent, True, command, needs, {"NODE_PATH": str(parts.NODE_PACKAGES)})


def from_debian(name: str, agent: str, package: str) -> OtherClient:
    command = [parts.DEBIAN_PYTHON, PROGRAMS / "agents.py", package]
    needs = [parts.DEBIAN_PYTHON, parts.DEBIAN_PACKAGES / package]
    return OtherClient(name, agent, False, command, needs, {"PYTHONPATH": str(parts.DEBIAN_PACKAGES)})


AZURE_IDENTITY_AIO = from_pypi("azure-identity.aio", "azsdk-python-identity/", "tokens.py", obeys=True)
OLD_AZURE_IDENTITY = from_npm("@azure/identity 4.5", "azsdk-js-identity/4.5.", "azure-identity-4.5")
LIBRARIES = [
    from_pypi("azure-identity", "azsdk-python-identity/", "tokens.py", obeys=True),
    AZURE_IDENTITY_AIO,
    from_pypi("msal", "python-requests/", "tokens.py", obeys=True),
    from_npm("@azure/identity", "azsdk-js-identity/4.1", "@azure/identity"),
    OLD_AZURE_IDENTITY,
    from_npm("@azure/msal-node", "node", "@azure/msal-node"),
]

CLOUD_INIT = from_debian("cloud-init", "Cloud-Init/", "cloudinit")
WALINUXAGENT = from_debian("WALinuxAgent", "WALinuxAgent/", "azurelinuxagent")

AZCOPY_CLIENT = OtherClient(
    "AzCopy", "azsdk-go-azidentity/", False, [AZCOPY], [AZCOPY], {"AZCOPY_AUTO_LOGIN_TYPE": "MSI"}
)
STORAGE_LIBRARIES = [
    from_pypi("adlfs", "azsdk-python-identity/", "uploads.py", obeys=True),
    from_pypi("obstore", "object_store/", "uploads.py", obeys=False),
]


@dataclass(frozen=True)
class Run:
    """What a client printed, and the requests that reached IMDS meanwhile."""

    output: str
    requests: Sequence[LoggedRequest]


@dataclass(frozen=True)
class Site:
    """A machine on which clients run.

    Attributes:
        emulator: IMDS.
        machine: the machine.
        authority: the file with the authority of its certificates.
    """

    emulator: RunningEmulator
    machine: Machine
    authority: Path | None = None

    def run(self, client: OtherClient, *arguments: str | Path, folder: Path, **environment: str) -> Run:
        """Runs a client. The environment has nothing but what its kind of client needs."""
        for needed in client.needs:
            parts.package(needed)
        before = len(self.emulator.read_requests())
        given = {"PATH": os.environ["PATH"], "HOME": str(folder), **client.environment, **environment}
        if self.authority:
            given["SSL_CERT_FILE"] = str(self.authority)
        output = self.machine.run(*client.command, *arguments, env=given, cwd=folder)
        requests = self.emulator.read_requests()[before:]
        assert all(request.agent.startswith(client.agent) for request in requests), requests
        return Run(output, requests)


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pod]:
    """The services of examples/compose.yaml. The machine has the identity `id-web`."""
    parts.machines()
    folder = tmp_path_factory.mktemp("compose")
    configuration = folder / "emulator.yaml"
    configuration.write_text("machine: {user_assigned: [id-web]}\n", encoding="utf-8")
    with run_compose(folder, "--config", str(configuration)) as pod:
        yield pod


@pytest.fixture(scope="module")
def site(pod: Pod, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same, with Azure Storage at its name in Azure."""
    folder = tmp_path_factory.mktemp("storage")
    certificate = issue(folder, STORAGE)
    azure = pod.emulator.machine
    azure.add_address(f"{STORAGE_ADDRESS}/24", "eth0")
    pod.machine.add_name(STORAGE_ADDRESS, STORAGE)
    command = azure.command(parts.program("azurite-blob"))
    with Azurite(command, certificate, folder, address=STORAGE_ADDRESS, port=443):
        yield Site(pod.emulator, pod.machine, certificate.authority)


@pytest.fixture(scope="module")
def other_emulator(pod: Pod, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """An emulator at another address: the loopback interface of the machine."""
    with run_emulator(pod.machine, tmp_path_factory.mktemp("other")) as emulator:
        yield emulator


@pytest.fixture
def container(site: Site, tmp_path: Path) -> str:
    """The name of a new, empty container of Azure Storage."""
    name = f"c{os.urandom(8).hex()}"
    site.run(AZCOPY_CLIENT, "make", f"https://{STORAGE}/{name}", "--skip-version-check", folder=tmp_path)
    return name


def read_query(request: LoggedRequest) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(request.target).query).items()}


# Tokens


@pytest.mark.parametrize("client", LIBRARIES, ids=str)
def test_a_library_gets_a_token_at_the_address_of_imds(client: OtherClient, site: Site, tmp_path: Path) -> None:
    done = site.run(client, RESOURCE, folder=tmp_path)
    identity = make_vm("default").system_assigned
    assert identity is not None
    assert json.loads(done.output) == {"appid": identity.client_id, "aud": RESOURCE}
    assert done.requests[-1].status == 200


@pytest.mark.parametrize("client", LIBRARIES, ids=str)
def test_a_library_gets_the_token_of_a_user_assigned_identity(client: OtherClient, site: Site, tmp_path: Path) -> None:
    identity = make_vm("default").add_user_assigned("id-web")
    selector = "msi_res_id" if client is AZURE_IDENTITY_AIO else "resource_id"
    done = site.run(client, RESOURCE, selector, identity.resource_id or "", folder=tmp_path)
    assert json.loads(done.output) == {"appid": identity.client_id, "aud": RESOURCE}
    sent = "mi_res_id" if client is OLD_AZURE_IDENTITY else "msi_res_id"
    assert read_query(done.requests[-1])[sent] == identity.resource_id


def test_imds_ignores_a_selector_that_it_does_not_know(site: Site, tmp_path: Path) -> None:
    # azure-identity.aio sends the members of identity_config unchanged. In the sync library, `resource_id` works.
    vm = make_vm("default")
    identity = vm.add_user_assigned("id-web")
    done = site.run(AZURE_IDENTITY_AIO, RESOURCE, "resource_id", identity.resource_id or "", folder=tmp_path)
    assert vm.system_assigned is not None
    assert json.loads(done.output)["appid"] == vm.system_assigned.client_id


# The agents of Linux images


def test_cloud_init_makes_its_network_configuration(site: Site, tmp_path: Path) -> None:
    done = site.run(CLOUD_INIT, folder=tmp_path)
    shown = json.loads(done.output)
    instance = make_vm("default").instance
    [interface] = instance["network"]["interface"]
    assert shown["hostname"] == instance["compute"]["osProfile"]["computerName"]
    address = shown["network"]["ethernets"]["eth0"]["match"]["macaddress"]
    assert address.replace(":", "").upper() == interface["macAddress"]
    assert [request.status for request in done.requests] == [200]
    assert read_query(done.requests[0])["extended"] == "true"


def test_walinuxagent_needs_a_host_that_accepts_its_metadata_header(tmp_path: Path) -> None:
    parts.machines()
    with make_machine(tmp_path) as machine:
        machine.add_address("169.254.169.254/32", "lo")
        machine.set_parameter("net.ipv4.ip_unprivileged_port_start", "80")
        with run_emulator(machine, tmp_path, options=["--port", "80", "--metadata-header", "any"]) as emulator:
            done = Site(emulator, machine).run(WALINUXAGENT, folder=tmp_path)
    assert json.loads(done.output) == {"healthy": True, "message": "", "image": "example-publisher"}
    assert {request.status for request in done.requests} == {200}


def test_walinuxagent_gets_the_400_of_other_hosts(site: Site, tmp_path: Path) -> None:
    done = site.run(WALINUXAGENT, folder=tmp_path)
    shown = json.loads(done.output)
    assert (shown["healthy"], shown["image"]) == (True, None)
    assert "400: Bad Request" in shown["message"]
    assert {request.status for request in done.requests} == {400}


# Azure Storage


@pytest.mark.parametrize("client", STORAGE_LIBRARIES, ids=str)
def test_a_storage_library_writes_and_reads_a_blob(
    client: OtherClient, site: Site, container: str, tmp_path: Path
) -> None:
    done = site.run(client, ACCOUNT, container, TEXT, folder=tmp_path)
    assert done.output == f"{TEXT}\n"
    assert read_query(done.requests[-1])["resource"] == "https://storage.azure.com"


def test_azcopy_writes_and_reads_a_blob(site: Site, container: str, tmp_path: Path) -> None:
    url = f"https://{STORAGE}/{container}/file.txt"
    (tmp_path / "file.txt").write_text(TEXT)
    site.run(AZCOPY_CLIENT, "copy", "file.txt", url, "--skip-version-check", folder=tmp_path)
    done = site.run(AZCOPY_CLIENT, "copy", url, "copy.txt", "--skip-version-check", folder=tmp_path)
    assert (tmp_path / "copy.txt").read_text() == TEXT
    assert read_query(done.requests[-1])["resource"] == "https://storage.azure.com"


# The variable

ARGUMENTS: dict[str, list[str]] = {
    **{client.name: [RESOURCE] for client in LIBRARIES},
    **{client.name: [ACCOUNT, "CONTAINER", TEXT] for client in STORAGE_LIBRARIES},
    AZCOPY_CLIENT.name: ["list", f"https://{STORAGE}/CONTAINER", "--skip-version-check"],
    CLOUD_INIT.name: [],
    WALINUXAGENT.name: [],
}
EVERY = [*LIBRARIES, *STORAGE_LIBRARIES, AZCOPY_CLIENT, CLOUD_INIT, WALINUXAGENT]


@pytest.mark.parametrize("client", EVERY, ids=str)
def test_whether_a_client_obeys_the_variable(
    client: OtherClient, site: Site, other_emulator: RunningEmulator, container: str, tmp_path: Path
) -> None:
    before = len(other_emulator.read_requests())
    arguments = [argument.replace("CONTAINER", container) for argument in ARGUMENTS[client.name]]
    done = site.run(client, *arguments, folder=tmp_path, **{VARIABLE: "http://127.0.0.1:8169"})
    obeyed = other_emulator.read_requests()[before:]
    assert (bool(obeyed), bool(done.requests)) == (client.obeys, not client.obeys)


# The page


def read_rows() -> dict[str, list[str]]:
    """Returns the rows of the table of clients: for each client whether it obeys the variable, and the version."""
    rows = [line.strip("|").split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    return {row[0].strip(): [cell.strip() for cell in row[1:3]] for row in rows}


def test_the_page_says_which_clients_obey_the_variable() -> None:
    shown = {name: cells[0] for name, cells in read_rows().items()}
    assert shown.items() >= {client.name: "yes" if client.obeys else "no" for client in EVERY}.items()


def test_the_page_has_the_tested_versions() -> None:
    shown = {name: cells[1] for name, cells in read_rows().items()}
    npm = json.loads((Path(__file__).parent / "package.json").read_text(encoding="utf-8"))["dependencies"]
    [cli] = re.findall(r"^AZURE_CLI := (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    tested = {
        **{name: version(name) for name in ("azure-identity", "msal", "adlfs", "obstore")},
        **{name: npm[name] for name in ("@azure/identity", "@azure/msal-node")},
        "azure-identity.aio": version("azure-identity"),
        "@azure/identity 4.5": npm["azure-identity-4.5"].rpartition("@")[2],
        "AzCopy": npm["@azure-tools/azcopy-linux"],
        "Azure CLI": cli,
    }
    assert {name: shown[name] for name in tested} == tested
