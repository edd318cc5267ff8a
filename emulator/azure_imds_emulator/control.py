"""The control API on a port of its own, the page for people, and the public halves of the emulator's keys."""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import TYPE_CHECKING

from aiohttp import web

from . import attested
from .config import ConfigError, change_machine
from .events import NOTICE, ScheduledEvent, UnknownEvent
from .faults import PRESETS, Fault
from .machine import Json, is_object
from .requests import RecordedRequest

if TYPE_CHECKING:
    from .emulator import Emulator

INTERMEDIATE_PATH = "/pki/intermediate.cer"
ROOT_PATH = "/pki/root.cer"
JWKS_PATH = "/discovery/keys"

_PAGE = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}
#: Requests that one listener may lag behind before it misses some.
_LAG = 1000

#: Nothing from elsewhere; `data:` is the page's empty icon.
_PAGE_MAY = "default-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ControlServer:
    """Lets other processes and people do what Python does with an `Emulator`."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system picks for 0.

        Raises:
            OSError: the address cannot be used.
        """
        application = web.Application(middlewares=[self._guard])
        application.add_routes(
            [
                *(web.get(path, self._page) for path in _PAGE),
                web.get("/api/state", self._state),
                web.get("/api/requests", self._requests),
                web.delete("/api/requests", self._forget_requests),
                web.get("/api/stream", self._stream),
                web.post("/api/faults", self._fail),
                web.delete("/api/faults", self._clear_faults),
                web.post("/api/events", self._schedule),
                web.post("/api/events/{id}/{action:approve|complete}", self._event_action),
                web.delete("/api/events/{id}", self._cancel),
                web.post("/api/clock", self._turn),
                web.post("/api/limits", self._limit),
                web.patch("/api/machine", self._change_machine),
                web.post("/api/reset", self._reset),
                web.get(JWKS_PATH, self._jwks),
                web.get(ROOT_PATH, self._root),
                web.get(INTERMEDIATE_PATH, self._intermediate),
            ]
        )
        self._runner = web.AppRunner(application, handler_cancellation=True, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound: int = self._runner.addresses[0][1]
        return bound

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._runner:
            await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Keep other people's web pages out, and turn bad arguments into a 400 that says why.

        The port is on loopback, but a browser on this machine reaches it for any page that it shows. A name that
        points here (DNS rebinding) is refused, and what changes something needs a JSON body, which a page of another
        origin cannot send without asking first.
        """
        if not self._is_ours(request.host):
            return _refusal(403, f"this is not {request.host}")
        if request.method in ("POST", "PATCH") and request.content_type != "application/json":
            return _refusal(415, "send application/json")
        try:
            response = await handler(request)
        except UnknownEvent as error:
            return _refusal(404, f"no event {error}")
        except (ConfigError, TypeError, ValueError) as error:
            return _refusal(400, str(error))
        if not response.prepared:
            response.headers["Cache-Control"] = "no-store"
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers["Content-Security-Policy"] = _PAGE_MAY
        return response

    def _is_ours(self, host: str) -> bool:
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        # A name without a dot, localhost or a container's, is none that a stranger can own.
        if name == self._emulator.settings.host or ("." not in name.strip("[]") and ":" not in name):
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    async def _page(self, request: web.Request) -> web.Response:
        name, kind = _PAGE[request.path]
        text = files("azure_imds_emulator").joinpath("static", name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=kind)

    async def _state(self, request: web.Request) -> web.Response:
        return web.json_response(self._described())

    def _described(self) -> dict[str, Json]:
        emulator = self._emulator
        machine = emulator.machine
        identities = [
            {"kind": "system-assigned" if identity is machine.system_assigned else "user-assigned"}
            | {"client_id": identity.client_id, "object_id": identity.object_id}
            | {"resource_id": identity.resource_id or machine.resource_id}
            for identity in ([machine.system_assigned] if machine.system_assigned else []) + machine.user_assigned
        ]
        return {
            "endpoint": emulator.endpoint,
            "environment": emulator.environment,
            "arc": emulator.settings.arc,
            "machine": {
                "instance": machine.instance,
                "tenant_id": machine.tenant_id,
                "identities": identities,
                "load_balancer": machine.load_balancer,
            },
            "clock": {"time": emulator.clock.time(), "frozen": emulator.clock.frozen},
            "events": {
                "incarnation": emulator.events.incarnation,
                "events": [_event(event) for event in emulator.events.events],
                "types": list(NOTICE),
            },
            "faults": {"pending": [_fault(fault) for fault in emulator.faults.pending], "presets": list(PRESETS)},
            "rate_limits": emulator.limits.enabled,
            "requests": {"total": emulator.requests.total},
        }

    async def _requests(self, request: web.Request) -> web.Response:
        return web.json_response([_recorded(record) for record in self._emulator.requests])

    async def _forget_requests(self, request: web.Request) -> web.Response:
        self._emulator.requests.clear()
        return web.json_response({})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: the requests kept, then each as it is answered."""
        waiting: asyncio.Queue[RecordedRequest] = asyncio.Queue(_LAG)

        def heard(record: RecordedRequest) -> None:
            if not waiting.full():
                waiting.put_nowait(record)

        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        log = self._emulator.requests
        log.listeners.append(heard)
        try:
            await response.prepare(request)
            for record in log[-100:]:
                await response.write(_sent(record))
            while True:
                await response.write(_sent(await waiting.get()))
        finally:
            log.listeners.remove(heard)

    async def _fail(self, request: web.Request) -> web.Response:
        fault = self._emulator.fail(**await _arguments(request))
        return web.json_response(_fault(fault), status=201)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        self._emulator.faults.clear()
        return web.json_response({})

    async def _schedule(self, request: web.Request) -> web.Response:
        event = self._emulator.schedule(**await _arguments(request))
        return web.json_response(_event(event), status=201)

    async def _event_action(self, request: web.Request) -> web.Response:
        if request.match_info["action"] == "approve":
            return web.json_response(_event(self._emulator.events.approve(request.match_info["id"])))
        self._emulator.events.complete(request.match_info["id"])
        return web.json_response({})

    async def _cancel(self, request: web.Request) -> web.Response:
        self._emulator.events.cancel(request.match_info["id"])
        return web.json_response({})

    async def _turn(self, request: web.Request) -> web.Response:
        arguments = await _arguments(request)
        clock = self._emulator.clock
        if not arguments or arguments.keys() - {"advance", "frozen"}:
            raise ValueError("the clock takes advance, in seconds, and frozen, true or false")
        if "advance" in arguments:
            clock.advance(arguments["advance"])
        if "frozen" in arguments:
            (clock.freeze if arguments["frozen"] else clock.resume)()
        return web.json_response({"time": clock.time(), "frozen": clock.frozen})

    async def _limit(self, request: web.Request) -> web.Response:
        enabled = (await _arguments(request)).get("enabled")
        if not isinstance(enabled, bool):
            raise ValueError("limits take enabled, true or false")
        self._emulator.limits.enabled = enabled
        return web.json_response({"enabled": enabled})

    async def _change_machine(self, request: web.Request) -> web.Response:
        change_machine(self._emulator.machine, await request.text())
        return web.json_response(self._described()["machine"])

    async def _reset(self, request: web.Request) -> web.Response:
        self._emulator.reset()
        return web.json_response({})

    async def _jwks(self, request: web.Request) -> web.Response:
        return web.json_response(self._emulator.jwks())

    async def _root(self, request: web.Request) -> web.Response:
        return _certificate(attested.der(attested.root_certificate()))

    async def _intermediate(self, request: web.Request) -> web.Response:
        return _certificate(attested.der(attested.intermediate_certificate()))


async def _arguments(request: web.Request) -> dict[str, Json]:
    arguments: Json = json.loads(await request.text() or "{}")
    if not is_object(arguments):
        raise ValueError("send a JSON object")
    return arguments


def _refusal(status: int, reason: str) -> web.Response:
    return web.json_response({"error": reason}, status=status)


def _certificate(content: bytes) -> web.Response:
    return web.Response(body=content, content_type="application/pkix-cert")


def _event(event: ScheduledEvent) -> dict[str, Json]:
    return {
        "event_id": event.event_id,
        "event_type": event.event_type,
        "status": event.status,
        "resources": list(event.resources),
        "not_before": event.not_before,
        "description": event.description,
        "source": event.source,
        "duration": event.duration,
    }


def _fault(fault: Fault) -> dict[str, Json]:
    return {
        "what": fault.name,
        "remaining": fault.remaining,
        "until": fault.until,
        "path": fault.path,
        "method": fault.method,
        "hits": fault.hits,
    }


def _recorded(record: RecordedRequest) -> dict[str, Json]:
    """A request for the outside: keys and bodies stay inside."""
    return {
        "number": record.number,
        "time": record.time,
        "method": record.method,
        "path": record.path,
        "query": record.query_string,
        "headers": record.headers.redacted(),
        "status": record.status,
        "fault": record.fault,
    }


def _sent(record: RecordedRequest) -> bytes:
    return f"id: {record.number}\ndata: {json.dumps(_recorded(record))}\n\n".encode()
