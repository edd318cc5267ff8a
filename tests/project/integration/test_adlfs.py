"""adlfs, fsspec's file system for Azure Storage, on Dask workers, with Azurite."""

from __future__ import annotations

import json
import os
import sys
import uuid
from pathlib import Path

import pytest
from integration import parts
from integration.azurite import Azurite

from azure_imds_emulator import Emulator
from support import TEST_PATH, run_program

parts.module("adlfs")
parts.module("distributed")

pytestmark = pytest.mark.integration


def test_workers_write_list_and_read_blobs_with_one_token(emulator: Emulator, azurite: Azurite, tmp_path: Path) -> None:
    container = f"c{uuid.uuid4().hex}"
    done = run_program(
        [sys.executable, "-m", "integration.dask_adlfs", azurite.host, container, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": TEST_PATH, "SSL_CERT_FILE": str(azurite.authority)},
    )
    assert done.returncode == 0, done.stderr
    names = [f"{container}/numbers/{number}.txt" for number in range(8)]
    assert json.loads(done.stdout) == {"total": sum(range(1000)), "listed": names, "lists": [names, names]}
    assert [request.query["resource"] for request in emulator.requests] == ["https://storage.azure.com"]


# azure-core asks the credential again for a token that is valid for less than five minutes.
@pytest.mark.imds_emulator(token_lifetime=200)
def test_a_second_job_can_use_the_file_system_whose_credential_the_first_one_closed(
    emulator: Emulator, azurite: Azurite
) -> None:
    container = f"c{uuid.uuid4().hex}"
    done = run_program(
        [sys.executable, "-m", "integration.adlfs_jobs", azurite.host, container],
        env={**os.environ, "PYTHONPATH": TEST_PATH, "SSL_CERT_FILE": str(azurite.authority)},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"systems": 1, "credentials": 1, "texts": ["0", "0+1", "0+1+2"]}
    assert not done.stderr
    assert emulator.requests.total >= 3, "the closed credential fetched tokens"
