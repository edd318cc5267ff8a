"""azure-storage-blob with Azurite, and with tokens that our credentials get from the emulator."""

from __future__ import annotations

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from integration import parts
from integration.azurite import Azurite

from azure_imds import AsyncImdsCredential, ImdsCredential, ImdsUnavailableError
from azure_imds_emulator import Emulator

blob = parts.module("azure.storage.blob")
aio = parts.module("azure.storage.blob.aio")
exceptions = parts.module("azure.core.exceptions")

# If it is imported, our error is also one of its errors, and storage clients treat such errors differently.
parts.module("azure.identity")

pytestmark = pytest.mark.integration

#: Storage clients retry after such an error, which takes 15 seconds and more. So they do with azure-identity.
RETRIES = 0

TEXT = "Grüße aus Azurite".encode() * 1000


@pytest.fixture
def container() -> str:
    """The name of a container that no other test uses."""
    return f"c{uuid.uuid4().hex}"


def test_blobs_are_uploaded_and_downloaded_with_one_token(emulator: Emulator, azurite: Azurite, container: str) -> None:
    with ImdsCredential() as credential, _service(azurite, credential) as service:
        with service.create_container(container) as inside:
            inside.upload_blob("folder/a.txt", TEXT)
            inside.upload_blob("b.txt", b"b")
            assert inside.download_blob("folder/a.txt").readall() == TEXT
            assert [found.name for found in inside.list_blobs()] == ["b.txt", "folder/a.txt"]
        assert container in [found.name for found in service.list_containers()]
    assert [request.query["resource"] for request in emulator.requests] == ["https://storage.azure.com"]


def test_asynchronous_clients_do_the_same(emulator: Emulator, azurite: Azurite, container: str) -> None:
    async def main() -> None:
        async with AsyncImdsCredential() as credential, _async_service(azurite, credential) as service:
            async with await service.create_container(container) as inside:
                await asyncio.gather(inside.upload_blob("folder/a.txt", TEXT), inside.upload_blob("b.txt", b"b"))
                assert await (await inside.download_blob("folder/a.txt")).readall() == TEXT
                assert [found.name async for found in inside.list_blobs()] == ["b.txt", "folder/a.txt"]
            assert container in [found.name async for found in service.list_containers()]

    asyncio.run(main())
    assert [request.query["resource"] for request in emulator.requests] == ["https://storage.azure.com"]


def test_many_clients_in_many_threads_share_one_token(emulator: Emulator, azurite: Azurite, container: str) -> None:
    with ImdsCredential() as credential, ThreadPoolExecutor(16) as pool:

        def upload(number: int) -> None:
            with _service(azurite, credential) as service, service.get_blob_client(container, str(number)) as one:
                one.upload_blob(TEXT)

        with _service(azurite, ImdsCredential(endpoint=emulator.endpoint)) as other:
            other.create_container(container)
            emulator.requests.clear()
            list(pool.map(upload, range(16)))
            with other.get_container_client(container) as inside:
                assert len(list(inside.list_blob_names())) == 16
    assert len(emulator.requests) == 1


def test_azurite_refuses_a_token_for_another_audience(emulator: Emulator, azurite: Azurite) -> None:
    with (
        ImdsCredential() as credential,
        _service(azurite, credential, audience="https://vault.azure.net") as service,
        pytest.raises(exceptions.ClientAuthenticationError, match="AuthenticationFailed"),
    ):
        list(service.list_containers())
    assert [request.query["resource"] for request in emulator.requests] == ["https://vault.azure.net"]


def test_without_imds_the_error_is_ours(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_IMDS_DISABLED", "1")
    with (
        ImdsCredential() as credential,
        _service(azurite, credential, retry_total=RETRIES) as service,
        pytest.raises(ImdsUnavailableError, match="AZURE_IMDS_DISABLED"),
    ):
        list(service.list_containers())


def test_without_imds_the_error_of_the_async_client_is_ours(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with (
            AsyncImdsCredential() as credential,
            _async_service(azurite, credential, retry_total=RETRIES) as service,
        ):
            with pytest.raises(ImdsUnavailableError, match="AZURE_IMDS_DISABLED"):
                [found async for found in service.list_containers()]

    monkeypatch.setenv("AZURE_IMDS_DISABLED", "1")
    asyncio.run(main())


def _service(azurite: Azurite, credential: ImdsCredential, **options: Any) -> Any:
    return blob.BlobServiceClient(
        azurite.url, credential=credential, connection_verify=str(azurite.authority), **options
    )


def _async_service(azurite: Azurite, credential: AsyncImdsCredential, **options: Any) -> Any:
    return aio.BlobServiceClient(
        azurite.url, credential=credential, connection_verify=str(azurite.authority), **options
    )
