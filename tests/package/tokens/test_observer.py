"""`observer=` of a credential: one call for each `get_token`, and one for each refresh in the background."""

from __future__ import annotations

import copy
import os
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from azure_imds import AsyncImdsCredential, ImdsAuth, ImdsClient, ImdsCredential, ImdsValidationError, ObservedCall
from azure_imds._tokens.shared_cache import SharedCache
from injection import injected, shown
from support import CANARY, Colour, find_secret
from token_support import DAY, DOWN, HOUR, SCOPE, Clocks, Gate, Imds, holding

NONE = lambda call: None  # noqa: E731


def notice(call: ObservedCall) -> None:
    """An observer that can be pickled."""


def summary(call: ObservedCall) -> tuple[Any, ...]:
    return call.cached, call.refresh, call.waited_for, call.attempts, call.error_type


MISS = (False, "foreground", None, 1, None)
HIT = (True, None, None, 0, None)


def test_a_request_and_a_hit(colour: Colour) -> None:
    calls: list[ObservedCall] = []
    clock = Clocks()
    with holding(colour, transport=Imds(clock), clock=clock, observer=calls.append) as held:
        for _ in range(3):
            held.get_token()
            clock.advance(60)
    assert [summary(call) for call in calls] == [MISS, HIT, HIT]
    assert {call.operation for call in calls} == {"identity.get_token"}
    assert [call.status for call in calls] == [200, None, None]
    assert [call.method for call in calls] == ["GET", "", ""]


def test_a_call_tells_the_age_and_the_end_of_the_token(colour: Colour) -> None:
    calls: list[ObservedCall] = []
    clock = Clocks()
    with holding(colour, transport=Imds(clock), clock=clock, observer=calls.append) as held:
        ends = int(clock.time()) + DAY
        held.get_token()
        clock.advance(60)
        held.get_token()
    assert [(call.token_age, call.token_expires_on) for call in calls] == [(0.0, ends), (60.0, ends)]


def test_the_token_itself_is_not_seen(colour: Colour) -> None:
    calls: list[ObservedCall] = []
    with holding(colour, transport=Imds(suffix="-opaque"), observer=calls.append) as held:
        held.get_token()
        held.get_token()
    assert find_secret(CANARY, calls) == []


def test_a_forced_request(colour: Colour) -> None:
    calls: list[ObservedCall] = []
    with holding(colour, transport=Imds(), observer=calls.append) as held:
        held.get_token()
        held.get_token(claims="{}")
        held.get_token(force_refresh=True)
    assert [summary(call) for call in calls] == [MISS, MISS, MISS]


def test_a_refresh_in_the_background(colour: Colour) -> None:
    calls: list[ObservedCall] = []
    clock = Clocks()
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock, observer=calls.append) as held:
        held.get_token()
        clock.advance(DAY / 2 + HOUR)
        held.get_token()
        held.wait_for_refreshes()
        held.get_token()
    assert sorted(map(summary, calls[1:3])) == [(False, "background", None, 1, None), HIT]
    assert [summary(call) for call in (calls[0], calls[3])] == [MISS, HIT]
    assert calls[3].token_age == 0.0


def test_a_background_refresh_in_a_thread_of_its_own() -> None:
    """An asynchronous credential without a transport of the caller refreshes in a thread."""
    calls: list[ObservedCall] = []
    credential = AsyncImdsCredential(endpoint="http://127.0.0.1:9", retry=None, observer=calls.append)
    credential._refresh_in_thread("https://vault.azure.net")
    assert [(call.refresh, call.error_type) for call in calls] == [("background", "ImdsUnavailableError")]


def test_a_failed_refresh_in_the_background(colour: Colour) -> None:
    calls: list[ObservedCall] = []
    clock = Clocks()
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock, observer=calls.append, retry=None) as held:
        held.get_token()
        imds.failure = DOWN
        clock.advance(DAY / 2 + HOUR)
        held.get_token()
        held.wait_for_refreshes()
    assert sorted(map(summary, calls[1:]), key=str) == [
        (False, "background", None, 1, "ImdsUnavailableError"),
        HIT,
    ]


