"""The metadata server: receives requests, records them, applies faults and sends responses."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Protocol as Interface
from typing import cast

from aiohttp import web

from .clock import Clock
from .faults import FaultQueue
from .limits import Limits
from .requests import Headers, RecordedRequest, RequestLog
from .responses import Response
from .service import MAX_BODY, Request
from .wire import NoResponse, Protocol, WireResponse, WireServer


class AnyService(Interface):
    """What the server needs of a service."""

    def find_slow_step(self, request: Request) -> Callable[[], object] | None:
        """Returns what makes the response slow, to be called in another thread first."""

    def respond(self, request: Request) -> Response:
        """Returns the response to a request."""
        ...

    def make_failure(self, path: str, status: int) -> Response:
        """Makes the error that the endpoint at this path is known to send with this status."""
        ...

    def list_secret_headers(self) -> frozenset[str]:
        """Returns the names of headers with a secret, in lower case."""
        ...

    async def run(self) -> None:
        """Does what happens without a request, until it is cancelled."""


class MetadataServer:
    """Serves the metadata of one machine on one port.

    Args:
        server_header: value of the `Server` header. If it is empty, there is no such header.
        tls: the TLS settings for https.
    """

    def __init__(
        self,
        service: AnyService,
        limits: Limits,
        faults: FaultQueue,
        requests: RequestLog,
        clock: Clock,
        *,
        server_header: str,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._service = service
        self._tls = tls
        self._secret_headers = service.list_secret_headers()
        self._running: asyncio.Task[None] | None = None
        self._limits = limits
        self._faults = faults
        self._requests = requests
        self._clock = clock
        self._server_header = server_header
        self._wire: WireServer | None = None
        self._listener: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Starts to listen and returns the port. For port 0 the system selects a free port.

        Raises:
            OSError: the address cannot be used.
        """
        self._wire = WireServer(self._handle, clock=self._clock, server_header=self._server_header)
        self._listener = await asyncio.get_running_loop().create_server(
            self._wire, host, port, backlog=1024, ssl=self._tls
        )
        self._running = asyncio.create_task(self._service.run())
        bound: int = self._listener.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Closes the port and all connections, including those that hang because of a fault."""
        if self._running:
            self._running.cancel()
        if self._listener:
            self._listener.close()
        if self._wire:
            await _run_rounds()  # connections whose handshake is about to end become known
            connections = [connection.transport for connection in self._wire.connections]
            self._wire.pre_shutdown()
            # A timeout of 0 would mean no timeout. What has not finished by then is a fault's delay or a hang.
            await self._wire.shutdown(0.01)
            for transport in connections if self._tls else ():
                if transport is not None:
                    transport.abort()  # asyncio waits for the client to close too, and the client may not
            await _run_rounds()  # aborted connections are closed

    async def _handle(self, message: web.BaseRequest) -> web.StreamResponse:
        raw_path, query_string = _split_target(message.raw_path)
        headers = Headers(message.headers, self._secret_headers)
        body = await _read_body(message)
        if body is None:
            return NoResponse()
        request = Request.parse(message.method, raw_path, query_string, headers, body)
        query: dict[str, str] = {}
        for name, value in request.parameters:
            query.setdefault(name, value)
        record = RecordedRequest(
            self._requests.total + 1,
            request.method,
            request.path,
            query,
            query_string,
            headers,
            body,
            self._clock.time(),
        )
        self._requests.append(record)
        request.is_within_concurrency = self._limits.begin_request(request.path)
        try:
            return await self._respond(message, request, record)
        finally:
            self._limits.end_request(request.path)
            self._requests.notify_listeners(record)

    async def _respond(self, message: web.BaseRequest, request: Request, record: RecordedRequest) -> web.StreamResponse:
        fault = self._faults.apply_next(request.method, request.path)
        response: Response | None = None
        if fault:
            record.fault = fault.name
            if fault.delay:
                await self._clock.sleep(fault.delay)
            if fault.hang:
                # Waits until the client disconnects, or the server stops and cancels this task.
                await cast("Protocol", message.protocol).client_closed.wait()
                return NoResponse()
            if fault.close:
                return NoResponse()
            response = fault.make_response(request.path, self._service.make_failure)
        if response is None:
            if make_keys := self._service.find_slow_step(request):
                # Other connections are served meanwhile.
                await asyncio.to_thread(make_keys)
            response = self._service.respond(request)
        if response.delay:
            await self._clock.sleep(response.delay)
        if response.build_after_delay:
            response = response.build_after_delay()
        if fault and fault.change:
            response = fault.change(dict(request.parameters), response)
        record.status = response.status
        return WireResponse(response, self._server_header, self._clock, fault)


async def _run_rounds() -> None:
    """Lets the event loop handle everything that has arrived: accepted connections, and what follows from them."""
    for _ in range(10):
        await asyncio.sleep(0)


def _split_target(target: str) -> tuple[str, str]:
    """Returns path and query of a request target, which contains scheme and host in a request to a proxy."""
    if not target.startswith("/"):
        _, separator, rest = target.partition("://")
        target = "/" + rest.partition("/")[2] if separator else target
    path, _, query = target.partition("?")
    return path, query.partition("#")[0]


async def _read_body(message: web.BaseRequest) -> bytes | None:
    """Returns the body; `None` if the client closed the connection before its end."""
    if not message.body_exists:
        return b""
    if message.headers.get("Expect", "").lower() == "100-continue" and message.transport is not None:
        message.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = b""
    client_closed = cast("Protocol", message.protocol).client_closed
    # Reads a little more than the limit, so that the service sees that the body is too long.
    while len(body) <= MAX_BODY:
        if client_closed.is_set() and not message.content.is_eof():
            return None
        chunk = await message.content.read(MAX_BODY)
        if not chunk:
            break
        body += chunk
    return body
