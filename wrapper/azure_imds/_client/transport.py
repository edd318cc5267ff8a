"""The httpx clients that talk to IMDS: no proxies, no redirects, no cookies, and a limit on an attempt as a whole."""

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

#: When the attempt of this thread must be over, on the monotonic clock.
_until: ContextVar[float | None] = ContextVar("azure_imds_until", default=None)


#: Seconds between two looks at whether an answer is still wanted.
_LOOK = 0.1

#: Says whether the answer that this thread awaits is not wanted any more.
_given_up: ContextVar[Callable[[], bool] | None] = ContextVar("azure_imds_given_up", default=None)


class GivenUp(Exception):
    """Nobody wants the answer any more."""


@contextlib.contextmanager
def until_given_up(check: Callable[[], bool]) -> Generator[None]:
    """Ends a request inside with `GivenUp`, soon after `check` has become true, if it goes over `LimitedTransport`."""
    token = _given_up.set(check)
    try:
        yield
    finally:
        _given_up.reset(token)


@contextlib.contextmanager
def attempt_limit(seconds: float) -> Generator[None]:
    """Bounds everything that `LimitedTransport` does inside, whatever the other side dribbles."""
    token = _until.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def _left(timeout: float | None, error: type[Exception]) -> float | None:
    until = _until.get()
    if until is None:
        return timeout
    left = until - time.monotonic()
    if left <= 0:
        raise error("the attempt's time is over")
    return left if timeout is None else min(timeout, left)


class _LimitedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        given_up = _given_up.get()
        if given_up is None:
            return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))
        until = math.inf if timeout is None else time.monotonic() + timeout
        while not given_up():
            left = _left(until - time.monotonic(), httpcore.ReadTimeout) or 0.0
            try:
                return self._stream.read(max_bytes, min(max(left, 0.001), _LOOK))
            except httpcore.ReadTimeout:
                if left <= _LOOK:
                    raise
        raise GivenUp

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
    """httpx's own transport over a network that respects `attempt_limit`.

    httpx's timeouts are per read, so a peer that sends a byte now and then is never late. An async client needs
    none of this: there, a cancel scope ends the attempt.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=None,  # as many as there are threads that ask
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=_LimitedBackend(),
        )


class PerThreadTransport(httpx.AsyncBaseTransport):
    """httpx's own transport, one for each thread: its pool is not made for event loops side by side.

    It keeps no connection between requests: a kept one belongs to an event loop that may be gone by the next, and to
    IMDS a new one costs next to nothing. So there is nothing to close either.
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
    # IMDS is plain HTTP, and loading a CA bundle costs more than a whole request to it.
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
    """A client for IMDS over `transport`, or over the network."""
    transport = LimitedTransport(_ssl_context(base_url)) if transport is None else transport
    return httpx.Client(transport=transport, **_settings(base_url, headers))


def new_async_client(
    base_url: str, headers: dict[str, str], transport: httpx.AsyncBaseTransport | None
) -> httpx.AsyncClient:
    """The same for asyncio and trio."""
    transport = PerThreadTransport(_ssl_context(base_url)) if transport is None else transport
    return httpx.AsyncClient(transport=transport, **_settings(base_url, headers))


class Connections(Generic[C]):
    """The httpx client that a client and its siblings share: made when first used, and anew after a fork."""

    def __init__(self, make: Callable[[Any], C], transport: Any, given: C | None) -> None:
        self._make: Callable[[Any], C] = make
        self.transport = transport
        self.given: C | None = given
        self._made: C | None = None
        self._pid = 0
        self.closed = False

    def check(self) -> None:
        """Raises ImdsError where nothing can be sent any more."""
        if self.closed or (self.given is not None and self.given.is_closed):
            whose = "its http_client is" if not self.closed else "this client is"
            raise ImdsError(f"{whose} closed", hint="Make a new one, or close it later.")

    @property
    def http(self) -> C:
        """The client to send with."""
        self.check()
        if self.given is not None:
            return self.given
        made = self._made
        if made is None or self._pid != os.getpid():
            # No lock, which a fork could leave locked: two threads may each make one here, and both are closed.
            made = self._made = self._make(self.transport)
            self._pid = os.getpid()
            if isinstance(made, httpx.Client):
                # Without a context manager, its sockets would otherwise be reported as unclosed.
                weakref.finalize(self, made.close)
        return made

    def take(self) -> C | None:
        """What is left to close, once: the caller's own client is never among it."""
        self.closed = True
        made, self._made = self._made, None
        return made
