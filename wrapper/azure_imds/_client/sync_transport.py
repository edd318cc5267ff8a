"""The synchronous way to the network: sockets of the standard library, with one time limit for an attempt as a whole.

httpx's own transport limits each read, so a server that sends a byte from time to time would never time out. It also
takes longer to import than a request to IMDS takes.
"""

from __future__ import annotations

import hashlib
import os
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import httpx
from attrs import define, field, frozen

from .._interruptions import is_interruption
from .http1 import ResponseReader, request_bytes

#: Keys of `httpx.Request.extensions`: the end of the attempt on the monotonic clock, and a function that returns
#: whether the request was cancelled.
ATTEMPT_END = "azure_imds.attempt_end"
IS_CANCELLED = "azure_imds.is_cancelled"

#: Seconds between two checks whether a request was cancelled.
_CHECK_INTERVAL = 0.1
#: Seconds after which an idle connection is not used again.
_KEEP_ALIVE = 5.0
#: Idle connections that are kept. More than this many threads rarely have a request at the same time.
_MOST_IDLE = 20
_RECEIVE_BYTES = 65536

Origin = tuple[str, str, int]


class RequestCancelled(Exception):
    """The response is not needed any more."""


@frozen
class TlsSettings:
    """How TLS connections are made.

    Attributes:
        context: makes the context when it is needed, since loading a CA bundle takes longer than a request to IMDS.
        pin: the SHA-1 of the server's certificate, as hexadecimal digits. "" to verify the certificate chain instead.
    """

    context: Callable[[], ssl.SSLContext] = httpx.create_ssl_context
    pin: str = ""

    def new_context(self) -> ssl.SSLContext:
        """The context for a connection. A pinned certificate needs neither a chain nor a matching name."""
        if not self.pin:
            return self.context()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def check(self, certificate: bytes | None) -> None:
        """Compares the certificate with the pin, before anything is sent.

        Raises:
            httpx.ConnectError: it is another certificate.
        """
        if self.pin and hashlib.sha1(certificate or b"", usedforsecurity=False).hexdigest() != self.pin.lower():
            raise httpx.ConnectError("the certificate of the server is not the pinned one")


@define(eq=False)
class _Connection:
    socket: socket.socket
    origin: Origin
    process: int = field(factory=os.getpid)
    idle_since: float = 0.0

    def is_usable(self) -> bool:
        """Whether an idle connection can be used again. The server has closed it if there is something to read."""
        return time.monotonic() - self.idle_since < _KEEP_ALIVE and not _is_readable(self.socket)

    def close(self) -> None:
        with suppress(OSError):
            self.socket.close()


class _Limits:
    """The time limits of one request: one for the attempt as a whole, and those of httpx for each phase."""

    def __init__(self, request: httpx.Request) -> None:
        self._end: float | None = request.extensions.get(ATTEMPT_END)
        self._phases: dict[str, float | None] = request.extensions.get("timeout", {})
        self.is_cancelled: Callable[[], bool] | None = request.extensions.get(IS_CANCELLED)

    def seconds(self, phase: str, error: type[httpx.TimeoutException]) -> float | None:
        """Seconds that an operation may take. None if there is no limit."""
        phase_seconds = self._phases.get(phase)
        if self._end is None:
            return phase_seconds
        left = self._end - time.monotonic()
        if left <= 0:
            raise error("the time of the attempt is over")
        return left if phase_seconds is None else min(left, phase_seconds)


