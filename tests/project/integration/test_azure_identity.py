"""azure-identity's chains with our credential in front, on Azure and elsewhere."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from integration import parts
from integration.errands import AUDIENCE, SCOPE, fingerprint, token_of

from azure_imds import AsyncImdsCredential, ImdsCredential, ImdsError
from azure_imds_emulator import Emulator

identity = parts.module("azure.identity")
aio = parts.module("azure.identity.aio")
exceptions = parts.module("azure.core.exceptions")

pytestmark = pytest.mark.integration


class Chain:
    """azure-identity's chain of our credential and what shall stand behind it."""

    def __init__(self, method: str) -> None:
        self.method = method

    def ask(self, *behind: str, **options: Any) -> Any:
        """The token of a chain in which these of azure-identity's credentials come after ours."""
        others = [getattr(identity, name)() for name in behind]
        # Not on Azure, one attempt is enough to know it.
        with identity.ChainedTokenCredential(ImdsCredential(retry=None, **options), *others) as chain:
            return getattr(chain, self.method)(SCOPE)


class AsyncChain(Chain):
    """The same, awaited."""

    def ask(self, *behind: str, **options: Any) -> Any:
        return asyncio.run(self._ask(*behind, **options))

    async def _ask(self, *behind: str, **options: Any) -> Any:
        others = [getattr(aio, name)() for name in behind]
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
    """DefaultAzureCredential without the tools of whoever runs this: the environment and the machine's identity."""
    for name in list(os.environ):
        if name.startswith("AZURE_") and name != "AZURE_POD_IDENTITY_AUTHORITY_HOST":
            monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "prod")


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address of this machine that refuses connections."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def our_requests(emulator: Emulator) -> int:
    return sum("azure-imds" in request.headers.get("User-Agent", "") for request in emulator.requests)


def test_on_azure_the_chain_ends_with_us(chain: Chain, emulator: Emulator) -> None:
    token = chain.ask("EnvironmentCredential", "DefaultAzureCredential")
    assert fingerprint(token.token) == fingerprint(token_of(emulator.endpoint))
    assert [request.query["resource"] for request in emulator.requests] == [AUDIENCE] * 2  # the second by token_of


def test_where_nothing_listens_the_chain_goes_on(chain: Chain, emulator: Emulator, nobody: str) -> None:
    token = chain.ask("EnvironmentCredential", "DefaultAzureCredential", endpoint=nobody)
    assert our_requests(emulator) == 0
    assert fingerprint(token.token) == fingerprint(token_of(emulator.endpoint))


def test_where_imds_is_disabled_the_chain_goes_on(
    chain: Chain, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_IMDS_DISABLED", "1")
    token = chain.ask("DefaultAzureCredential")
    assert our_requests(emulator) == 0
    monkeypatch.delenv("AZURE_IMDS_DISABLED")
    assert fingerprint(token.token) == fingerprint(token_of(emulator.endpoint))


def test_where_a_proxy_answers_for_imds_the_chain_goes_on(chain: Chain, emulator: Emulator) -> None:
    with Emulator() as desktop:
        desktop.fail(preset="docker-desktop")
        token = chain.ask("ManagedIdentityCredential", endpoint=desktop.endpoint)
    assert fingerprint(token.token) == fingerprint(token_of(emulator.endpoint))


def test_where_the_machine_has_not_this_identity_the_chain_goes_on(chain: Chain, emulator: Emulator) -> None:
    token = chain.ask("ManagedIdentityCredential", client_id="00000000-0000-0000-0000-00000000dead")
    assert our_requests(emulator) == 1
    assert fingerprint(token.token) == fingerprint(token_of(emulator.endpoint))


def test_where_imds_fails_the_chain_ends(chain: Chain, emulator: Emulator) -> None:
    emulator.fail(500)
    with pytest.raises(exceptions.ClientAuthenticationError, match=r"ImdsCredential: .*500") as caught:
        chain.ask("ManagedIdentityCredential")
    assert len(emulator.requests) == 1
    assert "ManagedIdentityCredential" not in str(caught.value)


def test_where_nobody_can_help_the_chain_says_what_we_said(chain: Chain, nobody: str) -> None:
    with pytest.raises(exceptions.ClientAuthenticationError, match="ImdsCredential: ") as caught:
        chain.ask("EnvironmentCredential", endpoint=nobody)
    assert nobody in str(caught.value)


def test_outside_a_chain_the_error_is_ours_and_theirs(nobody: str) -> None:
    with pytest.raises(ImdsError) as caught, ImdsCredential(endpoint=nobody, retry=None) as credential:
        credential.get_token(SCOPE)
    assert isinstance(caught.value, identity.CredentialUnavailableError)
