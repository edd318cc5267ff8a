"""No exception that leaves a call shows a token: not in its text, and not in the local variables of any frame.

Debuggers and error reporters show local variables. So an interrupt, a signal handler's exception, and an exception of a
caller's own transport, stream or clock must leave the frames behind that hold a token.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from azure_imds import AsyncImdsCredential, ImdsAuth, ImdsCredential, ImdsError
from azure_imds._client.single_flight import Attempt, PendingFetch, SingleFlight
from azure_imds._tokens.cache import Cache, Entry, read_entry, token_reader
from azure_imds._tokens.credential_base import CredentialBase
from azure_imds._tokens.httpx_auth import ImdsAuth as _ImdsAuth
from azure_imds._tokens.httpx_auth import _add_token
from azure_imds._tokens.shared_cache import SharedCache
from injection import injected, shown
from support import CANARY, Colour, answer, find_secret
from token_support import DAY, FOREVER, SCOPE, Clocks, Gate, Imds, holding, refreshers

NOW = 1_700_000_000
RESOURCE = "https://vault.azure.net"


class Interrupted(BaseException):
    """Like KeyboardInterrupt, which pytest would take as the user's."""


EXCEPTIONS = pytest.mark.parametrize("exception", [Interrupted, ArithmeticError])


class Calls:
    """What an application does with a credential, each time with a new one.

    Attributes:
        made: the credentials. Their caches hold tokens, and the application holds them.
    """

    def __init__(self, colour: Colour, folder: Path | None) -> None:
        self.colour = colour
        self.folder = folder
        self.made: list[Any] = []

    def __call__(self, *steps: Callable[[Any], Any], **options: Any) -> None:
        """Does these steps, and raises what leaves one of them."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            options["shared_cache"] = self.folder
        clock = options.setdefault("clock", Clocks(NOW))
        options.setdefault("transport", Imds(clock))
        if self.colour.name == "sync":
            credential: Any = ImdsCredential(**options)
            self.made.append(credential)
            for step in steps:
                step(credential)
            return

        async def main() -> BaseException | None:
            credential = AsyncImdsCredential(**options)
            self.made.append(credential)
            try:
                for step in steps:
                    result = step(credential)
                    if result is not None:
                        await result
            except BaseException as error:
                # Outside of the event loop, its own frames would show this test's coroutine.
                return error
            return None

        error = anyio.run(main, backend=self.colour.name)
        if error is not None:
            raise error


def ask(credential: Any) -> Any:
    return credential.get_token(SCOPE)


def force(credential: Any) -> Any:
    return credential.get_token(SCOPE, force_refresh=True)


def forget(credential: Any) -> None:
    """Removes the tokens from memory alone."""
    credential._cache.clear()


def clear(credential: Any) -> None:
    credential.clear()


def leaks(calls: Calls, action: Callable[[], object], exception: type[BaseException], *functions: Any) -> list[str]:
    """Raises an exception at each line of these functions. Returns where a token is shown."""
    found = []
    count = 0
    for place, error in injected(action, lambda: exception("injected"), *functions):
        count += 1
        found += [f"{place}: {where}" for where in shown(CANARY, error, *calls.made)]
    assert count
    return found


@pytest.mark.integration
@EXCEPTIONS
def test_an_exception_at_any_line_of_a_fetch_shows_no_token(colour: Colour, exception: type[BaseException]) -> None:
    calls = Calls(colour, None)
    kind = ImdsCredential if colour.name == "sync" else AsyncImdsCredential
    functions = [
        *(kind.get_token, kind._get, kind._fetch_once, kind._fetch, kind._shared_token),
        *(CredentialBase._find, CredentialBase._new_fetch, CredentialBase._stored_meanwhile),
        *(CredentialBase._read, CredentialBase._store, CredentialBase._client_since),
        *(read_entry, token_reader, Entry.valid, Entry.fresh),
        *(Cache.get, Cache.find, Cache.put, Cache.next_sequence),
        *(Attempt.__init__, Attempt.leads, Attempt.__exit__, Attempt.outcome),
        *(SingleFlight.join, SingleFlight.finish, PendingFetch.__init__),
    ]
    assert not leaks(calls, lambda: calls(ask, ask, ask, force), exception, *functions)


@pytest.mark.integration
# Between two lines, a file may not be closed yet. The garbage collector closes it.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@EXCEPTIONS
def test_an_exception_at_any_line_of_the_shared_cache_shows_no_token(
    colour: Colour, exception: type[BaseException], tmp_path: Path
) -> None:
    calls = Calls(colour, tmp_path / "tokens")
    kind = ImdsCredential if colour.name == "sync" else AsyncImdsCredential
    functions = [
        *(kind._fetch, kind._shared_token, CredentialBase._store),
        SharedCache.wait_for_token if colour.name == "sync" else SharedCache.await_token,
        *(SharedCache._try, SharedCache._read_unless, SharedCache._lock_file),
        *(SharedCache.read, SharedCache._parse, SharedCache.write, SharedCache._check_folder),
    ]
    assert not leaks(calls, lambda: calls(ask, forget, ask, force), exception, *functions)


@pytest.mark.integration
@EXCEPTIONS
def test_an_exception_at_any_line_of_clear_shows_no_token(
    colour: Colour, exception: type[BaseException], tmp_path: Path
) -> None:
    calls = Calls(colour, tmp_path / "tokens")
    functions = [CredentialBase.clear, Cache.clear, SingleFlight.clear, SharedCache.clear]
    assert not leaks(calls, lambda: calls(ask, clear), exception, *functions)


@EXCEPTIONS
def test_an_exception_while_an_expired_token_is_replaced_shows_neither(
    colour: Colour, exception: type[BaseException]
) -> None:
    calls = Calls(colour, None)
    kind = ImdsCredential if colour.name == "sync" else AsyncImdsCredential

    def action() -> None:
        clock = Clocks(NOW)
        calls(ask, ask, lambda _: clock.advance(DAY), ask, clock=clock)

    assert not leaks(calls, action, exception, kind.get_token, kind._get, kind._fetch_once, kind._fetch, Cache.get)


class FailingClock(Clocks):
    """Raises at one of its calls."""

    def __init__(self, at: int, error: BaseException) -> None:
        super().__init__(NOW)
        self.left = at
        self.error = error

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise self.error

    def time(self) -> float:
        self._count()
        return super().time()

    def monotonic(self) -> float:
        self._count()
        return super().monotonic()


# httpx leaves its generator of chunks behind, which trio reports.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:Async generator:ResourceWarning")
@EXCEPTIONS
@pytest.mark.parametrize("shared", [False, True], ids=["memory", "shared"])
def test_an_exception_of_a_callers_clock_shows_no_token(
    colour: Colour, exception: type[BaseException], shared: bool, tmp_path: Path
) -> None:
    calls = Calls(colour, tmp_path / "tokens" if shared else None)
    found: list[str] = []
    errors: list[BaseException] = []
    at, clock = 0, FailingClock(0, exception())
    while clock.left <= 0:  # until the clock is asked fewer times
        at += 1
        clock = FailingClock(at, exception("of the clock"))
        try:
            calls(ask, ask, forget, ask, force, ask, clock=clock, transport=Imds(Clocks(NOW)))
        except exception as error:
            errors.append(error)
            found += shown(CANARY, error, *calls.made)
    assert len(errors) > 10
    assert not found


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A token answer that fails after so many bytes."""

    def __init__(self, content: bytes, at: int, error: BaseException) -> None:
        self.content = content
        self.at = at
        self.error = error

    def __iter__(self) -> Iterator[bytes]:
        yield self.content[: self.at]
        raise self.error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.content[: self.at]
        raise self.error


