"""`azure-imds doctor`: each problem has a finding of its own."""

from __future__ import annotations

import base64
import errno
import inspect
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from azure_imds import ImdsValidationError
from azure_imds._cli import findings as data
from azure_imds._cli import imds_checks, local_checks
from azure_imds._cli.diagnosis import CAUSES
from azure_imds._cli.doctor import examine
from azure_imds._cli.findings import Finding
from azure_imds._cli.surroundings import AZURE_ASSET_TAG, Surroundings
from azure_imds._clock import SYSTEM
from azure_imds_api.api import SERVERS
from azure_imds_emulator import Clock as EmulatorClock
from azure_imds_emulator import Emulator
from azure_imds_emulator.faults import PRESETS, FaultQueue
from cli_support import NOWHERE, Run
from support import FakeClock, raw_server

RESOURCE = "https://vault.azure.net"

#: The path of the token endpoint, and of all of IMDS.
TOKEN, ALL = "/metadata/identity/oauth2/token", "/metadata"


class Steady(FakeClock):
    """A clock with the emulator's time. Waits are recorded and take no time."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator.clock.time())

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def examine_emulator(emulator: Emulator, **options: Any) -> list[Finding]:
    """The findings for the emulator, on a plain machine."""
    options = {"resource": RESOURCE, "surroundings": Surroundings({}, Path("/nowhere")), **options}
    return examine(emulator.endpoint, clock=options.pop("clock", Steady(emulator)), **options)


def find(findings: list[Finding], check: str) -> Finding:
    """The first finding of a check that did not pass; else the first that passed."""
    found = sorted((f for f in findings if f.check == check), key=lambda finding: finding.status == "pass")
    assert found, f"no finding of {check} in {findings}"
    return found[0]


def test_nothing_fails_on_a_healthy_machine(emulator: Emulator) -> None:
    assert {finding.status for finding in examine_emulator(emulator)} == {"pass", "skip"}


def test_the_owner_of_the_token_is_named(emulator: Emulator) -> None:
    text = find(examine_emulator(emulator), "claims").text
    assert "belongs to the system-assigned identity vm-example-0" in text
    assert emulator.machine.tenant_id in text


def test_a_user_assigned_identity_is_named_as_such(emulator: Emulator) -> None:
    identity = emulator.machine.add_user_assigned("id-web")
    text = find(examine_emulator(emulator, selector={"client_id": identity.client_id}), "claims").text
    assert "belongs to the user-assigned identity id-web" in text
    assert identity.client_id in text


def test_scheduled_events_are_not_requested_since_that_turns_them_on(emulator: Emulator) -> None:
    assert find(examine_emulator(emulator), "events").status == "skip"
    assert not [request for request in emulator.requests if "scheduledevents" in request.path]


def test_scheduled_events_are_requested_on_demand(emulator: Emulator) -> None:
    assert find(examine_emulator(emulator, events=True), "events").status == "pass"


def test_each_request_is_sent_once_and_not_faster_than_the_limit(emulator: Emulator) -> None:
    clock = Steady(emulator)
    examine_emulator(emulator, events=True, clock=clock)
    paths = [request.path for request in emulator.requests]
    assert len(paths) == len({*paths}) == 7
    assert clock.waits == [0.25] * 6


def test_no_finding_holds_a_token(emulator: Emulator) -> None:
    text = json.dumps([finding.to_dict() for finding in examine_emulator(emulator)])
    assert "eyJ" not in text
    assert "IMDS returned a token for https://vault.azure.net." in text


#: Each fault of the emulator, and the check and code of its finding.
EXPECTED: dict[str, tuple[dict[str, Any], str, str]] = {
    # By preset
    "imds-restarting": ({"path": ALL}, "instance", "restarting"),
    "docker-desktop": ({"path": ALL}, "instance", "docker-desktop"),
    "guest-proxy-agent-forbidden": ({"path": ALL}, "instance", "guest-proxy-agent"),
    "guest-proxy-agent-method": ({"path": ALL}, "instance", "guest-proxy-agent-method"),
    "pod-identity-nmi": ({"path": TOKEN}, "token", "pod-identity"),
    "token-failure": ({"path": TOKEN}, "token", "token-failure"),
    "legacy-missing-header": ({"path": TOKEN}, "token", "retired-extension"),
    "throttled-spec": ({"path": TOKEN}, "token", "throttled"),
    "older-api-version": ({"path": TOKEN}, "token", "old-host"),
    "unknown-api-version-2017": ({"path": "/metadata/instance"}, "instance", "not-found"),
    "load-balancer-not-provisioned": ({"path": "/metadata/loadbalancer"}, "loadbalancer", "load-balancer-pending"),
    # By argument
    "status": ({"path": TOKEN, "status": 410}, "token", "updating"),
    "body": ({"path": ALL, "body": "<html>Sign in</html>", "headers": {"Content-Type": "text/html", "Server": "x"}},
             "instance", "web-page"),
    "headers": ({"path": ALL, "headers": {"Server": "nginx"}}, "server", "other-server"),
    "retry_after": ({"path": TOKEN, "status": 429, "retry_after": 7}, "token", "throttled"),
    "redirect": ({"path": ALL, "redirect": "http://portal.example/"}, "instance", "redirect"),
    "delay": ({"path": TOKEN, "delay": 3.0}, "latency", "slow"),
    "hang": ({"path": ALL, "hang": True}, "instance", "silent"),
    "close": ({"path": ALL, "close": True}, "instance", "closed"),
    "truncate": ({"path": TOKEN, "truncate": 10}, "token", "broken-off"),
    "content_length": ({"path": TOKEN, "content_length": 5, "truncate": 5}, "token", "unreadable"),
    "slow": ({"path": ALL, "slow": 0.05}, "instance", "slow-body"),
}  # fmt: skip

#: Findings whose text contains the advice, or that need none.
WITHOUT_ADVICE = {"no-arc-here", "opaque"}

#: Arguments of `fail` that select the requests or the time, not the fault. And the other spelling of `body`.
WHEN = {"self", "preset", "times", "seconds", "until", "path", "method", "after", "at", "every", "body_base64"}


def test_every_fault_of_the_emulator_has_an_expectation() -> None:
    arguments = {*inspect.signature(FaultQueue.fail).parameters} - WHEN
    # Some presets change a success, which is no fault that the doctor reports.
    faults = {name for name, preset in PRESETS.items() if preset.status is not None}
    assert EXPECTED.keys() == faults | arguments


class EmulatorTime(Steady):
    """A clock that shows the emulator's time, which the test advances."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator)
        self._emulator = emulator

    def monotonic(self) -> float:
        return self._emulator.clock.time()


