"""multiprocessing without fork: what was used here is sent to fresh processes, and works there by itself."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pytest
from integration.errands import CREDENTIAL, Errand, Site, fingerprint, set_environment, shows, token_of

from azure_imds import ImdsCredential
from azure_imds_emulator import Emulator

pytestmark = pytest.mark.integration

PROCESSES = 2


@pytest.fixture(scope="module", params=["spawn", "forkserver"])
def pool(request: pytest.FixtureRequest, there: Emulator) -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(
        PROCESSES,
        mp_context=multiprocessing.get_context(request.param),
        # A fork server keeps the environment in which it was started, perhaps for an earlier test.
        initializer=set_environment,
        initargs=(there.environment,),
    ) as pool:
        yield pool


def test_what_was_used_here_works_there(
    errand: Errand, pool: ProcessPoolExecutor, emulator: Emulator, there: Emulator, site: Site
) -> None:
    thing = errand.make()
    secret = token_of(emulator.endpoint)
    assert errand.run(thing, site).fingerprint == fingerprint(secret)
    assert not shows(secret, bytes(ForkingPickler.dumps(thing)))

    expected = fingerprint(token_of(there.endpoint))
    there.requests.clear()
    reports = list(pool.map(errand.run, [thing] * PROCESSES, [site] * PROCESSES))
    assert os.getpid() not in {report.process for report in reports}
    assert [report.fingerprint for report in reports] == [expected] * PROCESSES
    assert len(there.requests) == PROCESSES


def test_a_shared_cache_goes_along(
    pool: ProcessPoolExecutor, emulator: Emulator, there: Emulator, site: Site, tmp_path: Path
) -> None:
    credential = ImdsCredential(shared_cache=tmp_path / "tokens")
    credential.get_token("https://vault.azure.net")
    there.requests.clear()
    reports = list(pool.map(CREDENTIAL.run, [credential] * PROCESSES, [site] * PROCESSES))
    assert {report.fingerprint for report in reports} == {fingerprint(token_of(there.endpoint))}
    assert len(there.requests) == 2  # theirs, and the line above
