"""What azure-identity and msal do wrong on hosts of managed identities, and that this client is right there.

A test that fails because a library has been repaired is good news: remove its half, and the words in the migration
guides. The pinned versions are those of requirements/dev.txt.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from integration import parts

from azure_imds import (
    AsyncImdsCredential,
    IdentityNotFoundError,
    ImdsCredential,
    ImdsError,
    ImdsResponseError,
    ImdsUnavailableError,
    ImdsValidationError,
    ServerError,
)
from azure_imds_emulator import Emulator

identity = parts.module("azure.identity")
aio = parts.module("azure.identity.aio")
msal = parts.module("msal")
requests = parts.module("requests")

pytestmark = [
    pytest.mark.integration,
    # From the connections of these libraries.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

RESOURCE = "https://vault.azure.net"
SCOPE = f"{RESOURCE}/.default"
OTHER = "11111111-1111-1111-1111-111111111111"
DATE = "01/01/2030 00:00:00 +00:00"
SECRET = "FAKE_ACCESS_TOKEN_OF_THIS_TEST"
THREADS = 16

#: What a library did: the token, or the error.
Outcome = Any


def attempt(get: Callable[..., Any], *args: Any, **kwargs: Any) -> Outcome:
    try:
        return get(*args, **kwargs)
    except Exception as error:
        return error


def sync_identity(**options: Any) -> Outcome:
    """azure-identity, without the waits of its retries."""

    def get() -> str:
        with identity.ManagedIdentityCredential(retry_total=0, **options) as credential:
            return str(credential.get_token(SCOPE).token)

    return attempt(get)


def async_identity(**options: Any) -> Outcome:
    """azure-identity.aio, without the waits of its retries."""

    async def get() -> str:
        async with aio.ManagedIdentityCredential(retry_total=0, **options) as credential:
            return str((await credential.get_token(SCOPE)).token)

    return attempt(lambda: asyncio.run(get()))


def msal_client(**selector: str) -> Outcome:
    """The dictionary that msal returns, or the error that it raises."""
    chosen = msal.UserAssignedManagedIdentity(**selector) if selector else msal.SystemAssignedManagedIdentity()
    with requests.Session() as session:
        client = msal.ManagedIdentityClient(chosen, http_client=session)
        return attempt(client.acquire_token_for_client, resource=RESOURCE)


def ours(**options: Any) -> list[Outcome]:
    """What both credentials of this project do."""

    def get() -> str:
        with ImdsCredential(retry=None, **options) as credential:
            return credential.get_token(SCOPE).token

    async def get_async() -> str:
        async with AsyncImdsCredential(retry=None, **options) as credential:
            return (await credential.get_token(SCOPE)).token

    return [attempt(get), attempt(lambda: asyncio.run(get_async()))]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Starts an emulator of a host, and makes this process one on that host."""

    @contextmanager
    def playing(host: str, **options: Any) -> Iterator[Emulator]:
        with Emulator(host=host, **options) as emulator:
            for name, value in emulator.environment.items():
                monkeypatch.setenv(name, value)
            yield emulator

    return playing


def appids(outcomes: list[Outcome]) -> set[str]:
    """The identities of the tokens."""
    found: set[str] = set()
    for token in outcomes:
        assert isinstance(token, str), token
        payload = token.split(".")[1]
        found.add(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["appid"])
    return found


def queries(emulator: Emulator, name: str) -> list[str | None]:
    """What the requests since the last look sent as a parameter."""
    sent = [request.query.get(name) for request in emulator.requests]
    emulator.requests.clear()
    return sent


# 1, 2: selectors


@pytest.mark.parametrize(("host", "name"), [("vm", "msi_res_id"), ("app-service", "mi_res_id")])
def test_1_a_resource_id_selects_the_identity(play: Any, host: str, name: str) -> None:
    with play(host) as emulator:
        chosen = emulator.machine.add_user_assigned("id-web")
        default = emulator.machine.system_assigned.client_id
        config = {"identity_config": {"resource_id": chosen.resource_id}}
        assert appids([sync_identity(**config)]) == {chosen.client_id}
        emulator.requests.clear()
        # The asynchronous library sends a name that no host knows, and gets the token of another identity.
        assert appids([async_identity(**config)]) == {default}
        assert queries(emulator, "resource_id") == [chosen.resource_id]
        assert appids([msal_client(resource_id=chosen.resource_id)["access_token"]]) == {chosen.client_id}
        emulator.requests.clear()
        assert appids(ours(resource_id=chosen.resource_id)) == {chosen.client_id}
        assert queries(emulator, name) == [chosen.resource_id] * 2