@pytest.fixture
def accelerated() -> Iterator[Emulator]:
    """An emulator whose delays end as soon as they start, while its clock shows that they passed."""
    ended = threading.Event()
    with Emulator(clock=EmulatorClock(1_700_000_000, frozen=True)) as emulator:

        def advance() -> None:
            while not ended.wait(0.01):
                if emulator.clock.waiting:
                    emulator.clock.advance(3)

        thread = threading.Thread(target=advance)
        thread.start()
        try:
            yield emulator
        finally:
            ended.set()
            thread.join()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_fault_has_its_own_finding(name: str, request: pytest.FixtureRequest) -> None:
    fault, check, code = EXPECTED[name]
    emulator: Emulator = request.getfixturevalue("accelerated" if name == "delay" else "emulator")
    emulator.fail(preset=name if name in PRESETS else None, times=100, **fault)
    clock = EmulatorTime(emulator) if name == "delay" else Steady(emulator)
    finding = find(examine_emulator(emulator, clock=clock, seconds=1.0 if name in ("hang", "slow") else 20), check)
    assert finding.code == code
    assert finding.status in ("warn", "fail")
    assert finding.advice


def test_faults_that_are_different_have_different_findings() -> None:
    codes = [code for name, (_, _, code) in EXPECTED.items() if name != "retry_after"]
    assert len(codes) == len({*codes})


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "bad-request"), (401, "refused-request"), (403, "forbidden"), (404, "not-found"), (407, "refused-request"),
     (410, "updating"), (429, "throttled"), (500, "server-error"), (502, "server-error"), (503, "server-error"),
     (504, "server-error")],
)  # fmt: skip
def test_a_status_has_its_own_finding(emulator: Emulator, status: int, code: str) -> None:
    emulator.fail(status, path=TOKEN, body={"error": "said"}, times=10)
    finding = find(examine_emulator(emulator), "token")
    assert (finding.status, finding.code) == ("fail", code)
    assert "said" in finding.text


