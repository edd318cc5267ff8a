"""The programs of docs/guides/drain-gunicorn.md and drain-kubernetes.md, run against the emulator."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from azure_imds_emulator import Emulator
from docs_support import DOCS, find_blocks, find_commands, find_programs, join_python, write_files
from emulator_support import wait_until

pytestmark = pytest.mark.integration

GUNICORN = DOCS / "guides" / "drain-gunicorn.md"
KUBERNETES = DOCS / "guides" / "drain-kubernetes.md"

#: Seconds after which a program is killed, so that a test that waits for its output fails.
TIME_LIMIT = 60


@contextmanager
def program(words: list[str], folder: Path, emulator: Emulator, **more: str) -> Iterator[subprocess.Popen[str]]:
    """Runs a program. At the end it is killed with all processes that it started, also after a failed assertion."""
    environment = {**os.environ, **emulator.environment, "PYTHONUNBUFFERED": "1", **more}
    with subprocess.Popen(
        words,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:

        def kill() -> None:
            with suppress(ProcessLookupError):  # all of its processes have ended
                os.killpg(process.pid, signal.SIGKILL)

        time_limit = threading.Timer(TIME_LIMIT, kill)
        time_limit.start()
        try:
            yield process
        finally:
            time_limit.cancel()
            kill()


def find_line(process: subprocess.Popen[str], pattern: str) -> str:
    """Reads until a line matches, and returns the match. Fails with all of the output if the program ends first."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if found := re.search(pattern, line):
            return found[0]
    raise AssertionError("".join(lines))


def rest(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=TIME_LIMIT)[0]


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """The folder with the files of the guide, which listens on a free port here."""
    write_files(GUNICORN, tmp_path)
    config = tmp_path / "gunicorn.conf.py"
    config.write_text(config.read_text(encoding="utf-8").replace(":8000", ":0"), encoding="utf-8")
    return tmp_path


@pytest.fixture
def serve() -> list[str]:
    """The command of the guide."""
    [(command, _)] = find_commands(GUNICORN)
    python, *words = command.split()
    assert python == "python"
    return [sys.executable, *words]


def address(process: subprocess.Popen[str]) -> str:
    return find_line(process, r"http://127\.0\.0\.1:\d+")


@pytest.mark.parametrize("page", [GUNICORN, KUBERNETES], ids=["gunicorn", "kubernetes"])
def test_the_guides_show_no_python_outside_the_files_that_these_tests_run(page: Path) -> None:
    assert join_python(page) == ""


def test_gunicorn_ends_before_an_eviction_which_is_then_approved(
    web: Path, serve: list[str], imds_emulator: Emulator
) -> None:
    with program(serve, web, imds_emulator) as process:
        assert httpx.get(address(process), trust_env=False).text == "here\n"
        imds_emulator.schedule("Preempt")
        output = rest(process)
    assert process.returncode == 0, output
    assert "Preempt: stopping gunicorn" in output
    assert [event.status for event in imds_emulator.events.events] == ["Started"]


def test_gunicorn_keeps_running_during_a_pause(web: Path, serve: list[str], imds_emulator: Emulator) -> None:
    imds_emulator.schedule("Freeze")
    with program(serve, web, imds_emulator) as process:
        assert httpx.get(address(process), trust_env=False).text == "here\n"
        imds_emulator.schedule("Preempt")
        output = rest(process)
    assert "Freeze" not in output
    assert [event.status for event in imds_emulator.events.events] == ["Scheduled", "Started"]


def test_sigterm_is_passed_on_to_gunicorn(web: Path, serve: list[str], imds_emulator: Emulator) -> None:
    with program(serve, web, imds_emulator) as process:
        address(process)
        process.terminate()
        assert "Handling signal: term" in rest(process)
    assert process.returncode == 0


def test_the_table_and_the_emulator_have_the_same_notices() -> None:
    from azure_imds_emulator.scheduled_event import NOTICE

    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) ", GUNICORN.read_text(encoding="utf-8"), re.MULTILINE))
    seconds = {kind: int(number) * (1 if kind == "Preempt" else 60) for kind, number in rows.items()}
    assert seconds == {kind: NOTICE[kind] for kind in rows}


KUBECTL = """#!/bin/sh
echo "kubectl $*"
exit ${KUBECTL_STATUS:-0}
"""


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """The folder with the files of the guide, and a kubectl that prints its arguments."""
    write_files(KUBERNETES, tmp_path)
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o755)
    return tmp_path


@contextmanager
def drainer(node: Path, emulator: Emulator, **more: str) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "drain_node.py"]
    with program(words, node, emulator, NODE_NAME="node-1", PATH=f"{node}:{find_programs()}", **more) as process:
        yield process


def test_the_node_is_drained_before_an_eviction_which_is_then_approved(node: Path, imds_emulator: Emulator) -> None:
    event = imds_emulator.schedule("Preempt")
    with drainer(node, imds_emulator) as process:
        order = find_line(process, "kubectl drain .*")
        wait_until(lambda: event.event_id in {one.event_id for one in started(imds_emulator)})
    found = re.fullmatch(
        r"kubectl drain node-1 --ignore-daemonsets --delete-emptydir-data --force --timeout=(\d+)s", order
    )
    assert found
    assert 1 <= int(found[1]) <= 25, "the notice minus the margin of five seconds"


def test_an_event_is_not_approved_after_kubectl_has_failed(node: Path, imds_emulator: Emulator) -> None:
    imds_emulator.schedule("Preempt")
    with drainer(node, imds_emulator, KUBECTL_STATUS="1") as process:
        find_line(process, "kubectl drain")
        find_line(process, "CalledProcessError")
    assert started(imds_emulator) == []
    assert not any(request.method == "POST" for request in imds_emulator.requests)


def started(emulator: Emulator) -> list[Any]:
    return [event for event in emulator.events.events if event.status == "Started"]


def manifest() -> dict[str, dict[str, Any]]:
    [block] = find_blocks(KUBERNETES, "yaml")
    return {document["kind"]: document for document in yaml.safe_load_all(block.text)}


def test_the_parts_of_the_manifest_match() -> None:
    parts = manifest()
    account, role = parts["ServiceAccount"]["metadata"], parts["ClusterRole"]["metadata"]
    binding, pod = parts["ClusterRoleBinding"], parts["DaemonSet"]["spec"]["template"]
    assert binding["roleRef"]["name"] == role["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", **account}]
    assert pod["spec"]["serviceAccountName"] == account["name"]
    assert parts["DaemonSet"]["metadata"]["namespace"] == account["namespace"]
    assert parts["DaemonSet"]["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"]


def test_the_manifest_runs_the_program_of_the_image_and_sets_its_variable() -> None:
    [dockerfile] = find_blocks(KUBERNETES, "dockerfile")
    [program] = find_blocks(KUBERNETES, "python")
    [container] = manifest()["DaemonSet"]["spec"]["template"]["spec"]["containers"]
    copied = dict(re.findall(r"^COPY (\S+) (\S+)$", dockerfile.text, re.MULTILINE))
    command = yaml.safe_load(dockerfile.text.rpartition("CMD ")[2])
    assert container["command"] == command == ["python", copied[program.title]]
    assert [variable["name"] for variable in container["env"]] == re.findall(r"environ\[\"(\w+)\"\]", program.text)


def test_the_pod_uses_the_network_of_the_node_where_imds_is_reachable() -> None:
    assert manifest()["DaemonSet"]["spec"]["template"]["spec"]["hostNetwork"] is True
