"""examples/blob_upload.py with Azurite, which accepts only tokens for Azure Storage."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration import parts
from integration.azurite import Azurite
from integration.certificates import issue

from azure_imds import ImdsCredential
from azure_imds_emulator import Emulator
from examples_support import run

blob = parts.module("azure.storage.blob")

pytestmark = pytest.mark.integration

TEXT = "Grüße aus Azurite".encode() * 1000


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    folder = tmp_path_factory.mktemp("azurite")
    with Azurite([parts.program("azurite-blob")], issue(folder), folder) as azurite:
        yield azurite


@pytest.fixture
def container() -> str:
    """A unique name."""
    return f"c{uuid.uuid4().hex}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "report.txt"
    file.write_bytes(TEXT)
    return file


def upload(azurite: Azurite, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run("blob_upload.py", azurite.url, *arguments, REQUESTS_CA_BUNDLE=str(azurite.authority))


def stored(azurite: Azurite, emulator: Emulator, container: str, name: str) -> bytes:
    trust: dict[str, Any] = {"connection_verify": str(azurite.authority)}
    with (
        ImdsCredential(endpoint=emulator.endpoint) as credential,
        blob.BlobClient(azurite.url, container, name, credential=credential, **trust) as client,
    ):
        data: bytes = client.download_blob().readall()
        return data


def test_a_file_is_uploaded(azurite: Azurite, imds_emulator: Emulator, container: str, file: Path) -> None:
    done = upload(azurite, "--create", container, file)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{azurite.url}/{container}/report.txt: {len(TEXT)} bytes\n"
    assert [request.query["resource"] for request in imds_emulator.requests] == ["https://storage.azure.com"]
    assert stored(azurite, imds_emulator, container, "report.txt") == TEXT


def test_a_name_and_a_user_assigned_identity_can_be_chosen(
    azurite: Azurite, imds_emulator: Emulator, container: str, file: Path
) -> None:
    identity = imds_emulator.machine.add_user_assigned("id-uploads")
    done = upload(azurite, "--create", "--name", "a/b.txt", "--client-id", identity.client_id, container, file)
    assert (done.returncode, done.stderr) == (0, "")
    assert [request.query["client_id"] for request in imds_emulator.requests] == [identity.client_id]
    assert stored(azurite, imds_emulator, container, "a/b.txt") == TEXT


def test_a_blob_is_replaced_only_with_overwrite(
    azurite: Azurite, imds_emulator: Emulator, container: str, file: Path
) -> None:
    assert upload(azurite, "--create", container, file).returncode == 0
    file.write_bytes(b"new")
    refused = upload(azurite, container, file)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "The specified blob already exists.\n"
    assert stored(azurite, imds_emulator, container, "report.txt") == TEXT
    assert upload(azurite, "--overwrite", container, file).returncode == 0
    assert stored(azurite, imds_emulator, container, "report.txt") == b"new"


def test_without_an_identity_the_error_suggests_a_fix(
    azurite: Azurite, imds_emulator: Emulator, container: str, file: Path
) -> None:
    imds_emulator.machine.system_assigned = None
    done = upload(azurite, container, file)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("no token: ")
    assert "Assign a managed identity to this machine" in done.stderr
    assert "Traceback" not in done.stderr
