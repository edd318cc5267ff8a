"""Faults: responses that fail on purpose."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase

from .clock import Clock, check_seconds, to_unix_seconds
from .machine import Json, is_object
from .responses import BAD_API_VERSION, FRONT_END, JSON_TYPE, TEXT_TYPE, Response, encode_json, make_failure

HeaderChanges = Mapping[str, str | None]
Change = Callable[[Mapping[str, str], Response], Response]


@dataclass(frozen=True, slots=True)
class Preset:
    """A response that was documented or observed on real hosts.

    Attributes:
        status: status of the response; `None` for a change of the normal response.
        body: body of the response; `None` for a change of the normal response.
        headers: header fields to set, or to remove if the value is `None`.
        path: the path that the preset is limited to, unless `fail` has another one.
        change: returns the changed response to a request with these parameters.
    """

    status: int | None = None
    body: bytes | None = None
    headers: HeaderChanges = field(default_factory=dict[str, str | None])
    path: str | None = None
    change: Change | None = None


def _make_json_preset(status: int, body: Json) -> Preset:
    return Preset(status, encode_json(body), {"Content-Type": JSON_TYPE})


def _change_document(response: Response, change: Callable[[dict[str, Json]], object]) -> Response:
    """Returns a success with a changed JSON object. Does not change other responses."""
    document: Json = json.loads(response.body) if response.status == 200 else None
    if not is_object(document):
        return response
    change(document)
    return Response(response.status, encode_json(document), response.headers)


def _remove_events(query: Mapping[str, str], response: Response) -> Response:
    return _change_document(response, lambda document: document.pop("Events", None))


def _empty_descriptions(query: Mapping[str, str], response: Response) -> Response:
    def change(document: dict[str, Json]) -> None:
        for event in document.get("Events", []):
            if "Description" in event:
                event["Description"] = ""

    return _change_document(response, change)


def _remove_network(query: Mapping[str, str], response: Response) -> Response:
    if query.get("extended", "").lower() == "true":
        return make_failure("/metadata/instance", 500)
    return _change_document(response, lambda document: document.pop("network", None))


_EVENTS = "/metadata/scheduledevents"

#: Failures of components around IMDS, odd responses of IMDS, and error texts that exist in more than one version.
PRESETS: Mapping[str, Preset] = {
    # The host's front end responds while IMDS restarts behind it.
    "imds-restarting": Preset(500, b"", {"Content-Type": TEXT_TYPE, "Server": FRONT_END}),
    # A container on Docker Desktop: its proxy responds, and there is no IMDS behind it.
    "docker-desktop": Preset(
        403,
        b"connecting to 169.254.169.254:80: connecting to 169.254.169.254:80: dial tcp 169.254.169.254:80:"
        b" connectex: A socket operation was attempted to an unreachable network.",
        {"Content-Type": "text/plain", "Server": None},
    ),
    # The guest proxy agent in Enforce mode refuses the caller.
    "guest-proxy-agent-forbidden": Preset(403, b"", {"Connection": "close", "Content-Type": None, "Server": None}),
    "guest-proxy-agent-method": Preset(
        405,
        b"Method Not Allowed",
        {
            "Allow": "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH",
            "Content-Type": TEXT_TYPE,
            "Connection": "close",
            "Server": None,
        },
    ),
    # The deprecated pod identity of AKS intercepts the request.
    "pod-identity-nmi": Preset(500, b"pod list is empty", {"Content-Type": TEXT_TYPE, "Server": None}),
    "token-failure": _make_json_preset(
        500,
        {
            "error": "unknown",
            "error_description": "Failed to retrieve token from the Active directory."
            " For details see logs in <file path>",
        },
    ),
    # The retired extension on port 50342.
    "legacy-missing-header": _make_json_preset(
        400, {"error": "bad_request_102", "error_description": "Required metadata header not specified"}
    ),
    # The specification's example of a 429. Live hosts send another text.
    "throttled-spec": _make_json_preset(429, {"error": "too_many_requests", "error_description": "Too many requests"}),
    # The error text of hosts of 2020 for a missing api-version.
    "older-api-version": _make_json_preset(
        400,
        {
            "error": BAD_API_VERSION.replace("is invalid or was", "was"),
            "newest-versions": ["2020-10-01", "2020-09-01", "2020-07-15"],
        },
    ),
    # The answer of hosts of 2017 to 2019 to an api-version that never existed.
    "unknown-api-version-2017": Preset(
        404, b'{ "error": "Not found. Invalid version requested" }', {"Content-Type": JSON_TYPE}
    ),
    # Scheduled events, as some hosts send them.
    "events-as-text": Preset(headers={"Content-Type": "text/plain"}, path=_EVENTS),
    "events-without-list": Preset(path=_EVENTS, change=_remove_events),
    "events-empty-description": Preset(path=_EVENTS, change=_empty_descriptions),
    # One of the sources of IMDS is down. Provisioning agents, which send extended=true, get an error instead.
    "instance-partial": Preset(path="/metadata/instance", change=_remove_network),
    "load-balancer-not-provisioned": _make_json_preset(
        404, {"error": "Load Balancer metadata API isn't available right now. Retry later"}
    ),
}


@dataclass(slots=True, eq=False)
class Fault:
    """A fault, as `Emulator.fail` returns it.

    Attributes:
        status: status of the response; `None` if the fault keeps the normal status and body.
        remaining: how many more requests it affects; `None` means no limit.
        until: when it ends, in Unix seconds of the emulator's clock; `None` means never.
        path: the path or pattern that it is limited to, or `None`.
        method: the method that it is limited to, or `None`.
        name: what it does, in a few words.
        change: returns the changed normal response.
        hits: how many requests it affected.
    """

    status: int | None
    remaining: int | None
    until: float | None
    path: str | None
    method: str | None
    body: bytes | None
    headers: HeaderChanges
    delay: float
    hang: bool
    close: bool
    truncate: int | None
    content_length: int | None
    slow: float
    name: str
    change: Change | None = None
    hits: int = field(default=0)

    def cancel(self) -> None:
        """Ends the fault: it affects no more requests."""
        self.remaining = 0

    def matches(self, method: str, path: str) -> bool:
        """Returns whether the fault applies to requests of this method and path."""
        if self.method is not None and self.method != method:
            return False
        if self.path is None or self.path == path:
            return True
        return path.startswith(self.path.rstrip("/") + "/") or fnmatchcase(path, self.path)

    def make_response(self, path: str) -> Response | None:
        """Makes the response to send instead of the normal one; `None` if the normal response is sent."""
        if self.status is None:
            return None
        if self.body is None:
            return make_failure(path, self.status)
        is_json = self.body.lstrip().startswith((b"{", b"["))
        return Response(self.status, self.body, [("Content-Type", JSON_TYPE if is_json else TEXT_TYPE)])


class FaultQueue:
    """The pending faults, in the order in which they were added. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def fail(
        self,
        status: int | None = None,
        *,
        preset: str | None = None,
        times: int | None = None,
        seconds: float | None = None,
        until: float | datetime | str | None = None,
        path: str | None = None,
        method: str | None = None,
        body: str | bytes | Mapping[str, Json] | list[Json] | None = None,
        headers: HeaderChanges | None = None,
        retry_after: int | str | None = None,
        redirect: str | None = None,
        delay: float = 0.0,
        hang: bool = False,
        close: bool = False,
        truncate: int | None = None,
        content_length: int | None = None,
        slow: float = 0.0,
    ) -> Fault:
        """Makes the next requests fail, and returns the fault. Several arguments apply together.

        Args:
            status: respond with this status (200 to 599), and with the body that the endpoint is known to send.
            preset: respond with one of :data:`PRESETS`, by name. Excludes `status`. Some presets change the normal
                response, and are limited to the path that they are for.
            times: how many requests to affect. Default: 1, or no limit if `seconds` or `until` is set.
            seconds: end after this many seconds of the emulator's clock.
            until: end at this moment of the emulator's clock (Unix seconds, an aware datetime, or ISO 8601).
            path: affect only requests to this path or below it, or to paths that match this pattern with `*`.
            method: affect only requests with this method.
            body: respond with this body, with the status of `status` or `preset`, otherwise 200. Mappings and lists
                are sent as JSON.
            headers: set these header fields. `None` removes a field, also `Server`, `Date` and `Content-Type`.
            retry_after: value of the `Retry-After` header, in seconds or any text.
            redirect: respond with 302 (or `status`) and this `Location`.
            delay: seconds of the emulator's clock before the response. `Clock.advance` shortens the wait.
            hang: never respond, and keep the connection open.
            close: close the connection without a response.
            truncate: close the connection after this many bytes of the body. `Content-Length` is the full length,
                unless `content_length` is set.
            content_length: send this `Content-Length`, and close the connection after the body.
            slow: seconds of the emulator's clock between two bytes of the body.

        Raises:
            ValueError: arguments that exclude each other, an unknown preset, or a value out of range.
        """
        for name, text in (("path", path), ("method", method), ("redirect", redirect)):
            if not isinstance(text, str | None):
                raise ValueError(f"{name} must be a text, got {text!r}")
        if not isinstance(body, str | bytes | Mapping | list | None):
            raise ValueError(f"body must be a text, bytes, a mapping or a list, got {body!r}")
        known = _find_preset(preset, status)
        if redirect is not None:
            status = 302 if status is None else status
        elif known is not None:
            status = known.status
        if status is None and body is not None:
            status = 200
        changes: dict[str, str | None] = dict(known.headers) if known else {}
        change = known.change if known and status is None else None
        if redirect is not None:
            changes["Location"] = redirect
        if retry_after is not None:
            changes["Retry-After"] = str(retry_after)
        if not isinstance(headers, Mapping | None):
            raise ValueError(
                f"headers must be a mapping of names to texts, for example {{'X-Id': '1'}}, got {headers!r}"
            )
        changes.update(headers or {})
        if status is not None and (not isinstance(status, int) or not 200 <= status <= 599):
            raise ValueError(f"status must be a number from 200 to 599, for example 503, got {status!r}")
        has_effect = status is not None or changes or change or delay or hang or close or slow
        if not has_effect and truncate is None and content_length is None:
            raise ValueError("fail needs a status, a preset or another fault, for example fail(503) or fail(delay=5)")
        for name, count in (("times", times), ("truncate", truncate), ("content_length", content_length)):
            if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 0):
                raise ValueError(f"{name} must be a whole number of 0 or more, for example 3, got {count!r}")
        for name, span in (("seconds", seconds), ("delay", delay), ("slow", slow)):
            if span is not None:
                check_seconds(name, span)
        if seconds is not None and until is not None:
            raise ValueError("seconds and until exclude each other: pass one of them")
        for name, value in changes.items():
            if not isinstance(value, str | None):
                raise ValueError(f"headers: {name!r} must be a text, or None to remove the header, got {value!r}")
            if any(ord(char) < 32 or ord(char) > 255 for char in name + (value or "")):
                raise ValueError(f"headers: {name!r} contains characters that a header cannot contain")
        end = None if until is None else to_unix_seconds("until", until)
        if seconds is not None:
            end = self._clock.time() + seconds
        content: bytes | None = None
        if body is not None:
            content = _encode_body(body)
        elif known is not None:
            content = known.body
        elif redirect is not None:
            content = b""
        fault = Fault(
            status=status,
            remaining=1 if times is None and end is None else times,
            until=end,
            path=known.path if known and path is None else path,
            method=method.upper() if method else None,
            body=content,
            headers=changes,
            delay=delay,
            hang=hang,
            close=close,
            truncate=truncate,
            content_length=content_length,
            slow=slow,
            name=_describe(status, preset, delay, hang, close, truncate, content_length, slow),
            change=change,
        )
        with self._lock:
            self._faults.append(fault)
        return fault

    def apply_next(self, method: str, path: str) -> Fault | None:
        """Returns the first fault that applies to this request, and counts the request; `None` if there is none."""
        if not self._faults:
            return None
        with self._lock:
            self._remove_finished()
            for fault in self._faults:
                if fault.matches(method, path):
                    fault.hits += 1
                    if fault.remaining is not None:
                        fault.remaining -= 1
                    return fault
        return None

    def clear(self) -> None:
        """Removes all faults."""
        with self._lock:
            for fault in self._faults:
                fault.cancel()
            self._faults.clear()

    @property
    def pending(self) -> tuple[Fault, ...]:
        """The faults that can still affect requests."""
        with self._lock:
            self._remove_finished()
            return tuple(self._faults)

    def _remove_finished(self) -> None:
        now = self._clock.time()
        self._faults = [
            fault for fault in self._faults if fault.remaining != 0 and (fault.until is None or now < fault.until)
        ]


def _find_preset(name: str | None, status: int | None) -> Preset | None:
    if name is None:
        return None
    if status is not None:
        raise ValueError("status and preset exclude each other: pass one of them")
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {name!r}")
    return PRESETS[name]


def _encode_body(body: str | bytes | Mapping[str, Json] | list[Json]) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else encode_json(body)


def _describe(
    status: int | None,
    preset: str | None,
    delay: float,
    hang: bool,
    close: bool,
    truncate: int | None,
    content_length: int | None,
    slow: float,
) -> str:
    parts = [
        preset or (str(status) if status is not None else ""),
        f"delay {delay:g} s" if delay else "",
        "hang" if hang else "",
        "close" if close else "",
        f"truncated to {truncate} bytes" if truncate is not None else "",
        f"Content-Length {content_length}" if content_length is not None else "",
        f"{slow:g} s per byte" if slow else "",
    ]
    return ", ".join(part for part in parts if part) or "headers"
