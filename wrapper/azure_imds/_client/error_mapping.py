"""Turns an answer or a failure into the right error, in words that help the person who reads it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any, cast

import httpx

from azure_imds_api.api import SECRETS, Operation

from ..errors import (
    BadRequestError,
    ForbiddenError,
    GoneError,
    IdentityNotFoundError,
    ImdsStatusError,
    ImdsTimeoutError,
    ImdsUnavailableError,
    InvalidResourceError,
    MultipleIdentitiesError,
    NotFoundError,
    ServerError,
    ThrottledError,
    UnsupportedApiVersionError,
)
from .retry import TRANSIENT, retry_after_seconds

_BY_STATUS: dict[int, type[ImdsStatusError]] = {
    400: BadRequestError,
    403: ForbiddenError,
    404: NotFoundError,
    410: GoneError,
    429: ThrottledError,
}

_PROXY = "This looks like a proxy or gateway, not IMDS. Requests to IMDS must not go through one."
_DOCKER = "Docker Desktop answers so on a machine outside Azure."
_REDIRECT = "IMDS never redirects, so something else answered."

_HINTS: dict[type[ImdsStatusError], str] = {
    IdentityNotFoundError: "Assign a managed identity to this machine, or name one that it has; a new assignment "
    "takes some minutes to arrive.",
    MultipleIdentitiesError: "Name one of them by client_id, object_id or msi_res_id (resource id).",
    InvalidResourceError: "Check the resource: its spelling, a trailing slash, and that the tenant knows it. "
    "It is a resource, not a scope: no /.default at its end.",
    NotFoundError: "Check the path. If the machine is starting or IMDS is being updated, it may be there in a minute.",
    GoneError: "IMDS is being updated and returns within 70 seconds.",
    ThrottledError: "Ask less often: share one client or credential. One machine has 5 requests a second, and for "
    "identity 20 a second and 5 at once.",
}


def status_error(
    operation: Operation[Any], response: httpx.Response, *, sent_id: str, now: float, **facts: Any
) -> ImdsStatusError | ImdsUnavailableError:
    """The error for an answer that is not a success. `now` is in Unix seconds, for a Retry-After date."""
    status = response.status_code
    error, description, newest = _envelope(response)
    if status == 403 and b"unreachable" in response.content:
        message = f"{operation.id}: no IMDS here: a container engine answered 403 in its place {where(facts)}"
        return ImdsUnavailableError(f"{message}. {_DOCKER}", hint=_DOCKER, **facts)
    kind = _kind(status, error, description, newest)
    special: dict[str, Any] = {}
    if kind is UnsupportedApiVersionError:
        special["newest_versions"] = newest
    if kind is ThrottledError:
        special["retry_after"] = retry_after_seconds(response.headers.get("retry-after"), now)
    hint = _hint(kind, response, newest, error, description)
    if hint == _HINTS.get(kind, ""):  # nothing special about this answer, so the specification's words come first
        hint = operation.hints.get(status, hint)
    said = ": ".join(_short(text) for text in (error, description) if text)
    message = f"{operation.id}: IMDS answered {status}{' ' + said if said else ' with no explanation'} {where(facts)}"
    return kind(
        f"{message}. {hint}" if hint else message,
        status_code=status,
        error=error,
        error_description=description,
        request_id=response.headers.get("x-ms-request-id", sent_id),
        details=_details(operation, response),
        response=response,
        retryable=status in TRANSIENT or status >= 500 or status in operation.retry_statuses,
        hint=hint,
        **special,
        **facts,
    )


def transport_error(operation: Operation[Any], error: Exception, deadline: float, **facts: Any) -> ImdsUnavailableError:
    """The error for a request that got no answer."""
    reason = _reason(error)
    if isinstance(error, (httpx.TimeoutException, TimeoutError)):
        if isinstance(error, httpx.ConnectTimeout):
            hint = (
                "Nothing came back at all: not an Azure machine, a route for 169.254.0.0/16 that leaves by another "
                "interface than the primary one, or a cluster (AKS) that keeps its pods from IMDS."
            )
        else:
            hint = "Something took the connection and stayed silent; look for a proxy or a firewall before IMDS."
        message = f"{operation.id}: no answer in time {where(facts)}. {hint}"
        return ImdsTimeoutError(message, deadline=deadline, retryable=True, hint=hint, **facts)
    if isinstance(error, httpx.ConnectError):
        hint = "Is this an Azure machine, and is the endpoint right?"
    elif isinstance(error, (httpx.InvalidURL, UnicodeError)) or "location header" in str(error):
        # httpx reads the address even of a redirect that is not followed, and then keeps the answer to itself.
        message = f"{operation.id}: a redirect to no valid address answered in IMDS's place {where(facts)}. {_REDIRECT}"
        return ImdsUnavailableError(message, hint=_REDIRECT, **facts)
    elif isinstance(error, httpx.RemoteProtocolError):
        hint = "The other side closed the connection or does not speak HTTP; it may be restarting, or not be IMDS."
    else:
        hint = ""
    message = f"{operation.id}: cannot reach IMDS: {reason} {where(facts)}"
    return ImdsUnavailableError(f"{message}. {hint}" if hint else message, retryable=True, hint=hint, **facts)


def hint_for_stranger(response: httpx.Response) -> str:
    """What to do about a web page in IMDS's place; "" where the answer is none."""
    return _PROXY if _is_html(response) else ""


