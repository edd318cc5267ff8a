"""Servers that answer late, slowly or never: each call ends in time with a matching error."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest

from azure_imds import ImdsError, ImdsResponseError, ImdsStatusError, ImdsTimeoutError, ImdsUnavailableError
from support import (
    COLOURS,
    Colour,
    FakeClock,
    Script,
    Wire,
    answer,
    get_token,
    list_foreign,
    ok,
    raw_server,
    read_request,
    reply,
    token,
)

Handler = Callable[[socket.socket], None]

#: Seconds that a call may take here, and seconds after which it hangs: a guard, and far from any measure.
DEADLINE = 0.15
HANGS = 5.0

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def drops(before: bytes, drop: bytes, seconds: float = 4 * HANGS) -> Handler:
    """Sends a little at a time without an end: no single read is late."""

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(before)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            connection.sendall(drop)
            time.sleep(0.05)

    return handle


def respond_with(*parts: bytes) -> Handler:
    """Returns a handler that sends these parts and closes the connection."""

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        for part in parts:
            connection.sendall(part)

    return handle


def says_and_stays(*parts: bytes) -> Handler:
    def handle(connection: socket.socket) -> None:
        respond_with(*parts)(connection)
        silent(connection)

    return handle


def reset(connection: socket.socket) -> None:
    """Resets the connection."""
    read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


#: Servers that never end a response.
ENDLESS: dict[str, Handler] = {
    "silent": silent,
    "drops of a status line": drops(b"HTTP/1.1 200 ", b"O"),
    "drops of a header": drops(HEAD + b"X: ", b"x"),
    "drops of headers": drops(HEAD, b"X: y\r\n"),
    "drops of interim answers": drops(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "drops of a body": drops(HEAD + b"Content-Length: 100000\r\n\r\n", b"x"),
    "drops of a body until the end": drops(HEAD + b"\r\n", b" "),
    "drops of chunks": drops(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "half a body": says_and_stays(HEAD + b"Content-Length: 100\r\n\r\n", b"{"),
}

#: Servers that close the connection without a response.
ENDING: dict[str, Handler] = {
    "closed at once": lambda connection: None,
    "closed after the request": respond_with(),
    "reset": reset,
    "half a status line": respond_with(b"HTTP/1."),
    "half the headers": respond_with(HEAD),
    "a banner of SSH, then silence": says_and_stays(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "another protocol": respond_with(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "binary": respond_with(bytes(range(256)) * 4 + b"\r\n\r\n"),
    "TLS": respond_with(b"\x15\x03\x01\x00\x02\x02\x46"),
    "HTTP/0.9": respond_with(b"<html>hello</html>"),
    "HTTP/2": respond_with(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\0" * 18),
    "status 99999": respond_with(b"HTTP/1.1 99999 X\r\n\r\n"),
    "status without digits": respond_with(b"HTTP/1.1 OK\r\n\r\n"),
    "two lengths": respond_with(HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    "an invalid length": respond_with(HEAD + b"Content-Length: -5\r\n\r\nhello"),
    "a header with a space in its name": respond_with(HEAD + b"X y: z\r\n\r\n"),
    "a header without an end": respond_with(HEAD + b"X: " + b"x" * 200_000),
    "101": respond_with(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
}


def error_of(colour: Colour, endpoint: str, **options: Any) -> ImdsError:
    """The error of a call, which must be raised before the call counts as hung."""
    start = time.monotonic()
    error = colour.error(get_token, endpoint=endpoint, **{"deadline": DEADLINE, **options})
    assert time.monotonic() - start < HANGS, "hung"
    assert isinstance(error, ImdsError), repr(error)
    assert error.attempts >= 1
    assert error.url.startswith(f"{endpoint}/metadata/identity/oauth2/token?")
    assert 0 < error.elapsed < HANGS
    assert f"{error.attempts} attempt" in str(error)
    assert list_foreign(error) == []
    return error


@pytest.mark.parametrize("peer", [*ENDLESS.values()], ids=[*ENDLESS])
def test_a_response_that_never_ends_is_a_timeout(colour: Colour, peer: Handler) -> None:
    with raw_server(peer) as endpoint:
        error = error_of(colour, endpoint, retry=None)
    assert type(error) is ImdsTimeoutError
    assert error.deadline == DEADLINE
    assert error.hint in str(error)
    assert "nothing was received" in error.hint


@pytest.mark.parametrize("peer", [*ENDING.values()], ids=[*ENDING])
def test_a_connection_closed_without_a_response_is_unavailable(colour: Colour, peer: Handler) -> None:
    with raw_server(peer) as endpoint:
        error = error_of(colour, endpoint, retry=None, deadline=5)
    assert type(error) is ImdsUnavailableError
    assert error.retryable
    assert str(error).isprintable()
    assert "OpenSSH" not in str(error), "what was on the wire may be a piece of a token"


@pytest.mark.parametrize("name", ["silent", "drops of a header", "drops of a body"])
def test_attempts_share_the_deadline(colour: Colour, name: str) -> None:
    with raw_server(ENDLESS[name]) as endpoint:
        error = error_of(colour, endpoint, timeout=DEADLINE / 4)
    assert isinstance(error, ImdsTimeoutError)


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("body", [b"", b"{"], ids=["nothing", "half"])
def test_an_error_whose_body_never_ends_is_that_error(colour: Colour, status: int, body: bytes) -> None:
    with raw_server(says_and_stays(reply(status, body, length=100))) as endpoint:
        error = error_of(colour, endpoint, retry=None)
    assert isinstance(error, ImdsStatusError)
    assert error.status_code == status


def test_a_late_chunk_does_not_extend_the_deadline(colour: Colour) -> None:
    clock = FakeClock()

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{")
        clock.now += 60
        connection.sendall(b" ")
        silent(connection)

    with raw_server(handle) as endpoint:
        error = colour.error(get_token, endpoint=endpoint, clock=clock, retry=None)
    assert type(error) is ImdsTimeoutError


def test_an_attempt_ends_after_its_own_time(colour: Colour) -> None:
    wire = Wire(reply(200, "", length=-1))
    with raw_server(lambda connection: (wire(connection), silent(connection))[0]) as endpoint:  # type: ignore[func-returns-value]
        error = error_of(colour, endpoint, timeout=0.1, deadline=60, retry=None)
    assert type(error) is ImdsTimeoutError


# The same with the caller's own transport or client


@contextmanager
def brought(colour: Colour, what: str) -> Iterator[dict[str, Any]]:
    """A caller's own transport or client, as options."""
    if what == "transport":
        yield {what: httpx.HTTPTransport() if colour.name == "sync" else httpx.AsyncHTTPTransport()}
    elif colour.name == "sync":
        with httpx.Client(timeout=None) as http:
            yield {what: http}
    else:
        # Its connections end with each test's event loop, so it needs no closing.
        yield {what: httpx.AsyncClient(timeout=None)}


