"""What one attempt came to: an answer with its body, read within limits of size and time, or a failure."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from .error_mapping import tells

#: Bytes of a body; IMDS's own documents have some thousands.
LARGEST_BODY = 4 * 1024 * 1024

#: What one attempt came to. An exception here is a value: raised inside an `except`, our errors would carry it
#: along as their context, and with it a request whose headers may hold a key.
Outcome = httpx.Response | Exception


class Unreadable(Exception):
    """A success whose body cannot be had; the text says why.

    Attributes:
        status: the HTTP status.
        passing: whether another attempt may bring the body.
    """

    def __init__(self, why: str, status: int, *, passing: bool = False) -> None:
        super().__init__(why)
        self.status = status
        self.passing = passing


class Body:
    """Collects a body, and stops at LARGEST_BODY or when the attempt's time is over."""

    def __init__(self, response: httpx.Response, late: Callable[[], bool]) -> None:
        self._response = response
        self._is_late = late
        self._content = bytearray()
        self._late = False

    def check(self) -> None:
        """Looks at what the headers say of the body.

        Raises:
            Unreadable: it is not worth reading.
        """
        length = self._response.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and float(length) > LARGEST_BODY:
            raise Unreadable("is too large", self._response.status_code)
        # None was asked for. Several on top of each other, or better ones, could turn a few bytes into gigabytes.
        if self._response.headers.get("content-encoding", "identity").lower() not in ("identity", "gzip", "deflate"):
            raise Unreadable("is encoded in a way that was not asked for", self._response.status_code)

    def add(self, chunk: bytes) -> bool:
        """Takes one chunk, and says whether to go on."""
        self._late = self._late or self._is_late()
        if len(self._content) <= LARGEST_BODY:
            self._content += chunk
        return not self._late and len(self._content) <= LARGEST_BODY

    def whole(self) -> httpx.Response:
        """The response with its body, and with nothing of the credentials that the request carried.

        Raises:
            Unreadable: it was too much.
            httpx.ReadTimeout: it was too late.
        """
        response, request = self._response, self._response.request
        content = bytes(self._content)
        if len(content) > LARGEST_BODY:
            raise Unreadable("is too large", response.status_code)
        if self._late:
            raise httpx.ReadTimeout("the body did not end in time", request=request)
        # As bytes, since a header may hold what no charset explains.
        headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-encoding"]
        if response.status_code >= 300:
            key = request.headers.get("authorization", "").removeprefix("Basic ").encode()
            content = b"" if tells(content, key) else content
            headers = [(name, value) for name, value in headers if not tells(value, key)]
        bare = httpx.Request(request.method, request.url)
        return httpx.Response(response.status_code, headers=headers, content=content, request=bare)

    def without(self, failure: Exception) -> Outcome:
        """What the answer is worth whose body failed so: an error's status says enough, a success's does not."""
        status = self._response.status_code
        if status >= 300:
            self._content.clear()
            self._late = False
            return self.whole()
        if isinstance(failure, (Unreadable, httpx.TimeoutException, TimeoutError)):
            return failure
        if isinstance(failure, httpx.DecodingError):
            return Unreadable("cannot be decoded", status)
        return Unreadable("broke off", status, passing=True)