@pytest.mark.parametrize(
    ("status", "code"), [(407, "gateway"), (502, "gateway"), (504, "gateway"), (404, "another-service")]
)
def test_a_status_of_another_server_has_its_own_finding(emulator: Emulator, status: int, code: str) -> None:
    emulator.fail(status, path=TOKEN, body="said", headers={"Server": "x", "Content-Type": "text/plain"}, times=10)
    finding = find(examine_emulator(emulator), "token")
    assert (finding.status, finding.code) == ("fail", code)
    assert "said" in finding.text
    assert "passes by itself" not in finding.advice


def test_every_cause_is_expected_by_some_test() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [cause.code for cause in CAUSES if source.count(f'"{cause.code}"') == 0] == []


FINDINGS = [finding for finding in vars(data).values() if isinstance(finding, Finding)]


def test_every_finding_is_used_by_a_check() -> None:
    checks = "".join(Path(module.__file__).read_text(encoding="utf-8") for module in (local_checks, imds_checks))
    names = [name for name, finding in vars(data).items() if isinstance(finding, Finding)]
    assert names
    assert [name for name in names if f"findings.{name}" not in checks] == []


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: f"{finding.check}-{finding.code}")
def test_the_text_of_a_finding_is_sentences_and_a_failure_has_advice(finding: Finding) -> None:
    assert finding.text.endswith(".") or finding.text == "{reason}"
    assert (
        finding.advice.endswith((".", "{advice}"))
        or finding.status in ("pass", "skip")
        or finding.code in WITHOUT_ADVICE
    )


def test_no_identity_at_all(emulator: Emulator) -> None:
    emulator.machine.system_assigned = None
    findings = examine_emulator(emulator)
    assert (find(findings, "identity").status, find(findings, "identity").code) == ("warn", "no-identity")
    assert (find(findings, "token").status, find(findings, "token").code) == ("fail", "no-identity")


def test_one_of_several_identities_must_be_chosen(emulator: Emulator) -> None:
    emulator.machine.system_assigned = None
    emulator.machine.add_user_assigned("id-web")
    emulator.machine.add_user_assigned("id-db")
    finding = find(examine_emulator(emulator), "token")
    assert (finding.status, finding.code) == ("fail", "several-identities")
    assert "--client-id" in finding.advice
    tenant = find(examine_emulator(emulator), "identity")
    assert "system-assigned" not in tenant.text, "the machine has none"


def test_an_unknown_resource(emulator: Emulator) -> None:
    emulator.machine.invalid_resources.add(RESOURCE)
    assert find(examine_emulator(emulator), "token").code == "unknown-resource"


def test_a_header_that_was_removed_on_the_way(emulator: Emulator) -> None:
    emulator.fail(400, path=TOKEN, body={"error": "invalid_request", "error_description": "Required metadata header "
                                         "not specified"})  # fmt: skip
    assert find(examine_emulator(emulator), "token").code == "header-removed"


