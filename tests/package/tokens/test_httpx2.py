"""`ImdsAuth` in the clients of httpx2, an optional peer. The behaviour is the same as in those of httpx."""

from __future__ import annotations

import copy
import pickle
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import httpx2
import pytest

from auth_support import LIBRARIES, SERVICE, Service, challenge, send
from azure_imds import IdentityNotFoundError, ImdsAuth, ImdsValidationError
from azure_imds_emulator import Emulator
from support import CANARY, Colour, Wire, answer, collect_texts, find_secret, python, raw_server, reply
from token_support import Clocks, Imds


def test_every_request_carries_a_token(colour: Colour) -> None:
    imds, service = Imds(), Service(answer(200))
    results = send(colour, service, ImdsAuth(SERVICE, transport=imds), *[("GET", SERVICE)] * 3, library=httpx2)
    assert [type(result) for result in results] == [httpx2.Response] * 3
    assert service.tokens == ["1", "1", "1"]
    assert len(imds) == 1


def test_a_token_reaches_a_service_over_a_socket(colour: Colour) -> None:
    wire = Wire(reply(200, "ok", "Connection: close"))
    with raw_server(wire) as url:
        (response,) = send(colour, None, ImdsAuth(SERVICE, transport=Imds()), ("GET", url), library=httpx2)
    assert response.text == "ok"
    assert wire.header("authorization") == f"Bearer {CANARY}-1"


def test_a_claims_challenge_is_answered_once_with_a_new_token_and_the_same_body(colour: Colour) -> None:
    imds = Imds()
    service = Service(answer(401, www_authenticate=challenge()), answer(200, "done"))
    auth = ImdsAuth(SERVICE, transport=imds)
    (response,) = send(colour, service, auth, ("PUT", SERVICE), library=httpx2, content=b"the body")
    assert response.text == "done"
    assert service.tokens == ["1", "2"]
    assert [request.content for request in service.requests] == [b"the body"] * 2
    assert imds.query()["bypass_cache"] == "true"


def test_a_body_that_cannot_be_sent_again_is_not_sent(colour: Colour) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"body"

    async def achunks() -> AsyncIterator[bytes]:
        yield b"body"

    body = chunks() if colour.name == "sync" else achunks()
    imds, service = Imds(), Service(answer(401, www_authenticate=challenge()))
    auth = ImdsAuth(SERVICE, transport=imds)
    call = ("PUT", SERVICE)
    (response,) = send(colour, service, auth, call, library=httpx2, content=body, transport=Streaming(service))
    assert response.status_code == 401
    assert len(service.requests) == 1
    assert len(imds) == 2, "the next request has the new token"


class Streaming(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Reads a body once, as a network does."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        assert isinstance(request.stream, httpx2.SyncByteStream)
        assert b"".join(request.stream) == b"body"
        response: httpx2.Response = self.service(request)
        return response

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        assert isinstance(request.stream, httpx2.AsyncByteStream)
        assert b"".join([chunk async for chunk in request.stream]) == b"body"
        response: httpx2.Response = self.service(request)
        return response


def test_without_a_token_nothing_is_sent(colour: Colour) -> None:
    imds, service = Imds(), Service(answer(200))
    imds.failure = answer(400, {"error": "invalid_request", "error_description": "Identity not found"})
    (error,) = send(colour, service, ImdsAuth(SERVICE, transport=imds), library=httpx2)
    assert isinstance(error, IdentityNotFoundError)
    assert not service.requests


def test_a_token_for_plain_http_is_not_sent_and_not_fetched(colour: Colour) -> None:
    imds, service = Imds(), Service(answer(200))
    auth = ImdsAuth(SERVICE, transport=imds)
    (error,) = send(colour, service, auth, ("GET", "http://vault.azure.net"), library=httpx2)
    assert isinstance(error, ImdsValidationError)
    assert not service.requests
    assert not imds.requests


@pytest.mark.parametrize(("url", "is_sent"), [("wss://vault.azure.net", True), ("ws://vault.azure.net", False)])
def test_a_websocket_gets_a_token_over_tls_only(colour: Colour, url: str, is_sent: bool) -> None:
    service = Service(answer(200))
    send(colour, service, ImdsAuth(SERVICE, transport=Imds()), ("GET", url), library=httpx2)
    assert service.tokens == ["1"] * is_sent


def test_a_redirect_to_another_host_carries_no_token(colour: Colour) -> None:
    service = Service(answer(302, location="https://evil.example/"), answer(200))
    send(colour, service, ImdsAuth(SERVICE, transport=Imds()), library=httpx2, follow_redirects=True)
    assert service.tokens == ["1", None]


def test_a_request_that_fails_holds_no_token(colour: Colour) -> None:
    def fail(request: httpx2.Request) -> httpx2.Response:
        assert CANARY in request.headers["Authorization"]
        raise httpx2.ConnectError("refused", request=request)

    (error,) = send(colour, fail, ImdsAuth(SERVICE, transport=Imds()), library=httpx2)
    assert type(error) is httpx2.ConnectError
    assert not find_secret(CANARY, error.request.headers.raw)
    assert CANARY not in collect_texts(error)


def test_one_auth_serves_both_libraries(colour: Colour) -> None:
    imds = Imds()
    auth = ImdsAuth(SERVICE, transport=imds)
    for library in (httpx, httpx2, httpx):
        service = Service(answer(200))
        send(colour, service, auth, library=library)
        assert service.tokens == ["1"]
    assert len(imds) == 1


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda auth: pickle.loads(pickle.dumps(auth))])
def test_a_copy_is_accepted_as_well(colour: Colour, again: Callable[[ImdsAuth], ImdsAuth]) -> None:
    with Emulator() as emulator:
        service = Service(answer(200))
        send(colour, service, again(ImdsAuth(SERVICE, endpoint=emulator.endpoint)), library=httpx2)
    assert service.authorizations[0].startswith("Bearer ")


def test_it_is_an_auth_of_both_libraries() -> None:
    auth = ImdsAuth(SERVICE)
    assert isinstance(auth, (ImdsAuth, httpx.Auth))
    assert isinstance(auth, httpx2.Auth)
    assert type(auth) is ImdsAuth
    assert auth.__class__.__name__ == "ImdsAuth"
    assert issubclass(auth.__class__, ImdsAuth)


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: str(library.__name__))
def test_a_subclass_is_accepted_as_well(colour: Colour, library: Any) -> None:
    class Own(ImdsAuth):
        pass

    service = Service(answer(200))
    send(colour, service, Own(SERVICE, transport=Imds()), library=library)
    assert service.tokens == ["1"]


def test_httpx2_may_be_imported_after_the_auth_was_made() -> None:
    code = """if True:
        import sys
        from azure_imds import ImdsAuth
        auth = ImdsAuth("https://vault.azure.net")
        assert auth.__class__ is ImdsAuth
        assert not any(name.startswith("httpx2") for name in sys.modules), "it is optional"
        import httpx2
        httpx2.Client(auth=auth, transport=httpx2.MockTransport(print)).close()
    """
    done = python(code)
    assert done.returncode == 0, done.stderr


def test_a_forced_refresh_is_followed_by_a_pause(colour: Colour) -> None:
    clock = Clocks()
    imds, service = Imds(clock), Service(answer(401, www_authenticate=challenge()))
    auth = ImdsAuth(SERVICE, transport=imds, clock=clock)
    send(colour, service, auth, *[("GET", SERVICE)] * 5, library=httpx2)
    assert len(imds) == 2
