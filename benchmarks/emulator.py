"""Emulator: token requests per second, and whether its memory stays constant.

The emulator runs in its own process, as users start it, without rate limits. This process sends requests over
kept-alive connections, one request at a time on each. It uses plain sockets: a client library on the same machine
would take most of the time.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections.abc import Iterator
from math import inf
from pathlib import Path
from urllib.parse import urlsplit

from .ratios import Ratio
from .server import serving

PATH = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net"
REQUEST = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nMetadata: true\r\n\r\n".encode()
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)

#: Target in token requests per second.
REQUESTS = 2000
CONNECTIONS = 8
ROUNDS = 20


def measure(quick: bool) -> Iterator[Ratio]:
    """Measures requests per second, and memory after each round."""
    each = 1_000 if quick else 5_000
    with serving() as (endpoint, process):
        address = urlsplit(endpoint)
        opened = [socket.create_connection((address.hostname or "", address.port or 0)) for _ in range(CONNECTIONS)]
        selector = selectors.DefaultSelector()
        for connection in opened:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ, connection)
        _exchange(opened, selector, 2000)  # creates the signing key and fills the log of recorded requests
        rates: list[float] = []
        memory = [_resident(process)]
        for _ in range(ROUNDS):
            began = time.perf_counter()
            _exchange(opened, selector, each)
            rates.append(each / (time.perf_counter() - began))
            memory.append(_resident(process))
        for connection in opened:
            connection.close()
    what = f"emulator: {REQUESTS:,} token requests"
    yield Ratio(what, "1 second", tuple(REQUESTS / rate for rate in rates), 1.0, margin=inf)
    what = f"emulator: memory after {ROUNDS * each:,} requests"
    yield Ratio(what, "the start", tuple(value / memory[0] for value in memory[-1:]), 1.1)


def _exchange(opened: list[socket.socket], selector: selectors.BaseSelector, total: int) -> None:
    """Sends `total` requests over the connections. Each must succeed."""
    received = dict.fromkeys(opened, b"")
    sent = answered = 0
    for idle in opened[:total]:
        idle.sendall(REQUEST)
        sent += 1
    while answered < total:
        for key, _ in selector.select():
            connection: socket.socket = key.data
            received[connection] += connection.recv(65536)
            head, found, body = received[connection].partition(b"\r\n\r\n")
            length = LENGTH.search(head)
            if not found or not length or len(body) < int(length[1]):
                continue
            if not head.startswith(b"HTTP/1.1 200 "):
                raise RuntimeError(f"the emulator answered {head[:100]!r}")
            received[connection] = b""
            answered += 1
            if sent < total:
                connection.sendall(REQUEST)
                sent += 1


def _resident(process: int) -> int:
    """Returns the memory of the process in KiB, or 0 if the system has no /proc as on Linux."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) if found else 0
