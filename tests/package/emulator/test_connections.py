"""Connections: clients that close their side early, and requests during a slow one."""

from __future__ import annotations

import functools
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from azure_imds_emulator import Emulator, attested, identity
from emulator_support import wait_until

GET = b"GET /metadata/versions HTTP/1.1\r\nHost: x\r\nMetadata: true\r\n\r\n"
POST = b"POST /metadata/scheduledevents?api-version=2020-07-01 HTTP/1.1\r\nHost: x\r\nMetadata: true\r\n"


def send_and_half_close(emulator: Emulator, request: bytes) -> bytes:
    """Sends a request, closes this side of the connection, and returns what the emulator sends."""
    address = urlsplit(emulator.endpoint)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


@pytest.mark.parametrize("number", range(5))
def test_a_client_that_half_closes_gets_its_response(emulator: Emulator, number: int) -> None:
    response = send_and_half_close(emulator, GET)
    assert response.startswith(b"HTTP/1.1 200 ")
    assert response.endswith(b"]}")


def test_all_pipelined_requests_get_a_response(emulator: Emulator) -> None:
    assert send_and_half_close(emulator, GET * 3).count(b"HTTP/1.1 200 ") == 3


def test_a_delayed_response_is_sent_after_a_half_close(emulator: Emulator) -> None:
    emulator.clock.freeze()
    emulator.fail(delay=60)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(send_and_half_close, emulator, GET)
        wait_until(lambda: emulator.clock.waiting == 1)
        emulator.clock.advance(60)
        assert waiting.result().startswith(b"HTTP/1.1 200 ")


def test_a_complete_body_is_read_after_a_half_close(emulator: Emulator) -> None:
    event = emulator.schedule("Reboot")
    body = b'{"StartRequests":[{"EventId":"' + event.event_id.encode() + b'"}]}'
    response = send_and_half_close(emulator, POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert response.startswith(b"HTTP/1.1 200 ")
    assert emulator.events.events[0].status == "Started"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"",
        b"GET /metadata/ver",
        POST + b"Content-Length: 50\r\n\r\n{",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
    ids=["nothing", "half a line", "half a body", "half a chunk"],
)
def test_an_incomplete_request_is_closed_without_a_response(emulator: Emulator, request_bytes: bytes) -> None:
    assert send_and_half_close(emulator, request_bytes) == b""


def test_a_hanging_request_ends_when_its_client_closes_the_connection(emulator: Emulator) -> None:
    emulator.fail(hang=True)
    assert send_and_half_close(emulator, GET) == b""


class Held:
    """Replaces a function with one that waits until the test lets it go on."""

    def __init__(self) -> None:
        self.entered, self.released = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        assert self.released.wait(30)


@pytest.mark.parametrize(
    ("path", "query", "module", "is_ready", "make"),
    [
        ("/attested/document", {"api-version": "2021-02-01"}, attested, "has_keys", "make_keys"),
        (
            "/identity/oauth2/token",
            {"api-version": "2018-02-01", "resource": "https://vault.azure.net"},
            identity,
            "has_signing_key",
            "get_signing_key",
        ),
    ],
)
def test_other_connections_are_served_while_keys_are_generated(
    http: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    query: dict[str, str],
    module: object,
    is_ready: str,
    make: str,
) -> None:
    original = getattr(module, make)
    held = Held()

    def make_slowly() -> object:
        if not held.entered.is_set():
            held()
        return original()

    monkeypatch.setattr(module, is_ready, lambda: False)
    monkeypatch.setattr(module, make, make_slowly)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(http.get, path, params=query)
        try:
            assert held.entered.wait(30)
            assert http.get("/versions").status_code == 200
            assert not first.done()
        finally:
            held.released.set()
        assert first.result().status_code == 200


def test_versions_are_served_while_the_keys_of_the_first_attested_document_are_generated(
    http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in a new process, without a replaced function: if the generation of keys held the interpreter's lock, only the
    # few requests between two keys would be served.
    monkeypatch.setattr(attested, "_make_chain", functools.cache(attested._make_chain.__wrapped__))
    monkeypatch.setattr(attested, "_has_chain", threading.Event())
    served = 0
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(http.get, "/attested/document", params={"api-version": "2021-02-01"})
        while not first.done():
            assert http.get("/versions").status_code == 200
            served += 1
        assert first.result().status_code == 200
    assert served > 10


@pytest.mark.parametrize("path", ["/discovery/keys", "/pki/root.cer", "/pki/intermediate.cer"])
def test_the_control_server_does_not_stall_other_connections_either(
    control: httpx.Client, http: httpx.Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    held = Held()
    name = {"/pki/root.cer": "get_root_certificate", "/pki/intermediate.cer": "get_intermediate_certificate"}.get(path)
    module = attested if name else "azure_imds_emulator.control.get_signing_key"
    original = getattr(attested, name) if name else identity.get_signing_key

    def make_slowly() -> object:
        held()
        return original()

    if name:
        monkeypatch.setattr(attested, name, make_slowly)
    else:
        monkeypatch.setattr(module, make_slowly)  # type: ignore[arg-type]
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(control.get, path)
        try:
            assert held.entered.wait(30)
            assert http.get("/versions").status_code == 200
        finally:
            held.released.set()
        assert first.result().status_code == 200
