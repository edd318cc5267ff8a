"""Type checkers accept our credentials as those of azure-core, in a program with its own settings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from integration import parts

parts.module("mypy")
parts.module("pyright")

pytestmark = pytest.mark.integration

PROGRAM = """
from azure.core.credentials import AccessToken, AccessTokenInfo, SupportsTokenInfo, TokenCredential
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential
from azure.storage.blob import BlobServiceClient
from azure.storage.blob.aio import BlobServiceClient as AsyncBlobServiceClient

from azure_imds import AsyncImdsCredential, ImdsCredential, bearer_token_provider


def needs_old(credential: TokenCredential) -> AccessToken:
    return credential.get_token("https://vault.azure.net/.default")


def needs_new(credential: SupportsTokenInfo) -> AccessTokenInfo:
    return credential.get_token_info("https://vault.azure.net/.default", options={"enable_cae": True})


async def needs_async_old(credential: AsyncTokenCredential) -> AccessToken:
    async with credential:
        return await credential.get_token("https://vault.azure.net/.default")


async def needs_async_new(credential: AsyncSupportsTokenInfo) -> AccessTokenInfo:
    return await credential.get_token_info("https://vault.azure.net/.default")


async def main() -> None:
    text, expires_on = needs_old(ImdsCredential())
    reveal: tuple[str, int] = (text, expires_on)
    info: tuple[str, int] = (needs_new(ImdsCredential()).token, needs_new(ImdsCredential()).expires_on)
    await needs_async_old(AsyncImdsCredential())
    await needs_async_new(AsyncImdsCredential())
    BlobServiceClient("https://x.blob.core.windows.net", credential=ImdsCredential())
    AsyncBlobServiceClient("https://x.blob.core.windows.net", credential=AsyncImdsCredential())
    bearer: str = bearer_token_provider(ImdsCredential(), "https://vault.azure.net")()
    print(reveal, info, bearer)
"""
WRONG = "\n\nneeds_old(AsyncImdsCredential())\n"

CHECKERS = {
    "mypy": ["mypy", "--config-file=", "--no-incremental"],
    "mypy strict": ["mypy", "--config-file=", "--no-incremental", "--strict"],
    "pyright": ["pyright", "--pythonpath", sys.executable],
}


def check(name: str, program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "program.py").write_text(program)
    command = [sys.executable, "-m", *CHECKERS[name], "program.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=250)


@pytest.mark.parametrize("name", CHECKERS)
def test_a_credential_is_one_of_azure_core(name: str, tmp_path: Path) -> None:
    done = check(name, PROGRAM, tmp_path)
    assert done.returncode == 0, done.stdout


def test_a_credential_of_the_other_kind_is_not(tmp_path: Path) -> None:
    done = check("mypy", PROGRAM + WRONG, tmp_path)
    assert done.returncode == 1
    assert 'Argument 1 to "needs_old" has incompatible type "AsyncImdsCredential"' in done.stdout
