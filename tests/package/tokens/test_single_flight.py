"""Callers that ask at the same time share one request and its outcome."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
import trio

from azure_imds import (
    AccessToken,
    AsyncImdsCredential,
    IdentityNotFoundError,
    ImdsCredential,
    ImdsUnavailableError,
    RetryPolicy,
    ThrottledError,
)
from azure_imds._client.single_flight import Attempt, PendingFetch, SingleFlight
from azure_imds._tokens.cache import Cache, Entry
from azure_imds_emulator import Emulator
from injection import injected
from support import CANARY, COLOURS, Colour, answer
from token_support import DAY, DOWN, FOREVER, SCOPE, Clocks, Gate, Imds, holding, number

MANY = {"sync": 64, "asyncio": 1000, "trio": 1000}


@pytest.fixture
def impatient() -> Iterator[None]:
    """Makes threads switch after every few instructions."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def test_many_callers_without_a_token_send_one_request_and_all_get_its_token(colour: Colour) -> None:
    imds, gate = Imds(), Gate()
    imds.gates = [gate]
    with holding(colour, transport=imds) as credential:
        crowd = credential.crowd(MANY[colour.name])
        gate.wait_for()
        crowd.wait_until_joined()
        gate.open()
        results = crowd.results()
    assert len(imds) == 1
    assert len(results) == MANY[colour.name]
    assert {id(token) for token in results} == {id(results[0])}


def test_many_callers_send_one_request_to_an_emulator_with_rate_limits(colour: Colour) -> None:
    with Emulator(rate_limits=True) as emulator, holding(colour, endpoint=emulator.endpoint) as credential:
        results = credential.crowd(MANY[colour.name]).results()
        assert [request.status for request in emulator.requests] == [200]
    assert {type(result) for result in results} == {AccessToken}
    assert len({result.token for result in results}) == 1


def test_many_callers_in_any_order_send_one_request(impatient: None) -> None:
    for _ in range(10):
        imds = Imds()
        with holding(COLOURS[0], transport=imds) as credential:
            results = credential.crowd(32).results()
        assert len(imds) == 1
        assert {number(token) for token in results} == {1}


def test_an_error_of_the_leader_is_an_error_of_all(colour: Colour) -> None:
    imds, gate = Imds(), Gate()
    imds.gates, imds.failure = [gate], DOWN
    with holding(colour, transport=imds, retry=None) as credential:
        crowd = credential.crowd(20)
        gate.wait_for()
        crowd.wait_until_joined()
        gate.open()
        errors = crowd.results()
    assert len(imds) == 1
    assert isinstance(errors[0], ImdsUnavailableError)
    assert len({(type(error), str(error), error.attempts, error.url) for error in errors}) == 1


def test_each_caller_gets_its_own_copy_of_the_error(colour: Colour) -> None:
    # An exception object that is raised in many threads collects the tracebacks of all.
    imds, gate = Imds(), Gate()
    imds.gates, imds.failure = [gate], DOWN
    with holding(colour, transport=imds, retry=None) as credential:
        crowd = credential.crowd(20)
        gate.wait_for()
        crowd.wait_until_joined()
        gate.open()
        errors = crowd.results()
    assert len({id(error) for error in errors}) == 20
    assert not [error for error in errors if error.__cause__ or error.__context__]


@pytest.mark.parametrize(
    "failure",
    [
        answer(400, {"error": "invalid_request", "error_description": "Identity not found"}),
        answer(429, {"error": "invalid_request"}, retry_after="7"),
        httpx.ReadTimeout("late"),
        answer(200, {"access_token": CANARY}),
        answer(200, "not JSON"),
        RuntimeError("a bug in a transport"),
    ],
    ids=["400", "429", "timeout", "no life", "no JSON", "bug"],
)
def test_all_callers_get_the_same_class_and_text_for_any_failure(colour: Colour, failure: Any) -> None:
    imds, gate = Imds(), Gate()
    imds.gates, imds.failure = [gate], failure
    with holding(colour, transport=imds, retry=None) as credential:
        crowd = credential.crowd(5)
        gate.wait_for()
        crowd.wait_until_joined()
        gate.open()
        errors = crowd.results()
    assert len({(type(error), str(error), repr(vars(error))) for error in errors}) == 1
    assert isinstance(errors[0], Exception)


def test_after_a_failure_the_next_call_sends_a_request(colour: Colour) -> None:
    imds = Imds()
    imds.failure = answer(400, {"error": "invalid_request", "error_description": "Identity not found"})
    with holding(colour, transport=imds) as credential:
        assert isinstance(credential.error(), IdentityNotFoundError)
        imds.failure = None
        assert number(credential.get_token()) == 1
    assert len(imds) == 2


