"""HTTP clients and raw sockets for tests of the emulator."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx

from azure_imds_emulator import Emulator

HEADERS = {"Metadata": "true"}
# No test uses TLS. Without this, httpx would load a bundle of certificates for each client.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def make_client(**options: Any) -> httpx.Client:
    """Returns a client that ignores the environment."""
    return httpx.Client(trust_env=False, verify=_NO_TLS, timeout=10, **options)


def make_client_for(emulator: Emulator) -> httpx.Client:
    """Returns a client for paths below /metadata, with the Metadata header."""
    return make_client(base_url=f"{emulator.endpoint}/metadata", headers=HEADERS)


def exchange(emulator: Emulator, request: bytes, *, timeout: float = 10) -> bytes:
    """Sends bytes, and returns all bytes that the emulator sends until it closes the connection."""
    address = urlsplit(emulator.endpoint)
    assert address.hostname
    assert address.port
    with socket.create_connection((address.hostname, address.port), timeout=timeout) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def get_raw(emulator: Emulator, target: str, *headers: str, method: str = "GET") -> tuple[bytes, bytes]:
    """Sends a request, and returns head and body of the response in bytes."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", "Metadata: true", *headers]
    head, _, body = exchange(emulator, ("\r\n".join(lines) + "\r\n\r\n").encode()).partition(b"\r\n\r\n")
    return head, body


def wait_until(condition: Callable[[], bool]) -> None:
    """Waits until the condition is true. Fails after 30 seconds, because a test that hangs reports nothing."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "the condition did not become true within 30 seconds"
        time.sleep(0.001)
