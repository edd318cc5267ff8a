"""`azure-imds doctor`: each trouble has a finding of its own."""

from __future__ import annotations

import inspect
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azure_imds import ImdsValidationError
from azure_imds._cli.diagnosis import CAUSES
from azure_imds._cli.doctor import Finding, examine
from azure_imds._cli.surroundings import AZURE_ASSET_TAG, Surroundings
from azure_imds._clock import SYSTEM
from azure_imds_emulator import Clock as EmulatorClock
from azure_imds_emulator import Emulator
from azure_imds_emulator.faults import PRESETS, FaultQueue
from cli_support import NOWHERE, Run
from support import FakeClock, raw_server

RESOURCE = "https://vault.azure.net"

#: An identity endpoint alone, and all of IMDS.
TOKEN, ALL = "/metadata/identity/oauth2/token", "/metadata"


class Steady(FakeClock):
    """Waits take no time, and the time is the emulator's."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator.clock.time())

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def look(emulator: Emulator, **options: Any) -> list[Finding]:
    """An examination of the emulator, on a plain machine."""
    options = {"resource": RESOURCE, "surroundings": Surroundings({}, Path("/nowhere")), **options}
    return examine(emulator.endpoint, clock=options.pop("clock", Steady(emulator)), **options)


def of(findings: list[Finding], check: str) -> Finding:
    """The first finding of a check that is no pass, else the pass."""
    found = sorted((f for f in findings if f.check == check), key=lambda finding: finding.status == "pass")
    assert found, f"no finding of {check} in {findings}"
    return found[0]


# A healthy machine


def test_all_is_well_on_a_healthy_machine(emulator: Emulator) -> None:
    assert {finding.status for finding in look(emulator)} == {"pass", "skip"}


def test_the_token_s_owner_is_named(emulator: Emulator) -> None:
    text = of(look(emulator), "claims").text
    assert "of the system-assigned identity vm-example-0" in text
    assert emulator.machine.tenant_id in text


def test_a_user_assigned_identity_is_told_from_the_machine_s_own(emulator: Emulator) -> None:
    identity = emulator.machine.add_user_assigned("id-web")
    text = of(look(emulator, selector={"client_id": identity.client_id}), "claims").text
    assert "of a user-assigned identity id-web" in text
    assert identity.client_id in text


def test_scheduled_events_are_left_alone_since_asking_switches_them_on(emulator: Emulator) -> None:
    assert of(look(emulator), "events").status == "skip"
    assert not [request for request in emulator.requests if "scheduledevents" in request.path]


def test_scheduled_events_are_asked_for_on_request(emulator: Emulator) -> None:
    assert of(look(emulator, events=True), "events").status == "pass"


def test_each_question_is_asked_once_and_not_faster_than_the_limit(emulator: Emulator) -> None:
    clock = Steady(emulator)
    look(emulator, events=True, clock=clock)
    paths = [request.path for request in emulator.requests]
    assert len(paths) == len({*paths}) == 7
    assert clock.waits == [0.25] * 6


def test_no_finding_holds_a_token(emulator: Emulator) -> None:
    told = json.dumps([finding.to_dict() for finding in look(emulator)])
    assert "eyJ" not in told
    assert "A token for https://vault.azure.net was given" in told


# Every fault of the emulator

#: A fault, and the code of its finding: in the first question, or where `path` says so, in the token's.
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
    "load-balancer-not-provisioned": ({"path": "/metadata/loadbalancer"}, "loadbalancer", "load-balancer-pending"),
    # By argument
    "status": ({"path": TOKEN, "status": 410}, "token", "updating"),
    "body": ({"path": ALL, "body": "<html>Sign in</html>", "headers": {"Content-Type": "text/html"}},
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

#: Arguments of `fail` that say when, not what.
WHEN = {"self", "preset", "times", "seconds", "until", "path", "method"}


def test_every_fault_of_the_emulator_has_an_expectation() -> None:
    arguments = {*inspect.signature(FaultQueue.fail).parameters} - WHEN
    assert EXPECTED.keys() == PRESETS.keys() | arguments


class EmulatorTime(Steady):
    """A clock that shows the emulator's time, which the test turns."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator)
        self._emulator = emulator

    def monotonic(self) -> float:
        return self._emulator.clock.time()


