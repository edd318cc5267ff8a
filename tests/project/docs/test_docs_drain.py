"""What docs/guides/drain-gunicorn.md and drain-kubernetes.md show, drains."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from azure_imds_emulator import Emulator
from docs_support import DOCS, blocks, commands, own_python, search_path, write_files
from emulator_support import until

pytestmark = pytest.mark.integration

GUNICORN = DOCS / "guides" / "drain-gunicorn.md"
KUBERNETES = DOCS / "guides" / "drain-kubernetes.md"

#: Ends a program of a page that would not end by itself.
PATIENCE = 60


@contextmanager
def program(words: list[str], folder: Path, emulator: Emulator, **more: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, **emulator.environment, "PYTHONUNBUFFERED": "1", **more}
    with subprocess.Popen(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def said(process: subprocess.Popen[str], pattern: str) -> str:
    """The first line that has it, or all that was said until the end."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if found := re.search(pattern, line):
            return found[0]
    raise AssertionError("".join(lines))


def rest(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=PATIENCE)[0]


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """The folder with the files of the guide, on a free port."""
    write_files(GUNICORN, tmp_path)
    config = tmp_path / "gunicorn.conf.py"
    config.write_text(config.read_text(encoding="utf-8").replace(":8000", ":0"), encoding="utf-8")
    return tmp_path


@pytest.fixture
def serve() -> list[str]:
    """The guide's command."""
    [(command, _)] = commands(GUNICORN)
    python, *words = command.split()
    assert python == "python"
    return [sys.executable, *words]


def address(process: subprocess.Popen[str]) -> str:
    return said(process, r"http://127\.0\.0\.1:\d+")


@pytest.mark.parametrize("page", [GUNICORN, KUBERNETES], ids=["gunicorn", "kubernetes"])
def test_all_python_of_the_guides_is_in_the_files_that_run_here(page: Path) -> None:
    assert own_python(page) == ""


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


def test_gunicorn_stays_through_a_pause(web: Path, serve: list[str], imds_emulator: Emulator) -> None:
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


def test_the_notice_of_the_table_is_the_emulator_s() -> None:
    from azure_imds_emulator.events import NOTICE

    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) ", GUNICORN.read_text(encoding="utf-8"), re.MULTILINE))
    seconds = {kind: int(number) * (1 if kind == "Preempt" else 60) for kind, number in rows.items()}
    assert seconds == {kind: NOTICE[kind] for kind in rows}


KUBECTL = """#!/bin/sh
echo "kubectl $*"
exit ${KUBECTL_STATUS:-0}
"""


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """The folder with the files of the guide, and a kubectl that says what it was asked."""
    write_files(KUBERNETES, tmp_path)
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o755)
    return tmp_path


@contextmanager
def drainer(node: Path, emulator: Emulator, **more: str) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "drain_node.py"]
    with program(words, node, emulator, NODE_NAME="node-1", PATH=f"{node}:{search_path()}", **more) as process:
        yield process


def test_the_node_is_drained_before_an_eviction_which_is_then_approved(node: Path, imds_emulator: Emulator) -> None:
    event = imds_emulator.schedule("Preempt")
    with drainer(node, imds_emulator) as process:
        order = said(process, "kubectl drain .*")
        until(lambda: event.event_id in {one.event_id for one in started(imds_emulator)})
    found = re.fullmatch(
        r"kubectl drain node-1 --ignore-daemonsets --delete-emptydir-data --force --timeout=(\d+)s", order
    )
    assert found
    assert 1 <= int(found[1]) <= 25, "five seconds less than the notice"


def test_what_kubectl_could_not_drain_is_not_approved(node: Path, imds_emulator: Emulator) -> None:
    imds_emulator.schedule("Preempt")
    with drainer(node, imds_emulator, KUBECTL_STATUS="1") as process:
        said(process, "kubectl drain")
        said(process, "CalledProcessError")
    assert started(imds_emulator) == []
    assert not any(request.method == "POST" for request in imds_emulator.requests)


def started(emulator: Emulator) -> list[Any]:
    return [event for event in emulator.events.events if event.status == "Started"]


def manifest() -> dict[str, dict[str, Any]]:
    [block] = blocks(KUBERNETES, "yaml")
    return {document["kind"]: document for document in yaml.safe_load_all(block.text)}


def test_the_manifest_s_parts_name_each_other() -> None:
    parts = manifest()
    account, role = parts["ServiceAccount"]["metadata"], parts["ClusterRole"]["metadata"]
    binding, pod = parts["ClusterRoleBinding"], parts["DaemonSet"]["spec"]["template"]
    assert binding["roleRef"]["name"] == role["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", **account}]
    assert pod["spec"]["serviceAccountName"] == account["name"]
    assert parts["DaemonSet"]["metadata"]["namespace"] == account["namespace"]
    assert parts["DaemonSet"]["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"]


def test_the_manifest_runs_the_program_of_the_image_with_the_variable_that_it_reads() -> None:
    [dockerfile] = blocks(KUBERNETES, "dockerfile")
    [program] = blocks(KUBERNETES, "python")
    [container] = manifest()["DaemonSet"]["spec"]["template"]["spec"]["containers"]
    copied = dict(re.findall(r"^COPY (\S+) (\S+)$", dockerfile.text, re.MULTILINE))
    command = yaml.safe_load(dockerfile.text.rpartition("CMD ")[2])
    assert container["command"] == command == ["python", copied[program.title]]
    assert [variable["name"] for variable in container["env"]] == re.findall(r"environ\[\"(\w+)\"\]", program.text)


def test_the_pod_is_on_the_node_s_own_network_where_imds_is() -> None:
    assert manifest()["DaemonSet"]["spec"]["template"]["spec"]["hostNetwork"] is True
