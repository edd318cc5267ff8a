"""How the requests of a client reach the network: over sockets of our own, or over what the caller passed.

Clients of our own use no proxies, follow no redirects and keep no cookies.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Generic, NamedTuple, TypeVar

import httpx

from .._interruptions import is_interruption, mark_as_transport_error
from ..errors import ImdsError
from .async_transport import AsyncSocketTransport
from .sync_transport import SocketTransport, TlsSettings
from .validation import invalid

C = TypeVar("C", httpx.Client, httpx.AsyncClient)

#: What our own transports raise if there is no response.
_OWN_FAILURES = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL)
#: What transports and httpx clients of callers raise. RuntimeError: the client was used in another event loop before.
_FAILURES = (*_OWN_FAILURES, OSError, UnicodeError, RuntimeError)


class Sender(NamedTuple):
    """A way to send a request.

    Attributes:
        send: sends a request and returns the response, with a body that has not been read. Awaited if asynchronous.
        failures: exceptions that mean that there is no response. Any other exception is not about the request.
    """

    send: Callable[[httpx.Request], Any]
    failures: tuple[type[Exception], ...]


def _settings(base_url: str, headers: dict[str, str]) -> dict[str, Any]:
    return {
        "base_url": base_url,
        "headers": headers,
        "follow_redirects": False,
        "trust_env": False,
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    }


def _send_with(http: httpx.Client, request: httpx.Request) -> httpx.Response:
    """Sends a request over what the caller passed."""
    try:
        return http.send(request, stream=True, auth=None, follow_redirects=False)
    except Exception as error:
        mark_as_transport_error(error)
        raise


async def _asend_with(http: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """`_send_with`, awaited."""
    try:
        return await http.send(request, stream=True, auth=None, follow_redirects=False)
    except Exception as error:
        mark_as_transport_error(error)
        raise


def _own_transport(is_async: bool, tls: TlsSettings, proxy: str) -> Any:
    """Sockets of our own, or httpx's transport if there is a proxy, which only a server on the internet has."""
    if proxy:
        # No kept connections: the asynchronous ones would belong to one event loop.
        limits = httpx.Limits(max_keepalive_connections=0)
        try:
            return (httpx.AsyncHTTPTransport if is_async else httpx.HTTPTransport)(proxy=proxy, limits=limits)
        except OSError as error:
            # Connections of our own read the file when they are made. httpx reads it here.
            if is_interruption(error):
                raise
        raise invalid("SSL_CERT_FILE", "must be a file with certificates, such as /etc/ssl/cert.pem")
    return AsyncSocketTransport(tls) if is_async else SocketTransport(tls)


class Connections(Generic[C]):
    """The connections that a client and its siblings share.

    Attributes:
        transport: the caller's transport, if any.
        given: the caller's httpx client, if any.
        closed: whether the client was closed.

    Args:
        kind: the httpx client's class.
        transport: see above.
        given: see above.
        base_url: of the httpx client.
        headers: of the httpx client.
        certificate: the SHA-1 of the server's certificate, to verify instead of a chain.
        proxy: the URL of a proxy.
    """

    def __init__(
        self,
        kind: type[C],
        transport: Any,
        given: C | None,
        base_url: str = "",
        headers: dict[str, str] | None = None,
        *,
        certificate: str = "",
        proxy: str = "",
    ) -> None:
        self.transport = transport
        self.given: C | None = given
        self.closed = False
        self._kind: type[C] = kind
        self._settings = base_url, headers or {}
        self._own: Any = None
        if transport is None and given is None:
            self._own = _own_transport(issubclass(kind, httpx.AsyncClient), TlsSettings(pin=certificate), proxy)
        self._made: C | None = None
        self._process = 0
        if isinstance(self._own, SocketTransport):
            # If the user never closes the client, Python would report its sockets as unclosed.
            weakref.finalize(self, self._own.close)

    def check(self) -> None:
        """Raises ImdsError if the client is closed."""
        if self.closed or (self.given is not None and self.given.is_closed):
            which = "this client" if self.closed else "http_client"
            raise ImdsError(f"{which} is closed", hint="Create a new client, or close it later.")

    @property
    def sender(self) -> Sender:
        """How to send requests."""
        self.check()
        through_httpx: Any = _send_with if issubclass(self._kind, httpx.Client) else _asend_with
        if self._own is None:
            return Sender(partial(through_httpx, self.http), _FAILURES)
        if self._made is not None and any(self._made.event_hooks.values()):
            return Sender(partial(through_httpx, self.http), _OWN_FAILURES)
        # Without the httpx client, which would log a line at INFO for each request.
        if issubclass(self._kind, httpx.Client):
            return Sender(self._own.handle_request, _OWN_FAILURES)
        return Sender(self._own.handle_async_request, _OWN_FAILURES)

    @property
    def http(self) -> C:
        """The httpx client over the same connections. Made on first use, and again after a fork."""
        self.check()
        if self.given is not None:
            return self.given
        made = self._made
        if made is None or self._process != os.getpid():
            # Without a lock, which a fork could leave locked. Two threads may both make a client, and both are closed.
            transport = self._own if self.transport is None else self.transport
            made = self._made = self._kind(transport=transport, **_settings(*self._settings))
            self._process = os.getpid()
            if isinstance(made, httpx.Client):
                weakref.finalize(self, made.close)
        return made

    def close(self) -> None:
        """Closes the connections, but never the caller's own httpx client. Can be called again."""
        opened: Any = self._detach()
        if opened is not None:
            opened.close()

    async def aclose(self) -> None:
        """`close` for asyncio and trio."""
        opened: Any = self._detach()
        if opened is not None:
            await opened.aclose()

    def release(self) -> bool:
        """Closes idle connections of our own transport. It opens a new one for each later request.

        Returns:
            False, and nothing is closed, if the caller's transport or httpx client is used.
        """
        if self.transport is not None or self.given is not None:
            return False
        if isinstance(self._own, SocketTransport):
            self._own.close()
        return True

    def _detach(self) -> Any:
        self.closed = True
        made, self._made = self._made, None
        own, self._own = self._own, None
        return made or own