@pytest.fixture
def turned() -> Iterator[Emulator]:
    """An emulator whose delays are over as soon as they begin, while its clock shows that they passed."""
    over = threading.Event()
    with Emulator(clock=EmulatorClock(1_700_000_000, frozen=True)) as emulator:

        def turn() -> None:
            while not over.wait(0.01):
                if emulator.clock.waiting:
                    emulator.clock.advance(3)

        thread = threading.Thread(target=turn)
        thread.start()
        yield emulator
        over.set()
        thread.join()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_fault_has_its_own_finding(name: str, request: pytest.FixtureRequest) -> None:
    fault, check, code = EXPECTED[name]
    emulator: Emulator = request.getfixturevalue("turned" if name == "delay" else "emulator")
    emulator.fail(preset=name if name in PRESETS else None, times=100, **fault)
    clock = EmulatorTime(emulator) if name == "delay" else Steady(emulator)
    finding = of(look(emulator, clock=clock, seconds=1.0 if name in ("hang", "slow") else 20), check)
    assert finding.code == code
    assert finding.status in ("warn", "fail")
    assert finding.advice, "it says what to do"


def test_faults_that_are_different_have_different_findings() -> None:
    codes = [code for name, (_, _, code) in EXPECTED.items() if name != "retry_after"]
    assert len(codes) == len({*codes})


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "bad-request"), (401, "refused-request"), (403, "forbidden"), (404, "not-found"), (407, "gateway"),
     (410, "updating"), (429, "throttled"), (500, "server-error"), (502, "gateway"), (503, "server-error"),
     (504, "gateway")],
)  # fmt: skip
def test_a_status_has_its_finding(emulator: Emulator, status: int, code: str) -> None:
    emulator.fail(status, path=TOKEN, body={"error": "said"}, times=10)
    finding = of(look(emulator), "token")
    assert (finding.status, finding.code) == ("fail", code)
    assert "said" in finding.text


def test_every_cause_is_expected_by_some_test() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [cause.code for cause in CAUSES if source.count(f'"{cause.code}"') == 0] == []


# Identities


def test_no_identity_at_all(emulator: Emulator) -> None:
    emulator.machine.system_assigned = None
    findings = look(emulator)
    assert (of(findings, "identity").status, of(findings, "identity").code) == ("warn", "no-identity")
    assert (of(findings, "token").status, of(findings, "token").code) == ("fail", "no-identity")


def test_several_identities_must_be_named(emulator: Emulator) -> None:
    emulator.machine.system_assigned = None
    emulator.machine.add_user_assigned("id-web")
    emulator.machine.add_user_assigned("id-db")
    finding = of(look(emulator), "token")
    assert (finding.status, finding.code) == ("fail", "several-identities")
    assert "--client-id" in finding.advice


def test_an_unknown_resource(emulator: Emulator) -> None:
    emulator.machine.invalid_resources.add(RESOURCE)
    assert of(look(emulator), "token").code == "unknown-resource"


def test_a_header_that_was_removed_on_the_way(emulator: Emulator) -> None:
    emulator.fail(400, path=TOKEN, body={"error": "invalid_request", "error_description": "Required metadata header "
                                         "not specified"})  # fmt: skip
    assert of(look(emulator), "token").code == "header-removed"


def test_an_argument_that_breaks_the_specification_is_a_finding(emulator: Emulator) -> None:
    assert of(look(emulator, selector={"client_id": "web"}), "token").code == "bad-argument"


def test_an_opaque_token_is_worth_a_word(emulator: Emulator) -> None:
    emulator.fail(path=TOKEN, body={"access_token": "secret", "expires_on": "1", "resource": RESOURCE})
    assert of(look(emulator), "claims").code == "opaque"


def test_a_machine_behind_no_load_balancer_is_nothing_to_worry_about(emulator: Emulator) -> None:
    emulator.machine.load_balancer = None
    assert of(look(emulator), "loadbalancer").status == "skip"


# Time


