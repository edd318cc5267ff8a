"""The asynchronous way to the network, under asyncio and trio.

The time limit of an attempt is the caller's cancel scope.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import httpx

from .http1 import ResponseReader, request_bytes
from .sync_transport import TlsSettings

if TYPE_CHECKING:
    import anyio.abc

_RECEIVE_BYTES = 65536


class AsyncSocketTransport(httpx.AsyncBaseTransport):
    """An httpx transport without proxies, redirects, cookies or HTTP/2, with one connection per request.

    A kept connection would belong to one event loop, which may be closed before the next request. A new connection to
    IMDS takes a fraction of a millisecond. So there is nothing to close or to share, and any event loop and any thread
    can use one transport.
    """

    def __init__(self, tls: TlsSettings | None = None) -> None:
        self._tls = tls or TlsSettings()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request and reads the response up to its header. Its stream reads the body."""
        import anyio

        data = request_bytes(request, await request.aread())
        connection = await self._connect(request)
        reader = ResponseReader(request.method)
        try:
            await connection.send(data)
            while not reader.status:
                reader.feed(await _receive(connection))
        except BaseException as error:
            await anyio.aclose_forcefully(connection)
            if isinstance(error, (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)):
                raise httpx.ReadError(str(error.__cause__ or error)) from error
            raise
        return httpx.Response(
            reader.status,
            headers=reader.headers,
            stream=_Stream(connection, reader),
            extensions={"http_version": reader.http_version, "reason_phrase": reader.reason},
        )

    async def _connect(self, request: httpx.Request) -> anyio.abc.ByteStream:
        import anyio

        url = request.url
        seconds: float | None = request.extensions.get("timeout", {}).get("connect")
        try:
            with anyio.fail_after(seconds):
                port = url.port or (443 if url.scheme == "https" else 80)
                if url.scheme != "https":
                    return await anyio.connect_tcp(url.host, port)
                return await self._connect_tls(url.host, port)
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(str(error)) from error

    async def _connect_tls(self, host: str, port: int) -> anyio.abc.ByteStream:
        import anyio
        from anyio.streams.tls import TLSAttribute

        connection = await anyio.connect_tcp(
            host, port, tls_hostname=host, ssl_context=self._tls.new_context(), tls_standard_compatible=False
        )
        try:
            self._tls.check(connection.extra(TLSAttribute.peer_certificate_binary))
        except BaseException:
            await anyio.aclose_forcefully(connection)
            raise
        return connection


async def _receive(connection: anyio.abc.ByteStream) -> bytes:
    import anyio

    try:
        return await connection.receive(_RECEIVE_BYTES)
    except anyio.EndOfStream:
        return b""


class _Stream(httpx.AsyncByteStream):
    """The body of a response, read when it is needed."""

    def __init__(self, connection: anyio.abc.ByteStream, reader: ResponseReader) -> None:
        self._connection = connection
        self._reader = reader

    async def __aiter__(self) -> AsyncIterator[bytes]:
        import anyio

        while True:
            if part := self._reader.body():
                yield part
            if self._reader.is_complete:
                return
            try:
                self._reader.feed(await _receive(self._connection))
            except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
                raise httpx.ReadError(str(error.__cause__ or error)) from error

    async def aclose(self) -> None:
        import anyio

        await anyio.aclose_forcefully(self._connection)
