"""What an observer learns about a call. Imported only if a program has an observer.

An `Observation` collects the facts while the call runs. It never holds a secret, so boundary frames may hold it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from threading import get_ident
from types import TracebackType
from typing import Literal, NamedTuple, Self

import httpx
from attrs import frozen

from azure_imds_api.api import SECRETS

from .._clock import Clock
from .._interruptions import is_from_signal_handler
from .._log import log
from ..errors import ImdsError, ImdsStatusError
from .answer import Outcome, Unreadable
from .not_imds import json_object
from .redaction import contains_secret
from .single_flight import copy_error

#: Response headers that observers do not see: they ask for or contain credentials, or contain a URL with a query.
_HIDDEN = frozenset(
    {
        *("authentication-info", "authorization", "cookie", "proxy-authenticate", "proxy-authentication-info"),
        *("proxy-authorization", "set-cookie", "set-cookie2", "www-authenticate"),
        *("content-location", "link", "location", "refresh"),
    }
)

#: The thread in which this context is running an observer, or 0. Calls that an observer makes are not observed.
#: Free-threaded Pythons copy the context into new threads. Their calls are observed as on other Pythons.
_observing: ContextVar[int] = ContextVar("azure_imds_observing", default=0)


class Headers(Mapping[str, str]):
    """Headers of a response, read-only. Names are in lower case, and are found in any case."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name.lower(): value for name, value in values.items()}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)


@frozen(kw_only=True, eq=False)
class ObservedCall:
    """What an observer learns about one call, when the call has ended. It contains no token and no key.

    Attributes:
        operation: what was called, such as `identity.get_token`. `get` for `ImdsClient.get`.
        host: the kind of host, as `ImdsClient.host`.
        method: the HTTP method. "" if no request was made.
        url: the URL without its query. "" if no request was made.
        status: the HTTP status of the last response. None if there was none.
        headers: the headers of this response, read-only, with names in any case. Without cookies, challenges,
            redirects, and headers that contain a token or key.
        request_id: the `x-ms-request-id` of the response, or else the `x-ms-client-request-id` that was sent.
        attempts: the number of requests that this call has sent. 0 if it needed none.
        started: when the call began, as Unix time in seconds.
        elapsed: seconds from the beginning of the call to its end.
        cached: whether the result was stored: in the memory of a credential, of the shared cache, or of a client with
            `cache=True`.
        waited_for: what the call has waited for instead of sending a request: "call" is another call of this process
            for the same, "process" is another process that uses the shared cache.
        refresh: for tokens of a credential. "foreground": `get_token` has requested a token. "background": a stored
            token was due and is requested early, while `get_token` returns the stored one. None: neither.
        token_age: seconds since the token was requested from the host. None if there is no token.
        token_expires_on: when the token expires, as Unix time in seconds. None if there is no token.
        error: a copy of the error that the call raises. Its `url` has no query. None for a success, and for exceptions
            of other packages.
        error_type: the name of the exception's class, also if it is not an error of this package, such as
            `CancelledError` or `KeyboardInterrupt`. None for a success.
    """

    operation: str
    host: str
    method: str
    url: str
    status: int | None
    headers: Mapping[str, str]
    request_id: str | None
    attempts: int
    started: float
    elapsed: float
    cached: bool
    waited_for: Literal["call", "process"] | None
    refresh: Literal["foreground", "background"] | None
    token_age: float | None
    token_expires_on: int | None
    error: ImdsError | None
    error_type: str | None


class Reporter(NamedTuple):
    """Calls an observer.

    Attributes:
        observer: the function of the program.
        failed: the last observers that have raised an exception.
    """

    observer: Callable[[ObservedCall], object]
    failed: deque[object]

    def report(self, call: ObservedCall) -> None:
        """Calls the observer. Its first exception is logged, and none is raised."""
        mark = _observing.set(get_ident())
        try:
            self.observer(call)
        except Exception as error:
            # The program's own code may raise an exception in any way. Only a signal handler's is not the observer's.
            if is_from_signal_handler(error):
                raise
            if not any(one is self.observer for one in list(self.failed)):
                self.failed.append(self.observer)
                fields = {
                    "operation": call.operation,
                    "host": call.host,
                    "status": call.status,
                    "elapsed": call.elapsed,
                }
                text = "observer %s failed; its later failures are not logged"
                log.exception(text, _name_of(self.observer), extra=fields)
        finally:
            _observing.reset(mark)


def _name_of(observer: object) -> str:
    try:
        return str(getattr(observer, "__qualname__", type(observer).__qualname__))
    except Exception as error:  # of a weak reference to an object that is gone, for example
        if is_from_signal_handler(error):
            raise
        return type(observer).__qualname__