@pytest.mark.parametrize(
    ("seconds", "status"), [(5, "pass"), (-60, "warn"), (60, "warn"), (-900, "fail"), (900, "fail")]
)
def test_the_clock_is_compared_with_the_host_s(emulator: Emulator, seconds: float, status: str) -> None:
    clock = Steady(emulator)
    clock.now += seconds
    finding = of(look(emulator, clock=clock), "clock")
    assert finding.status == status
    if status != "pass":
        assert ("ahead of" if seconds > 0 else "behind") in finding.text


def test_a_host_that_tells_no_time_is_not_compared(emulator: Emulator) -> None:
    emulator.fail(headers={"Date": None}, times=100)
    assert of(look(emulator), "clock").code == "no-date"


def test_a_token_that_has_expired_by_this_clock(emulator: Emulator) -> None:
    clock = Steady(emulator)
    clock.now += 90_000
    assert of(look(emulator, clock=clock), "claims").code == "expired"


def test_a_429_anywhere_is_told(emulator: Emulator) -> None:
    emulator.fail(429, path="/metadata/attested")
    assert "1 of 6 answers were 429" in of(look(emulator), "limits").text


def test_an_older_host_is_told_from_a_current_one(emulator: Emulator) -> None:
    emulator.fail(path="/metadata/versions", body={"apiVersions": ["2017-03-01", "2021-02-01"]})
    finding = of(look(emulator), "versions")
    assert finding.code == "old-host"
    assert "/instance 2023-11-15" in finding.text


# The way there


def test_a_connection_that_is_refused() -> None:
    findings = examine(NOWHERE, resource=RESOURCE, clock=FakeClock())
    assert findings[-1].code == "refused"


def test_a_place_that_never_answers_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def silence(address: tuple[str, int], timeout: float) -> socket.socket:
        assert timeout == 2.0, "and it is not waited for long"
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", silence)
    assert examine(NOWHERE, resource=RESOURCE, clock=FakeClock())[-1].code == "no-answer"


def test_a_way_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(host: str, port: int) -> str:
        raise OSError(101, "no")

    monkeypatch.setattr("azure_imds._cli.doctor.address_towards", nowhere)
    finding = examine(NOWHERE, resource=RESOURCE, clock=FakeClock())[-1]
    assert (finding.code, finding.text) == ("no-route", "There is no way to 127.0.0.1: Network is unreachable.")


