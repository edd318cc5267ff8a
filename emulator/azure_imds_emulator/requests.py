"""The requests that came, for tests to look at."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

from multidict import CIMultiDict, CIMultiDictProxy

_SECRET_HEADERS = frozenset(("authorization", "proxy-authorization", "cookie", "x-ms-azure-host-authorization"))
HIDDEN = "<hidden>"


class Headers(Mapping[str, str]):
    """Header fields by name, in any case; where a name came several times, the first. The repr hides secrets."""

    def __init__(self, fields: Mapping[str, str] | CIMultiDictProxy[str]) -> None:
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
        """Every value of that name, in the order they came."""
        return list(self._fields.getall(name, []))

    def redacted(self) -> list[tuple[str, str]]:
        """All fields as they came, but for the values that are secrets."""
        return [(name, HIDDEN if name.lower() in _SECRET_HEADERS else value) for name, value in self._fields.items()]

    def __repr__(self) -> str:
        return f"Headers({self.redacted()!r})"


@dataclass(slots=True, eq=False)
class RecordedRequest:
    """A request as it came, and the status it got.

    Attributes:
        number: counts from 1 in the order of arrival.
        method: as sent.
        path: decoded path, without the query.
        query: decoded parameters; where a name came several times, the first.
        query_string: the query as sent, without the question mark.
        headers: by name in any case; the repr hides `Authorization`.
        body: the body as it came.
        time: Unix seconds of the arrival on the emulator's clock.
        status: of the answer; `None` while there is none, and for ever if a fault kept it from being sent.
        fault: what was done to the answer on purpose, in words; `None` if nothing.
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


class RequestLog(Sequence[RecordedRequest]):
    """The last requests, oldest first; a sequence that grows while one looks at it. Safe to use from any thread.

    Attributes:
        total: how many came since the start or the last `clear`, those no longer kept included.
    """

    def __init__(self, keep: int) -> None:
        self._kept: deque[RecordedRequest] = deque(maxlen=keep)
        self._lock = threading.Lock()
        self.total = 0
        #: Called with each request once it is answered; the control page listens here.
        self.listeners: list[Callable[[RecordedRequest], None]] = []

    def append(self, request: RecordedRequest) -> None:
        """Keep one more, and forget the oldest if there are too many."""
        with self._lock:
            self.total += 1
            self._kept.append(request)

    def answered(self, request: RecordedRequest) -> None:
        """Tell those who listen that the request has its answer."""
        for listener in list(self.listeners):
            listener(request)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()
            self.total = 0

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, index: int) -> RecordedRequest: ...
    @overload
    def __getitem__(self, index: slice) -> list[RecordedRequest]: ...
    def __getitem__(self, index: int | slice) -> RecordedRequest | list[RecordedRequest]:
        with self._lock:
            return list(self._kept)[index]

    def __iter__(self) -> Iterator[RecordedRequest]:
        with self._lock:
            return iter(list(self._kept))

    def __repr__(self) -> str:
        return f"<RequestLog: {self.total} requests, {len(self)} kept>"
