"""`ImdsAuth` refuses a request over plain http to this machine if the client would send it through a proxy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from auth_support import LIBRARIES, SERVICE, Service, send
from azure_imds import ImdsAuth, ImdsValidationError
from support import CANARY, Colour, Wire, answer, find_secret, raw_server, reply
from token_support import Imds

pytestmark = pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: str(library.__name__))


class Place:
    """A service and a proxy on this machine."""

    def __init__(self, url: str, service: Wire, proxy_url: str, proxy: Wire) -> None:
        self.url = url
        self.service = service
        self.proxy_url = proxy_url
        self.proxy = proxy


@pytest.fixture
def place() -> Iterator[Place]:
    service, proxy = Wire(reply(200, "service", "Connection: close")), Wire(reply(502, "proxy", "Connection: close"))
    with raw_server(service) as url, raw_server(proxy) as proxy_url:
        yield Place(url, service, proxy_url, proxy)


def request(place: Place, colour: Colour, imds: Imds, library: Any, **options: Any) -> Any:
    (result,) = send(colour, None, ImdsAuth(SERVICE, transport=imds), ("GET", place.url), library=library, **options)
    return result


def assert_refused(place: Place, imds: Imds, result: Any) -> None:
    assert isinstance(result, ImdsValidationError), result
    assert result.parameter == "url"
    assert str(result).startswith("ImdsAuth: url must not be requested through a proxy")
    assert "add 127.0.0.1 to NO_PROXY" in str(result)
    assert not place.proxy.requests
    assert not imds.requests


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_gets_no_token(
    library: Any, colour: Colour, place: Place, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, place.proxy_url)
    imds = Imds()
    assert_refused(place, imds, request(place, colour, imds, library))


def test_a_proxy_of_the_client_gets_no_token(library: Any, colour: Colour, place: Place) -> None:
    imds = Imds()
    assert_refused(place, imds, request(place, colour, imds, library, proxy=place.proxy_url, trust_env=False))


def test_a_mounted_proxy_gets_no_token(library: Any, colour: Colour, place: Place) -> None:
    kind = library.HTTPTransport if colour.name == "sync" else library.AsyncHTTPTransport
    imds = Imds()
    result = request(place, colour, imds, library, mounts={"all://127.0.0.1": kind(proxy=place.proxy_url)})
    assert_refused(place, imds, result)


@pytest.mark.parametrize(
    ("environment", "options"),
    [
        ({"HTTP_PROXY": "proxy"}, {"trust_env": False}),
        ({"HTTP_PROXY": "proxy", "NO_PROXY": "127.0.0.1"}, {}),
        ({"ALL_PROXY": "proxy", "NO_PROXY": "*"}, {}),
        ({"HTTPS_PROXY": "proxy"}, {}),
        ({"HTTP_PROXY": "proxy"}, {"mounts": {"http://127.0.0.1": None}}),
        ({}, {}),
    ],
    ids=["trust_env", "NO_PROXY", "NO_PROXY=*", "https only", "mounted", "no proxy"],
)
def test_a_client_that_uses_no_proxy_sends_the_token(
    library: Any,
    colour: Colour,
    place: Place,
    environment: dict[str, str],
    options: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value.replace("proxy", place.proxy_url))
    result = request(place, colour, Imds(), library, **options)
    assert result.text == "service"
    assert place.service.header("authorization") == f"Bearer {CANARY}-1"
    assert not place.proxy.requests


def test_a_transport_of_the_caller_is_used_as_it_is(
    library: Any, colour: Colour, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", place.proxy_url)
    service = Service(answer(200))
    send(colour, service, ImdsAuth(SERVICE, transport=Imds()), ("GET", place.url), library=library)
    assert service.tokens == ["1"]


def test_https_is_encrypted_up_to_the_service_so_a_proxy_is_allowed(
    library: Any, colour: Colour, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", place.proxy_url)
    auth = ImdsAuth(SERVICE, transport=Imds())
    (error,) = send(colour, None, auth, ("GET", "https://localhost:1"), library=library)
    assert isinstance(error, library.ProxyError)
    assert place.proxy.requests[0].startswith(b"CONNECT localhost:1 ")
    assert not find_secret(CANARY, place.proxy.requests)


def test_a_delegating_auth_is_checked_as_well(library: Any, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = ImdsAuth(SERVICE, transport=Imds())

    class Outer(library.Auth):  # type: ignore[misc, name-defined]
        def sync_auth_flow(self, request: Any) -> Any:
            yield from inner.sync_auth_flow(request)

    monkeypatch.setenv("HTTP_PROXY", place.proxy_url)
    with library.Client(auth=Outer()) as client, pytest.raises(ImdsValidationError):
        client.get(place.url)
    assert not place.proxy.requests


def test_without_a_client_the_environment_decides(library: Any, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def start() -> None:
        flow = ImdsAuth(SERVICE, transport=Imds()).sync_auth_flow(library.Request("GET", place.url))
        with_token = next(flow)
        assert with_token.headers["authorization"] == f"Bearer {CANARY}-1"
        flow.close()

    start()
    monkeypatch.setenv("HTTP_PROXY", place.proxy_url)
    with pytest.raises(ImdsValidationError):
        start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    start()
