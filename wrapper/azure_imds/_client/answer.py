"""One attempt: sends a request and reads the answer, within limits of size and time."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Collection

import httpx

from .._interruptions import find_interruption
from .sync_transport import ATTEMPT_END
from .transport import Sender

#: Bytes of a body. IMDS's own documents have a few thousand.
LARGEST_BODY = 4 * 1024 * 1024

#: A key of `httpx.Request.extensions`: secrets of the request, which no error may show.
SECRETS_SENT = "azure_imds.secrets_sent"

#: The result of an attempt: the response with its body, or the exception that prevented it, as a value.
Outcome = httpx.Response | Exception


class Unreadable(Exception):
    """A successful response whose body cannot be read. The text says why.

    Attributes:
        status: the HTTP status.
        is_temporary: whether another attempt may succeed.
    """

    def __init__(self, why: str, status: int, *, is_temporary: bool = False) -> None:
        super().__init__(why)
        self.status = status
        self.is_temporary = is_temporary


def exchange(
    sender: Sender,
    request: httpx.Request,
    seconds: float,
    is_over: Callable[[], bool],
    *,
    largest: int = LARGEST_BODY,
    encodings: Collection[str] = ("identity", "gzip", "deflate"),
) -> Outcome:
    """Sends one request and reads its response.

    Args:
        sender: how to send it. It follows no redirect and adds no credentials.
        request: the request, with its timeouts for each phase.
        seconds: how long the exchange may take as a whole.
        is_over: whether this time is over, by the caller's clock.
        largest: bytes of the longest body to read.
        encodings: content encodings to accept.

    Returns:
        The response with its body, without credentials of the request, or why there is none.
    """
    body: _Body | None = None
    handled = sys.exception()
    try:
        request.extensions[ATTEMPT_END] = time.monotonic() + seconds
        response: httpx.Response = sender.send(request)
        with contextlib.closing(response):
            body = _Body(response, request, is_over, largest, encodings)
            if body.wants_more:
                for chunk in response.iter_bytes():
                    if not body.add(chunk):
                        break
        return body.outcome()
    except sender.failures as error:
        if interruption := find_interruption(error, handled):
            raise interruption  # noqa: B904
        return body.outcome_after(error) if body else error


async def aexchange(
    sender: Sender,
    request: httpx.Request,
    seconds: float,
    is_over: Callable[[], bool],
    *,
    largest: int = LARGEST_BODY,
    encodings: Collection[str] = ("identity", "gzip", "deflate"),
) -> Outcome:
    """`exchange`, awaited."""
    import anyio

    body: _Body | None = None
    handled = sys.exception()
    with anyio.move_on_after(seconds) as scope:
        try:
            response: httpx.Response = await sender.send(request)
            async with contextlib.aclosing(response):
                body = _Body(response, request, is_over, largest, encodings)
                if body.wants_more:
                    async for chunk in response.aiter_bytes():
                        if not body.add(chunk):
                            # A break would leave generators below unfinished, and trio warns about them.
                            scope.cancel()
            return body.outcome()
        except sender.failures as error:
            if interruption := find_interruption(error, handled):
                raise interruption  # noqa: B904
            return body.outcome_after(error) if body else error
    if body is None:
        return httpx.ReadTimeout("no response in time")
    return body.outcome() if not body.wants_more else body.outcome_after(httpx.ReadTimeout("no response in time"))


class _Body:
    """Collects a body until it is complete, too large or too late."""

    def __init__(
        self,
        response: httpx.Response,
        request: httpx.Request,
        is_over: Callable[[], bool],
        largest: int,
        encodings: Collection[str],
    ) -> None:
        self._response = response
        self._request = request
        self._is_over = is_over
        self._largest = largest
        self._content = bytearray()
        self._is_late = False
        self._problem = ""
        length = response.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and float(length) > largest:
            self._problem = "is too large"
        # The request asked for no encoding. Nested ones, or better ones, could turn a few bytes into gigabytes.
        elif response.headers.get("content-encoding", "identity").lower() not in encodings:
            self._problem = "has an encoding that was not requested"

    @property
    def wants_more(self) -> bool:
        """Whether to read on."""
        return not self._problem and not self._is_late

    def add(self, chunk: bytes) -> bool:
        """Adds a chunk, and returns whether to read on."""
        self._is_late = self._is_late or self._is_over()
        if len(self._content) + len(chunk) > self._largest:
            self._problem = "is too large"
        else:
            self._content += chunk
        return self.wants_more

    def outcome(self) -> Outcome:
        """The response with its body, or why it cannot be used."""
        response, request = self._response, self._request
        if self._problem and response.status_code < 300:
            return Unreadable(self._problem, response.status_code)
        if self._is_late and response.status_code < 300:
            return httpx.ReadTimeout("the body was not complete in time")
        # The status of an error says enough without its body.
        content = b"" if self._problem or self._is_late else bytes(self._content)
        # As bytes, since a header may contain bytes that no charset defines.
        headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-encoding"]
        if response.status_code >= 300:
            from .redaction import contains_secret

            key = request.headers.get("authorization", "").removeprefix("Basic ").encode()
            secrets = (key, *request.extensions.get(SECRETS_SENT, ()))
            content = b"" if contains_secret(content, *secrets) else content
            headers = [(name, value) for name, value in headers if not contains_secret(name + b": " + value, *secrets)]
        without_credentials = httpx.Request(request.method, request.url)
        return httpx.Response(response.status_code, headers=headers, content=content, request=without_credentials)

    def outcome_after(self, failure: Exception) -> Outcome:
        """The outcome if reading the body ended with an exception."""
        status = self._response.status_code
        if status >= 300:
            self._problem = "broke off"
            return self.outcome()
        if isinstance(failure, (httpx.TimeoutException, TimeoutError)):
            return failure
        if isinstance(failure, httpx.DecodingError):
            return Unreadable("cannot be decoded", status)
        return Unreadable("broke off", status, is_temporary=True)
