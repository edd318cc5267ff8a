"""The cause of an error: what the operating system said, with its number, and nothing else."""

from __future__ import annotations

import copy
import errno
import os
import socket
import threading
from typing import Any

import httpx
import pytest

from azure_imds import (
    ImdsClient,
    ImdsCredential,
    ImdsTimeoutError,
    ImdsUnavailableError,
    RetryPolicy,
    ThrottledError,
)
from azure_imds._tokens.azure_identity import as_chain_error
from support import RESOURCE, Colour, FakeClock, Script, answer, get_token, list_foreign, raw_server
from token_support import Gate, Imds, holding
from transport_support import resets

REFUSED = errno.ECONNREFUSED


def cause_of(error: BaseException) -> OSError:
    assert isinstance(error, ImdsUnavailableError)
    assert list_foreign(error) == []
    assert isinstance(error.__cause__, OSError)
    return error.__cause__


def test_a_refused_connection_has_its_number(colour: Colour) -> None:
    cause = cause_of(colour.error(get_token, endpoint="http://127.0.0.1:1", retry=None))
    assert type(cause) is ConnectionRefusedError
    assert cause.args == (REFUSED, os.strerror(REFUSED))


def test_a_reset_connection_has_its_number(colour: Colour) -> None:
    with raw_server(resets) as endpoint:
        cause = cause_of(colour.error(get_token, endpoint=endpoint, retry=None))
    assert cause.errno in (errno.ECONNRESET, errno.EPIPE)


def test_an_unknown_name_has_the_number_of_the_resolver(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    cause = cause_of(colour.error(get_token, endpoint="http://imds.invalid", retry=None))
    assert type(cause) is socket.gaierror
    assert cause.errno == socket.EAI_NONAME


def test_nothing_but_the_number_of_a_caller_s_exception_is_kept(colour: Colour) -> None:
    class Detailed(ConnectionResetError):
        def __init__(self) -> None:
            super().__init__(errno.ECONNRESET, "a secret", "a secret path")
            self.request = httpx.Request("GET", "http://secret")

    failure = httpx.ReadError("failed")
    failure.__cause__ = Detailed()
    cause = cause_of(colour.error(get_token, transport=Script(failure), retry=None))
    assert cause.args == (errno.ECONNRESET, os.strerror(errno.ECONNRESET))


def test_a_timeout_of_the_operating_system_has_its_number(colour: Colour) -> None:
    failure = TimeoutError(errno.ETIMEDOUT, "Connection timed out")
    error = colour.error(get_token, transport=Script(failure), retry=None)
    assert isinstance(error, ImdsTimeoutError)
    assert cause_of(error).errno == errno.ETIMEDOUT


@pytest.mark.parametrize("failure", [httpx.ReadTimeout("late"), httpx.RemoteProtocolError("closed")])
def test_without_an_error_of_the_operating_system_there_is_no_cause(colour: Colour, failure: Exception) -> None:
    error = colour.error(get_token, transport=Script(failure), retry=None)
    assert isinstance(error, ImdsUnavailableError)
    assert error.__cause__ is None


def test_an_answer_before_the_failure_has_no_cause(colour: Colour) -> None:
    script = Script(answer(429, {"error": "x"}), ConnectionResetError(errno.ECONNRESET, "reset"))
    error = colour.error(get_token, transport=script, clock=FakeClock())
    assert isinstance(error, ThrottledError)
    assert error.__cause__ is None


def test_the_last_problem_of_a_wait_is_the_cause(colour: Colour) -> None:
    error = colour.error(lambda imds: imds.wait_until_available(3), endpoint="http://127.0.0.1:1", clock=FakeClock())
    assert cause_of(error).errno == REFUSED


def test_the_program_s_own_exception_stays_the_context() -> None:
    outer = LookupError("the program's own")
    with ImdsClient("http://127.0.0.1:1", retry=None) as imds:
        try:
            raise outer
        except LookupError:
            with pytest.raises(ImdsUnavailableError) as caught:
                imds.identity.get_token(resource=RESOURCE)
    assert caught.value.__context__ is outer
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


def test_each_caller_that_waited_has_a_cause_of_its_own(colour: Colour) -> None:
    imds, gate = Imds(), Gate()
    imds.gates, imds.failure = [gate], ConnectionRefusedError(REFUSED, "Connection refused")
    with holding(colour, transport=imds, retry=None) as credential:
        crowd = credential.crowd(5)
        gate.wait_for()
        crowd.wait_until_joined()
        gate.open()
        errors = crowd.results()
    causes = [cause_of(error) for error in errors]
    assert {cause.errno for cause in causes} == {REFUSED}
    assert len({id(cause) for cause in causes}) == 5


def test_each_thread_at_a_cold_cache_has_a_cause_of_its_own() -> None:
    gate, arrived = threading.Event(), threading.Semaphore(0)
    errors: list[Exception] = []

    def refuse(_: httpx.Request) -> httpx.Response:
        arrived.release()
        assert gate.wait(30)
        raise ConnectionRefusedError(REFUSED, "Connection refused")

    with ImdsClient(transport=httpx.MockTransport(refuse), cache=True, retry=None) as imds:

        def use() -> None:
            with pytest.raises(ImdsUnavailableError) as caught:
                imds.get("network")
            errors.append(caught.value)

        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert arrived.acquire(timeout=30)
        gate.set()
        for thread in threads:
            thread.join(30)
    causes = [cause_of(error) for error in errors]
    assert len({id(cause) for cause in causes}) == 4


def test_an_error_for_a_chain_of_azure_identity_keeps_its_cause() -> None:
    pytest.importorskip("azure.identity")
    options: Any = {"endpoint": "http://127.0.0.1:1", "retry": RetryPolicy(attempts=1)}
    with ImdsCredential(**options) as credential, pytest.raises(ImdsUnavailableError) as caught:
        credential.get_token(RESOURCE)
    assert cause_of(caught.value).errno == REFUSED
    assert cause_of(as_chain_error(caught.value)).errno == REFUSED
    assert copy.copy(caught.value).args == caught.value.args
