"""The asynchronous transport: cancellation, time limits, TLS, and httpx's client on top, under asyncio and trio."""

from __future__ import annotations

import errno
import gc
import json
import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from attestation_support import Issued
from azure_imds import AsyncImdsClient, ImdsUnavailableError
from azure_imds._client import async_transport
from azure_imds._client.async_transport import AsyncSocketTransport
from azure_imds._client.sync_transport import TlsSettings
from support import CANARY, Wire, get_token, raw_server, read_request, reply, token
from transport_support import (
    HANGS,
    NO_HANDSHAKES,
    OTHER_SERVERS,
    Ear,
    Numbered,
    black_hole,
    https,
    in_threads,
    on_linux,
    over_tls,
    pinning,
    resolving_to,
    server_certificate,
    trusting,
)

TOKEN = json.dumps(token())

Run = Callable[[Callable[[], Awaitable[Any]]], Any]


@pytest.fixture(params=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs an asynchronous function."""

    def run(action: Callable[[], Awaitable[Any]]) -> Any:
        return anyio.run(action, backend=request.param)

    return run


async def get(url: str, transport: AsyncSocketTransport | None = None, **extensions: Any) -> str:
    """Sends a GET request, and returns the body of its response."""
    request = httpx.Request("GET", url, extensions=extensions)
    response = await (transport or AsyncSocketTransport()).handle_async_request(request)
    try:
        return (await response.aread()).decode()
    finally:
        await response.aclose()


class Watched:
    """A handler that sends `start`, and notes when the client has closed the connection."""

    def __init__(self, start: bytes = b"") -> None:
        self.received = threading.Event()
        self.closed = threading.Event()
        self._start = start

    def __call__(self, connection: socket.socket) -> None:
        try:
            read_request(connection)
            connection.sendall(self._start)
            self.received.set()
            while connection.recv(65536):
                pass
        finally:
            self.closed.set()


STARTS = {
    "before the response": b"",
    "in the header": b"HTTP/1.1 200 O",
    "in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{",
}


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_a_cancelled_request_closes_its_connection(run: Run, start: bytes) -> None:
    peer = Watched(start)

    async def main(url: str) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(get, url)
            await anyio.to_thread.run_sync(peer.received.wait, HANGS)
            group.cancel_scope.cancel()
        # At once, and not only when the event loop ends.
        assert await anyio.to_thread.run_sync(peer.closed.wait, HANGS)

    with raw_server(peer) as url:
        run(lambda: main(url))


@on_linux
def test_a_cancelled_connect_closes_its_socket(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[socket.socket] = []

    class Kept(socket.socket):
        def connect_ex(self, address: Any) -> int:
            made.append(self)
            return super().connect_ex(address)

    monkeypatch.setattr(async_transport.socket, "socket", Kept)

    async def main(url: str) -> None:
        with anyio.move_on_after(0.05) as scope:
            await get(url)
        assert scope.cancelled_caught
        assert [one.fileno() for one in made] == [-1]

    with black_hole() as (host, port):
        run(lambda: main(f"http://{host}:{port}"))


@pytest.mark.parametrize(
    "start", [b"HTTP/1.1 200 OK\r\nX\r\n\r\n", STARTS["in the body"] + b"{}}}}}"], ids=["refused", "complete"]
)
def test_a_connection_is_closed_after_its_response(run: Run, start: bytes) -> None:
    peer = Watched(start)

    async def main(url: str) -> None:
        with suppress(httpx.RemoteProtocolError):
            await get(url)
        assert await anyio.to_thread.run_sync(peer.closed.wait, HANGS)

    with raw_server(peer) as url:
        run(lambda: main(url))


def test_a_request_that_is_left_in_the_middle_leaves_no_socket(run: Run) -> None:
    peer = Watched(STARTS["in the body"])

    async def main(url: str) -> None:
        request = httpx.Request("GET", url)
        response = await AsyncSocketTransport().handle_async_request(request)
        parts: Any = response.stream
        async for part in parts:
            assert part == b"{"
            break
        await response.aclose()
        with pytest.raises(httpx.StreamClosed):
            await parts.receive()

    with raw_server(peer) as url:
        run(lambda: main(url))
        gc.collect()
        assert peer.closed.wait(HANGS)


def test_an_endless_response_lets_other_tasks_run(run: Run) -> None:
    def flood(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 100_000)

    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await anyio.lowlevel.checkpoint()
            ticks += 1

    async def main(url: str) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(tick)
            async with AsyncImdsClient(url) as imds, imds.http.stream("GET", "x") as response:
                received = 0
                async for part in response.aiter_raw():
                    received += len(part)
                    if received > 2_000_000:
                        group.cancel_scope.cancel()
                raise AssertionError("not cancelled")

    with raw_server(flood) as url:
        run(lambda: main(url))
    assert ticks > 20


# Time limits


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_a_read_has_a_limit(run: Run, start: bytes) -> None:
    with raw_server(Watched(start)) as url, pytest.raises(httpx.ReadTimeout):
        run(lambda: get(url, timeout={"read": 0.05}))


def test_a_write_has_a_limit(run: Run) -> None:
    done = threading.Event()

    async def main(url: str) -> None:
        request = httpx.Request("POST", url, content=b"x" * 20_000_000, extensions={"timeout": {"write": 0.1}})
        await AsyncSocketTransport().handle_async_request(request)

    with raw_server(lambda _: done.wait(HANGS) and None) as url:  # type: ignore[func-returns-value]
        with pytest.raises(httpx.WriteTimeout):
            run(lambda: main(url))
        done.set()


def test_a_large_request_is_sent_as_it_is(run: Run) -> None:
    wire, body = Wire(reply(200, "fine")), bytes(range(256)) * 20_000

    async def main(url: str) -> str:
        response = await AsyncSocketTransport().handle_async_request(httpx.Request("POST", url, content=body))
        return (await response.aread()).decode()

    with raw_server(wire) as url:
        assert run(lambda: main(url)) == "fine"
    assert wire.requests[0].endswith(b"\r\n\r\n" + body)


@on_linux
def test_all_addresses_of_a_name_share_one_limit(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with black_hole() as address:
        resolving_to(monkeypatch, *[address] * 20)
        start = time.monotonic()
        with pytest.raises(httpx.ConnectTimeout):
            run(lambda: get("http://imds", timeout={"connect": 0.2}))
        assert time.monotonic() - start < 2


@on_linux
def test_an_address_that_never_answers_leaves_time_for_the_next(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with black_hole() as address, raw_server(Numbered()) as url:
        resolving_to(monkeypatch, address, ("127.0.0.1", httpx.URL(url).port))
        assert run(lambda: get("http://imds", timeout={"connect": 0.2})) == "1"


def test_an_address_that_refuses_is_followed_by_the_next(run: Run) -> None:
    with raw_server(Numbered()) as url:
        assert run(lambda: get(url.replace("127.0.0.1", "localhost"), timeout={"connect": HANGS})) == "1"


def test_a_name_without_addresses_is_a_failed_connection(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving_to(monkeypatch)
    with pytest.raises(httpx.ConnectError, match="no address"):
        run(lambda: get("http://imds"))


def test_an_unknown_name_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(ImdsUnavailableError, match="Name or service not known"):
        run(lambda: get_token(AsyncImdsClient("http://imds", retry=None)))


def test_a_refused_connection_says_so(run: Run) -> None:
    with pytest.raises(httpx.ConnectError, match="refused"):
        run(lambda: get("http://127.0.0.1:1"))


def test_a_process_without_descriptors_cannot_connect(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        def no_socket(*_: Any) -> Any:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        with monkeypatch.context() as patched:
            patched.setattr(async_transport.socket, "socket", no_socket)
            await get_token(AsyncImdsClient("http://127.0.0.1:1", retry=None))

    with pytest.raises(ImdsUnavailableError, match=os.strerror(errno.EMFILE)):
        run(main)


def test_a_connection_that_is_reset_is_a_read_error(run: Run) -> None:
    def reset(connection: socket.socket) -> None:
        read_request(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with raw_server(reset) as url, pytest.raises(httpx.ReadError, match="reset by peer"):
        run(lambda: get(url))


# TLS


@pytest.mark.parametrize("settings", [trusting, pinning])
def test_a_server_is_used_over_tls(run: Run, settings: Callable[[Issued], TlsSettings]) -> None:
    root, issued = server_certificate()
    transport = AsyncSocketTransport(settings(root if settings is trusting else issued))
    wire = Wire(reply(200, body := "x" * 200_000))

    async def main(url: str) -> None:
        for _ in range(2):
            assert await get(url, transport) == body

    with raw_server(over_tls(wire)) as url:
        run(lambda: main(https(url)))
    assert wire.connections == 2


@pytest.mark.parametrize("name", OTHER_SERVERS)
def test_nothing_is_sent_to_another_server(run: Run, name: str) -> None:
    settings, text, host = OTHER_SERVERS[name]
    ear = Ear()
    with raw_server(ear) as url:
        with pytest.raises(httpx.ConnectError, match=text):
            run(lambda: get(https(url).replace("localhost", host), AsyncSocketTransport(settings())))
        assert ear.ended.wait(HANGS)
    assert ear.received == b""


def test_the_certificates_are_loaded_once(run: Run) -> None:
    made: list[ssl.SSLContext] = []

    def context() -> ssl.SSLContext:
        made.append(trusting(server_certificate()[0]).context())
        return made[-1]

    transport = AsyncSocketTransport(TlsSettings(context))
    with raw_server(over_tls(Numbered())) as url:
        assert [run(lambda: get(https(url), transport)) for _ in range(2)] == ["1", "2"]
    assert len(made) == 1


@pytest.mark.parametrize("name", NO_HANDSHAKES)
def test_a_handshake_that_fails_is_a_failed_connection(run: Run, name: str) -> None:
    peer, failure = NO_HANDSHAKES[name]
    with raw_server(peer) as url, pytest.raises(failure):
        run(lambda: get(url.replace("http:", "https:"), timeout={"connect": 0.2}))


def test_bytes_that_are_not_tls_are_a_read_error(run: Run) -> None:
    def broken(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{")
        with socket.socket(fileno=connection.detach()) as plain:
            plain.sendall(b"in the clear")

    root, _ = server_certificate()
    with raw_server(over_tls(broken)) as url, pytest.raises(httpx.ReadError):
        run(lambda: get(https(url), AsyncSocketTransport(trusting(root))))


def test_the_names_of_older_versions_of_anyio_are_known(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for state in ("readable", "writable"):
        monkeypatch.setattr(anyio, f"wait_socket_{state}", getattr(anyio, f"wait_{state}"), raising=False)
        monkeypatch.delattr(anyio, f"wait_{state}")
    with raw_server(Numbered()) as url:
        assert run(lambda: get(url)) == "1"


# Event loops and threads


def test_one_transport_serves_event_loops_in_several_threads() -> None:
    transport, answers = AsyncSocketTransport(), list[str]()
    peer = Numbered()
    with raw_server(peer) as url:

        async def main() -> None:
            async def one() -> None:
                answers.append(await get(url, transport))

            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(one)

        backends = iter(["asyncio", "trio"] * 2)
        for thread in in_threads(lambda: anyio.run(main, backend=next(backends)), 4):
            thread.join(HANGS)
    assert len(answers) == peer.connections == 20


# httpx's client on top of it


def test_the_httpx_client_sends_any_request_and_streams(run: Run) -> None:
    wire = Wire(reply(200, '{"a": 1}', "Set-Cookie: a=b; Path=/"))
    seen: list[str] = []

    async def parts() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"

    async def note(response: httpx.Response) -> None:
        seen.append(str(response.status_code))

    async def main(url: str) -> None:
        async with AsyncImdsClient(url) as imds:
            http = imds.http
            http.event_hooks = {"response": [note]}
            assert (await http.get("instance")).json() == {"a": 1}
            await http.post("x", json=[2])
            await http.post("z", content=parts())
            async with http.stream("GET", "y") as response:
                assert [part async for part in response.aiter_raw()] == [b'{"a": 1}']

    with raw_server(wire) as url:
        run(lambda: main(url))
    assert seen == ["200"] * 4
    assert wire.target(0) == "/metadata/instance"
    assert wire.header("metadata", 0) == "true"
    assert wire.header("cookie", 3) is None
    assert [request.partition(b"\r\n\r\n")[2] for request in wire.requests[1:3]] == [
        b"[2]",
        b"3\r\nabc\r\n0\r\n\r\n",
    ]


def test_the_httpx_client_has_timeouts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    async def main(url: str) -> None:
        async with AsyncImdsClient(url) as imds:
            with pytest.raises(httpx.ReadTimeout):
                await imds.http.get("x", timeout=0.05)

    with raw_server(Watched()) as url:
        run(lambda: main(url))


def test_our_own_requests_are_not_logged_by_httpx(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def main(url: str) -> None:
        async with AsyncImdsClient(url) as imds:
            assert (await get_token(imds)).access_token == CANARY

    with raw_server(Wire(reply(200, TOKEN))) as url:
        run(lambda: main(url))
    assert not [record for record in caplog.records if record.name != "asyncio"]
