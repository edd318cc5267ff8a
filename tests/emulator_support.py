"""How the emulator's tests speak to it."""

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
# Nothing here is encrypted; httpx would load a bundle of certificates for each client.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def plain_client(**options: Any) -> httpx.Client:
    return httpx.Client(trust_env=False, verify=_NO_TLS, timeout=10, **options)


def client_of(emulator: Emulator) -> httpx.Client:
    return plain_client(base_url=f"{emulator.endpoint}/metadata", headers=HEADERS)


def exchange(emulator: Emulator, request: bytes, *, timeout: float = 10) -> bytes:
    """Send bytes, and return everything that comes back until the other side closes."""
    address = urlsplit(emulator.endpoint)
    assert address.hostname
    assert address.port
    with socket.create_connection((address.hostname, address.port), timeout=timeout) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def raw_get(emulator: Emulator, target: str, *headers: str, method: str = "GET") -> tuple[bytes, bytes]:
    """Head and body of the answer, as they came."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", "Metadata: true", *headers]
    head, _, body = exchange(emulator, ("\r\n".join(lines) + "\r\n\r\n").encode()).partition(b"\r\n\r\n")
    return head, body


def until(condition: Callable[[], bool]) -> None:
    """Wait for another thread to get there; a test that hangs would tell less than one that fails."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.001)
