"""OpenAI's own client with our tokens: through a token provider, and through `ImdsAuth` in its httpx2 client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from integration import parts

from azure_imds import AsyncImdsCredential, ImdsAuth, ImdsCredential, bearer_token_provider
from azure_imds_emulator import Emulator
from support import Wire, raw_server, reply

openai = parts.module("openai")
httpx2 = parts.module("httpx2")

pytestmark = pytest.mark.integration

SCOPE = "https://ai.azure.com/.default"
COMPLETION = json.dumps(
    {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    }
)
QUESTION: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def service() -> Iterator[tuple[str, Wire]]:
    wire = Wire(reply(200, COMPLETION, "Content-Type: application/json", "Connection: close"))
    with raw_server(wire) as url:
        yield url, wire


def check(emulator: Emulator, wire: Wire, replies: list[Any]) -> None:
    """Checks that both requests carried the only token that was requested."""
    assert [one.choices[0].message.content for one in replies] == ["hello", "hello"]
    assert [request.query["resource"] for request in emulator.requests] == ["https://ai.azure.com"]
    first, second = (wire.header("authorization", index) for index in (0, 1))
    assert first == second
    assert first is not None
    assert first.startswith("Bearer eyJ")


def test_a_token_provider(emulator: Emulator, service: tuple[str, Wire]) -> None:
    url, wire = service
    provider = bearer_token_provider(ImdsCredential(), SCOPE)
    with openai.AzureOpenAI(azure_endpoint=url, azure_ad_token_provider=provider, api_version="2024-10-21") as client:
        check(emulator, wire, [client.chat.completions.create(**QUESTION) for _ in range(2)])


def test_an_asynchronous_token_provider(emulator: Emulator, service: tuple[str, Wire]) -> None:
    url, wire = service

    async def ask() -> list[Any]:
        provider = bearer_token_provider(AsyncImdsCredential(), SCOPE)
        options = {"azure_endpoint": url, "azure_ad_token_provider": provider, "api_version": "2024-10-21"}
        async with openai.AsyncAzureOpenAI(**options) as client:
            return [await client.chat.completions.create(**QUESTION) for _ in range(2)]

    check(emulator, wire, asyncio.run(ask()))


def test_a_token_provider_as_the_api_key(emulator: Emulator, service: tuple[str, Wire]) -> None:
    url, wire = service
    with openai.OpenAI(base_url=f"{url}/openai/v1/", api_key=bearer_token_provider(ImdsCredential(), SCOPE)) as client:
        check(emulator, wire, [client.chat.completions.create(**QUESTION) for _ in range(2)])


def test_an_asynchronous_token_provider_as_the_api_key(emulator: Emulator, service: tuple[str, Wire]) -> None:
    url, wire = service

    async def ask() -> list[Any]:
        provider = bearer_token_provider(AsyncImdsCredential(), SCOPE)
        async with openai.AsyncOpenAI(base_url=f"{url}/openai/v1/", api_key=provider) as client:
            return [await client.chat.completions.create(**QUESTION) for _ in range(2)]

    check(emulator, wire, asyncio.run(ask()))


def test_an_auth_in_its_http_client(emulator: Emulator, service: tuple[str, Wire]) -> None:
    url, wire = service
    http = openai.DefaultHttpx2Client(auth=ImdsAuth(SCOPE))
    with openai.OpenAI(base_url=f"{url}/openai/v1/", api_key="unused", http_client=http) as client:
        check(emulator, wire, [client.chat.completions.create(**QUESTION) for _ in range(2)])
