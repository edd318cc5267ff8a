"""The credential works in azure-core's pipelines and azure-identity's chains, and needs neither package."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import subprocess
import sys
import textwrap
from typing import Any

import pytest
from azure.core.credentials import SupportsTokenInfo, TokenCredential
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.core.pipeline import AsyncPipeline, Pipeline
from azure.core.pipeline.policies import (
    AsyncBearerTokenCredentialPolicy,
    AsyncRetryPolicy,
    BearerTokenCredentialPolicy,
    RetryPolicy,
)
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport
from azure.core.rest import HttpRequest
from azure.identity import ChainedTokenCredential, CredentialUnavailableError
from azure.identity.aio import ChainedTokenCredential as AsyncChainedTokenCredential

from azure_imds import (
    AsyncImdsCredential,
    BadRequestError,
    ForbiddenError,
    IdentityNotFoundError,
    ImdsCredential,
    ImdsError,
    ImdsResponseError,
    ImdsTimeoutError,
    ImdsUnavailableError,
    ImdsValidationError,
    MultipleIdentitiesError,
    ServerError,
    UnsupportedApiVersionError,
)
from azure_imds._client.single_flight import copy_error
from azure_imds._tokens.azure_identity import as_chain_error
from azure_imds_emulator import Emulator, Machine
from support import CANARY, Colour, answer, collect_texts, list_foreign
from token_support import DAY, DOWN, SCOPE, Clocks, Imds, holding, number

CHALLENGE = 'Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'


class Answer:
    """The part of a response that pipelines read."""

    def __init__(self, request: Any, status: int, headers: dict[str, str]) -> None:
        self.request, self.status_code, self.headers = request, status, headers
        self.reason, self.content_type = "", "text/plain"
        self.context: Any = None

    def read(self) -> bytes:
        return b""

    def text(self, *_: Any) -> str:
        return ""


class Service:
    """Records requests. It answers tokens with a number below `accepts` with 401 and a challenge."""

    def __init__(self, accepts: int = 0) -> None:
        self.accepts = accepts
        self.authorizations: list[str] = []

    def answer(self, request: Any) -> Answer:
        value = request.headers["Authorization"]
        self.authorizations.append(value)
        refused = self.accepts and int(value.rpartition("-")[2]) < self.accepts
        return Answer(request, 401 if refused else 200, {"WWW-Authenticate": CHALLENGE} if refused else {})

    @property
    def tokens(self) -> list[str]:
        return [value.removeprefix(f"Bearer {CANARY}-") for value in self.authorizations]


class Transport(HttpTransport):  # type: ignore[type-arg]
    def __init__(self, service: Service) -> None:
        self.service = service

    def send(self, request: Any, **_: Any) -> Any:
        return self.service.answer(request)

    def open(self) -> None: ...
    def close(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


class AsyncTransport(AsyncHttpTransport):  # type: ignore[type-arg]
    def __init__(self, service: Service) -> None:
        self.service = service

    async def send(self, request: Any, **_: Any) -> Any:
        return self.service.answer(request)

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def __aexit__(self, *_: object) -> None: ...


def pipeline_run(name: str, credential: Any, service: Service, times: int = 1, url: str = "https://x.example") -> int:
    """Sends requests through a pipeline of azure-core. Returns the last status."""
    request = HttpRequest("GET", url)
    if name == "sync":
        policies = [RetryPolicy(retry_total=0), BearerTokenCredentialPolicy(credential, SCOPE)]
        with Pipeline(Transport(service), policies=policies) as pipeline:
            return [pipeline.run(request).http_response.status_code for _ in range(times)][-1]

    async def main() -> int:
        policies = [AsyncRetryPolicy(retry_total=0), AsyncBearerTokenCredentialPolicy(credential, SCOPE)]
        async with AsyncPipeline(AsyncTransport(service), policies=policies) as pipeline:
            return [(await pipeline.run(request)).http_response.status_code for _ in range(times)][-1]

    return asyncio.run(main())


#: azure-core has asynchronous pipelines for asyncio only.
KINDS = {"sync": ImdsCredential, "asyncio": AsyncImdsCredential}


@pytest.fixture(params=KINDS)
def name(request: pytest.FixtureRequest) -> str:
    value: str = request.param
    return value


def credential(name: str, **options: Any) -> Any:
    return KINDS[name](**options)


def test_a_pipeline_signs_with_its_token(name: str) -> None:
    imds, service = Imds(), Service()
    assert pipeline_run(name, credential(name, transport=imds), service, times=3) == 200
    assert service.tokens == ["1", "1", "1"]
    assert imds.query()["resource"] == "https://vault.azure.net"
    assert len(imds) == 1


def test_a_challenge_in_a_pipeline_fetches_a_new_token(name: str) -> None:
    imds, service = Imds(), Service(accepts=2)
    assert pipeline_run(name, credential(name, transport=imds), service) == 200
    assert service.tokens == ["1", "2"]
    assert imds.query()["bypass_cache"] == "true"


def test_a_pipeline_with_cae_gets_a_token(name: str) -> None:
    imds, service = Imds(), Service()
    one = credential(name, transport=imds)
    request = HttpRequest("GET", "https://x.example")
    if name == "sync":
        policy = BearerTokenCredentialPolicy(one, SCOPE, enable_cae=True)
        Pipeline(Transport(service), policies=[policy]).run(request)
    else:
        apolicy = AsyncBearerTokenCredentialPolicy(one, SCOPE, enable_cae=True)
        asyncio.run(AsyncPipeline(AsyncTransport(service), policies=[apolicy]).run(request))
    assert service.tokens == ["1"]
    assert set(imds.query()) == {"api-version", "resource"}


def test_get_token_info_tells_a_pipeline_when_to_refresh(name: str) -> None:
    # Its policy uses refresh_on to ask again. That call does not wait either.
    clock = Clocks()
    imds = Imds(clock)
    with holding(Colour(name), transport=imds, clock=clock) as held:
        info = held.call(held.credential.get_token_info, SCOPE)
    assert (info.refresh_on, info.expires_on) == (clock.wall + DAY / 2, clock.wall + DAY)
    assert info.token_type == "Bearer"


def test_a_pipeline_raises_our_error(name: str) -> None:
    imds = Imds()
    imds.failure = answer(400, {"error": "invalid_request", "error_description": "Identity not found"})
    with pytest.raises(IdentityNotFoundError) as caught:
        pipeline_run(name, credential(name, transport=imds), Service())
    assert "Identity not found" in str(caught.value)


def test_azure_core_does_not_retry_our_errors() -> None:
    imds = Imds()
    imds.failure = DOWN
    policies = [RetryPolicy(retry_total=3, retry_backoff_factor=0), None]
    policies[1] = BearerTokenCredentialPolicy(ImdsCredential(transport=imds, retry=None), SCOPE)  # type: ignore[call-overload]
    with pytest.raises(ImdsUnavailableError):
        Pipeline(Transport(Service()), policies=policies).run(HttpRequest("GET", "https://x.example"))
    assert len(imds) == 1


def test_credentials_satisfy_the_protocols_of_azure_core() -> None:
    sync: TokenCredential = ImdsCredential()
    asynchronous: AsyncTokenCredential = AsyncImdsCredential()
    assert isinstance(sync, (TokenCredential, SupportsTokenInfo))
    assert isinstance(sync, SupportsTokenInfo)
    assert isinstance(asynchronous, AsyncTokenCredential)
    assert isinstance(asynchronous, AsyncSupportsTokenInfo)


@pytest.mark.parametrize(
    "options",
    [None, {}, {"enable_cae": True, "tenant_id": "t"}, {"claims": None}, {"pop": {"x": 1}}],
    ids=str,
)
def test_get_token_info_uses_the_same_tokens(colour: Colour, options: Any) -> None:
    imds = Imds()
    with holding(colour, transport=imds) as held:
        token = held.get_token()
        assert held.call(held.credential.get_token_info, SCOPE, options=options) is token
    assert len(imds) == 1


@pytest.mark.parametrize("options", [{"claims": "c"}, {"force_refresh": True}], ids=str)
def test_get_token_info_is_forced_by_its_options(colour: Colour, options: Any) -> None:
    imds = Imds()
    with holding(colour, transport=imds) as held:
        held.get_token()
        assert number(held.call(held.credential.get_token_info, SCOPE, options=options)) == 2


def test_a_credential_is_a_context_manager_that_closes(colour: Colour) -> None:
    async def use() -> None:
        async with AsyncImdsCredential(transport=Imds()) as one:
            await one.get_token(SCOPE)
        await one.close()

    if colour.name == "sync":
        with ImdsCredential(transport=Imds()) as credential:
            credential.get_token(SCOPE)
        credential.close()
    else:
        import anyio

        anyio.run(use, backend=colour.name)


class Last:
    """The credential at the end of a chain."""

    def get_token(self, *_: Any, **__: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken("the-last", 2_000_000_000)

    def get_token_info(self, *_: Any, **__: Any) -> Any:
        from azure.core.credentials import AccessTokenInfo

        return AccessTokenInfo("the-last", 2_000_000_000)

    def __enter__(self) -> Last:
        return self

    def __exit__(self, *_: object) -> None: ...

    def close(self) -> None: ...


class AsyncLast:
    async def get_token(self, *_: Any, **__: Any) -> Any:
        return Last().get_token()

    async def get_token_info(self, *_: Any, **__: Any) -> Any:
        return Last().get_token_info()

    async def __aenter__(self) -> AsyncLast:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def close(self) -> None: ...


def chain_run(name: str, one: Any, method: str = "get_token") -> str:
    """Returns the token from a chain of this credential and another."""
    if name == "sync":
        with ChainedTokenCredential(one, Last()) as chain:
            token: str = getattr(chain, method)(SCOPE).token
            return token

    async def main() -> str:
        async with AsyncChainedTokenCredential(one, AsyncLast()) as chain:  # type: ignore[arg-type]
            token: str = (await getattr(chain, method)(SCOPE)).token
            return token

    return asyncio.run(main())


CONTINUES = {
    "refused": DOWN,
    "no identity": answer(400, {"error": "invalid_request", "error_description": "Identity not found"}),
    "several identities": answer(
        400, {"error": "invalid_request", "error_description": "Multiple user assigned identities exist, please ..."}
    ),
    "another bad request": answer(400, {"error": "invalid_request"}),
    "docker": answer(403, "connecting to 169.254.169.254:80: ... unreachable network.", server=""),
    "a web server": answer(404, "<html>"),
}


@pytest.mark.parametrize("method", ["get_token", "get_token_info"])
@pytest.mark.parametrize("failure", [key for key in CONTINUES if key != "a web server"])
def test_a_chain_continues_without_imds_or_the_identity(name: str, failure: str, method: str) -> None:
    imds = Imds()
    imds.failure = CONTINUES[failure]
    assert chain_run(name, credential(name, transport=imds, retry=None), method) == "the-last"


def test_a_chain_continues_after_a_timeout(name: str) -> None:
    import httpx

    imds = Imds()
    imds.failure = httpx.ConnectTimeout("late")
    assert chain_run(name, credential(name, transport=imds, retry=None)) == "the-last"


def test_a_chain_continues_if_imds_is_disabled(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_IMDS_DISABLED", "1")
    assert chain_run(name, credential(name)) == "the-last"


def test_a_chain_continues_on_app_service(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("IDENTITY_HEADER", "x")
    assert chain_run(name, credential(name)) == "the-last"


def test_a_chain_continues_if_the_emulator_has_no_identity(name: str) -> None:
    with Emulator(machine=Machine(system_assigned=None)) as emulator:
        assert chain_run(name, credential(name, endpoint=emulator.endpoint)) == "the-last"


def test_a_chain_stops_at_the_credential_that_has_a_token(name: str) -> None:
    assert chain_run(name, credential(name, transport=Imds())) == f"{CANARY}-1"


@pytest.mark.parametrize("status", [403, 429, 500])
def test_a_chain_ends_if_imds_answers_with_an_error(name: str, status: int) -> None:
    imds = Imds()
    imds.failure = answer(status, {"error": "x", "error_description": "it is broken"})
    with pytest.raises(ClientAuthenticationError) as caught:
        chain_run(name, credential(name, transport=imds, retry=None))
    assert "it is broken" in str(caught.value)


def test_many_calls_of_a_chain_share_one_request_and_all_continue(name: str) -> None:
    imds = Imds()
    imds.failure = DOWN
    with holding(Colour(name), transport=imds, retry=None) as held:
        errors = held.crowd(20).results()
    assert all(isinstance(error, CredentialUnavailableError) for error in errors)
    assert all(isinstance(error, ImdsUnavailableError) for error in errors)


ERRORS: list[ImdsError] = [
    ImdsUnavailableError("no IMDS here", url="http://x", attempts=3, elapsed=1.5, retryable=True, hint="look"),
    ImdsTimeoutError("late", deadline=30.0, hint="wait"),
    BadRequestError("bad", status_code=400, error="e", error_description="d", request_id="r"),
    IdentityNotFoundError("none", status_code=400),
    MultipleIdentitiesError("many", status_code=400),
    UnsupportedApiVersionError("old", status_code=400, newest_versions=("2021-02-01",)),
]
errors = pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)


@errors
def test_a_converted_error_is_ours_and_azure_identitys(error: ImdsError) -> None:
    made = as_chain_error(error)
    assert isinstance(made, type(error))
    assert isinstance(made, CredentialUnavailableError)
    assert isinstance(made, (AzureError, HttpResponseError))
    assert type(made).__name__ == type(error).__name__
    assert not isinstance(error, AzureError), "the original is unchanged"


@errors
def test_a_converted_error_has_the_text_and_attributes_of_ours(error: ImdsError) -> None:
    made: Any = as_chain_error(error)
    assert (str(made), repr(made), made.args) == (str(error), repr(error), error.args)
    assert made.message == str(error)
    assert {name: getattr(made, name) for name in vars(error)} == vars(error)
    assert "".join(collect_texts(made)).count("azure_imds.errors") == 0 or str(error) in collect_texts(made)


@errors
def test_a_converted_error_has_every_attribute_of_azure_cores_errors(error: ImdsError) -> None:
    made: Any = as_chain_error(error)
    for attribute in vars(HttpResponseError(message="x")):
        getattr(made, attribute)


@errors
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_converted_error_survives_pickling(error: ImdsError, protocol: int) -> None:
    made = as_chain_error(error)
    again = pickle.loads(pickle.dumps(made, protocol))
    assert type(again) is type(made)
    assert (str(again), vars(again)) == (str(made), vars(made))


@errors
def test_a_converted_error_can_be_copied(error: ImdsError) -> None:
    made = as_chain_error(error)
    for again in (copy_error(made), copy.copy(made), copy.deepcopy(made)):
        assert again is not made
        assert type(again) is type(made)
        assert (str(again), vars(again)) == (str(made), vars(made))


@errors
def test_an_error_is_converted_once(error: ImdsError) -> None:
    made = as_chain_error(error)
    assert as_chain_error(made) is made
    assert type(as_chain_error(error)) is type(made), "the class is created once"


@pytest.mark.parametrize(
    "error",
    [ImdsValidationError("x"), ImdsResponseError("x"), ServerError("x"), ForbiddenError("x"), ValueError("x")],
    ids=lambda error: type(error).__name__,
)
def test_errors_that_end_a_chain_are_not_converted(error: Exception) -> None:
    assert as_chain_error(error) is error


def test_a_converted_error_has_no_cause_and_no_context(colour: Colour) -> None:
    imds = Imds()
    imds.failure = DOWN
    with holding(colour, transport=imds, retry=None) as held:
        error = held.error()
    assert isinstance(error, CredentialUnavailableError)
    assert list_foreign(error) == []
    assert error.__cause__ is None


def python(code: str, *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_nothing_of_azure_is_imported_and_everything_works_without_it() -> None:
    with Emulator() as emulator:
        found = python(
            """
            import asyncio, json, pickle, sys
            sys.modules["azure"] = None  # to import it would fail
            from azure_imds import *
            with ImdsCredential(endpoint=sys.argv[1]) as credential:
                token = credential.get_token("https://x/.default")
                info = credential.get_token_info("https://x/.default", options={"enable_cae": True})
            again = asyncio.run(AsyncImdsCredential(endpoint=sys.argv[1]).get_token("https://x/.default"))
            try:
                ImdsCredential(endpoint="http://127.0.0.1:1", retry=None).get_token("https://x")
            except ImdsUnavailableError as error:
                mro = [kind.__module__ for kind in type(error).__mro__]
            print(json.dumps([
                token is info, token.token == again.token, mro,
                [name for name in sys.modules if name.split(".")[0] in ("azure", "msal") and sys.modules[name]],
            ]))
            """,
            emulator.endpoint,
        )
    same, equal, mro, modules = found
    assert (same, equal, modules) == (True, True, [])
    assert set(mro) <= {"azure_imds.errors", "builtins"}


def test_a_converted_error_can_be_unpickled_without_azure() -> None:
    data = pickle.dumps(as_chain_error(ERRORS[0])).hex()
    mro, text, hint = python(
        """
        import json, pickle, sys
        sys.modules["azure"] = None
        error = pickle.loads(bytes.fromhex(sys.argv[1]))
        print(json.dumps([[kind.__name__ for kind in type(error).__mro__], str(error), error.hint]))
        """,
        data,
    )
    assert mro == ["ImdsUnavailableError", "ImdsError", "Exception", "BaseException", "object"]
    assert (text, hint) == ("no IMDS here", "look")


def test_errors_are_not_converted_if_azure_identity_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "azure.identity")
    assert as_chain_error(ERRORS[0]) is ERRORS[0]


def test_a_failed_early_refresh_ends_if_azure_identity_is_imported(colour: Colour) -> None:
    import azure.identity

    assert azure.identity.CredentialUnavailableError
    clock = Clocks(1_700_000_000)
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock, retry=None) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.failure = DOWN
        credential.get_token()
        credential.wait_for_refreshes()
        assert len(imds) == 2
