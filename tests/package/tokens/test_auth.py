"""`ImdsAuth` adds a bearer token to every request of an httpx client, and sends it nowhere else."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from auth_support import LIBRARIES, SERVICE, Service, challenge, send
from azure_imds import (
    AsyncImdsClient,
    AsyncImdsCredential,
    IdentityNotFoundError,
    ImdsAuth,
    ImdsClient,
    ImdsCredential,
    ImdsUnavailableError,
    ImdsValidationError,
)
from azure_imds._tokens import httpx_auth as _auth
from azure_imds_emulator import Emulator
from support import CANARY, CLIENT_ID, Colour, Wire, answer, collect_texts, raw_server, reply
from token_support import DOWN, FOREVER, Imds


def test_every_request_carries_a_token(colour: Colour) -> None:
    imds, service = Imds(), Service(answer(200))
    send(colour, service, ImdsAuth(SERVICE, transport=imds), *[("GET", SERVICE)] * 3)
    assert service.tokens == ["1", "1", "1"]
    assert len(imds) == 1


def test_one_auth_serves_both_kinds_of_client() -> None:
    with Emulator() as emulator:
        auth, service = ImdsAuth(SERVICE, endpoint=emulator.endpoint), Service(answer(200))
        for name in ("sync", "asyncio", "trio"):
            (response,) = send(Colour(name), service, auth)
            assert response.status_code == 200
    assert len(set(service.authorizations)) == 1


def test_options_reach_the_credential(colour: Colour) -> None:
    imds = Imds(client_id=CLIENT_ID)
    send(colour, Service(answer(200)), ImdsAuth(f"{SERVICE}/.default", transport=imds, client_id=CLIENT_ID))
    assert imds.query()["client_id"] == CLIENT_ID
    assert imds.query()["resource"] == SERVICE


def test_a_given_client_is_used(colour: Colour) -> None:
    imds, service = Imds(), Service(answer(200))
    client: Any = (ImdsClient if colour.name == "sync" else AsyncImdsClient)(transport=imds)
    send(colour, service, ImdsAuth(SERVICE, client=client))
    assert service.tokens == ["1"]


def test_the_stored_tokens_of_a_given_credential_are_used(colour: Colour) -> None:
    imds, service = Imds(), Service(answer(200))
    credential = kinds(colour)[0](transport=imds)
    send(colour, service, ImdsAuth(SERVICE, credential=credential))
    send(colour, service, copy.copy(ImdsAuth(f"{SERVICE}/.default", credential=credential)))
    assert service.tokens == ["1", "1"]
    assert len(imds) == 1


def test_a_credential_of_the_other_kind_is_rejected_before_anything_is_sent(colour: Colour) -> None:
    imds, service = Imds(), Service(answer(200))
    (error,) = send(colour, service, ImdsAuth(SERVICE, credential=kinds(colour)[1](transport=imds)))
    assert isinstance(error, ImdsValidationError)
    assert error.parameter == "credential"
    assert str(error).startswith("ImdsAuth: credential must be an ImdsCredential for httpx.Client")
    assert not imds
    assert not service.requests


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [({"credential": "me"}, "credential"), ({"credential": ImdsCredential(), "client_id": CLIENT_ID}, "client_id")],
)
def test_options_cannot_be_combined_with_a_credential(arguments: dict[str, Any], parameter: str) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        ImdsAuth(SERVICE, **arguments)
    assert caught.value.parameter == parameter
    assert str(caught.value).startswith(f"ImdsAuth: {parameter} ")


def kinds(colour: Colour) -> list[Any]:
    """Returns the kind of credential for such a client, and the other kind."""
    found: list[Any] = [ImdsCredential, AsyncImdsCredential]
    return found if colour.name == "sync" else found[::-1]


def test_the_callers_authorization_is_replaced(colour: Colour) -> None:
    service = Service(answer(200))
    send(colour, service, ImdsAuth(SERVICE, transport=Imds()), headers={"Authorization": "Basic eA=="})
    assert service.tokens == ["1"]


def test_without_a_token_nothing_is_sent(colour: Colour) -> None:
    imds, service = Imds(), Service(answer(200))
    imds.failure = answer(400, {"error": "invalid_request", "error_description": "Identity not found"})
    (error,) = send(colour, service, ImdsAuth(SERVICE, transport=imds))
    assert isinstance(error, IdentityNotFoundError)
    assert str(error).startswith("ImdsAuth: ")
    assert not service.requests


def test_a_claims_challenge_is_answered_once_with_a_new_token(colour: Colour) -> None:
    imds = Imds()
    service = Service(answer(401, www_authenticate=challenge()), answer(200, "done"))
    (response,) = send(colour, service, ImdsAuth(SERVICE, transport=imds))
    assert response.text == "done"
    assert service.tokens == ["1", "2"]
    assert imds.query()["bypass_cache"] == "true"


def test_a_second_challenge_is_returned_to_the_caller(colour: Colour) -> None:
    imds = Imds()
    service = Service(answer(401, www_authenticate=challenge()))
    (response,) = send(colour, service, ImdsAuth(SERVICE, transport=imds))
    assert response.status_code == 401
    assert service.tokens == ["1", "2"]
    assert len(imds) == 2


def test_after_a_challenge_later_requests_use_the_new_token(colour: Colour) -> None:
    imds = Imds()
    service = Service(answer(401, www_authenticate=challenge()), answer(200))
    send(colour, service, ImdsAuth(SERVICE, transport=imds), *[("GET", SERVICE)] * 3)
    assert service.tokens == ["1", "2", "2", "2"]


@pytest.mark.parametrize(
    "header",
    [
        challenge(error="invalid_token"),
        f'PoP realm="", nonce="x", {challenge()}',
        challenge().replace("==", ""),
        challenge("ü?>" * 9).replace("+", "-").replace("/", "_"),
        challenge().replace("Bearer", "bearer").replace("claims=", "Claims = "),
        'Bearer claims="e30", realm=""',
    ],
    ids=["session revoked", "second scheme", "no padding", "url-safe", "case", "first"],
)
def test_claims_are_found_in_any_spelling(colour: Colour, header: str) -> None:
    service = Service(answer(401, www_authenticate=header), answer(200))
    (response,) = send(colour, service, ImdsAuth(SERVICE, transport=Imds()))
    assert response.status_code == 200
    assert service.tokens == ["1", "2"]


def test_claims_are_found_in_any_of_several_headers(colour: Colour) -> None:
    def service(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        headers = [("WWW-Authenticate", 'Basic realm="x"'), ("WWW-Authenticate", challenge())]
        return httpx.Response(401 if len(seen) == 1 else 200, headers=headers)

    seen: list[httpx.Request] = []
    (response,) = send(colour, service, ImdsAuth(SERVICE, transport=Imds()))
    assert response.status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        'Bearer realm="", error="invalid_token"',
        'Bearer error="insufficient_claims"',
        'Bearer error="insufficient_claims", claims=""',
        'Bearer error="insufficient_claims", claims="=", x="y"',
        'Bearer error="insufficient_claims", claims="gICA"',
        'Basic realm="x"',
        'Bearer xclaims="e30="',
        'Bearer insufficient_claims="e30="',
        "Bearer claims",
        'PoP claims="e30="',
        "Bearer " + "claims" + " " * 50_000 + "=",
        "Bearer " * 10_000,
    ],
    ids=lambda header: str(header)[:50],
)
def test_any_other_401_is_returned_to_the_caller(colour: Colour, header: str | None) -> None:
    imds = Imds()
    service = Service(answer(401) if header is None else answer(401, www_authenticate=header), answer(200))
    (response,) = send(colour, service, ImdsAuth(SERVICE, transport=imds))
    assert response.status_code == 401
    assert (len(imds), service.tokens) == (1, ["1"])


@pytest.mark.parametrize("status", [200, 400, 403, 407, 500])
def test_a_challenge_with_another_status_is_returned_to_the_caller(colour: Colour, status: int) -> None:
    imds = Imds()
    service = Service(answer(status, www_authenticate=challenge()))
    (response,) = send(colour, service, ImdsAuth(SERVICE, transport=imds))
    assert response.status_code == status
    assert len(imds) == 1


def test_a_failed_fetch_after_a_challenge_is_the_error(colour: Colour) -> None:
    imds = Imds()

    def service(request: httpx.Request) -> httpx.Response:
        imds.failure = DOWN
        return httpx.Response(401, headers={"www-authenticate": challenge()})

    (error,) = send(colour, service, ImdsAuth(SERVICE, transport=imds, retry=None))
    assert isinstance(error, ImdsUnavailableError)


def test_a_body_is_sent_again(colour: Colour) -> None:
    service = Service(answer(401, www_authenticate=challenge()), answer(200))
    send(colour, service, ImdsAuth(SERVICE, transport=Imds()), ("PUT", SERVICE), content=b"the body")
    assert [request.content for request in service.requests] == [b"the body"] * 2


def test_a_body_that_cannot_be_sent_again_is_not_sent_and_the_next_request_has_the_new_token(colour: Colour) -> None:
    # Otherwise httpx would raise, and the caller would not see the 401.
    def chunks() -> Iterator[bytes]:
        yield b"body"

    async def achunks() -> AsyncIterator[bytes]:
        yield b"body"

    auth = ImdsAuth(SERVICE, transport=Imds())
    service = Service(answer(401, www_authenticate=challenge()), answer(200))
    body = chunks() if colour.name == "sync" else achunks()
    (response,) = send(colour, service, auth, ("PUT", SERVICE), content=body, transport=Streaming(service))
    assert response.status_code == 401
    send(colour, service, auth)
    assert service.tokens == ["1", "2"]


class Streaming(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Reads a body once, as a network does."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        assert b"".join(request.stream) == b"body"
        return self.service(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        assert b"".join([chunk async for chunk in request.stream]) == b"body"
        return self.service(request)


def test_many_challenges_at_once_fetch_one_new_token() -> None:
    imds = Imds()
    auth = ImdsAuth(SERVICE, transport=imds)
    first = threading.Barrier(8)

    def service(request: httpx.Request) -> httpx.Response:
        if request.headers["authorization"].endswith("-1"):
            first.wait(FOREVER)
            return httpx.Response(401, headers={"www-authenticate": challenge()})
        return httpx.Response(200)

    with httpx.Client(transport=httpx.MockTransport(service), auth=auth) as client, ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda _: client.get(SERVICE), range(8)))
    assert {response.status_code for response in responses} == {200}
    assert len(imds) <= 9


@pytest.mark.parametrize(
    "url",
    [
        "http://vault.azure.net",
        "http://169.254.169.254",
        "http://10.0.0.1:8080",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://evil.example/localhost",
        "http://localhost@evil.example",
        "http://0.0.0.0",
        "http://[::ffff:10.0.0.1]",
        "HTTP://VAULT.AZURE.NET",
    ],
)
def test_a_token_for_plain_http_is_not_sent_and_not_fetched(colour: Colour, url: str) -> None:
    imds, service = Imds(), Service(answer(200))
    (error,) = send(colour, service, ImdsAuth(SERVICE, transport=imds), ("GET", url))
    assert isinstance(error, ImdsValidationError)
    assert error.parameter == "url"
    assert str(error).startswith("ImdsAuth: url must use https")
    assert not service.requests
    assert not imds.requests


@pytest.mark.parametrize(
    "url",
    ["http://localhost", "http://LOCALHOST:8080", "http://127.0.0.1:8080/x", "http://127.1.2.3", "http://[::1]:80"],
)
def test_plain_http_to_this_machine_is_allowed(colour: Colour, url: str) -> None:
    service = Service(answer(200))
    send(colour, service, ImdsAuth(SERVICE, transport=Imds()), ("GET", url))
    assert service.tokens == ["1"]


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/",
        "https://vault.azure.net.evil.example/",
        "https://vault.azure.net:8443/",
        "http://vault.azure.net/",
        "//evil.example/",
    ],
)
def test_a_redirect_to_another_host_carries_no_token(colour: Colour, location: str) -> None:
    service = Service(answer(302, location=location), answer(200))
    send(colour, service, ImdsAuth(SERVICE, transport=Imds()), follow_redirects=True)
    assert service.tokens == ["1", None]


@pytest.mark.parametrize(
    "location", ["https://evil.example/", "https://vault.azure.net:8443/", "http://vault.azure.net/"]
)
def test_a_challenge_from_another_host_is_ignored(colour: Colour, location: str) -> None:
    imds = Imds()
    service = Service(answer(307, location=location), answer(401, www_authenticate=challenge()), answer(200))
    (response,) = send(colour, service, ImdsAuth(SERVICE, transport=imds), follow_redirects=True)
    assert response.status_code == 401
    assert service.tokens == ["1", None]
    assert len(imds) == 1


def test_a_redirect_within_the_service_keeps_the_token_and_may_challenge(colour: Colour) -> None:
    service = Service(
        answer(307, location="/elsewhere"),
        answer(401, www_authenticate=challenge()),
        answer(307, location="/elsewhere"),
        answer(200, "done"),
    )
    (response,) = send(colour, service, ImdsAuth(SERVICE, transport=Imds()), follow_redirects=True)
    assert response.text == "done"
    assert service.tokens == ["1", "1", "2", "2"]


BOTH_LIBRARIES = pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: str(library.__name__))


@BOTH_LIBRARIES
def test_a_redirect_is_followed_only_if_the_program_asks_for_it(colour: Colour, library: Any) -> None:
    service = Service(answer(307, location="/elsewhere"), answer(200))
    (response,) = send(colour, service, ImdsAuth(SERVICE, transport=Imds()), library=library)
    assert response.status_code == 307
    assert len(service.requests) == 1


@BOTH_LIBRARIES
@pytest.mark.parametrize("location", ["/elsewhere", "https://vault.azure.net/x", "//VAULT.azure.net:443/", "?x=1"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_within_one_origin_carries_the_token(
    colour: Colour, library: Any, location: str, status: int
) -> None:
    service = Service(answer(status, location=location), answer(200))
    auth = ImdsAuth(SERVICE, transport=Imds())
    send(colour, service, auth, ("POST", SERVICE), library=library, follow_redirects=True)
    assert service.tokens == ["1", "1"]


@BOTH_LIBRARIES
def test_after_a_redirect_to_another_host_the_way_back_carries_no_token(colour: Colour, library: Any) -> None:
    service = Service(answer(302, location="https://other.example/"), answer(302, location=SERVICE), answer(200))
    send(colour, service, ImdsAuth(SERVICE, transport=Imds()), library=library, follow_redirects=True)
    assert service.tokens == ["1", None, None]


@BOTH_LIBRARIES
def test_a_redirect_from_http_to_https_on_this_machine_carries_the_token(colour: Colour, library: Any) -> None:
    service = Service(answer(301, location="https://localhost/"), answer(200))
    auth = ImdsAuth(SERVICE, transport=Imds())
    send(colour, service, auth, ("GET", "http://localhost/"), library=library, follow_redirects=True)
    assert service.tokens == ["1", "1"]


def test_another_host_receives_no_token_over_real_sockets() -> None:
    other = Wire(reply(200, "ok"))
    with raw_server(other) as elsewhere:
        port = elsewhere.rpartition(":")[2]
        first = Wire(reply(302, "", f"Location: http://localhost:{port}/"))
        with (
            raw_server(first) as url,
            httpx.Client(auth=ImdsAuth(SERVICE, transport=Imds()), follow_redirects=True, trust_env=False) as client,
        ):
            assert client.get(url).text == "ok"
    assert first.header("authorization") == f"Bearer {CANARY}-1"
    assert other.header("authorization") is None


@pytest.mark.parametrize("scope", ["", " ", "/.default", "a b", None, 5, ["https://x"]], ids=repr)
def test_a_malformed_scope_is_rejected_by_the_constructor(scope: Any) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        ImdsAuth(scope)
    assert caught.value.parameter == "scope"
    assert str(caught.value).startswith("ImdsAuth: scope must ")


@pytest.mark.parametrize(
    "options",
    [
        {"client_id": ""},
        {"resource_id": "x", "transport": Imds()},
        {"object_id": "x", "client": ImdsClient()},
        {"deadline": -1},
        {"shared_cache": 5},
    ],
    ids=lambda options: next(iter(options)),
)
def test_a_malformed_option_is_rejected_by_the_constructor(options: dict[str, Any]) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        ImdsAuth(SERVICE, **options)
    assert caught.value.parameter == next(iter(options))
    assert str(caught.value).startswith(f"ImdsAuth: {caught.value.parameter} must ")


def test_an_unknown_option_is_rejected_by_the_constructor() -> None:
    with pytest.raises(TypeError):
        ImdsAuth(SERVICE, identity="x")


def test_the_constructor_fetches_nothing() -> None:
    imds = Imds()
    ImdsAuth(SERVICE, transport=imds)
    assert not imds.requests


def test_threads_that_start_together_share_one_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    imds, made = Imds(), []
    auth = ImdsAuth(SERVICE, transport=imds)
    barrier, usual = threading.Barrier(8), _auth.ImdsCredential

    class Slow(usual):  # type: ignore[misc, valid-type]
        def __init__(self, **options: Any) -> None:
            made.append(1)
            if len(made) <= 8:
                barrier.wait(FOREVER)
            super().__init__(**options)

    monkeypatch.setattr(_auth, "ImdsCredential", Slow)

    def one(_: int) -> httpx.Response:
        with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200)), auth=auth) as client:
            return client.get(SERVICE)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(8)))
    assert len(made) == 8, "all of them found none"
    assert len(imds) == 1


def test_its_repr_shows_the_scope_and_no_token(colour: Colour) -> None:
    auth = ImdsAuth(SERVICE, transport=Imds())
    send(colour, Service(answer(200)), auth)
    assert repr(auth) == "ImdsAuth('https://vault.azure.net')"


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda auth: pickle.loads(pickle.dumps(auth))])
def test_an_auth_that_was_used_can_be_copied_and_pickled(colour: Colour, again: Callable[[ImdsAuth], ImdsAuth]) -> None:
    with Emulator() as emulator:
        auth = ImdsAuth(f"{SERVICE}/.default", endpoint=emulator.endpoint)
        send(colour, Service(answer(200)), auth)
        service = Service(answer(200))
        send(colour, service, again(auth))
        assert emulator.requests.total == 2, "the copy fetches a token of its own"
    assert service.authorizations[0].startswith("Bearer ")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_no_token_is_in_its_pickle(protocol: int) -> None:
    with Emulator() as emulator:
        auth, service = ImdsAuth(SERVICE, endpoint=emulator.endpoint), Service(answer(200))
        send(Colour("sync"), service, auth)
        send(Colour("asyncio"), service, auth)
        data = pickle.dumps(auth, protocol)
    for value in service.authorizations:
        assert value.removeprefix("Bearer ").encode() not in data


def test_an_error_of_a_second_fetch_shows_no_token(colour: Colour) -> None:
    imds = Imds()

    def service(request: httpx.Request) -> httpx.Response:
        imds.failure = answer(400, {"error": "x"})
        return httpx.Response(401, headers={"www-authenticate": challenge()})

    (error,) = send(colour, service, ImdsAuth(SERVICE, transport=imds))
    assert CANARY not in collect_texts(error)
