"""azure-identity, azure-core and MSAL, unmodified, with the emulator."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from azure_imds_emulator import Emulator, ManagedIdentity

azure_identity = pytest.importorskip("azure.identity")
ClientAuthenticationError = pytest.importorskip("azure.core.exceptions").ClientAuthenticationError
msal = pytest.importorskip("msal")
requests = pytest.importorskip("requests")

SCOPE = "https://vault.azure.net/.default"
RESOURCE = "https://vault.azure.net"
SELECTORS = ("client_id", "object_id", "resource_id")

pytestmark = [
    # From the imports and connections of these libraries.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def azure(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    return emulator


@pytest.fixture
def arc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """An Arc agent whose key folder both libraries accept. The folder is the only thing that is patched in them."""
    from azure.identity._credentials import azure_arc
    from msal import managed_identity

    monkeypatch.setattr(azure_arc, "_get_key_file_path", lambda: str(tmp_path))
    prefixes = managed_identity._supported_arc_platforms_and_their_prefixes
    monkeypatch.setattr(
        managed_identity, "_supported_arc_platforms_and_their_prefixes", dict.fromkeys(prefixes, str(tmp_path))
    )
    with Emulator(arc=True, arc_token_dir=tmp_path) as emulator:
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)
        yield emulator


def get_identity_token(selector: str | None = None, value: str | None = None) -> str:
    options: dict[str, Any] = {}
    if selector == "client_id":
        options = {"client_id": value}
    elif selector:
        options = {"identity_config": {selector: value}}
    with azure_identity.ManagedIdentityCredential(**options) as credential:
        token: str = credential.get_token(SCOPE).token
        return token


def get_msal_token(selector: str | None = None, value: str | None = None) -> str:
    identity: Any = msal.SystemAssignedManagedIdentity()
    if selector:
        identity = msal.UserAssignedManagedIdentity(**{selector: value})
    with requests.Session() as session:
        client = msal.ManagedIdentityClient(identity, http_client=session)
        response = client.acquire_token_for_client(resource=RESOURCE)
    assert "access_token" in response, response
    return str(response["access_token"])


LIBRARIES: dict[str, Callable[..., str]] = {"azure-identity": get_identity_token, "msal": get_msal_token}


def read_appid(token: str) -> str:
    part = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["appid"])


def get_id(identity: ManagedIdentity, selector: str) -> str:
    value = getattr(identity, selector)
    assert isinstance(value, str)
    return value


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_default_identity(azure: Emulator, library: str) -> None:
    assert azure.machine.system_assigned is not None
    assert read_appid(LIBRARIES[library]()) == azure.machine.system_assigned.client_id
    assert azure.requests[-1].query["resource"] == RESOURCE


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("selector", SELECTORS)
def test_a_user_assigned_identity(azure: Emulator, library: str, selector: str) -> None:
    azure.machine.add_user_assigned("id-other")
    identity = azure.machine.add_user_assigned("id-a")
    assert read_appid(LIBRARIES[library](selector, get_id(identity, selector))) == identity.client_id


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_default_identity_on_arc(arc: Emulator, library: str) -> None:
    assert arc.machine.system_assigned is not None
    assert read_appid(LIBRARIES[library]()) == arc.machine.system_assigned.client_id
    assert [request.status for request in arc.requests] == [401, 200]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("selector", SELECTORS)
def test_a_user_assigned_identity_on_arc(arc: Emulator, library: str, selector: str) -> None:
    identity = arc.machine.add_user_assigned("id-a")
    assert read_appid(LIBRARIES[library](selector, get_id(identity, selector))) == identity.client_id


@pytest.mark.parametrize("library", LIBRARIES)
def test_both_libraries_detect_an_older_arc_agent_by_the_missing_ids(
    arc: Emulator, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = arc.machine.add_user_assigned("id-a")
    with Emulator(arc=True, arc_echo=False, arc_token_dir=arc.arc_token_dir, machine=arc.machine) as legacy:
        for name, value in legacy.environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises((msal.ManagedIdentityError, ClientAuthenticationError)):
            LIBRARIES[library]("client_id", identity.client_id)
        assert [request.status for request in legacy.requests] == [401, 200]


def test_pyjwt_verifies_the_token_with_the_published_key(azure: Emulator) -> None:
    jwt = pytest.importorskip("jwt")
    token = get_msal_token()
    key = jwt.PyJWKClient(azure.jwks_url).get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=RESOURCE)
    assert claims["tid"] == azure.machine.tenant_id


def test_azure_identity_retries_a_429(azure: Emulator) -> None:
    azure.fail(429, path="/metadata/identity")
    assert get_identity_token()
    assert [request.status for request in azure.requests] == [429, 200]


def test_azure_core_waits_for_the_seconds_in_retry_after(azure: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    from azure.core import PipelineClient
    from azure.core.pipeline.policies import RetryPolicy
    from azure.core.pipeline.transport import RequestsTransport
    from azure.core.rest import HttpRequest

    slept: list[float] = []
    monkeypatch.setattr(RequestsTransport, "sleep", lambda self, duration: slept.append(duration))
    azure.fail(429, times=2, retry_after=7)
    with PipelineClient[Any, Any](azure.endpoint, policies=[RetryPolicy()], transport=RequestsTransport()) as client:
        request = HttpRequest("GET", f"{azure.endpoint}/metadata/versions", headers={"Metadata": "true"})
        assert client.send_request(request).status_code == 200
    assert slept == [7.0, 7.0]


def test_azure_identity_raises_for_an_error_of_the_emulator(azure: Emulator) -> None:
    azure.machine.system_assigned = None
    with pytest.raises((azure_identity.CredentialUnavailableError, ClientAuthenticationError), match=r"\S") as caught:
        get_identity_token()
    assert "no managed identity endpoint" not in str(caught.value)


def test_msal_returns_the_error_of_the_emulator(azure: Emulator) -> None:
    azure.machine.system_assigned = None
    with requests.Session() as session:
        client = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=session)
        response = client.acquire_token_for_client(resource=RESOURCE)
    assert "Identity not found" in str(response)


def test_the_probe_of_azure_identity_accepts_the_emulator(azure: Emulator) -> None:
    with azure_identity.DefaultAzureCredential(
        exclude_environment_credential=True,
        exclude_workload_identity_credential=True,
        exclude_developer_cli_credential=True,
        exclude_cli_credential=True,
        exclude_powershell_credential=True,
        exclude_shared_token_cache_credential=True,
        exclude_visual_studio_code_credential=True,
        exclude_broker_credential=True,
    ) as credential:
        assert credential.get_token(SCOPE).token
