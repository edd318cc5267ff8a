"""The metadata server: takes requests off the wire, records them, breaks what shall break, and answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web

from .answers import Answer
from .clock import Clock
from .faults import FaultBook
from .limits import Limits
from .requests import Headers, RecordedRequest, RequestLog
from .service import MAX_BODY, Request, Service
from .wire import NoAnswer, WireResponse, WireServer


@dataclass(slots=True)
class Parts:
    """What a server needs; made by the emulator."""

    service: Service
    limits: Limits
    faults: FaultBook
    requests: RequestLog
    clock: Clock
    server: str


class MetadataServer:
    """Serves one machine's metadata on one port."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._wire: WireServer | None = None
        self._listener: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system picks for 0.

        Raises:
            OSError: the address cannot be used.
        """
        parts = self._parts
        self._wire = WireServer(self._handle, clock=parts.clock, server=parts.server)
        self._listener = await asyncio.get_running_loop().create_server(self._wire, host, port, backlog=1024)
        bound: int = self._listener.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Close the port and every connection, also those that hang on purpose."""
        if self._listener:
            self._listener.close()
        if self._wire:
            self._wire.pre_shutdown()
            # Zero would mean for ever. Whoever is still being answered by then waits for a fault's delay or hangs.
            await self._wire.shutdown(0.01)

    async def _handle(self, message: web.BaseRequest) -> web.StreamResponse:
        parts = self._parts
        raw_path, query_string = _target(message.raw_path)
        headers = Headers(message.headers)
        body = await _body(message)
        request = Request.read(message.method, raw_path, query_string, headers, body)
        query: dict[str, str] = {}
        for name, value in request.parameters:
            query.setdefault(name, value)
        record = RecordedRequest(
            parts.requests.total + 1,
            request.method,
            request.path,
            query,
            query_string,
            headers,
            body,
            parts.clock.time(),
        )
        parts.requests.append(record)
        request.admitted = parts.limits.enter(request.path)
        try:
            return await self._respond(message, request, record)
        finally:
            parts.limits.leave(request.path)
            parts.requests.answered(record)

    async def _respond(self, message: web.BaseRequest, request: Request, record: RecordedRequest) -> web.StreamResponse:
        parts = self._parts
        fault = parts.faults.take(request.method, request.path)
        answer: Answer | None = None
        if fault:
            record.fault = fault.name
            if fault.delay:
                await parts.clock.sleep(fault.delay)
            if fault.hang:
                # Ends when the client leaves or the server stops: both cancel this task.
                await asyncio.Event().wait()
            if fault.close:
                return NoAnswer()
            answer = fault.answer(request.path)
        if answer is None:
            answer = parts.service.answer(request)
        if answer.delay:
            await parts.clock.sleep(answer.delay)
        if answer.late:
            answer = answer.late()
        record.status = answer.status
        return WireResponse(answer, parts.server, parts.clock, fault)


def _target(target: str) -> tuple[str, str]:
    """Path and query of a request target, which names scheme and host too where a proxy was meant."""
    if not target.startswith("/"):
        _, found, rest = target.partition("://")
        target = "/" + rest.partition("/")[2] if found else target
    path, _, query = target.partition("?")
    return path, query.partition("#")[0]


async def _body(message: web.BaseRequest) -> bytes:
    if not message.body_exists:
        return b""
    if message.headers.get("Expect", "").lower() == "100-continue" and message.transport is not None:
        message.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = b""
    # Read a little more than is allowed, so that the service sees that it is too much.
    while len(body) <= MAX_BODY and (chunk := await message.content.read(MAX_BODY)):
        body += chunk
    return body
