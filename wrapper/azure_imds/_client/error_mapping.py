"""Maps a response or a failure to the error that describes it best, with a hint for the person who reads it."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

import httpx

from azure_imds_api.api import ErrorRule, Operation, Server

from .. import errors
from .._interruptions import is_interruption
from ..errors import (
    BadRequestError,
    CallFacts,
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
from .not_imds import describe_other, is_web_page, json_object, shorten, text_of
from .retry import TRANSIENT, retry_after_seconds

E = TypeVar("E", bound=ImdsUnavailableError)

_BY_STATUS: dict[int, type[ImdsStatusError]] = {
    400: BadRequestError,
    403: ForbiddenError,
    404: NotFoundError,
    410: GoneError,
    429: ThrottledError,
}

#: Characters of a response that is not from IMDS, kept for the person who looks for its origin.
LONGEST_RESPONSE_TEXT = 2000

#: How a program selects the identity that AZURE_CLIENT_ID names.
USE_CLIENT_ID = 'client_id=os.environ["AZURE_CLIENT_ID"]'

_REDIRECT = "IMDS never redirects, so something else answered."
_UNTRUSTED = "If a proxy replaces certificates, set SSL_CERT_FILE to a file that contains its certificate authority."

_HINTS: dict[type[ImdsStatusError], str] = {
    IdentityNotFoundError: "Assign a managed identity to this machine, or name one that it has. A new assignment "
    "takes a few minutes to take effect.",
    MultipleIdentitiesError: "Name one of them by client_id, object_id or msi_res_id. IMDS cannot list them. "
    "The Azure portal does, on the Identity page of the machine.",
    InvalidResourceError: "Check the resource: its spelling, a trailing slash, and whether the tenant knows it. "
    "It is a resource and not a scope, so it does not end with /.default.",
    ForbiddenError: "Something between this process and IMDS blocks the request. Check the rules of the Guest Proxy "
    "Agent, and look for a proxy.",
    NotFoundError: "Check the path. If the machine is starting or IMDS is being updated, try again in a minute.",
    GoneError: "IMDS is being updated. It returns within 70 seconds.",
    ThrottledError: "Send fewer requests: share one client or credential. IMDS allows 5 requests per second per "
    "machine, and on identity 20 per second and 5 concurrent ones.",
    ServerError: "Try again in a minute. This usually passes by itself.",
}

#: For responses of other hosts, unless the specification has a hint.
_HINTS_ELSEWHERE: dict[type[ImdsStatusError], str] = {
    InvalidResourceError: _HINTS[InvalidResourceError],
    ThrottledError: "Send fewer requests: share one client or credential.",
}


def status_error(
    operation: Operation[Any],
    caller: str,
    response: httpx.Response,
    facts: CallFacts,
    *,
    title: str,
    request_id: str,
    now: float,
    argument_names: Mapping[str, str],
) -> ImdsStatusError:
    """The error for a response of the host with an error status.

    Args:
        operation: what was called.
        caller: what the user called, for the message.
        response: the response.
        facts: URL, attempts and time of the call.
        title: what to call the host.
        request_id: the id that was sent, in case the response has none.
        now: Unix seconds, for a Retry-After date.
        argument_names: arguments that the user knows by another name than the operation.
    """
    status = response.status_code
    members = _members(response, operation.error_members)
    error, description, newest = _envelope(response)
    error, description = members.get("error", error), members.get("error_description", description)
    rule = next((rule for rule in operation.errors if _fits(rule, response)), None)
    kind = _class_of(status, error, description, newest)
    if rule and rule.kind:
        kind = getattr(errors, rule.kind)
    special: dict[str, Any] = {}
    if kind is UnsupportedApiVersionError:
        special["newest_versions"] = newest
    if kind is ThrottledError:
        special["retry_after"] = retry_after_seconds(response.headers.get("retry-after"), now)
    if rule and rule.hint:
        hint = rule.hint
    elif operation.sources:  # another host than IMDS
        hint = _HINTS_ELSEWHERE.get(kind, "")
    else:
        hint = _hint(kind, response, newest, error, description)
    if hint == _HINTS.get(kind, ""):  # nothing special about this response, so the specification's hint is better
        hint = operation.hints.get(status, hint)
    # Another host may have no such argument, or read the variable itself.
    takes_client_id = not operation.sources or any(
        source.argument == "client_id" and source.variable != "AZURE_CLIENT_ID" for source in operation.sources
    )
    is_about_identity = kind in (IdentityNotFoundError, MultipleIdentitiesError)
    if is_about_identity and takes_client_id and is_client_id_unused(facts.get("url", "")):
        hint += f" AZURE_CLIENT_ID is set but was not used, because azure_imds does not read it. Pass {USE_CLIENT_ID}."
    for name, known_as in argument_names.items():
        hint = re.sub(rf"\b{name}\b", known_as, hint)
    facts = {
        **facts,
        "hint": hint,
        "retryable": status in TRANSIENT or status >= 500 or status in operation.retry_statuses,
    }
    own_words = ": ".join(shorten(text) for text in (error, description) if text) or "without explanation"
    return kind(
        f"{caller}: {title} answered {status} {own_words} {summary(facts)}",
        status_code=status,
        error=error,
        error_description=description,
        request_id=response.headers.get("x-ms-request-id", members.get("request_id", request_id)),
        details=_details(operation, response),
        response=response,
        **special,
        **facts,
    )


def is_client_id_unused(url: str) -> bool:
    """Whether AZURE_CLIENT_ID names an identity, and the request for this URL does not."""
    client_id = os.environ.get("AZURE_CLIENT_ID", "").strip().lower()
    return bool(client_id) and client_id not in (value.lower() for value in httpx.URL(url).params.values())


def not_imds_error(caller: str, response: httpx.Response, facts: CallFacts, server: Server) -> ImdsUnavailableError:
    """The error for a response that is not from the host."""
    from .redaction import contains_secret, remove_opaque_words

    status, text = response.status_code, "" if contains_secret(response.content) else text_of(response)
    text = remove_opaque_words(text)
    words = "" if is_web_page(response) else shorten(text, 200)
    hint = describe_other(response) + _challenge(response) if server.operations is None else server.unreachable
    facts = {**facts, "hint": hint, "retryable": status >= 500}
    return ImdsUnavailableError(
        f"{caller}: the response ({status}{': ' + words if words else ''}) is not from {server.title} {summary(facts)}",
        status_code=status,
        response_text=text[:LONGEST_RESPONSE_TEXT],
        **facts,
    )


def transport_error(
    caller: str, error: Exception, deadline: float, facts: CallFacts, server: Server
) -> ImdsUnavailableError:
    """The error for a request that received no response.

    Args:
        caller: what the user called, for the message.
        error: the exception of httpx or of the operating system.
        deadline: the seconds that the whole call was allowed to take.
        facts: URL, attempts and time of the call.
        server: what was called.
    """
    if isinstance(error, (httpx.TimeoutException, TimeoutError)):
        if isinstance(error, httpx.ConnectTimeout):
            hint = (
                "The connection could not be made: this is not an Azure machine, the route for 169.254.0.0/16 leaves "
                "through another interface than the primary one, or a cluster (AKS) blocks IMDS for its pods."
            )
        else:
            hint = "The connection was accepted, but nothing was received. Check for a proxy or a firewall."
        facts = {**facts, "retryable": True, "hint": server.unreachable or hint}
        text = f"{caller}: no response in time {summary(facts)}"
        return _because_of(error, ImdsTimeoutError(text, deadline=deadline, **facts))
    is_redirect = isinstance(error, (httpx.InvalidURL, UnicodeError)) or "location header" in str(error)
    if is_redirect and not isinstance(error, httpx.ConnectError):
        # httpx reads the address even of a redirect that is not followed, and raises without the response.
        facts = {**facts, "hint": _REDIRECT}
        text = f"{caller}: the response is a redirect to an invalid address {summary(facts)}"
        return ImdsUnavailableError(text, **facts)
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        facts = {**facts, "hint": _UNTRUSTED}  # not retryable: the next attempt gets the same certificate
        text = f"{caller}: cannot reach {server.title}: {_reason(error)} {summary(facts)}"
        return ImdsUnavailableError(text, **facts)
    hint = ""
    if isinstance(error, httpx.ConnectError):
        hint = "Check that this is an Azure machine and that the endpoint is right."
    elif isinstance(error, httpx.RemoteProtocolError):
        hint = "The server closed the connection or does not speak HTTP. It may be restarting, or it is not IMDS."
    facts = {**facts, "retryable": True, "hint": server.unreachable or hint}
    text = f"{caller}: cannot reach {server.title}: {_reason(error)} {summary(facts)}"
    return _because_of(error, ImdsUnavailableError(text, **facts))


def summary(facts: CallFacts) -> str:
    """The end of an error message: where the request went, how often, how long, and the hint."""
    attempts, url, hint = facts.get("attempts", 0), facts.get("url", "").partition("?")[0], facts.get("hint", "")
    text = f"({url}, {attempts} attempt{'s' if attempts != 1 else ''}, {facts.get('elapsed', 0.0):.2f} s)"
    return f"{text}. {hint}" if hint else text


def _reason(error: Exception) -> str:
    """The words of the operating system if there are any, else those of httpx."""
    if isinstance(error, httpx.ProtocolError):
        # The rest of the text quotes what was received: a part of a token, or a header.
        match = re.match(r"[A-Za-z ,-]+", str(error))
        return match[0].strip() if match else type(error).__name__
    cause = _os_error(error)
    return cause.strerror if cause is not None and cause.strerror else shorten(str(error)) or type(error).__name__


def _because_of(failure: Exception, error: E) -> E:
    """Sets the error of the operating system as the cause, if there is one."""
    error.__cause__ = _os_error(failure)
    return error


def _os_error(error: Exception) -> OSError | None:
    """The error of the operating system or of the resolver behind a failure, with its number and its words only.

    A copy: the original may have the frames of a call in its traceback, or data in other attributes.
    """
    for cause in _causes(error):
        # The numbers of TLS are not those of the operating system.
        if (
            isinstance(cause, OSError)
            and type(cause).__module__ != "ssl"
            and cause.errno is not None
            and cause.strerror
        ):
            # Negative numbers are the resolver's own. asyncio changes the words of the operating system.
            if cause.errno > 0:
                return OSError(cause.errno, os.strerror(cause.errno))
            return socket.gaierror(cause.errno, cause.strerror)
    return None


def _causes(error: Any) -> Iterator[BaseException]:
    while error is not None:
        yield error
        # A group has `exceptions`: several addresses of one name were tried.
        error = next(iter(getattr(error, "exceptions", ())), None) or error.__cause__ or error.__context__


def _class_of(
    status: int, error: str | None, description: str | None, newest: tuple[str, ...]
) -> type[ImdsStatusError]:
    if status == 400:
        if newest:
            return UnsupportedApiVersionError
        if error == "invalid_resource":
            return InvalidResourceError
        # Both have the code invalid_request and differ in the text only. (Bodies observed on live hosts.)
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
        return f"The newest versions that this host supports are {shorten(', '.join(newest))}."
    if status == 403 and not response.content:
        return "The Guest Proxy Agent (Metadata Security Protocol) blocks this process. Check its rules."
    if "metadata header" in f"{error} {description}".lower():
        return "The header Metadata: true was sent, so something between this process and IMDS removed it."
    if status == 401:
        return f"IMDS asks for no credentials. On Azure Arc, the response would name a key file.{_challenge(response)}"
    plain = response.headers.get("content-type", "").startswith("text/plain")
    if kind is ServerError and "IMDS" not in response.headers.get("server", "" if plain else "IMDS"):
        return "Something other than IMDS answered: the host's front end while IMDS restarts, or an interceptor."
    return _HINTS.get(kind, "")


def _challenge(response: httpx.Response) -> str:
    """The response's demand for credentials, without its secret parts."""
    from .arc import quote_challenge

    header = response.headers.get("www-authenticate", "")
    return f" This response asks for: {quote_challenge(header)}." if header else ""


