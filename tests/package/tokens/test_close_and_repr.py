"""A closed credential, and the text by which libraries such as fsspec recognize a credential.

fsspec keeps one file system for all credentials with the same text, also after the program has closed the first one.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from azure_imds import AsyncImdsClient, AsyncImdsCredential, ImdsClient, ImdsCredential, ImdsError
from azure_imds_emulator import Emulator
from support import CLIENT_ID, Colour, Wire, ok, raw_server, reply
from token_support import SCOPE, Imds, holding


def kind_of(colour: Colour) -> Any:
    return ImdsCredential if colour.name == "sync" else AsyncImdsCredential


def test_a_closed_credential_can_be_used(colour: Colour, imds_emulator: Emulator) -> None:
    with holding(colour) as credential:
        first = credential.get_token()
        credential.call(credential.credential.close)
        assert credential.get_token() is first
        assert credential.get_token(force_refresh=True).token
        credential.call(credential.credential.close)
        credential.clear()
        assert credential.get_token().token
    assert imds_emulator.requests.total == 3


def test_a_credential_that_was_closed_before_its_first_use_can_be_used(colour: Colour, imds_emulator: Emulator) -> None:
    with holding(colour) as credential:
        credential.call(credential.credential.close)
        assert credential.get_token().token


def test_a_closed_credential_keeps_no_connection() -> None:
    wire = Wire(reply(200, ok().content))
    with raw_server(wire) as url, ImdsCredential(endpoint=url) as credential:
        credential.get_token(SCOPE)
        credential.get_token(SCOPE, force_refresh=True)
        assert wire.connections == 1
        credential.close()
        for _ in range(2):
            credential.get_token(SCOPE, force_refresh=True)
        assert wire.connections == 3
        assert not credential._connections._own._idle


def test_with_a_transport_of_the_caller_a_closed_credential_has_only_its_stored_tokens(colour: Colour) -> None:
    with holding(colour, transport=Imds()) as credential:
        first = credential.get_token()
        credential.call(credential.credential.close)
        assert credential.get_token() is first
        assert isinstance(credential.error(force_refresh=True), ImdsError)


def test_closing_a_credential_does_not_close_a_given_client(colour: Colour, imds_emulator: Emulator) -> None:
    client: Any = (ImdsClient if colour.name == "sync" else AsyncImdsClient)()
    with holding(colour, client=client) as credential:
        credential.call(credential.credential.close)
        assert credential.get_token().token
        credential.call(client.close)
        assert "this client is closed" in str(credential.error(force_refresh=True))


@pytest.mark.parametrize(
    "options",
    [{}, {"client_id": CLIENT_ID}, {"endpoint": "http://127.0.0.1:1"}, {"deadline": 5, "retry": None}],
    ids=str,
)
def test_credentials_that_can_stand_for_each_other_have_the_same_text(colour: Colour, options: Any) -> None:
    # Dask unpickles one for each task. With different texts, fsspec would keep a file system for each.
    kind = kind_of(colour)
    one = kind(**options)
    others: list[Any] = [kind(**options), copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))]
    assert {str(other) for other in others} == {str(one)}


SELECTIONS: dict[str, dict[str, str]] = {
    "default": {},
    "client_id": {"client_id": CLIENT_ID},
    "object_id": {"object_id": CLIENT_ID},
    "another": {"client_id": CLIENT_ID.replace("3", "4")},
    "endpoint": {"endpoint": "http://127.0.0.1:1"},
}


def test_credentials_for_different_identities_have_different_texts(colour: Colour) -> None:
    assert len({str(kind_of(colour)(**options)) for options in SELECTIONS.values()}) == len(SELECTIONS)
    assert str(ImdsCredential()) != str(AsyncImdsCredential())


@pytest.mark.parametrize("name", ["client", "transport", "http_client"])
def test_credentials_with_connections_of_the_caller_have_different_texts(colour: Colour, name: str) -> None:
    # The caller can close them, and they can lead to different machines.
    makers: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "client": (ImdsClient, AsyncImdsClient),
        "transport": (Imds, Imds),
        "http_client": (httpx.Client, httpx.AsyncClient),
    }
    make = makers[name][colour.name != "sync"]
    given = [make(), make()]
    credentials = [kind_of(colour)(**{name: it}) for it in (*given, given[0])]
    first, second, third = map(str, credentials)
    assert first != second
    assert first == third
    assert f"{name}=<{type(given[0]).__name__} at 0x" in first
