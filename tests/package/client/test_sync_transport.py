"""The synchronous transport: connections, time limits, TLS, and httpx's client on top of it."""

from __future__ import annotations

import errno
import gc
import hashlib
import json
import logging
import os
import re
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from attestation_support import Issued
from azure_imds import EventWatcher, ImdsClient, ImdsStatusError, ImdsTimeoutError, ImdsUnavailableError
from azure_imds._client import sync_transport
from azure_imds._client.sync_transport import ATTEMPT_END, IS_CANCELLED, RequestCancelled, SocketTransport, TlsSettings
from support import CANARY, FakeClock, Wire, get_token, python, raw_server, read_request, reply, token
from transport_support import (
    HANGS,
    NO_HANDSHAKES,
    OTHER_SERVERS,
    Ear,
    Held,
    Numbered,
    black_hole,
    closes,
    https,
    in_threads,
    on_linux,
    over_tls,
    pinning,
    resets,
    resolving_to,
    server_certificate,
    trusting,
)

TOKEN = json.dumps(token())


def get(transport: SocketTransport, url: str, **extensions: Any) -> str:
    """Sends a GET request, and returns the body of its response."""
    return send(transport, httpx.Request("GET", url, extensions=extensions))


def send(transport: SocketTransport, request: httpx.Request) -> str:
    response = transport.handle_request(request)
    try:
        return response.read().decode()
    finally:
        response.close()


@pytest.fixture
def transport() -> Iterator[SocketTransport]:
    made = SocketTransport()
    yield made
    made.close()


# Connections


def test_a_connection_is_used_again_by_any_thread(transport: SocketTransport) -> None:
    answers: list[str] = []
    with raw_server(Numbered()) as url:
        for _ in range(5):
            in_threads(lambda: answers.append(get(transport, url)), 1)[0].join(HANGS)
        answers.append(get(transport, url))
        transport.close()
    assert answers == ["1"] * 6


def test_the_last_connection_is_used_first(transport: SocketTransport) -> None:
    peer = Held(3)
    with raw_server(peer) as url:
        threads = in_threads(lambda: get(transport, url), 3)
        peer.all_there.wait()
        for number in (2, 3, 1):
            peer.turns[number].set()
            while len(transport._idle) < 3 - [2, 3, 1][::-1].index(number):
                time.sleep(0.001)
        for thread in threads:
            thread.join(HANGS)
        assert [get(transport, url) for _ in range(3)] == ["1"] * 3
        first, second = transport._take_idle(origin_of(url)), transport._take_idle(origin_of(url))
        assert first is not None
        assert second is not None
        assert get(transport, url) == "2", "the oldest is used last"
        first.close()
        second.close()
        transport.close()


def origin_of(url: str) -> Any:
    parsed = httpx.URL(url)
    return sync_transport._Origin(False, parsed.raw_host, parsed.port or 80)


def test_many_threads_share_few_connections(transport: SocketTransport) -> None:
    peer, answers = Numbered(), list[str]()
    with raw_server(peer) as url:

        def work() -> None:
            for _ in range(40):
                answers.append(get(transport, url))

        for thread in in_threads(work, 8):
            thread.join(HANGS)
        transport.close()
    assert len(answers) == 320
    assert peer.connections <= 8


def test_only_so_many_idle_connections_are_kept(transport: SocketTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_transport, "_MOST_IDLE", 2)
    peer = Held(4)
    with raw_server(peer) as url:
        threads = in_threads(lambda: get(transport, url), 4)
        peer.all_there.wait()
        for turn in peer.turns.values():
            turn.set()
        for thread in threads:
            thread.join(HANGS)
        assert len(transport._idle) == 2
        transport.close()