def test_only_the_leader_retries(colour: Colour) -> None:
    imds, clock = Imds(), Clocks()
    imds.failure = answer(429, {"error": "x"})
    with holding(colour, transport=imds, clock=clock, retry=RetryPolicy(attempts=3)) as credential:
        gate = Gate()
        imds.gates = [gate]
        crowd = credential.crowd(10)
        gate.wait_for()
        crowd.wait_until_joined()
        gate.open()
        errors = crowd.results()
    assert len(imds) == 3
    assert {type(error) for error in errors} == {ThrottledError}


def test_callers_of_different_resources_do_not_wait_for_each_other(colour: Colour) -> None:
    imds, gate = Imds(), Gate()
    imds.gates = [gate]
    with holding(colour, transport=imds) as credential:
        held = credential.crowd(1)
        gate.wait_for()
        assert number(credential.get_token("https://other")) == 1
        gate.open()
        assert number(held.results()[0]) == 2


def test_a_forced_call_does_not_wait_for_a_plain_one(colour: Colour) -> None:
    # IMDS may answer the plain call from its cache.
    imds, gate = Imds(), Gate()
    imds.gates = [gate]
    with holding(colour, transport=imds) as credential:
        held = credential.crowd(1)
        gate.wait_for()
        assert number(credential.get_token(force_refresh=True)) == 1
        gate.open()
        held.results()


@pytest.mark.parametrize("options", [{"claims": "c"}, {"force_refresh": True}], ids=repr)
def test_many_forced_calls_at_once_send_one_request(colour: Colour, options: dict[str, Any]) -> None:
    imds, gate = Imds(), Gate()
    with holding(colour, transport=imds) as credential:
        credential.get_token()
        imds.gates = [gate]
        crowd = credential.crowd(20, **options)
        gate.wait_for()
        crowd.wait_until_joined()
        gate.open()
        assert {number(token) for token in crowd.results()} == {2}
    assert len(imds) == 2


def test_other_claims_send_another_request(colour: Colour) -> None:
    # The running request may be older than the event that the claims are about.
    imds, gate = Imds(), Gate()
    imds.gates = [gate]
    with holding(colour, transport=imds) as credential:
        first = credential.crowd(1, claims="a")
        gate.wait_for()
        assert number(credential.get_token(claims="b")) == 1
        gate.open()
        first.results()
    assert len(imds) == 2


def test_an_expired_token_is_returned_to_all_who_waited_and_fetched_once(colour: Colour) -> None:
    imds, gate = Imds(life=-1), Gate()
    imds.gates = [gate]
    with holding(colour, transport=imds) as credential:
        crowd = credential.crowd(10)
        gate.wait_for()
        crowd.wait_until_joined()
        gate.open()
        assert {number(token) for token in crowd.results()} == {1}


class Interrupted(BaseException):
    """Like KeyboardInterrupt, but raised only by these tests."""


def test_after_an_interrupted_leader_another_thread_leads() -> None:
    imds, gate = Imds(), Gate()
    usual = imds._reply

    def interrupt() -> httpx.Response:
        imds._reply = usual  # type: ignore[method-assign]
        raise Interrupted

    imds._reply = interrupt  # type: ignore[method-assign]
    imds.gates = [gate]
    with holding(COLOURS[0], transport=imds) as credential:
        crowd = credential.crowd(10)
        gate.wait_for()
        crowd.wait_until_joined()
        gate.open()
        results = crowd.results()
    assert [type(result) for result in results].count(Interrupted) == 1
    assert {number(result) for result in results if not isinstance(result, Interrupted)} == {1}
    assert len(imds) == 2


def test_an_interruption_at_any_line_leaves_no_fetch_that_never_ends() -> None:
    # Ctrl-C does this. Attempt.__exit__, which ends a fetch, is not interrupted here.
    made: list[ImdsCredential] = []

    def ask() -> None:
        made.append(ImdsCredential(transport=Imds()))
        made[-1].get_token(SCOPE)

    functions = [
        *(ImdsCredential._get, ImdsCredential._fetch_once, ImdsCredential._fetch),
        *(Attempt.__init__, Attempt.__enter__, Attempt.leads, Attempt.outcome, SingleFlight.join),
    ]
    places = []
    with ThreadPoolExecutor(1) as pool:
        for place, error in injected(ask, Interrupted, *functions):
            assert isinstance(error, Interrupted)
            assert isinstance(pool.submit(made[-1].get_token, SCOPE).result(FOREVER), AccessToken), place
            places.append(place)
    assert len(places) > 20


