"""Dask's distributed scheduler: objects that were used here are sent to workers in other processes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration import parts
from integration.cluster import local_cluster
from integration.token_users import (
    ASYNC_CREDENTIAL,
    CREDENTIAL,
    Report,
    Site,
    TokenUser,
    compute_fingerprint,
    contains_token,
    fetch_token,
)

from azure_imds_emulator import Emulator

distributed = parts.module("distributed")
cloudpickle = parts.module("cloudpickle")

pytestmark = pytest.mark.integration

WORKERS = 3
TASKS = 60


@pytest.fixture(scope="module")
def cluster(remote_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A scheduler in this process, and three worker processes with another IMDS than this process."""
    folder = tmp_path_factory.mktemp("dask")
    with local_cluster(WORKERS, folder, env=remote_emulator.environment) as cluster:
        yield cluster


@pytest.fixture
def dask(cluster: Any) -> Iterator[Any]:
    with distributed.Client(cluster) as client:
        yield client


@pytest.fixture
def pickled(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Everything that Dask pickles in this process during the test."""
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


def run_on_each_worker(dask: Any, task: Any) -> list[Report]:
    workers = list(dask.scheduler_info()["workers"])
    assert len(workers) == WORKERS
    futures = [dask.submit(task, workers=[worker], pure=False) for worker in workers]
    reports: list[Report] = dask.gather(futures)
    processes = {report.process for report in reports}
    assert len(processes) == WORKERS
    assert os.getpid() not in processes
    return reports


def test_an_object_that_was_used_here_works_on_the_workers(
    token_user: TokenUser,
    dask: Any,
    pickled: list[bytes],
    emulator: Emulator,
    remote_emulator: Emulator,
    site: Site,
) -> None:
    user = token_user.make()
    secret = fetch_token(emulator.endpoint)
    assert token_user.run(user, site).fingerprint == compute_fingerprint(secret)

    expected = compute_fingerprint(fetch_token(remote_emulator.endpoint))
    remote_emulator.requests.clear()
    reports = run_on_each_worker(dask, lambda: token_user.run(user, site))
    assert [report.fingerprint for report in reports] == [expected] * WORKERS
    assert len(remote_emulator.requests) == WORKERS
    assert any(type(user).__module__.encode() in data for data in pickled), "the object was not pickled"
    assert not any(contains_token(secret, data) for data in pickled)


def test_a_pickle_by_cloudpickle_contains_no_token(token_user: TokenUser, emulator: Emulator, site: Site) -> None:
    user = token_user.make()
    token_user.run(user, site)
    secret = fetch_token(emulator.endpoint)
    assert not contains_token(secret, cloudpickle.dumps(user))
    assert not contains_token(secret, cloudpickle.dumps(lambda: user))


@pytest.mark.parametrize("token_user", [CREDENTIAL, ASYNC_CREDENTIAL], ids=str)
def test_with_a_shared_cache_all_tasks_of_all_workers_send_one_request(
    token_user: TokenUser, dask: Any, remote_emulator: Emulator, site: Site, tmp_path: Path
) -> None:
    credential = token_user.make(shared_cache=tmp_path / "tokens")
    expected = compute_fingerprint(fetch_token(remote_emulator.endpoint))
    remote_emulator.requests.clear()
    # Each task receives its own copy of the credential, with an empty cache.
    futures = [dask.submit(token_user.use, credential, site, pure=False) for _ in range(TASKS)]
    assert dask.gather(futures) == [expected] * TASKS
    assert len(remote_emulator.requests) == 1