@pytest.mark.parametrize("what", ["http_client", "transport"])
@pytest.mark.parametrize("name", ["silent", "drops of a body", "drops of chunks"])
def test_a_response_that_never_ends_is_a_timeout_on_a_caller_s_transport(colour: Colour, name: str, what: str) -> None:
    with raw_server(ENDLESS[name]) as endpoint, brought(colour, what) as options:
        error = error_of(colour, endpoint, retry=None, **options)
    assert type(error) is ImdsTimeoutError


@pytest.mark.parametrize("what", ["http_client", "transport"])
@pytest.mark.parametrize(
    "colour",
    [
        pytest.param(
            COLOURS[0],
            marks=pytest.mark.xfail(reason="httpx's timeouts are per read, and nothing of ours is below a caller's"),
        ),
        *COLOURS[1:],
    ],
    ids=str,
)
def test_a_slow_header_is_a_timeout_on_a_caller_s_transport(colour: Colour, what: str) -> None:
    peer = drops(HEAD + b"X: ", b"x", seconds=4 * DEADLINE)
    with raw_server(peer) as endpoint, brought(colour, what) as options:
        error = error_of(colour, endpoint, retry=None, **options)
    assert type(error) is ImdsTimeoutError


@pytest.mark.parametrize("what", ["http_client", "transport"])
@pytest.mark.parametrize("name", ["closed at once", "another protocol", "reset"])
def test_a_connection_closed_early_is_unavailable_on_a_caller_s_transport(colour: Colour, name: str, what: str) -> None:
    with raw_server(ENDING[name]) as endpoint, brought(colour, what) as options:
        error = error_of(colour, endpoint, retry=None, deadline=5, **options)
    assert type(error) is ImdsUnavailableError


