"""`observer=`: a function that is called once for each call of a client, with the facts of the call."""

from __future__ import annotations

import asyncio
import copy
import copyreg
import functools
import logging
import pickle
import queue
import signal
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import anyio
import httpx
import pytest

from azure_imds import (
    AsyncImdsClient,
    BadRequestError,
    EventWatcher,
    ImdsClient,
    ImdsError,
    ImdsStatusError,
    ImdsUnavailableError,
    ImdsValidationError,
    NotFoundError,
    ObservedCall,
    RetryPolicy,
)
from azure_imds._client import client, observation
from injection import injected, shown
from support import (
    CANARY,
    CLIENT_ID,
    RESOURCE,
    Colour,
    FakeClock,
    Script,
    answer,
    example,
    find_secret,
    get_token,
    ok,
    python,
    raw_server,
    read_request,
    reply,
    token,
)

UNAVAILABLE = answer(503, {"error": "x"})
HOST = "http://169.254.169.254/metadata"

#: Calls of `notice`, which can be pickled.
noticed: list[ObservedCall] = []


def notice(call: ObservedCall) -> None:
    noticed.append(call)


def observed(
    colour: Colour, *answers: Any, action: Callable[[Any], Any] = get_token, **options: Any
) -> list[ObservedCall]:
    """What an observer sees of an action, which may fail."""
    calls: list[ObservedCall] = []
    options = {"transport": Script(*answers), "clock": FakeClock(), "observer": calls.append, **options}
    with suppress(ImdsError):
        colour.run(action, **options)
    return calls


def metadata(imds: Any) -> Any:
    return imds.instances.get_metadata()


def made() -> httpx.MockTransport:
    """A transport that stores neither responses nor requests."""
    return httpx.MockTransport(lambda request: ok())


# The facts


def test_a_success_is_one_call(colour: Colour) -> None:
    (call,) = observed(colour, ok())
    assert (call.operation, call.host, call.method) == ("identity.get_token", "azure", "GET")
    assert (call.status, call.attempts, call.cached) == (200, 1, False)
    assert (call.error, call.error_type) == (None, None)
    assert (call.waited_for, call.refresh) == (None, None)


def test_a_program_reads_the_request_id_of_a_success(colour: Colour) -> None:
    (call,) = observed(colour, answer(200, token(), x_ms_request_id="id-7"))
    assert call.request_id == "id-7"


def test_without_an_id_in_the_response_it_is_the_id_that_was_sent(colour: Colour) -> None:
    script = Script(UNAVAILABLE, ok())
    (call,) = observed(colour, transport=script)
    assert call.request_id == script.requests[1].headers["x-ms-client-request-id"]


def test_a_program_reads_a_header_of_a_success_in_any_case(colour: Colour) -> None:
    (call,) = observed(colour, answer(200, token(), X_Trace="blue"))
    assert call.headers["X-Trace"] == call.headers["x-trace"] == "blue"
    assert "X-TRACE" in call.headers


def test_the_url_has_no_query(colour: Colour) -> None:
    (call,) = observed(colour, ok())
    assert call.url == f"{HOST}/identity/oauth2/token"


def test_retries_are_attempts_of_one_call(colour: Colour) -> None:
    (call,) = observed(colour, UNAVAILABLE, httpx.ConnectError("refused"), ok())
    assert (call.attempts, call.status, call.error) == (3, 200, None)


def test_the_time_includes_the_waits(colour: Colour) -> None:
    (call,) = observed(colour, UNAVAILABLE, ok())
    assert call.started == 1_700_000_000.0
    assert call.elapsed == pytest.approx(1.8)


def test_an_error_is_that_of_the_caller(colour: Colour) -> None:
    (call,) = observed(colour, answer(404, {"error": "gone"}, x_ms_request_id="id-8"), retry=None, action=metadata)
    assert isinstance(call.error, NotFoundError)
    assert (call.error_type, call.status, call.request_id) == ("NotFoundError", 404, "id-8")
    assert (call.cached, call.attempts) == (False, 1)