def test_a_fetch_that_ended_but_was_not_removed_is_not_joined() -> None:
    # An interruption of Attempt.__exit__ can leave a fetch behind that has ended.
    flights: SingleFlight[str] = SingleFlight()
    ended: PendingFetch[str, threading.Event] = PendingFetch(threading.Event())
    assert flights.join("key", ended) is ended
    ended.done.set()
    own: PendingFetch[str, threading.Event] = PendingFetch(threading.Event())
    assert flights.join("key", own) is own


ASYNC = [colour for colour in COLOURS if colour.name != "sync"]


def asynchronous(function: Callable[..., Any]) -> Any:
    return pytest.mark.parametrize("backend", [colour.name for colour in ASYNC])(function)


@asynchronous
def test_cancelling_the_leader_does_not_fail_the_others(backend: str) -> None:
    imds, gate = Imds(), Gate()
    tokens: list[AccessToken] = []

    async def main() -> None:
        async with AsyncImdsCredential(transport=imds) as credential, anyio.create_task_group() as group:
            scope = anyio.CancelScope()

            async def lead() -> None:
                with scope:
                    await credential.get_token(SCOPE)

            async def follow() -> None:
                tokens.append(await credential.get_token(SCOPE))

            imds.gates = [gate]
            group.start_soon(lead)
            await anyio.wait_all_tasks_blocked()
            for _ in range(100):
                group.start_soon(follow)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()

    anyio.run(main, backend=backend)
    assert len(imds) == 2
    assert {number(token) for token in tokens} == {1}
    assert len(tokens) == 100


@asynchronous
def test_a_cancelled_follower_does_not_affect_the_others(backend: str) -> None:
    imds, gate = Imds(), Gate()
    tokens: list[AccessToken] = []

    async def main() -> None:
        async with AsyncImdsCredential(transport=imds) as credential, anyio.create_task_group() as group:
            scope, event = anyio.CancelScope(), anyio.Event()

            async def hold() -> None:
                await event.wait()

            gate.apass_through = hold  # type: ignore[method-assign]

            async def ask() -> None:
                tokens.append(await credential.get_token(SCOPE))

            async def give_up() -> None:
                with scope:
                    await ask()

            imds.gates = [gate]
            group.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(give_up)
            group.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
            await anyio.wait_all_tasks_blocked()
            event.set()

    anyio.run(main, backend=backend)
    assert len(imds) == 1
    assert [number(token) for token in tokens] == [1, 1]


@asynchronous
def test_a_leader_with_a_timeout_does_not_fail_the_others(backend: str) -> None:
    imds, gate = Imds(), Gate()
    tokens: list[AccessToken] = []

    async def main() -> None:
        async with AsyncImdsCredential(transport=imds) as credential, anyio.create_task_group() as group:
            scope = anyio.CancelScope(deadline=anyio.current_time() + 0.01)

            async def hurry() -> None:
                with scope:
                    await credential.get_token(SCOPE)
                assert scope.cancelled_caught

            async def follow() -> None:
                tokens.append(await credential.get_token(SCOPE))

            imds.gates = [gate]
            group.start_soon(hurry)
            await anyio.lowlevel.checkpoint()
            await anyio.lowlevel.checkpoint()
            group.start_soon(follow)

    anyio.run(main, backend=backend)
    assert [number(token) for token in tokens] == [1]


def test_cancelling_the_leaders_asyncio_task_does_not_fail_the_others() -> None:
    imds, gate = Imds(), Gate()

    async def main() -> None:
        async with AsyncImdsCredential(transport=imds) as credential:
            imds.gates = [gate]
            leader = asyncio.create_task(credential.get_token(SCOPE))
            await anyio.wait_all_tasks_blocked()
            others = [asyncio.create_task(credential.get_token(SCOPE)) for _ in range(10)]
            await anyio.wait_all_tasks_blocked()
            leader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leader
            assert {number(token) for token in await asyncio.gather(*others)} == {1}

    asyncio.run(main())
    assert len(imds) == 2


def test_one_asynchronous_credential_serves_several_event_loops_at_once() -> None:
    imds = Imds()
    credential = AsyncImdsCredential(transport=imds)
    barrier = threading.Barrier(8)

    async def ask() -> list[AccessToken]:
        return [await credential.get_token(SCOPE) for _ in range(50)]

    def run(backend: str) -> list[AccessToken]:
        barrier.wait(FOREVER)
        return anyio.run(ask, backend=backend)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(run, ["asyncio", "trio"] * 4))
    assert len(imds) <= 8, "one request per event loop at most"
    kept = [tokens[-1] for tokens in results]
    assert len(kept) == 8
    assert all(isinstance(token, AccessToken) for tokens in results for token in tokens)


