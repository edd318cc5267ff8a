"""Tools of the token tests: a credential used the same way in three colours, two clocks, and a controlled IMDS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest import mock

import anyio
import anyio.from_thread
import anyio.lowlevel
import httpx

from azure_imds import AccessToken, AsyncImdsCredential, ImdsCredential
from azure_imds._clock import Clock
from azure_imds._tokens import credential as _credential
from support import CANARY, Colour

SCOPE = "https://vault.azure.net/.default"
DAY = 86400
HOUR = 3600

#: Seconds after which a test that hangs fails. No assertion depends on the number.
FOREVER = 30


class Clocks(Clock):
    """A wall clock and a monotonic clock that the test sets. Waiting advances both."""

    def __init__(self, wall: float = 1_700_000_000.0, monotonic: float = 5_000.0) -> None:
        self.wall = wall
        self.ticks = monotonic

    def time(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.ticks

    def advance(self, seconds: float) -> None:
        """Lets time pass."""
        self.wall += seconds
        self.ticks += seconds

    def step(self, seconds: float) -> None:
        """Sets the wall clock. Forwards, it looks the same as a suspended machine."""
        self.wall += seconds

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)
        await anyio.lowlevel.checkpoint()

    def jitter(self, ceiling: float) -> float:
        return ceiling


class Gate:
    """Blocks requests until the test opens it, in any colour."""

    def __init__(self) -> None:
        self.arrived = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._waiting: list[tuple[Any, anyio.Event]] = []

    def pass_through(self) -> None:
        self.arrived.release()
        assert self._open.wait(FOREVER), "the gate was never opened"

    async def apass_through(self) -> None:
        event = anyio.Event()
        with self._lock:
            if not self._open.is_set():
                self._waiting.append((anyio.lowlevel.current_token(), event))
            else:
                event.set()
        self.arrived.release()
        with anyio.fail_after(FOREVER):
            await event.wait()

    def wait_for(self, count: int = 1) -> None:
        """Waits until so many requests have arrived."""
        for _ in range(count):
            assert self.arrived.acquire(timeout=FOREVER), "no request arrived"

    def open(self) -> None:
        with self._lock:
            self._open.set()
            waiting, self._waiting = self._waiting, []
        for token, event in waiting:
            with suppress(anyio.RunFinishedError):
                anyio.from_thread.run_sync(event.set, token=token)


Reply = httpx.Response | Exception


class Imds(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """An IMDS in this process. It numbers its tokens from 1.

    Attributes:
        life: the lifetime of the next token, in seconds.
        fields: members to add to the answer. A member that is None is left out.
        suffix: the end of every token.
        failure: the answer or exception to use instead of a token, or None.
        gates: the gates for the next requests, in order.
    """

    def __init__(self, clock: Clock | None = None, life: float = DAY, *, suffix: str = "", **fields: Any) -> None:
        self.clock = clock or Clock()
        self.life = life
        self.fields: dict[str, Any] = fields
        self.suffix = suffix
        self.failure: Reply | None = None
        self.gates: list[Gate] = []
        self.requests: list[httpx.Request] = []
        self.most_at_once = 0
        self._at_once = 0
        self._issued = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.requests)

    def query(self, index: int = -1) -> dict[str, str]:
        return dict(self.requests[index].url.params)

    def answer(self, number: int) -> dict[str, Any]:
        body = {
            "access_token": f"{CANARY}-{number}{self.suffix}",
            "expires_in": str(int(self.life)),
            "expires_on": str(int(self.clock.time() + self.life)),
            "token_type": "Bearer",
            **self.fields,
        }
        return {name: value for name, value in body.items() if value is not None}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        gate = self._enter(request)
        try:
            if gate is not None:
                gate.pass_through()
            return self._reply()
        finally:
            self._leave()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        gate = self._enter(request)
        try:
            await anyio.lowlevel.checkpoint()
            if gate is not None:
                await gate.apass_through()
            return self._reply()
        finally:
            self._leave()

    def _enter(self, request: httpx.Request) -> Gate | None:
        with self._lock:
            self.requests.append(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            return self.gates.pop(0) if self.gates else None

    def _leave(self) -> None:
        with self._lock:
            self._at_once -= 1

    def _reply(self) -> httpx.Response:
        if isinstance(self.failure, BaseException):
            raise self.failure
        if self.failure is not None:
            return httpx.Response(self.failure.status_code, headers=self.failure.headers, content=self.failure.content)
        with self._lock:
            self._issued += 1
            return httpx.Response(200, json=self.answer(self._issued))


DOWN = httpx.ConnectError("connection refused")


def number(token: AccessToken) -> int:
    """Returns the number of a token of `Imds`."""
    return int(token.token.removeprefix(f"{CANARY}-"))


class Crowd:
    """Callers that ask for a token at the same time."""

    def __init__(self, futures: list[Future[Any]], joined: Callable[[], None]) -> None:
        self._futures = futures
        self.wait_until_joined = joined

    def results(self) -> list[Any]:
        """Returns the token or the exception of each caller."""
        return [future.exception(FOREVER) or future.result() for future in self._futures]


class Held:
    """A credential that a thread can use. An asynchronous one runs on an event loop in another thread."""

    def __init__(self, credential: Any, portal: Any, waiting: threading.Semaphore) -> None:
        self.credential = credential
        self._portal = portal
        self._waiting = waiting

    def get_token(self, *scopes: Any, **options: Any) -> AccessToken:
        return self.call(self.credential.get_token, *(scopes or (SCOPE,)), **options)

    def call(self, method: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Calls a method of the credential, and awaits the result if the credential is asynchronous."""
        work = partial(method, *arguments, **options)
        return work() if self._portal is None else self._portal.call(work)

    def clear(self) -> None:
        self.credential.clear()

    def error(self, *scopes: Any, **options: Any) -> Exception:
        """Returns the exception that `get_token` raises."""
        try:
            token = self.get_token(*scopes, **options)
        except Exception as error:
            return error
        raise AssertionError(f"no exception, but {token!r}")

    def crowd(self, count: int, *scopes: Any, **options: Any) -> Crowd:
        """Starts so many callers at once."""
        work = partial(self.credential.get_token, *(scopes or (SCOPE,)), **options)
        if self._portal is not None:

            async def all_wait() -> None:
                await anyio.wait_all_tasks_blocked()

            futures = [self._portal.start_task_soon(work) for _ in range(count)]
            return Crowd(futures, partial(self._portal.call, all_wait))

        def all_but_one_wait() -> None:
            for _ in range(count - 1):
                assert self._waiting.acquire(timeout=FOREVER), "too few callers wait for the leader"

        barrier = threading.Barrier(count)

        def one() -> Any:
            barrier.wait(FOREVER)
            return work()

        pool = ThreadPoolExecutor(count)
        futures = [pool.submit(one) for _ in range(count)]
        pool.shutdown(wait=False)
        return Crowd(futures, all_but_one_wait)

    def wait_for_refreshes(self) -> None:
        """Waits until every early refresh has ended or is blocked."""
        if self._portal is not None:
            self._portal.call(anyio.wait_all_tasks_blocked)
        for thread in refreshers():
            thread.join(FOREVER)
            assert not thread.is_alive(), "an early refresh did not end"


def refreshers() -> list[threading.Thread]:
    """Returns the threads that run early refreshes."""
    return [thread for thread in threading.enumerate() if thread.name == "azure-imds-refresh"]


@contextmanager
def holding(colour: Colour, **options: Any) -> Iterator[Held]:
    """Opens a credential of this colour, and closes it."""
    waiting = threading.Semaphore(0)

    class Event(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waiting.release()
            return super().wait(FOREVER if timeout is None else timeout)

    if colour.name == "sync":
        # The waits of the followers are counted, so that a test knows when all of them wait.
        counted = SimpleNamespace(Event=Event)
        with mock.patch.object(_credential, "threading", counted), ImdsCredential(**options) as credential:
            yield Held(credential, None, waiting)
        return
    with anyio.from_thread.start_blocking_portal(colour.name) as portal:
        asynchronous = AsyncImdsCredential(**options)
        try:
            yield Held(asynchronous, portal, waiting)
        finally:
            portal.call(asynchronous.close)
