"""`unittest.mock.create_autospec` knows the operations: their names, arguments, and which are awaited."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any
from unittest.mock import AsyncMock, create_autospec

import pytest

from azure_imds import AsyncImdsClient, ImdsClient
from azure_imds_api import api
from azure_imds_api.models import IdentityTokenResponse

CLIENTS = [pytest.param(ImdsClient, id="sync"), pytest.param(AsyncImdsClient, id="async")]
TAGS = [name for name, member in vars(api.Operations).items() if isinstance(member, api.tag_property)]
METHODS = [(tag, name) for tag in TAGS for name in vars(getattr(api.Operations, tag)) if not name.startswith("_")]


def test_a_mock_of_a_client_returns_its_return_value() -> None:
    imds = create_autospec(ImdsClient, instance=True)
    imds.identity.get_token.return_value = IdentityTokenResponse(access_token="t")
    assert imds.identity.get_token(resource="https://vault.azure.net").access_token == "t"
    imds.identity.get_token.assert_called_once_with(resource="https://vault.azure.net")


def test_a_mock_of_an_asynchronous_client_is_awaited() -> None:
    imds = create_autospec(AsyncImdsClient, instance=True)
    imds.identity.get_token.return_value = IdentityTokenResponse(access_token="t")

    async def call() -> Any:
        return await imds.identity.get_token(resource="https://vault.azure.net")

    answer = asyncio.run(call())
    assert answer.access_token == "t"
    imds.identity.get_token.assert_awaited_once_with(resource="https://vault.azure.net")


@pytest.mark.parametrize(("tag", "method"), METHODS)
def test_every_operation_has_its_signature(tag: str, method: str) -> None:
    operation = getattr(getattr(create_autospec(ImdsClient, instance=True), tag), method)
    assert inspect.signature(operation) == inspect.signature(getattr(getattr(ImdsClient(), tag), method))


@pytest.mark.parametrize(("tag", "method"), METHODS)
def test_every_asynchronous_operation_is_awaited(tag: str, method: str) -> None:
    operation = getattr(getattr(create_autospec(AsyncImdsClient, instance=True), tag), method)
    assert isinstance(operation, AsyncMock) or inspect.iscoroutinefunction(operation)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_typo_in_a_tag_fails(client: type[Any]) -> None:
    with pytest.raises(AttributeError, match="identty"):
        create_autospec(client, instance=True).identty  # noqa: B018


@pytest.mark.parametrize("client", CLIENTS)
def test_a_typo_in_a_method_fails(client: type[Any]) -> None:
    with pytest.raises(AttributeError, match="get_tokn"):
        create_autospec(client, instance=True).identity.get_tokn  # noqa: B018


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"resorce": "r"}, id="a-typo"),
        pytest.param({}, id="a-required-argument-is-missing"),
        pytest.param({"resource": "r", "scope": "s"}, id="an-unknown-argument"),
    ],
)
def test_wrong_arguments_fail(client: type[Any], arguments: dict[str, str]) -> None:
    with pytest.raises(TypeError):
        create_autospec(client, instance=True).identity.get_token(**arguments)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_mock_has_the_clients_own_methods(client: type[Any]) -> None:
    imds = create_autospec(client, instance=True)
    assert callable(imds.get)
    assert callable(imds.with_options)