def test_the_status_is_that_of_the_last_response(colour: Colour) -> None:
    (call,) = observed(colour, UNAVAILABLE, httpx.ConnectError("refused"), retry=RetryPolicy(attempts=2))
    assert (call.status, call.attempts, call.error_type) == (503, 2, "ServerError")


def test_without_a_response_there_is_no_status(colour: Colour) -> None:
    (call,) = observed(colour, httpx.ConnectError("refused"), retry=None)
    assert (call.status, call.error_type) == (None, "ImdsUnavailableError")
    assert dict(call.headers) == {}


def test_an_unreadable_success_has_its_status(colour: Colour) -> None:
    (call,) = observed(colour, answer(200, "no token"), retry=None)
    assert (call.status, call.error_type) == (200, "ImdsResponseError")


# Which calls


def test_an_invalid_argument_is_a_failed_call(colour: Colour) -> None:
    (call,) = observed(colour, ok(), action=lambda imds: imds.identity.get_token(resource=""))
    assert isinstance(call.error, ImdsValidationError)
    assert (call.operation, call.url, call.method, call.attempts) == ("identity.get_token", "", "", 0)


def test_a_call_of_a_disabled_client_is_a_failed_call(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_IMDS_DISABLED", "1")
    (call,) = observed(colour, ok())
    assert (call.error_type, call.attempts) == ("ImdsUnavailableError", 0)


def test_a_call_of_a_closed_client_is_a_failed_call() -> None:
    imds = ImdsClient(observer=(calls := []).append)
    imds.close()
    with pytest.raises(ImdsError):
        get_token(imds)
    assert [call.error_type for call in calls] == ["ImdsError"]


def test_each_sibling_has_its_observer(colour: Colour) -> None:
    others: list[ObservedCall] = []
    sibling = lambda imds: metadata(imds.with_options(observer=others.append))  # noqa: E731
    assert observed(colour, answer(200, example("instance")), action=sibling) == []
    assert len(others) == 1
    none = lambda imds: metadata(imds.with_options(observer=None))  # noqa: E731
    assert observed(colour, answer(200, example("instance")), action=none) == []
    same = lambda imds: metadata(imds.with_options(deadline=3))  # noqa: E731
    assert len(observed(colour, answer(200, example("instance")), action=same)) == 1


def test_get_of_a_leaf_is_one_call_of_two_requests(colour: Colour) -> None:
    refused = answer(400, {"error": "Bad request. api-version is invalid or format is not supported"})
    text = httpx.Response(200, headers={"server": "IMDS/1", "content-type": "text/plain"}, text="westeurope")
    calls = observed(colour, refused, text, action=lambda imds: imds.get("compute/location"))
    assert [(call.operation, call.attempts, call.status, call.error) for call in calls] == [("get", 2, 200, None)]
    assert calls[0].url == f"{HOST}/instance/compute/location"


def test_get_of_a_wrong_path_is_a_failed_call(colour: Colour) -> None:
    (call,) = observed(colour, ok(), action=lambda imds: imds.get("../x"))
    assert (call.operation, call.error_type) == ("get", "ImdsValidationError")


def test_the_list_of_versions_belongs_to_the_call_that_needs_it(colour: Colour) -> None:
    versions = answer(200, example("versions"))
    (call,) = observed(colour, versions, answer(200, example("instance")), action=metadata, api_version="newest")
    assert (call.operation, call.attempts, call.url) == ("instances.get_metadata", 2, f"{HOST}/instance")


def test_a_cached_response_is_a_call_without_requests(colour: Colour) -> None:
    def action(imds: Any) -> Any:
        if colour.name == "sync":
            return [metadata(imds) for _ in range(2)]

        async def twice() -> None:
            for _ in range(2):
                await metadata(imds)

        return twice()

    first, second = observed(
        colour, answer(200, example("instance"), x_ms_request_id="id-1"), action=action, cache=True
    )
    assert (first.cached, first.attempts) == (False, 1)
    assert (second.cached, second.attempts, second.status, second.request_id) == (True, 0, 200, "id-1")
    assert second.url == f"{HOST}/instance"


def test_a_call_that_waits_for_another_one_sends_nothing() -> None:
    calls: list[ObservedCall] = []

    async def main() -> None:
        release = anyio.Event()

        async def respond(request: httpx.Request) -> httpx.Response:
            await release.wait()
            return answer(200, example("instance"))

        async with (
            AsyncImdsClient(transport=httpx.MockTransport(respond), cache=True, observer=calls.append) as imds,
            anyio.create_task_group() as group,
        ):
            for _ in range(3):
                group.start_soon(metadata, imds)
            await anyio.wait_all_tasks_blocked()
            release.set()

    anyio.run(main)
    assert sorted((call.attempts, call.waited_for, call.cached) for call in calls if call.attempts) == [
        (1, None, False)
    ]
    followers = [(call.waited_for, call.cached, call.status) for call in calls if not call.attempts]
    assert followers == [("call", False, 200)] * 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_call_that_waited_for_a_cancelled_one_sends_a_request_itself(backend: str) -> None:
    calls: list[ObservedCall] = []

    async def run() -> None:
        asked, requests = anyio.Event(), 0

        async def respond(request: httpx.Request) -> httpx.Response:
            nonlocal requests
            requests += 1
            if requests == 1:
                asked.set()
                await anyio.sleep_forever()
            return answer(200, example("instance"))

        first = anyio.CancelScope()
        imds = AsyncImdsClient(transport=httpx.MockTransport(respond), cache=True, observer=calls.append)

        async def be_cancelled() -> None:
            with first:
                await metadata(imds)

        async with imds, anyio.create_task_group() as tasks:
            tasks.start_soon(be_cancelled)
            await asked.wait()
            tasks.start_soon(metadata, imds)
            await anyio.wait_all_tasks_blocked()
            first.cancel()

    anyio.run(run, backend=backend)
    assert [(call.attempts, call.waited_for, call.status) for call in calls] == [(1, None, None), (1, None, 200)]


def test_each_poll_of_a_watcher_is_a_call() -> None:
    calls: list[ObservedCall] = []
    script = Script(answer(200, example("scheduledevents-scheduled")))
    with ImdsClient(transport=script, clock=FakeClock(), observer=calls.append) as imds:
        watcher = EventWatcher(imds, resource=None)
        next(iter(watcher))
    assert [call.operation for call in calls] == ["scheduled_events.get_events"]


def test_a_cancelled_call_is_reported_without_an_error() -> None:
    calls: list[ObservedCall] = []

    async def never(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    async def main() -> None:
        async with AsyncImdsClient(transport=httpx.MockTransport(never), observer=calls.append) as imds:
            task = asyncio.create_task(imds.versions.get_versions())
            await anyio.wait_all_tasks_blocked()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    anyio.run(main)
    assert [(call.error, call.error_type, call.attempts, call.cached) for call in calls] == [
        (None, "CancelledError", 1, False)
    ]


def test_an_abandoned_coroutine_is_not_reported() -> None:
    calls: list[ObservedCall] = []
    imds = AsyncImdsClient(transport=Script(ok()), observer=calls.append)
    coroutine = get_token(imds)
    with suppress(StopIteration, RuntimeError):
        coroutine.send(None)
    coroutine.close()
    assert [call.error_type for call in calls if call.error_type == "GeneratorExit"] == []


# What an observer cannot do


def test_the_observed_call_is_frozen(colour: Colour) -> None:
    (call,) = observed(colour, ok())
    with pytest.raises(AttributeError):
        call.status = 500  # type: ignore[misc]
    with pytest.raises(TypeError):
        call.headers["server"] = "x"  # type: ignore[index]


def test_a_change_of_the_error_does_not_reach_the_caller(colour: Colour) -> None:
    def change(call: ObservedCall) -> None:
        assert isinstance(call.error, ImdsStatusError)
        call.error.args = ("changed",)
        call.error.hint = "changed"
        call.error.response = None

    error = colour.error(
        get_token, transport=Script(answer(400, {"error": "x"})), clock=FakeClock(), retry=None, observer=change
    )
    assert isinstance(error, ImdsStatusError)
    assert "changed" not in f"{error} {error.hint}"
    assert error.response is not None


def test_a_library_that_replaces_how_errors_are_copied(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    """As tblib does, which distributed uses: copies keep their traceback, or are the same object."""
    copied: list[Exception] = []

    def share(error: Exception) -> Any:
        copied.append(error)
        return copied.pop, ()

    monkeypatch.setitem(copyreg.dispatch_table, BadRequestError, share)
    seen: list[ObservedCall] = []
    error = colour.error(
        get_token, transport=Script(answer(400, {"error": "x"})), clock=FakeClock(), retry=None, observer=seen.append
    )
    assert isinstance(error, BadRequestError)
    assert "?" in error.url
    assert seen[0].error is not error
    assert seen[0].error
    assert seen[0].error.__traceback__ is None


def test_the_callers_error_is_the_same_with_an_observer(colour: Colour) -> None:
    script = Script(answer(400, {"error": "x"}))
    without = colour.error(get_token, transport=script, clock=FakeClock(), retry=None)
    with_one = colour.error(get_token, transport=script, clock=FakeClock(), retry=None, observer=lambda call: None)
    assert (type(without), str(without)) == (type(with_one), str(with_one))
    assert with_one.__context__ is None


def fail(call: ObservedCall) -> None:
    raise LookupError("the observer is broken")


@pytest.mark.parametrize("response", [ok(), answer(400, {"error": "x"})], ids=["success", "error"])
def test_a_failing_observer_changes_nothing(response: httpx.Response, colour: Colour) -> None:
    def outcome(**options: Any) -> str:
        try:
            return repr(colour.run(get_token, transport=Script(response), clock=FakeClock(), retry=None, **options))
        except ImdsError as error:
            return repr(error)

    assert outcome(observer=fail) == outcome()


def test_the_failures_of_an_observer_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    with ImdsClient(transport=Script(ok()), observer=fail) as imds:
        get_token(imds)
        get_token(imds)
        get_token(imds.with_options(deadline=5))
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert (record.levelname, record.name) == ("ERROR", "azure_imds")
    assert record.getMessage() == "observer fail failed; its later failures are not logged"
    assert record.__dict__["operation"] == "identity.get_token"
    assert record.exc_info
    assert record.exc_info[0] is LookupError


def test_the_number_of_failed_observers_that_are_remembered_is_limited(caplog: pytest.LogCaptureFixture) -> None:
    with ImdsClient(transport=Script(ok())) as imds:
        for number in range(150):
            get_token(imds.with_options(observer=functools.partial(fail, number)))
        assert len(imds.options.memory.failed_observers) == 100
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 150


def find_nothing(call: ObservedCall) -> None:
    next(iter([]))


def read_empty_queue(call: ObservedCall) -> None:
    queue.SimpleQueue[int]().get_nowait()


@pytest.mark.parametrize("observer", [find_nothing, read_empty_queue])
def test_an_observer_may_fail_in_any_way(observer: Any, colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    assert colour.run(get_token, transport=made(), observer=observer)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.getMessage() == f"observer {observer.__name__} failed; its later failures are not logged"


def test_an_observer_that_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    target = functools.partial(print)
    with ImdsClient(transport=made(), observer=weakref.proxy(target)) as imds:
        del target
        assert get_token(imds)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info
    assert record.exc_info[0] is ReferenceError


@pytest.mark.parametrize("response", [ok(), answer(400, {"error": "x"})], ids=["success", "error"])
def test_the_record_of_the_failure_holds_no_token(
    response: httpx.Response, colour: Colour, caplog: pytest.LogCaptureFixture
) -> None:
    observed(colour, response, observer=fail)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info
    assert find_secret(CANARY, record.exc_info[1]) == []


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_exit_of_an_observer_reaches_the_caller(kind: type[BaseException], colour: Colour) -> None:
    def leave(call: ObservedCall) -> None:
        raise kind

    with pytest.raises(kind) as caught:
        colour.run(get_token, transport=made(), observer=leave)
    assert shown(CANARY, caught.value) == []


@pytest.mark.skipif(not hasattr(signal, "raise_signal"), reason="needs signals")
def test_an_alarm_during_an_observer_reaches_the_caller() -> None:
    def on_alarm(number: int, frame: Any) -> None:
        raise TimeoutError("the program's own time limit")

    before = signal.signal(signal.SIGUSR1, on_alarm)
    try:
        with (
            ImdsClient(transport=Script(ok()), observer=lambda call: signal.raise_signal(signal.SIGUSR1)) as imds,
            pytest.raises(TimeoutError, match="own time limit"),
        ):
            get_token(imds)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_an_exception_at_any_line_of_the_observation_shows_no_token(colour: Colour) -> None:
    functions = [
        observation.Observation.__exit__,
        observation.Observation._result,
        observation.Observation.note_outcome,
        observation._visible_headers,
        client.ClientBase._observe,
    ]

    def action() -> None:
        colour.run(get_token, transport=made(), clock=FakeClock(), observer=lambda call: None)

    places = 0
    for place, error in injected(action, KeyboardInterrupt, *functions):
        places += 1
        assert shown(CANARY, error) == [], place
    assert places > 20


def test_calls_that_an_observer_makes_are_not_observed() -> None:
    calls: list[ObservedCall] = []

    def ask_again(call: ObservedCall) -> None:
        calls.append(call)
        get_token(imds)

    script = Script(ok())
    with ImdsClient(transport=script, observer=ask_again) as imds:
        get_token(imds)
    assert (len(calls), len(script.requests)) == (1, 2)


def test_calls_of_a_thread_that_an_observer_starts_are_observed(inherited_context: None) -> None:
    calls: list[ObservedCall] = []

    def start_a_thread(call: ObservedCall) -> None:
        calls.append(call)
        if len(calls) == 1:
            thread = threading.Thread(target=get_token, args=(imds,))
            thread.start()
            thread.join()

    script = Script(ok())
    with ImdsClient(transport=script, observer=start_a_thread) as imds:
        get_token(imds)
    assert (len(calls), len(script.requests)) == (2, 2)


# Secrets

HEADERS = {
    "set_cookie": f"session={CANARY}",
    "www_authenticate": "Basic realm=/var/opt/azcmagent/tokens/a.key",
    "authorization": f"Bearer {CANARY}",
    "location": f"http://x/?token={CANARY}",
    "x_copy": CANARY,
    "x_json": f'{{"access_token":"{CANARY}"}}',
    "x_fine": "fine",
}


@pytest.mark.parametrize("secret", [CANARY, "opaque-0123456789"])
def test_headers_with_secrets_are_left_out(secret: str, colour: Colour) -> None:
    headers = {name: value.replace(CANARY, secret) for name, value in HEADERS.items()}
    (call,) = observed(colour, answer(200, token(access_token=secret), **headers))
    assert call.headers["x-fine"] == "fine"
    assert {"set-cookie", "www-authenticate", "authorization", "location", "x-copy", "x-json"}.isdisjoint(call.headers)
    assert find_secret(secret, call) == []


def test_the_error_of_an_observed_call_shows_no_more_than_the_call(colour: Colour) -> None:
    action = lambda imds: imds.identity.get_token(resource=RESOURCE, client_id=CLIENT_ID)  # noqa: E731
    headers = {"set_cookie": "session=1234", "www_authenticate": "Basic realm=/var/opt/azcmagent/tokens/a.key"}
    (call,) = observed(colour, answer(400, {"error": "x"}, **headers), action=action, retry=None)
    error = call.error
    assert isinstance(error, ImdsStatusError)
    assert error.__traceback__ is None
    assert "?" not in error.url
    assert error.response is not None
    assert error.response.json() == {"error": "x"}
    assert str(error.response.request.url) == error.url == call.url
    assert find_secret("session=1234", call) == find_secret("a.key", call) == find_secret(CLIENT_ID, call) == []


def test_the_key_of_azure_arc_is_not_seen(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "canary-KEY-that-must-not-show"
    (tmp_path / "a.key").write_text(key)
    monkeypatch.setenv("AZURE_IMDS_ARC_TOKEN_DIR", str(tmp_path))

    def agent(connection: Any) -> None:
        while request := read_request(connection):
            if b"uthorization: " not in request:
                connection.sendall(reply(401, "", f"WWW-Authenticate: Basic realm={tmp_path}/a.key"))
            else:
                connection.sendall(reply(200, str(token()).replace("'", '"'), f"X-Echo: {key}", "X-Fine: fine"))

    calls: list[ObservedCall] = []
    with raw_server(agent) as endpoint, ImdsClient(endpoint, observer=calls.append) as imds:
        get_token(imds)
    (call,) = calls
    assert (call.attempts, call.status, call.headers["x-fine"]) == (2, 200, "fine")
    assert find_secret(key, call) == find_secret("a.key", call) == find_secret(CANARY, call) == []


def test_an_observer_sees_no_exception_with_a_token(colour: Colour) -> None:
    import sys

    seen: list[Any] = []

    def look(call: ObservedCall) -> None:
        seen.append(find_secret(CANARY, sys.exc_info()[1]))

    doubtful = answer(200, {"access_token": CANARY, "expires_on": []})
    observed(
        colour, doubtful, observer=look, retry=None, action=lambda imds: imds.identity.get_token(resource=RESOURCE)
    )
    assert seen == [[]]


# The setting


@pytest.mark.parametrize("value", [1, "print", []])
def test_an_observer_is_a_function(value: Any) -> None:
    with pytest.raises(ImdsValidationError, match="observer must be a function") as caught:
        ImdsClient(observer=value)
    assert caught.value.parameter == "observer"


async def coroutine(call: ObservedCall) -> None: ...


class AsyncCallable:
    async def __call__(self, call: ObservedCall) -> None: ...


@pytest.mark.parametrize(
    "value", [coroutine, AsyncCallable(), functools.partial(coroutine)], ids=["function", "callable", "partial"]
)
def test_an_observer_is_no_async_function(value: Any) -> None:
    with pytest.raises(ImdsValidationError, match="no async def"):
        AsyncImdsClient(observer=value)
    with ImdsClient() as imds, pytest.raises(ImdsValidationError, match="no async def"):
        imds.with_options(observer=value)


def test_a_client_is_pickled_and_copied_with_its_observer() -> None:
    imds = ImdsClient(transport=None, observer=notice)
    for made in (pickle.loads(pickle.dumps(imds)), copy.copy(imds), copy.deepcopy(imds)):
        assert made.options.observer is notice


def test_an_observed_call_can_be_pickled(colour: Colour) -> None:
    (call,) = observed(colour, answer(400, {"error": "x"}, x_trace="blue"), retry=None)
    made = pickle.loads(pickle.dumps(call))
    assert (made.operation, made.headers["X-Trace"], str(made.error)) == (call.operation, "blue", str(call.error))


def test_every_thread_reports_its_own_calls() -> None:
    calls: list[tuple[str, ObservedCall]] = []
    with ImdsClient(
        transport=Script(answer(200, example("instance"))),
        observer=lambda call: calls.append((threading.current_thread().name, call)),
    ) as imds:
        threads = [threading.Thread(target=metadata, args=(imds,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(calls) == len({thread for thread, _ in calls}) == 4


def test_a_program_without_an_observer_does_not_import_the_module() -> None:
    code = """if True:
        import sys
        from azure_imds import ImdsClient
        imds = ImdsClient("http://127.0.0.1:9", retry=None)
        print(imds.is_available(), "azure_imds._client.observation" in sys.modules)
    """
    assert python(code).stdout.split() == ["False", "False"]


def test_waiting_until_available_reports_each_check(colour: Colour) -> None:
    calls = observed(
        colour,
        httpx.ConnectError("refused"),
        answer(200, example("instance")),
        action=lambda imds: imds.wait_until_available(30),
    )
    assert [(call.operation, call.error_type) for call in calls] == [
        ("instances.get_metadata", "ImdsUnavailableError"),
        ("instances.get_metadata", None),
    ]
    assert isinstance(calls[0].error, ImdsUnavailableError)
