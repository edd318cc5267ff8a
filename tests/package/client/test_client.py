"""What the clients send, what they share, and how they are closed."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import re
import socket
import threading
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import httpx
import pytest

import azure_imds
from azure_imds import (
    AsyncImdsClient,
    BadRequestError,
    ForbiddenError,
    ImdsClient,
    ImdsError,
    ImdsResponseError,
    ImdsStatusError,
    ImdsTimeoutError,
    ImdsUnavailableError,
    NotFoundError,
    RetryPolicy,
)
from azure_imds_api import models
from support import (
    CANARY,
    CLIENT_ID,
    COLOURS,
    RESOURCE,
    Colour,
    FakeClock,
    Script,
    Wire,
    answer,
    example,
    get_token,
    ok,
    python,
    raw_server,
    read_request,
    reply,
    token,
)

Action = Callable[[Any], Any]

SYNC, *ASYNC = COLOURS
TOKEN = json.dumps(token())


def start_events(imds: Any) -> Any:
    body = models.StartEventsRequest.from_dict(example("scheduledevents-start-request"))
    return imds.scheduled_events.start_events(body=body)


OPERATIONS: dict[str, tuple[Action, str]] = {
    "token": (get_token, TOKEN),
    "info": (lambda imds: imds.identity.get_info(), json.dumps(example("identity-info"))),
    "instance": (lambda imds: imds.instances.get_metadata(), json.dumps(example("instance"))),
    "attested": (lambda imds: imds.attested.get_document(nonce="1234567890"), json.dumps(example("attested-document"))),
    "events": (lambda imds: imds.scheduled_events.get_events(), json.dumps(example("scheduledevents-empty"))),
    "start": (start_events, "{}"),
    "loadbalancer": (lambda imds: imds.load_balancer.get_metadata(), json.dumps(example("loadbalancer"))),
    "versions": (lambda imds: imds.versions.get_versions(), json.dumps(example("versions"))),
    "node": (lambda imds: imds.get("compute"), "{}"),
}


# What is sent


@pytest.mark.parametrize("name", [*OPERATIONS])
def test_every_request_has_the_same_headers(colour: Colour, name: str) -> None:
    action, body = OPERATIONS[name]
    wire = Wire(reply(200, body))
    with raw_server(wire) as endpoint:
        colour.run(action, endpoint=endpoint)
    names = [header for header, _ in wire.headers()]
    assert len(names) == len(set(names))
    assert set(names) - {"connection"} == {
        "host",
        "metadata",
        "accept",
        "accept-encoding",
        "user-agent",
        "x-ms-client-request-id",
        *(("content-type", "content-length") if name == "start" else ()),
    }


@pytest.mark.parametrize("name", [*OPERATIONS])
def test_every_request_has_metadata_true(colour: Colour, name: str) -> None:
    action, body = OPERATIONS[name]
    wire = Wire(reply(200, body))
    with raw_server(wire) as endpoint:
        colour.run(action, endpoint=endpoint)
    assert wire.header("metadata") == "true"


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - {"versions"}))
def test_every_request_names_one_version(colour: Colour, name: str) -> None:
    action, body = OPERATIONS[name]
    wire = Wire(reply(200, body))
    with raw_server(wire) as endpoint:
        colour.run(action, endpoint=endpoint)
    query = urllib.parse.parse_qsl(urllib.parse.urlsplit(wire.target()).query, keep_blank_values=True)
    assert [bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value)) for name, value in query if name == "api-version"] == [True]
    assert len(query) == len(dict(query)), "IMDS refuses a repeated name"


def test_versions_are_requested_without_an_api_version(colour: Colour) -> None:
    wire = Wire(reply(200, OPERATIONS["versions"][1]))
    with raw_server(wire) as endpoint:
        colour.run(OPERATIONS["versions"][0], endpoint=endpoint)
    assert wire.target() == "/metadata/versions"


def test_the_host_header_is_the_endpoint_s(colour: Colour) -> None:
    wire = Wire(reply(200, TOKEN))
    with raw_server(wire) as endpoint:
        colour.run(get_token, endpoint=endpoint)
    assert wire.header("host") == endpoint.removeprefix("http://")


def test_the_user_agent_is_ours(colour: Colour) -> None:
    wire = Wire(reply(200, TOKEN))
    with raw_server(wire) as endpoint:
        colour.run(get_token, endpoint=endpoint)
    assert (wire.header("user-agent") or "").startswith(f"azure-imds/{azure_imds.__version__} ")


def test_each_request_has_its_own_id(colour: Colour) -> None:
    script = Script(answer(500, {"error": "x"}), ok())
    for _ in range(3):
        colour.run(get_token, transport=script, clock=FakeClock())
    ids = [uuid.UUID(request.headers["x-ms-client-request-id"]) for request in script.requests]
    assert len(set(ids)) == len(ids) == 4


def test_proxies_of_the_environment_are_ignored(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    wire, proxy = Wire(reply(200, TOKEN)), Wire(reply(502))
    with raw_server(wire) as endpoint, raw_server(proxy) as at:
        for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(variable, at)
        monkeypatch.setenv("NO_PROXY", "")
        colour.run(get_token, endpoint=endpoint)
    assert len(wire.requests) == 1
    assert not proxy.requests


def test_a_netrc_of_the_user_is_not_read(colour: Colour, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    wire = Wire(reply(200, TOKEN))
    with raw_server(wire) as endpoint:
        colour.run(get_token, endpoint=endpoint)
    assert wire.header("authorization") is None


def test_cookies_are_not_kept(colour: Colour) -> None:
    wire = Wire(reply(200, TOKEN, "Set-Cookie: a=b; Path=/"))

    async def again(imds: Any) -> None:
        await get_token(imds)
        await get_token(imds)

    with raw_server(wire) as endpoint:
        colour.run(
            lambda imds: [get_token(imds), get_token(imds)] if colour is SYNC else again(imds), endpoint=endpoint
        )
    assert len(wire.requests) == 2
    assert wire.header("cookie") is None


def test_a_redirect_is_not_followed(colour: Colour) -> None:
    elsewhere = Wire(reply(200, TOKEN))
    with raw_server(elsewhere) as there, raw_server(Wire(reply(302, "", f"Location: {there}/x"))) as endpoint:
        error = colour.error(get_token, endpoint=endpoint)
    assert isinstance(error, ImdsStatusError)
    assert not elsewhere.requests


# The caller's own http_client

SPOILT: dict[str, Any] = {
    "headers": {
        "X-Forwarded-For": "1.2.3.4",
        "Metadata": "false",
        "User-Agent": "theirs",
        "Authorization": "Bearer theirs",
        "Accept": "text/html",
        "Accept-Encoding": "br",
        "x-ms-client-request-id": "theirs",
    },
    "cookies": {"a": "b"},
    "auth": ("user", "password"),
    "base_url": "http://127.0.0.1:1/elsewhere/",
    "params": {"api-version": "1999-01-01", "resource": "theirs", "client_id": CLIENT_ID, "x": "y"},
    "follow_redirects": True,
    "timeout": 1e-9,
    "default_encoding": "utf-16",
    "trust_env": False,
}


@contextmanager
def http_of(colour: Colour, **options: Any) -> Iterator[Any]:
    if colour is SYNC:
        with httpx.Client(**options) as http:
            yield http
    else:
        # Its connections end with the event loop of the test, so it needs no closing.
        limits = httpx.Limits(max_keepalive_connections=0)
        yield httpx.AsyncClient(limits=limits, **options)


def on_the_wire(colour: Colour, **options: Any) -> tuple[str, dict[str, str]]:
    wire = Wire(reply(200, TOKEN))
    with raw_server(wire) as endpoint:
        colour.run(get_token, endpoint=endpoint, **options)
    headers = dict(wire.headers())
    for changing in ("host", "x-ms-client-request-id", "connection"):
        headers.pop(changing, None)
    return wire.target(), headers


def test_what_a_caller_s_client_adds_does_not_reach_imds(colour: Colour) -> None:
    with http_of(colour, **SPOILT) as http:
        assert on_the_wire(colour, http_client=http) == on_the_wire(colour)


def test_the_id_of_a_request_is_ours_on_a_caller_s_client_too(colour: Colour) -> None:
    wire = Wire(reply(200, TOKEN))
    with raw_server(wire) as endpoint, http_of(colour, **SPOILT) as http:
        colour.run(get_token, endpoint=endpoint, http_client=http)
    assert uuid.UUID(wire.header("x-ms-client-request-id"))


def test_a_caller_s_client_follows_no_redirect_for_us(colour: Colour) -> None:
    elsewhere = Wire(reply(200, TOKEN))
    with (
        raw_server(elsewhere) as there,
        raw_server(Wire(reply(302, "", f"Location: {there}/x"))) as endpoint,
        http_of(colour, **SPOILT) as http,
    ):
        error = colour.error(get_token, endpoint=endpoint, http_client=http)
    assert isinstance(error, ImdsStatusError)
    assert not elsewhere.requests


def test_a_caller_s_client_sends_no_cookie_for_us(colour: Colour) -> None:
    wire = Wire(reply(200, TOKEN, "Set-Cookie: a=b; Path=/", "Connection: close"))
    with raw_server(wire) as endpoint, http_of(colour) as http:
        for _ in range(2):
            colour.run(get_token, endpoint=endpoint, http_client=http)
    assert wire.header("cookie") is None


def test_a_caller_s_client_is_used_and_not_closed(colour: Colour) -> None:
    script = Script(ok())
    with http_of(colour, transport=script) as http:
        colour.run(get_token, http_client=http)
        colour.run(get_token, http_client=http)
        assert not http.is_closed
    assert len(script.requests) == 2


def test_a_sibling_uses_the_caller_s_client(colour: Colour) -> None:
    with http_of(colour, transport=Script(ok())) as http:
        assert colour.run(lambda imds: imds.http, http_client=http) is http


def test_a_caller_s_closed_client_is_a_clear_error(colour: Colour) -> None:
    with http_of(colour, transport=Script(ok())) as http:
        pass
    if colour is not SYNC:
        anyio.run(http.aclose)
    error = colour.error(get_token, http_client=http)
    assert type(error) is ImdsError
    assert "http_client is closed" in str(error)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("backends", [*itertools.product(["asyncio", "trio"], repeat=2)], ids="-".join)
def test_a_caller_s_client_of_an_earlier_event_loop_fails_in_our_words_if_at_all(backends: tuple[str, ...]) -> None:
    async def main(endpoint: str, http: httpx.AsyncClient) -> ImdsError | None:
        try:
            await get_token(AsyncImdsClient(endpoint, http_client=http, clock=FakeClock()))
        except ImdsError as error:
            return error
        return None

    with raw_server(Wire(reply(200, TOKEN))) as endpoint:
        http = [httpx.AsyncClient()]  # keeps connections, which belong to the first loop
        errors = [anyio.run(main, endpoint, http[0], backend=backend) for backend in backends]
    http.clear()
    gc.collect()  # the caller did not close the connection: its warning belongs to this test
    assert errors[0] is None
    assert errors[1] is None or type(errors[1]) is ImdsUnavailableError


# Siblings


def test_siblings_share_one_connection() -> None:
    wire = Wire(reply(200, TOKEN))
    with raw_server(wire) as endpoint, ImdsClient(endpoint) as imds:
        for one in (imds, imds.with_options(deadline=5), imds.with_options(retry=None).with_options(timeout=3)):
            get_token(one)
    assert (len(wire.requests), wire.connections) == (3, 1)


@pytest.mark.parametrize("kind", [ImdsClient, AsyncImdsClient])
def test_siblings_share_one_httpx_client(kind: Any) -> None:
    imds = kind()
    assert imds.with_options(deadline=5).http is imds.http


@pytest.mark.parametrize("kind", [ImdsClient, AsyncImdsClient])
def test_a_sibling_is_of_the_same_kind_and_keeps_what_is_not_changed(kind: Any) -> None:
    policy, clock = RetryPolicy(attempts=2), FakeClock()
    imds = kind("http://127.0.0.1:1", timeout=1, deadline=2, retry=policy, clock=clock)
    sibling = imds.with_options(deadline=3)
    options = sibling._options
    assert type(sibling) is kind
    assert sibling.endpoint == "http://127.0.0.1:1"
    assert (options.timeout, options.deadline, options.retry, options.clock) == (1, 3, policy, clock)


def test_a_sibling_leaves_the_first_client_as_it_is(colour: Colour) -> None:
    script = Script(answer(500, {"error": "x"}))
    error = colour.error(
        lambda imds: (imds.with_options(retry=None), get_token(imds))[1], transport=script, clock=FakeClock()
    )
    assert isinstance(error, ImdsError)
    assert error.attempts == 6


def test_none_restores_the_default_or_means_one_attempt() -> None:
    imds = ImdsClient(timeout=1, deadline=2).with_options(timeout=None, deadline=None, retry=None)
    assert (imds._options.timeout, imds._options.deadline, imds._options.retry) == (None, None, None)


def test_a_sibling_s_operations_use_its_own_settings(colour: Colour) -> None:
    script = Script(answer(500, {"error": "x"}))

    def both(imds: Any) -> Any:
        assert imds.identity is not None  # created before the sibling
        return get_token(imds.with_options(retry=None))

    error = colour.error(both, transport=script)
    assert isinstance(error, ImdsError)
    assert error.attempts == 1


def test_an_unknown_option_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        ImdsClient().with_options(retries=3)  # type: ignore[call-arg]


# Closing a client


def test_closing_again_changes_nothing(colour: Colour) -> None:
    if colour is SYNC:
        imds = ImdsClient(transport=Script(ok()))
        get_token(imds)
        for _ in range(3):
            imds.close()
        return

    async def main() -> None:
        imds = AsyncImdsClient(transport=Script(ok()))
        await get_token(imds)
        for _ in range(3):
            await imds.close()
        await imds.aclose()

    anyio.run(main, backend=colour.name)


def test_a_client_that_was_never_used_can_be_closed(colour: Colour) -> None:
    assert colour.run(lambda imds: None) is None


USES: dict[str, Action] = {
    "operation": get_token,
    "sibling": lambda imds: get_token(imds.with_options(deadline=3)),
    "get": lambda imds: imds.get("compute"),
    "http": lambda imds: imds.http,
}


@pytest.mark.parametrize("use", [*USES.values()], ids=[*USES])
@pytest.mark.parametrize("used", [True, False], ids=["used", "never used"])
def test_using_a_closed_client_is_a_clear_error(colour: Colour, use: Action, used: bool) -> None:
    script = Script(ok())
    kept: list[Any] = []

    def keep(imds: Any) -> Any:
        kept.append(imds)
        return get_token(imds) if used else None

    colour.run(keep, transport=script)
    sent = len(script.requests)
    error = colour.error(lambda _: use(kept[0]))
    assert type(error) is ImdsError
    assert "this client is closed" in str(error)
    assert error.hint
    assert len(script.requests) == sent


def test_closing_one_closes_its_siblings() -> None:
    imds = ImdsClient(transport=Script(ok()))
    sibling = imds.with_options(deadline=3)
    sibling.close()
    with pytest.raises(ImdsError, match="closed"):
        get_token(imds)


def test_a_client_closed_while_it_waits_reports_it() -> None:
    class Closing(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            imds.close()

    imds = ImdsClient(transport=Script(answer(500, {"error": "x"})), clock=Closing())
    with pytest.raises(ImdsError, match="closed"):
        get_token(imds)


def test_a_closed_client_does_not_close_the_caller_s(colour: Colour) -> None:
    with http_of(colour, transport=Script(ok())) as http:
        kept = colour.run(lambda imds: imds, http_client=http)
        error = colour.error(lambda _: get_token(kept))
        assert "this client is closed" in str(error)
        assert not http.is_closed


SYNC_CODE = """
from azure_imds import ImdsClient
imds = ImdsClient({0!r})
imds.identity.get_token(resource="r")
imds.with_options(deadline=3).instances.get_metadata()
print("done")
"""
ASYNC_CODE = """
import anyio
from azure_imds import AsyncImdsClient
imds = AsyncImdsClient({0!r})
async def main():
    await imds.identity.get_token(resource="r")
    await imds.with_options(deadline=3).instances.get_metadata()
