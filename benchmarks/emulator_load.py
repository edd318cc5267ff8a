"""How many token requests a second the emulator serves, and whether its memory stays flat.

    python benchmarks/emulator_load.py [--requests 100000] [--connections 8] [--json]

The emulator runs as its own process, as a user starts it, with rate limits off. This process asks over kept-alive
connections, one request at a time on each, and checks that each answer is a success. The client is bare sockets, so
that the figure is the server's: a client library on the same machine would take most of the time.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import selectors
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

PATH = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net"
REQUEST = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nMetadata: true\r\n\r\n".encode()
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
ROOT = Path(__file__).parents[1]
SAMPLES = 20


def main() -> int:
    """Measure and print; the exit status is 1 where an answer was no success."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, "-m", "azure_imds_emulator", "--no-rate-limits"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "emulator")},
    )
    try:
        assert server.stdout
        endpoint = server.stdout.readline().split()[1]
        result = measure(endpoint, server.pid, arguments.requests, arguments.connections)
    finally:
        server.terminate()
        server.wait()
    if arguments.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name}: {value}")
    return 1 if result["failed"] else 0


def measure(endpoint: str, process: int, total: int, connections: int) -> dict[str, float]:
    """Ask so often, and look at the server's memory on the way."""
    address = urlsplit(endpoint)
    opened = [socket.create_connection((address.hostname or "", address.port or 0)) for _ in range(connections)]
    selector = selectors.DefaultSelector()
    for connection in opened:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ, connection)
    exchange(opened, selector, min(2000, total))  # the signing key, and the log of recorded requests
    memory = [resident(process)]
    failed = 0
    begin = time.perf_counter()
    for _ in range(SAMPLES):
        failed += exchange(opened, selector, total // SAMPLES)
        memory.append(resident(process))
    elapsed = time.perf_counter() - begin
    for connection in opened:
        connection.close()
    served = total // SAMPLES * SAMPLES
    return {
        "requests": served,
        "failed": failed,
        "requests_per_second": round(served / elapsed),
        "memory_before_kib": memory[0],
        "memory_after_kib": memory[-1],
        "memory_highest_kib": max(memory),
    }


def exchange(opened: list[socket.socket], selector: selectors.BaseSelector, total: int) -> int:
    """So many requests over the connections; returns how many were no success."""
    received = dict.fromkeys(opened, b"")
    sent = failed = answered = 0
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
            failed += not head.startswith(b"HTTP/1.1 200 ")
            received[connection] = b""
            answered += 1
            if sent < total:
                connection.sendall(REQUEST)
                sent += 1
    return failed


def resident(process: int) -> int:
    """The process's memory in KiB; 0 where the system does not tell as Linux does."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    sys.exit(main())
