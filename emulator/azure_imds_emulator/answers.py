"""What the service says: success bodies, and its error bodies word for word."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from .machine import Json
from .versions import NEWEST

JSON_TYPE = "application/json; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"


@dataclass(slots=True)
class Answer:
    """One HTTP answer, before the server adds `Server`, `Date` and `Content-Length`.

    Attributes:
        delay: seconds on the emulator's clock that pass before the answer goes out.
        late: makes the answer that goes out once they have passed; without it, this one does.
    """

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    delay: float = 0.0
    late: Callable[[], Answer] | None = None

    def __repr__(self) -> str:
        # Without the body: it may hold a token.
        return f"<Answer {self.status}, {len(self.body)} bytes>"


def compact(value: Json) -> bytes:
    """JSON without any white space, as the service sends it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def ok(value: Json) -> Answer:
    """A success in JSON, keys in the order given."""
    return Answer(200, compact(value), [("Content-Type", JSON_TYPE)])


def ok_text(text: str) -> Answer:
    """A success in text form."""
    return Answer(200, text.encode(), [("Content-Type", TEXT_TYPE)])


def error(status: int, message: str) -> Answer:
    """An error in the envelope of every endpoint but identity."""
    return Answer(status, compact({"error": message}), [("Content-Type", JSON_TYPE)])


def identity_error(status: int, code: str, description: str) -> Answer:
    """An error in identity's envelope."""
    return Answer(status, compact({"error": code, "error_description": description}), [("Content-Type", JSON_TYPE)])


BAD_API_VERSION = (
    "Bad request. api-version is invalid or was not specified in the request."
    " For more information refer to aka.ms/azureimds"
)


def bad_api_version() -> Answer:
    """The refusal of a missing or unknown api-version, which names the three newest."""
    body = {"error": BAD_API_VERSION, "newest-versions": list(NEWEST)}
    return Answer(400, compact(body), [("Content-Type", JSON_TYPE)])


def unknown_node() -> Answer:
    """The 404 of a sub-path of /instance. The spaces inside the braces were observed on a live host."""
    return Answer(404, b'{ "error": "Not found" }', [("Content-Type", JSON_TYPE)])


def unknown_path() -> Answer:
    """The 404 of a path that no endpoint has; note the capital F, as observed."""
    return error(404, "Not Found")


_PLAIN = {
    400: "Bad request",
    403: "Forbidden",
    404: "Not found",
    405: "Not allowed",
    410: "Gone",
    429: "Too many requests",
    500: "Server error",
    503: "Service unavailable",
}

_IDENTITY = {
    400: ("invalid_request", "Bad request"),
    401: ("unauthorized_client", "Missing Basic Authorization header"),
    403: ("forbidden", "Forbidden"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Not allowed"),
    410: ("gone", "Gone"),
    # Observed on live hosts; the specification's example has the code too_many_requests instead.
    429: ("invalid_request", "Temporarily throttled, too many requests"),
    500: ("server_error", "Server error"),
    503: ("service_unavailable", "Service unavailable"),
}


def failure(path: str, status: int) -> Answer:
    """What the endpoint at that path says with that status, as far as it is known; else the status' own phrase."""
    if is_identity(path):
        if status in _IDENTITY:
            return identity_error(status, *_IDENTITY[status])
        return identity_error(status, phrase(status).lower().replace(" ", "_"), phrase(status))
    if is_load_balancer(path) and status == 503:
        return error(503, "Internal service unavailable. Retry later")
    return error(status, _PLAIN.get(status) or phrase(status))


def phrase(status: int) -> str:
    """The reason phrase of a status; `Unknown` where HTTP defines none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def is_identity(path: str) -> bool:
    """Whether the path answers in identity's envelope and counts against identity's limits."""
    return path.startswith("/metadata/identity/")


def is_load_balancer(path: str) -> bool:
    """Whether the path belongs to the load balancer's endpoint, which words its errors in its own way."""
    return path == "/metadata/loadbalancer" or path.startswith("/metadata/loadbalancer/")