def test_2_a_selector_is_never_dropped(play: Any) -> None:
    with play("app-service") as emulator:
        chosen = emulator.machine.add_user_assigned("id-web")
        config = {"identity_config": {"mi_res_id": chosen.resource_id}}
        assert appids([sync_identity(**config)]) == {emulator.machine.system_assigned.client_id}
        assert appids([async_identity(**config)]) == {chosen.client_id}
        emulator.requests.clear()
        [one, other] = ours(mi_res_id=chosen.resource_id)
        assert isinstance(one, TypeError)
        assert isinstance(other, TypeError)
        assert len(emulator.requests) == 0


# 3: the response is for another identity


def test_3_a_token_of_another_identity_is_refused(play: Any) -> None:
    with play("app-service") as emulator:
        chosen = emulator.machine.add_user_assigned("id-web").client_id
        body = {"access_token": SECRET, "expires_on": "1893456000", "resource": RESOURCE, "token_type": "Bearer"}
        emulator.fail(body={**body, "client_id": OTHER}, times=5)
        assert sync_identity(client_id=chosen) == SECRET
        assert async_identity(client_id=chosen) == SECRET
        assert msal_client(client_id=chosen)["access_token"] == SECRET
        for outcome in ours(client_id=chosen):
            assert isinstance(outcome, ImdsResponseError)
            assert SECRET not in str(outcome)


# 4, 5, 19: Service Fabric


def test_4_a_wrong_certificate_is_refused_before_the_secret_is_sent(play: Any, monkeypatch: Any) -> None:
    with play("service-fabric") as emulator:
        monkeypatch.setenv("IDENTITY_SERVER_THUMBPRINT", "00" * 20)
        assert isinstance(sync_identity(), Exception)
        assert isinstance(msal_client(), Exception)
        for outcome in ours():
            assert isinstance(outcome, ImdsUnavailableError)
        assert len(emulator.requests) == 0
        # The asynchronous library verifies nothing.
        assert isinstance(async_identity(), str)
        assert emulator.requests[0].headers["Secret"] == emulator.environment["IDENTITY_HEADER"]


def test_5_a_selector_that_service_fabric_lacks_is_refused(play: Any) -> None:
    with play("service-fabric") as emulator:
        chosen = emulator.machine.add_user_assigned("id-web").client_id
        assert isinstance(sync_identity(client_id=chosen), Exception)
        assert isinstance(async_identity(client_id=chosen), Exception)
        assert len(emulator.requests) == 0
        default = emulator.machine.system_assigned.client_id
        assert appids([msal_client(client_id=chosen)["access_token"]]) == {default}
        emulator.requests.clear()
        for outcome in ours(client_id=chosen):
            assert isinstance(outcome, ImdsValidationError)
        assert len(emulator.requests) == 0


def test_19_an_application_without_an_identity_is_explained(play: Any) -> None:
    with play("service-fabric") as emulator:
        emulator.machine.system_assigned = None
        assert "not found in environment" in str(sync_identity())
        assert type(async_identity()).__name__ == "ClientAuthenticationError"
        assert msal_client()["error"] == "invalid_client"
        for outcome in ours():
            assert isinstance(outcome, IdentityNotFoundError)
            assert "Assign the identity in the application manifest" in str(outcome)


# 6: proxies


def test_6_a_proxy_does_not_see_the_secret(play: Any, monkeypatch: Any) -> None:
    # An emulator is a proxy that keeps requests.
    with play("app-service") as emulator, Emulator() as proxy:
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, proxy.endpoint)
        assert len(ours()) == len(emulator.requests) == 2
        assert len(proxy.requests) == 0
        for get in (sync_identity, async_identity, msal_client):
            get()
            assert proxy.requests[-1].headers["X-IDENTITY-HEADER"] == emulator.environment["IDENTITY_HEADER"]
            proxy.requests.clear()