def test_an_event_loop_that_ended_while_it_led_blocks_no_other() -> None:
    imds, gate = Imds(), Gate()
    imds.gates = [gate]
    credential = AsyncImdsCredential(transport=imds)

    async def give_up() -> None:
        with anyio.move_on_after(0):
            await credential.get_token(SCOPE)

    asyncio.run(give_up())
    assert number(asyncio.run(credential.get_token(SCOPE))) == 1
    assert number(trio.run(credential.get_token, SCOPE)) == 1


def test_an_event_loop_that_stopped_while_it_led_blocks_no_other() -> None:
    imds, gate = Imds(), Gate()
    imds.gates = [gate]
    credential = AsyncImdsCredential(transport=imds)

    async def begin() -> asyncio.Task[AccessToken]:
        task = asyncio.ensure_future(credential.get_token(SCOPE))
        await anyio.wait_all_tasks_blocked()
        return task

    loop = asyncio.new_event_loop()
    task = loop.run_until_complete(begin())
    assert number(trio.run(credential.get_token, SCOPE)) == 1
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()


def made_entry(text: str, clock: Clocks) -> Entry:
    """A token that is valid for a day."""
    due = clock.monotonic() + DAY
    return Entry(AccessToken(text, int(clock.time()) + DAY), clock.time() + DAY, due, clock.time() + DAY, due)


@pytest.mark.parametrize("forced", [False, True])
def test_at_each_moment_of_a_replacement_one_of_both_tokens_is_found(forced: bool) -> None:
    """`find` takes no lock: a thread that found none would send a request of its own."""
    moments: list[bool] = []

    class Watched(dict[str, Entry]):
        def pop(self, *arguments: Any) -> Any:
            found = super().pop(*arguments)
            moments.append("r" in self)
            return found

        def __setitem__(self, key: str, value: Entry) -> None:
            super().__setitem__(key, value)
            moments.append("r" in self)

    clock = Clocks()
    cache = Cache(clock)
    cache._entries = Watched()
    for text in ("old", "new"):
        cache.put("r", made_entry(text, clock), cache.next_sequence(), forced=forced)
    found = cache.find("r", only_fresh=True)
    assert found is not None
    assert found.token.token == "new"
    assert {*moments} == {True}


def test_a_cache_stays_consistent_between_threads(impatient: None) -> None:
    clock = Clocks()
    cache = Cache(clock)
    stop = threading.Event()
    failures: list[BaseException] = []

    def write(index: int) -> None:
        while not stop.is_set():
            resource = f"r{index % 3}"
            cache.put(resource, made_entry(resource, clock), cache.next_sequence())
            if index == 0:
                cache.clear()

    def read(index: int) -> None:
        try:
            for turn in range(3000):
                resource = f"r{turn % 3}"
                found, read = cache.get((resource,), resource), cache.by_scopes.get((resource,))
                assert found is None or found.token.token == resource
                assert read is None or read().token == resource
                if cache.begin_refresh(resource):
                    cache.end_refresh(resource, failed=bool(turn % 2))
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(i,)) for i in range(4)]
    readers = [threading.Thread(target=read, args=(i,)) for i in range(4)]
    for thread in writers + readers:
        thread.start()
    for thread in readers:
        thread.join(FOREVER)
    stop.set()
    for thread in writers:
        thread.join(FOREVER)
    assert not failures


def test_a_newer_token_is_never_replaced_by_an_older_one(impatient: None) -> None:
    imds = Imds()
    credential = ImdsCredential(transport=imds)
    failures: list[str] = []
    stop = threading.Event()

    def force() -> None:
        for _ in range(50):
            credential.get_token(SCOPE, force_refresh=True)

    def watch() -> None:
        while not stop.is_set():
            before = len(imds)
            if number(credential.get_token(SCOPE)) > len(imds) or before > len(imds):
                failures.append("a token that was not issued")

    credential.get_token(SCOPE)
    forcing = [threading.Thread(target=force) for _ in range(3)]
    watching = [threading.Thread(target=watch) for _ in range(3)]
    for thread in forcing + watching:
        thread.start()
    for thread in forcing:
        thread.join(FOREVER)
    stop.set()
    for thread in watching:
        thread.join(FOREVER)
    assert not failures
    requests = len(imds)
    credential.get_token(SCOPE)
    assert len(imds) == requests