def test_callers_that_wait_for_another_one(colour: Colour) -> None:
    calls: list[ObservedCall] = []
    gate = Gate()
    imds = Imds()
    imds.gates = [gate]
    with holding(colour, transport=imds, observer=calls.append) as held:
        crowd = held.crowd(3)
        gate.wait_for()
        crowd.wait_until_joined()
        gate.open()
        crowd.results()
    assert sorted(map(summary, calls), key=str) == sorted([MISS, *[(False, None, "call", 0, None)] * 2], key=str)
    assert {call.token_expires_on for call in calls} != {None}


def test_those_that_wait_for_a_failure_fail_too(colour: Colour) -> None:
    calls: list[ObservedCall] = []
    gate = Gate()
    imds = Imds()
    imds.gates, imds.failure = [gate], DOWN
    with holding(colour, transport=imds, observer=calls.append, retry=None) as held:
        crowd = held.crowd(2)
        gate.wait_for()
        crowd.wait_until_joined()
        gate.open()
        crowd.results()
    assert {call.error_type for call in calls} == {"ImdsUnavailableError"}
    assert sorted((call.waited_for or "", call.attempts) for call in calls) == [("", 1), ("call", 0)]


def test_an_invalid_scope(colour: Colour) -> None:
    calls: list[ObservedCall] = []
    with holding(colour, transport=Imds(), observer=calls.append) as held:
        held.error(" ")
        held.error(SCOPE, SCOPE)
    assert [(call.error_type, call.attempts, call.refresh) for call in calls] == [("ImdsValidationError", 0, None)] * 2


def test_retries_are_attempts_of_one_call(colour: Colour) -> None:
    calls: list[ObservedCall] = []
    clock = Clocks()
    imds = Imds(clock)
    imds.failure = httpx.Response(503, json={"error": "x"})
    with holding(colour, transport=imds, clock=clock, observer=calls.append) as held:
        held.error()
    assert [(call.attempts, call.status, call.error_type) for call in calls] == [(6, 503, "ServerError")]


def test_a_hit_in_the_shared_cache(colour: Colour, tmp_path: Path) -> None:
    calls: list[ObservedCall] = []
    clock = Clocks()
    options = {"transport": Imds(clock), "clock": clock, "shared_cache": str(tmp_path), "observer": calls.append}
    with holding(colour, **options) as held:
        held.get_token()
    clock.advance(60)
    with holding(colour, **options) as held:
        held.get_token()
    assert [summary(call) for call in calls] == [MISS, HIT]
    assert calls[1].token_age == 60.0