@EXCEPTIONS
@pytest.mark.parametrize("share", [0.5, 0.99])
def test_an_exception_of_a_callers_stream_shows_no_token(
    colour: Colour, exception: type[BaseException], share: float
) -> None:
    imds = Imds(Clocks(NOW))
    usual = imds._reply

    def reply() -> httpx.Response:
        content = usual().content
        length = {"Content-Length": str(len(content))}
        return httpx.Response(200, headers=length, stream=Body(content, int(share * len(content)), exception("stream")))

    imds._reply = reply  # type: ignore[method-assign]
    calls = Calls(colour, None)
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        calls(ask, transport=imds, retry=None)
    assert not shown(CANARY, caught.value, *calls.made)


@EXCEPTIONS
def test_an_exception_of_a_callers_transport_shows_no_token_that_expired_before(
    colour: Colour, exception: type[BaseException]
) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    calls = Calls(colour, None)

    def end(_: Any) -> None:
        clock.advance(DAY)
        imds.failure = exception("of the transport")  # type: ignore[assignment]

    with pytest.raises(exception) as caught:
        calls(ask, ask, end, ask, transport=imds, clock=clock)
    assert not shown(CANARY, caught.value, *calls.made)


def test_an_exception_of_a_callers_transport_tells_where_it_was_raised(colour: Colour) -> None:
    imds = Imds()
    imds.failure = ArithmeticError("a bug in a transport")
    with pytest.raises(ArithmeticError, match="a bug in a transport") as caught:
        Calls(colour, None)(ask, transport=imds)
    (note,) = caught.value.__notes__
    assert "token_support.py" in note


