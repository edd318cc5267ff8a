"""Containerfile, examples/compose.yaml and examples/kubernetes.yaml, with network namespaces in place of containers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from integration import namespaces, parts
from integration.containers import (
    WITHOUT_CAPABILITIES,
    Pod,
    make_environment,
    read_example,
    read_variables,
    run_compose,
    run_emulator,
    run_kubernetes,
)
from integration.namespaces import make_machine

from docs_support import DOCS, find_blocks, find_programs

pytestmark = pytest.mark.integration

REGION = "eastus\n"
TOKENS = Path(__file__).parent / "clients" / "tokens.py"
PAGE = DOCS / "guides" / "containers-and-ci.md"


@pytest.fixture(scope="module", autouse=True)
def namespaces_are_permitted() -> None:
    parts.machines()


@pytest.fixture(scope="module", params=[run_compose, run_kubernetes], ids=["compose", "kubernetes"])
def pod(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pod]:
    with request.param(tmp_path_factory.mktemp("containers")) as pod:
        yield pod


def test_the_program_finds_the_emulator_without_a_variable(pod: Pod) -> None:
    command = [*WITHOUT_CAPABILITIES, *pod.command]
    assert pod.machine.run(*command, env=make_environment({})) == REGION


def test_an_unmodified_azure_identity_finds_it_too(pod: Pod, tmp_path: Path) -> None:
    parts.module("azure.identity")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    printed = pod.machine.run(sys.executable, TOKENS, "azure-identity", "https://vault.azure.net", env=environment)
    assert json.loads(printed)["aud"] == "https://vault.azure.net"
    assert pod.emulator.read_requests()[-1].agent.startswith("azsdk-python-identity/")


def test_the_check_of_the_health_succeeds(pod: Pod) -> None:
    services, specification = read_example("compose.yaml")["services"], read_example("kubernetes.yaml")["spec"]
    kind, *compose = services["imds"]["healthcheck"]["test"]
    assert kind == "CMD"
    kubernetes = specification["initContainers"][-1]["startupProbe"]["exec"]["command"]
    for command in (compose, kubernetes):
        pod.emulator.machine.run(*WITHOUT_CAPABILITIES, *command, env=make_environment({}))


def test_the_page_of_the_emulator_is_at_the_port_that_compose_publishes(tmp_path: Path) -> None:
    [published] = read_example("compose.yaml")["services"]["imds"]["ports"]
    _, _, port = published.split(":")
    with run_compose(tmp_path) as pod:
        # As the container engine forwards it: the address is that of the container, and the host is that of the user.
        header = f"Host: {published.removesuffix(f':{port}')}"
        page = pod.machine.run(parts.program("curl"), "--silent", "--header", header, f"http://169.254.169.254:{port}/")
    assert "<title>" in page


def test_in_the_pod_only_the_pod_reaches_the_control_api(tmp_path: Path) -> None:
    with run_kubernetes(tmp_path) as pod:
        listening = pod.machine.run("ss", "--listening", "--tcp", "--numeric", "--no-header").split()
    port = read_variables()["AZURE_IMDS_EMULATOR_CONTROL_PORT"]
    assert sorted(word for word in listening if word[-1].isdigit() and ":" in word) == [
        f"127.0.0.1:{port}",
        "169.254.169.254:80",
    ]


def write_test(folder: Path) -> None:
    """Writes a test that needs IMDS into the folder `tests`."""
    (folder / "tests").mkdir()
    (folder / "tests" / "test_region.py").write_text(
        "from azure_imds import ImdsClient\n\n\ndef test_region():\n    assert ImdsClient().get('compute/location')\n"
    )


def test_the_command_of_the_page_runs_tests_on_a_machine_of_their_own(tmp_path: Path) -> None:
    [command] = [block.text for block in find_blocks(PAGE, "sh") if "unshare" in block.text]
    write_test(tmp_path)
    script = command.replace("sudo ", "")
    assert script != command
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=tmp_path,
        env={"PATH": find_programs(), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def read_steps() -> list[str]:
    """Returns the scripts of the pipelines on the page, except for those that install something."""
    documents = [yaml.safe_load(block.text) for block in find_blocks(PAGE, "yaml") if not block.source]
    steps: list[dict[str, str]] = []
    for document in documents:
        if isinstance(document, dict):
            document = document["steps"] if "steps" in document else document["jobs"]["tests"]["steps"]
        steps += document
    scripts = [step.get("run") or step.get("script") or "" for step in steps]
    return [script for script in scripts if script and not script.startswith("pip install ")]


def test_the_steps_of_pipelines_are_found() -> None:
    assert len(read_steps()) == 4


@pytest.mark.parametrize("step", range(4))
def test_after_a_step_of_a_pipeline_or_in_it_clients_find_the_emulator(step: int, tmp_path: Path) -> None:
    script = read_steps()[step]
    write_test(tmp_path)
    variables = tmp_path / "variables"
    environment = {"PATH": find_programs(), "HOME": str(tmp_path), "GITHUB_ENV": str(variables)}
    with make_machine(tmp_path) as machine:
        # Processes in the background go on after the step. They end with the machine.
        command = machine.command("bash", "-e", "-c", script)
        printed = subprocess.check_output(command, env=environment, cwd=tmp_path, text=True, timeout=120)
        if "-- pytest" in script:
            assert "1 passed" in printed
            return
        found = re.search(r"##vso\[task\.setvariable variable=(\w+)\](.*)", printed)
        name, value = found.groups() if found else variables.read_text().strip().split("=")
        region = machine.run("azure-imds", "instance", "compute/location", env={**environment, name: value})
        assert region == REGION


# The machines themselves


def test_a_machine_and_its_processes_end_after_a_failure(tmp_path: Path) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def fail() -> None:
        with make_machine(tmp_path) as machine:
            started.append(subprocess.Popen(machine.command("sleep", "600")))
            with run_emulator(machine, tmp_path):
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert started[0].wait(60) < 0
    [hosts] = tmp_path.glob("*.hosts")
    assert hosts.stem not in subprocess.check_output(["ip", "netns", "list"], text=True)


def test_a_machine_reaches_no_other_address(tmp_path: Path) -> None:
    with make_machine(tmp_path) as machine:
        for address in ("169.254.169.254", "192.0.2.1", "2001:db8::1"):
            connect = f"import socket; socket.create_connection(({address!r}, 80), timeout=5)"
            with pytest.raises(AssertionError, match="Network is unreachable"):
                machine.run(sys.executable, "-c", connect)


def test_a_missing_program_fails_the_tests_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespaces, "find_obstacle", lambda: "Operation not permitted")
    monkeypatch.setenv("REQUIRE_INTEGRATION", "1")
    with pytest.raises(pytest.fail.Exception, match="Operation not permitted"):
        parts.machines()
    monkeypatch.delenv("REQUIRE_INTEGRATION")
    with pytest.raises(pytest.skip.Exception, match="Operation not permitted"):
        parts.machines()