#: A secret member of JSON, a form or XML; and what a JWT may be part of. Neither looks at a byte over and over again.
_SECRET = rb"(%s)[\"']?\s*[:=>]" % "|".join(map(re.escape, SECRETS)).encode()
_WORD = rb"[\w.-]+"


def tells(content: bytes, key: bytes) -> bool:
    """Whether a part of an answer that is no success holds a secret all the same: then nobody is to see it."""
    # In UTF-16 and UTF-32, which JSON may be in, at least every other byte is NUL; and JSON may escape any letter.
    plain = content.replace(b"\0", b"")
    if b"\\u00" in plain:
        plain = re.sub(rb"\\u00([0-7][0-9A-Fa-f])", lambda match: bytes([int(match[1], 16)]), plain)
    return (
        re.search(_SECRET, plain) is not None
        or (key != b"" and key in plain)
        or (b"eyJ" in plain and any(b"." in word.partition(b"eyJ")[2] for word in re.findall(_WORD, plain)))
    )


def speaks_imds(error: ImdsStatusError) -> bool:
    """Whether an error answer can have come from IMDS, rather than from a proxy or some other web server."""
    return error.status_code >= 400 and error.status_code != 407 and not _is_html(error.response)


def where(facts: dict[str, Any]) -> str:
    attempts = facts["attempts"]
    url = facts["url"].partition("?")[0]
    return f"({url}, {attempts} attempt{'s' if attempts != 1 else ''}, {facts['elapsed']:.2f} s)"


def _reason(error: Exception) -> str:
    """What the operating system said, else what httpx did: the same words whichever network library is below."""
    if isinstance(error, httpx.ProtocolError):
        # The rest quotes what was on the wire: a piece of a token, or a header.
        match = re.match(r"[A-Za-z ,-]+", str(error))
        return match[0].strip() if match else type(error).__name__
    for one in _causes(error):
        if isinstance(one, OSError) and one.errno is not None and one.strerror:
            # Negative numbers are the resolver's own; asyncio puts other words to the operating system's.
            return os.strerror(one.errno) if one.errno > 0 else one.strerror
    return _short(str(error)) or type(error).__name__


def _causes(error: Any) -> Iterator[BaseException]:
    while error is not None:
        yield error
        # `exceptions` is of a group: several addresses of one name were tried.
        error = next(iter(getattr(error, "exceptions", ())), None) or error.__cause__ or error.__context__