def test_old_connections_are_closed(transport: SocketTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = Held(2)
    with raw_server(peer) as url:
        threads = in_threads(lambda: get(transport, url), 2)
        peer.all_there.wait()
        for turn in peer.turns.values():
            turn.set()
        for thread in threads:
            thread.join(HANGS)
        old = [*transport._idle]
        assert len(old) == 2
        for connection in old:
            connection.idle_since -= sync_transport._KEEP_ALIVE
        old[1].idle_since = time.monotonic()  # used again and again, while the other one stays below it
        get(transport, url)
        assert transport._idle == [old[1]]
        assert old[0].socket.fileno() == -1
        old[1].idle_since -= sync_transport._KEEP_ALIVE
        assert get(transport, url) == "3"
        transport.close()


def test_a_connection_belongs_to_one_server(transport: SocketTransport) -> None:
    one, other = Numbered(), Numbered()
    with raw_server(one) as url, raw_server(other) as other_url:
        for target in (url, url.replace("127.0.0.1", "localhost"), other_url, url):
            assert get(transport, target)
        transport.close()
    assert (one.connections, other.connections) == (3, 1)


@pytest.mark.parametrize(
    "peer",
    [
        Numbered("Connection: close"),
        Wire(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
        Wire(reply(200, "{}") + b"\r\n"),
        Wire(reply(200, "{}") + reply(200, "smuggled")),
        Wire(b"HTTP/1.1 204 X\r\nContent-Length: 8\r\n\r\nsmuggled"),
    ],
    ids=["close", "HTTP/1.0", "a line more", "a response more", "a body of 204"],
)
def test_a_connection_is_not_used_after_such_a_response(transport: SocketTransport, peer: Any) -> None:
    with raw_server(peer) as url:
        assert "smuggled" not in get(transport, url)
        assert not transport._idle
        assert "smuggled" not in get(transport, url)
    assert peer.connections == 2


def test_bytes_that_arrive_later_belong_to_no_request(transport: SocketTransport) -> None:
    smuggled = threading.Event()

    def peer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(reply(200, "first"))
        connection.sendall(reply(200, "smuggled"))
        smuggled.set()
        read_request(connection)

    with raw_server(peer) as url:
        assert get(transport, url) == "first"
        assert smuggled.wait(HANGS)
        assert get(transport, url) == "first"
        transport.close()


@pytest.mark.parametrize(
    ("start", "failure"),
    [
        (b"HTTP/1.1 200 OK\r\nX y\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZ\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Le", httpx.ReadTimeout),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{", httpx.ReadTimeout),
    ],
    ids=["header", "chunk", "half a header", "half a body"],
)
def test_a_connection_is_not_used_after_a_failure(
    transport: SocketTransport, start: bytes, failure: type[Exception]
) -> None:
    peer = Wire(start, reply(200, "fine"))
    with raw_server(peer) as url:
        with pytest.raises(failure):
            get(transport, url, timeout={"read": 0.05})
        assert get(transport, url) == "fine"
        transport.close()
    assert peer.connections == 2


def test_a_connection_is_not_used_after_an_unread_body(transport: SocketTransport) -> None:
    peer = Wire(reply(200, "12345", length=10), reply(200, "fine"))
    with raw_server(peer) as url:
        response = transport.handle_request(httpx.Request("GET", url))
        response.close()
        assert get(transport, url) == "fine"
        transport.close()
    assert peer.connections == 2


def test_a_connection_is_free_as_soon_as_its_response_has_arrived(transport: SocketTransport) -> None:
    peer = Numbered()
    with raw_server(peer) as url:
        unread = transport.handle_request(httpx.Request("GET", url))
        assert get(transport, url) == "1"
        assert unread.read() == b"1"
        transport.close()


def test_a_closed_stream_is_not_a_shorter_body(transport: SocketTransport) -> None:
    with raw_server(Wire(reply(200, "12345", length=10))) as url:
        response = transport.handle_request(httpx.Request("GET", url))
        stream: Any = response.stream
        stream.close()
        with pytest.raises(httpx.StreamClosed):
            b"".join(stream)


def test_a_connection_in_use_is_closed_after_the_transport(transport: SocketTransport) -> None:
    peer = Held(1)
    answers: list[str] = []
    with raw_server(peer) as url:
        [thread] = in_threads(lambda: answers.append(get(transport, url)), 1)
        peer.all_there.wait()
        transport.close()
        peer.turns[1].set()
        thread.join(HANGS)
    assert answers == ["1"]
    assert not transport._idle


def test_a_client_that_is_dropped_closes_its_connections() -> None:
    closed = threading.Event()

    def peer(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(reply(200, TOKEN))
        closed.set()

    with raw_server(peer) as url:
        imds = ImdsClient(url)
        get_token(imds)
        imds.http.get("instance")
        del imds
        gc.collect()
        assert closed.wait(HANGS)


def test_the_httpx_client_does_not_outlive_its_client() -> None:
    import weakref

    imds = ImdsClient("http://127.0.0.1:1")
    made = weakref.ref(imds.http)
    del imds
    gc.collect()
    assert made() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_leaves_the_connections_of_its_parent_alone(transport: SocketTransport) -> None:
    peer = Numbered()
    with raw_server(peer) as url:
        assert get(transport, url) == "1"
        pid = os.fork()
        if pid == 0:
            signal.alarm(int(HANGS))
            try:
                answers = [get(transport, url), get(transport, url)]
                transport.close()
                os._exit(0 if answers == ["2", "2"] else 1)
            except BaseException:
                os._exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert get(transport, url) == "1"
        transport.close()


# Connections that the server has closed


class Stale:
    """Answers one request on each connection, and closes it at the next one, or at once."""

    def __init__(self, end: Callable[[socket.socket], None], *, at_once: bool, last: bytes = b"") -> None:
        self.requests: list[tuple[int, bytes]] = []
        self.connections = 0
        self.closed = threading.Event()
        self._end = end
        self._at_once = at_once
        self._last = last or reply(200, TOKEN)

    def __call__(self, connection: socket.socket) -> None:
        self.connections += 1
        number = self.connections
        self.requests.append((number, read_request(connection)))
        connection.sendall(reply(200, TOKEN) if number == 1 else self._last)
        if number == 1 and not self._at_once:
            self.requests.append((number, read_request(connection)))
        if number == 1:
            self._end(connection)
            connection.close()
            self.closed.set()
        else:
            read_request(connection)


ends = pytest.mark.parametrize("end", [closes, resets])
moments = pytest.mark.parametrize("at_once", [True, False], ids=["before sending", "after the request was sent"])


@ends
@moments
def test_a_stale_connection_is_replaced_without_an_attempt_or_a_wait(
    end: Callable[[socket.socket], None], at_once: bool
) -> None:
    peer, clock = Stale(end, at_once=at_once), FakeClock()
    with raw_server(peer) as url, ImdsClient(url, retry=None, clock=clock) as imds:
        assert get_token(imds).access_token == CANARY
        assert not at_once or peer.closed.wait(HANGS)
        assert get_token(imds).access_token == CANARY
    assert [number for number, _ in peer.requests if _] == ([1, 2] if at_once else [1, 1, 2])
    assert clock.waits == []


@ends
def test_the_request_on_a_fresh_connection_is_the_same_attempt(end: Callable[[socket.socket], None]) -> None:
    peer = Stale(end, at_once=False, last=reply(400, '{"error": "x"}'))
    with raw_server(peer) as url, ImdsClient(url, clock=FakeClock()) as imds:
        get_token(imds)
        with pytest.raises(ImdsStatusError) as caught:
            get_token(imds)
    assert caught.value.attempts == 1
    repeated = [request for number, request in peer.requests[1:]]
    assert len(repeated) == 2
    assert repeated[0] == repeated[1], "with the same request id"


def test_a_request_is_repeated_once_only() -> None:
    """The server closes the fresh connection too."""
    requests: list[bytes] = []

    def peer(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        if len(requests) == 1:
            connection.sendall(reply(200, TOKEN))
            requests.append(read_request(connection))

    with raw_server(peer) as url, ImdsClient(url, retry=None) as imds:
        get_token(imds)
        with pytest.raises(ImdsUnavailableError, match="disconnected without sending a response") as caught:
            get_token(imds)
    assert len(requests) == 3
    assert caught.value.attempts == 1


def test_a_request_is_not_repeated_after_a_part_of_its_response() -> None:
    def peer(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        connection.sendall(reply(200, TOKEN))
        requests.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 2")

    requests: list[bytes] = []
    with raw_server(peer) as url, ImdsClient(url, retry=None) as imds:
        get_token(imds)
        with pytest.raises(ImdsUnavailableError, match="before the response was complete"):
            get_token(imds)
    assert len(requests) == 2


def test_a_request_is_not_repeated_after_a_timeout() -> None:
    wire = Wire(reply(200, TOKEN), b"")
    with raw_server(wire) as url, ImdsClient(url, retry=None, timeout=0.1) as imds:
        get_token(imds)
        with pytest.raises(ImdsTimeoutError):
            get_token(imds)
    assert len(wire.requests) == 2


@pytest.mark.parametrize("method", ["POST", "PATCH", "CONNECT-ME"])
def test_a_request_with_an_effect_is_sent_once_and_never_on_a_stale_connection(
    transport: SocketTransport, method: str
) -> None:
    peer = Stale(closes, at_once=False)
    with raw_server(peer) as url:
        get(transport, url)
        assert send(transport, httpx.Request(method, url, json={"a": 1})) == TOKEN
        assert len(transport._idle) == 2, "the new connection is kept as well"
        transport.close()
    assert [(number, request[:4]) for number, request in peer.requests if request] == [
        (1, b"GET "),
        (2, method[:4].encode().ljust(4)),
    ]


def test_a_post_that_is_not_answered_is_sent_once(transport: SocketTransport) -> None:
    requests: list[bytes] = []

    def peer(connection: socket.socket) -> None:
        requests.append(read_request(connection))

    with raw_server(peer) as url, pytest.raises(httpx.RemoteProtocolError):
        send(transport, httpx.Request("POST", url))
    assert len(requests) == 1


# Time limits


@on_linux
def test_all_addresses_of_a_name_share_one_limit(transport: SocketTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    with black_hole() as address:
        resolving_to(monkeypatch, *[address] * 20)
        start = time.monotonic()
        with pytest.raises(httpx.ConnectTimeout):
            get(transport, "http://imds", timeout={"connect": 0.2})
        with pytest.raises(httpx.ConnectTimeout):
            get(transport, "http://imds", **{ATTEMPT_END: time.monotonic() + 0.2})
        assert time.monotonic() - start < 2


@on_linux
def test_an_address_that_never_answers_leaves_time_for_the_next(
    transport: SocketTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    with black_hole() as address, raw_server(Numbered()) as url:
        resolving_to(monkeypatch, address, ("127.0.0.1", httpx.URL(url).port))
        assert get(transport, "http://imds", timeout={"connect": 0.2}) == "1"
        transport.close()


def test_an_address_that_refuses_is_followed_by_the_next(
    transport: SocketTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw_server(Numbered()) as url:
        port = httpx.URL(url).port
        resolving_to(monkeypatch, ("::1", port, 0, 0), ("127.0.0.1", 1), ("127.0.0.1", port))
        assert get(transport, "http://imds") == "1"
        transport.close()


def test_a_name_without_addresses_is_a_failed_connection(
    transport: SocketTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving_to(monkeypatch)
    with pytest.raises(httpx.ConnectError, match="no address"):
        get(transport, "http://imds")


def test_an_unknown_name_says_so(transport: SocketTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(httpx.ConnectError, match="Name or service not known"):
        get(transport, "http://imds")
    with pytest.raises(ImdsUnavailableError, match="Name or service not known"):
        get_token(ImdsClient("http://imds", retry=None))


def test_a_process_without_descriptors_cannot_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_socket(*_: Any) -> Any:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(sync_transport.socket, "socket", no_socket)
    with pytest.raises(ImdsUnavailableError, match=os.strerror(errno.EMFILE)):
        get_token(ImdsClient("http://127.0.0.1:1", retry=None))


@on_linux
def test_a_request_that_is_cancelled_while_it_connects_ends(transport: SocketTransport) -> None:
    checks = iter([False, False, True])
    with black_hole() as (host, port), pytest.raises(RequestCancelled):
        get(transport, f"http://{host}:{port}", **{IS_CANCELLED: lambda: next(checks)})


@on_linux
def test_a_slow_connection_is_made_while_the_request_can_be_cancelled(
    transport: SocketTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel makes it when the queue has room again."""
    monkeypatch.setattr(sync_transport, "_CHECK_INTERVAL", 0.01)
    connected: list[str] = []
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as listener,
        socket.create_connection(listener.getsockname()),
    ):
        url = "http://{}:{}".format(*listener.getsockname())
        [thread] = in_threads(lambda: connected.append(get(transport, url, **{IS_CANCELLED: lambda: False})), 1)
        time.sleep(0.05)
        listener.accept()[0].close()
        connection, _ = listener.accept()
        with connection:
            read_request(connection)
            connection.sendall(reply(200, "late", "Connection: close"))
        thread.join(HANGS)
    assert connected == ["late"]


def test_a_refused_connection_says_so_while_the_request_can_be_cancelled(transport: SocketTransport) -> None:
    with pytest.raises(httpx.ConnectError, match="refused"):
        get(transport, "http://127.0.0.1:1", **{IS_CANCELLED: lambda: False})


def test_a_request_that_is_cancelled_while_it_reads_ends(transport: SocketTransport) -> None:
    received = threading.Event()

    def silent(connection: socket.socket) -> None:
        read_request(connection)
        received.set()
        read_request(connection)

    with raw_server(silent) as url, pytest.raises(RequestCancelled):
        get(transport, url, **{IS_CANCELLED: received.is_set})
    assert not transport._idle


def test_stop_ends_a_pending_request_of_a_watcher() -> None:
    watchers: list[EventWatcher[ImdsClient]] = []

    def silent(connection: socket.socket) -> None:
        read_request(connection)
        watchers[0].stop()
        read_request(connection)

    with raw_server(silent) as url, ImdsClient(url) as imds:
        watchers.append(EventWatcher(imds))
        assert [*watchers[0]] == []


def test_a_wait_is_not_longer_than_the_operating_system_can(transport: SocketTransport) -> None:
    with raw_server(Numbered()) as url:
        assert get(transport, url, timeout=dict.fromkeys(("connect", "read", "write"), 1e300)) == "1"
        assert get(transport, url, timeout=dict.fromkeys(("connect", "read", "write"))) == "1"
        transport.close()


def test_a_large_request_that_nobody_reads_is_a_timeout(transport: SocketTransport) -> None:
    done = threading.Event()

    with raw_server(lambda _: done.wait(HANGS) and None) as url:  # type: ignore[func-returns-value]
        request = httpx.Request("POST", url, content=b"x" * 20_000_000, extensions={"timeout": {"write": 0.1}})
        with pytest.raises(httpx.WriteTimeout):
            send(transport, request)
        done.set()


# Addresses


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_an_address_of_version_6() -> None:
    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            requests.append(read_request(connection))
            connection.sendall(reply(200, TOKEN))

    requests: list[bytes] = []
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        [thread] = in_threads(serve, 1)
        port = listener.getsockname()[1]
        with ImdsClient(f"http://[::1]:{port}", retry=None) as imds:
            assert get_token(imds).access_token == CANARY
        thread.join(HANGS)
    assert f"Host: [::1]:{port}\r\n".encode() in requests[0]


# TLS


@pytest.mark.parametrize("settings", [trusting, pinning])
def test_a_server_is_used_over_tls(settings: Callable[[Issued], TlsSettings]) -> None:
    root, issued = server_certificate()
    transport = SocketTransport(settings(root if settings is trusting else issued))
    body = "x" * 200_000
    wire = Wire(reply(200, body))
    with raw_server(over_tls(wire)) as url:
        assert [get(transport, https(url)) for _ in range(3)] == [body] * 3
        transport.close()
    assert wire.connections == 1


def test_a_pin_needs_no_matching_name_and_no_small_letters() -> None:
    _, issued = server_certificate()
    transport = SocketTransport(TlsSettings(pin=hashlib.sha1(issued.der).hexdigest().upper()))
    with raw_server(over_tls(Numbered())) as url:
        assert get(transport, url.replace("http:", "https:")) == "1"
        transport.close()


@pytest.mark.parametrize("name", OTHER_SERVERS)
def test_nothing_is_sent_to_another_server(name: str) -> None:
    settings, text, host = OTHER_SERVERS[name]
    ear = Ear()
    with raw_server(ear) as url:
        transport = SocketTransport(settings())
        with pytest.raises(httpx.ConnectError, match=text):
            get(transport, https(url).replace("localhost", host))
        assert ear.ended.wait(HANGS)
    assert ear.received == b""


def test_the_certificates_are_loaded_once() -> None:
    made: list[ssl.SSLContext] = []
    usual = trusting(server_certificate()[0])

    def context() -> ssl.SSLContext:
        made.append(usual.context())
        return made[-1]

    transport = SocketTransport(TlsSettings(context))
    with raw_server(over_tls(Numbered("Connection: close"))) as url:
        assert [get(transport, https(url)) for _ in range(2)] == ["1", "2"]
    assert len(made) == 1


@pytest.mark.parametrize("name", NO_HANDSHAKES)
def test_a_handshake_that_fails_is_a_failed_connection(transport: SocketTransport, name: str) -> None:
    peer, failure = NO_HANDSHAKES[name]
    with raw_server(peer) as url, pytest.raises(failure):
        get(transport, url.replace("http:", "https:"), timeout={"connect": 0.2})


# httpx's client on top of it


def test_the_httpx_client_sends_any_request() -> None:
    wire = Wire(reply(200, '{"a": 1}'))
    with raw_server(wire) as url, ImdsClient(url) as imds:
        assert imds.http.get("instance", params={"b": "c d"}).json() == {"a": 1}
        assert imds.http.post("x", json=[2]).status_code == 200
        assert imds.http.put("y", content=b"abc").http_version == "HTTP/1.1"
        assert imds.http.post("z", content=iter([b"ab", b"c"])).reason_phrase == "Reason"
        assert imds.http.head("/").headers["content-length"] == "8"
        assert imds.http.request("DELETE", "/").url.path == "/metadata/"
    first, *others = [request.partition(b"\r\n\r\n") for request in wire.requests]
    assert re.match(rb"GET /metadata/instance\?b=c(\+|%20)d HTTP/1\.1\r\n", first[0])
    assert b"\r\nMetadata: true\r\n" in first[0]
    bodies = [body for _, _, body in others]
    assert bodies[:3] == [b"[2]", b"abc", b"3\r\nabc\r\n0\r\n\r\n"]


def test_the_httpx_client_streams() -> None:
    def peer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        assert half.wait(HANGS)
        connection.sendall(b"1\r\nc\r\n0\r\n\r\n")

    half = threading.Event()
    with raw_server(peer) as url, ImdsClient(url) as imds, imds.http.stream("GET", "x") as response:
        parts = response.iter_raw()
        assert next(parts) == b"ab"
        half.set()
        assert [*parts] == [b"c"]


def test_the_httpx_client_has_timeouts() -> None:
    def silent(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    with raw_server(silent) as url, ImdsClient(url) as imds:
        with pytest.raises(httpx.ReadTimeout):
            imds.http.get("x", timeout=0.05)
        with pytest.raises(httpx.ConnectError, match="refused"):
            imds.http.get("http://127.0.0.1:1")


def test_the_httpx_client_decodes_and_has_hooks() -> None:
    import gzip

    seen: list[str] = []
    with raw_server(Wire(reply(200, gzip.compress(b"{}"), "Content-Encoding: gzip"))) as url, ImdsClient(url) as imds:
        imds.http.event_hooks = {
            "request": [lambda request: seen.append(request.method)],
            "response": [lambda response: seen.append(str(response.status_code))],
        }
        response = imds.http.get("x")
    assert response.json() == {}
    assert response.elapsed.total_seconds() >= 0
    assert seen == ["GET", "200"]


def test_the_httpx_client_ignores_proxies_redirects_and_cookies(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    wire = Wire(reply(302, "", "Location: /elsewhere", "Set-Cookie: a=b; Path=/"))
    with raw_server(wire) as url, ImdsClient(url) as imds:
        for _ in range(2):
            assert imds.http.get("x").status_code == 302
    assert len(wire.requests) == 2
    assert wire.header("cookie") is None


def test_our_own_requests_are_not_logged_by_httpx(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with raw_server(Wire(reply(200, TOKEN))) as url, ImdsClient(url) as imds:
        get_token(imds)
        assert {record.name for record in caplog.records} <= {"azure_imds"}
        imds.http.get("x")
        assert "httpx" in {record.name for record in caplog.records}


@pytest.mark.parametrize("how", ["transport", "http_client"])
def test_a_caller_s_way_is_used_with_its_hooks(how: str) -> None:
    sent: list[str] = []

    class Counting(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            sent.append(request.url.path)
            return super().handle_request(request)

    hooks = {"request": [lambda request: sent.append(request.method)]}
    with raw_server(Wire(reply(200, TOKEN))) as url, httpx.Client(transport=Counting(), event_hooks=hooks) as http:
        options: dict[str, Any] = {how: Counting() if how == "transport" else http}
        with ImdsClient(url, **options) as imds:
            assert get_token(imds).access_token == CANARY
    assert sent == ["GET"] * (how == "http_client") + ["/metadata/identity/oauth2/token"]


def test_a_first_token_needs_none_of_httpx_s_network_libraries() -> None:
    code = """
import sys
import httpx
before = {*sys.modules}
from azure_imds import ImdsCredential
with ImdsCredential(endpoint=%r) as credential:
    assert credential.get_token("https://vault.azure.net").token
new = {name.partition(".")[0] for name in {*sys.modules} - before}
print(sorted(new & {"httpcore", "h11", "anyio", "asyncio", "trio", "sniffio", "certifi", "http", "stringprep"}))
# Before 0.28, httpx itself imports httpcore.
old = tuple(map(int, httpx.__version__.split(".")[:2])) < (0, 28)
print([] if old else sorted({"httpcore", "h11", "anyio", "asyncio"} & {*sys.modules}))
"""
    fresh = json.dumps(token(expires_on=str(int(time.time()) + 86399)))
    with raw_server(Wire(reply(200, fresh))) as url:
        run = python(code % url)
    assert (run.stdout, run.stderr) == ("[]\n[]\n", "")
