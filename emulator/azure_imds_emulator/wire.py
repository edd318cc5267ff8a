"""HTTP in bytes: responses as the service sends them, complete or with faults."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any, cast

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from .clock import Clock
from .faults import Fault
from .responses import Response, get_reason_phrase, make_error

log = logging.getLogger("azure_imds_emulator")

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class WireResponse(web.StreamResponse):
    """A response that we write ourselves, to control the order, spelling and lengths of the headers, and for faults.

    aiohttp calls `prepare` and `write_eof` of the response that a handler returns. The rest of the base class is not
    used.
    """

    def __init__(self, response: Response, server_header: str, clock: Clock, fault: Fault | None = None) -> None:
        super().__init__(status=response.status)
        self._response = response
        self._server_header = server_header
        self._clock = clock
        self._fault = fault
        self._keep_connection = False
        self._protocol: Protocol | None = None

    @property
    def keep_alive(self) -> bool | None:
        """Whether the connection stays open after this response. aiohttp reads this after the response was sent."""
        return self._keep_connection and not (self._protocol and self._protocol.is_last_request)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Writes the whole response."""
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has disconnected")
        fault, body = self._fault, self._response.body
        length = len(body)
        is_length_wrong = False
        if fault:
            if fault.truncate is not None:
                is_length_wrong, body = True, body[: fault.truncate]
            if fault.content_length is not None:
                is_length_wrong, length = True, fault.content_length
        fields = self._build_headers(length, fault)
        self._protocol = cast("Protocol", request.protocol)
        closing = is_length_wrong or not request.keep_alive or self._protocol.is_last_request
        if any(name.lower() == "connection" and value.lower() == "close" for name, value in fields):
            closing = True
        elif closing:
            fields.append(("Connection", "close"))
        self._keep_connection = not closing
        head = f"HTTP/1.1 {self._response.status} {get_reason_phrase(self._response.status)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
        if request.method == "HEAD":
            body = b""
        if fault and fault.slow and body:
            transport.write(head.encode("latin-1"))
            for index in range(len(body)):
                await self._clock.sleep(fault.slow)
                if transport.is_closing():
                    raise ConnectionResetError("the client has disconnected")
                transport.write(body[index : index + 1])
        else:
            transport.write(head.encode("latin-1") + body)
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Does nothing: `prepare` has written everything."""

    def _build_headers(self, length: int, fault: Fault | None) -> list[tuple[str, str]]:
        fields = list(self._response.headers)
        if self._server_header and not any(name == "Server" for name, _ in fields):
            fields.append(("Server", self._server_header))
        fields += [("Date", _format_date(self._clock.time())), ("Content-Length", str(length))]
        if fault:
            for name, value in fault.headers.items():
                kept = [field for field in fields if field[0].lower() != name.lower()]
                fields = kept if value is None else [*kept, (name, value)]
        return fields


class NoResponse(web.StreamResponse):
    """Closes the connection without a response."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Closes the connection. The error makes aiohttp stop using it."""
        if request.transport is not None:
            request.transport.close()
        raise ConnectionResetError("closed without a response")


class Protocol(web.RequestHandler):
    """One connection. Replaces the error responses of aiohttp with those of the service."""

    __slots__ = ("_clock", "_has_received", "_server_header", "client_closed")

    def __init__(
        self, manager: web.Server, *, loop: asyncio.AbstractEventLoop, clock: Clock, server_header: str, **kwargs: Any
    ) -> None:
        super().__init__(manager, loop=loop, **kwargs)
        self._clock = clock
        self._server_header = server_header
        self._has_received = False
        #: Set when the client has closed its side of the connection. It can still receive responses.
        self.client_closed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Receives a part of a request."""
        super().data_received(data)
        self._has_received = self._has_received or bool(self._messages)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keeps the connection open for the responses to all requests that were received completely.

        Returns:
            Whether the connection stays open.
        """
        self.client_closed.set()
        is_idle = not self._has_received or (self._waiter is not None and not self._waiter.done())
        is_incomplete = self._current_request is not None and not self._current_request.content.is_eof()
        if self.transport is not None and self.transport.get_extra_info("ssl_object"):
            return False  # TLS connections cannot be closed on one side only
        return not is_idle and not is_incomplete

    @property
    def is_last_request(self) -> bool:
        """Whether the client has closed its side after the current request, so that no other request follows."""
        return self.client_closed.is_set() and not self._messages

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Returns the response to invalid HTTP (400), and to an error in the emulator (500, which is logged)."""
        if status >= 500:
            log.error("a request failed because of an error in the emulator", exc_info=exc)
        else:
            # Not the text of the error: it quotes the invalid line, which can contain a key.
            log.debug("received invalid HTTP: %s", type(exc).__name__)
        message = {400: "Bad request", 500: "Server error"}.get(status, get_reason_phrase(status))
        response = make_error(status, message)
        response.headers.append(("Connection", "close"))
        return WireResponse(response, self._server_header, self._clock)


class WireServer(web.Server):
    """Creates a `Protocol` for each connection."""

    def __init__(self, handler: Handler, *, clock: Clock, server_header: str) -> None:
        # The service checks header and line lengths and has its own error texts. These higher limits only protect the
        # process.
        self._options: dict[str, Any] = {
            "access_log": None,
            "auto_decompress": False,
            "keepalive_timeout": 120.0,
            "lingering_time": 2.0,
            "logger": log,
            "max_field_size": 64 * 1024,
            "max_line_size": 64 * 1024,
        }
        super().__init__(handler, handler_cancellation=True)
        self._clock = clock
        self._server_header = server_header

    def __call__(self) -> web.RequestHandler:
        """Creates the protocol of a new connection."""
        loop = asyncio.get_running_loop()
        return Protocol(self, loop=loop, clock=self._clock, server_header=self._server_header, **self._options)


_last_date: tuple[int, str] = (-1, "")


def _format_date(now: float) -> str:
    # Cached: the text changes once per second, and is needed thousands of times per second.
    global _last_date
    second = int(now)
    last = _last_date  # once: emulators in other threads have clocks of their own
    if last[0] != second:
        last = _last_date = (second, formatdate(second, usegmt=True))
    return last[1]
