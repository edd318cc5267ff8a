"""examples/protected_api.py with tokens of the emulator. Everything is on loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from azure_imds import ImdsCredential
from azure_imds_emulator import Clock, Emulator, ManagedIdentity
from examples_support import Served, serve

pytestmark = pytest.mark.integration

AUDIENCE = "api://orders"


def give_roles(emulator: Emulator, *roles: str) -> None:
    """Gives the machine's identity these roles."""
    own = emulator.machine.system_assigned
    assert own is not None
    emulator.machine.system_assigned = ManagedIdentity(own.client_id, own.object_id, claims={"roles": list(roles)})


@pytest.fixture(scope="module")
def issuer() -> Iterator[Emulator]:
    """The issuer that the API trusts. Its port is reserved for the whole module."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def api(issuer: Emulator) -> Iterator[Served]:
    # A variable must not send the request for keys to a proxy.
    with serve("protected_api.py", "--issuer", issuer.issuer, "--audience", AUDIENCE, NO_PROXY="*") as served:
        yield served


@pytest.fixture
def imds(issuer: Emulator) -> Iterator[Emulator]:
    """The issuer as a new IMDS, with the identity that may read orders."""
    issuer.reset()
    give_roles(issuer, "Orders.Read")
    yield issuer
    issuer.reset()


def get_token(emulator: Emulator, scope: str = f"{AUDIENCE}/.default") -> str:
    with ImdsCredential(endpoint=emulator.endpoint) as credential:
        return credential.get_token(scope).token


def ask(api: Served, token: str | None) -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{api.url}/orders", headers=headers, timeout=30, trust_env=False)


def describe_refusal(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.headers["WWW-Authenticate"].rpartition('error_description="')[2].rstrip('"')


def test_a_token_with_the_role_is_accepted(api: Served, imds: Emulator) -> None:
    own = imds.machine.system_assigned
    assert own is not None
    response = ask(api, get_token(imds))
    assert (response.status_code, response.json()) == (200, {"orders": [], "caller": own.object_id})


def test_a_request_without_a_token_is_refused(api: Served) -> None:
    response = ask(api, None)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_token_without_the_role_is_forbidden(api: Served, imds: Emulator) -> None:
    give_roles(imds, "Orders.Write")
    response = ask(api, get_token(imds))
    assert (response.status_code, response.json()) == (403, {"detail": "the caller needs the role Orders.Read"})


def test_a_token_for_another_api_is_refused(api: Served, imds: Emulator) -> None:
    token = get_token(imds, "api://another/.default")
    assert describe_refusal(ask(api, token)) == (401, "InvalidAudienceError")


def test_an_expired_token_is_refused(api: Served, imds: Emulator) -> None:
    with Emulator(clock=Clock(time.time() - 2 * 86400), issuer=imds.issuer) as past:
        give_roles(past, "Orders.Read")
        query = {"api-version": "2018-02-01", "resource": AUDIENCE}
        response = httpx.get(
            f"{past.endpoint}/metadata/identity/oauth2/token",
            params=query,
            headers={"Metadata": "true"},
            trust_env=False,
        )
    assert describe_refusal(ask(api, response.json()["access_token"])) == (401, "ExpiredSignatureError")


def test_a_token_of_another_issuer_is_refused(api: Served, imds: Emulator) -> None:
    with Emulator() as other:
        give_roles(other, "Orders.Read")
        assert describe_refusal(ask(api, get_token(other))) == (401, "InvalidIssuerError")


def forge(token: str, key: Any, algorithm: str, **header: Any) -> str:
    """Returns a token with the claims of another one, signed with another key."""
    claims = jwt.decode(token, options={"verify_signature": False})
    headers = {"kid": jwt.get_unverified_header(token)["kid"], **header}
    forged: str = jwt.encode(claims, key, algorithm, headers=headers)
    return forged


def test_forged_tokens_are_refused(api: Served, imds: Emulator) -> None:
    token = get_token(imds)
    key = rsa.generate_private_key(65537, 2048)
    assert describe_refusal(ask(api, forge(token, key, "RS256"))) == (401, "InvalidSignatureError")
    assert describe_refusal(ask(api, forge(token, None, "none"))) == (401, "InvalidAlgorithmError")
    assert describe_refusal(ask(api, forge(token, b"k" * 64, "HS256"))) == (401, "InvalidAlgorithmError")
    assert describe_refusal(ask(api, forge(token, key, "RS256", kid="unknown"))) == (401, "PyJWKClientError")
    for text in ("x", "a.b.c", token[:-10], f"{token}.x"):
        assert ask(api, text).status_code == 401


def test_the_api_starts_while_its_issuer_is_down() -> None:
    with Emulator() as emulator:
        give_roles(emulator, "Orders.Read")
        token, issuer = get_token(emulator), emulator.issuer
        control_port = int(emulator.control_url.rpartition(":")[2])
    with serve("protected_api.py", "--issuer", issuer, "--audience", AUDIENCE, NO_PROXY="*") as api:
        response = ask(api, token)
        assert (response.status_code, response.json()) == (
            503,
            {"detail": "the discovery document of the issuer cannot be read"},
        )
        with Emulator(control_port=control_port):
            assert ask(api, token).status_code == 200


def test_no_token_is_in_the_log(issuer: Emulator) -> None:
    with serve("protected_api.py", "--issuer", issuer.issuer, "--audience", AUDIENCE, NO_PROXY="*") as api:
        give_roles(issuer)
        token = get_token(issuer)
        ask(api, token)
        ask(api, token[:-10])
        assert api.end() != 1
        assert "/orders" in api.log
        assert token.split(".")[1] not in api.log
