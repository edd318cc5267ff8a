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
