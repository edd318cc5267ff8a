"""Exceptions from outside in the middle of a call: none of them contains a token, a key or a body."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from azure_imds import AsyncImdsClient, ImdsClient
from azure_imds._client import answer, arc, async_client, call, client, success
from azure_imds._sensitive import strip_sensitive
from injection import injected, shown
from support import CANARY, CLIENT_ID, RESOURCE, Colour, FakeClock, Script, Wire, ok, raw_server, reply, token
from support import answer as response

KEY = "canary-KEY-that-must-not-show"


class Alarm(Exception):
    """What a signal handler raises."""


#: Between two lines, a socket or a generator of httpx may not be closed yet. The garbage collector closes it.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

EXCEPTIONS: list[Callable[[], BaseException]] = [KeyboardInterrupt, Alarm, TimeoutError]

#: Functions that handle a response, a key or a result.
SHARED: list[Any] = [
    answer._Body.__init__,
    answer._Body.add,
    answer._Body.outcome,
    call.Call.next_request,
    call.Call.next_step,
    call.Call._after_success,
    success.read_success,
    success._other_identity,
]
SYNC: list[Any] = [answer.exchange, client.ImdsClient._perform, client.ImdsClient._run, *SHARED]
ASYNC: list[Any] = [answer.aexchange, async_client.AsyncImdsClient._perform, async_client.AsyncImdsClient._run, *SHARED]
ARC: list[Any] = [
    call.Call._after_challenge,
    call.Call.next_request,
    call.Call.next_step,
    arc.answer_challenge,
    arc._path_problem,
    arc._read_key,
]


def ask(colour: Colour, transport: Any = None, **options: Any) -> Any:
    """Gets a token of a user-assigned identity."""
    action = lambda imds: imds.identity.get_token(resource=RESOURCE, client_id=CLIENT_ID)  # noqa: E731
    return colour.run(action, transport=transport, clock=FakeClock(), **options)


def granted() -> httpx.Response:
    return response(200, token(client_id=CLIENT_ID))


class Made(httpx.MockTransport):
    """A transport that creates each response when it is needed, and stores neither responses nor requests."""

    def __init__(self, make: Callable[[httpx.Request], httpx.Response]) -> None:
        super().__init__(lambda request: make(request))


@pytest.mark.integration
@pytest.mark.parametrize("exception", EXCEPTIONS, ids=lambda one: one.__name__)
def test_an_exception_at_any_line_shows_no_token(colour: Colour, exception: Callable[[], BaseException]) -> None:
    functions = SYNC if colour.name == "sync" else ASYNC
    places = 0
    for place, error in injected(lambda: ask(colour, Made(lambda _: granted())), exception, *functions):
        places += 1
        assert shown(CANARY, error) == [], place
    assert places > 40


@pytest.mark.integration
@pytest.mark.parametrize("exception", [KeyboardInterrupt, Alarm], ids=lambda one: one.__name__)
def test_an_exception_at_any_line_shows_no_token_over_the_network(
    colour: Colour, exception: Callable[[], BaseException]
) -> None:
    functions = SYNC if colour.name == "sync" else ASYNC
    body = granted().content
    with raw_server(Wire(reply(200, body, "Connection: close"))) as endpoint:
        for place, error in injected(lambda: ask(colour, endpoint=endpoint), exception, *functions):
            assert shown(CANARY, error) == [], place


@pytest.mark.integration
@pytest.mark.parametrize("exception", EXCEPTIONS, ids=lambda one: one.__name__)
def test_an_exception_at_any_line_shows_no_key(
    colour: Colour, exception: Callable[[], BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_IMDS_ARC_TOKEN_DIR", str(tmp_path))
    (tmp_path / "a.key").write_text(KEY)

    def agent(request: httpx.Request) -> httpx.Response:
        if "authorization" in request.headers:
            return granted()
        return response(401, b"", www_authenticate=f"Basic realm={tmp_path}/a.key")

    def get_token() -> None:
        ask(colour, Made(agent), endpoint="http://127.0.0.1:1")

    for place, error in injected(get_token, exception, *ARC):
        assert shown(KEY, error) == [], place
        assert shown(CANARY, error) == [], place


@pytest.mark.parametrize("exception", [KeyboardInterrupt, Alarm], ids=lambda one: one.__name__)
def test_an_exception_while_an_error_is_mapped_shows_no_secret(
    colour: Colour, exception: Callable[[], BaseException]
) -> None:
    refused = Made(lambda _: response(400, {"error": "x", "access_token": CANARY}))
    functions = [call.Call._after_error_status, call.Call.next_step, answer._Body.outcome]
    for place, error in injected(lambda: colour.error(asks, transport=refused), exception, *functions):
        assert shown(CANARY, error) == [], place


def asks(imds: Any) -> Any:
    return imds.identity.get_token(resource=RESOURCE)


# Exceptions of the caller's own objects


class BrokenStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that raises after its first part."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        yield granted().content
        raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield granted().content
        raise self._error


class BrokenTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that raises while it holds a token."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        held = granted().json()["access_token"]
        assert held
        raise self._error from ConnectionResetError(104, "reset")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


class BrokenClock(FakeClock):
    """A clock that raises when the time of a response is checked."""

    def __init__(self, error: BaseException, calls: int) -> None:
        super().__init__()
        self._error = error
        self._calls = calls

    def monotonic(self) -> float:
        self._calls -= 1
        if not self._calls:
            raise self._error
        return super().monotonic()


def stream(error: BaseException) -> dict[str, Any]:
    return {"transport": Made(lambda _: httpx.Response(200, stream=BrokenStream(error)))}


def transport(error: BaseException) -> dict[str, Any]:
    return {"transport": BrokenTransport(error)}


def clock(calls: int) -> Callable[[BaseException], dict[str, Any]]:
    return lambda error: {"transport": Made(lambda _: ok()), "clock": BrokenClock(error, calls)}


SOURCES = {"stream": stream, "transport": transport, **{f"clock {n}": clock(n) for n in range(1, 6)}}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("exception", [KeyboardInterrupt, SystemExit, Alarm, ValueError], ids=lambda one: one.__name__)
def test_an_exception_of_the_caller_s_own_parts_shows_no_token(
    colour: Colour, source: Callable[[BaseException], dict[str, Any]], exception: type[BaseException]
) -> None:
    raised = exception("from outside")
    with pytest.raises(exception) as caught:
        colour.run(asks, **source(raised))
    assert caught.value is raised
    assert shown(CANARY, raised) == []
    text = "".join(traceback.TracebackException.from_exception(raised, capture_locals=True).format())
    assert CANARY not in "".join(part for part in text.split("  File ") if "/tests/" not in part.partition("\n")[0])


def test_a_note_says_where_an_exception_of_the_caller_s_transport_was_raised(colour: Colour) -> None:
    raised = ValueError("from outside")
    with pytest.raises(ValueError, match="from outside"):
        colour.run(asks, transport=BrokenTransport(raised))
    [note] = raised.__notes__
    assert "test_interruptions.py" in note
    assert "in handle_request" in note
    assert isinstance(raised.__cause__, ConnectionResetError)


def test_the_exception_that_a_program_was_handling_stays_the_context(colour: Colour) -> None:
    outer = LookupError("the program's own")
    failing = Script(response(400, {"error": "x"}))
    try:
        raise outer
    except LookupError:
        error = colour.error(asks, transport=failing)
    if colour.name == "sync":
        assert error.__context__ is outer
    assert CANARY not in repr(error)


def test_the_exception_that_a_coroutine_was_handling_stays_the_context() -> None:
    import anyio

    outer = LookupError("the program's own")

    async def main() -> BaseException:
        async with AsyncImdsClient(transport=Script(response(400, {"error": "x"}))) as imds:
            try:
                raise outer
            except LookupError:
                try:
                    await asks(imds)
                except Exception as error:
                    return error
        raise AssertionError

    assert anyio.run(main).__context__ is outer


def test_the_traceback_of_an_error_starts_in_the_boundary_frame() -> None:
    with pytest.raises(Exception, match="answered 400") as caught:
        asks(ImdsClient(transport=Script(response(400, {"error": "x"}))))
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names[-3:] == ["asks", "get_token", "_send"]


# The function that strips


def failing(error: BaseException) -> None:
    secret = CANARY
    assert secret
    raise error


def bounded(action: Callable[[], None]) -> None:
    try:
        action()
    except BaseException as error:
        raise strip_sensitive(error)  # noqa: B904


def test_an_exception_group_is_stripped_with_its_members() -> None:
    member = ValueError("member")
    with pytest.raises(ValueError, match="member"):
        failing(member)
    with pytest.raises(ExceptionGroup):
        bounded(partial(failing, ExceptionGroup("group", [member])))
    assert member.__traceback__ is None


def test_causes_stay_without_their_frames() -> None:
    cause = OSError(111, "Connection refused")
    with pytest.raises(OSError, match="refused"):
        failing(cause)

    def chained() -> None:
        raise ValueError("outer") from cause

    with pytest.raises(ValueError, match="outer") as caught:
        bounded(chained)
    assert caught.value.__cause__ is cause
    assert cause.__traceback__ is None


def test_a_circle_of_causes_ends() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    with pytest.raises(ValueError, match="one"):
        bounded(partial(failing, one))


def test_a_second_boundary_adds_no_second_note() -> None:
    with pytest.raises(ValueError, match="x") as caught:
        bounded(lambda: bounded(partial(failing, ValueError("x"))))
    assert len(caught.value.__notes__) == 1
