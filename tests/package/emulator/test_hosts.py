"""The other hosts of managed identities: their token endpoints, secrets and certificates."""

from __future__ import annotations

import base64
import copy
import gc
import hashlib
import json
import socket
import ssl
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from azure_imds_emulator import Clock, ConfigError, Emulator, hosts
from azure_imds_emulator.cli import main, make_parser, print_addresses, read_settings
from azure_imds_emulator.config import from_environment, parse
from azure_imds_emulator.expiry import format_like
from azure_imds_emulator.host_service import FILE_LIFETIME, FILE_ROTATION
from azure_imds_emulator.hosts import list_host_names
from emulator_support import make_client, wait_until

RESOURCE = "https://vault.azure.net"
TENANT = "00000000-0000-0000-0000-000000000002"
CLIENT_ID = "00000000-0000-0000-0000-000000000003"
OBJECT_ID = "00000000-0000-0000-0000-000000000004"
UNKNOWN = "11111111-1111-1111-1111-111111111111"
CORRELATION_ID = "00000000-0000-0000-0000-00000000000a"
START = 1_700_000_000

HOSTS = ("app-service", "app-service-2017", "machine-learning", "cloud-shell", "service-fabric", "workload-identity")
GUARDED = tuple(host for host in HOSTS if host != "cloud-shell")
SELECTORS = {
    "app-service": ("client_id", "object_id", "mi_res_id"),
    "app-service-2017": ("clientid",),
    "machine-learning": ("clientid",),
    "service-fabric": ("principalId",),
    "workload-identity": ("client_id",),
}