# 7: rotation


def test_7_a_rotated_secret_is_followed(play: Any, monkeypatch: Any) -> None:
    async def with_aio() -> Outcome:
        async with aio.ManagedIdentityCredential(retry_total=0) as credential:
            rotate()
            return (await credential.get_token(SCOPE)).token

    def with_sync() -> Outcome:
        with identity.ManagedIdentityCredential(retry_total=0) as credential:
            rotate()
            return credential.get_token(SCOPE).token

    def with_ours() -> Outcome:
        with ImdsCredential(retry=None) as credential:
            rotate()
            return credential.get_token(SCOPE).token

    async def with_our_async() -> Outcome:
        async with AsyncImdsCredential(retry=None) as credential:
            rotate()
            return (await credential.get_token(SCOPE)).token

    with play("app-service") as emulator:

        def rotate() -> None:
            emulator.rotate_secret()
            monkeypatch.setenv("IDENTITY_HEADER", emulator.environment["IDENTITY_HEADER"])

        assert isinstance(attempt(with_sync), str)
        assert isinstance(attempt(lambda: asyncio.run(with_aio())), Exception)
        assert isinstance(attempt(with_ours), str)
        assert isinstance(attempt(lambda: asyncio.run(with_our_async())), str)


# 8 to 10: errors of App Service


def test_8_an_app_without_an_identity_is_explained(play: Any) -> None:
    with play("app-service") as emulator:
        emulator.machine.system_assigned = None
        assert "configuration not found in environment" in str(sync_identity())
        assert type(async_identity()).__name__ == "ClientAuthenticationError"
        assert msal_client()["error"] == "invalid_scope"
        for outcome in ours():
            assert isinstance(outcome, IdentityNotFoundError)
            assert "No User Assigned or Delegated Managed Identity found" in str(outcome)
            assert "under Identity of the app" in str(outcome)


def test_9_the_error_of_the_platform_is_read(play: Any) -> None:
    with play("app-service") as emulator:
        emulator.fail(503, times=5)
        assert "(invalid_scope) None, None" in str(sync_identity())
        assert "'ServiceErrorCodes': None" in str(async_identity())
        assert msal_client()["error_description"] == "None, None"
        for outcome in ours():
            assert isinstance(outcome, ServerError)
            assert "503 service_unavailable" in str(outcome)


def test_10_an_empty_error_has_its_class(play: Any) -> None:
    with play("app-service") as emulator:
        emulator.fail(500, times=5)
        assert type(sync_identity()).__name__ == "JSONDecodeError"
        assert isinstance(async_identity(), Exception)
        assert type(msal_client()).__name__ == "JSONDecodeError"
        for outcome in ours():
            assert isinstance(outcome, ServerError)
            assert "500 without explanation" in str(outcome)


# 11, 12: dates


def test_11_a_date_on_app_service_is_read(play: Any) -> None:
    with play("app-service") as emulator:
        emulator.fail(body={"access_token": SECRET, "expires_on": DATE, "token_type": "Bearer"}, times=5)
        assert type(sync_identity()) is ValueError
        assert type(async_identity()) is ValueError
        assert type(msal_client()) is ValueError
        assert ours() == [SECRET, SECRET]


@pytest.mark.parametrize("host", ["app-service-2017", "machine-learning"])
def test_12_a_date_with_the_variables_of_2017_is_read(play: Any, host: str) -> None:
    with play(host, token_example="TokenWithDate") as emulator:
        assert type(sync_identity()) is ValueError
        assert isinstance(async_identity(), str)
        assert type(msal_client()) is ValueError
        assert appids(ours()) == {emulator.machine.system_assigned.client_id}


# 13: a token in an exception


def test_13_a_truncated_response_shows_no_token(play: Any, caplog: pytest.LogCaptureFixture) -> None:
    with play("app-service") as emulator:
        body = json.dumps({"access_token": SECRET, "expires_on": "1893456000"}).encode()[:-1]
        emulator.fail(body=body, times=5, headers={"Content-Type": "application/json"})
        assert SECRET in _text(sync_identity())
        assert SECRET in _text(async_identity())
        assert SECRET in _text(msal_client())
        caplog.clear()
        for outcome in ours():
            assert isinstance(outcome, ImdsError)
            assert SECRET not in _text(outcome)
        assert SECRET not in caplog.text


