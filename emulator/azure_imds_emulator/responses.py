"""Responses of the service: success bodies, and its error bodies byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from .machine import Json
from .versions import NEWEST

JSON_TYPE = "application/json; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"

#: The `Server` header of the web server in front of IMDS.
FRONT_END = "Microsoft-IIS/10.0"


@dataclass(slots=True)
class Response:
    """One HTTP response, before the server adds `Server`, `Date` and `Content-Length`.

    Attributes:
        delay: seconds on the emulator's clock before the response is sent.
        build_after_delay: builds the response to send after the delay. Default: this response is sent.
    """

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    delay: float = 0.0
    build_after_delay: Callable[[], Response] | None = None

    def __repr__(self) -> str:
        # Without the body, which can contain a token.
        return f"<Response {self.status}, {len(self.body)} bytes>"


def encode_json(value: Json) -> bytes:
    """Returns JSON without white space, as the service sends it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def make_json(value: Json, status: int = 200) -> Response:
    """Makes a response with a JSON body. The keys stay in the given order."""
    return Response(status, encode_json(value), [("Content-Type", JSON_TYPE)])


def make_text(text: str) -> Response:
    """Makes a success with a body in text form."""
    return Response(200, text.encode(), [("Content-Type", TEXT_TYPE)])


def make_error(status: int, message: str) -> Response:
    """Makes an error in the format of all endpoints except identity."""
    return make_json({"error": message}, status)


def make_identity_error(status: int, code: str, description: str) -> Response:
    """Makes an error in the format of the identity endpoints."""
    return make_json({"error": code, "error_description": description}, status)


BAD_API_VERSION = (
    "Bad request. api-version is invalid or was not specified in the request."
    " For more information refer to aka.ms/azureimds"
)


def make_bad_api_version() -> Response:
    """Makes the error for a missing or unknown api-version, with the three newest versions."""
    return make_json({"error": BAD_API_VERSION, "newest-versions": list(NEWEST)}, 400)


def make_unknown_node() -> Response:
    """Makes the 404 for a sub-path of /instance. A live host sent these spaces inside the braces."""
    return Response(404, b'{ "error": "Not found" }', [("Content-Type", JSON_TYPE)])


def make_missing_header() -> Response:
    """Makes the 400 of /instance for a missing or wrong `Metadata` header, as a live host sent it."""
    body = b'{ "error": "Bad request: . Required metadata header not specified" }'
    return Response(400, body, [("Content-Type", JSON_TYPE)])


def make_leaf_as_json() -> Response:
    """Makes the 400 of /instance for a scalar in JSON form, as a live host sent it."""
    return Response(400, b'{ "error": "Bad request" }', [("Content-Type", JSON_TYPE)])


def make_front_end_not_found() -> Response:
    """Makes the 404 of the web server in front of IMDS, which answers all paths outside /metadata.

    Only its `Server` header was observed.
    """
    return Response(404, b"", [("Server", FRONT_END)])


def make_unknown_path() -> Response:
    """Makes the 404 for a path that no endpoint has. A live host sent it with this capital F."""
    return make_error(404, "Not Found")


_MESSAGES = {
    400: "Bad request",
    403: "Forbidden",
    404: "Not found",
    405: "Not allowed",
    410: "Gone",
    429: "Too many requests",
    500: "Server error",
    503: "Service unavailable",
}

_IDENTITY_MESSAGES = {
    400: ("invalid_request", "Bad request"),
    401: ("unauthorized_client", "Missing Basic Authorization header"),
    403: ("forbidden", "Forbidden"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Not allowed"),
    410: ("gone", "Gone"),
    # Observed on live hosts. The example in the specification has the code too_many_requests instead.
    429: ("invalid_request", "Temporarily throttled, too many requests"),
    500: ("server_error", "Server error"),
    503: ("service_unavailable", "Service unavailable"),
}


def make_failure(path: str, status: int) -> Response:
    """Makes the error that the endpoint at this path is known to send with this status.

    For an unknown combination, the message is the reason phrase of the status.
    """
    if is_identity(path):
        if status in _IDENTITY_MESSAGES:
            return make_identity_error(status, *_IDENTITY_MESSAGES[status])
        phrase = get_reason_phrase(status)
        return make_identity_error(status, phrase.lower().replace(" ", "_"), phrase)
    if is_load_balancer(path) and status == 503:
        return make_error(503, "Internal service unavailable. Retry later")
    return make_error(status, _MESSAGES.get(status) or get_reason_phrase(status))


def get_reason_phrase(status: int) -> str:
    """Returns the reason phrase of a status; `Unknown` if HTTP defines none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def is_identity(path: str) -> bool:
    """Whether the path has identity's error format and rate limits."""
    return path.startswith("/metadata/identity/")


def is_load_balancer(path: str) -> bool:
    """Whether the path belongs to the load balancer endpoint, which has error messages of its own."""
    return path == "/metadata/loadbalancer" or path.startswith("/metadata/loadbalancer/")
