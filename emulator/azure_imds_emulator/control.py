"""The control server: the control API, the control page, and the public keys and certificates of the emulator."""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import TypeVar

from aiohttp import web

from . import attested
from .config import read_machine
from .events import UnknownEvent
from .identity import get_signing_key
from .json_text import parse_json
from .machine import Json, is_object
from .openid import DISCOVERY_PATH, JWKS_PATH
from .parts import Parts
from .requests import RecordedRequest
from .saved_config import format_settings
from .state import add_event, add_fault, call, change_clock, change_state, describe_clock, describe_state, make_settings

INTERMEDIATE_PATH = "/pki/intermediate.cer"
ROOT_PATH = "/pki/root.cer"

_PAGE = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}
#: How many requests can wait for a slow reader of the stream. The stream omits further ones.
_STREAM_QUEUE_SIZE = 1000
#: How many earlier requests a new stream starts with.
_STREAM_HISTORY = 100

#: The page loads nothing from other hosts. `data:` is for its empty icon.
_CONTENT_SECURITY_POLICY = "default-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'"

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ControlServer:
    """Makes the functions of an `Emulator` available to other processes and in the browser.

    Args:
        parts: the parts of the emulator.
        reset: clears everything that happened, `Emulator.reset`.
        get_environment: returns the variables that direct clients to a URL, `Emulator.make_environment`.
        rotate_secret: `Emulator.rotate_secret`.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        reset: Callable[[], None],
        get_environment: Callable[[str], dict[str, str]],
        rotate_secret: Callable[[], None],
    ) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._reset = reset
        self._get_environment = get_environment
        self._rotate_secret = rotate_secret
        self._endpoint = ""
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int, endpoint: str) -> int:
        """Starts to listen and returns the port. For port 0 the system selects a free port.

        Args:
            endpoint: URL of the metadata server.

        Raises:
            OSError: the address cannot be used.
        """
        self._endpoint = endpoint
        application = web.Application(middlewares=[self._check_request])
        application.add_routes(
            [
                *(web.get(path, self._get_page) for path in _PAGE),
                web.get("/api/state", self._get_state),
                web.put("/api/state", self._change_state),
                web.patch("/api/state", self._change_state),
                web.get("/api/config", self._get_config),
                web.get("/api/requests", self._get_requests),
                web.delete("/api/requests", self._clear_requests),
                web.get("/api/stream", self._stream_requests),
                web.post("/api/faults", self._add_fault),
                web.delete("/api/faults", self._clear_faults),
                web.post("/api/events", self._add_event),
                web.post("/api/events/{id}/approve", self._approve_event),
                web.post("/api/events/{id}/complete", self._complete_event),
                web.delete("/api/events/{id}", self._cancel_event),
                web.post("/api/scenarios", self._begin_scenario),
                web.delete("/api/scenarios/{name}", self._stop_scenario),
                web.post("/api/clock", self._change_clock),
                web.post("/api/limits", self._change_limits),
                web.put("/api/machine", self._change_machine),
                web.patch("/api/machine", self._change_machine),
                web.post("/api/secret", self._change_secret),
                web.post("/api/reset", self._reset_all),
                web.get(JWKS_PATH, self._get_jwks),
                web.get(DISCOVERY_PATH, self._get_discovery_document),
                web.get(f"/{{tenant}}{DISCOVERY_PATH}", self._get_discovery_document),
                web.get(ROOT_PATH, self._get_root),
                web.get(INTERMEDIATE_PATH, self._get_intermediate),
            ]
        )
        self._runner = web.AppRunner(application, handler_cancellation=True, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound: int = self._runner.addresses[0][1]
        return bound

    async def stop(self) -> None:
        """Closes the port and all connections."""
        if self._runner:
            await self._runner.cleanup()

    @web.middleware
    async def _check_request(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuses requests of foreign web pages, and responds to wrong arguments with a 400 and the reason.

        The port is on loopback, but a browser on this machine can send requests to it for any page. We refuse host
        names that an attacker can point to this machine (DNS rebinding). Requests that change something need a JSON
        body, which a page of another origin cannot send without a preflight request.
        """
        if not self._is_allowed_host(request.host):
            reason = "use an IP address or a name without a dot, or add the name to control_hosts"
            return _make_error(403, f"Host {request.host} is not allowed: {reason}")
        if request.method in ("POST", "PUT", "PATCH") and request.content_type != "application/json":
            return _make_error(415, f"Content-Type must be application/json, got {request.content_type}")
        try:
            response = await handler(request)
        except UnknownEvent as error:
            return _make_error(404, f"event {error} does not exist")
        except (TypeError, ValueError) as error:
            return _make_error(400, f"{request.path}: {error}")
        except web.HTTPException as error:
            # An unknown path or method, or a body that is too long.
            problem = f"{request.path}: {error.reason}"
            if isinstance(error, web.HTTPMethodNotAllowed):
                problem += f". Use {' or '.join(sorted(error.allowed_methods))}"
            return _make_error(error.status, problem)
        if not response.prepared:
            response.headers["Cache-Control"] = "no-store"
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
        return response

    def _is_allowed_host(self, host: str) -> bool:
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        name = name.lower().removesuffix(".")
        allowed = (self._settings.host, self._settings.control_host or "", *self._settings.control_hosts)
        # An attacker cannot register a name without a dot, such as localhost or the name of a container.
        if name in map(str.lower, allowed) or ("." not in name.strip("[]") and ":" not in name):
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    async def _get_page(self, request: web.Request) -> web.Response:
        name, content_type = _PAGE[request.path]
        text = files("azure_imds_emulator").joinpath("static", name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=content_type)

    async def _get_state(self, request: web.Request) -> web.Response:
        environment = self._get_environment(self._endpoint)
        return _make_json(describe_state(self._parts, self._endpoint, environment))

    async def _change_state(self, request: web.Request) -> web.Response:
        change_state(self._parts, await _read_arguments(request), whole=request.method == "PUT")
        return await self._get_state(request)

    async def _get_config(self, request: web.Request) -> web.Response:
        text = format_settings(make_settings(self._parts))
        return web.Response(text=text, content_type="application/yaml")

    async def _get_requests(self, request: web.Request) -> web.Response:
        return _make_json([record.to_dict() for record in self._parts.requests])

    async def _clear_requests(self, request: web.Request) -> web.Response:
        self._parts.requests.clear()
        return _make_json({})

    async def _stream_requests(self, request: web.Request) -> web.StreamResponse:
        """Sends the recorded requests as server-sent events, then each request when its response was sent."""
        queue: asyncio.Queue[RecordedRequest] = asyncio.Queue(_STREAM_QUEUE_SIZE)

        def enqueue(record: RecordedRequest) -> None:
            if not queue.full():
                queue.put_nowait(record)

        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        self._parts.requests.listeners.append(enqueue)
        try:
            await response.prepare(request)
            for record in self._parts.requests[-_STREAM_HISTORY:]:
                await response.write(_encode_event(record))
            while True:
                await response.write(_encode_event(await queue.get()))
        finally:
            self._parts.requests.listeners.remove(enqueue)

    async def _add_fault(self, request: web.Request) -> web.Response:
        fault = add_fault(self._parts.faults, await _read_arguments(request))
        return _make_json(fault.to_dict(), status=201)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        self._parts.faults.clear()
        return _make_json({})

    async def _add_event(self, request: web.Request) -> web.Response:
        event = add_event(self._parts.events, await _read_arguments(request), self._parts.clock.time())
        return _make_json(event.to_dict(), status=201)

    async def _approve_event(self, request: web.Request) -> web.Response:
        return _make_json(self._parts.events.approve(request.match_info["id"]).to_dict())

    async def _complete_event(self, request: web.Request) -> web.Response:
        self._parts.events.complete(request.match_info["id"])
        return _make_json({})

    async def _cancel_event(self, request: web.Request) -> web.Response:
        self._parts.events.cancel(request.match_info["id"])
        return _make_json({})

    async def _begin_scenario(self, request: web.Request) -> web.Response:
        event = call(self._parts.scenarios.play, await _read_arguments(request))
        return _make_json(event.to_dict(), status=201)

    async def _stop_scenario(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if not self._parts.scenarios.stop(name):
            return _make_error(404, f"scenario {name} is not running")
        return _make_json({})

    async def _change_clock(self, request: web.Request) -> web.Response:
        clock = self._parts.clock
        change_clock(clock, await _read_arguments(request))
        return _make_json(describe_clock(clock))

    async def _change_limits(self, request: web.Request) -> web.Response:
        enabled = (await _read_arguments(request)).get("enabled")
        if not isinstance(enabled, bool):
            raise ValueError('needs enabled, for example {"enabled": true}')
        self._parts.limits.enabled = enabled
        return _make_json({"enabled": enabled})

    async def _change_machine(self, request: web.Request) -> web.Response:
        machine = self._settings.machine
        machine.become(read_machine(await _read_json(request), machine, whole=request.method == "PUT"))
        return _make_json(machine.to_dict())

    async def _change_secret(self, request: web.Request) -> web.Response:
        try:
            self._rotate_secret()
        except RuntimeError:
            raise ValueError(f"a host such as {self._settings.host_name} has no secret") from None
        return _make_json({"environment": self._get_environment(self._endpoint)})

    async def _reset_all(self, request: web.Request) -> web.Response:
        self._reset()
        return _make_json({})

    async def _get_jwks(self, request: web.Request) -> web.Response:
        key = await asyncio.to_thread(get_signing_key)
        return _make_json(key.to_jwks())

    async def _get_discovery_document(self, request: web.Request) -> web.Response:
        tenant, known = request.match_info.get("tenant"), self._settings.machine.tenant_id
        if tenant is not None and tenant.lower() != known.lower():
            return _make_error(404, f"tenant {tenant} does not exist: the tenant of the machine is {known}")
        # The address that the client used reaches this server, in a container network too.
        return _make_json(self._parts.tokens.issuer.build_document(f"http://{request.host}"))

    async def _get_root(self, request: web.Request) -> web.Response:
        return _make_certificate(attested.encode_der(await asyncio.to_thread(attested.get_root_certificate)))

    async def _get_intermediate(self, request: web.Request) -> web.Response:
        return _make_certificate(attested.encode_der(await asyncio.to_thread(attested.get_intermediate_certificate)))


async def _read_json(request: web.Request) -> Json:
    try:
        return parse_json(await request.read() or b"{}")
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from None


async def _read_arguments(request: web.Request) -> dict[str, Json]:
    arguments = await _read_json(request)
    if not is_object(arguments):
        raise ValueError("the body must be a JSON object")
    return arguments


def _make_json(value: Json, *, status: int = 200) -> web.Response:
    # With a newline at the end, the prompt of a shell is below the output of curl.
    return web.Response(text=f"{json.dumps(value)}\n", status=status, content_type="application/json")


def _make_error(status: int, reason: str) -> web.Response:
    return _make_json({"error": reason}, status=status)


def _make_certificate(content: bytes) -> web.Response:
    return web.Response(body=content, content_type="application/pkix-cert")


def _encode_event(record: RecordedRequest) -> bytes:
    return f"id: {record.number}\ndata: {json.dumps(record.to_dict())}\n\n".encode()
