"""The requests that the emulator received, for tests to inspect."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import overload
from urllib.parse import quote

from multidict import CIMultiDict, CIMultiDictProxy

from .machine import Json

_SECRET_HEADERS = frozenset(("authorization", "proxy-authorization", "cookie", "x-ms-azure-host-authorization"))
HIDDEN = "<hidden>"


class Headers(Mapping[str, str]):
    """Header fields by case-insensitive name. For a repeated name, the first value. The repr hides secrets.

    Args:
        secret: names of further headers with secrets, in lower case.
    """

    def __init__(self, fields: Mapping[str, str] | CIMultiDictProxy[str], secret: frozenset[str] = frozenset()) -> None:
        self._secret = _SECRET_HEADERS | secret
        self._fields = fields if isinstance(fields, CIMultiDictProxy) else CIMultiDictProxy(CIMultiDict(fields))

    def __getitem__(self, name: str) -> str:
        return self._fields[name]

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(self._fields))

    def __len__(self) -> int:
        return len(set(self._fields))

    def getall(self, name: str) -> list[str]:
        """Returns all values of a name, in the order of the request."""
        return list(self._fields.getall(name, []))

    def redacted(self) -> list[tuple[str, str]]:
        """Returns all fields in the order of the request, with secret values replaced by `<hidden>`."""
        return [(name, HIDDEN if name.lower() in self._secret else value) for name, value in self._fields.items()]

    def __repr__(self) -> str:
        return f"Headers({self.redacted()!r})"


@dataclass(slots=True, eq=False)
class RecordedRequest:
    """A request that the emulator received, and the status of its response.

    Attributes:
        number: sequence number of the request, from 1.
        method: the method as sent.
        path: the decoded path, without the query.
        query: the decoded parameters. For a repeated name, the first value.
        query_string: the query as sent, without the question mark.
        headers: the header fields by case-insensitive name. The repr hides `Authorization` and cookies.
        body: the body in bytes.
        time: when the request was received, in Unix seconds of the emulator's clock.
        status: status of the response. `None` before the response is sent, and if a fault prevents one.
        fault: description of the fault that was applied to the request, or `None`.
    """

    number: int
    method: str
    path: str
    query: dict[str, str]
    query_string: str
    headers: Headers
    body: bytes = field(repr=False)
    time: float
    status: int | None = None
    fault: str | None = None

    def to_dict(self) -> dict[str, Json]:
        """Returns the request in JSON, with the names and values of the attributes, but without secrets.

        `headers` has the first value of a repeated name. Keys and cookies are replaced by `<hidden>`, and so are
        bodies, except those of scheduled events. A body is text.
        """
        body = self.body.decode(errors="replace")
        return {
            "number": self.number,
            "time": self.time,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "query_string": self.query_string,
            # Reversed, so that the first value of a repeated name remains.
            "headers": dict(reversed(self.headers.redacted())),
            "body": body if not body or self.path.startswith("/metadata/scheduledevents") else HIDDEN,
            "status": self.status,
            "fault": self.fault,
        }


def format_line(request: RecordedRequest) -> str:
    """Returns a line that describes a request and its response: time, target, status, fault and client.

    The line is ASCII without control characters, and contains no header except the name of the client.
    """
    moment = datetime.fromtimestamp(request.time, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    target = quote(request.path, safe="/:@!$&'()*+,;=~", errors="replace")
    if request.query_string:
        target += f"?{request.query_string}"
    parts = [moment, request.method, target, str(request.status or "no response")]
    if request.fault:
        parts.append(f"[fault: {request.fault}]")
    parts.append(request.headers.get("User-Agent", "-"))
    return "".join(char if " " <= char <= "~" else "?" for char in " ".join(parts))


class RequestLog(Sequence[RecordedRequest]):
    """The last requests, oldest first. The sequence grows with each request. Thread-safe.

    Attributes:
        total: number of requests since the start or the last `clear`, including those that are no longer recorded.
    """

    def __init__(self, max_length: int) -> None:
        self._requests: deque[RecordedRequest] = deque(maxlen=max_length)
        self._lock = threading.Lock()
        self.total = 0
        #: Called with each request after its response was sent. The control page's stream uses this.
        self.listeners: list[Callable[[RecordedRequest], None]] = []

    def append(self, request: RecordedRequest) -> None:
        """Adds a request, and drops the oldest request if there are too many."""
        with self._lock:
            self.total += 1
            self._requests.append(request)

    def notify_listeners(self, request: RecordedRequest) -> None:
        """Calls the listeners with a request that has its response."""
        for listener in list(self.listeners):
            listener(request)

    def clear(self) -> None:
        """Removes all requests, and restarts their numbers at 1."""
        with self._lock:
            self._requests.clear()
            self.total = 0

    def __len__(self) -> int:
        return len(self._requests)

    @overload
    def __getitem__(self, index: int) -> RecordedRequest: ...
    @overload
    def __getitem__(self, index: slice) -> list[RecordedRequest]: ...
    def __getitem__(self, index: int | slice) -> RecordedRequest | list[RecordedRequest]:
        with self._lock:
            return list(self._requests)[index]

    def __iter__(self) -> Iterator[RecordedRequest]:
        with self._lock:
            return iter(list(self._requests))

    def __repr__(self) -> str:
        return f"<RequestLog: {self.total} requests, {len(self)} recorded>"
