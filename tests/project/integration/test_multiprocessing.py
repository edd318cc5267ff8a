"""multiprocessing without fork: objects that were used here are sent to new processes, and work there."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pytest
from integration.token_users import (
    CREDENTIAL,
    Site,
    TokenUser,
    compute_fingerprint,
    contains_token,
    fetch_token,
    set_environment,
)

from azure_imds import ImdsCredential
from azure_imds_emulator import Emulator

pytestmark = pytest.mark.integration

PROCESSES = 2


@pytest.fixture(scope="module", params=["spawn", "forkserver"])
def pool(request: pytest.FixtureRequest, remote_emulator: Emulator) -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(
        PROCESSES,
        mp_context=multiprocessing.get_context(request.param),
        # A fork server keeps the environment that it was started with, which can be that of an earlier test.
        initializer=set_environment,
        initargs=(remote_emulator.environment,),
    ) as pool:
        yield pool


def test_an_object_that_was_used_here_works_in_new_processes(
    token_user: TokenUser, pool: ProcessPoolExecutor, emulator: Emulator, remote_emulator: Emulator, site: Site
) -> None:
    user = token_user.make()
    secret = fetch_token(emulator.endpoint)
    assert token_user.run(user, site).fingerprint == compute_fingerprint(secret)
    assert not contains_token(secret, bytes(ForkingPickler.dumps(user)))

    expected = compute_fingerprint(fetch_token(remote_emulator.endpoint))
    remote_emulator.requests.clear()
    reports = list(pool.map(token_user.run, [user] * PROCESSES, [site] * PROCESSES))
    assert os.getpid() not in {report.process for report in reports}
    assert [report.fingerprint for report in reports] == [expected] * PROCESSES
    assert len(remote_emulator.requests) == PROCESSES


def test_new_processes_use_the_same_shared_cache(
    pool: ProcessPoolExecutor, emulator: Emulator, remote_emulator: Emulator, site: Site, tmp_path: Path
) -> None:
    credential = ImdsCredential(shared_cache=tmp_path / "tokens")
    credential.get_token("https://vault.azure.net")
    remote_emulator.requests.clear()
    reports = list(pool.map(CREDENTIAL.run, [credential] * PROCESSES, [site] * PROCESSES))
    assert {report.fingerprint for report in reports} == {compute_fingerprint(fetch_token(remote_emulator.endpoint))}
    assert len(remote_emulator.requests) == 2  # one by the two processes, and one by the line above