def test_an_error_that_callers_share_has_no_frame_of_another_caller(colour: Colour) -> None:
    imds, gate = Imds(expires_on=None, expires_in=None), Gate()
    imds.gates = [gate]
    with holding(colour, transport=imds) as credential:
        crowd = credential.crowd(5)
        gate.wait_for()
        crowd.wait_until_joined()
        gate.open()
        errors = crowd.results()
        assert len({id(error) for error in errors}) == 5
        frames = [{id(trace.tb_frame) for trace in _traceback(error)} for error in errors]
        assert not [error for error in errors if shown(CANARY, error, credential.credential)]
    boundaries = [frame for found in frames for frame in found]
    assert len(boundaries) == len(set(boundaries))


def _traceback(error: BaseException) -> Iterator[Any]:
    """The entries of a traceback that are frames of ImdsCredential and AsyncImdsCredential."""
    trace = error.__traceback__
    while trace is not None:
        if "azure_imds" in trace.tb_frame.f_code.co_filename and "/tests/" not in trace.tb_frame.f_code.co_filename:
            yield trace
        trace = trace.tb_next


class Uncopyable(Exception):
    """copy.copy calls the class with `args`, which is one argument too few here."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


def test_an_error_that_copy_cannot_copy_is_shared_as_well(colour: Colour) -> None:
    imds, gate = Imds(), Gate()
    imds.gates, imds.failure = [gate], Uncopyable("of a transport", 7)
    with holding(colour, transport=imds) as credential:
        crowd = credential.crowd(5)
        gate.wait_for()
        crowd.wait_until_joined()
        gate.open()
        errors = crowd.results()
    assert len(imds) == 1
    assert {(type(error), str(error), error.code) for error in errors} == {(Uncopyable, "of a transport", 7)}
    assert len({id(error) for error in errors}) == 5


def test_a_pending_fetch_keeps_no_frame_of_its_leader() -> None:
    flights: SingleFlight[str] = SingleFlight()
    with Attempt(flights, "key", threading.Event()) as attempt:
        assert attempt.leads()
        token = CANARY
        raise ImdsError(token.replace(CANARY, "text"))
    shared = attempt.pending.error
    assert isinstance(shared, ImdsError)
    assert (shared.__traceback__, shared.__cause__, shared.__context__) == (None, None, None)


def test_a_log_record_of_a_failed_refresh_holds_no_token(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.fields.update(expires_on=None, expires_in=None)
        credential.get_token()
        credential.wait_for_refreshes()
        (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert "lifetime is unknown" in record.getMessage()
        assert not find_secret(CANARY, record.__dict__)


@pytest.mark.integration
@EXCEPTIONS
def test_an_exception_at_any_line_of_a_refresh_shows_no_token(colour: Colour, exception: type[BaseException]) -> None:
    kind = ImdsCredential if colour.name == "sync" else AsyncImdsCredential
    calls = Calls(colour, None)

    def refresh(credential: Any) -> Any:
        return credential._refresh(RESOURCE)

    def action() -> None:
        clock = Clocks(NOW)
        calls(ask, lambda _: clock.advance(DAY / 2), refresh, clock=clock)

    functions = [kind._refresh, kind._fetch_once, kind._fetch, Cache.end_refresh, CredentialBase._early_refresh]
    assert not leaks(calls, action, exception, *functions)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("kind", [ImdsCredential, AsyncImdsCredential], ids=["sync", "async"])
def test_a_thread_that_ends_with_an_exception_shows_no_token(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[BaseException] = []
    monkeypatch.setattr(threading, "excepthook", lambda arguments: seen.append(arguments.exc_value))
    imds = Imds()
    usual = imds._reply

    def interrupt() -> httpx.Response:
        kept = usual()
        raise Interrupted(kept.status_code)

    imds._reply = interrupt  # type: ignore[method-assign]
    credential = kind(transport=imds)
    work = credential._refresh if kind is ImdsCredential else credential._refresh_in_thread
    credential._start_thread(work, RESOURCE)
    for thread in refreshers():
        thread.join(FOREVER)
    (error,) = seen
    assert isinstance(error, Interrupted)
    assert not shown(CANARY, error, credential)


class Requests:
    """Sends a request with `ImdsAuth`, whose service demands claims once.

    Attributes:
        held: objects that hold a token and that the application holds.
    """

    def __init__(self, colour: Colour) -> None:
        self.colour = colour
        self.held: list[Any] = []

    def __call__(self) -> None:
        kind: Any = ImdsCredential if self.colour.name == "sync" else AsyncImdsCredential
        credential = kind(transport=Imds())
        auth = ImdsAuth(RESOURCE, credential=credential)
        self.held += [credential, auth]
        challenged = []

        def service(request: httpx.Request) -> httpx.Response:
            if challenged:
                return httpx.Response(200)
            challenged.append(request)
            return httpx.Response(401, headers={"www-authenticate": 'Bearer claims="e30="'})

        transport = httpx.MockTransport(service)
        if self.colour.name == "sync":
            with httpx.Client(transport=transport, auth=auth) as client:
                self.held.append(client)
                client.get(RESOURCE)
            return

        async def main() -> BaseException | None:
            async with httpx.AsyncClient(transport=transport, auth=auth) as client:
                self.held.append(client)
                try:
                    await client.get(RESOURCE)
                except BaseException as error:
                    return error
            return None

        error = anyio.run(main, backend=self.colour.name)
        if error is not None:
            raise error


@pytest.mark.integration
@EXCEPTIONS
def test_an_exception_at_any_line_of_httpx_auth_shows_no_token(colour: Colour, exception: type[BaseException]) -> None:
    requests = Requests(colour)
    flow = _ImdsAuth.sync_auth_flow if colour.name == "sync" else _ImdsAuth.async_auth_flow
    found = []
    for place, error in injected(requests, lambda: exception("injected"), flow, _add_token):
        assert isinstance(error, exception), place
        found += [f"{place}: {where}" for where in shown(CANARY, error, *requests.held)]
    assert not found


def test_a_request_that_fails_holds_no_token(colour: Colour) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        assert CANARY in request.headers["Authorization"]
        raise httpx.ConnectError("refused")

    options: dict[str, Any] = {"transport": httpx.MockTransport(fail), "auth": ImdsAuth(RESOURCE, transport=Imds())}

    def send() -> None:
        if colour.name == "sync":
            with httpx.Client(**options) as client:
                client.get(RESOURCE)
            return

        async def main() -> None:
            async with httpx.AsyncClient(**options) as client:
                await client.get(RESOURCE)

        anyio.run(main, backend=colour.name)

    with pytest.raises(httpx.ConnectError) as caught:
        send()
    assert not find_secret(CANARY, caught.value.request.headers.raw)


def test_the_search_finds_a_token() -> None:
    # Otherwise the tests above would prove nothing.
    def leak() -> None:
        with httpx.Client(transport=httpx.MockTransport(lambda _: answer(200, {"token": CANARY}))) as client:
            client.get(RESOURCE).raise_for_status().json(cls=None, object_hook=lambda found: 1 / 0)

    with pytest.raises(ZeroDivisionError) as caught:
        leak()
    assert shown(CANARY, caught.value)
