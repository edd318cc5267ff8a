"""azure-identity's chains with our credential as the first one, on Azure and elsewhere."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from integration import parts
from integration.token_users import AUDIENCE, SCOPE, compute_fingerprint, fetch_token

from azure_imds import AsyncImdsCredential, ImdsCredential, ImdsError
from azure_imds_emulator import Emulator

identity = parts.module("azure.identity")
aio = parts.module("azure.identity.aio")
exceptions = parts.module("azure.core.exceptions")

pytestmark = pytest.mark.integration


class Chain:
    """A chain of our credential and others of azure-identity."""

    def __init__(self, method: str) -> None:
        self.method = method

    def get_token(self, *names: str, **options: Any) -> Any:
        """Returns the token of a chain of our credential, with these options, and the named ones of azure-identity."""
        others = [getattr(identity, name)() for name in names]
        # Without retries, a machine outside Azure is detected quickly.
        with identity.ChainedTokenCredential(ImdsCredential(retry=None, **options), *others) as chain:
            return getattr(chain, self.method)(SCOPE)


class AsyncChain(Chain):
    """The same, awaited."""

    def get_token(self, *names: str, **options: Any) -> Any:
        return asyncio.run(self._get_token(*names, **options))

    async def _get_token(self, *names: str, **options: Any) -> Any:
        others = [getattr(aio, name)() for name in names]
        async with aio.ChainedTokenCredential(AsyncImdsCredential(retry=None, **options), *others) as chain:
            return await getattr(chain, self.method)(SCOPE)


@pytest.fixture(params=["get_token", "get_token_info"])
def method(request: pytest.FixtureRequest) -> str:
    value: str = request.param
    return value


@pytest.fixture(params=[Chain, AsyncChain], ids=["sync", "async"])
def chain(request: pytest.FixtureRequest, method: str) -> Chain:
    value: Chain = request.param(method)
    return value


@pytest.fixture(autouse=True)
def no_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits DefaultAzureCredential to the environment and managed identity, without the developer tools."""
    for name in list(os.environ):
        if name.startswith("AZURE_") and name != "AZURE_POD_IDENTITY_AUTHORITY_HOST":
            monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "prod")


@pytest.fixture
def closed_endpoint() -> Iterator[str]:
    """The URL of a loopback port that refuses connections."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def count_our_requests(emulator: Emulator) -> int:
    return sum("azure-imds" in request.headers.get("User-Agent", "") for request in emulator.requests)


def test_on_azure_the_chain_uses_our_credential(chain: Chain, emulator: Emulator) -> None:
    token = chain.get_token("EnvironmentCredential", "DefaultAzureCredential")
    assert compute_fingerprint(token.token) == compute_fingerprint(fetch_token(emulator.endpoint))
    assert [request.query["resource"] for request in emulator.requests] == [AUDIENCE] * 2  # one is fetch_token's


def test_if_nothing_listens_the_chain_continues(chain: Chain, emulator: Emulator, closed_endpoint: str) -> None:
    token = chain.get_token("EnvironmentCredential", "DefaultAzureCredential", endpoint=closed_endpoint)
    assert count_our_requests(emulator) == 0
    assert compute_fingerprint(token.token) == compute_fingerprint(fetch_token(emulator.endpoint))


def test_if_imds_is_disabled_the_chain_continues(
    chain: Chain, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_IMDS_DISABLED", "1")
    token = chain.get_token("DefaultAzureCredential")
    assert count_our_requests(emulator) == 0
    monkeypatch.delenv("AZURE_IMDS_DISABLED")
    assert compute_fingerprint(token.token) == compute_fingerprint(fetch_token(emulator.endpoint))


def test_if_a_proxy_responds_instead_of_imds_the_chain_continues(chain: Chain, emulator: Emulator) -> None:
    with Emulator() as desktop:
        desktop.fail(preset="docker-desktop")
        token = chain.get_token("ManagedIdentityCredential", endpoint=desktop.endpoint)
    assert compute_fingerprint(token.token) == compute_fingerprint(fetch_token(emulator.endpoint))


def test_if_the_machine_does_not_have_the_identity_the_chain_continues(chain: Chain, emulator: Emulator) -> None:
    token = chain.get_token("ManagedIdentityCredential", client_id="00000000-0000-0000-0000-00000000dead")
    assert count_our_requests(emulator) == 1
    assert compute_fingerprint(token.token) == compute_fingerprint(fetch_token(emulator.endpoint))


def test_if_imds_fails_the_chain_stops(chain: Chain, emulator: Emulator) -> None:
    emulator.fail(500)
    with pytest.raises(exceptions.ClientAuthenticationError, match=r"ImdsCredential: .*500") as caught:
        chain.get_token("ManagedIdentityCredential")
    assert len(emulator.requests) == 1
    assert "ManagedIdentityCredential" not in str(caught.value)


def test_if_every_credential_fails_the_error_contains_our_message(chain: Chain, closed_endpoint: str) -> None:
    with pytest.raises(exceptions.ClientAuthenticationError, match="ImdsCredential: ") as caught:
        chain.get_token("EnvironmentCredential", endpoint=closed_endpoint)
    assert closed_endpoint in str(caught.value)


def test_outside_a_chain_the_error_belongs_to_both_hierarchies(closed_endpoint: str) -> None:
    with pytest.raises(ImdsError) as caught, ImdsCredential(endpoint=closed_endpoint, retry=None) as credential:
        credential.get_token(SCOPE)
    assert isinstance(caught.value, identity.CredentialUnavailableError)