@dataclass(frozen=True)
class TokenRequest:
    """A token request, as a client on the host sends it."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)

    @property
    def secret_place(self) -> str:
        return "form" if "client_assertion" in self.form else "headers"

    def with_parameter(self, name: str, value: str | None) -> TokenRequest:
        """Returns the request with another value of a parameter or member of the form, or without it."""
        place = "form" if self.form else "query"
        return self._change(place, name, value)

    def with_secret(self, value: str | None) -> TokenRequest:
        name = next(name for name in getattr(self, self.secret_place) if name not in ("Metadata", "scope"))
        return self._change(self.secret_place, "client_assertion" if self.form else name, value)

    def _change(self, place: str, name: str, value: str | None) -> TokenRequest:
        values = {**getattr(self, place), name: value}
        return replace(self, **{place: {name: value for name, value in values.items() if value is not None}})

    def send(self, **options: Any) -> httpx.Response:
        verify: Any = options.pop("verify", False)
        with httpx.Client(trust_env=False, verify=verify, timeout=10) as client:
            data = self.form or None
            return client.request(self.method, self.url, headers=self.headers, params=self.query, data=data, **options)


def make_request(environment: dict[str, str]) -> TokenRequest:
    """Returns the token request of the host that has these variables, as documents and captures describe it."""
    if "AZURE_FEDERATED_TOKEN_FILE" in environment:
        form = {
            "grant_type": "client_credentials",
            "client_id": environment["AZURE_CLIENT_ID"],
            "scope": f"{RESOURCE}/.default",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": Path(environment["AZURE_FEDERATED_TOKEN_FILE"]).read_text(),
        }
        authority, tenant = environment["AZURE_AUTHORITY_HOST"], environment["AZURE_TENANT_ID"]
        return TokenRequest("POST", f"{authority}/{tenant}/oauth2/v2.0/token", form=form)
    if "IDENTITY_SERVER_THUMBPRINT" in environment:
        headers = {"Secret": environment["IDENTITY_HEADER"]}
        query = {"api-version": environment["IDENTITY_API_VERSION"], "resource": RESOURCE}
        return TokenRequest("GET", environment["IDENTITY_ENDPOINT"], headers, query)
    if "IDENTITY_HEADER" in environment:
        headers = {"X-IDENTITY-HEADER": environment["IDENTITY_HEADER"]}
        query = {"api-version": "2019-08-01", "resource": RESOURCE}
        return TokenRequest("GET", environment["IDENTITY_ENDPOINT"], headers, query)
    if "MSI_SECRET" in environment:
        headers = {"secret": environment["MSI_SECRET"]}
        query = {"api-version": "2017-09-01", "resource": RESOURCE}
        return TokenRequest("GET", environment["MSI_ENDPOINT"], headers, query)
    return TokenRequest("POST", environment["MSI_ENDPOINT"], {"Metadata": "true"}, form={"resource": RESOURCE})


@contextmanager
def running(host: str, **options: Any) -> Iterator[tuple[Emulator, TokenRequest]]:
    with Emulator(host=host, clock=Clock(START, frozen=True), **options) as emulator:
        yield emulator, make_request(emulator.environment)


def read_claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def error_of(response: httpx.Response) -> tuple[int, Any]:
    is_json = "json" in response.headers.get("Content-Type", "")
    return response.status_code, response.json() if is_json else response.text


# Success

#: The members of a success that depend on nothing else.
EXPIRY: dict[str, dict[str, Any]] = {
    "app-service": {"expires_on": str(START + 86400), "client_id": CLIENT_ID},
    "app-service-2017": {"expires_on": START + 86400, "expires_in": 86400},
    "machine-learning": {"expires_on": START + 86400, "expires_in": 86400},
    "cloud-shell": {
        "expires_on": str(START + 86400),
        "expires_in": "86400",
        "not_before": str(START - 300),
        "refresh_token": "",
    },
    "service-fabric": {"expires_on": START + 86400},
    "workload-identity": {"expires_in": 86400, "ext_expires_in": 86400},
}


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_returns_a_token_in_its_own_form(host: str) -> None:
    with running(host) as (emulator, request):
        response = request.send()
        assert response.status_code == 200
        body = response.json()
        token = body.pop("access_token")
        own = {} if host == "workload-identity" else {"resource": RESOURCE}
        assert body == {"token_type": "Bearer", **own, **EXPIRY[host]}
        claims = read_claims(token)
        assert (claims["aud"], claims["appid"], claims["exp"]) == (RESOURCE, CLIENT_ID, START + 86400)
        assert "Server" not in response.headers
        assert [record.status for record in emulator.requests] == [200]


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_keeps_its_token_for_the_next_request(host: str) -> None:
    with running(host) as (_, request):
        assert request.send().json()["access_token"] == request.send().json()["access_token"]


def test_an_example_of_the_contract_gives_the_form_of_the_response() -> None:
    with running("machine-learning", token_example="TokenWithDate") as (_, request):
        body = request.send().json()
        assert body["expires_on"] == "11/15/2023 22:13:20 +00:00"
        assert "expires_in" not in body


def test_an_unknown_example_is_refused() -> None:
    with pytest.raises(ValueError, match="token_example must be one of Token, TokenWithDate on machine-learning, got"):
        Emulator(host="machine-learning", token_example="Tokn").start()


# Variables

VARIABLES = {
    "app-service": {"IDENTITY_ENDPOINT", "IDENTITY_HEADER"},
    "app-service-2017": {"MSI_ENDPOINT", "MSI_SECRET", "WEBSITE_SITE_NAME", "DEFAULT_IDENTITY_CLIENT_ID"},
    "machine-learning": {"MSI_ENDPOINT", "MSI_SECRET", "DEFAULT_IDENTITY_CLIENT_ID"},
    "cloud-shell": {"MSI_ENDPOINT"},
    "service-fabric": {
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "IDENTITY_SERVER_THUMBPRINT",
        "IDENTITY_API_VERSION",
    },
    "workload-identity": {
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_TENANT_ID",
        "AZURE_AUTHORITY_HOST",
        "AZURE_CLIENT_ID",
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
    },
}


@pytest.mark.parametrize("host", HOSTS)
def test_the_environment_has_all_variables_of_the_host(host: str) -> None:
    with running(host) as (emulator, _):
        environment = emulator.environment
        assert environment.keys() == VARIABLES[host]
        assert all(environment.values())


def test_the_default_host_is_a_virtual_machine() -> None:
    for options in ({}, {"host": "vm"}, {"host": "azure"}, {"as_host": "vm"}):
        with Emulator(**options) as emulator:
            assert emulator.environment == {"AZURE_POD_IDENTITY_AUTHORITY_HOST": emulator.endpoint}
            assert emulator.settings.host_name == "azure"


def test_arc_is_a_host_too() -> None:
    with Emulator(host="arc") as emulator:
        assert emulator.environment.keys() == {"IDENTITY_ENDPOINT", "IMDS_ENDPOINT"}
        assert emulator.arc_token_dir.is_dir()


def test_a_host_can_be_played_at_any_address() -> None:
    with Emulator(as_host="app-service", host="127.0.0.2") as emulator:
        assert urlsplit(emulator.environment["IDENTITY_ENDPOINT"]).hostname == "127.0.0.2"
        assert make_request(emulator.environment).send().status_code == 200


def test_an_unknown_host_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"as_host must be one of vm, .*app-service, .*, got 'app-servce'"):
        Emulator(as_host="app-servce")


def test_a_host_that_is_not_supported_cannot_be_played() -> None:
    assert "identity-bindings" not in list_host_names()


def test_clients_would_find_no_other_host() -> None:
    with Emulator(host="cloud-shell") as emulator:
        foreign = {"MSI_SECRET": "x", "IDENTITY_ENDPOINT": "x", "IDENTITY_HEADER": "x", "AZURE_TENANT_ID": "x"}
        assert emulator.find_foreign_variables(foreign) == {"MSI_SECRET", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"}
        assert emulator.find_foreign_variables({"AZURE_POD_IDENTITY_AUTHORITY_HOST": "x", "MSI_ENDPOINT": "x"}) == {
            "AZURE_POD_IDENTITY_AUTHORITY_HOST"
        }


# Secrets

WRONG_SECRET: dict[str, tuple[int, Any]] = {
    "app-service": (
        401,
        {
            "statusCode": 401,
            "message": "The header X-IDENTITY-HEADER does not match.",
            "correlationId": CORRELATION_ID,
        },
    ),
    "app-service-2017": (401, ""),
    "machine-learning": (401, ""),
    "service-fabric": (
        401,
        {
            "error": {
                "correlationId": CORRELATION_ID,
                "code": "SecretHeaderNotFound",
                "message": "The header Secret is missing or does not match.",
            }
        },
    ),
    "workload-identity": (
        401,
        {
            "error": "invalid_client",
            "error_description": "AADSTS700024: Client assertion is not within its valid time range.",
            "error_codes": [700024],
            "correlation_id": CORRELATION_ID,
        },
    ),
}


@pytest.mark.parametrize("secret", [None, "", "wrong"])
@pytest.mark.parametrize("host", GUARDED)
def test_a_missing_or_wrong_secret_is_refused(host: str, secret: str | None) -> None:
    with running(host) as (_, request):
        assert error_of(request.with_secret(secret).send()) == WRONG_SECRET[host]


@pytest.mark.parametrize("host", GUARDED)
def test_a_rotated_secret_replaces_the_old_one(host: str) -> None:
    with running(host) as (emulator, request):
        emulator.rotate_secret()
        assert request.send().status_code == 401
        assert make_request(emulator.environment).send().status_code == 200


@pytest.mark.parametrize("host", ["vm", "cloud-shell"])
def test_a_host_without_a_secret_has_none_to_rotate(host: str) -> None:
    with Emulator(host=host) as emulator, pytest.raises(RuntimeError, match="has no secret"):
        emulator.rotate_secret()


@pytest.mark.parametrize("host", ["app-service", "machine-learning", "service-fabric"])
def test_no_record_of_a_request_shows_the_secret(host: str) -> None:
    with running(host) as (emulator, request), make_client(base_url=emulator.control_url) as control:
        request.send()
        secret = request.headers[next(iter(request.headers))]
        assert secret in emulator.requests[0].headers.values()
        assert secret not in repr(emulator.requests[0])
        assert secret not in control.get("/api/requests").text


def test_the_token_file_is_private_and_replaced_in_time() -> None:
    with running("workload-identity") as (emulator, request):
        file = Path(emulator.environment["AZURE_FEDERATED_TOKEN_FILE"])
        old = file.read_text()
        assert file.stat().st_mode & 0o077 == 0
        claims = read_claims(old)
        assert (claims["iat"], claims["exp"]) == (START, START + FILE_LIFETIME)
        wait_until(lambda: emulator.clock.waiting > 0)
        emulator.clock.advance(FILE_ROTATION)
        wait_until(lambda: file.read_text() != old)
        assert request.send().status_code == 401
        assert make_request(emulator.environment).send().status_code == 200


def test_the_files_are_removed_at_the_end() -> None:
    with running("workload-identity") as (emulator, _):
        files = [Path(emulator.environment[name]) for name in ("AZURE_FEDERATED_TOKEN_FILE", "SSL_CERT_FILE")]
        assert all(file.is_file() for file in files)
        # The key of the server is in no file.
        assert {file.name for file in files[0].parent.iterdir()} == {file.name for file in files}
    assert not files[0].parent.exists()


# Other refusals


@pytest.mark.parametrize("host", [host for host in GUARDED if host != "workload-identity"])
@pytest.mark.parametrize("version", [None, "2016-01-01"])
def test_another_version_is_refused(host: str, version: str | None) -> None:
    words = {"app-service": "UnsupportedApiVersion", "service-fabric": "InvalidApiVersion"}
    with running(host) as (_, request):
        response = request.with_parameter("api-version", version).send()
        assert response.status_code == 400
        assert words.get(host, "The api-version is not supported.") in response.text


def test_service_fabric_has_the_preview_version_too() -> None:
    with running("service-fabric") as (_, request):
        assert request.with_parameter("api-version", "2019-07-01-preview").send().status_code == 200


IDENTITY_NOT_FOUND: dict[str, tuple[int, str]] = {
    "app-service": (400, "No User Assigned or Delegated Managed Identity found"),
    "app-service-2017": (404, "InternalError - :{ Request failure status code: 404 }"),
    "machine-learning": (404, "InternalError - :{ Request failure status code: 404 }"),
    "service-fabric": (404, "ManagedIdentityNotFound"),
    "workload-identity": (400, "AADSTS70021: No matching federated identity record found"),
}


@pytest.mark.parametrize(("host", "selector"), [(host, name) for host, names in SELECTORS.items() for name in names])
def test_a_selector_selects_an_identity(host: str, selector: str) -> None:
    with running(host) as (emulator, request):
        identity = emulator.machine.add_user_assigned("id-web")
        ids = {"client_id": identity.client_id, "clientid": identity.client_id, "mi_res_id": identity.resource_id}
        chosen = ids.get(selector, identity.object_id)
        body = request.with_parameter(selector, chosen).send().json()
        assert read_claims(body["access_token"])["appid"] == identity.client_id
        if host != "workload-identity" and host != "service-fabric":
            assert body["client_id" if selector == "clientid" else selector] == chosen
        status, words = IDENTITY_NOT_FOUND[host]
        refused = request.with_parameter(selector, UNKNOWN).send()
        assert refused.status_code == status
        assert words in refused.text


@pytest.mark.parametrize("host", SELECTORS)
def test_without_an_identity_a_host_has_no_token(host: str) -> None:
    with running(host) as (emulator, request):
        emulator.machine.system_assigned = None
        status, words = IDENTITY_NOT_FOUND[host]
        response = request.send()
        assert response.status_code == status
        assert words in response.text


def test_two_selectors_are_refused() -> None:
    with running("app-service") as (_, request):
        both = request.with_parameter("client_id", CLIENT_ID).with_parameter("object_id", OBJECT_ID)
        assert both.send().status_code == 400


def test_the_user_of_cloud_shell_does_not_depend_on_the_machine() -> None:
    with running("cloud-shell") as (emulator, request):
        emulator.machine.system_assigned = None
        assert request.send().status_code == 200


def test_the_tenant_in_the_path_must_be_the_one_of_the_identity() -> None:
    with running("workload-identity") as (_, request):
        foreign = replace(request, url=request.url.replace(TENANT, UNKNOWN))
        assert "AADSTS70021" in foreign.send().text


def test_a_constant_member_of_the_form_must_be_right() -> None:
    with running("workload-identity") as (_, request):
        assert request.with_parameter("grant_type", "password").send().status_code == 400


UNKNOWN_RESOURCE: dict[str, tuple[int, str]] = {
    "app-service": (500, "AADSTS500011"),
    "app-service-2017": (400, ""),
    "machine-learning": (400, ""),
    "cloud-shell": (400, "AudienceNotSupported"),
    "service-fabric": (400, "ArgumentNullOrEmpty"),
    "workload-identity": (400, "AADSTS500011"),
}


@pytest.mark.parametrize("host", HOSTS)
def test_a_missing_or_unknown_resource_is_refused(host: str) -> None:
    status, words = UNKNOWN_RESOURCE[host]
    name, scope = ("scope", "/.default") if host == "workload-identity" else ("resource", "")
    with running(host, max_recorded_requests=10) as (emulator, request):
        emulator.machine.invalid_resources.add("https://unknown.example")
        for resource in (None, "", f"https://unknown.example{scope}", f"{RESOURCE}{'' if scope else '/.default'}"):
            response = request.with_parameter(name, resource).send()
            assert response.status_code == status
            assert words in response.text


@pytest.mark.parametrize("host", HOSTS)
def test_unknown_parameters_are_ignored(host: str) -> None:
    # As a result, a client that sends `resource_id` gets a token of the default identity.
    with running(host) as (emulator, request):
        identity = emulator.machine.add_user_assigned("id-web")
        body = request.with_parameter("resource_id", identity.resource_id).send().json()
        assert read_claims(body["access_token"])["appid"] == CLIENT_ID


@pytest.mark.parametrize("host", HOSTS)
def test_the_metadata_header_is_not_required(host: str) -> None:
    with running(host) as (_, request):
        headers = {name: value for name, value in request.headers.items() if name != "Metadata"}
        assert replace(request, headers=headers).send().status_code == 200


@pytest.mark.parametrize("host", HOSTS)
def test_another_method_or_path_is_refused(host: str) -> None:
    with running(host) as (_, request):
        other = replace(request, method="PUT").send()
        assert (other.status_code, other.headers["Allow"]) == (405, request.method)
        assert replace(request, url=request.url + "/more").send().status_code == 404
        assert replace(request, url=request.url + "/").send().status_code == 200


def test_a_slash_after_the_address_of_the_authority_is_accepted() -> None:
    # The webhook of workload identity sets the address with a slash, and some clients append another one.
    with running("workload-identity") as (_, request):
        assert replace(request, url=request.url.replace(f"/{TENANT}", f"//{TENANT}")).send().status_code == 200


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_does_not_have_the_endpoints_of_a_virtual_machine(host: str) -> None:
    with running(host) as (emulator, _), httpx.Client(trust_env=False, verify=False) as client:
        assert client.get(f"{emulator.endpoint}/metadata/instance?api-version=2021-02-01").status_code == 404


# Faults


def test_a_fault_has_the_error_body_of_the_host() -> None:
    with running("app-service") as (emulator, request):
        emulator.fail(503)
        assert error_of(request.send()) == (
            503,
            {
                "ExceptionMessage": "",
                "ErrorCode": "service_unavailable",
                "ServiceErrorCodes": None,
                "StatusCode": 503,
                "Message": None,
                "CorrelationId": CORRELATION_ID,
            },
        )
        emulator.fail(500)
        response = request.send()
        assert (response.status_code, response.content, response.headers.get("Content-Type")) == (500, b"", None)


@pytest.mark.parametrize("host", HOSTS)
def test_faults_apply_to_every_host(host: str) -> None:
    with running(host) as (emulator, request):
        emulator.fail(429, retry_after=2)
        response = request.send()
        assert (response.status_code, response.headers["Retry-After"]) == (429, "2")
        emulator.fail(close=True)
        with pytest.raises(httpx.RemoteProtocolError):
            request.send()
        emulator.fail(truncate=5)
        with pytest.raises(httpx.RemoteProtocolError):
            request.send()
        assert request.send().status_code == 200


# Certificates


def test_the_thumbprint_is_the_one_of_the_certificate() -> None:
    with running("service-fabric") as (emulator, _):
        address = urlsplit(emulator.endpoint)
        assert address.hostname
        assert address.port
        served = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((address.hostname, address.port)))
        assert emulator.environment["IDENTITY_SERVER_THUMBPRINT"] == hashlib.sha1(served).hexdigest().upper()


def test_each_emulator_has_its_own_certificate() -> None:
    with running("service-fabric") as (one, _), running("service-fabric") as (other, _):
        assert one.environment["IDENTITY_SERVER_THUMBPRINT"] != other.environment["IDENTITY_SERVER_THUMBPRINT"]


def test_clients_that_trust_the_authority_accept_the_certificate() -> None:
    with running("workload-identity") as (emulator, request):
        context = ssl.create_default_context(cafile=emulator.environment["SSL_CERT_FILE"])
        assert request.send(verify=context).status_code == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            request.send(verify=ssl.create_default_context())


def test_the_file_with_the_authority_has_those_of_the_system_too() -> None:
    with running("workload-identity") as (emulator, _):
        own = ssl.create_default_context(cafile=emulator.environment["SSL_CERT_FILE"])
        system = ssl.create_default_context()
        assert len(own.get_ca_certs()) > len(system.get_ca_certs())


def test_the_authority_describes_itself() -> None:
    with running("workload-identity") as (emulator, request), httpx.Client(trust_env=False, verify=False) as client:
        base = f"{emulator.endpoint}/{TENANT}"
        document = client.get(f"{base}/v2.0/.well-known/openid-configuration").json()
        assert document["token_endpoint"] == request.url
        assert client.get(document["jwks_uri"]).json() == emulator.jwks()
    with running("app-service") as (emulator, _), make_client() as client:
        assert client.get(f"{emulator.endpoint}/{TENANT}/v2.0/.well-known/openid-configuration").status_code == 404


# Settings, control API and command


def test_the_control_api_shows_the_host_and_rotates_its_secret() -> None:
    with running("app-service") as (emulator, request), make_client(base_url=emulator.control_url) as control:
        state = control.get("/api/state").json()
        assert (state["host"], state["title"]) == ("app-service", "Azure App Service, Functions or Container Apps")
        assert state["environment"] == emulator.environment
        answer = control.post("/api/secret", json={})
        assert answer.json() == {"environment": emulator.environment}
        assert request.send().status_code == 401
        assert make_request(emulator.environment).send().status_code == 200


def test_the_control_api_refuses_to_rotate_a_secret_that_does_not_exist(control: httpx.Client) -> None:
    response = control.post("/api/secret", json={})
    assert response.status_code == 400
    assert response.json() == {"error": "/api/secret: a host such as azure has no secret"}


def test_the_repr_names_the_host() -> None:
    with Emulator(host="app-service") as emulator:
        assert repr(emulator) == f"<app-service Emulator {emulator.endpoint}>"


def test_a_stopped_emulator_can_be_started_again_as_the_same_host() -> None:
    emulator = Emulator(host="service-fabric")
    for _ in range(2):
        with emulator:
            assert make_request(emulator.environment).send().status_code == 200


def test_the_host_can_be_named_in_a_file_or_variable() -> None:
    assert parse("as_host: app-service", "c.yaml").host_name == "app-service"
    assert parse("host: app-service", "c.yaml").host == "127.0.0.1"
    assert from_environment({"AZURE_IMDS_EMULATOR_AS_HOST": "cloud-shell"}).host_name == "cloud-shell"
    with pytest.raises(ConfigError, match=r"c.yaml:2: as_host must be one of vm, "):
        parse("port: 0\nas_host: app-servce", "c.yaml")
    with pytest.raises(ConfigError, match=r"AZURE_IMDS_EMULATOR_AS_HOST: must be one of vm, "):
        from_environment({"AZURE_IMDS_EMULATOR_AS_HOST": "app-servce"})


def test_the_option_names_the_host(capsys: pytest.CaptureFixture[str]) -> None:
    settings = read_settings(make_parser().parse_args(["--as", "machine-learning"]), {})
    assert settings.host_name == "machine-learning"
    assert main(["--as", "app-servce"]) == 2
    assert "Invalid value for '--as': 'app-servce' is not one of 'vm', " in capsys.readouterr().err


def test_the_command_prints_the_variables_for_both_kinds_of_shells(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MSI_ENDPOINT", "http://other.example")
    monkeypatch.setenv("MSI_SECRET", "of-another-host")
    with running("app-service") as (emulator, _):
        print_addresses(emulator)
        lines = capsys.readouterr().out.splitlines()
        assert "host     app-service" in lines
        for name, value in emulator.environment.items():
            assert f"export {name}={value}" in lines
            assert f"$env:{name} = '{value}'" in lines
        assert {"unset MSI_SECRET", "Remove-Item Env:MSI_SECRET"} <= set(lines)


def test_a_command_runs_with_the_variables_of_the_host_only(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MSI_ENDPOINT", "http://other.example")
    monkeypatch.setenv("MSI_SECRET", "of-another-host")
    code = "import os; print(*sorted(name for name in os.environ if name.startswith(('MSI_', 'IDENTITY_'))))"
    assert main(["--as", "app-service", "--", sys.executable, "-c", code]) == 0
    assert capfd.readouterr().out.split() == ["IDENTITY_ENDPOINT", "IDENTITY_HEADER"]


# A host that only the contract knows


MADE_UP = {
    "name": "made-up",
    "title": "Made Up",
    "url": "http://localhost:1234",
    "when": {"set": ["MADE_UP_HOST", "MADE_UP_PORT", "MADE_UP_KEY", "MADE_UP_REGION"]},
    "origin": None,
    "url_template": "http://{MADE_UP_HOST}:{MADE_UP_PORT}/v1/{MADE_UP_PLACE}/token",
    "certificate": None,
    "proxies": False,
    "refused": None,
    "variables": {},
    "operation": {
        "id": "MadeUp_GetToken",
        "stands_for": "Identity_GetToken",
        "method": "GET",
        "path": "/v1/{place}/token",
        "parameters": [
            {"name": "place", "in": "path", "from": "MADE_UP_PLACE", "values": ["here"], "required": True},
            {"name": "X-Made-Up-Key", "in": "header", "from": "MADE_UP_KEY", "secret": True, "required": True},
            {"name": "v", "in": "query", "default": "7", "values": ["7"], "required": True},
            {"name": "for", "in": "query", "argument": "resource", "required": True},
            {"name": "who", "in": "query", "argument": "object_id"},
        ],
        "exclusive": [],
        "echoed": {"who": ["identity"]},
        "errors": [{"status": 418, "when": "secret", "body": {"problem": "wrong key"}}],
        "examples": {
            "Token": {
                "access_token": "x",
                "expires_on": "Tue, 01 Jan 2030 00:00:00 GMT",
                "not_before": "2030-01-01T00:00:00.000Z",
                "kind": "Bearer",
            }
        },
    },
}


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Adds a host to the data that `make` writes."""
    data = json.loads(hosts.find_file().read_text(encoding="utf-8"))
    host: dict[str, Any] = copy.deepcopy(MADE_UP)
    defaults = {"argument": "", "required": False, "from": None, "file": None, "suffix": "", "default": None}
    parameters = host["operation"]["parameters"]
    host["operation"]["parameters"] = [{**defaults, "values": [], "secret": False, **own} for own in parameters]
    (tmp_path / "hosts.json").write_text(json.dumps([host, *data]), encoding="utf-8")
    monkeypatch.setattr(hosts, "find_file", lambda: tmp_path / "hosts.json")
    hosts.load_hosts.cache_clear()
    yield
    hosts.load_hosts.cache_clear()


