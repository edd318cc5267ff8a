"""Helpers of all tests: the client in three colours, a fake clock, scripted and raw servers, and programs."""

from __future__ import annotations

import gc
import json
import os
import signal
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

from azure_imds import AsyncImdsClient, ImdsClient, ImdsUnavailableError
from azure_imds._clock import Clock

ROOT = Path(__file__).parent.parent
#: The PYTHONPATH with which programs can import the modules that tests share.
TEST_PATH = os.pathsep.join([str(ROOT / "tests"), str(ROOT / "tests" / "project")])
EXAMPLES = ROOT / "tests" / "data" / "examples"

RESOURCE = "https://vault.azure.net"
CLIENT_ID = "00000000-0000-0000-0000-000000000003"

#: A token that no output may contain.
CANARY = "eyJ0-CANARY-token-that-must-not-show"


def example(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def token(**changes: Any) -> dict[str, Any]:
    """Returns the body of a token response, with the fields that real hosts send."""
    return {**example("token"), "access_token": CANARY, **changes}


class FakeClock(Clock):
    """Time passes only while something waits. The jitter is always the maximum."""

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
    """One of the three ways to use the client: sync, asyncio and trio. One test can run with all of them."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name

    def run(self, action: Callable[[Any], Any], **options: Any) -> Any:
        """Opens a client, and returns the result of `action(client)`. If that is awaitable, it is awaited."""
        if self.name == "sync":
            with ImdsClient(**options) as client:
                return action(client)

        async def main() -> Any:
            async with AsyncImdsClient(**options) as client:
                result = action(client)
                return await result if isinstance(result, Awaitable) else result

        return anyio.run(main, backend=self.name)

    def error(self, action: Callable[[Any], Any], **options: Any) -> Exception:
        """Returns the exception that `action` raises."""
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
    """A transport that returns the answers in order and then repeats the last one. It stores the requests."""

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
            # A new response each time, because a body can be read only once.
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(request)


#: The header that identifies a response of IMDS.
SERVER = "IMDS/150.870.65.1854"


def answer(status: int, body: Any = None, **headers: str) -> httpx.Response:
    """Returns a response of IMDS with a JSON body, or with `body` itself if it is text or bytes.

    Underscores in the names of headers become dashes. `server=""` omits the header that identifies IMDS.
    """
    named = {name.replace("_", "-"): value for name, value in {"server": SERVER, **headers}.items() if value}
    if isinstance(body, (str, bytes)) or body is None:
        return httpx.Response(status, content=body, headers=named)
    return httpx.Response(status, json=body, headers=named)


def ok() -> httpx.Response:
    return answer(200, token())


@contextmanager
def raw_server(handle: Callable[[socket.socket], None], connections: int = 1000) -> Iterator[str]:
    """Runs a TCP server on loopback that calls `handle` for each connection. Yields its URL."""
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
        # close() does not interrupt an accept() in another thread.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(timeout=5)


def read_request(connection: socket.socket) -> bytes:
    """Reads and returns one request up to the end of its headers."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            break
        data += chunk
    return data


def list_errors(error: BaseException) -> Sequence[BaseException]:
    """Returns an exception with all its causes and contexts."""
    found: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is not None and one not in found:
            found.append(one)
            todo += [one.__cause__, one.__context__]
    return found


def list_foreign(error: BaseException) -> Sequence[BaseException]:
    """Returns the causes and contexts of an exception, except for an error of the operating system without any data."""
    cause = error.__cause__
    is_plain = (
        isinstance(error, ImdsUnavailableError)
        and type(cause) in (type(OSError(cause.errno, "")), socket.gaierror)
        and cause.args == (cause.errno, cause.strerror)
        and (cause.filename, cause.filename2, cause.__traceback__) == (None, None, None)
        and not vars(cause)
        if isinstance(cause, OSError)
        else False
    )
    return [one for one in list_errors(error) if one is not error and not (is_plain and one is cause)]


def reply(status: int, body: bytes | str = b"", *headers: str, length: int | None = None) -> bytes:
    """Returns the bytes of a response of IMDS.

    Args:
        status: the status code.
        body: the body.
        headers: further headers, such as "Connection: close". A `Server` replaces that of IMDS.
        length: the Content-Length, if it differs from the length of the body. A negative length omits the header.
    """
    content = body.encode() if isinstance(body, str) else body
    if not any(header.lower().startswith("server:") for header in headers):
        headers = (f"Server: {SERVER}", *headers)
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
    """A handler for `raw_server`. It sends the answers in order and then repeats the last one. It stores the requests.

    After an answer with `Connection: close`, it closes the connection.
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
        """Returns the headers of one request, with names in lower case. A repeated header is repeated here."""
        lines = self.requests[index].decode().split("\r\n\r\n")[0].split("\r\n")[1:]
        return [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]

    def header(self, name: str, index: int = -1) -> str | None:
        """Returns the value of a header, or None. A repeated header fails the test."""
        values = [value for known, value in self.headers(index) if known == name.lower()]
        assert len(values) < 2, f"{name} was sent {len(values)} times"
        return values[0] if values else None

    def target(self, index: int = -1) -> str:
        """Returns the target of the request line."""
        return self.requests[index].split(b" ", 2)[1].decode()


def python(code: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs code in a new Python process, in which warnings are errors."""
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", *options, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        # Without coverage, which imports modules: tests look at the modules that the code imports.
        env={**os.environ, "COVERAGE_PROCESS_CONFIG": "", **environment},
    )


def run_program(
    command: Sequence[str | Path], *, timeout: float = 600, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Runs a program that starts processes of its own. At the end, all of them are killed, also after a failure."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    with subprocess.Popen(command, text=True, start_new_session=True, **options) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def collect_texts(error: BaseException) -> str:
    """Returns everything that can be printed of an exception: texts, attributes, and tracebacks with locals."""
    parts: list[str] = []
    for one in list_errors(error):
        parts += [str(one), repr(one), repr(one.args), *map(repr, vars(one).values())]
        trace = traceback.TracebackException.from_exception(one, capture_locals=True)
        parts += trace.format()
    return "\n".join(parts)


def find_reachable(*roots: object) -> Iterable[object]:
    """Yields all objects that can be reached from some objects, through members and local variables.

    Modules, classes, functions and the frames of tests, which have the secrets anyway, are left out.
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


def find_secret(secret: str, *roots: object) -> list[str]:
    """Returns the types of all reachable objects that contain a secret."""
    data = secret.encode()
    found: list[str] = []
    for one in find_reachable(*roots):
        if isinstance(one, str):
            hit = secret in one
        elif isinstance(one, (bytes, bytearray)):
            hit = data in one
        else:
            continue
        if hit:
            found.append(f"{type(one).__name__} of {len(one)}")
    return found