def _text(error: BaseException) -> str:
    """Everything that a report of an error may show."""
    chain = [error, error.__cause__, error.__context__]
    return " ".join(f"{one!s} {one!r} {getattr(one, '__dict__', '')} {getattr(one, 'doc', '')}" for one in chain)


# 14 to 16: Machine Learning


def test_14_the_default_identity_of_machine_learning_is_sent(play: Any, monkeypatch: Any) -> None:
    with play("machine-learning") as emulator:
        chosen = emulator.machine.add_user_assigned("id-compute").client_id
        monkeypatch.setenv("DEFAULT_IDENTITY_CLIENT_ID", chosen)
        for get in (sync_identity, async_identity, msal_client):
            get()
        assert queries(emulator, "clientid") == [None] * 3
        assert appids(ours()) == {chosen}
        assert queries(emulator, "clientid") == [chosen] * 2


def test_15_a_resource_id_on_machine_learning_is_refused(play: Any) -> None:
    with play("machine-learning") as emulator:
        chosen = emulator.machine.add_user_assigned("id-compute")
        default = emulator.machine.system_assigned.client_id
        config = {"identity_config": {"resource_id": chosen.resource_id}}
        tokens = [sync_identity(**config), async_identity(**config)]
        tokens.append(msal_client(resource_id=chosen.resource_id)["access_token"])
        assert appids(tokens) == {default}
        names = [next(name for name in request.query if name.endswith("_id")) for request in emulator.requests]
        assert names == ["msi_res_id", "resource_id", "msi_res_id"]
        emulator.requests.clear()
        for outcome in ours(resource_id=chosen.resource_id):
            assert isinstance(outcome, ImdsValidationError)
        assert len(emulator.requests) == 0


def test_16_an_error_as_text_is_read(play: Any) -> None:
    with play("machine-learning") as emulator:
        emulator.machine.system_assigned = None
        assert type(sync_identity()).__name__ == "JSONDecodeError"
        assert type(async_identity()).__name__ == "CredentialUnavailableError"
        assert type(msal_client()).__name__ == "JSONDecodeError"
        for outcome in ours(client_id=OTHER):
            assert isinstance(outcome, IdentityNotFoundError)
            assert "Request failure status code: 404" in str(outcome)


# 17: Cloud Shell


def test_17_the_token_comes_from_cloud_shell(play: Any) -> None:
    asked: list[str] = []

    class Recorder:
        """Sends nothing, because msal would ask 169.254.169.254."""

        def get(self, url: str, **options: Any) -> Any:
            asked.append(url)
            raise ConnectionError

    with play("cloud-shell") as emulator:
        client = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=Recorder())
        assert isinstance(attempt(client.acquire_token_for_client, resource=RESOURCE), ConnectionError)
        assert asked[0].startswith("http://169.254.169.254/")
        user = {emulator.machine.system_assigned.client_id}
        assert appids([sync_identity(), async_identity(), *ours()]) == user


# 18: many callers


def test_18_many_callers_send_one_request(play: Any) -> None:
    def in_threads(credential: Any) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda _: credential.get_token(SCOPE), range(THREADS)))

    async def in_tasks(credential: Any) -> None:
        async with credential:
            await asyncio.gather(*(credential.get_token(SCOPE) for _ in range(THREADS)))

    with play("app-service") as emulator:

        def count() -> int:
            number = len(emulator.requests)
            emulator.requests.clear()
            return number

        emulator.fail(delay=0.2, seconds=3600)
        with identity.ManagedIdentityCredential() as credential:
            in_threads(credential)
        assert count() == THREADS
        asyncio.run(in_tasks(aio.ManagedIdentityCredential()))
        assert count() == THREADS
        with ImdsCredential() as own:
            in_threads(own)
        assert count() == 1
        asyncio.run(in_tasks(AsyncImdsCredential()))
        assert count() == 1