class SocketTransport(httpx.BaseTransport):
    """An httpx transport without proxies, redirects, cookies or HTTP/2. Thread-safe.

    Connections are reused by any thread, the last one first. A forked process makes its own.
    """

    def __init__(self, tls: TlsSettings | None = None) -> None:
        self._tls = tls or TlsSettings()
        # Operations of a list are atomic, and a lock could be held during a fork.
        self._idle: list[_Connection] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request and reads the response up to its header. Its stream reads the body."""
        url = request.url
        origin = (url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80))
        limits = _Limits(request)
        head = request_bytes(request)
        body = request.read()
        if request.headers.get("transfer-encoding", "").lower() == "chunked":
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
        reused = self._take_idle(origin)
        if reused is not None:
            response = self._exchange(reused, request, head + body, limits, is_reused=True)
            if response is not None:
                return response
        connection = _Connection(_connect(origin, self._tls, limits), origin)
        response = self._exchange(connection, request, head + body, limits, is_reused=False)
        assert response is not None
        return response

    def _exchange(
        self, connection: _Connection, request: httpx.Request, data: bytes, limits: _Limits, *, is_reused: bool
    ) -> httpx.Response | None:
        """The response. None if a reused connection was closed by the server, and the request can be repeated."""
        reader = ResponseReader(request.method)
        try:
            _send(connection.socket, data, limits)
            while not reader.status:
                reader.feed(_receive(connection.socket, limits))
            # Most bodies arrive together with the header. The connection is then free for others.
            first = reader.body() if reader.has_whole_body else b""
        except BaseException as error:
            connection.close()
            may_repeat = is_reused and request.method != "POST" and not reader.has_begun
            if may_repeat and isinstance(error, (httpx.NetworkError, httpx.RemoteProtocolError)):
                return None
            raise
        return httpx.Response(
            reader.status,
            headers=reader.headers,
            stream=_Stream(self, connection, reader, limits, first),
            extensions={"http_version": reader.http_version, "reason_phrase": reader.reason},
        )

    def _take_idle(self, origin: Origin) -> _Connection | None:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if connection.process == os.getpid() and connection.origin == origin and connection.is_usable():
                return connection
            connection.close()

    def release(self, connection: _Connection, reader: ResponseReader) -> None:
        """Keeps a connection for the next request if possible, else closes it."""
        if not reader.is_complete or not reader.is_reusable or len(self._idle) >= _MOST_IDLE:
            connection.close()
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)

    def close(self) -> None:
        """Closes idle connections."""
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()


class _Stream(httpx.SyncByteStream):
    """The body of a response, read when it is needed."""

    def __init__(
        self,
        transport: SocketTransport,
        connection: _Connection,
        reader: ResponseReader,
        limits: _Limits,
        first: bytes,
    ) -> None:
        self._transport = transport
        self._connection: _Connection | None = connection
        self._reader = reader
        self._limits = limits
        self._first = first
        if reader.is_complete:
            self.close()

    def __iter__(self) -> Iterator[bytes]:
        if part := self._first or self._reader.body():
            yield part
        while self._connection is not None and not self._reader.is_complete:
            self._reader.feed(_receive(self._connection.socket, self._limits))
            if part := self._reader.body():
                yield part
        self.close()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._transport.release(connection, self._reader)


def _connect(origin: Origin, tls: TlsSettings, limits: _Limits) -> socket.socket:
    """A connection to the first address that accepts one."""
    scheme, host, port = origin
    failure: OSError | UnicodeError = OSError(f"no address for {host}")
    try:
        addresses = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        addresses, failure = [], _own(error)
    for family, kind, protocol, _, address in addresses:
        connected = socket.socket(family, kind, protocol)
        try:
            connected.settimeout(limits.seconds("connect", httpx.ConnectTimeout))
            connected.connect(address)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            if scheme == "https":
                connected = tls.new_context().wrap_socket(connected, server_hostname=host)
                tls.check(connected.getpeercert(binary_form=True))
            return connected
        except BaseException as error:
            connected.close()
            if not isinstance(error, OSError):
                raise
            failure = _own(error)
    raise _as_httpx(failure, httpx.ConnectTimeout, httpx.ConnectError) from failure


def _send(connection: socket.socket, data: bytes, limits: _Limits) -> None:
    try:
        connection.settimeout(limits.seconds("write", httpx.WriteTimeout))
        connection.sendall(data)
    except OSError as error:
        raise _as_httpx(_own(error), httpx.WriteTimeout, httpx.WriteError) from error


def _receive(connection: socket.socket, limits: _Limits) -> bytes:
    end = None
    while limits.is_cancelled is None or not limits.is_cancelled():
        try:
            seconds = limits.seconds("read", httpx.ReadTimeout)
            if limits.is_cancelled is not None and seconds is not None:
                end = end or time.monotonic() + seconds
                seconds = min(_CHECK_INTERVAL, max(0.001, end - time.monotonic()))
            connection.settimeout(seconds)
            return connection.recv(_RECEIVE_BYTES)
        except OSError as error:
            failure = _own(error)
            if end is None or not isinstance(error, TimeoutError) or time.monotonic() >= end:
                raise _as_httpx(failure, httpx.ReadTimeout, httpx.ReadError) from failure
    raise RequestCancelled


def _own(error: OSError | UnicodeError) -> OSError | UnicodeError:
    """An exception of the operating system. One that interrupted the operation is raised again: it is the caller's.

    A signal handler raises it, or another thread injects it. Injected ones have no arguments, unlike those of the
    operating system.
    """
    if not error.args or is_interruption(error):
        raise error
    return error


def _as_httpx(
    error: Exception, timeout: type[httpx.TimeoutException], other: type[httpx.NetworkError]
) -> httpx.TransportError:
    return (timeout if isinstance(error, TimeoutError) else other)(str(error))


def _is_readable(connection: socket.socket) -> bool:
    if hasattr(select, "poll"):
        # Unlike select(), it works with descriptors above 1023.
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([connection], [], [], 0)[0])