def test_a_host_that_the_contract_adds_can_be_played(made_up: None) -> None:
    with Emulator(host="made-up", clock=Clock(START, frozen=True)) as emulator, make_client() as client:
        environment = emulator.environment
        address = urlsplit(emulator.endpoint)
        assert (environment["MADE_UP_HOST"], environment["MADE_UP_PORT"]) == (address.hostname, str(address.port))
        assert environment["MADE_UP_REGION"]
        url = f"{emulator.endpoint}/v1/{environment['MADE_UP_PLACE']}/token"
        headers = {"X-Made-Up-Key": environment["MADE_UP_KEY"]}
        query = {"v": "7", "for": RESOURCE, "who": OBJECT_ID.upper()}
        body = client.get(url, headers=headers, params=query).json()
        claims = read_claims(body.pop("access_token"))
        assert (claims["oid"], claims["aud"]) == (OBJECT_ID, RESOURCE)
        assert body == {
            "expires_on": "Wed, 15 Nov 2023 22:13:20 GMT",
            "not_before": "2023-11-14T22:08:20.000Z",
            "kind": "Bearer",
            "identity": OBJECT_ID,
        }
        for wrong in ({}, {"X-Made-Up-Key": "wrong"}):
            refused = client.get(url, headers=wrong, params=query)
            assert (refused.status_code, refused.json()) == (418, {"problem": "wrong key"})
        for changes in ({"v": "8"}, {"for": "nonsense"}, {"who": UNKNOWN}):
            assert client.get(url, headers=headers, params={**query, **changes}).status_code == 400
        assert client.get(url.replace("here", "there"), headers=headers, params=query).status_code == 400