for backend in ("asyncio", "trio", "asyncio"):
    anyio.run(main, backend=backend)
print("done")
"""
LEFT_CODE = """
import gc
from azure_imds import ImdsClient
for _ in range(3):
    ImdsClient({0!r}).identity.get_token(resource="r")
    gc.collect()
print("done")
"""
FAILED_CODE = """
import anyio
from azure_imds import AsyncImdsClient, ImdsClient, ImdsError
try:
    ImdsClient({0!r}).attested.get_document()
except ImdsError:
    pass
async def main():
    try:
        await AsyncImdsClient({0!r}).attested.get_document()
    except ImdsError:
        print("done")
anyio.run(main)
"""
FORK_CODE = """
import os
from azure_imds import ImdsClient
imds = ImdsClient({0!r})
imds.identity.get_token(resource="r")
child = os.fork()
imds.identity.get_token(resource="r")
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
imds.identity.get_token(resource="r")
print("done")
"""


@pytest.mark.parametrize(
    "code", [SYNC_CODE, ASYNC_CODE, LEFT_CODE, FAILED_CODE], ids=["sync", "async", "left", "failed"]
)
def test_a_client_that_is_not_closed_prints_nothing(code: str) -> None:
    with raw_server(Wire(reply(200, TOKEN))) as endpoint:
        run = python(code.format(endpoint))
    # On a busy machine, asyncio's debug mode warns about slow steps.
    noise = [line for line in run.stderr.splitlines() if not line.startswith("Executing <")]
    assert (run.stdout, noise, run.returncode) == ("done\n", [], 0)


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs fork")
def test_a_client_works_on_both_sides_of_a_fork() -> None:
    wire = Wire(reply(200, TOKEN))
    with raw_server(wire) as endpoint:
        run = python(FORK_CODE.format(endpoint))
    assert (run.stdout, run.returncode) == ("done\n", 0), run.stderr
    assert wire.connections == 2, "the child does not speak on its parent's connection"


# Event loops and threads


def test_an_async_client_outlives_its_event_loops() -> None:
    wire = Wire(reply(200, TOKEN))
    with raw_server(wire) as endpoint:
        imds = AsyncImdsClient(endpoint)
        for _ in range(3):
            assert asyncio.run(imds.identity.get_token(resource=RESOURCE)).access_token == CANARY
    assert len(wire.requests) == 3


def test_an_async_client_works_with_asyncio_and_then_trio() -> None:
    with raw_server(Wire(reply(200, TOKEN))) as endpoint:
        imds = AsyncImdsClient(endpoint)

        async def main() -> str:
            return (await imds.identity.get_token(resource=RESOURCE)).access_token

        for backend in ("asyncio", "trio", "asyncio", "trio"):
            assert anyio.run(main, backend=backend) == CANARY


def test_an_async_client_serves_event_loops_in_several_threads() -> None:
    results: list[str] = []
    with raw_server(Wire(reply(200, TOKEN))) as endpoint:
        imds = AsyncImdsClient(endpoint)

        def work() -> None:
            for _ in range(5):
                results.append(asyncio.run(imds.identity.get_token(resource=RESOURCE)).access_token)

        in_threads(work, 6)
    assert results == [CANARY] * 30


def test_many_tasks_share_an_async_client() -> None:
    with raw_server(echo) as endpoint:

        async def main() -> list[str]:
            async with AsyncImdsClient(endpoint) as imds:

                async def one(n: int) -> str:
                    return (await imds.identity.get_token(resource=f"r{n}")).access_token

                return await asyncio.gather(*map(one, range(40)))

        assert asyncio.run(main()) == [f"r{n}" for n in range(40)]


def in_threads(work: Callable[[], None], count: int) -> None:
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []


def echo(connection: socket.socket) -> None:
    """Returns the resource as the token."""
    while request := read_request(connection):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.split(b" ")[1].decode()).query)
        connection.sendall(reply(200, json.dumps(token(access_token=query["resource"][0]))))


def test_many_threads_share_a_client_and_each_gets_its_own_response() -> None:
    numbers = itertools.count()
    with raw_server(echo) as endpoint, ImdsClient(endpoint) as imds:

        def work() -> None:
            for _ in range(10):
                resource = f"r{next(numbers)}"
                assert imds.identity.get_token(resource=resource).access_token == resource

        in_threads(work, 24)


def test_thirty_threads_may_wait_at_once() -> None:
    barrier = threading.Barrier(30, timeout=20)

    def together(connection: socket.socket) -> None:
        while read_request(connection):
            barrier.wait()
            connection.sendall(reply(200, TOKEN))

    with raw_server(together) as endpoint, ImdsClient(endpoint, retry=None) as imds:
        in_threads(lambda: get_token(imds), 30)


def test_an_event_loop_is_not_blocked_during_a_call() -> None:
    def slow(connection: socket.socket) -> None:
        read_request(connection)
        time.sleep(0.1)
        connection.sendall(reply(200, TOKEN))

    async def main(endpoint: str) -> int:
        ticks = 0
        async with AsyncImdsClient(endpoint) as imds:
            task = asyncio.ensure_future(imds.identity.get_token(resource=RESOURCE))
            while not task.done():
                ticks += 1
                await asyncio.sleep(0.001)
        return ticks

    with raw_server(slow) as endpoint:
        assert asyncio.run(main(endpoint)) > 5


# The property http


def test_the_http_client_starts_at_metadata() -> None:
    wire = Wire(reply(200, "{}"))
    with raw_server(wire) as endpoint, ImdsClient(endpoint) as imds:
        imds.http.get("instance/compute", params={"api-version": "2021-02-01"})
        imds.http.get("/versions")
    assert [wire.target(i) for i in (0, 1)] == [
        "/metadata/instance/compute?api-version=2021-02-01",
        "/metadata/versions",
    ]


def test_the_http_client_sends_our_headers() -> None:
    wire = Wire(reply(200, "{}", "Set-Cookie: a=b; Path=/"))
    with raw_server(wire) as endpoint, ImdsClient(endpoint) as imds:
        for _ in range(2):
            imds.http.get("instance")
    assert wire.header("metadata") == "true"
    assert (wire.header("user-agent") or "").startswith("azure-imds/")
    assert wire.header("cookie") is None


def test_the_http_client_follows_no_redirect() -> None:
    with raw_server(Wire(reply(302, "", "Location: /x"))) as endpoint, ImdsClient(endpoint) as imds:
        assert imds.http.get("instance").status_code == 302


@pytest.mark.parametrize("colour", ASYNC, ids=str)
def test_the_http_client_of_an_async_client_is_async(colour: Colour) -> None:
    wire = Wire(reply(200, "{}"))
    with raw_server(wire) as endpoint:
        colour.run(lambda imds: imds.http.get("instance"), endpoint=endpoint)
    assert wire.target() == "/metadata/instance"


# Whether IMDS is available


def is_available(colour: Colour, **options: Any) -> bool:
    start = time.monotonic()
    result: bool = colour.run(lambda imds: imds.is_available(), **options)
    assert time.monotonic() - start < 10, "hung"
    return result


PAGE = answer(200, b"<html>Sign in</html>", content_type="text/html", server="")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (answer(200, {"compute": {}}), True),
        (answer(400, {"error": "Bad request"}), True),
        (answer(400, example("errors-missing-api-version")), True),
        (answer(404, {"error": "Not found"}), True),
        (answer(410, {"error": "Gone"}), True),
        (answer(429, {"error": "Too many requests"}), True),
        (answer(500, {"error": "Server error"}), True),
        (answer(503, {"error": "Service unavailable"}), True),
        (answer(403, {"error": "Forbidden"}), True),
        (answer(400, b""), True),
        (PAGE, False),
        (answer(404, b"<html>nginx</html>", content_type="text/html", server=""), False),
        (answer(502, b"<html>Squid</html>", content_type="text/html", server=""), False),
        (answer(407, b"", server=""), False),
        (answer(403, b"dial tcp 169.254.169.254:80: unreachable network", server=""), False),
        (answer(301, b"", location="https://example.com", server=""), False),
        (answer(302, b"", location="//\0", server=""), False),
        (answer(200, b"[]", server=""), False),
        (answer(200, b"", server=""), False),
        (answer(200, {}, server=""), False),
        (answer(200, {"status": "ok"}, server="nginx"), False),
        (answer(404, b"404 page not found", server=""), False),
        (answer(204, b"", server=""), False),
        (httpx.ConnectError("refused"), False),
        (httpx.ReadTimeout("late"), False),
        (httpx.RemoteProtocolError("closed"), False),
        (OSError("x"), False),
    ],
    ids=lambda value: "" if isinstance(value, bool) else str(value).replace("\0", ""),
)
def test_imds_is_available_if_the_response_is_from_imds(colour: Colour, said: Any, expected: bool) -> None:
    script = Script(said)
    assert is_available(colour, transport=script, step_down=False) is expected
    assert len(script.requests) == 1, "a look is one attempt"


def test_imds_is_not_available_if_the_connection_is_refused(colour: Colour) -> None:
    with raw_server(Wire()) as endpoint:
        pass
    assert is_available(colour, endpoint=endpoint) is False


def test_a_server_that_does_not_answer_is_not_available_after_a_second(colour: Colour) -> None:
    def silent(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.recv(1)

    with raw_server(silent) as endpoint:
        assert is_available(colour, endpoint=endpoint, deadline=1000, timeout=500) is False


@pytest.mark.parametrize(
    "variables",
    [{"AZURE_IMDS_DISABLED": "1"}, {"MSI_ENDPOINT": "http://127.0.0.1:1/token"}],
    ids=["disabled", "elsewhere"],
)
def test_nothing_is_sent_if_imds_must_not_be_called(
    colour: Colour, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    script = Script(answer(200, {}))
    assert is_available(colour, transport=script) is False
    assert not script.requests


def test_arc_is_available_even_if_its_key_cannot_be_read(colour: Colour) -> None:
    challenge = answer(401, b"", www_authenticate="Basic realm=/does/not/exist/x.key")
    assert is_available(colour, endpoint="http://127.0.0.1:40342", transport=Script(challenge)) is True
    assert is_available(colour, endpoint="http://192.0.2.1", transport=Script(challenge)) is False


def test_imds_is_not_available_to_a_closed_client() -> None:
    imds = ImdsClient(transport=Script(answer(200, {})))
    imds.close()
    assert imds.is_available() is False


def test_imds_is_not_available_to_a_closed_async_client() -> None:
    async def main() -> bool:
        imds = AsyncImdsClient(transport=Script(answer(200, {})))
        await imds.close()
        return await imds.is_available()

    assert asyncio.run(main()) is False


def test_an_unknown_exception_of_a_transport_means_not_available(colour: Colour) -> None:
    assert is_available(colour, transport=Script(KeyError("x"))) is False


# Parts of the document


def text_leaf(value: str, **headers: str) -> Script:
    """How IMDS answers for a leaf: 400 for JSON, and the plain text."""
    return Script(answer(400, {"error": "Bad request"}), answer(200, value.encode(), **headers))


def node(colour: Colour, path: str, script: Script, **options: Any) -> Any:
    return colour.run(lambda imds: imds.get(path), transport=script, **options)


def test_a_leaf_is_text(colour: Colour) -> None:
    assert node(colour, "compute/location", text_leaf("westeurope", content_type="text/plain")) == "westeurope"


def test_a_leaf_is_requested_as_text_after_json_was_refused(colour: Colour) -> None:
    script = text_leaf("westeurope", content_type="text/plain")
    node(colour, "compute/location", script)
    assert [request.url.path for request in script.requests] == ["/metadata/instance/compute/location"] * 2
    assert [request.url.params.get("format") for request in script.requests] == [None, "text"]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "text/plain; charset=utf-8", "application/json; charset=utf-8", "", "x", "text/plain; charset=hex"],
)
@pytest.mark.parametrize(
    "value", ["0", "true", "null", "", "[]", '{"a":1}', "é", "a:b;c:d", "1e5", '"quoted"', "line\nline"]
)
def test_a_leaf_is_the_same_text_whatever_its_type(value: str, content_type: str) -> None:
    assert node(SYNC, "compute/tags", text_leaf(value, content_type=content_type)) == value


@pytest.mark.parametrize("value", [{"location": "x"}, [{"name": "a"}], [], {}], ids=repr)
@pytest.mark.parametrize("content_type", ["application/json", "text/json", "text/plain", ""])
def test_a_node_is_json_whatever_its_type(colour: Colour, value: object, content_type: str) -> None:
    script = Script(answer(200, json.dumps(value), content_type=content_type))
    assert node(colour, "compute", script) == value
    assert len(script.requests) == 1


@pytest.mark.parametrize(("body", "expected"), [(b'"eastus"', "eastus"), (b"0", "0"), (b"true", "true")])
def test_a_leaf_in_a_json_response_is_text_too(colour: Colour, body: bytes, expected: str) -> None:
    assert node(colour, "compute/location", Script(answer(200, body, content_type="application/json"))) == expected


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_a_null_node_is_none(colour: Colour, content_type: str) -> None:
    script = Script(answer(200, b"null", content_type=content_type))
    assert node(colour, "compute/publicKeys", script) is None
    assert len(script.requests) == 1


def test_null_inside_a_node_stays(colour: Colour) -> None:
    assert node(colour, "compute", Script(answer(200, {"publicKeys": None, "a": [None]}))) == {
        "publicKeys": None,
        "a": [None],
    }


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("network/interface/0", "/metadata/instance/network/interface/0"),
        ("/compute/", "/metadata/instance/compute"),
        ("network/interface/0/ipv4/ipAddress/0/publicIpAddress",) * 1
        + ("/metadata/instance/network/interface/0/ipv4/ipAddress/0/publicIpAddress",),
        ("a b/ü;c=d&e:@", "/metadata/instance/a%20b/%C3%BC%3Bc%3Dd%26e%3A%40"),
    ],
)
def test_each_part_of_a_path_is_encoded(colour: Colour, path: str, sent: str) -> None:
    wire = Wire(reply(200, "{}"))
    with raw_server(wire) as endpoint:
        colour.run(lambda imds: imds.get(path), endpoint=endpoint)
    assert wire.target().partition("?")[0] == sent


def test_a_missing_node_names_its_path(colour: Colour) -> None:
    script = Script(answer(404, {"error": "Not found"}))
    error = colour.error(lambda imds: imds.get("compute/nothing"), transport=script, clock=FakeClock())
    assert type(error) is NotFoundError
    assert "/metadata/instance/compute/nothing" in str(error)
    assert error.url.partition("?")[0].endswith("/metadata/instance/compute/nothing")
    assert len(script.requests) == 1


def test_a_node_that_is_refused_as_text_too_is_a_bad_request(colour: Colour) -> None:
    error = colour.error(lambda imds: imds.get("compute"), transport=Script(answer(400, {"error": "no header"})))
    assert type(error) is BadRequestError
    assert error.error == "no header"


@pytest.mark.parametrize("status", [401, 403, 405, 407])
def test_after_another_refusal_text_is_not_requested(colour: Colour, status: int) -> None:
    script = Script(answer(status, {"error": "x"}))
    colour.error(lambda imds: imds.get("compute"), transport=script)
    assert len(script.requests) == 1


@pytest.mark.parametrize("headers", [{"content_type": "text/html"}, {"content_type": "text/plain"}, {}], ids=repr)
@pytest.mark.parametrize("refused", [True, False], ids=["leaf", "node"])
def test_a_web_page_is_not_a_node(colour: Colour, headers: dict[str, str], refused: bool) -> None:
    page = b" <!DOCTYPE html><html>Sign in</html>"
    script = text_leaf(page.decode(), **headers) if refused else Script(answer(200, page, **headers))
    error = colour.error(lambda imds: imds.get("compute/name"), transport=script)
    assert type(error) is ImdsResponseError
    assert "Sign in" not in str(error)


@pytest.mark.parametrize("body", [b"", b"{", b"westeurope", b"\xff", b"[" * 100_000], ids=lambda body: repr(body[:9]))
def test_an_invalid_json_response_is_unreadable(colour: Colour, body: bytes) -> None:
    script = Script(answer(200, body, content_type="application/json"))
    error = colour.error(lambda imds: imds.get("compute/location"), transport=script)
    assert type(error) is ImdsResponseError


def test_both_requests_for_a_leaf_share_one_deadline(colour: Colour) -> None:
    clock = FakeClock()

    def refuse(request: httpx.Request) -> httpx.Response:
        clock.now += 6
        return answer(400, {"error": "Bad request"})

    def late(request: httpx.Request) -> httpx.Response:
        clock.now += request.extensions["timeout"]["read"]
        raise httpx.ReadTimeout("late")

    start = clock.now
    script = Script(refuse, late)
    error = colour.error(lambda imds: imds.get("compute/name"), transport=script, clock=clock, deadline=10)
    assert isinstance(error, ImdsTimeoutError)
    assert clock.now - start == pytest.approx(10, abs=0.1)


def test_an_error_of_a_leaf_counts_both_requests(colour: Colour) -> None:
    clock = FakeClock()

    def slowly(status: int) -> Callable[[httpx.Request], httpx.Response]:
        def respond(request: httpx.Request) -> httpx.Response:
            clock.now += 3
            return answer(status, {"error": "No"})

        return respond

    script = Script(slowly(400), slowly(403))
    error = colour.error(lambda imds: imds.get("compute/name"), transport=script, clock=clock)
    assert isinstance(error, ForbiddenError)
    assert (error.attempts, error.elapsed) == (2, 6)


def test_a_leaf_of_another_version(colour: Colour) -> None:
    script = text_leaf("x", content_type="text/plain")
    colour.run(lambda imds: imds.get("compute/name", api_version="2021-02-01"), transport=script)
    assert [request.url.params["api-version"] for request in script.requests] == ["2021-02-01"] * 2


def test_the_details_of_an_error_of_a_node_are_the_error_model(colour: Colour) -> None:
    error = colour.error(lambda imds: imds.get("compute"), transport=Script(answer(403, {"error": "Forbidden"})))
    assert isinstance(error, ImdsStatusError)
    assert isinstance(error.details, models.ErrorResponse)


# The package


def modules_after(code: str) -> set[str]:
    run = python(f"{code}\nimport sys\nprint(*sys.modules)")
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def test_importing_the_package_imports_nothing_else() -> None:
    loaded = modules_after("import azure_imds")
    assert not loaded & {"httpx", "attrs", "attr", "anyio", "azure_imds_api", "json", "email.utils", "asyncio"}


def test_errors_can_be_imported_without_httpx() -> None:
    loaded = modules_after("from azure_imds import ImdsError, ThrottledError; import azure_imds.errors")
    assert not loaded & {"httpx", "attrs", "azure_imds_api"}


def test_a_client_imports_no_model_and_no_tag_before_it_is_used() -> None:
    loaded = modules_after("from azure_imds import ImdsClient; ImdsClient('http://127.0.0.1:1')")
    assert not {name for name in loaded if name.startswith("azure_imds_api.models.")}
    assert not loaded & {"azure_imds_api.api.instances", "azure_imds_api.api.scheduled_events"}


def test_the_package_lists_its_names() -> None:
    assert {*azure_imds.__all__, "__version__", "__doc__"} <= {*dir(azure_imds)}


def test_every_listed_name_exists() -> None:
    for name in azure_imds.__all__:
        assert getattr(azure_imds, name) is not None


@pytest.mark.parametrize("name", ["Nothing", "imdsclient", "_client_", "ImdsCLient"])
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match=f"module 'azure_imds' has no attribute {name!r}"):
        getattr(azure_imds, name)


def test_the_client_s_repr_shows_the_endpoint() -> None:
    assert repr(ImdsClient("http://127.0.0.1:1")) == "ImdsClient(endpoint='http://127.0.0.1:1')"
