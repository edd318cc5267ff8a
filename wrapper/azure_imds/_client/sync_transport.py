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
from math import ceil
from typing import Any, NamedTuple

import httpx

from .._interruptions import is_interruption, suppress_errors
from .http1 import ResponseReader, request_bytes

#: Keys of `httpx.Request.extensions`: the end of the attempt on the monotonic clock, and a function that returns
#: whether the request was cancelled.
ATTEMPT_END = "azure_imds.attempt_end"
IS_CANCELLED = "azure_imds.is_cancelled"

#: Seconds between two checks whether a request was cancelled.
_CHECK_INTERVAL = 0.1
#: Seconds. The operating system's poll cannot wait longer than 24 days.
_LONGEST_WAIT = 1_000_000.0
#: Seconds after which an idle connection is not used again.
_KEEP_ALIVE = 5.0
#: Idle connections that are kept. More than this many threads rarely have a request at the same time.
_MOST_IDLE = 20
RECEIVE_BYTES = 65536

#: Methods whose requests may be sent twice. (RFC 9110, section 9.2.2) The server may close an idle connection while a
#: request is on its way, and the client cannot tell whether it was read. So other methods get a new connection each.
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})


class RequestCancelled(Exception):
    """The response is not needed any more."""


class TlsSettings(NamedTuple):
    """How TLS connections are made.

    Attributes:
        context: makes the context when it is needed, since loading a CA bundle takes longer than a request to IMDS.
        pin: the SHA-1 of the server's certificate, as hexadecimal digits. "" to verify the certificate chain instead.
    """

    context: Callable[[], ssl.SSLContext] = httpx.create_ssl_context
    pin: str = ""

    def new_context(self) -> ssl.SSLContext:
        """The context for connections. A pinned certificate needs neither a chain nor a matching name."""
        if not self.pin:
            return self.context()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def wrap(self, context: ssl.SSLContext, connected: socket.socket, host: bytes) -> ssl.SSLSocket:
        """A connection over which the handshake is the next step."""
        # wrap_socket() would leave a connection open that was reset already, or whose handshake fails.
        connected.getpeername()
        return context.wrap_socket(connected, server_hostname=host.decode(), do_handshake_on_connect=False)

    def check(self, certificate: bytes | None) -> None:
        """Compares the certificate with the pin, before anything is sent.

        Raises:
            httpx.ConnectError: it is another certificate.
        """
        if self.pin and hashlib.sha1(certificate or b"", usedforsecurity=False).hexdigest() != self.pin.lower():
            raise httpx.ConnectError("the certificate of the server is not the pinned one")


class _Origin(NamedTuple):
    """The server of a request. The host is bytes, since Python loads tables of international names to look up a str."""

    is_tls: bool
    host: bytes
    port: int


class _Connection:
    def __init__(self, connected: socket.socket, origin: _Origin) -> None:
        self.socket = connected
        self.origin = origin
        self.process = os.getpid()
        self.idle_since = 0.0

    def is_old(self) -> bool:
        """Whether the connection has been idle for too long."""
        return time.monotonic() - self.idle_since >= _KEEP_ALIVE

    def is_usable(self) -> bool:
        """Whether an idle connection can be used again. The server has closed it if there is something to read."""
        return not self.is_old() and not _is_ready(self.socket, to_write=False, seconds=0.0)

    def close(self) -> None:
        with suppress_errors(OSError):
            self.socket.close()


class _Limits:
    """The time limits of one request: one for the attempt as a whole, and those of httpx for each phase."""

    def __init__(self, request: httpx.Request) -> None:
        self._attempt_end: float | None = request.extensions.get(ATTEMPT_END)
        self._phases: dict[str, float | None] = request.extensions.get("timeout", {})
        self._is_cancelled: Callable[[], bool] | None = request.extensions.get(IS_CANCELLED)

    def end_of(self, phase: str) -> float | None:
        """When a phase that begins now must have ended, on the monotonic clock. None if there is no limit."""
        seconds, end = self._phases.get(phase), self._attempt_end
        if seconds is not None:
            phase_end = time.monotonic() + seconds
            end = phase_end if end is None else min(end, phase_end)
        return end

    def next_wait(self, end: float | None, error: type[httpx.TimeoutException]) -> float:
        """Seconds to wait until the next call of this function.

        Raises:
            httpx.TimeoutException: `end` has passed.
            RequestCancelled: the request was cancelled.
        """
        if self._is_cancelled is not None and self._is_cancelled():
            raise RequestCancelled
        longest = _LONGEST_WAIT if self._is_cancelled is None else _CHECK_INTERVAL
        return min(_seconds_until(end, error), longest)


