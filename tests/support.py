"""Tools of the tests: the client in three colours, a clock that turns by itself, scripted and raw servers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import httpx

from azure_imds import AsyncImdsClient, ImdsClient
from azure_imds._clock import Clock

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "tests" / "data" / "examples"

RESOURCE = "https://vault.azure.net"
CLIENT_ID = "00000000-0000-0000-0000-000000000003"

#: Never to be seen in any output.
CANARY = "eyJ0-CANARY-token-that-must-not-show"


def example(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def token(**changes: Any) -> dict[str, Any]:
    """A token answer as live hosts send it."""
    return {**example("token"), "access_token": CANARY, **changes}


class FakeClock(Clock):
    """Time passes only by waiting, and jitter is always all of its ceiling."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)
        await anyio.lowlevel.checkpoint()

    def jitter(self, ceiling: float) -> float:
        return ceiling


class Colour:
    """One way to use the client: a test written once runs in each."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name

    def run(self, action: Callable[[Any], Any], **options: Any) -> Any:
        """Opens a client, returns what `action` makes of it (awaited where it is a coroutine), and closes it."""
        if self.name == "sync":
            with ImdsClient(**options) as client:
                return action(client)

        async def main() -> Any:
            async with AsyncImdsClient(**options) as client:
                result = action(client)
                return await result if isinstance(result, Awaitable) else result

        return anyio.run(main, backend=self.name)

    def error(self, action: Callable[[Any], Any], **options: Any) -> Exception:
        """The exception that `action` ends with."""
        try:
            result = self.run(action, **options)
        except Exception as error:
            return error
        raise AssertionError(f"no exception, but {result!r}")


COLOURS = [Colour("sync"), Colour("asyncio"), Colour("trio")]


def get_token(imds: Any) -> Any:
    return imds.identity.get_token(resource=RESOURCE)


Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Script(httpx.MockTransport):
    """Gives the answers in turn, the last one again and again, and keeps the requests."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)
        super().__init__(self._next)

    def _next(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            # Each use needs a response of its own: a body is read once.
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(request)


def answer(status: int, body: Any = None, **headers: str) -> httpx.Response:
    """A JSON answer, or another where `body` is text or bytes; underscores in header names become dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, (str, bytes)) or body is None:
        return httpx.Response(status, content=body, headers=named)
    return httpx.Response(status, json=body, headers=named)


def ok() -> httpx.Response:
    return answer(200, token())


@contextmanager
def raw_server(handle: Callable[[socket.socket], None], connections: int = 1000) -> Iterator[str]:
    """A TCP server on loopback that does with each connection what `handle` says. Yields its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            handle(connection)

    def accept() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=serve, args=(connection,), daemon=True)
            threads.append(thread)
            thread.start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        # Closing alone does not wake an accept that is under way.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(timeout=5)


def read_request(connection: socket.socket) -> bytes:
    """The head of one request."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            break
        data += chunk
    return data


def chain(error: BaseException) -> Sequence[BaseException]:
    """An exception and everything that it drags along."""
    found: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is not None and one not in found:
            found.append(one)
            todo += [one.__cause__, one.__context__]
    return found
