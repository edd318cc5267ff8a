"""Tokens: the selected identity, the claims, the lifetime and the cache."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from azure_imds_emulator import Clock, Emulator, Machine
from emulator_support import make_client_for

RESOURCE = "https://vault.azure.net"
QUERY = {"api-version": "2018-02-01", "resource": RESOURCE}
NOT_FOUND = b'{"error":"invalid_request","error_description":"Identity not found"}'


def decode_part(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def read_claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(decode_part(token.split(".")[1]))
    return found


def request_token(http: httpx.Client, **query: str) -> httpx.Response:
    return http.get("/identity/oauth2/token", params=QUERY | query)


def test_a_token_response_has_the_observed_members_as_strings_in_alphabetical_order(http: httpx.Client) -> None:
    body = request_token(http).json()
    assert list(body) == [
        "access_token",
        "client_id",
        "expires_in",
        "expires_on",
        "ext_expires_in",
        "not_before",
        "resource",
        "token_type",
    ]
    assert all(isinstance(value, str) for value in body.values())
    assert (body["token_type"], body["resource"], body["ext_expires_in"]) == ("Bearer", RESOURCE, "86399")
    assert int(body["expires_on"]) - int(body["not_before"]) == 86700


def test_the_token_is_a_jwt_with_the_claims_of_a_managed_identity(emulator: Emulator, http: httpx.Client) -> None:
    body = request_token(http).json()
    found = read_claims(body["access_token"])
    identity, tenant = emulator.machine.system_assigned, emulator.machine.tenant_id
    assert identity is not None
    assert found["aud"] == RESOURCE
    assert found["iss"] == found["idp"] == f"{emulator.control_url}/{tenant}/"
    assert (found["appid"], found["oid"], found["sub"], found["tid"]) == (
        identity.client_id,
        identity.object_id,
        identity.object_id,
        tenant,
    )
    assert (found["appidacr"], found["idtyp"], found["ver"]) == ("2", "app", "1.0")
    assert (str(found["exp"]), str(found["nbf"])) == (body["expires_on"], body["not_before"])
    assert found["xms_mirid"].endswith("/providers/Microsoft.Compute/virtualMachines/vm-example-0")
    assert "/resourcegroups/" in found["xms_mirid"]
    assert "xms_az_rid" not in found


def test_the_published_key_verifies_the_token(emulator: Emulator, control: httpx.Client, http: httpx.Client) -> None:
    text = request_token(http).json()["access_token"]
    head, body, signature = text.split(".")
    (key,) = control.get("/discovery/keys").json()["keys"]
    assert json.loads(decode_part(head)) == {"typ": "JWT", "alg": "RS256", "x5t": key["kid"], "kid": key["kid"]}
    numbers = rsa.RSAPublicNumbers(*(int.from_bytes(decode_part(key[part]), "big") for part in ("e", "n")))
    numbers.public_key().verify(decode_part(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
    assert emulator.jwks() == {"keys": [key]}


def test_a_user_assigned_token_contains_the_identity_and_the_machine(emulator: Emulator, http: httpx.Client) -> None:
    identity = emulator.machine.add_user_assigned("id-a")
    found = read_claims(request_token(http, client_id=identity.client_id).json()["access_token"])
    assert found["xms_mirid"].endswith("/userAssignedIdentities/id-a")
    assert found["xms_az_rid"].endswith("/virtualMachines/vm-example-0")


def test_a_cached_token_has_a_decreasing_expires_in(emulator: Emulator, http: httpx.Client) -> None:
    emulator.clock.freeze()
    first = request_token(http).json()
    emulator.clock.advance(3600)
    second = request_token(http).json()
    assert second["access_token"] == first["access_token"]
    assert second["expires_on"] == first["expires_on"]
    assert (first["expires_in"], second["expires_in"]) == ("86400", "82800")


def test_a_token_about_to_expire_is_replaced(emulator: Emulator, http: httpx.Client) -> None:
    first = request_token(http).json()
    emulator.clock.advance(86400 - 299)
    assert request_token(http).json()["access_token"] != first["access_token"]


def test_bypass_cache_returns_a_new_token(http: httpx.Client) -> None:
    first = request_token(http).json()["access_token"]
    fresh = request_token(http, bypass_cache="true").json()["access_token"]
    assert fresh != first
    assert request_token(http).json()["access_token"] == fresh
    assert request_token(http, bypass_cache="yes").status_code == 400


def test_the_cache_distinguishes_resources_by_a_trailing_slash(http: httpx.Client) -> None:
    with_slash = request_token(http, resource=RESOURCE + "/").json()
    assert with_slash["access_token"] != request_token(http).json()["access_token"]
    assert read_claims(with_slash["access_token"])["aud"] == RESOURCE + "/"


def test_the_lifetime_can_be_set() -> None:
    clock = Clock(1_700_000_000, frozen=True)
    with Emulator(token_lifetime=60, clock=clock) as emulator, make_client_for(emulator) as http:
        body = request_token(http).json()
        assert (body["expires_in"], body["expires_on"], body["not_before"]) == ("60", "1700000060", "1699999700")


def test_the_system_assigned_identity_is_the_default(emulator: Emulator, http: httpx.Client) -> None:
    emulator.machine.add_user_assigned("id-a")
    assert emulator.machine.system_assigned is not None
    assert request_token(http).json()["client_id"] == emulator.machine.system_assigned.client_id


def test_the_only_user_assigned_identity_is_the_default_without_a_system_assigned_one(
    emulator: Emulator, http: httpx.Client
) -> None:
    emulator.machine.system_assigned = None
    identity = emulator.machine.add_user_assigned("id-a")
    assert request_token(http).json()["client_id"] == identity.client_id


def test_several_user_assigned_identities_have_no_default(emulator: Emulator, http: httpx.Client) -> None:
    emulator.machine.system_assigned = None
    for name in ("id-a", "id-b"):
        emulator.machine.add_user_assigned(name)
    response = request_token(http)
    assert response.status_code == 400
    assert response.content == (
        b'{"error":"invalid_request","error_description":"Multiple user assigned identities exist,'
        b' please specify the clientId / resourceId of the identity in the token request"}'
    )


def test_a_machine_without_identity_has_no_token_and_no_info(emulator: Emulator, http: httpx.Client) -> None:
    emulator.machine.system_assigned = None
    assert (request_token(http).status_code, request_token(http).content, len(NOT_FOUND)) == (400, NOT_FOUND, 68)
    assert http.get("/identity/info", params=QUERY).status_code == 400


@pytest.mark.parametrize("selector", ["client_id", "object_id", "msi_res_id"])
@pytest.mark.parametrize("upper", [False, True])
def test_each_selector_finds_its_identity_in_any_case(
    emulator: Emulator, http: httpx.Client, selector: str, upper: bool
) -> None:
    emulator.machine.add_user_assigned("id-a")
    identity = emulator.machine.add_user_assigned("id-b")
    value = {
        "client_id": identity.client_id,
        "object_id": identity.object_id,
        "msi_res_id": identity.resource_id or "",
    }[selector]
    body = request_token(http, **{selector: value.upper() if upper else value}).json()
    assert body[selector] == value
    assert body["client_id"] == identity.client_id
    assert {"object_id", "msi_res_id"} & set(body) == {selector} - {"client_id"}


@pytest.mark.parametrize("selector", ["client_id", "object_id", "msi_res_id"])
@pytest.mark.parametrize("value", ["00000000-0000-0000-0000-00000000dead", ""])
def test_an_identity_that_is_not_attached_is_not_found(http: httpx.Client, selector: str, value: str) -> None:
    response = request_token(http, **{selector: value})
    assert (response.status_code, response.content) == (400, NOT_FOUND)


def test_two_selectors_exclude_each_other(emulator: Emulator, http: httpx.Client) -> None:
    identity = emulator.machine.add_user_assigned("id-a")
    assert request_token(http, client_id=identity.client_id, object_id=identity.object_id).status_code == 400


@pytest.mark.parametrize(("options", "understood"), [({}, True), ({"accept_mi_res_id": False}, False)])
def test_mi_res_id_is_read_as_msi_res_id(options: dict[str, Any], understood: bool) -> None:
    machine = Machine()
    identity = machine.add_user_assigned("id-a")
    assert identity.resource_id is not None
    with Emulator(machine=machine, **options) as emulator, make_client_for(emulator) as http:
        body = request_token(http, mi_res_id=identity.resource_id).json()
    assert (body["client_id"] == identity.client_id) is understood
    assert (body.get("msi_res_id") == identity.resource_id) is understood


def test_mi_res_id_and_another_selector_exclude_each_other(emulator: Emulator, http: httpx.Client) -> None:
    identity = emulator.machine.add_user_assigned("id-a")
    assert identity.resource_id
    assert request_token(http, mi_res_id=identity.resource_id, msi_res_id=identity.resource_id).status_code == 400


@pytest.mark.parametrize(
    ("machine", "authority"),
    [
        ("default", "https://sts.windows.net"),
        ("gov", "https://sts.windows.net"),
        ("china", "https://sts.chinacloudapi.cn"),
    ],
)
def test_the_issuer_of_a_token_can_be_that_of_the_cloud(machine: str, authority: str) -> None:
    with Emulator(machine=machine, issuer="azure") as emulator, make_client_for(emulator) as http:
        found = read_claims(request_token(http).json()["access_token"])
        assert found["iss"] == f"{authority}/{emulator.machine.tenant_id}/"


@pytest.mark.parametrize("resource", ["vault", "https://vault.azure.net/.default", "https://unknown.example", " "])
def test_a_resource_that_the_tenant_does_not_know_is_invalid(
    emulator: Emulator, http: httpx.Client, resource: str
) -> None:
    emulator.machine.invalid_resources.add("https://unknown.example")
    response = request_token(http, resource=resource)
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_resource"
    assert response.json()["error_description"].startswith("AADSTS500011: ")


def test_a_resource_can_be_an_application_id(http: httpx.Client) -> None:
    assert request_token(http, resource="00000003-0000-0000-c000-000000000000").status_code == 200


def test_a_missing_resource_is_refused(http: httpx.Client) -> None:
    assert request_token(http, resource="").json()["error"] == "invalid_request"


def test_info_returns_the_tenant(emulator: Emulator, http: httpx.Client) -> None:
    assert http.get("/identity/info", params=QUERY).json() == {"tenantId": emulator.machine.tenant_id}
