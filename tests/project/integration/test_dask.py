"""Dask's distributed scheduler: what was used here is sent to workers in processes of their own."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration import parts
from integration.cluster import local_cluster
from integration.errands import ASYNC_CREDENTIAL, CREDENTIAL, Errand, Report, Site, fingerprint, shows, token_of

from azure_imds_emulator import Emulator

distributed = parts.module("distributed")
cloudpickle = parts.module("cloudpickle")

pytestmark = pytest.mark.integration

WORKERS = 3
TASKS = 60


@pytest.fixture(scope="module")
def cluster(there: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A scheduler here and three worker processes, on loopback, whose IMDS is another one than ours."""
    folder = tmp_path_factory.mktemp("dask")
    with local_cluster(WORKERS, folder, env=there.environment) as cluster:
        yield cluster


@pytest.fixture
def dask(cluster: Any) -> Iterator[Any]:
    with distributed.Client(cluster) as client:
        yield client


@pytest.fixture
def pickled(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """All that Dask pickles in this process from now on."""
    from distributed.protocol import pickle

    written: list[bytes] = []
    lock = threading.Lock()
    dumps = pickle.dumps

    def spy(value: Any, *, buffer_callback: Any = None, **options: Any) -> bytes:
        buffers: list[Any] = []
        data: bytes = dumps(value, buffer_callback=buffer_callback and buffers.append, **options)
        with lock:
            written.extend([data, *(bytes(buffer.raw()) for buffer in buffers)])
        for buffer in buffers:
            buffer_callback(buffer)
        return data

    monkeypatch.setattr(pickle, "dumps", spy)
    return written


def on_each_worker(dask: Any, task: Any) -> list[Report]:
    workers = list(dask.scheduler_info()["workers"])
    assert len(workers) == WORKERS
    futures = [dask.submit(task, workers=[worker], pure=False) for worker in workers]
    reports: list[Report] = dask.gather(futures)
    processes = {report.process for report in reports}
    assert len(processes) == WORKERS
    assert os.getpid() not in processes
    return reports


def test_what_was_used_here_works_there(
    errand: Errand, dask: Any, pickled: list[bytes], emulator: Emulator, there: Emulator, site: Site
) -> None:
    thing = errand.make()
    secret = token_of(emulator.endpoint)
    assert errand.run(thing, site).fingerprint == fingerprint(secret)

    expected = fingerprint(token_of(there.endpoint))
    there.requests.clear()
    reports = on_each_worker(dask, lambda: errand.run(thing, site))
    assert [report.fingerprint for report in reports] == [expected] * WORKERS
    assert len(there.requests) == WORKERS
    assert any(type(thing).__module__.encode() in data for data in pickled), "nothing was seen being sent"
    assert not any(shows(secret, data) for data in pickled)


def test_no_token_is_in_what_cloudpickle_makes_of_it(errand: Errand, emulator: Emulator, site: Site) -> None:
    thing = errand.make()
    errand.run(thing, site)
    secret = token_of(emulator.endpoint)
    assert not shows(secret, cloudpickle.dumps(thing))
    assert not shows(secret, cloudpickle.dumps(lambda: thing))


@pytest.mark.parametrize("errand", [CREDENTIAL, ASYNC_CREDENTIAL], ids=str)
def test_with_a_shared_cache_all_tasks_of_all_workers_ask_once(
    errand: Errand, dask: Any, there: Emulator, site: Site, tmp_path: Path
) -> None:
    credential = errand.make(shared_cache=tmp_path / "tokens")
    expected = fingerprint(token_of(there.endpoint))
    there.requests.clear()
    # Each task brings a copy of its own along, with an empty memory.
    futures = [dask.submit(errand.use, credential, site, pure=False) for _ in range(TASKS)]
    assert dask.gather(futures) == [expected] * TASKS
    assert len(there.requests) == 1