def test_an_argument_that_breaks_the_specification_is_a_finding(emulator: Emulator) -> None:
    finding = find(
        examine_emulator(emulator, selector={"client_id": "web"}, names={"client_id": "--client-id"}), "token"
    )
    assert (finding.status, finding.code) == ("fail", "bad-argument")
    assert finding.text == "--client-id must look like 00000000-0000-0000-0000-000000000003."


def test_an_opaque_token_is_a_warning(emulator: Emulator) -> None:
    emulator.fail(path=TOKEN, body={"access_token": "secret", "expires_on": "1", "resource": RESOURCE})
    assert find(examine_emulator(emulator), "claims").code == "opaque"


def test_a_machine_without_a_load_balancer_is_not_a_failure(emulator: Emulator) -> None:
    emulator.machine.load_balancer = None
    assert find(examine_emulator(emulator), "loadbalancer").status == "skip"


@pytest.mark.parametrize(
    ("seconds", "status"), [(5, "pass"), (-60, "warn"), (60, "warn"), (-900, "fail"), (900, "fail")]
)
def test_the_clock_is_compared_with_that_of_the_host(emulator: Emulator, seconds: float, status: str) -> None:
    clock = Steady(emulator)
    clock.now += seconds
    finding = find(examine_emulator(emulator, clock=clock), "clock")
    assert finding.status == status
    if status != "pass":
        assert ("ahead of" if seconds > 0 else "behind") in finding.text


def test_a_host_without_a_date_is_not_compared(emulator: Emulator) -> None:
    emulator.fail(headers={"Date": None}, times=100)
    assert find(examine_emulator(emulator), "clock").code == "no-date"


def test_a_token_that_has_expired_by_this_clock(emulator: Emulator) -> None:
    clock = Steady(emulator)
    clock.now += 90_000
    assert find(examine_emulator(emulator, clock=clock), "claims").code == "expired"


def test_a_429_on_any_request_is_reported(emulator: Emulator) -> None:
    emulator.fail(429, path="/metadata/attested")
    assert "1 of 6 responses were 429" in find(examine_emulator(emulator), "limits").text


def test_an_older_host_is_reported(emulator: Emulator) -> None:
    emulator.fail(path="/metadata/versions", body={"apiVersions": ["2017-03-01", "2021-02-01"]})
    finding = find(examine_emulator(emulator), "versions")
    assert finding.code == "old-host"
    assert "/instance 2023-11-15" in finding.text


def test_a_connection_that_is_refused() -> None:
    findings = examine(NOWHERE, resource=RESOURCE, clock=FakeClock())
    assert findings[-1].code == "refused"


def test_a_host_that_never_accepts_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def silence(address: tuple[str, int], timeout: float) -> socket.socket:
        assert timeout == 2.0
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", silence)
    assert examine(NOWHERE, resource=RESOURCE, clock=FakeClock())[-1].code == "no-answer"


