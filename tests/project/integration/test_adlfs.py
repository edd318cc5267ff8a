"""adlfs, fsspec's file system for Azure Storage, on Dask workers before Azurite."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from integration import parts
from integration.azurite import Azurite

from azure_imds_emulator import Emulator
from support import TEST_PATH

parts.module("adlfs")
parts.module("distributed")

pytestmark = pytest.mark.integration


def test_workers_write_list_and_read_blobs_with_one_token(emulator: Emulator, azurite: Azurite, tmp_path: Path) -> None:
    container = f"c{uuid.uuid4().hex}"
    done = subprocess.run(
        [sys.executable, "-m", "integration.lake", azurite.host, container, str(tmp_path)],
        env={
            **os.environ,
            "PYTHONPATH": TEST_PATH,
            "SSL_CERT_FILE": str(azurite.authority),
        },
        text=True,
        capture_output=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    names = [f"{container}/numbers/{number}.txt" for number in range(8)]
    assert json.loads(done.stdout) == {"total": sum(range(1000)), "listed": names, "lists": [names, names]}
    assert [request.query["resource"] for request in emulator.requests] == ["https://storage.azure.com"]