def test_a_slow_transport_of_a_caller_ends_in_time_if_it_reads_its_timeout() -> None:
    given: list[dict[str, float]] = []

    class Slow(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            given.append(request.extensions["timeout"])
            raise httpx.ReadTimeout("late")

    COLOURS[0].error(get_token, transport=Slow(), deadline=DEADLINE, retry=None)
    assert all(0 < seconds <= DEADLINE for seconds in given[0].values())


@pytest.mark.parametrize("colour", COLOURS[1:], ids=str)
def test_an_async_transport_that_never_returns_is_cancelled_in_time(colour: Colour) -> None:
    import anyio

    class Never(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await anyio.sleep(4 * HANGS)
            raise AssertionError

    start = time.monotonic()
    error = colour.error(get_token, transport=Never(), deadline=DEADLINE)
    assert time.monotonic() - start < HANGS
    assert type(error) is ImdsTimeoutError


# No connection is accepted


@contextmanager
def full_backlog() -> Iterator[str]:
    """A port whose queue is full: further connection attempts receive no reply."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting: list[socket.socket] = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect(listener.getsockname())
            waiting.append(one)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for one in waiting:
                one.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse instead")
def test_a_connection_that_is_never_made_is_a_timeout(colour: Colour) -> None:
    with full_backlog() as endpoint:
        error = error_of(colour, endpoint)
    assert type(error) is ImdsTimeoutError


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse instead")
def test_a_missing_connection_and_a_missing_response_have_different_hints(colour: Colour) -> None:
    with full_backlog() as endpoint:
        error = error_of(colour, endpoint, retry=None, deadline=0.6)
    assert "could not be made" in error.hint
    assert "AKS" in error.hint


def test_a_refused_connection_is_retried_only_within_the_deadline(colour: Colour) -> None:
    with raw_server(silent) as endpoint:
        pass  # closed: connections are refused from now on
    error = error_of(colour, endpoint)
    assert type(error) is ImdsUnavailableError


# The deadline and other time limits


def test_connecting_takes_at_most_two_seconds(colour: Colour) -> None:
    script = Script(ok())
    colour.run(get_token, transport=script, deadline=1000, timeout=500)
    assert script.requests[0].extensions["timeout"]["connect"] <= 2


def test_an_attempt_gets_no_more_than_the_deadline_has_left(colour: Colour) -> None:
    script, clock = Script(answer(500, {"error": "x"})), FakeClock()
    colour.error(get_token, transport=script, clock=clock, deadline=5)
    given = [request.extensions["timeout"]["read"] for request in script.requests]
    left = [5 - sum(clock.waits[:n]) for n in range(len(given))]
    assert given == pytest.approx(left)


def test_a_whole_call_takes_at_most_thirty_seconds_by_default(colour: Colour) -> None:
    clock = FakeClock()

    def slow(request: httpx.Request) -> httpx.Response:
        clock.now += request.extensions["timeout"]["read"]
        raise httpx.ReadTimeout("late")

    start = clock.now
    error = colour.error(get_token, transport=Script(slow), clock=clock)
    assert isinstance(error, ImdsTimeoutError)
    assert error.deadline == 30
    assert clock.now - start <= 30.01


def test_the_first_request_for_events_may_take_two_minutes(colour: Colour) -> None:
    script = Script(answer(200, {"DocumentIncarnation": 1, "Events": []}))
    colour.run(lambda imds: imds.scheduled_events.get_events(), transport=script, clock=FakeClock())
    assert script.requests[0].extensions["timeout"]["read"] >= 120


def test_no_deadline_is_too_long_for_the_operating_system(colour: Colour) -> None:
    with raw_server(Wire(reply(200, json.dumps(token())))) as endpoint:
        assert colour.run(get_token, endpoint=endpoint, deadline=1e12, timeout=1e12).token_type == "Bearer"


def test_a_deadline_that_is_over_before_the_first_byte_is_a_timeout(colour: Colour) -> None:
    with raw_server(silent) as endpoint:
        error = error_of(colour, endpoint, deadline=1e-9)
    assert isinstance(error, ImdsUnavailableError)


def test_a_body_that_is_always_cut_off_ends_with_the_deadline(colour: Colour) -> None:
    with raw_server(respond_with(HEAD + b"Content-Length: 100\r\n\r\n{")) as endpoint:
        error = error_of(colour, endpoint)
    # On a busy machine the deadline may end an attempt before its response has arrived.
    assert type(error) in (ImdsResponseError, ImdsTimeoutError)
    assert error.retryable


def test_a_response_after_a_timeout_is_used(colour: Colour) -> None:
    turns = iter([silent, Wire(reply(200, json.dumps(token()), "Connection: close"))])
    lock = threading.Lock()

    def first_silent(connection: socket.socket) -> None:
        with lock:
            handler = next(turns)
        handler(connection)

    with raw_server(first_silent) as endpoint:
        result = colour.run(get_token, endpoint=endpoint, timeout=0.2, deadline=20)
    assert result.token_type == "Bearer"
