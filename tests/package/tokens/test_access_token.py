"""`AccessToken` is used like azure-core's named tuple, and hides the token."""

from __future__ import annotations

import json
import pprint
from datetime import UTC, datetime

import pytest
from azure.core.credentials import AccessToken as AzureAccessToken
from rich.pretty import pretty_repr

from azure_imds import AccessToken
from support import CANARY, Colour
from token_support import Imds, holding

EXPIRES_ON = 1893456000
TOKEN = AccessToken(CANARY, EXPIRES_ON, refresh_on=1893452400)
PAIR = AzureAccessToken(CANARY, EXPIRES_ON)


def test_it_unpacks_like_azure_core_s_pair(colour: Colour) -> None:
    with holding(colour, transport=Imds()) as credential:
        token = credential.get_token()
        text, expires_on = token
        assert (text, expires_on) == (token.token, token.expires_on)


def test_it_indexes_like_azure_core_s_pair() -> None:
    for index in (0, 1, -1, -2, slice(None), slice(0, 1), slice(None, None, -1)):
        assert TOKEN[index] == PAIR[index]
    for index in (2, -3):
        with pytest.raises(IndexError):
            TOKEN[index]
    assert (len(TOKEN), [*TOKEN], [*reversed(TOKEN)]) == (len(PAIR), [*PAIR], [*reversed(PAIR)])
    assert tuple(TOKEN) == PAIR
    assert CANARY in TOKEN
    assert bool(TOKEN)


def test_expires_at_is_the_same_moment_with_a_time_zone() -> None:
    assert TOKEN.expires_at == datetime(2030, 1, 1, tzinfo=UTC)
    assert TOKEN.expires_at.utcoffset() is not None


def test_nothing_that_writes_tuples_shows_it() -> None:
    shown = [pprint.pformat([TOKEN]), pretty_repr(TOKEN), f"{TOKEN}", "%s" % TOKEN, repr({"token": TOKEN})]  # noqa: UP031
    assert CANARY not in "".join(shown)
    with pytest.raises(TypeError):
        json.dumps(TOKEN)
