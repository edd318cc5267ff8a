"""Exceptions of signal handlers and of other threads: they end a call with that very exception, at once."""

from __future__ import annotations

import functools
import json
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import anyio
import httpx
import pytest

import azure_imds
from azure_imds import AsyncImdsClient, EventWatcher, ImdsClient, ImdsError, RetryPolicy
from azure_imds._interruptions import is_interruption
from azure_imds_api.models.start_events_request import StartEventsRequest
from azure_imds_api.models.start_request import StartRequest
from events_support import Host, an_event
from injection import not_raised
from signal_support import (
    EXCEPTIONS,
    FOREVER,
    Alarm,
    LateError,
    by_class,
    ending,
    handled,
    inject,
    needs_signals,
    send_alarm,
    untraced,
    while_in,
)
from support import (
    RESOURCE,
    Colour,
    FakeClock,
    Script,
    Wire,
    answer,
    example,
    ok,
    raw_server,
    read_request,
    reply,
    token,
)
from transport_support import black_hole, on_linux, resolving_to

BODY = json.dumps(token()).encode()


def get_token(endpoint: str, **options: Any) -> Any:
    with ImdsClient(endpoint, **options) as imds:
        return imds.identity.get_token(resource=RESOURCE)


def is_available(endpoint: str) -> Any:
    with ImdsClient(endpoint) as imds:
        return imds.is_available(timeout=FOREVER)


class Held:
    """A server that sends the beginning of a response, and the rest when it is told to.

    Attributes:
        requests: the number of requests.
    """

    def __init__(self, beginning: bytes = b"", rest: bytes = b"") -> None:
        self.requests = 0
        self.go_on = threading.Event()
        self._beginning = beginning
        self._rest = rest

    def when_asked(self, action: Callable[[], object]) -> Callable[[], object]:
        """Makes an action that does nothing before the first request."""
        return lambda: self.requests and action()

    def refuse(self, request: httpx.Request) -> httpx.Response:
        """Waits like the server, in a transport."""
        self.requests += 1
        assert self.go_on.wait(FOREVER)
        raise httpx.ReadError("reset")

    def __call__(self, connection: socket.socket) -> None:
        while read_request(connection):
            self.requests += 1
            connection.sendall(self._beginning)
            assert self.go_on.wait(FOREVER)
            connection.sendall(self._rest)


@contextmanager
def held(beginning: bytes = b"", rest: bytes = b"") -> Iterator[tuple[str, Held]]:
    server = Held(beginning, rest)
    with raw_server(server) as endpoint:
        try:
            yield endpoint, server
        finally:
            server.go_on.set()


# A real signal in each phase of a call


@needs_signals
@on_linux
@by_class
def test_a_signal_while_it_connects(error: Exception) -> None:
    with black_hole() as (host, port), handled(error), while_in("connect", send_alarm):
        assert ending(lambda: get_token(f"http://{host}:{port}", timeout=FOREVER)) is error


@needs_signals
@by_class
def test_a_signal_while_it_sends(error: Exception) -> None:
    large = StartEventsRequest([StartRequest("00000000-0000-0000-0000-0000000000A1")])
    large["Padding"] = "x" * 10_000_000
    read = threading.Event()
    with raw_server(lambda _: (read.wait(FOREVER), None)[1]) as endpoint, ImdsClient(endpoint) as imds:
        with handled(error), while_in("_send", send_alarm):
            end = ending(lambda: imds.scheduled_events.start_events(body=large))
        read.set()
    assert end is error