@pytest.mark.parametrize(
    ("example", "text"),
    [
        (1893456000, START),
        ("1893456000", str(START)),
        ("06/20/2019 02:57:58 +00:00", "11/14/2023 22:13:20 +00:00"),
        ("1/16/2020 5:24:12 AM +00:00", "11/14/2023 10:13:20 PM +00:00"),
        ("1/16/2020 15:24:12", "11/14/2023 22:13:20"),
        ("09/14/2017 00:00:00 PM +00:00", "11/14/2023 10:13:20 PM +00:00"),
        ("2030-01-01T00:00:00+00:00", "2023-11-14T22:13:20+00:00"),
        ("2030-01-01 00:00:00", "2023-11-14 22:13:20"),
        ("2030-01-01T00:00:00.0000000Z", "2023-11-14T22:13:20.0000000Z"),
        ("2030-01-01T00:00:00-05:30", "2023-11-14T16:43:20-05:30"),
        ("Tue, 01 Jan 2030 00:00:00 GMT", "Tue, 14 Nov 2023 22:13:20 GMT"),
    ],
)
def test_a_time_has_the_form_of_the_example(example: object, text: object) -> None:
    assert format_like(example, START) == text


def test_one_digit_stays_one_digit() -> None:
    assert format_like("1/16/2020 5:24:12 AM +00:00", 1_578_000_000) == "1/2/2020 9:20:00 PM +00:00"
    assert format_like("06/20/2019 02:57:58 +00:00", 1_577_840_400) == "01/01/2020 01:00:00 +00:00"


def test_a_form_of_time_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="'soon' is not a form of time"):
        format_like("soon", START)


@pytest.mark.parametrize("request_first", [True, False])
def test_a_connection_that_the_client_keeps_open_ends_with_the_emulator(request_first: bool) -> None:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        with Emulator(host="service-fabric") as emulator:
            parts = urlsplit(emulator.endpoint)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            plain = socket.create_connection((parts.hostname, parts.port))
            client = context.wrap_socket(plain)
            if request_first:
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert client.recv(65536).startswith(b"HTTP/1.1")
        client.close()
        gc.collect()
    assert [str(warning.message) for warning in found] == []