def test_a_link_local_address_of_one_s_own_is_suspicious(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure_imds._cli.doctor.address_towards", lambda host, port: "169.254.7.7")
    assert of(look(emulator), "route").code == "link-local"


def test_what_is_no_http_is_not_asked_twice() -> None:
    asked: list[None] = []

    def babble(connection: socket.socket) -> None:
        if connection.recv(1000):
            asked.append(None)
            connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")

    with raw_server(babble) as endpoint:
        findings = examine(endpoint, resource=RESOURCE, clock=FakeClock())
    assert of(findings, "instance").code == "closed"
    assert len(asked) == 1


def test_a_time_that_is_used_up_leaves_the_rest_out(emulator: Emulator) -> None:
    class Hasty(Steady):
        def sleep(self, seconds: float) -> None:
            self.now += 100

    findings = look(emulator, clock=Hasty(emulator))
    assert {finding.code for finding in findings if finding.check in ("versions", "identity", "token")} == {"no-time"}


def test_an_endpoint_that_is_silent_takes_no_more_than_the_time_for_all(emulator: Emulator) -> None:
    emulator.fail(hang=True, path="/metadata/identity", times=100)
    findings = look(emulator, clock=SYSTEM, seconds=2.0)
    assert of(findings, "identity").code == "silent"
    assert {of(findings, check).code for check in ("token", "attested", "loadbalancer")} == {"no-time"}


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_no_time_at_all_is_a_mistake(seconds: float) -> None:
    with pytest.raises(ImdsValidationError, match="deadline"):
        examine(NOWHERE, resource=RESOURCE, seconds=seconds)


# The environment


def around(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """An examination that finds its own way, in this environment alone."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return examine(resource=RESOURCE, clock=FakeClock(), surroundings=Surroundings(environment, Path("/nowhere")))


@pytest.mark.parametrize(
    ("environment", "code", "word"),
    [
        ({"AZURE_IMDS_DISABLED": "1"}, "disabled", "AZURE_IMDS_DISABLED"),
        ({"IDENTITY_ENDPOINT": "http://x", "IDENTITY_HEADER": "h"}, "other-host", "App Service"),
        (
            {"IDENTITY_ENDPOINT": "http://x", "IDENTITY_HEADER": "h", "IDENTITY_SERVER_THUMBPRINT": "t"},
            "other-host",
            "Service Fabric",
        ),
        ({"MSI_ENDPOINT": "http://x", "MSI_SECRET": "s"}, "other-host", "Machine Learning"),
        ({"MSI_ENDPOINT": "http://x"}, "other-host", "Cloud Shell"),
        ({"AZURE_POD_IDENTITY_AUTHORITY_HOST": "nonsense"}, "bad-variable", "AZURE_POD_IDENTITY_AUTHORITY_HOST"),
    ],
)
def test_an_environment_without_imds_ends_it(
    environment: dict[str, str], code: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [finding] = around(environment, monkeypatch)
    assert (finding.status, finding.code) == ("fail", code)
    assert word in finding.text


def test_the_variable_that_leads_elsewhere_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = around({"AZURE_POD_IDENTITY_AUTHORITY_HOST": NOWHERE}, monkeypatch)
    assert "as AZURE_POD_IDENTITY_AUTHORITY_HOST says" in of(findings, "environment").text


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
def test_a_proxy_in_the_way_of_others_is_told(environment: dict[str, str], code: str) -> None:
    findings = examine(NOWHERE, resource=RESOURCE, clock=FakeClock(), surroundings=Surroundings(environment))
    assert of(findings, "proxy").code == code


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
    assert (of(findings, "place").status, of(findings, "place").code) == ("warn", code)


@pytest.mark.parametrize(("tag", "azure"), [(AZURE_ASSET_TAG, True), ("No Asset Tag", False), ("", None)])
def test_the_firmware_says_whether_this_is_azure(tag: str, azure: bool | None, tmp_path: Path) -> None:
    folder = tmp_path / "sys/class/dmi/id"
    folder.mkdir(parents=True)
    (folder / "chassis_asset_tag").write_text(f"{tag}\n")
    assert Surroundings({}, tmp_path).is_azure() is azure


# Azure Arc


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Emulator]:
    with Emulator(arc=True, arc_token_dir=str(tmp_path)) as emulator:
        for name, value in {**emulator.environment, "AZURE_IMDS_ARC_TOKEN_DIR": str(tmp_path)}.items():
            monkeypatch.setenv(name, value)
        yield emulator


def test_all_is_well_with_azure_arc_s_agent(agent: Emulator) -> None:
    findings = examine(resource=RESOURCE, clock=Steady(agent), surroundings=Surroundings(root=Path("/nowhere")))
    assert {finding.status for finding in findings} == {"pass"}
    assert "Azure Arc's agent" in of(findings, "environment").text


def test_azure_arc_s_folder_that_is_not_there(agent: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_IMDS_ARC_TOKEN_DIR", "/nowhere")
    findings = examine(resource=RESOURCE, clock=Steady(agent))
    assert of(findings, "arc").status == "fail"
    assert "himds" in of(findings, "arc").advice
    assert of(findings, "token").code == "arc-key"


# The command


def test_the_command_s_status_is_0_where_nothing_fails(emulator: Emulator, call: Run) -> None:
    done = call("doctor", "--json")
    assert (done.status, done.json["failed"]) == (0, 0)


def test_the_command_s_status_is_1_where_something_fails(emulator: Emulator, call: Run) -> None:
    emulator.fail(404, path=TOKEN, times=100)
    done = call("doctor")
    assert (done.status, done.json["failed"]) == (1, 1)


def test_the_command_s_text_is_a_line_a_fact(call: Run) -> None:
    done = call("doctor", "--output", "text", "--query", "findings/0/code")
    assert done.out == "endpoint\n"


def test_a_deadline_of_nothing_is_wrong_usage(call: Run) -> None:
    assert call("doctor", "--deadline", "0").status == 2