@needs_signals
@by_class
@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nX: ", reply(200, b"{", length=100)])
@pytest.mark.parametrize("call", [get_token, is_available])
def test_a_signal_while_it_reads(error: Exception, beginning: bytes, call: Callable[[str], Any]) -> None:
    with held(beginning) as (endpoint, server), handled(error), while_in("_receive", server.when_asked(send_alarm)):
        assert ending(lambda: call(endpoint)) is error
    assert server.requests == 1


@needs_signals
@pytest.mark.parametrize(
    "error", [httpx.ReadError("alarm"), httpx.RemoteProtocolError("alarm"), ConnectionResetError()]
)
def test_a_signal_on_a_reused_connection_is_not_a_stale_connection(error: Exception) -> None:
    with held(rest=reply(200, BODY)) as (endpoint, server), ImdsClient(endpoint) as imds:
        server.go_on.set()
        imds.identity.get_token(resource=RESOURCE)
        server.go_on.clear()
        with handled(error), while_in("_receive", lambda: server.requests == 2 and send_alarm()):
            end = ending(lambda: imds.identity.get_token(resource=RESOURCE))
    assert end is error
    assert server.requests == 2


@needs_signals
@on_linux
@pytest.mark.parametrize("error", [httpx.ConnectError("alarm"), httpx.ConnectTimeout("alarm"), TimeoutError()])
def test_after_a_signal_no_further_address_is_tried(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(reply(200, BODY))
    with black_hole() as silent, raw_server(wire) as endpoint:
        resolving_to(monkeypatch, silent, ("127.0.0.1", int(endpoint.rpartition(":")[2])))
        with handled(error), while_in("connect", send_alarm):
            assert ending(lambda: get_token("http://imds.test", timeout=FOREVER)) is error
    assert wire.connections == 0


@needs_signals
@by_class
def test_a_signal_during_a_wait_between_attempts(error: Exception) -> None:
    wire = Wire(reply(503, b'{"error":"x"}', "Retry-After: 20"))
    with raw_server(wire) as endpoint, handled(error), while_in("sleep", send_alarm):
        assert ending(lambda: get_token(endpoint)) is error
    assert len(wire.requests) == 1


@needs_signals
@by_class
def test_a_signal_while_it_waits_until_imds_is_available(error: Exception) -> None:
    with ImdsClient("http://127.0.0.1:1") as imds, handled(error), while_in("sleep", send_alarm):
        assert ending(lambda: imds.wait_until_available(FOREVER)) is error


@needs_signals
@by_class
@pytest.mark.parametrize("way", ["transport", "http_client"])
def test_a_signal_while_a_caller_s_transport_reads(error: Exception, way: str) -> None:
    # httpx converts a TimeoutError to its own exception.
    given: Any = httpx.HTTPTransport() if way == "transport" else httpx.Client(trust_env=False)
    with given, held() as (endpoint, server), handled(error), while_in("read", server.when_asked(send_alarm)):
        assert ending(lambda: get_token(endpoint, **{way: given})) is error
    assert server.requests == 1


@needs_signals
@by_class
@pytest.mark.parametrize("function", ["_receive", "wait"])
def test_a_signal_ends_a_loop_over_a_watcher(error: Exception, function: str) -> None:
    document = reply(200, b'{"DocumentIncarnation":1,"Events":[]}')
    with held(document if function == "wait" else b"") as (endpoint, server), ImdsClient(endpoint) as imds:
        watcher = EventWatcher(imds, interval=FOREVER, resource=None)
        with handled(error), while_in(function, server.when_asked(send_alarm)):
            assert ending(lambda: list(watcher)) is error
    assert server.requests == 1


@needs_signals
@by_class
def test_a_signal_ends_run_while_handlers_are_running(error: Exception) -> None:
    begun, ended = threading.Event(), threading.Event()
    watcher: Any = EventWatcher(ImdsClient(transport=Host([an_event("A")])))

    @watcher.on("Reboot")
    def handler(*_: Any) -> None:
        begun.set()
        send_alarm()
        assert ended.wait(FOREVER)

    try:
        with handled(error), pytest.raises(type(error)) as caught:
            watcher.run()
    finally:
        ended.set()
    assert caught.value is error
    assert begun.is_set()


@needs_signals
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_signal_in_an_async_handler_ends_run(backend: str) -> None:
    error = TimeoutError("time limit")
    cancelled: list[str] = []

    async def main() -> None:
        watcher: Any = EventWatcher(AsyncImdsClient(transport=Host([an_event("A"), an_event("B")])))

        @watcher.on("Reboot")
        async def handler(change: Any, _: Any) -> None:
            if change.event.event_id == "B":
                signal.raise_signal(signal.SIGALRM)
            try:
                await anyio.sleep(FOREVER)
            finally:
                cancelled.append(change.event.event_id)

        await watcher.run()

    with handled(error), pytest.raises(TimeoutError) as caught:
        anyio.run(main, backend=backend)
    assert caught.value is error
    assert cancelled == ["A"]


@needs_signals
def test_a_signal_ends_asyncio_and_leaves_no_socket() -> None:
    error = TimeoutError("time limit")

    async def main(endpoint: str) -> None:
        async with AsyncImdsClient(endpoint) as imds:
            await imds.identity.get_token(resource=RESOURCE)

    with held() as (endpoint, server), handled(error), while_in("select", server.when_asked(send_alarm)):
        assert ending(lambda: anyio.run(main, endpoint)) is error
    assert server.requests == 1


def wait_for(server: Held) -> None:
    while not server.requests:
        pass


# Callers that share a request


@needs_signals
@by_class
def test_the_others_do_not_get_the_exception_of_an_interrupted_leader(error: Exception) -> None:
    document = reply(200, b'{"compute": {"name": "vm-0"}}')
    names: list[str] = []
    with held(rest=document) as (endpoint, server), ImdsClient(endpoint, cache=True) as imds:

        def follow() -> None:
            names.append(imds.instances.get_metadata().compute.name)

        threads = [threading.Thread(target=follow) for _ in range(5)]

        def start_the_others() -> None:
            if server.requests:
                for thread in threads:
                    if thread.ident is None:
                        thread.start()
                send_alarm()

        with handled(error), while_in("_receive", start_the_others):
            end = ending(imds.instances.get_metadata)
        server.go_on.set()
        for thread in threads:
            thread.join(FOREVER)
    assert end is error
    assert names == ["vm-0"] * 5


# Exceptions that another thread injects


@pytest.mark.parametrize("kind", [TimeoutError, LateError, Alarm, OSError, RuntimeError, ValueError])
@pytest.mark.parametrize("where", ["head", "body", "wait", "caller's transport"])
@untraced()
def test_an_injected_exception(kind: type[Exception], where: str) -> None:
    beginning = reply(200, BODY)[:-10] if where == "body" else b""
    rest = reply(503, b'{"error":"x"}') if where != "body" else BODY[-10:]
    caught: list[BaseException] = []
    with held(beginning, rest) as (endpoint, server):
        clock = FakeClock()
        options: dict[str, Any] = {"clock": clock}
        if where == "caller's transport":
            options["transport"] = httpx.MockTransport(server.refuse)
        if where == "wait":
            server.go_on.set()
            clock.sleep = lambda _: inject(threading.get_ident(), kind)  # type: ignore[method-assign]

        def job() -> None:
            try:
                get_token(endpoint, **options)
            except BaseException as error:
                caught.append(error)

        thread = threading.Thread(target=job)
        thread.start()
        if where != "wait":
            wait_for(server)
            inject(thread.ident or 0, kind)
            server.go_on.set()
        thread.join(FOREVER)
    assert [type(error) for error in caught] == [kind]
    assert server.requests == 1


@untraced()
def test_an_injected_exception_ends_a_watcher() -> None:
    caught: list[BaseException] = []
    with held(rest=reply(503, b'{"error":"x"}')) as (endpoint, server), ImdsClient(endpoint) as imds:

        def job() -> None:
            try:
                list(EventWatcher(imds, resource=None))
            except TimeoutError as error:
                caught.append(error)

        thread = threading.Thread(target=job)
        thread.start()
        wait_for(server)
        inject(thread.ident or 0, TimeoutError)
        server.go_on.set()
        thread.join(FOREVER)
    assert [type(error) for error in caught] == [TimeoutError]


# Between any two lines


def ask(**options: Any) -> Callable[[], Any]:
    def ask_sync() -> Any:
        with ImdsClient(clock=FakeClock(), **options) as imds:
            return imds.identity.get_token(resource=RESOURCE)

    return ask_sync


def ask_in(backend: str, **options: Any) -> Callable[[], Any]:
    async def main() -> Any:
        async with AsyncImdsClient(clock=FakeClock(), **options) as imds:
            return await imds.identity.get_token(resource=RESOURCE)

    return lambda: anyio.run(main, backend=backend)


def failing(action: Callable[[], Any]) -> Callable[[], Any]:
    """An action that may end with an error of this package."""

    def act() -> None:
        with suppress(ImdsError):
            action()

    return act


def retried() -> Script:
    return Script(
        answer(500, {"error": "x"}),
        httpx.ReadTimeout("late"),
        answer(404, "not JSON"),
        answer(429, {"error": "x"}, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
        ok(),
    )


def watched() -> None:
    host = Host([an_event("A")], [], httpx.ConnectError("refused"), [an_event("B", NotBefore="soon")])
    changes = iter(EventWatcher(ImdsClient(transport=host, clock=FakeClock())))
    assert [next(changes).kind for _ in range(3)] == ["added", "gone", "added"]


def single_values() -> None:
    script = Script(answer(400, {"error": "x"}), answer(200, "westeurope"))
    with ImdsClient(transport=script, clock=FakeClock(), cache=True) as imds:
        assert imds.get("compute/location") == "westeurope"


def availability() -> None:
    script = Script(httpx.ConnectError("refused"), answer(200, example("instance")))
    with ImdsClient(transport=script, clock=FakeClock()) as imds:
        assert not imds.is_available()
        imds.wait_until_available(30)


ACTIONS: dict[str, Callable[[str], Callable[[], Any]]] = {
    "a token": lambda _: ask(transport=Script(ok())),
    "retries": lambda _: ask(transport=retried()),
    "a refused connection": lambda _: failing(ask(endpoint="http://127.0.0.1:1")),
    "a connection": lambda endpoint: ask(endpoint=endpoint),
    "retries, asyncio": lambda _: ask_in("asyncio", transport=retried()),
    "retries, trio": lambda _: ask_in("trio", transport=retried()),
    "a connection, asyncio": lambda endpoint: ask_in("asyncio", endpoint=endpoint),
    "a connection, trio": lambda endpoint: ask_in("trio", endpoint=endpoint),
    "events": lambda _: watched,
    "single values": lambda _: single_values,
    "availability": lambda _: availability,
}


@pytest.mark.integration
@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # between two lines, a socket may not be closed yet
def test_an_exception_at_any_line_reaches_the_caller(name: str) -> None:
    with raw_server(Wire(reply(200, BODY, "Connection: close"))) as endpoint:
        assert [
            *not_raised(lambda: ACTIONS[name](endpoint), EXCEPTIONS, str(Path(str(azure_imds.__file__)).parent / "_"))
        ] == []


# What counts as an interruption


def caught(action: Callable[[], object]) -> Exception:
    try:
        action()
    except Exception as error:
        error.add_note(str(is_interruption(error)))
        return error
    raise AssertionError


def raise_(error: BaseException) -> None:
    raise error


class Handler:
    """A handler that is an object, whose class inherits the method."""

    def __call__(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        raise TimeoutError("from a method")

    def method(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        raise TimeoutError("from a method")


class Inherited(Handler):
    pass


def deleting(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise TimeoutError("without its arguments")


def replaced(*arguments: Any) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    raise TimeoutError("from a handler that is not set any more")


def deep(number: int, frame: FrameType | None) -> None:
    threading.Event().wait(0)
    queue.Queue[int]().get_nowait()


HANDLERS: dict[str, Any] = {
    "deletes its arguments": deleting,
    "replaces itself": replaced,
    "calls a library": deep,
    "lambda": lambda *_: raise_(TimeoutError("from a lambda")),
    "partial": functools.partial(lambda _, *__: raise_(TimeoutError("from a partial")), 1),
    "object": Handler(),
    "inherited": Inherited(),
    "method": Handler().method,
}


@needs_signals
@pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS)
def test_an_exception_of_any_handler_is_an_interruption(handler: Any) -> None:
    before = signal.signal(signal.SIGALRM, handler)
    try:
        error = caught(lambda: signal.raise_signal(signal.SIGALRM))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert error.__notes__ == ["True"]


def of_a_future() -> None:
    async def main() -> None:
        import asyncio

        future = asyncio.get_running_loop().create_future()
        future.set_exception(TimeoutError())
        await future

    anyio.run(main)


def of_a_generator() -> None:
    def generate() -> Iterator[int]:
        yield 1

    generator = generate()
    next(generator)
    generator.throw(TimeoutError())  # type: ignore[attr-defined]


ORDINARY: dict[str, Callable[[], object]] = {
    "raised": lambda: raise_(TimeoutError()),
    "of a socket": lambda: socket.create_connection(("127.0.0.1", 1)),
    "of a parser": lambda: json.loads("{"),
    "of an enumeration": lambda: signal.Signals(0),
    "of a future": of_a_future,
    "of a generator": of_a_generator,
}


@pytest.mark.parametrize("action", ORDINARY.values(), ids=ORDINARY)
def test_an_ordinary_exception_is_no_interruption(action: Callable[[], object]) -> None:
    assert caught(action).__notes__ == ["False"]


def test_an_exception_of_another_thread_is_an_interruption() -> None:
    def wait() -> None:
        inject(threading.get_ident(), TimeoutError)
        sys.getrecursionlimit()

    assert caught(wait).__notes__ == ["True"]


def test_a_caller_s_transport_that_limits_its_own_time_is_retried(colour: Colour) -> None:
    class Limited(httpx.BaseTransport, httpx.AsyncBaseTransport):
        attempts = 0

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            self.attempts += 1
            raise TimeoutError

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.attempts += 1
            with anyio.fail_after(0):
                await anyio.sleep(1)
            raise AssertionError

    transport = Limited()
    error = colour.error(
        lambda imds: imds.identity.get_token(resource=RESOURCE),
        transport=transport,
        clock=FakeClock(),
        retry=RetryPolicy(attempts=3),
    )
    assert isinstance(error, ImdsError)
    assert transport.attempts == 3
