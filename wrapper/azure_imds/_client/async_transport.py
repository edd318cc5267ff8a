"""The asynchronous way to the network: non-blocking sockets, under asyncio and trio.

The time limit of an attempt as a whole is the caller's cancel scope.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import httpx

from .._interruptions import is_interruption
from .http1 import ResponseReader, request_bytes
from .sync_transport import RECEIVE_BYTES, TlsSettings, as_httpx

T = TypeVar("T")

#: What connect_ex() returns if a connection takes time. Windows has a number of its own.
_IN_PROGRESS = {errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", errno.EWOULDBLOCK)}


class AsyncSocketTransport(httpx.AsyncBaseTransport):
    """An httpx transport without proxies, redirects, cookies or HTTP/2, with one connection per request.

    A kept connection would belong to one event loop, which may be closed before the next request. A new connection to
    IMDS takes a fraction of a millisecond. So there is nothing to close or to share, and any event loop and any thread
    can use one transport.
    """

    def __init__(self, tls: TlsSettings | None = None) -> None:
        self._tls = tls or TlsSettings()
        self._context: ssl.SSLContext | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request and reads the response up to its header. Its stream reads the body."""
        data = request_bytes(request, await request.aread())
        limits: dict[str, float | None] = request.extensions.get("timeout", {})
        connection = await self._connect(request.url, limits.get("connect"))
        stream = _Stream(connection, ResponseReader(request.method), limits.get("read"))
        try:
            with _phase(limits.get("write"), httpx.WriteTimeout, httpx.WriteError):
                await _send(connection, data)
            while not stream.reader.status:
                await stream.receive()
        except BaseException:
            connection.close()
            raise
        return httpx.Response(
            stream.reader.status,
            headers=stream.reader.headers,
            stream=stream,
            extensions={"http_version": stream.reader.http_version, "reason_phrase": stream.reader.reason},
        )

    async def _connect(self, url: httpx.URL, seconds: float | None) -> socket.socket:
        """A connection to the first address that accepts one. All of them share one time limit."""
        import anyio

        end = None if seconds is None else anyio.current_time() + seconds
        with _phase(seconds, httpx.ConnectTimeout, httpx.ConnectError):
            addresses = await _look_up(url.raw_host, url.port or (443 if url.scheme == "https" else 80))
        failure: httpx.TransportError = httpx.ConnectError("the host has no address")
        for position, (*kind, _, address) in enumerate(addresses):
            share = None if end is None else (end - anyio.current_time()) / (len(addresses) - position)
            try:
                with _phase(share, httpx.ConnectTimeout, httpx.ConnectError):
                    return await self._connect_to(url, kind, address)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                if is_interruption(error):
                    raise
                failure = error
        raise failure

    async def _connect_to(self, url: httpx.URL, kind: list[int], address: Any) -> socket.socket:
        connected = socket.socket(*kind)
        try:
            connected.setblocking(False)
            code = connected.connect_ex(address)
            if code in _IN_PROGRESS:
                await _wait_writable(connected)
                code = connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise OSError(code, os.strerror(code))
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            if url.scheme == "https":
                context = self._context = self._context or self._tls.new_context()
                secured = connected = self._tls.wrap(context, connected, url.raw_host)
                await _repeat(secured, secured.do_handshake, _wait_readable)
                self._tls.check(secured.getpeercert(binary_form=True))
        except BaseException:
            connected.close()
            raise
        return connected


class _Stream(httpx.AsyncByteStream):
    """The body of a response, read when it is needed."""

    def __init__(self, connection: socket.socket, reader: ResponseReader, seconds: float | None) -> None:
        self.reader = reader
        self._connection = connection
        self._seconds = seconds

    async def receive(self) -> None:
        """Reads the next part of the response."""
        if self._connection.fileno() < 0:
            raise httpx.StreamClosed
        with _phase(self._seconds, httpx.ReadTimeout, httpx.ReadError):
            data = await _repeat(self._connection, partial(self._connection.recv, RECEIVE_BYTES), _wait_readable)
        self.reader.feed(data)

    def __aiter__(self) -> AsyncIterator[bytes]:
        # Not a generator: trio warns about one that is left in the middle.
        return self

    async def __anext__(self) -> bytes:
        while True:
            if part := self.reader.body():
                return part
            if self.reader.is_complete:
                raise StopAsyncIteration
            await self.receive()

    async def aclose(self) -> None:
        self._connection.close()


async def _look_up(host: bytes, port: int) -> list[Any]:
    try:
        return [*socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)]
    except socket.gaierror:
        import anyio

        return [*await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


async def _send(connection: socket.socket, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        count = await _repeat(connection, partial(connection.send, rest), _wait_writable)
        rest = rest[count:]


async def _repeat(
    connection: socket.socket, action: Callable[[], T], wait: Callable[[socket.socket], Awaitable[None]]
) -> T:
    """Repeats an action on a socket until it would not block."""
    import anyio.lowlevel

    while True:
        try:
            result = action()
        except ssl.SSLWantReadError:
            await _wait_readable(connection)
        except ssl.SSLWantWriteError:
            await _wait_writable(connection)
        except BlockingIOError as error:
            if is_interruption(error):
                raise
            await wait(connection)
        else:
            # However much the server sends, other tasks run in between, and this one can be cancelled.
            await anyio.lowlevel.checkpoint()
            return result


async def _wait_readable(connection: socket.socket) -> None:
    await _wait(connection, "readable")


async def _wait_writable(connection: socket.socket) -> None:
    await _wait(connection, "writable")


async def _wait(connection: socket.socket, state: str) -> None:
    import anyio

    # The second name is that of versions before anyio 4.7.
    wait = getattr(anyio, f"wait_{state}", None) or getattr(anyio, f"wait_socket_{state}")
    await wait(connection)


@contextmanager
def _phase(
    seconds: float | None, timeout: type[httpx.TimeoutException], other: type[httpx.NetworkError]
) -> Generator[None]:
    """Limits the time of one operation, and converts its exceptions to those of httpx."""
    import anyio

    try:
        with anyio.fail_after(seconds):
            yield
    except OSError as error:
        raise as_httpx(error, timeout, other) from error
