"""Faults: responses that fail on purpose."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from .clock import Clock, Moment, check_interval, check_seconds, choose_start, to_unix_seconds
from .header_text import is_header_name, is_header_value
from .json_text import describe_surrogate
from .machine import Json
from .presets import PRESETS, Change, HeaderChanges, find_preset
from .responses import JSON_TYPE, TEXT_TYPE, Response, encode_json


@dataclass(slots=True, eq=False)
class Fault:
    """A fault, as `Emulator.fail` returns it. Times are Unix seconds of the emulator's clock.

    Attributes:
        status: status of the response; `None` if the fault keeps the normal status and body.
        times: how many requests it affects each time that it begins; `None` means no limit.
        remaining: how many more requests it affects; `None` means no limit.
        at: when it begins, or began.
        until: when it ends; `None` means never.
        every: seconds after which it begins again; `None` if it does not repeat.
        path: the path or pattern that it is limited to, or `None`.
        method: the method that it is limited to, or `None`.
        name: what it does, in a few words.
        change: returns the changed normal response.
        hits: how many requests it affected.
    """

    status: int | None
    times: int | None
    at: float
    until: float | None
    every: float | None
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
    preset: str | None = None
    change: Change | None = None
    hits: int = 0
    remaining: int | None = field(init=False)

    def __post_init__(self) -> None:
        self.remaining = self.times

    def cancel(self) -> None:
        """Ends the fault: it affects no more requests."""
        self.remaining, self.every = 0, None

    def is_over(self, now: float) -> bool:
        """Whether the fault cannot affect requests from now on."""
        return self.every is None and (self.remaining == 0 or (self.until is not None and self.until <= now))

    def repeat(self, now: float) -> None:
        """Makes a fault that repeats begin again, if that is due."""
        if self.every is not None and now - self.at >= self.every:
            passed = (now - self.at) // self.every * self.every
            self.at += passed
            self.until = None if self.until is None else self.until + passed
            self.remaining = self.times

    def is_active(self, now: float) -> bool:
        """Whether the fault can affect a request now."""
        return self.at <= now and self.remaining != 0 and (self.until is None or now < self.until)

    def matches(self, method: str, path: str) -> bool:
        """Returns whether the fault applies to requests of this method and path."""
        if self.method is not None and self.method != method:
            return False
        if self.path is None or self.path == path:
            return True
        return path.startswith(self.path.rstrip("/") + "/") or fnmatchcase(path, self.path)

    def make_response(self, path: str, make_failure: Callable[[str, int], Response]) -> Response | None:
        """Makes the response to send instead of the normal one; `None` if the normal response is sent.

        Args:
            make_failure: makes the error that the endpoint at a path is known to send with a status.
        """
        if self.status is None:
            return None
        if self.body is None:
            return make_failure(path, self.status)
        is_json = self.body.lstrip().startswith((b"{", b"["))
        return Response(self.status, self.body, [("Content-Type", JSON_TYPE if is_json else TEXT_TYPE)])

    def to_dict(self) -> dict[str, Json]:
        """Returns the fault in JSON. `POST /api/faults` accepts it."""
        return {
            "what": self.name,
            "hits": self.hits,
            "remaining": self.remaining,
            "at": self.at,
            "until": self.until,
            **self._describe_effect(),
        }

    def to_arguments(self, now: float) -> dict[str, Json]:
        """Returns the arguments of `fail` that add this fault to another emulator, with times relative to now."""
        arguments = self._describe_effect() | {"after": max(self.at - now, 0.0) or None}
        if self.until is not None:
            begin = self.at if self.every is not None else max(self.at, now)
            arguments["seconds"] = self.until - begin
        if self.every is None:
            arguments["times"] = self.remaining
        return {name: value for name, value in arguments.items() if value is not None}

    def _describe_effect(self) -> dict[str, Json]:
        """Returns the arguments of `fail` without those about the time."""
        known = PRESETS.get(self.preset or "")
        is_preset = known is not None and known.status == self.status
        effect: dict[str, Json] = {
            "preset" if is_preset else "status": self.preset if is_preset else self.status,
            "times": self.times,
            "every": self.every,
            "path": self.path,
            "method": self.method,
            "headers": dict(self.headers),
            "delay": self.delay,
            "hang": self.hang,
            "close": self.close,
            "truncate": self.truncate,
            "content_length": self.content_length,
            "slow": self.slow,
        }
        if self.body is not None and not (is_preset and known and known.body == self.body):
            try:
                effect["body"] = self.body.decode()
            except UnicodeDecodeError:
                effect["body_base64"] = base64.b64encode(self.body).decode()
        return {name: value for name, value in effect.items() if name not in _NO_EFFECT or value != _NO_EFFECT[name]}


#: Values of arguments that change nothing, which descriptions omit.
_NO_EFFECT: Mapping[str, Json] = {"headers": {}, "delay": 0.0, "hang": False, "close": False, "slow": 0.0}


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
        after: float | None = None,
        at: Moment | None = None,
        seconds: float | None = None,
        until: Moment | None = None,
        every: float | None = None,
        path: str | None = None,
        method: str | None = None,
        body: str | bytes | Mapping[str, Json] | list[Json] | None = None,
        body_base64: str | None = None,
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

        Moments are Unix seconds, aware datetimes or ISO 8601 texts, on the emulator's clock.

        Args:
            status: respond with this status (200 to 599), and with the body that the endpoint is known to send.
            preset: respond with one of :data:`PRESETS`, by name. Excludes `status`. Some presets change the normal
                response, and are limited to the path that they are for.
            times: how many requests to affect. Default: 1, or no limit if `seconds` or `until` is set.
            after: seconds until the fault begins. Default: 0.
            at: moment when the fault begins, instead of `after`.
            seconds: how long it lasts, in seconds.
            until: moment when it ends, instead of `seconds`.
            every: begin again after this many seconds, again and again, with `times` and `seconds` as before.
            path: affect only requests to this path or below it, or to paths that match this pattern with `*`.
            method: affect only requests with this method.
            body: respond with this body, with the status of `status` or `preset`, otherwise 200. Mappings and lists
                are sent as JSON.
            body_base64: the same for any bytes, in base64, because JSON has no bytes.
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
        for name, text in (("path", path), ("method", method), ("redirect", redirect), ("body_base64", body_base64)):
            if not isinstance(text, str | None):
                raise ValueError(f"{name} must be a text, got {text!r}")
        if not isinstance(body, str | bytes | Mapping | list | None):
            raise ValueError(f"body must be a text, bytes, a mapping or a list, got {body!r}")
        if body_base64 is not None:
            body = _decode_base64(body, body_base64)
        known = find_preset(preset, status)
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
        for name, flag in (("hang", hang), ("close", close)):
            if not isinstance(flag, bool):
                raise ValueError(f"{name} must be true or false, got {flag!r}")
        if seconds is not None and until is not None:
            raise ValueError("seconds and until exclude each other: pass one of them")
        for name, value in changes.items():
            if not isinstance(value, str | None):
                raise ValueError(f"headers: {name!r} must be a text, or None to remove the header, got {value!r}")
            if not is_header_name(name) or not is_header_value(value or ""):
                raise ValueError(f"headers: {name!r} contains characters that a header cannot contain")
        begin = choose_start(self._clock.time(), after, at)
        end = None if until is None else to_unix_seconds("until", until)
        if seconds is not None:
            end = begin + seconds
        if every is not None:
            check_interval(every, 0.0 if end is None else end - begin)
        content: bytes | None = None
        if body is not None:
            content = _encode_body(body)
        elif known is not None:
            content = known.body
        elif redirect is not None:
            content = b""
        fault = Fault(
            status=status,
            times=1 if times is None and end is None else times,
            at=begin,
            until=end,
            every=every,
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
            preset=preset,
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
            now = self._clock.time()
            self._update(now)
            for fault in self._faults:
                if fault.is_active(now) and fault.matches(method, path):
                    fault.hits += 1
                    if fault.remaining is not None:
                        fault.remaining -= 1
                    return fault
        return None

    def take_from(self, other: FaultQueue) -> None:
        """Replaces all faults by those of another queue."""
        with self._lock:
            self._faults = list(other.pending)

    def clear(self) -> None:
        """Removes all faults."""
        with self._lock:
            for fault in self._faults:
                fault.cancel()
            self._faults.clear()

    @property
    def pending(self) -> tuple[Fault, ...]:
        """The faults that can still affect requests, now or later."""
        with self._lock:
            self._update(self._clock.time())
            return tuple(self._faults)

    def _update(self, now: float) -> None:
        self._faults = [fault for fault in self._faults if not fault.is_over(now)]
        for fault in self._faults:
            fault.repeat(now)


def _encode_body(body: str | bytes | Mapping[str, Json] | list[Json]) -> bytes:
    if isinstance(body, bytes):
        return body
    try:
        return body.encode() if isinstance(body, str) else encode_json(body)
    except UnicodeEncodeError as error:
        raise ValueError(f"body: {describe_surrogate(error)}") from None


def _decode_base64(body: object, text: str) -> bytes:
    if body is not None:
        raise ValueError("body and body_base64 exclude each other: pass one of them")
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise ValueError(f"body_base64 must be base64, for example 'AP8=', got {text!r}") from None


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
