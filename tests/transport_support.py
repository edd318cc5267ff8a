"""Helpers for tests of the transports: servers that count their connections, or use TLS, and dead ends."""

from __future__ import annotations

import hashlib
import socket
import ssl
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from attestation_support import Issued, authority, leaf
from azure_imds._client.sync_transport import TlsSettings
from support import read_request, reply

#: Seconds after which a test hangs: a guard, and far from any measure.
HANGS = 10.0

Handler = Callable[[socket.socket], None]


class Numbered:
    """A handler for `raw_server` that answers each request with the number of its connection, from 1."""

    def __init__(self, *headers: str) -> None:
        self.connections = 0
        self._headers = headers
        self._lock = threading.Lock()

    def __call__(self, connection: socket.socket) -> None:
        with self._lock:
            self.connections += 1
            number = self.connections
        while read_request(connection):
            self.before_answer(number)
            connection.sendall(reply(200, str(number), *self._headers))

    def before_answer(self, number: int) -> None:
        """Called before each answer."""


class Held(Numbered):
    """Waits until `expected` connections have sent a request each, then answers them in turn."""

    def __init__(self, expected: int) -> None:
        super().__init__()
        self.all_there = threading.Barrier(expected + 1, timeout=HANGS)
        self.turns = {number: threading.Event() for number in range(1, expected + 1)}
        self._first: set[int] = set()

    def before_answer(self, number: int) -> None:
        if number in self.turns and number not in self._first:
            self._first.add(number)
            self.all_there.wait()
            assert self.turns[number].wait(HANGS)


def in_threads(work: Callable[[], object], count: int) -> list[threading.Thread]:
    """Starts `work` in so many threads."""
    threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def closes(connection: socket.socket) -> None:
    """Closes in order."""


def resets(connection: socket.socket) -> None:
    """Closes without an order, so that the client sees a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@contextmanager
def black_hole() -> Iterator[tuple[str, int]]:
    """A port whose queue is full, so that connections are never made."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting: list[socket.socket] = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect(listener.getsockname())
            waiting.append(one)
        try:
            yield listener.getsockname()
        finally:
            for one in waiting:
                one.close()


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse instead")


def resolving_to(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[Any, ...]) -> None:
    """Makes every name resolve to these addresses."""

    def getaddrinfo(*_: Any) -> list[Any]:
        families = [socket.AF_INET6 if ":" in address[0] else socket.AF_INET for address in addresses]
        return [
            (family, socket.SOCK_STREAM, 6, "", address) for family, address in zip(families, addresses, strict=True)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@cache
def server_certificate() -> tuple[Issued, Issued]:
    """An authority, and a certificate for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    # Python 3.13 and later require these extensions.
    identifiers = [x509.SubjectKeyIdentifier.from_public_key(key.public_key())]
    issued_by = [x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())]
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    root_extra = [x509.Extension(one.oid, False, one) for one in identifiers]
    root = authority("Test TLS Root", own_key=key, key_usage=usage, extra=root_extra)
    extra = [x509.Extension(one.oid, False, one) for one in issued_by]
    own_key = ec.generate_private_key(ec.SECP256R1())
    return root, leaf(root, "localhost", own_key=own_key, dns=["localhost"], extra=extra)


@cache
def _server_context() -> ssl.SSLContext:
    _, issued = server_certificate()
    key = issued.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "server.pem")
        file.write_bytes(key + issued.pem)
        context.load_cert_chain(file)
    return context


def over_tls(handler: Handler) -> Handler:
    """Makes a handler of TLS connections from one of plain connections. Its certificate is for localhost."""

    def handle(connection: socket.socket) -> None:
        with _server_context().wrap_socket(connection, server_side=True) as wrapped:
            handler(wrapped)

    return handle


def trusting(issued: Issued) -> TlsSettings:
    """Trusts certificates that this authority has issued."""
    return TlsSettings(lambda: ssl.create_default_context(cadata=issued.pem.decode()))


def pinning(issued: Issued) -> TlsSettings:
    """Trusts this certificate alone."""
    return TlsSettings(pin=hashlib.sha1(issued.der).hexdigest())


def https(url: str) -> str:
    """The URL of a server with TLS, from that of `raw_server`."""
    return url.replace("http://127.0.0.1", "https://localhost")


#: What must not be sent to: settings, the text of the error, and the host.
OTHER_SERVERS: dict[str, tuple[Callable[[], TlsSettings], str, str]] = {
    "unknown authority": (TlsSettings, "CERTIFICATE_VERIFY_FAILED", "localhost"),
    "another name": (lambda: trusting(server_certificate()[0]), "CERTIFICATE_VERIFY_FAILED", "127.0.0.1"),
    "pin of the authority": (lambda: pinning(server_certificate()[0]), "not the pinned one", "localhost"),
    "another pin": (lambda: TlsSettings(pin="0" * 40), "not the pinned one", "localhost"),
}


class Ear:
    """A handler of TLS connections that keeps what it receives, until the client closes."""

    def __init__(self) -> None:
        self.received = b""
        self.ended = threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        try:
            over_tls(self._listen)(connection)
        finally:
            self.ended.set()

    def _listen(self, connection: socket.socket) -> None:
        self.received = connection.recv(65536)


#: Peers with which a handshake fails, and how.
NO_HANDSHAKES: dict[str, tuple[Handler, type[httpx.TransportError]]] = {
    "silent": (lambda connection: read_request(connection) and None, httpx.ConnectTimeout),
    "closes": (closes, httpx.ConnectError),
    "resets": (resets, httpx.ConnectError),
    "plain HTTP": (lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), httpx.ConnectError),
}
