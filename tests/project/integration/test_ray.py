"""examples/ray_drain.py of docs/guides/drain-ray.md with Ray: two nodes on this machine, of which the program runs one.

Ray is too large for every run of CI. `make test-ray` installs it and runs these tests.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from integration import parts
from integration.kubernetes_api import free_ports

from azure_imds_emulator import Emulator
from emulator_support import wait_until
from support import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.large]

PROGRAM = ROOT / "examples" / "ray_drain.py"
DRIVER = Path(__file__).with_name("ray_driver.py")
BIN = ROOT / ".tools" / "ray" / "bin"

#: Seconds that a task of the driver takes. It has started when the event is announced.
TASK_SECONDS = 3.0


@dataclass(frozen=True)
class Cluster:
    """A cluster with its first node.

    Attributes:
        address: its address.
        head: the id of the first node.
        environment: the environment of its processes.
    """

    address: str
    head: str
    environment: dict[str, str]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    parts.package(BIN / "ray", "make test-ray")
    [port] = free_ports(1)
    head = make_node_id()
    # A short path, because Ray makes sockets in it.
    folder = Path("/tmp") / f"ray-{secrets.token_hex(4)}"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("RAY_") and name != "NODE_NAME"
    }
    environment |= {"PATH": f"{BIN}:{os.environ['PATH']}", "RAY_USAGE_STATS_ENABLED": "0", "RAY_TMPDIR": str(folder)}
    command = [
        *("ray", "start", "--head", "--block", "--node-ip-address=127.0.0.1", f"--port={port}"),
        *("--num-cpus=2", "--object-store-memory=80000000", "--include-dashboard=false", f"--temp-dir={folder}"),
    ]
    with running(command, environment | {"RAY_OVERRIDE_NODE_ID_FOR_TESTING": head}) as process:
        process.wait_for("This command will now block")
        yield Cluster(f"127.0.0.1:{port}", head, environment)
    shutil.rmtree(folder, ignore_errors=True)


def make_node_id() -> str:
    return secrets.token_hex(28)


class Running:
    """A process, and its output so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def wait_for(self, pattern: str) -> None:
        def is_there() -> bool:
            threading.Event().wait(0.05)
            return re.search(pattern, self.log) is not None or self.process.poll() is not None

        wait_until(is_there)
        assert re.search(pattern, self.log), self.log

    def end(self) -> int:
        """Waits for the end of the process."""
        status = self.process.wait(60)
        self._reader.join()
        return status

    def ask(self, line: str) -> Any:
        """Writes a line, and returns the answer of the driver."""
        count = len(self.lines)
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        wait_until(lambda: len(self.lines) > count or self.process.poll() is not None)
        return json.loads(self.lines[-1])


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[Running]:
    """Runs a program. At the end, all processes that it started end too."""
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield Running(process)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(60)
            with suppress(ProcessLookupError):  # all of its processes have ended
                os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def worker(cluster: Cluster, emulator: Emulator, node_id: str, *options: str) -> Iterator[Running]:
    """Runs a second node with the program."""
    command = [
        *(sys.executable, "-u", "-W", "error", str(PROGRAM), "--address", cluster.address, "--node-id", node_id),
        *(*options, "--", "ray", "start", f"--address={cluster.address}", "--block"),
        *("--node-ip-address=127.0.0.1", "--num-cpus=2", "--object-store-memory=80000000"),
    ]
    environment = cluster.environment | emulator.environment | {"RAY_OVERRIDE_NODE_ID_FOR_TESTING": node_id}
    with running(command, environment) as process:
        process.wait_for("This command will now block")
        yield process


@contextmanager
def driver(cluster: Cluster, node_id: str) -> Iterator[Running]:
    """Runs the job, whose actor and task start on this node."""
    command = [str(BIN / "python"), str(DRIVER), cluster.address, node_id, str(TASK_SECONDS)]
    with running(command, cluster.environment) as process:
        process.wait_for('"actor"')
        assert json.loads(process.lines[-1]) == {"actor": node_id}
        yield process


def test_the_node_ends_before_the_event_and_its_actors_continue_elsewhere(
    cluster: Cluster, imds_emulator: Emulator
) -> None:
    node_id = make_node_id()
    with worker(cluster, imds_emulator, node_id, "--grace", "8") as node, driver(cluster, node_id) as job:
        event = imds_emulator.schedule("Preempt", notice=60)
        node.wait_for("draining the node for 8 seconds")
        node.wait_for("approved")
        answer = job.ask("end")
        assert event.status == "Started"
        assert sum(request.method == "POST" for request in imds_emulator.requests) == 1
        assert answer["actor"] == answer["new"] == cluster.head
        assert answer["task"] == node_id, "the task had time to finish"
        assert answer["dead"][node_id] == "Azure: Preempt"
        imds_emulator.events.complete(event.event_id)
        assert node.end() == 0


def test_a_node_that_is_being_drained_gets_no_new_task(cluster: Cluster, imds_emulator: Emulator) -> None:
    node_id = make_node_id()
    with worker(cluster, imds_emulator, node_id, "--grace", "20") as node, driver(cluster, node_id) as job:
        assert job.ask("")["new"] == node_id
        event = imds_emulator.schedule("Redeploy")
        node.wait_for("draining the node for 20 seconds")
        wait_until(lambda: job.ask("")["new"] == cluster.head)
        assert job.ask("end")["actor"] == node_id, "it continues until the node ends"
        imds_emulator.events.cancel(event.event_id)


def test_the_earliest_event_counts(cluster: Cluster, imds_emulator: Emulator) -> None:
    node_id = make_node_id()
    with worker(cluster, imds_emulator, node_id, "--grace", "600") as node, driver(cluster, node_id) as job:
        imds_emulator.schedule("Redeploy", event_id="E1", notice=900)
        node.wait_for("draining the node for 600 seconds")
        imds_emulator.schedule("Preempt", event_id="E2", notice=25)
        node.wait_for("E2: approved")
        assert "E1: approved" in node.log
        assert job.ask("")["actor"] == cluster.head


def test_an_idle_node_ends_at_once(cluster: Cluster, imds_emulator: Emulator) -> None:
    with worker(cluster, imds_emulator, make_node_id(), "--grace", "50") as node:
        event = imds_emulator.schedule("Redeploy")
        node.wait_for("draining the node for 50 seconds")
        node.wait_for("approved")
        assert event.status == "Started"


def test_sigterm_drains_the_node(cluster: Cluster, imds_emulator: Emulator) -> None:
    with worker(cluster, imds_emulator, make_node_id()) as node:
        node.process.terminate()
        assert node.end() == 0
        assert "stopped: draining the node for 60 seconds" in node.log


def test_the_program_ends_with_the_node(cluster: Cluster, imds_emulator: Emulator) -> None:
    command = [sys.executable, str(PROGRAM), "--", "sh", "-c", "exit 3"]
    with running(command, cluster.environment | imds_emulator.environment) as node:
        assert node.end() == 3


def test_a_command_that_cannot_be_started_ends_the_program(cluster: Cluster) -> None:
    with running([sys.executable, str(PROGRAM), "--", "no-such-command"], cluster.environment) as node:
        assert node.end() == 2
        assert "no-such-command: cannot be started: No such file or directory" in node.log
