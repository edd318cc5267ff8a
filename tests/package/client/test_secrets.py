"""Tokens and keys appear nowhere: tests use a canary as the secret, and search all output for it."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import socket
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import httpx
import pytest

from azure_imds import AsyncImdsClient, ImdsClient, ImdsError
from azure_imds._client.call import Call
from azure_imds_api.api.identity import IDENTITY_GET_TOKEN
from support import (
    CANARY,
    CLIENT_ID,
    COLOURS,
    RESOURCE,
    Colour,
    Script,
    answer,
    collect_texts,
    find_secret,
    get_token,
    list_foreign,
    ok,
    raw_server,
    read_request,
    reply,
    token,
)

KEY = "canary-KEY-that-must-not-show"
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.CANARY"

TOKEN = json.dumps(token()).encode()
CLOSE = "Connection: close"

Handler = Callable[[socket.socket], None]
Action = Callable[[Any], Any]


def respond_with(*answers: bytes) -> Handler:
    """Returns a handler that sends the answers in order, on any connection."""
    left = list(answers)

    def handle(connection: socket.socket) -> None:
        while read_request(connection):
            said = left.pop(0) if len(left) > 1 else left[0]
            connection.sendall(said)
            if b"close" in said:
                return

    return handle


def then_silence(said: bytes) -> Handler:
    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(said)
        connection.recv(1)

    return handle


def challenged(*then: bytes, silent: bool = False, key: bytes = KEY.encode()) -> Callable[[Path], Handler]:
    """An agent that requires a key file, and its response to the key."""

    def make(folder: Path) -> Handler:
        (folder / "a.key").write_bytes(key)
        challenge = reply(401, "", f"WWW-Authenticate: Basic realm={folder}/a.key")

        def handle(connection: socket.socket) -> None:
            while request := read_request(connection):
                if b"uthorization: " not in request:
                    connection.sendall(challenge)
                elif silent:
                    connection.recv(1)
                elif not then:
                    return
                else:
                    connection.sendall(then[0])
                    if b"close" in then[0]:
                        return

        return handle

    return make


def plain(handler: Handler) -> Callable[[Path], Handler]:
    return lambda folder: handler


def ask_as(imds: Any) -> Any:
    return imds.identity.get_token(resource=RESOURCE, client_id=CLIENT_ID)


ESCAPED = TOKEN.replace(b"access_token", rb"\u0061ccess\u005ftoken")
LEFT_OVER = reply(200, TOKEN, length=40)

#: An opaque token (without the form of a JWT) in a text that a server may send back.
QUOTED = {
    "under accessToken": json.dumps({"error": "x", "accessToken": CANARY}),
    "under ACCESS_TOKEN": json.dumps({"error": "x", "ACCESS_TOKEN": CANARY}),
    "under Access-Token": f"Access-Token: {CANARY}",
    "percent-encoded": quote(TOKEN.decode()),
    "percent-encoded twice": quote(quote(f"error=x&access_token={CANARY}", safe=""), safe=""),
    "JSON within JSON": json.dumps({"error": "x", "error_description": TOKEN.decode()}),
    "JSON within JSON within JSON": json.dumps({"error": json.dumps({"sent": TOKEN.decode()})}),
    "JSON with escapes within JSON": json.dumps({"error": ESCAPED.decode()}),
    "JSON within XML": f"<Error><Detail>{escape(TOKEN.decode(), quote=True)}</Detail></Error>",
    "JSON within a form": "error=x&sent=" + quote(TOKEN.decode(), safe=""),
}

#: Every way to fail while a secret is in memory: the server, and the call.
FAILING: dict[str, tuple[Callable[[Path], Handler], Action]] = {
    "truncated": (plain(respond_with(reply(200, TOKEN[:-20], CLOSE))), get_token),
    "a list": (plain(respond_with(reply(200, b"[" + TOKEN + b"]", CLOSE))), get_token),
    "another member": (
        plain(respond_with(reply(200, TOKEN.replace(b"access_token", b"accessToken"), CLOSE))),
        get_token,
    ),
    "another type": (plain(respond_with(reply(200, json.dumps(token(access_token=[CANARY])), CLOSE))), get_token),
    "another status": (plain(respond_with(reply(203, TOKEN, CLOSE))), get_token),
    "another identity": (plain(respond_with(reply(200, TOKEN.replace(b"0003", b"0004"), CLOSE))), ask_as),
    "a page": (plain(respond_with(reply(200, b"<html>" + TOKEN, CLOSE))), get_token),
    "broken off": (plain(respond_with(reply(200, TOKEN, CLOSE, length=5000))), get_token),
    "a wrong chunk": (
        plain(
            respond_with(
                reply(200, b"4\r\n" + TOKEN + b"\r\n0\r\n\r\n", "Transfer-Encoding: chunked", CLOSE, length=-1)
            )
        ),
        get_token,
    ),
    "a chunk length that is the token": (
        plain(respond_with(reply(200, CANARY + "\r\n", "Transfer-Encoding: chunked", CLOSE, length=-1))),
        get_token,
    ),
    "late": (plain(then_silence(reply(200, TOKEN, length=5000))), get_token),
    "too large": (plain(respond_with(reply(200, TOKEN * 20_000, CLOSE, length=-1))), get_token),
    "in a header": (plain(respond_with(reply(401, "", f"WWW-Authenticate: Bearer {JWT}", CLOSE))), get_token),
    "in an error": (plain(respond_with(reply(400, TOKEN, CLOSE))), get_token),
    "in an error's text": (
        plain(
            respond_with(reply(400, json.dumps({"error": "x", "error_description": f"access_token={CANARY}"}), CLOSE))
        ),
        get_token,
    ),
    "a JWT in an error's text": (
        plain(respond_with(reply(500, json.dumps({"error": f"bad token {JWT}"}), CLOSE))),
        get_token,
    ),
    "in an error as XML": (plain(respond_with(reply(400, f"<access_token>{CANARY}</access_token>", CLOSE))), get_token),
    "in an error as a form": (plain(respond_with(reply(400, f"token_type=x&access_token={CANARY}", CLOSE))), get_token),
    "in an error in UTF-16": (plain(respond_with(reply(400, json.dumps(token()).encode("utf-16"), CLOSE))), get_token),
    "in an error in UTF-32": (plain(respond_with(reply(400, json.dumps(token()).encode("utf-32"), CLOSE))), get_token),
    "in an error with escapes": (plain(respond_with(reply(400, ESCAPED, CLOSE))), get_token),
    "in an error, in a header": (plain(respond_with(reply(400, "", f"X-Access-Token: {CANARY}", CLOSE))), get_token),
    **{
        f"in an error, {form}": (plain(respond_with(reply(400, body, CLOSE))), get_token)
        for form, body in QUOTED.items()
    },
    "in a redirect": (plain(respond_with(reply(302, TOKEN, "Location: /x", CLOSE))), get_token),
    "key of two lines": (challenged(b"", key=f"{KEY}\r\nX: y".encode()), get_token),
    "key with a blank": (challenged(b"", key=f"{KEY} ".encode()), get_token),
    "key too large": (challenged(b"", key=KEY.encode() * 200), get_token),
    "key not accepted": (challenged(reply(401, "", "WWW-Authenticate: Basic realm=/x")), get_token),
    "key, then an error": (challenged(reply(400, '{"error":"x"}')), get_token),
    "key, then the key": (challenged(reply(400, json.dumps({"error": f"bad {KEY}"}), f"X-Seen: {KEY}")), get_token),
    "key, then a page": (challenged(reply(502, f"<html>{KEY}</html>")), get_token),
    "key, then another identity": (challenged(reply(200, TOKEN.replace(b"0003", b"0004"))), ask_as),
    "key, then an end": (challenged(), get_token),
    "key, then silence": (challenged(silent=True), get_token),
    "key, then no HTTP": (challenged(f"{KEY}\r\n{CANARY}\r\n\r\nclose".encode()), get_token),
    "key, then half a body": (challenged(reply(200, TOKEN, CLOSE, length=5000)), get_token),
}
SECRETS = (CANARY, CANARY[-20:], KEY, JWT)


class Failure:
    """One failed call, and what it logged."""

    def __init__(self, name: str, colour: Colour, folder: Path) -> None:
        self.name = name
        self.records: list[logging.LogRecord] = []
        handler = logging.Handler()
        handler.emit = self.records.append  # type: ignore[method-assign]
        make, action = FAILING[name]
        seconds = 0.15 if name in ("late", "key, then silence") else 10
        with pytest.MonkeyPatch.context() as patch, raw_server(make(folder)) as endpoint, at_debug(handler):
            patch.setenv("AZURE_IMDS_ARC_TOKEN_DIR", str(folder))
            error = colour.error(action, endpoint=endpoint, retry=None, deadline=seconds)
        assert isinstance(error, ImdsError), repr(error)
        self.error = error


@contextmanager
def at_debug(handler: logging.Handler) -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


@pytest.fixture(
    scope="module",
    params=[(name, colour) for name in FAILING for colour in COLOURS],
    ids=lambda param: f"{param[0]}-{param[1]}",
)
def failure(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Failure:
    name, colour = request.param
    return Failure(name, colour, tmp_path_factory.mktemp("tokens"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AZURE_IMDS_ARC_TOKEN_DIR", str(tmp_path))
    return tmp_path


def test_an_error_shows_no_secret(failure: Failure) -> None:
    text = collect_texts(failure.error)
    for secret in SECRETS:
        assert secret not in text


def test_nothing_reachable_from_an_error_holds_a_secret(failure: Failure) -> None:
    for secret in SECRETS:
        assert find_secret(secret, failure.error) == []


def test_an_error_has_no_cause_or_context(failure: Failure) -> None:
    assert list_foreign(failure.error) == []


def test_a_pickled_error_holds_no_secret(failure: Failure) -> None:
    for one in (failure.error, copy.deepcopy(failure.error)):
        data = pickle.dumps(one)
        for secret in SECRETS:
            assert secret.encode() not in data


def test_a_failure_logs_no_secret(failure: Failure) -> None:
    assert any(record.name == "azure_imds" for record in failure.records)
    text = everything_logged(failure.records)
    for secret in SECRETS:
        assert secret not in text


def everything_logged(records: list[logging.LogRecord]) -> str:
    return "\n".join(f"{record.getMessage()} {record.args!r} {vars(record)!r}" for record in records)


def test_a_success_logs_no_secret_not_even_in_httpx_and_below(
    colour: Colour, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make = challenged(reply(200, TOKEN))
    with caplog.at_level(logging.DEBUG), raw_server(make(folder)) as endpoint:
        colour.run(get_token, endpoint=endpoint)
    assert {record.name for record in caplog.records} <= {"azure_imds", "asyncio"}, "httpx logs nothing at all"
    text = everything_logged(caplog.records)
    assert CANARY not in text
    assert KEY not in text


def test_a_success_warns_of_nothing(colour: Colour, folder: Path) -> None:
    with warnings.catch_warnings(record=True) as caught, raw_server(challenged(reply(200, TOKEN))(folder)) as endpoint:
        warnings.simplefilter("always")
        colour.run(get_token, endpoint=endpoint)
    assert [str(warning.message) for warning in caught] == []


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r}".format, "%s".__mod__, lambda value: f"{[value]}"])
def test_a_token_answer_hides_its_token(colour: Colour, show: Callable[[Any], str]) -> None:
    result = colour.run(get_token, transport=Script(answer(200, token(refresh_token=CANARY, extra=CANARY))))
    assert result.access_token == CANARY
    assert CANARY not in show(result)


def test_a_client_does_not_show_a_token_that_it_received() -> None:
    with ImdsClient(transport=Script(ok())) as imds:
        imds.identity.get_token(resource=RESOURCE)
        assert CANARY not in f"{imds!r} {imds} {imds.identity!r} {imds.http!r} {imds._options!r}"


def test_a_client_keeps_no_token() -> None:
    def granted(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(reply(200, TOKEN))

    with raw_server(granted) as endpoint, ImdsClient(endpoint) as imds:
        imds.identity.get_token(resource=RESOURCE)
        imds.with_options(cache=True).identity.get_token(resource=RESOURCE)
        assert find_secret(CANARY, imds) == []


def test_a_call_shows_nothing_of_its_result_or_its_key(folder: Path) -> None:
    (folder / "a.key").write_text(KEY)
    call = Call(ImdsClient("http://127.0.0.1:1")._options, IDENTITY_GET_TOKEN, {"resource": RESOURCE})
    call.next_request()
    call.next_step(answer(401, b"", www_authenticate=f"Basic realm={folder}/a.key"))
    assert KEY in str(call.next_request().headers.raw), "the key is on its way"
    assert KEY not in f"{call!r} {call} {call.next_request()!r} {call.next_request().headers!r}"
    call.next_step(answer(200, token()))
    assert CANARY not in f"{call!r} {call}"


def test_an_operation_s_request_shows_its_key_in_no_repr(folder: Path) -> None:
    shown: list[str] = []

    def look(request: httpx.Request) -> httpx.Response:
        shown.append(f"{request!r} {request.headers!r}")
        if "authorization" in request.headers:
            return answer(200, token())
        return answer(401, b"", www_authenticate=f"Basic realm={folder}/a.key")

    (folder / "a.key").write_text(KEY)
    ImdsClient("http://127.0.0.1:1", transport=httpx.MockTransport(look)).identity.get_token(resource=RESOURCE)
    assert len(shown) == 2
    assert KEY not in "".join(shown)


def test_bytes_left_in_a_connection_appear_in_no_later_error(colour: Colour) -> None:
    def twice(imds: Any) -> Any:
        if colour.name == "sync":
            for _ in range(2):
                error = Colour.error(Same(), lambda _: get_token(imds))
            return error

        async def main() -> Any:
            for _ in range(2):
                try:
                    await get_token(imds)
                except ImdsError as one:
                    error = one
            return error

        return main()

    class Same(Colour):
        def __init__(self) -> None:
            super().__init__("sync")

        def run(self, action: Callable[[Any], Any], **options: Any) -> Any:
            return action(None)

    with raw_server(respond_with(LEFT_OVER)) as endpoint:
        error = colour.run(twice, endpoint=endpoint, retry=None)
    assert CANARY[-20:] not in collect_texts(error)


# Exceptions that are not errors of this package


class Interrupted(httpx.SyncByteStream):
    def __init__(self, by: BaseException) -> None:
        self._by = by

    def __iter__(self) -> Any:
        yield TOKEN
        raise self._by


@pytest.mark.parametrize("by", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_the_middle_of_a_body_shows_none_of_it(by: type[BaseException]) -> None:
    transport = Script(lambda request: httpx.Response(200, stream=Interrupted(by())))
    with pytest.raises(by) as caught:
        ImdsClient(transport=transport).identity.get_token(resource=RESOURCE)
    text = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert CANARY[-20:] not in without_tests(text)


def without_tests(text: str) -> str:
    """A traceback without the frames of this file, which contains the canary as a constant."""
    return "\n".join(part for part in text.split("  File ") if "/tests/" not in part.partition("\n")[0])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancellation_in_the_middle_of_a_body_shows_none_of_it(backend: str) -> None:
    texts: list[str] = []

    async def main(endpoint: str) -> None:
        async with AsyncImdsClient(endpoint) as imds:
            with anyio.move_on_after(0.2):
                try:
                    await imds.identity.get_token(resource=RESOURCE)
                except BaseException as error:
                    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
                    texts.extend(trace.format())
                    raise

    with raw_server(then_silence(reply(200, TOKEN, length=5000))) as endpoint:
        anyio.run(main, endpoint, backend=backend)
    assert texts
    assert CANARY[-20:] not in "".join(texts)


def test_the_traceback_of_an_error_names_no_value_of_an_argument(colour: Colour) -> None:
    error = colour.error(lambda imds: imds.identity.get_token(resource=f"{KEY} "), transport=Script(ok()))
    assert KEY not in f"{error} {error!r} {vars(error)}"
