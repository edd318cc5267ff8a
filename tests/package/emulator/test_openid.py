"""Tokens that an API can check: the issuer, its discovery document and keys, and more claims per identity."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from azure_imds_emulator import ConfigError, Emulator, ManagedIdentity
from azure_imds_emulator.cli import main, make_parser, read_settings
from azure_imds_emulator.config import from_environment, parse
from emulator_support import make_client, make_client_for

jwt = pytest.importorskip("jwt")

TENANT = "00000000-0000-0000-0000-000000000002"
AUDIENCE = "api://orders"


def get_token(http: httpx.Client, resource: str = AUDIENCE, **query: str) -> str:
    query |= {"api-version": "2018-02-01", "resource": resource}
    token: str = http.get("/identity/oauth2/token", params=query).json()["access_token"]
    return token


def read_claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


# The issuer


def test_an_api_finds_the_keys_through_the_issuer_and_verifies_the_token(
    emulator: Emulator, control: httpx.Client, http: httpx.Client
) -> None:
    token = get_token(http)
    issuer = read_claims(token)["iss"]
    assert issuer == emulator.issuer == f"{emulator.control_url}/{TENANT}/"
    document = control.get(f"{issuer}.well-known/openid-configuration").json()
    assert document["issuer"] == issuer
    assert document["jwks_uri"] == emulator.jwks_url
    key = jwt.PyJWKClient(document["jwks_uri"]).get_signing_key_from_jwt(token)
    algorithms = document["id_token_signing_alg_values_supported"]
    assert jwt.decode(token, key, algorithms=algorithms, audience=AUDIENCE, issuer=issuer)["tid"] == TENANT


def test_the_issuer_is_on_loopback(emulator: Emulator) -> None:
    assert urlsplit(emulator.issuer).hostname == "127.0.0.1"


def test_the_document_is_also_at_the_root(control: httpx.Client) -> None:
    document = control.get("/.well-known/openid-configuration").json()
    assert document == control.get(f"/{TENANT}/.well-known/openid-configuration").json()
    assert document["id_token_signing_alg_values_supported"] == ["RS256"]


def test_another_tenant_has_no_document(control: httpx.Client) -> None:
    response = control.get("/11111111-1111-1111-1111-111111111111/.well-known/openid-configuration")
    assert (response.status_code, response.json()["error"]) == (
        404,
        f"tenant 11111111-1111-1111-1111-111111111111 does not exist: the tenant of the machine is {TENANT}",
    )


def test_the_issuer_follows_the_tenant(emulator: Emulator, control: httpx.Client, http: httpx.Client) -> None:
    first = get_token(http)
    emulator.machine.tenant_id = "11111111-1111-1111-1111-111111111111"
    claims = read_claims(get_token(http))
    assert read_claims(first)["iss"] != claims["iss"] == emulator.issuer
    assert control.get("/.well-known/openid-configuration").json()["issuer"] == claims["iss"]


@pytest.mark.parametrize(
    ("setting", "issuer"),
    [
        ("https://sts.example/{tenant}/", f"https://sts.example/{TENANT}/"),
        ("http://imds:8170/{tenant}/v2.0", f"http://imds:8170/{TENANT}/v2.0"),
        ("http://127.0.0.1:8170", "http://127.0.0.1:8170"),
        ("azure", f"https://sts.windows.net/{TENANT}/"),
    ],
)
def test_the_issuer_can_be_set(setting: str, issuer: str) -> None:
    with Emulator(issuer=setting) as emulator, make_client_for(emulator) as http:
        assert read_claims(get_token(http))["iss"] == emulator.issuer == issuer
        document = httpx.get(f"{emulator.control_url}/.well-known/openid-configuration", trust_env=False).json()
        assert document["issuer"] == issuer
        assert document["jwks_uri"] == emulator.jwks_url, "the keys are at the address that the client used"


def test_the_keys_are_at_the_address_that_the_client_used(control: httpx.Client) -> None:
    document = control.get("/.well-known/openid-configuration", headers={"Host": "imds:8170"}).json()
    assert document["jwks_uri"] == "http://imds:8170/discovery/keys"
    assert control.get("/.well-known/openid-configuration", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize(
    "resource",
    ["https://storage.azure.com", "https://storage.azure.com/", "https://account.blob.core.windows.net"],
)
def test_tokens_for_storage_have_the_issuer_that_azurite_accepts(http: httpx.Client, resource: str) -> None:
    assert read_claims(get_token(http, resource))["iss"] == f"https://sts.windows.net/{TENANT}/"


@pytest.mark.parametrize("resource", ["https://storage.azure.com.example", "https://x.example/storage.azure.com"])
def test_only_tokens_for_storage_have_it(emulator: Emulator, http: httpx.Client, resource: str) -> None:
    assert read_claims(get_token(http, resource))["iss"] == emulator.issuer


def test_a_set_issuer_is_also_that_of_tokens_for_storage() -> None:
    with Emulator(issuer="https://sts.example/") as emulator, make_client_for(emulator) as http:
        assert read_claims(get_token(http, "https://storage.azure.com"))["iss"] == "https://sts.example/"


def test_a_restarted_emulator_issues_tokens_with_its_new_address() -> None:
    emulator = Emulator()
    for _ in range(2):
        with emulator, make_client_for(emulator) as http:
            assert read_claims(get_token(http))["iss"] == emulator.issuer


def test_an_issuer_that_does_not_run_is_not_known() -> None:
    with pytest.raises(RuntimeError, match="is not running"):
        _ = Emulator().issuer


@pytest.mark.parametrize("setting", ["sts.example", "ftp://sts.example/", "https://", "https://x.example/?a=b", ""])
def test_a_wrong_issuer_is_refused(setting: str) -> None:
    with pytest.raises(
        ValueError, match=r"issuer must be azure or a URL, for example http://127\.0\.0\.1:8170/\{tenant\}/"
    ):
        Emulator(issuer=setting)


def test_a_file_a_variable_and_an_option_set_the_issuer(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse("issuer: azure", "c").issuer == "azure"
    with pytest.raises(ConfigError, match="c:1: issuer must be azure or a URL"):
        parse("issuer: here", "c")
    assert from_environment({"AZURE_IMDS_EMULATOR_ISSUER": "azure"}).issuer == "azure"
    assert read_settings(make_parser().parse_args(["--issuer", "http://imds:1/"]), {}).issuer == "http://imds:1/"
    assert main(["--issuer", "here"]) == 2
    assert "Invalid value for '--issuer': must be azure or a URL" in capsys.readouterr().err


# Claims


def test_an_identity_can_have_more_claims(emulator: Emulator, http: httpx.Client) -> None:
    emulator.machine.add_user_assigned("id-plain")
    claims = {"roles": ["Orders.Read"], "groups": ["g"], "appidacr": "1", "deep": {"a": [1, None]}}
    identity = emulator.machine.add_user_assigned("id-web", claims=claims)
    found = read_claims(get_token(http, client_id=identity.client_id))
    assert {name: found[name] for name in claims} == claims
    other = read_claims(get_token(http, client_id=emulator.machine.user_assigned[0].client_id))
    assert (other.get("roles"), other["appidacr"]) == (None, "2")


def test_changed_claims_are_in_the_next_token(emulator: Emulator, http: httpx.Client) -> None:
    own = emulator.machine.system_assigned
    assert own is not None
    assert "roles" not in read_claims(get_token(http))
    emulator.machine.system_assigned = ManagedIdentity(own.client_id, own.object_id, claims={"roles": ["Orders.Read"]})
    assert read_claims(get_token(http))["roles"] == ["Orders.Read"]


def test_a_file_and_a_request_set_claims(http: httpx.Client, control: httpx.Client) -> None:
    text = "machine:\n  system_assigned: {claims: {roles: [A]}}\n  user_assigned: [{name: b, claims: {groups: [B]}}]"
    machine = parse(text, "c").machine
    assert machine.system_assigned is not None
    assert [identity.claims for identity in machine.identities] == [{"roles": ["A"]}, {"groups": ["B"]}]
    change = {"system_assigned": {"claims": {"roles": ["Orders.Write"]}}}
    shown = control.patch("/api/machine", json=change).json()
    assert shown["system_assigned"]["claims"] == {"roles": ["Orders.Write"]}
    assert read_claims(get_token(http))["roles"] == ["Orders.Write"]
    assert control.put("/api/machine", json=shown).json() == shown


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": 1}, "claims cannot contain 'exp': token_lifetime determines it"),
        ({"aud": "x"}, "claims cannot contain 'aud': the resource of the request determines it"),
        ({"iss": "x"}, "claims cannot contain 'iss': issuer determines it"),
        ({"oid": "x"}, "claims cannot contain 'oid': object_id determines it"),
        (["roles"], "claims must be a mapping of names to values, for example {'roles': ['Orders.Read']}"),
        ({1: 2}, "claims must be a mapping of names to values"),
        ({"a": float("nan")}, "claims must be JSON"),
        ({"a": {1, 2}}, "claims must be JSON"),
    ],
    ids=str,
)
def test_claims_that_follow_from_something_else_are_refused(emulator: Emulator, claims: Any, reason: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        emulator.machine.add_user_assigned("id-web", claims=claims)
    assert str(caught.value).startswith(reason)
    assert emulator.machine.user_assigned == []


def test_wrong_claims_in_a_file_are_reported_with_their_line() -> None:
    with pytest.raises(ConfigError, match="c:3: claims cannot contain 'exp'"):
        parse("machine:\n  system_assigned:\n    claims: {exp: 1}\n", "c")


def test_the_control_server_needs_no_metadata_header() -> None:
    with Emulator() as emulator, make_client(base_url=emulator.issuer) as client:
        assert client.get(".well-known/openid-configuration").status_code == 200
