"""Where `make update` takes the document from: a regular file, or a URL. Neither can be too large."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from pathlib import Path

import pytest

from generator.reader import MAX_SIZE
from maintenance import source as maintenance_source
from maintenance.api_diff.changes import Change, Subject
from maintenance.problem import Problem
from maintenance.source import read_source
from maintenance.update import _describe
from support import Wire, raw_server, read_request, reply
from transport_support import https, over_tls, server_certificate


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes httpx trust the authority of the servers here."""
    (tmp_path / "authority.pem").write_bytes(server_certificate()[0].pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def redirect(url: str) -> Wire:
    return Wire(reply(302, b"", f"Location: {url}", "Connection: close"))


def document(body: bytes = b"openapi: 3.1.0\n") -> Wire:
    return Wire(reply(200, body, "Connection: close"))


def assert_refused(source: str, reason: str) -> None:
    with pytest.raises(Problem) as raised:
        read_source(source, "--spec")
    assert str(raised.value) == f"--spec {source} cannot be fetched: {reason}"


def test_redirects_are_followed() -> None:
    with raw_server(document()) as second, raw_server(redirect(f"{second}/new.yaml")) as first:
        assert read_source(first, "--spec") == b"openapi: 3.1.0\n"


@pytest.mark.usefixtures("trusted")
def test_redirects_from_https_to_https_are_followed() -> None:
    with raw_server(over_tls(document())) as second, raw_server(over_tls(redirect(https(second)))) as first:
        assert read_source(https(first), "--spec") == b"openapi: 3.1.0\n"


@pytest.mark.usefixtures("trusted")
def test_a_redirect_from_https_to_http_is_refused() -> None:
    wire = document()
    with raw_server(wire) as second, raw_server(over_tls(redirect(f"{second}/x"))) as first:
        assert_refused(https(first), f"redirected from https to {second}/x, which is not encrypted")
    assert wire.connections == 0


@pytest.mark.usefixtures("trusted")
def test_a_redirect_from_http_to_https_and_back_is_refused() -> None:
    wire = document()
    with (
        raw_server(wire) as third,
        raw_server(over_tls(redirect(third))) as second,
        raw_server(redirect(https(second))) as first,
    ):
        assert_refused(first, f"redirected from https to {third}, which is not encrypted")
    assert wire.connections == 0


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://[", "//"])
def test_a_redirect_to_something_else_is_refused(target: str) -> None:
    with raw_server(redirect(target)) as url, pytest.raises(Problem, match=f"^--spec {url} cannot be fetched: "):
        read_source(url, "--spec")


def test_endless_redirects_are_refused() -> None:
    wire = redirect("/again")
    with raw_server(wire) as url:
        assert_refused(url, "more than 5 redirects")
    assert wire.connections == 6


def test_a_document_is_not_read_further_than_its_maximum_size() -> None:
    sent: list[int] = []

    def send_forever(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while sum(sent) < 1 << 30:
            sent.append(connection.send(b"#" * 65536))

    with raw_server(send_forever) as url:
        assert_refused(url, f"the document has more than {MAX_SIZE} bytes")
    assert sum(sent) < 1 << 30


def test_a_document_that_arrives_slowly_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def send_slowly(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        with contextlib.suppress(OSError):
            while not ended.wait(0.01):
                connection.send(b"x")

    monkeypatch.setattr(maintenance_source, "DOWNLOAD_SECONDS", 0.2)
    with raw_server(send_slowly) as url:
        assert_refused(url, "not complete after 0.2 seconds")
        ended.set()


def test_a_compressed_document_stays_compressed() -> None:
    wire = Wire(reply(200, b"\x1f\x8b", "Content-Encoding: gzip", "Connection: close"))
    with raw_server(wire) as url:
        assert read_source(url, "--spec") == b"\x1f\x8b"
    assert wire.header("accept-encoding") == "identity"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_only_a_regular_file_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", Path("/dev/zero")):
        with pytest.raises(Problem, match=f"^--spec {path} cannot be read: not a regular file$"):
            read_source(str(path), "--spec")


def test_values_of_a_document_are_texts_in_the_changelog() -> None:
    what = 'pattern is "<script>[a](javascript:x){onclick=x}\x1b" instead of null'
    change = Change(Subject("argument", "a.b(c)"), what, "compatible", frozenset())
    assert _describe([change]) == {
        "changed": [
            'argument `a.b(c)` pattern is "&lt;script&gt;[a\\](javascript:x)\\{onclick=x}\\x1b" instead of null'
        ]
    }