def test_waiting_for_another_process(colour: Colour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock of another process: it is not free at the first try, and then there is a token."""
    calls: list[ObservedCall] = []
    clock = Clocks()
    options = {"clock": clock, "shared_cache": str(tmp_path), "observer": calls.append}
    tries: list[bool] = []

    def attempt(self: SharedCache, *arguments: Any) -> Any:
        tries.append(True)
        if len(tries) == 1:
            monkeypatch.setattr(SharedCache, "_try", original)
            ImdsCredential(transport=Imds(clock), clock=clock, shared_cache=str(tmp_path)).get_token(SCOPE)
            monkeypatch.setattr(SharedCache, "_try", attempt)
            return False, None
        return original(self, *arguments)

    original: Callable[..., Any] = SharedCache._try
    monkeypatch.setattr(SharedCache, "_try", attempt)
    imds = Imds(clock)
    with holding(colour, transport=imds, **options) as held:
        held.get_token()
    assert [summary(call) for call in calls] == [(False, None, "process", 0, None)]
    assert len(imds) == 0


def test_the_clients_observer_sees_the_calls_of_its_credential() -> None:
    calls: list[ObservedCall] = []
    with ImdsClient(transport=Imds(), observer=calls.append) as client:
        credential = ImdsCredential(client=client)
        credential.get_token(SCOPE)
        credential.get_token(SCOPE)
        client.identity.get_token(resource="https://vault.azure.net")
    assert [summary(call) for call in calls] == [MISS, HIT, (False, None, None, 1, None)]


def test_an_observer_and_a_client_cannot_be_combined() -> None:
    with ImdsClient(transport=Imds()) as client, pytest.raises(ImdsValidationError, match="client, observer"):
        ImdsCredential(client=client, observer=NONE)


@pytest.mark.parametrize("kind", [ImdsCredential, AsyncImdsCredential])
def test_a_wrong_observer(kind: Any) -> None:
    with pytest.raises(ImdsValidationError, match=r"^ImdsCredential: observer|^AsyncImdsCredential: observer"):
        kind(observer="print")


def test_auth_passes_its_observer_on() -> None:
    calls: list[ObservedCall] = []
    auth = ImdsAuth("https://vault.azure.net", transport=Imds(), observer=calls.append)
    service = httpx.MockTransport(lambda request: httpx.Response(200))
    with httpx.Client(auth=auth, transport=service, trust_env=False) as http:
        http.get("https://vault.azure.net")
        http.get("https://vault.azure.net")
    assert [summary(call) for call in calls] == [MISS, HIT]
    with pytest.raises(ImdsValidationError, match="ImdsAuth: observer must be a function"):
        ImdsAuth("https://vault.azure.net", observer=1)


@pytest.mark.parametrize("kind", [ImdsCredential, AsyncImdsCredential])
def test_a_credential_is_pickled_and_copied_with_its_observer(kind: Any) -> None:
    credential = kind(observer=notice)
    for made in (pickle.loads(pickle.dumps(credential)), copy.copy(credential)):
        assert made._client.options.observer is notice


def test_a_credential_whose_observer_cannot_be_pickled_cannot_either() -> None:
    with pytest.raises((AttributeError, pickle.PicklingError)):
        pickle.dumps(ImdsCredential(observer=lambda call: None))


def test_credentials_with_different_observers_have_different_texts() -> None:
    assert repr(ImdsCredential(observer=notice)) == repr(ImdsCredential(observer=notice))
    assert repr(ImdsCredential(observer=notice)) != repr(ImdsCredential(observer=NONE))
    assert "observer" not in repr(ImdsCredential())


def test_a_failing_observer_does_not_cost_the_token(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    def fail(call: ObservedCall) -> None:
        raise LookupError

    with holding(colour, transport=Imds(), observer=fail) as held:
        first, second = held.get_token(), held.get_token()
    assert first.token == second.token
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "observer test_a_failing_observer_does_not_cost_the_token.<locals>.fail failed; "
        "its later failures are not logged"
    ]


@pytest.mark.parametrize("is_stored", [False, True], ids=["request", "hit"])
def test_an_exception_at_any_line_shows_no_token(is_stored: bool) -> None:
    held: list[ImdsCredential] = []

    def action() -> None:
        credential = ImdsCredential(transport=httpx.MockTransport(imds.handle_request), observer=NONE)
        held[:] = [credential]
        if is_stored:
            credential.get_token(SCOPE)
        credential.get_token(SCOPE)

    imds = Imds()
    functions = [ImdsCredential.get_token, ImdsCredential._get, ImdsCredential._note_token]
    for place, error in injected(action, KeyboardInterrupt, *functions):
        assert shown(CANARY, error, *held) == [], place


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_reports_its_own_calls() -> None:
    calls: list[ObservedCall] = []
    credential = ImdsCredential(transport=Imds(), observer=calls.append)
    credential.get_token(SCOPE)
    child = os.fork()
    if not child:
        code = 1
        try:
            credential.get_token(SCOPE)
            code = 0 if [summary(call) for call in calls] == [MISS, HIT] else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(calls) == 1


def test_a_background_refresh_reports_in_its_own_thread() -> None:
    threads: dict[str | None, str] = {}
    clock = Clocks()

    def observer(call: ObservedCall) -> None:
        threads[call.refresh] = threading.current_thread().name

    with holding(Colour("sync"), transport=Imds(clock), clock=clock, observer=observer) as held:
        held.get_token()
        clock.advance(DAY / 2 + HOUR)
        held.get_token()
        held.wait_for_refreshes()
    assert threads["background"] == "azure-imds-refresh"
    assert threads["foreground"] == threads[None] == threading.current_thread().name