class Observation:
    """Collects the facts of one call. Leaving the context reports them to the observer.

    Args:
        reporter: receives the call when it has ended.
        clock: the source of time.
        host: the name of the host.
        operation: what was called.
        of_credential: whether a credential was called, or refreshes a token.
        is_background: whether this is an early refresh, for which no caller waits.
    """

    def __init__(
        self,
        reporter: Reporter,
        clock: Clock,
        host: str,
        operation: str,
        *,
        of_credential: bool = False,
        is_background: bool = False,
    ) -> None:
        self._reporter = reporter
        self._clock = clock
        self._host = host
        self._operation = operation
        self._of_credential = of_credential
        self._is_background = is_background
        self._started = clock.time()
        self._began = clock.monotonic()
        self._method = ""
        self._url = ""
        self._status: int | None = None
        self._headers = Headers({})
        self._request_id: str | None = None
        self._attempts = 0
        self._waited_for: Literal["call", "process"] | None = None
        self._token_age: float | None = None
        self._token_expires_on: int | None = None
        self._error: BaseException | None = None

    def note_url(self, method: str, url: str) -> None:
        """Notes what the next request will be."""
        self._method, self._url = method, _without_query(url)

    def note_attempt(self, request_id: str) -> None:
        """Notes that a request is sent, with this id."""
        self._attempts += 1
        self._request_id = request_id

    def note_outcome(self, outcome: Outcome, secrets: tuple[bytes, ...]) -> None:
        """Notes the outcome of an attempt, or a cached response.

        Args:
            outcome: the response, or why there is none.
            secrets: what the request contained and no header may show.
        """
        if isinstance(outcome, Unreadable):
            self._status, self._headers = outcome.status, Headers({})
        elif isinstance(outcome, httpx.Response):
            self._status, self._headers = outcome.status_code, _visible_headers(outcome, secrets)
            self._request_id = self._headers.get("x-ms-request-id", self._request_id)

    def note_wait_for_call(self) -> None:
        """Notes that the call waits for another one of this process."""
        self._waited_for = "call"

    def note_wait_for_process(self) -> None:
        """Notes that the call waits for another process."""
        self._waited_for = "process"

    def note_token(self, age: float, expires_on: int) -> None:
        """Notes the token that the credential returns."""
        self._token_age, self._token_expires_on = max(0.0, age), expires_on

    def note_error(self, error: BaseException) -> None:
        """Notes why the call has failed."""
        self._error = error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # A coroutine that is never resumed ends with GeneratorExit, at any time and in any thread.
        if not isinstance(error, GeneratorExit) and _observing.get() != get_ident():
            self._reporter.report(self._result(self._error if error is None else error))

    def _result(self, error: BaseException | None) -> ObservedCall:
        shown = _visible_error(error) if isinstance(error, ImdsError) else None
        request_id = shown.request_id if isinstance(shown, ImdsStatusError) else self._request_id
        needed_nothing = not self._attempts and self._waited_for is None
        refresh: Literal["foreground", "background"] | None = None
        if self._of_credential and (self._is_background or self._attempts):
            refresh = "background" if self._is_background else "foreground"
        return ObservedCall(
            operation=self._operation,
            host=self._host,
            method=self._method,
            url=self._url,
            status=self._status,
            headers=self._headers,
            request_id=request_id,
            attempts=self._attempts,
            started=self._started,
            elapsed=self._clock.monotonic() - self._began,
            cached=needed_nothing and error is None,
            # The other call may have been cancelled, and then this one has sent the request itself.
            waited_for=None if self._attempts else self._waited_for,
            refresh=refresh,
            token_age=self._token_age,
            token_expires_on=self._token_expires_on,
            error=shown,
            error_type=None if error is None else type(error).__name__,
        )


def _without_query(url: str) -> str:
    return url.partition("?")[0].partition("#")[0]


def _visible_headers(response: httpx.Response, secrets: tuple[bytes, ...] = ()) -> Headers:
    """The headers of a response without those that contain a secret: one that was sent, or one of the body."""
    body = json_object(response) or {}
    known = (*secrets, *(str(body[name]).encode() for name in SECRETS if body.get(name)))
    return Headers(
        {
            name: value
            for name, value in response.headers.items()
            if name.lower() not in _HIDDEN and not contains_secret(f"{name}: {value}".encode(), *known)
        }
    )


def _visible_error(error: ImdsError) -> ImdsError:
    """A copy that the observer may change. It has no traceback, and neither its URLs nor its headers show more."""
    made = copy_error(error) or ImdsError(str(error))
    made.url = _without_query(made.url)
    if isinstance(made, ImdsStatusError) and made.response is not None:
        response = made.response
        made.response = httpx.Response(
            response.status_code,
            headers=_visible_headers(response),
            content=response.content,
            request=httpx.Request(response.request.method, _without_query(str(response.request.url))),
        )
    return made
