"""HTTP as bytes: answers written as the service writes them, whole or broken on purpose."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from .answers import Answer, error, phrase
from .clock import Clock
from .faults import Fault

log = logging.getLogger("azure_imds_emulator")

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class WireResponse(web.StreamResponse):
    """An answer written by ourselves, so that order, spelling and lengths of the headers are ours, faults included.

    aiohttp calls `prepare` and `write_eof` of whatever a handler returns; nothing else of the base class
    is used.
    """

    def __init__(self, answer: Answer, server: str | None, clock: Clock, fault: Fault | None = None) -> None:
        super().__init__(status=answer.status)
        self._answer = answer
        self._server_name = server
        self._clock = clock
        self._fault = fault
        self._keeps_alive = False

    @property
    def keep_alive(self) -> bool | None:
        """Whether the connection serves another request after this one."""
        return self._keeps_alive

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write everything: there is no streaming from outside."""
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has left")
        fault, body = self._fault, self._answer.body
        length = len(body)
        cut = False
        if fault:
            if fault.truncate is not None:
                cut, body = True, body[: fault.truncate]
            if fault.content_length is not None:
                cut, length = True, fault.content_length
        fields = self._fields(length, fault)
        closing = cut or not request.keep_alive
        if any(name.lower() == "connection" and value.lower() == "close" for name, value in fields):
            closing = True
        elif closing:
            fields.append(("Connection", "close"))
        self._keeps_alive = not closing
        head = f"HTTP/1.1 {self._answer.status} {phrase(self._answer.status)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
        if request.method == "HEAD":
            body = b""
        if fault and fault.slow and body:
            transport.write(head.encode("latin-1"))
            for index in range(len(body)):
                await self._clock.sleep(fault.slow)
                if transport.is_closing():
                    raise ConnectionResetError("the client has left")
                transport.write(body[index : index + 1])
        else:
            transport.write(head.encode("latin-1") + body)
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""

    def _fields(self, length: int, fault: Fault | None) -> list[tuple[str, str]]:
        fields = list(self._answer.headers)
        if self._server_name is not None:
            fields.append(("Server", self._server_name))
        fields += [("Date", _date(self._clock.time())), ("Content-Length", str(length))]
        if fault:
            for name, value in fault.headers.items():
                kept = [field for field in fields if field[0].lower() != name.lower()]
                fields = kept if value is None else [*kept, (name, value)]
        return fields


class NoAnswer(web.StreamResponse):
    """Closes the connection instead of answering."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Close; the error tells aiohttp that there is nothing more to do on this connection."""
        if request.transport is not None:
            request.transport.close()
        raise ConnectionResetError("closed without an answer, on purpose")


class Protocol(web.RequestHandler):
    """One connection. Only what aiohttp would say itself is replaced, since the service is no aiohttp."""

    __slots__ = ("_clock", "_server_name")

    def __init__(
        self, manager: web.Server, *, loop: asyncio.AbstractEventLoop, clock: Clock, server: str | None, **kwargs: Any
    ) -> None:
        super().__init__(manager, loop=loop, **kwargs)
        self._clock = clock
        self._server_name = server

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is not HTTP (400), and to a defect of the emulator (500, which is logged)."""
        if status >= 500:
            log.error("the emulator failed on a request", exc_info=exc)
        else:
            # Not the error itself: it quotes the line that it could not read, which may hold a key.
            log.debug("not a request: %s", type(exc).__name__)
        answer = error(status, {400: "Bad request", 500: "Server error"}.get(status, phrase(status)))
        answer.headers.append(("Connection", "close"))
        return WireResponse(answer, self._server_name, self._clock)


class WireServer(web.Server):
    """Makes `Protocol` connections."""

    def __init__(self, handler: Handler, *, clock: Clock, server: str | None) -> None:
        # Header and line lengths are the service's business, which refuses them in its own words; here only so much
        # as protects the process.
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
        self._server_name = server

    def __call__(self) -> web.RequestHandler:
        """A new connection."""
        loop = asyncio.get_running_loop()
        return Protocol(self, loop=loop, clock=self._clock, server=self._server_name, **self._options)


_dated: tuple[int, str] = (-1, "")


def _date(now: float) -> str:
    # The text changes once a second and is needed thousands of times in one.
    global _dated
    second = int(now)
    if _dated[0] != second:
        _dated = (second, formatdate(second, usegmt=True))
    return _dated[1]