def _kind(status: int, error: str | None, description: str | None, newest: tuple[str, ...]) -> type[ImdsStatusError]:
    if status == 400:
        if newest:
            return UnsupportedApiVersionError
        if error == "invalid_resource":
            return InvalidResourceError
        # Both come as invalid_request; only the text tells them apart. (Bodies observed on live hosts.)
        text = (description or "").lower()
        if "identity not found" in text:
            return IdentityNotFoundError
        if "multiple user assigned identities" in text:
            return MultipleIdentitiesError
    if status >= 500:
        return ServerError
    return _BY_STATUS.get(status, ImdsStatusError)


def _hint(
    kind: type[ImdsStatusError],
    response: httpx.Response,
    newest: tuple[str, ...],
    error: str | None,
    description: str | None,
) -> str:
    status = response.status_code
    if newest:
        return f"This host's newest versions are {_short(', '.join(newest))}."
    if 300 <= status < 400:
        return f"{_REDIRECT} The redirect was not followed."
    if status == 407 or _is_html(response) or status in (502, 504):
        return _PROXY
    if status == 403 and not response.content:
        return "The Guest Proxy Agent (Metadata Security Protocol) does not let this process ask; see its rules."
    if "metadata header" in f"{error} {description}".lower():
        return "The header Metadata: true was sent, so something on the way removed it."
    if status == 401:
        return "IMDS asks for no credentials; on Azure Arc the answer would name a key file."
    plain = response.headers.get("content-type", "").startswith("text/plain")
    if kind is ServerError and "IMDS" not in response.headers.get("server", "" if plain else "IMDS"):
        return "Something other than IMDS answered: the host's front end while IMDS restarts, or an interceptor."
    return _HINTS.get(kind, "")


def _envelope(response: httpx.Response) -> tuple[str | None, str | None, tuple[str, ...]]:
    """IMDS's `error`, `error_description` and `newest-versions`, whatever the body is."""
    body = _object(response)
    if body is None:
        text = "" if _is_html(response) else _short(text_of(response))
        return text or None, None, ()
    # Early versions of Microsoft's own specification had code and message.
    error, description = body.get("error", body.get("code")), body.get("error_description", body.get("message"))
    if isinstance(error, dict):  # Cloud Shell's envelope
        nested = cast(dict[str, Any], error)
        error, description = nested.get("code"), nested.get("message")
    newest: Any = body.get("newest-versions")
    versions: tuple[str, ...] = ()
    if isinstance(newest, list):
        versions = tuple(v for v in list[Any](newest) if isinstance(v, str))  # pyright: ignore[reportUnknownArgumentType]
    return _text(error), _text(description), versions


def _object(response: httpx.Response) -> dict[str, Any] | None:
    try:
        parsed: Any = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return cast(dict[str, Any], parsed) if isinstance(parsed, dict) else None


def _text(value: object) -> str | None:
    try:
        return None if value is None else value if isinstance(value, str) else json.dumps(value)
    except RecursionError:
        return None


def _details(operation: Operation[Any], response: httpx.Response) -> Any:
    try:
        return operation.parse(client=_SILENT, response=response) if _object(response) is not None else None
    except Exception:  # an error body may be anything
        return None


class _Silent:
    raise_on_unexpected_status = False


_SILENT = _Silent()


def _is_html(response: httpx.Response | None) -> bool:
    return response is not None and (
        "html" in response.headers.get("content-type", "") or response.content.lstrip()[:1] == b"<"
    )


def text_of(response: httpx.Response) -> str:
    """The body as text, whatever the answer says about its charset: Python has some that are none, such as hex."""
    try:
        return response.text
    except Exception:
        return response.content.decode("utf-8", "replace")


def _short(text: str) -> str:
    """One printable line of at most 300 characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[:2000]).split())
    return line if len(line) <= 300 else line[:299] + "…"
