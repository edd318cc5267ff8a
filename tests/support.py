"""Tools of the tests: the client in three colours, a clock that turns by itself, scripted and raw servers."""

from __future__ import annotations

import gc
import json
import os
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from types import CodeType, FrameType, FunctionType, ModuleType, TracebackType
from typing import Any

import anyio
import httpx

from azure_imds import AsyncImdsClient, ImdsClient
from azure_imds._clock import Clock

ROOT = Path(__file__).parent.parent
#: Where Python finds the modules that tests share.
TEST_PATH = os.pathsep.join([str(ROOT / "tests"), str(ROOT / "tests" / "project")])
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

    def wait(self, seconds: float, wakeups: SimpleQueue[None]) -> bool:
        if wakeups.empty():
            self.sleep(seconds)
            return False
        wakeups.get()
        return True

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


def reply(status: int, body: bytes | str = b"", *headers: str, length: int | None = None) -> bytes:
    """An answer as it goes over the wire. Its Content-Length may be a lie; a negative one leaves the header out."""
    content = body.encode() if isinstance(body, str) else body
    length = len(content) if length is None else length
    lines = [f"HTTP/1.1 {status} Reason", *headers, *([f"Content-Length: {length}"] if length >= 0 else [])]
    return "\r\n".join((*lines, "", "")).encode() + content


def _whole_request(connection: socket.socket) -> bytes:
    request = read_request(connection)
    head, _, body = request.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.partition(b":")[2]) and (more := connection.recv(65536)):
                body, request = body + more, request + more
    return request


class Wire:
    """A handler for `raw_server`: gives the answers in turn, the last one again and again, and keeps what was asked.

    An answer that says `Connection: close` is followed by the end of the connection.
    """

    def __init__(self, *answers: bytes) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._answers = list(answers)

    def __call__(self, connection: socket.socket) -> None:
        self.connections += 1
        while request := _whole_request(connection):
            self.requests.append(request)
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            connection.sendall(answer)
            if b"connection: close" in answer.lower():
                return

    def headers(self, index: int = -1) -> list[tuple[str, str]]:
        """The headers of one request, names in lower case, as often as they came."""
        lines = self.requests[index].decode().split("\r\n\r\n")[0].split("\r\n")[1:]
        return [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]

    def header(self, name: str, index: int = -1) -> str | None:
        """The only value of a header, or None."""
        values = [value for known, value in self.headers(index) if known == name.lower()]
        assert len(values) < 2, f"{name} was sent {len(values)} times"
        return values[0] if values else None

    def target(self, index: int = -1) -> str:
        """What stands between the method and the HTTP version."""
        return self.requests[index].split(b" ", 2)[1].decode()


def python(code: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs code in a Python of its own, where warnings are errors, and returns what it printed."""
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", *options, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )


def told(error: BaseException) -> str:
    """All that a person or a tool may print of an exception: texts, attributes, and tracebacks with their locals."""
    parts: list[str] = []
    for one in chain(error):
        parts += [str(one), repr(one), repr(one.args), *map(repr, vars(one).values())]
        trace = traceback.TracebackException.from_exception(one, capture_locals=True)
        parts += trace.format()
    return "\n".join(parts)


def reachable(*roots: object) -> Iterable[object]:
    """What an inspector finds from some objects on: members and locals, but not what every program shares.

    The frames of tests are left out: they know the secrets by themselves.
    """
    seen: set[int] = set()
    todo: list[object] = list(roots)
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, (ModuleType, type, FunctionType, CodeType)):
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, TracebackType):
            todo += [one.tb_next, one.tb_frame]
        elif isinstance(one, FrameType):
            if not one.f_code.co_filename.startswith(str(ROOT / "tests")):
                todo += one.f_locals.values()
        else:
            todo += gc.get_referents(one)


def holds(secret: str, *roots: object) -> list[str]:
    """Where `secret` is found among all that is reachable: the types of what holds it."""
    data = secret.encode()
    found: list[str] = []
    for one in reachable(*roots):
        if isinstance(one, str):
            hit = secret in one
        elif isinstance(one, (bytes, bytearray)):
            hit = data in one
        else:
            continue
        if hit:
            found.append(f"{type(one).__name__} of {len(one)}")
    return found