def _seconds_until(end: float | None, error: type[httpx.TimeoutException]) -> float:
    left = _LONGEST_WAIT if end is None else end - time.monotonic()
    if left <= 0:
        raise error("the time is over")
    return min(left, _LONGEST_WAIT)


class SocketTransport(httpx.BaseTransport):
    """An httpx transport without proxies, redirects, cookies or HTTP/2. Thread-safe.

    Connections are reused by any thread, the last one first. A forked process makes its own.
    """

    def __init__(self, tls: TlsSettings | None = None) -> None:
        self._tls = tls or TlsSettings()
        self._context: ssl.SSLContext | None = None
        # Operations of a list are atomic, and a lock could be held during a fork.
        self._idle: list[_Connection] = []
        self._closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request and reads the response up to its header. Its stream reads the body."""
        url = request.url
        is_tls = url.scheme == "https"
        origin = _Origin(is_tls, url.raw_host, url.port or (443 if is_tls else 80))
        limits = _Limits(request)
        data = request_bytes(request, request.read())
        reused = self._take_idle(origin) if request.method in _IDEMPOTENT else None
        if reused is not None:
            response = self._exchange(reused, request, data, limits, is_reused=True)
            if response is not None:
                return response
        connection = _Connection(self._connect(origin, limits), origin)
        response = self._exchange(connection, request, data, limits, is_reused=False)
        assert response is not None
        return response

    def close(self) -> None:
        """Closes idle connections. Those in use are closed after their response."""
        self._closed = True
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()

    def release(self, connection: _Connection, reader: ResponseReader) -> None:
        """Keeps a connection for the next request if possible, else closes it."""
        if not reader.is_complete or not reader.is_reusable or self._closed or len(self._idle) >= _MOST_IDLE:
            connection.close()
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)
        # The last one is used first, so the oldest would stay for ever.
        with suppress(IndexError):
            while self._idle[0].is_old():
                self._idle.pop(0).close()
        if self._closed:  # meanwhile, by another thread
            self.close()

    def _exchange(
        self, connection: _Connection, request: httpx.Request, data: bytes, limits: _Limits, *, is_reused: bool
    ) -> httpx.Response | None:
        """The response. None if a reused connection was closed by the server before it has answered."""
        reader = ResponseReader(request.method)
        try:
            _send(connection.socket, data, limits)
            while not reader.status:
                reader.feed(_receive(connection.socket, limits))
        except BaseException as error:
            connection.close()
            closed = isinstance(error, (httpx.NetworkError, httpx.RemoteProtocolError)) and not reader.has_begun
            if is_reused and closed and not is_interruption(error):
                return None
            raise
        return httpx.Response(
            reader.status,
            headers=reader.headers,
            stream=_Stream(self, connection, reader, limits),
            extensions={"http_version": reader.http_version, "reason_phrase": reader.reason},
        )

    def _take_idle(self, origin: _Origin) -> _Connection | None:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # meanwhile, another thread took it
                break
            is_usable = False
            try:
                is_usable = connection.process == os.getpid() and connection.origin == origin and connection.is_usable()
            finally:
                if not is_usable:
                    connection.close()
            if is_usable:
                return connection
        return None

    def _connect(self, origin: _Origin, limits: _Limits) -> socket.socket:
        """A connection to the first address that accepts one. All of them share one time limit."""
        end = limits.end_of("connect")
        try:
            addresses = socket.getaddrinfo(origin.host, origin.port, 0, socket.SOCK_STREAM)
        except OSError as error:
            raise as_httpx(error, httpx.ConnectTimeout, httpx.ConnectError) from error
        failure: httpx.TransportError = httpx.ConnectError("the host has no address")
        for position, (*kind, _, address) in enumerate(addresses):
            now = time.monotonic()
            share = None if end is None else now + (end - now) / (len(addresses) - position)
            try:
                return self._connect_to(origin, kind, address, limits, share)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                if is_interruption(error):
                    raise
                failure = error
        raise failure

    def _connect_to(
        self, origin: _Origin, kind: list[int], address: Any, limits: _Limits, end: float | None
    ) -> socket.socket:
        connected: socket.socket | None = None
        try:
            connected = socket.socket(*kind)
            _finish_connect(connected, address, limits, end)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            if origin.is_tls:
                context = self._context = self._context or self._tls.new_context()
                secured = connected = self._tls.wrap(context, connected, origin.host)
                secured.settimeout(_seconds_until(end, httpx.ConnectTimeout))
                secured.do_handshake()
                self._tls.check(secured.getpeercert(binary_form=True))
            return connected
        except BaseException as error:
            if connected is not None:
                connected.close()
            if isinstance(error, OSError):
                raise as_httpx(error, httpx.ConnectTimeout, httpx.ConnectError) from error
            raise


class _Stream(httpx.SyncByteStream):
    """The body of a response, read when it is needed."""

    def __init__(
        self, transport: SocketTransport, connection: _Connection, reader: ResponseReader, limits: _Limits
    ) -> None:
        self._transport = transport
        self._connection: _Connection | None = connection
        self._reader = reader
        self._limits = limits
        if reader.is_complete:
            # Most bodies arrive together with the header. The connection is then free for other requests.
            self.close()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            if part := self._reader.body():
                yield part
            if self._reader.is_complete:
                break
            if self._connection is None:
                raise httpx.StreamClosed
            self._reader.feed(_receive(self._connection.socket, self._limits))
        self.close()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._transport.release(connection, self._reader)


def _finish_connect(connected: socket.socket, address: Any, limits: _Limits, end: float | None) -> None:
    connected.settimeout(limits.next_wait(end, httpx.ConnectTimeout))
    try:
        connected.connect(address)
        return
    except TimeoutError as error:
        if error.errno is not None or is_interruption(error):
            raise
    while not _is_ready(connected, to_write=True, seconds=limits.next_wait(end, httpx.ConnectTimeout)):
        pass
    if code := connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(code, os.strerror(code))


def _send(connection: socket.socket, data: bytes, limits: _Limits) -> None:
    connection.settimeout(_seconds_until(limits.end_of("write"), httpx.WriteTimeout))
    try:
        connection.sendall(data)
    except OSError as error:
        raise as_httpx(error, httpx.WriteTimeout, httpx.WriteError) from error


def _receive(connection: socket.socket, limits: _Limits) -> bytes:
    end = limits.end_of("read")
    while True:
        connection.settimeout(limits.next_wait(end, httpx.ReadTimeout))
        try:
            return connection.recv(RECEIVE_BYTES)
        except OSError as error:
            failure = as_httpx(error, httpx.ReadTimeout, httpx.ReadError)
            # The end of the wait has no number, unlike a timeout of the network.
            if not isinstance(error, TimeoutError) or error.errno is not None:
                raise failure from error


def as_httpx(
    error: OSError, timeout: type[httpx.TimeoutException], other: type[httpx.NetworkError]
) -> httpx.TransportError:
    """Converts an exception of the operating system. One that has interrupted the operation is the caller's."""
    if is_interruption(error):
        raise error
    return (timeout if isinstance(error, TimeoutError) else other)(str(error))


def _is_ready(connection: socket.socket, *, to_write: bool, seconds: float) -> bool:
    """Whether a socket can be read or written without blocking, after so many seconds at the latest."""
    if hasattr(select, "poll"):
        # Unlike select(), it works with descriptors above 1023.
        poll = select.poll()
        poll.register(connection, select.POLLOUT if to_write else select.POLLIN)
        return bool(poll.poll(ceil(seconds * 1000)))
    # Windows reports a connection that has failed as exceptional.
    reading, writing = ([], [connection]) if to_write else ([connection], [])
    return any(select.select(reading, writing, writing, seconds))
