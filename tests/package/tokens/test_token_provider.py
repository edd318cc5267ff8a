"""`bearer_token_provider` makes a function that returns the text of a token."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import warnings
from typing import Any

import pytest

from azure_imds import (
    AsyncImdsCredential,
    IdentityNotFoundError,
    ImdsCredential,
    ImdsValidationError,
    bearer_token_provider,
)
from azure_imds_emulator import Emulator
from support import CANARY, Colour, answer, collect_texts, python
from token_support import DAY, SCOPE, Clocks, Imds, holding

RESOURCE = "https://vault.azure.net"


def test_it_returns_the_token_that_the_credential_has_stored(colour: Colour) -> None:
    clock = Clocks()
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as held:
        provider = bearer_token_provider(held.credential, SCOPE)
        assert not imds.requests
        assert [held.call(provider) for _ in range(3)] == [f"{CANARY}-1"] * 3
        assert held.get_token().token == f"{CANARY}-1"
        assert imds.query()["resource"] == RESOURCE
        clock.advance(DAY)
        assert held.call(provider) == f"{CANARY}-2"


def test_it_is_a_coroutine_function_for_an_asynchronous_credential() -> None:
    assert not inspect.iscoroutinefunction(bearer_token_provider(ImdsCredential(), SCOPE))
    provider = bearer_token_provider(AsyncImdsCredential(), SCOPE)
    assert inspect.iscoroutinefunction(provider)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # since Python 3.14
        assert asyncio.iscoroutinefunction(provider)


def test_errors_are_those_of_get_token(colour: Colour) -> None:
    imds = Imds()
    imds.failure = answer(400, {"error": "invalid_request", "error_description": "Identity not found"})
    with holding(colour, transport=imds) as held:
        provider = bearer_token_provider(held.credential, SCOPE)
        with pytest.raises(IdentityNotFoundError):
            held.call(provider)


@pytest.mark.parametrize("scope", ["", " ", "/.default", "a b", None, 5, ["https://x"]], ids=repr)
def test_a_malformed_scope_is_rejected_at_once(scope: Any) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        bearer_token_provider(ImdsCredential(), scope)
    assert caught.value.parameter == "scope"
    assert str(caught.value).startswith("bearer_token_provider: scope must ")


@pytest.mark.parametrize("credential", [None, "a token", ImdsCredential], ids=repr)
def test_another_credential_is_rejected_at_once(credential: Any) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        bearer_token_provider(credential, SCOPE)
    assert caught.value.parameter == "credential"
    assert "must be an ImdsCredential or an AsyncImdsCredential" in str(caught.value)


def test_it_can_be_pickled_and_neither_pickle_nor_repr_has_the_token(colour: Colour, imds_emulator: Emulator) -> None:
    with holding(colour) as held:
        provider = bearer_token_provider(held.credential, SCOPE)
        text = held.call(provider)
        data = pickle.dumps(provider)
        assert text.encode() not in data
        assert text not in repr(provider)
        assert held.call(pickle.loads(data))
    assert imds_emulator.requests.total == 2


def test_an_error_shows_no_earlier_token(colour: Colour) -> None:
    clock = Clocks()
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as held:
        provider = bearer_token_provider(held.credential, SCOPE)
        held.call(provider)
        clock.advance(DAY)
        imds.failure = answer(400, {"error": "x"})
        with pytest.raises(Exception) as caught:  # noqa: PT011
            held.call(provider)
    assert CANARY not in collect_texts(caught.value)


def test_a_synchronous_program_does_not_import_the_other_credential(imds_emulator: Emulator) -> None:
    code = """if True:
        import sys
        import httpx
        of_httpx = set(sys.modules)  # older ones import anyio
        from azure_imds import ImdsCredential, bearer_token_provider
        assert bearer_token_provider(ImdsCredential(), "https://vault.azure.net")()
        assert "azure_imds._tokens.async_credential" not in sys.modules
        assert "anyio" not in sys.modules.keys() - of_httpx
    """
    done = python(code)
    assert done.returncode == 0, done.stderr
