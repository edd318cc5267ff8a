"""examples/fleet_inventory.py with a Dask cluster whose workers are processes on several emulated machines."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from integration import parts

from azure_imds_emulator import Emulator
from examples_support import run

distributed = parts.module("distributed")

pytestmark = pytest.mark.integration

#: A free port on loopback. The default is a fixed port on all interfaces.
LOOPBACK = "127.0.0.1:0"


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a cluster.

    Two workers are on `web-0`. One each is on `web-1`, on a machine whose IMDS answers 403, and on one without IMDS.
    """
    with ExitStack() as stack:
        shared, single, gated = (stack.enter_context(Emulator()) for _ in range(3))
        for number, emulator in enumerate((shared, single)):
            emulator.machine.compute.update(name=f"web-{number}", vmId=f"{number:08}-0000-4000-8000-000000000000")
        single.machine.compute["location"] = "norwayeast"
        gated.fail(403, times=1000)
        environments = [emulator.environment for emulator in (shared, single, shared, gated)]
        folder = tmp_path_factory.mktemp("dask")

        def worker(environment: dict[str, str]) -> dict[str, Any]:
            options = {"host": "127.0.0.1", "nthreads": 1, "env": environment, "local_directory": str(folder)}
            return {"cls": distributed.Nanny, "options": {**options, "dashboard_address": LOOPBACK}}

        cluster = distributed.SpecCluster(
            scheduler={
                "cls": distributed.Scheduler,
                "options": {"host": "127.0.0.1", "port": 0, "dashboard_address": LOOPBACK},
            },
            workers=dict(enumerate(map(worker, [*environments, {"AZURE_IMDS_DISABLED": "1"}]))),
        )
        with cluster:
            yield cluster.scheduler_address


@pytest.fixture(scope="module")
def rows(scheduler: str) -> list[dict[str, str]]:
    """The inventory as JSON."""
    done = inventory(scheduler, "--format", "json")
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


def inventory(scheduler: str, *options: str) -> subprocess.CompletedProcess[str]:
    done = run("fleet_inventory.py", scheduler, *options)
    assert (done.returncode, done.stderr) == (0, "")
    return done


def test_each_machine_has_one_row_with_all_of_its_workers(rows: list[dict[str, str]]) -> None:
    machines = [row for row in rows if row["vm_id"]]
    assert [(row["name"], row["location"], len(row["workers"].split())) for row in machines] == [
        ("web-0", "eastus", 2),
        ("web-1", "norwayeast", 1),
    ]
    assert {row["problem"] for row in machines} == {""}


def test_workers_without_imds_are_listed_with_the_reason(rows: list[dict[str, str]]) -> None:
    others = [row for row in rows if not row["vm_id"]]
    assert len(others) == 2
    assert all(row["workers"].startswith("tcp://127.0.0.1:") for row in others)
    gated, absent = sorted(row["problem"] for row in others)
    assert "403" in gated
    assert absent == "no IMDS: instances.get_metadata: AZURE_IMDS_DISABLED is set, so IMDS is not called"


def test_every_worker_is_listed_once(rows: list[dict[str, str]]) -> None:
    workers = " ".join(row["workers"] for row in rows).split()
    assert len(workers) == len(set(workers)) == 5


def test_csv_has_the_same_rows(scheduler: str, rows: list[dict[str, str]]) -> None:
    read = list(csv.DictReader(io.StringIO(inventory(scheduler, "--format", "csv").stdout)))
    timeless = [{**row, "problem": row["problem"].partition("(")[0]} for row in read]
    assert timeless == [{**row, "problem": row["problem"].partition("(")[0]} for row in rows]


def test_the_table_has_a_line_per_row(scheduler: str, rows: list[dict[str, str]]) -> None:
    head, *lines = inventory(scheduler).stdout.splitlines()
    assert head.split() == list(rows[0])
    assert [line.split()[0] for line in lines[:2]] == ["web-0", "web-1"]
    assert len(lines) == len(rows)
