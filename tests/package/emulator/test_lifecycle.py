"""Start and stop, recorded requests, and secrets that must not appear."""

from __future__ import annotations

import ast
import logging
import socket
import threading
from concurrent.futures import Future
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

import azure_imds_emulator
from azure_imds_emulator import Clock, Emulator
from emulator_support import exchange, make_client_for

PACKAGE = Path(azure_imds_emulator.__file__).parent


def test_it_starts_and_stops_without_a_with_statement() -> None:
    emulator = Emulator()
    with pytest.raises(RuntimeError, match="is not running"):
        _ = emulator.endpoint
    try:
        assert emulator.start() is emulator
        first = emulator.endpoint
        assert emulator.start().endpoint == first, "a second start does nothing"
        emulator.stop()
        emulator.stop()
        emulator.start()
        with make_client_for(emulator) as http:
            assert http.get("/versions").status_code == 200
    finally:
        emulator.stop()


def test_stopping_ends_the_thread_and_frees_the_ports() -> None:
    before = threading.active_count()
    with Emulator() as emulator, make_client_for(emulator) as http:
        http.get("/versions")
        ports = [urlsplit(url).port for url in (emulator.endpoint, emulator.control_url)]
    assert threading.active_count() == before
    for port in ports:
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port or 0)):
            pass


def test_it_listens_on_loopback_only() -> None:
    with Emulator() as emulator:
        assert emulator.endpoint.startswith("http://127.0.0.1:")
        assert emulator.control_url.startswith("http://127.0.0.1:")
        assert emulator.endpoint != emulator.control_url


def test_a_port_in_use_raises_and_leaves_no_thread() -> None:
    with Emulator() as emulator:
        port = urlsplit(emulator.endpoint).port or 0
        with pytest.raises(OSError, match="in use"), Emulator(port=port):
            pytest.fail("two emulators listen on one port")
    threads = [thread.name for thread in threading.enumerate()]
    assert "azure-imds-emulator" not in threads


def test_an_interrupted_start_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(Future[None]):
        def result(self, timeout: float | None = None) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr("azure_imds_emulator.server_thread.Future", Interrupted)
    with pytest.raises(KeyboardInterrupt), Emulator(arc=True):
        pytest.fail("the start was not interrupted")
    threads = [thread.name for thread in threading.enumerate()]
    assert "azure-imds-emulator" not in threads


def test_it_can_listen_on_ipv6_loopback() -> None:
    try:
        emulator = Emulator(host="::1").start()
    except OSError:
        pytest.skip("no IPv6 here")
    with emulator, make_client_for(emulator) as http:
        assert emulator.endpoint.startswith("http://[::1]:")
        assert http.get("/versions").status_code == 200


def test_a_recorded_request_has_all_parts_of_the_request(emulator: Emulator, http: httpx.Client) -> None:
    emulator.clock.freeze()
    http.post("/scheduledevents?api-version=2020-07-01&x=%20y", content=b"body", headers={"X-Mine": "1"})
    (request,) = emulator.requests
    assert (request.method, request.path, request.status) == ("POST", "/metadata/scheduledevents", 400)
    assert request.query == {"api-version": "2020-07-01", "x": " y"}
    assert request.query_string == "api-version=2020-07-01&x=%20y"
    assert (request.headers["x-mine"], request.body, request.number) == ("1", b"body", 1)
    assert request.time == emulator.clock.time()


def test_only_the_last_requests_are_recorded() -> None:
    with Emulator(max_recorded_requests=3) as emulator, make_client_for(emulator) as http:
        for _ in range(5):
            http.get("/versions")
        assert (len(emulator.requests), emulator.requests.total) == (3, 5)
        assert [request.number for request in emulator.requests] == [3, 4, 5]
        emulator.requests.clear()
        assert (len(emulator.requests), emulator.requests.total) == (0, 0)


def test_no_repr_log_or_state_contains_a_token_or_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    query = {"api-version": "2020-06-01", "resource": "https://vault.azure.net"}
    with Emulator() as emulator, make_client_for(emulator) as http:
        token = http.get("/identity/oauth2/token", params=query).json()["access_token"]
        shown = repr([emulator, emulator.tokens, emulator.requests[-1], emulator.settings, vars(emulator)])
        kept = repr([vars(emulator.tokens), vars(emulator.attested)])
        state = httpx.get(f"{emulator.control_url}/api/state", trust_env=False).text
        exchange(emulator, b"GET / HTTP/1.1\r\nAuthorization: Basic c2Vj\x00cmV0\r\n\r\n")
    assert "c2Vj" not in caplog.text
    for place in (shown, kept, state, caplog.text):
        assert token.split(".")[1] not in place


def test_the_clock_only_advances() -> None:
    clock = Clock(1_700_000_000, frozen=True)
    clock.advance(1.5)
    assert clock.time() == 1_700_000_001.5
    for wrong in (-1, float("nan"), float("inf")):
        with pytest.raises(
            ValueError, match=f"advance must be a number of seconds of 0 or more, for example 60, got {wrong}"
        ):
            clock.advance(wrong)
    clock.resume()
    assert clock.time() >= 1_700_000_001.5
    assert not clock.frozen


def test_it_imports_nothing_of_the_client() -> None:
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not {name.partition(".")[0] for name in names} & {"azure_imds", "azure_imds_api", "httpx"}, file