def _envelope(response: httpx.Response) -> tuple[str | None, str | None, tuple[str, ...]]:
    """IMDS's `error`, `error_description` and `newest-versions`, from any kind of body."""
    body = json_object(response)
    if body is None:
        text = "" if is_web_page(response) else shorten(text_of(response))
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
    return _to_text(error), _to_text(description), versions


def _members(response: httpx.Response, places: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The members of an error body that the specification names for the host, as text. Without those that are empty."""
    body = json_object(response) if places else None
    found: dict[str, str] = {}
    for name, paths in places.items():
        for path in paths:
            value: Any = body
            for step in path.split("/"):
                value = cast(dict[str, Any], value).get(step) if isinstance(value, dict) else None
            if value and name not in found:
                found[name] = _to_text(value) or ""
    return found


def _fits(rule: ErrorRule, response: httpx.Response) -> bool:
    return rule.status == response.status_code and rule.text in text_of(response).lower()


def _to_text(value: object) -> str | None:
    try:
        return None if value is None else value if isinstance(value, str) else json.dumps(value)
    except RecursionError:
        return None


def _details(operation: Operation[Any], response: httpx.Response) -> Any:
    try:
        return operation.parse(client=_LENIENT, response=response) if json_object(response) is not None else None
    except Exception as problem:  # an error body may contain anything
        if is_interruption(problem):
            raise
        return None


class _Lenient:
    """What generated code reads of its client: an unexpected status is no exception here."""

    raise_on_unexpected_status = False


_LENIENT = _Lenient()
