"""The httpx clients for IMDS: no proxies, no redirects, no cookies, and a time limit for an attempt as a whole."""

from __future__ import annotations

import contextlib
import math
import os
import ssl
import threading
import time
import typing
import weakref
from collections.abc import Callable, Generator, Iterable
from contextvars import ContextVar
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Generic, TypeVar

import httpcore
import httpx

from ..errors import ImdsError

C = TypeVar("C", httpx.Client, httpx.AsyncClient)

#: When the current attempt must end, on the monotonic clock.
_attempt_end: ContextVar[float | None] = ContextVar("azure_imds_attempt_end", default=None)

#: Seconds between two checks whether the current request was cancelled.
_CHECK_INTERVAL = 0.1

#: Returns whether the current request was cancelled.
_is_cancelled: ContextVar[Callable[[], bool] | None] = ContextVar("azure_imds_is_cancelled", default=None)


class RequestCancelled(Exception):
    """The response is not needed any more."""


@contextlib.contextmanager
def cancel_when(check: Callable[[], bool]) -> Generator[None]:
    """Ends a request inside with `RequestCancelled` soon after `check` returns True, if it uses `LimitedTransport`."""
    token = _is_cancelled.set(check)
    try:
        yield
    finally:
        _is_cancelled.reset(token)


@contextlib.contextmanager
def attempt_limit(seconds: float) -> Generator[None]:
    """Limits the time of everything that `LimitedTransport` does inside, even if data arrives byte by byte."""
    token = _attempt_end.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _attempt_end.reset(token)


def _left(timeout: float | None, error: type[Exception]) -> float | None:
    end = _attempt_end.get()
    if end is None:
        return timeout
    left = end - time.monotonic()
    if left <= 0:
        raise error("the time of the attempt is over")
    return left if timeout is None else min(timeout, left)


class _LimitedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        is_cancelled = _is_cancelled.get()
        if is_cancelled is None:
            return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))
        until = math.inf if timeout is None else time.monotonic() + timeout
        while not is_cancelled():
            left = _left(until - time.monotonic(), httpcore.ReadTimeout) or 0.0
            try:
                return self._stream.read(max_bytes, min(max(left, 0.001), _CHECK_INTERVAL))
            except httpcore.ReadTimeout:
                if left <= _CHECK_INTERVAL:
                    raise
        raise RequestCancelled

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _LimitedStream(
            self._stream.start_tls(ssl_context, server_hostname, _left(timeout, httpcore.ConnectTimeout))
        )

    def get_extra_info(self, info: str) -> typing.Any:
        return self._stream.get_extra_info(info)


class _LimitedBackend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        limit = _left(timeout, httpcore.ConnectTimeout)
        return _LimitedStream(super().connect_tcp(host, port, limit, local_address, socket_options))


class LimitedTransport(httpx.HTTPTransport):
    """httpx's own transport, over a network backend that respects `attempt_limit`.

    httpx's timeouts are per read, so a server that sends a byte from time to time would never time out. An async client
    does not need this, since a cancel scope ends the attempt.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=None,  # as many as there are threads with a request
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=_LimitedBackend(),
        )


class PerThreadTransport(httpx.AsyncBaseTransport):
    """httpx's own transport, one per thread, since its pool does not support several event loops at the same time.

    It keeps no connection between requests: a connection belongs to an event loop, which may be closed before the next
    request. A new connection to IMDS takes a fraction of a millisecond. So there is nothing to close either.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._local = threading.local()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        transport: httpx.AsyncHTTPTransport | None = getattr(self._local, "transport", None)
        if transport is None:
            limits = httpx.Limits(max_keepalive_connections=0)
            transport = httpx.AsyncHTTPTransport(verify=self._context, trust_env=False, limits=limits)
            self._local.transport = transport
        return await transport.handle_async_request(request)


def _ssl_context(base_url: str) -> ssl.SSLContext:
    # IMDS is plain HTTP, and loading a CA bundle takes longer than a whole request to it.
    return httpx.create_ssl_context() if base_url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _settings(base_url: str, headers: dict[str, str]) -> dict[str, Any]:
    return {
        "base_url": base_url,
        "headers": headers,
        "follow_redirects": False,
        "trust_env": False,
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    }


def new_client(base_url: str, headers: dict[str, str], transport: httpx.BaseTransport | None) -> httpx.Client:
    """An httpx client for IMDS over `transport`, or over the network."""
    transport = LimitedTransport(_ssl_context(base_url)) if transport is None else transport
    return httpx.Client(transport=transport, **_settings(base_url, headers))


def new_async_client(
    base_url: str, headers: dict[str, str], transport: httpx.AsyncBaseTransport | None
) -> httpx.AsyncClient:
    """An httpx client for asyncio and trio."""
    transport = PerThreadTransport(_ssl_context(base_url)) if transport is None else transport
    return httpx.AsyncClient(transport=transport, **_settings(base_url, headers))


class Connections(Generic[C]):
    """The httpx client that a client and its siblings share. Made on first use, and again after a fork."""

    def __init__(self, make: Callable[[Any], C], transport: Any, given: C | None) -> None:
        self._make: Callable[[Any], C] = make
        self.transport = transport
        self.given: C | None = given
        self._made: C | None = None
        self._pid = 0
        self.closed = False

    def check(self) -> None:
        """Raises ImdsError if the client is closed."""
        if self.closed or (self.given is not None and self.given.is_closed):
            which = "this client" if self.closed else "http_client"
            raise ImdsError(f"{which} is closed", hint="Create a new client, or close it later.")

    @property
    def http(self) -> C:
        """The client to send with."""
        self.check()
        if self.given is not None:
            return self.given
        made = self._made
        if made is None or self._pid != os.getpid():
            # Without a lock, which a fork could leave locked. Two threads may both make a client, and both are closed.
            made = self._made = self._make(self.transport)
            self._pid = os.getpid()
            if isinstance(made, httpx.Client):
                # If the user never closes it, Python would report its sockets as unclosed.
                weakref.finalize(self, made.close)
        return made

    def detach(self) -> C | None:
        """Marks the client as closed and returns the httpx client to close, once. Never the caller's own client."""
        self.closed = True
        made, self._made = self._made, None
        return made