def test_a_missing_route(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(host: str, port: int) -> str:
        raise OSError(101, "no")

    monkeypatch.setattr("azure_imds._cli.local_checks.find_local_address", nowhere)
    finding = examine(NOWHERE, resource=RESOURCE, clock=FakeClock())[-1]
    reason = os.strerror(errno.ENETUNREACH)
    assert (finding.code, finding.text) == ("no-route", f"There is no route to 127.0.0.1: {reason}.")


def test_a_link_local_source_address_is_a_warning(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure_imds._cli.local_checks.find_local_address", lambda host, port: "169.254.7.7")
    assert find(examine_emulator(emulator), "route").code == "link-local"


def test_a_server_that_does_not_speak_http_gets_only_one_request() -> None:
    requests: list[None] = []

    def babble(connection: socket.socket) -> None:
        if connection.recv(1000):
            requests.append(None)
            connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")

    with raw_server(babble) as endpoint:
        findings = examine(endpoint, resource=RESOURCE, clock=FakeClock())
    assert find(findings, "instance").code == "closed"
    assert len(requests) == 1


def test_checks_after_the_time_limit_are_skipped(emulator: Emulator) -> None:
    class Hasty(Steady):
        def sleep(self, seconds: float) -> None:
            self.now += 100

    findings = examine_emulator(emulator, clock=Hasty(emulator))
    assert {finding.code for finding in findings if finding.check in ("versions", "identity", "token")} == {"no-time"}


def test_a_silent_endpoint_takes_no_more_than_the_time_limit(emulator: Emulator) -> None:
    emulator.fail(hang=True, path="/metadata/identity", times=100)
    findings = examine_emulator(emulator, clock=SYSTEM, seconds=2.0)
    assert find(findings, "identity").code == "silent"
    assert {find(findings, check).code for check in ("token", "attested", "loadbalancer")} == {"no-time"}


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_time_limit_that_is_not_positive_is_refused(seconds: float) -> None:
    with pytest.raises(ImdsValidationError, match="deadline"):
        examine(NOWHERE, resource=RESOURCE, seconds=seconds)


def examine_in(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """The findings in this environment, without an endpoint."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return examine(resource=RESOURCE, clock=FakeClock(), surroundings=Surroundings(environment, Path("/nowhere")))


@pytest.mark.parametrize(
    ("environment", "code", "word"),
    [
        ({"AZURE_IMDS_DISABLED": "1"}, "disabled", "AZURE_IMDS_DISABLED"),
        (
            {
                "AZURE_FEDERATED_TOKEN_FILE": "f",
                "AZURE_TENANT_ID": "t",
                "AZURE_AUTHORITY_HOST": "https://h",
                "AZURE_KUBERNETES_TOKEN_PROXY": "https://p",
            },
            "other-host",
            "identity bindings",
        ),
        ({"MSI_ENDPOINT": "nonsense", "MSI_SECRET": "s"}, "bad-variable", "MSI_ENDPOINT"),
        (
            {
                "AZURE_FEDERATED_TOKEN_FILE": "f",
                "AZURE_TENANT_ID": "t",
                "AZURE_AUTHORITY_HOST": "https://h",
                "HTTPS_PROXY": "ftp://user:canary@h",
            },
            "bad-variable",
            "HTTPS_PROXY",
        ),
        ({"AZURE_POD_IDENTITY_AUTHORITY_HOST": "nonsense"}, "bad-variable", "AZURE_POD_IDENTITY_AUTHORITY_HOST"),
    ],
)
def test_an_environment_without_imds_is_the_only_finding(
    environment: dict[str, str], code: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [finding] = examine_in(environment, monkeypatch)
    assert (finding.status, finding.code) == ("fail", code)
    assert word in finding.text


def test_the_variable_with_the_endpoint_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = examine_in({"AZURE_POD_IDENTITY_AUTHORITY_HOST": NOWHERE}, monkeypatch)
    assert "(from AZURE_POD_IDENTITY_AUTHORITY_HOST)" in find(findings, "environment").text


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({"HTTP_PROXY": "http://proxy.example"}, "proxy-variable"),
        ({"http_proxy": "http://proxy.example", "no_proxy": "localhost"}, "proxy-variable"),
        ({"ALL_PROXY": "http://proxy.example"}, "proxy-variable"),
        ({"HTTP_PROXY": "http://proxy.example", "NO_PROXY": "localhost,127.0.0.1"}, "no-proxy"),
        ({"HTTPS_PROXY": "http://proxy.example"}, "no-proxy"),
        ({}, "no-proxy"),
    ],
)
def test_a_proxy_of_other_programs_is_reported(environment: dict[str, str], code: str) -> None:
    findings = examine(NOWHERE, resource=RESOURCE, clock=FakeClock(), surroundings=Surroundings(environment))
    assert find(findings, "proxy").code == code


@pytest.mark.parametrize(
    ("environment", "files", "code"),
    [
        ({}, {".dockerenv": ""}, "container"),
        ({}, {"run/.containerenv": ""}, "container"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {}, "kubernetes"),
        ({}, {"proc/version": "Linux version 5.15.90.1-microsoft-standard-WSL2"}, "wsl"),
    ],
)
def test_the_place_is_recognized(environment: dict[str, str], files: dict[str, str], code: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    findings = examine(NOWHERE, resource=RESOURCE, clock=FakeClock(), surroundings=Surroundings(environment, tmp_path))
    assert (find(findings, "place").status, find(findings, "place").code) == ("warn", code)


@pytest.mark.parametrize(("tag", "azure"), [(AZURE_ASSET_TAG, True), ("No Asset Tag", False), ("", None)])
def test_the_firmware_identifies_azure(tag: str, azure: bool | None, tmp_path: Path) -> None:
    folder = tmp_path / "sys/class/dmi/id"
    folder.mkdir(parents=True)
    (folder / "chassis_asset_tag").write_text(f"{tag}\n")
    assert Surroundings({}, tmp_path).is_azure() is azure


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Emulator]:
    with Emulator(arc=True, arc_token_dir=str(tmp_path)) as emulator:
        for name, value in {**emulator.environment, "AZURE_IMDS_ARC_TOKEN_DIR": str(tmp_path)}.items():
            monkeypatch.setenv(name, value)
        yield emulator


def test_nothing_fails_with_the_agent_of_azure_arc(agent: Emulator) -> None:
    findings = examine(resource=RESOURCE, clock=Steady(agent), surroundings=Surroundings(root=Path("/nowhere")))
    assert {finding.status for finding in findings} == {"pass"}
    assert "(the agent of Azure Arc)" in find(findings, "environment").text


def test_a_missing_folder_of_azure_arc(agent: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_IMDS_ARC_TOKEN_DIR", "/nowhere")
    findings = examine(resource=RESOURCE, clock=Steady(agent))
    assert find(findings, "arc").status == "fail"
    assert "himds" in find(findings, "arc").advice
    assert find(findings, "token").code == "arc-key"


#: A host that the emulator plays, what it is called, and the variable with its secret.
HOSTS = {
    "app-service": ("Azure App Service", "IDENTITY_HEADER"),
    "app-service-2017": ("an App Service with the endpoint of 2017", "MSI_SECRET"),
    "machine-learning": ("Azure Machine Learning", "MSI_SECRET"),
    "cloud-shell": ("Azure Cloud Shell", None),
    "service-fabric": ("Azure Service Fabric", "IDENTITY_HEADER"),
    "workload-identity": ("AKS workload identity", "AZURE_FEDERATED_TOKEN_FILE"),
}


def test_every_host_of_the_specification_is_examined() -> None:
    assert HOSTS.keys() == {name for name, server in SERVERS.items() if server.template}


@contextmanager
def on(host: str, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Iterator[Emulator]:
    """An emulator of a host, and this process on it."""
    with Emulator(host=host, **options) as emulator:
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)
        yield emulator


def examine_host(emulator: Emulator, **options: Any) -> list[Finding]:
    surroundings = Surroundings(root=Path("/nowhere"))
    return examine(**{"resource": RESOURCE, "clock": Steady(emulator), "surroundings": surroundings, **options})


@pytest.mark.parametrize("host", HOSTS)
def test_nothing_fails_on_another_host(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    title, secret = HOSTS[host]
    with on(host, monkeypatch) as emulator:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
        findings = examine_host(emulator)
        values = [value for name, value in emulator.environment.items() if name == secret]
    assert {finding.status for finding in findings} == {"pass"}
    texts = [finding.text for finding in findings]
    assert title in texts[0]
    assert f"host {host} (" in texts[0]
    assert [text for text in texts if "IMDS" in text] == []
    assert any(text.startswith("The endpoint returned a token for") for text in texts)
    assert any(text.startswith("The token belongs to ") for text in texts)
    for variable in SERVERS[host].variables:
        assert any(text.startswith(f"{variable} is ") for text in texts)
    assert not [value for value in values if value in "".join(texts)]
    assert "eyJ" not in "".join(texts)


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_that_does_not_answer_has_its_own_advice(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with on(host, monkeypatch) as emulator:
        environment = emulator.environment
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    findings = examine(resource=RESOURCE, clock=FakeClock(), surroundings=Surroundings(root=Path("/nowhere")))
    assert findings[-1].code == "refused"
    assert findings[-1].advice == SERVERS[host].unreachable


@pytest.mark.parametrize("host", [host for host, (_, secret) in HOSTS.items() if secret])
def test_an_outdated_secret_is_explained_by_its_variable(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = HOSTS[host][1]
    with on(host, monkeypatch) as emulator:
        if secret == "AZURE_FEDERATED_TOKEN_FILE":
            Path(emulator.environment[secret]).write_text("outdated")
        else:
            emulator.rotate_secret()
        finding = find(examine_host(emulator), "token")
    assert finding.status == "fail"
    assert secret is not None
    assert secret in finding.advice
    assert "IMDS" not in finding.text + finding.advice


@pytest.mark.parametrize("status", [403, 404, 405, 410, 429, 500, 503])
def test_advice_about_imds_is_not_given_on_another_host(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with on("app-service", monkeypatch) as emulator:
        emulator.fail(status, body="", headers={"Server": "Kestrel"}, times=10)
        finding = find(examine_host(emulator), "token")
    assert finding.status == "fail"
    assert not finding.code.startswith(("guest-proxy-agent", "restarting"))
    assert "IMDS" not in finding.text + finding.advice


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"body": b"no token"}, "unreadable"),
        ({"truncate": 5}, "broken-off"),
        ({"status": 500, "body": {"message": "Azure Active Directory is not available"}}, "token-failure"),
        ({"redirect": "http://portal.example/"}, "redirect"),
        ({"body": "<html>Sign in</html>", "headers": {"Content-Type": "text/html", "Server": "x"}}, "web-page"),
        ({"close": True}, "closed"),
    ],
)
def test_a_fault_of_another_host_is_not_explained_by_imds(
    fault: dict[str, Any], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on("app-service", monkeypatch) as emulator:
        emulator.fail(**fault, times=10)
        finding = find(examine_host(emulator), "token")
    assert finding.status == "fail"
    assert code in (finding.code, "web-page")  # the hint of the host does not speak of web pages
    assert finding.advice
    assert "IMDS" not in finding.text + finding.advice


def test_another_certificate_has_its_own_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    with on("service-fabric", monkeypatch) as emulator:
        monkeypatch.setenv("IDENTITY_SERVER_THUMBPRINT", "0" * 40)
        finding = find(examine_host(emulator), "token")
        monkeypatch.setenv("IDENTITY_SERVER_THUMBPRINT", emulator.environment["IDENTITY_SERVER_THUMBPRINT"])
        assert find(examine_host(emulator), "token").status == "pass"
    assert (finding.status, finding.code) == ("fail", "certificate")


def test_a_selector_that_the_host_does_not_have_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    with on("machine-learning", monkeypatch) as emulator:
        selector = {"object_id": "00000000-0000-0000-0000-000000000004"}
        finding = find(examine_host(emulator, selector=selector, names={"object_id": "--object-id"}), "token")
        assert find(examine_host(emulator), "token").status == "pass"
    assert (finding.status, finding.code) == ("fail", "bad-argument")
    assert "Azure Machine Learning" in finding.text


def test_a_token_of_a_user_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"scp": "user_impersonation", "aud": RESOURCE}).encode()).decode()
    with on("cloud-shell", monkeypatch) as emulator:
        emulator.fail(body={"access_token": f"e30.{claims}.x", "expires_on": "1893456000"})
        assert find(examine_host(emulator), "claims").text == "The token belongs to a user ()."


@pytest.mark.parametrize("bypass", [False, True])
def test_the_proxy_to_the_authority_is_checked_in_place_of_the_authority(
    bypass: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on("workload-identity", monkeypatch) as emulator:
        monkeypatch.setenv("HTTPS_PROXY", "http://user:secret-0815@127.0.0.1:1")
        monkeypatch.setenv("no_proxy", "localhost,127.0.0.1" if bypass else "")
        findings = examine_host(emulator)
    assert find(findings, "proxy").code == ("no-proxy" if bypass else "proxy-used")
    assert findings[-1].code != "refused" if bypass else findings[-1].code == "refused"
    assert "secret-0815" not in str(findings)


@pytest.mark.parametrize(
    ("variable", "value"), [("AZURE_SERVICE", "Microsoft.ProjectArcadia"), ("MSNOTEBOOKUTILS_RUNTIME_TYPE", "jupyter")]
)
def test_a_notebook_without_an_endpoint_is_recognized(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [finding] = examine_in({variable: value}, monkeypatch)
    assert (finding.status, finding.code) == ("fail", "notebook")
    assert "notebookutils" in finding.advice


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({"IDENTITY_ENDPOINT": "http://h/x"}, "IDENTITY_HEADER is not set"),
        ({"AZURE_TENANT_ID": "t", "AZURE_AUTHORITY_HOST": "https://h/"}, "AZURE_FEDERATED_TOKEN_FILE is not set"),
        (
            {"AZURE_FEDERATED_TOKEN_FILE": "f", "KUBERNETES_SERVICE_HOST": "10.0.0.1"},
            "AZURE_TENANT_ID and AZURE_AUTHORITY_HOST are not set",
        ),
        # Also programs that log in by other means have these.
        ({"AZURE_TENANT_ID": "t"}, None),
        ({"AZURE_AUTHORITY_HOST": "https://h/"}, None),
        # Azure Container Instances, where IMDS works
        ({"IDENTITY_HEADER": "y", "IDENTITY_SERVER_THUMBPRINT": "z", "IDENTITY_API_VERSION": "2020-05-01"}, None),
        ({"AZURE_SERVICE": "other"}, None),
    ],
)
def test_a_variable_that_is_missing_is_named(
    environment: dict[str, str], missing: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(host: str, port: int) -> str:
        raise OSError(101, "no")

    monkeypatch.setattr(local_checks, "find_local_address", nowhere)
    texts = [finding.text for finding in examine_in(environment, monkeypatch) if finding.code == "partly-set"]
    assert len(texts) == (missing is not None)
    assert all(missing in text for text in texts if missing)


def test_the_status_of_the_command_is_0_if_nothing_fails(emulator: Emulator, call: Run) -> None:
    done = call("doctor", "--json")
    assert (done.status, done.json["failed"]) == (0, 0)


def test_the_status_of_the_command_is_1_if_a_check_fails(emulator: Emulator, call: Run) -> None:
    emulator.fail(404, path=TOKEN, times=100)
    done = call("doctor")
    assert (done.status, done.json["failed"]) == (1, 1)


def test_the_text_of_the_command_is_a_line_for_each_value(call: Run) -> None:
    done = call("doctor", "--output", "text", "--query", "findings/0/code")
    assert done.out == "endpoint\n"


def test_a_deadline_of_zero_is_wrong_usage(call: Run) -> None:
    assert call("doctor", "--deadline", "0").status == 2


def test_a_finding_names_the_option_that_the_user_typed(emulator: Emulator, call: Run) -> None:
    done = call("doctor", "--json", "--resource-id", "web")
    [text] = [finding["text"] for finding in done.json["findings"] if finding["check"] == "token"]
    assert text.startswith("--resource-id must look like /subscriptions/")
