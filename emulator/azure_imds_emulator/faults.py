"""Answers gone wrong on purpose."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase

from .answers import BAD_API_VERSION, JSON_TYPE, TEXT_TYPE, Answer, compact, failure
from .clock import Clock, unix_seconds
from .machine import Json

HeaderChanges = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Preset:
    """A failure as it was documented or observed in the field."""

    status: int
    body: bytes
    headers: HeaderChanges


def _json_preset(status: int, body: Json) -> Preset:
    return Preset(status, compact(body), {"Content-Type": JSON_TYPE})


#: Failures that come from around the service, or that it words in more than one way.
PRESETS: Mapping[str, Preset] = {
    # The host's front end answers while IMDS restarts behind it.
    "imds-restarting": Preset(500, b"", {"Content-Type": TEXT_TYPE, "Server": "Microsoft-IIS/10.0"}),
    # A container on Docker Desktop: its proxy answers, and there is no IMDS behind it.
    "docker-desktop": Preset(
        403,
        b"connecting to 169.254.169.254:80: connecting to 169.254.169.254:80: dial tcp 169.254.169.254:80:"
        b" connectex: A socket operation was attempted to an unreachable network.",
        {"Content-Type": "text/plain", "Server": None},
    ),
    # The guest proxy agent in Enforce mode does not let the caller through.
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
    # The deprecated pod identity of AKS stands in the way.
    "pod-identity-nmi": Preset(500, b"pod list is empty", {"Content-Type": TEXT_TYPE, "Server": None}),
    "token-failure": _json_preset(
        500,
        {
            "error": "unknown",
            "error_description": "Failed to retrieve token from the Active directory."
            " For details see logs in <file path>",
        },
    ),
    # The retired extension on port 50342.
    "legacy-missing-header": _json_preset(
        400, {"error": "bad_request_102", "error_description": "Required metadata header not specified"}
    ),
    # The specification's example of a 429, where live hosts say something else.
    "throttled-spec": _json_preset(429, {"error": "too_many_requests", "error_description": "Too many requests"}),
    # How hosts of 2020 worded a missing api-version.
    "older-api-version": _json_preset(
        400,
        {
            "error": BAD_API_VERSION.replace("is invalid or was", "was"),
            "newest-versions": ["2020-10-01", "2020-09-01", "2020-07-15"],
        },
    ),
    "load-balancer-not-provisioned": _json_preset(
        404, {"error": "Load Balancer metadata API isn't available right now. Retry later"}
    ),
}


@dataclass(slots=True, eq=False)
class Fault:
    """A failure to come, as `FaultBook.fail` made it.

    Attributes:
        status: of the answer; `None` leaves the answer itself as it would be.
        remaining: how many more requests it hits; `None`: no limit.
        until: Unix seconds on the emulator's clock at which it ends; `None`: never.
        hits: how many requests it hit.
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
    hits: int = field(default=0)

    def cancel(self) -> None:
        """Hit no further request."""
        self.remaining = 0

    def matches(self, method: str, path: str) -> bool:
        """Whether a request of that method and path is meant."""
        if self.method is not None and self.method != method:
            return False
        if self.path is None or self.path == path:
            return True
        return path.startswith(self.path.rstrip("/") + "/") or fnmatchcase(path, self.path)

    def answer(self, path: str) -> Answer | None:
        """The answer to give instead of the service's; `None` where the service shall answer."""
        if self.status is None:
            return None
        if self.body is None:
            return failure(path, self.status)
        textual = not self.body.lstrip().startswith((b"{", b"["))
        return Answer(self.status, self.body, [("Content-Type", TEXT_TYPE if textual else JSON_TYPE)])


class FaultBook:
    """The failures to come, in the order they were asked for. Safe to use from any thread."""

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
        """Let the next requests fail. What is given together happens together.

        Args:
            status: answer with this status (200 to 599), and the body that the endpoint is known to give with it.
            preset: one of :data:`PRESETS` by name, instead of a status.
            times: how many requests to hit; default 1, and without limit if an end is given by time.
            seconds: end after so many seconds on the emulator's clock.
            until: end at this moment (Unix seconds, an aware datetime, or ISO 8601) on the emulator's clock.
            path: only requests to this path, below it, or matching it as a pattern with `*`.
            method: only requests of this method.
            body: answer with this body; with `status` or `preset`, or else with status 200. Mappings and lists
                become JSON.
            headers: set these header fields; `None` removes a field, also `Server`, `Date`, `Content-Type`.
            retry_after: the header `Retry-After`, seconds or any text.
            redirect: answer with 302 (or `status`) and this `Location`.
            delay: seconds on the emulator's clock before the answer; turning the clock shortens the wait.
            hang: never answer, and keep the connection open.
            close: close the connection without an answer.
            truncate: stop after so many bytes of the body and close; `Content-Length` announces the whole, unless
                `content_length` says otherwise.
            content_length: announce this length whatever the body has, and close after the body.
            slow: seconds on the emulator's clock between two bytes of the body.

        Raises:
            ValueError: a contradiction, an unknown preset, or a number out of range.
        """
        for name, text in (("path", path), ("method", method), ("redirect", redirect)):
            if not isinstance(text, str | None):
                raise ValueError(f"{name} is a text, not {text!r}")
        if not isinstance(body, str | bytes | Mapping | list | None):
            raise ValueError(f"body is text, bytes, a mapping or a list, not {body!r}")
        given = _preset(preset, status)
        if redirect is not None:
            status = 302 if status is None else status
        elif given is not None:
            status = given.status
        elif status is None and body is not None:
            status = 200
        changes: dict[str, str | None] = dict(given.headers) if given else {}
        if redirect is not None:
            changes["Location"] = redirect
        if retry_after is not None:
            changes["Retry-After"] = str(retry_after)
        if not isinstance(headers, Mapping | None):
            raise ValueError(f"headers is a mapping of names to texts, not {headers!r}")
        changes.update(headers or {})
        if status is not None and (not isinstance(status, int) or not 200 <= status <= 599):
            raise ValueError(f"status is a number from 200 to 599, not {status!r}")
        nothing = not (changes or delay or hang or close or slow)
        if status is None and nothing and truncate is None and content_length is None:
            raise ValueError("say what should go wrong: a status, a preset, or one of the other faults")
        for name, count in (("times", times), ("truncate", truncate), ("content_length", content_length)):
            if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 0):
                raise ValueError(f"{name} is a whole number that is zero or more, not {count!r}")
        for name, span in (("seconds", seconds), ("delay", delay), ("slow", slow)):
            if span is not None and not 0 <= span < float("inf"):
                raise ValueError(f"{name} is a number of seconds that is zero or more, not {span!r}")
        if seconds is not None and until is not None:
            raise ValueError("give either seconds or until, not both")
        for name, value in changes.items():
            if not isinstance(value, str | None):
                raise ValueError(f"the header {name!r} is a text, or None to leave it out, not {value!r}")
            if any(ord(char) < 32 or ord(char) > 255 for char in name + (value or "")):
                raise ValueError(f"the header {name!r} holds characters that no header can hold")
        end = None if until is None else unix_seconds(until)
        if seconds is not None:
            end = self._clock.time() + seconds
        fault = Fault(
            status=status,
            remaining=1 if times is None and end is None else times,
            until=end,
            path=path,
            method=method.upper() if method else None,
            body=_bytes(body) if body is not None else given.body if given else b"" if redirect is not None else None,
            headers=changes,
            delay=delay,
            hang=hang,
            close=close,
            truncate=truncate,
            content_length=content_length,
            slow=slow,
            name=_describe(status, preset, delay, hang, close, truncate, content_length, slow),
        )
        with self._lock:
            self._faults.append(fault)
        return fault

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault that hits such a request now, counted down."""
        if not self._faults:
            return None
        with self._lock:
            self._drop_spent()
            for fault in self._faults:
                if fault.matches(method, path):
                    fault.hits += 1
                    if fault.remaining is not None:
                        fault.remaining -= 1
                    return fault
        return None

    def clear(self) -> None:
        """No more failures."""
        with self._lock:
            for fault in self._faults:
                fault.cancel()
            self._faults.clear()

    @property
    def pending(self) -> tuple[Fault, ...]:
        """The faults that may still hit."""
        with self._lock:
            self._drop_spent()
            return tuple(self._faults)

    def _drop_spent(self) -> None:
        now = self._clock.time()
        self._faults = [
            fault for fault in self._faults if fault.remaining != 0 and (fault.until is None or now < fault.until)
        ]


def _preset(name: str | None, status: int | None) -> Preset | None:
    if name is None:
        return None
    if status is not None:
        raise ValueError("give either a status or a preset, not both")
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}; one of {', '.join(PRESETS)}")
    return PRESETS[name]


def _bytes(body: str | bytes | Mapping[str, Json] | list[Json]) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else compact(body)


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
        f"{slow:g} s a byte" if slow else "",
    ]
    return ", ".join(part for part in parts if part) or "headers"
