"""A token that is due is refreshed in the background, also if clocks jump and IMDS is unavailable."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import warnings
from typing import Any

import anyio
import httpx
import pytest

from azure_imds import (
    AccessToken,
    AsyncImdsCredential,
    IdentityNotFoundError,
    ImdsCredential,
    ImdsUnavailableError,
)
from azure_imds._clock import Clock
from azure_imds._tokens.cache import Cache, Entry
from azure_imds_emulator import Emulator
from support import COLOURS, Colour, answer
from token_support import DAY, DOWN, FOREVER, HOUR, SCOPE, Clocks, Gate, Held, Imds, holding, number, refreshers

NOW = 1_700_000_000


def test_a_token_that_is_not_due_is_not_refreshed(colour: Colour) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(DAY / 2 - 1)
        credential.get_token()
        credential.wait_for_refreshes()
    assert len(imds) == 1


@pytest.mark.parametrize(
    ("answer_", "due"),
    [
        ({"life": DAY}, DAY / 2),
        ({"life": 7200}, HOUR),
        ({"life": 7199}, 7199 - 300),
        ({"life": HOUR}, HOUR - 300),
        ({"life": DAY, "refresh_in": "100"}, 100),
        ({"life": DAY, "refresh_in": 10 * DAY}, DAY - 300),
        ({"life": DAY, "expires_in": None}, DAY / 2),
        ({"life": DAY, "expires_on": None}, DAY / 2),
        ({"life": HOUR, "expires_in": None}, HOUR - 300),
    ],
    ids=str,
)
def test_a_token_is_due_from_this_moment(colour: Colour, answer_: dict[str, Any], due: float) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock, **answer_)
    with holding(colour, transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(due - 1)
        credential.get_token()
        credential.wait_for_refreshes()
        assert len(imds) == 1
        clock.advance(1)
        credential.get_token()
        credential.wait_for_refreshes()
        assert len(imds) == 2
        assert number(credential.get_token()) == 2


class Lucky(Clocks):
    """Clocks whose random numbers are a part of the largest ones."""

    part = 0.0

    def jitter(self, ceiling: float) -> float:
        return ceiling * self.part


@pytest.mark.parametrize("part", [0.0, 0.25, 0.5])
@pytest.mark.parametrize(
    ("answer_", "latest"),
    [({"life": DAY}, DAY / 2), ({"life": HOUR}, HOUR - 300), ({"life": DAY, "refresh_in": "100"}, 100)],
    ids=["long", "short", "stated"],
)
def test_refreshes_are_spread_over_the_last_tenth_of_the_time(
    colour: Colour, answer_: dict[str, Any], latest: float, part: float
) -> None:
    clock = Lucky(NOW)
    clock.part = part
    imds = Imds(clock, **answer_)
    due = latest * (0.9 + 0.1 * part)
    with holding(colour, transport=imds, clock=clock) as credential:
        refresh_on = credential.get_token().refresh_on
        clock.advance(due - 1)
        credential.get_token()
        credential.wait_for_refreshes()
        assert len(imds) == 1
        clock.advance(1.001)
        credential.get_token()
        credential.wait_for_refreshes()
        assert len(imds) == 2
    assert refresh_on == (None if answer_["life"] == HOUR else NOW + latest), "what the host says is passed on"


def test_a_token_that_is_due_at_once_stays_due(colour: Colour) -> None:
    clock = Lucky(NOW)
    imds = Imds(clock, life=200)
    with holding(colour, transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(31)
        credential.get_token()
        credential.wait_for_refreshes()
    assert len(imds) == 2


def test_credentials_that_start_together_refresh_at_different_times() -> None:
    clock = Clocks(NOW)
    clock.jitter = Clock().jitter  # type: ignore[method-assign]
    imds = Imds(clock)
    credentials = [ImdsCredential(transport=imds, clock=clock) for _ in range(40)]
    for credential in credentials:
        credential.get_token(SCOPE)
    refreshed: list[int] = []
    clock.advance(DAY * 0.45)
    for _ in range(10):
        clock.advance(DAY * 0.005)
        for credential in credentials:
            credential.get_token(SCOPE)
            for thread in refreshers():
                thread.join(FOREVER)
        refreshed.append(len(imds) - 40 - sum(refreshed))
    for credential in credentials:
        credential.close()
    assert sum(refreshed) == 40
    assert sum(count > 0 for count in refreshed) > 4


def test_no_caller_waits_for_an_early_refresh(colour: Colour) -> None:
    clock, gate = Clocks(NOW), Gate()
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        current = credential.get_token()
        clock.advance(DAY / 2)
        imds.gates = [gate]
        assert credential.get_token() is current, "not even the call that starts it"
        gate.wait_for()
        assert all(credential.get_token() is current for _ in range(10))
        assert {id(token) for token in credential.crowd(10).results()} == {id(current)}
        gate.open()
        credential.wait_for_refreshes()
        assert number(credential.get_token()) == 2
    assert len(imds) == 2


def test_no_second_refresh_starts_while_one_is_running(colour: Colour) -> None:
    clock, gate = Clocks(NOW), Gate()
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.gates = [gate]
        credential.get_token()
        gate.wait_for()
        for _ in range(10):
            clock.advance(HOUR)
            assert number(credential.get_token()) == 1
        assert len(imds) == 2
        assert len(refreshers()) <= 1
        gate.open()
        credential.wait_for_refreshes()


def test_a_caller_without_a_valid_token_waits_for_the_running_refresh(colour: Colour) -> None:
    clock, gate = Clocks(NOW), Gate()
    imds = Imds(clock, HOUR)
    with holding(colour, transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(HOUR - 1)
        imds.gates = [gate]
        credential.get_token()
        gate.wait_for()
        clock.advance(1)
        late = credential.crowd(3)
        late.wait_until_joined()
        gate.open()
        assert {number(token) for token in late.results()} == {2}
    assert imds.most_at_once == 1


def test_a_caller_that_waited_for_a_failed_refresh_fetches_itself(colour: Colour) -> None:
    clock, gate, second = Clocks(NOW), Gate(), Gate()
    imds = Imds(clock, HOUR)
    with holding(colour, transport=imds, clock=clock, retry=None) as credential:
        credential.get_token()
        clock.advance(HOUR - 1)
        imds.gates, imds.failure = [gate, second], DOWN
        credential.get_token()
        gate.wait_for()
        clock.advance(1)
        late = credential.crowd(3)
        late.wait_until_joined()
        gate.open()
        second.wait_for()
        imds.failure = None
        second.open()
        assert {number(token) for token in late.results()} == {2}
    assert (len(imds), imds.most_at_once) == (3, 1)


def test_a_refresh_from_before_clear_does_not_prevent_the_next(colour: Colour) -> None:
    clock, gate = Clocks(NOW), Gate()
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.gates = [gate]
        credential.get_token()
        gate.wait_for()
        credential.clear()
        assert number(credential.get_token()) == 2
        clock.advance(DAY / 2)
        second = Gate()
        imds.gates = [second]
        assert number(credential.get_token()) == 2
        second.wait_for()
        second.open()
        gate.open()
        credential.wait_for_refreshes()
        assert number(credential.get_token()) in (3, 4)


def test_each_resource_is_refreshed_separately(colour: Colour) -> None:
    clock, gate = Clocks(NOW), Gate()
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        credential.get_token("https://a")
        credential.get_token("https://b")
        clock.advance(DAY / 2)
        imds.gates = [gate]
        credential.get_token("https://a")
        gate.wait_for()
        credential.get_token("https://b")
        gate.open()
        credential.wait_for_refreshes()
        assert {number(credential.get_token(f"https://{name}")) for name in "ab"} == {3, 4}


def test_an_early_refresh_does_not_bypass_the_cache_of_imds(colour: Colour) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        credential.get_token()
        credential.wait_for_refreshes()
    assert "bypass_cache" not in imds.query(1)


def test_after_a_failed_refresh_the_next_starts_after_thirty_seconds(colour: Colour) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock, retry=None) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.failure = DOWN
        credential.get_token()
        credential.wait_for_refreshes()
        assert len(imds) == 2
        for _ in range(30):
            credential.get_token()
            credential.wait_for_refreshes()
            assert len(imds) == 2
            clock.advance(0.999)
        clock.advance(0.03)
        credential.get_token()
        credential.wait_for_refreshes()
        assert len(imds) == 3


def test_the_pause_starts_at_the_end_of_the_attempt(colour: Colour) -> None:
    clock, gate = Clocks(NOW), Gate()
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock, retry=None) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.failure, imds.gates = DOWN, [gate]
        credential.get_token()
        gate.wait_for()
        clock.advance(20)
        gate.open()
        credential.wait_for_refreshes()
        clock.advance(29)
        credential.get_token()
        credential.wait_for_refreshes()
        assert len(imds) == 2


def test_during_an_outage_a_valid_token_needs_one_attempt_every_thirty_seconds(colour: Colour) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock, retry=None) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.failure = DOWN
        for _ in range(20):
            for _ in range(20):
                assert number(credential.get_token()) == 1
                credential.wait_for_refreshes()
            clock.advance(30)
        assert len(imds) == 1 + 20


def test_during_an_outage_a_valid_token_costs_no_more_than_a_fresh_one(
    colour: Colour, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    looks: list[str] = []
    look = Cache.get

    def counted(cache: Cache, scopes: tuple[str, ...], resource: str) -> Entry | None:
        looks.append(resource)
        return look(cache, scopes, resource)

    monkeypatch.setattr(Cache, "get", counted)
    with holding(colour, transport=imds, clock=clock, retry=None) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.failure = DOWN
        credential.get_token()
        credential.wait_for_refreshes()
        credential.get_token()
        before = len(looks)
        for _ in range(100):
            credential.get_token()
        assert len(looks) == before, "which would take a lock"


def test_an_expired_token_is_fetched_at_once_even_after_a_failure(colour: Colour) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock, retry=None) as credential:
        credential.get_token()
        clock.advance(DAY - 1)
        imds.failure = DOWN
        credential.get_token()
        credential.wait_for_refreshes()
        clock.advance(1)
        for requests in (3, 4, 5):
            assert isinstance(credential.error(), ImdsUnavailableError)
            assert len(imds) == requests
        imds.failure = None
        assert number(credential.get_token()) == 2


def test_a_token_is_returned_until_it_expires(colour: Colour) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock, retry=None) as credential:
        credential.get_token()
        imds.failure = DOWN
        clock.advance(DAY - 0.5)
        assert number(credential.get_token()) == 1
        clock.advance(0.5)
        assert isinstance(credential.error(), ImdsUnavailableError)


def test_a_failed_attempt_is_logged_once_and_not_raised(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.failure = answer(400, {"error": "invalid_request", "error_description": "Identity not found"})
        for _ in range(10):
            credential.get_token()
            credential.wait_for_refreshes()
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "the current token is used until it expires" in record.getMessage()
    assert "Identity not found" in record.getMessage()


def test_a_refresh_that_returns_a_due_token_is_not_repeated_at_once(colour: Colour) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock, 200)
    with holding(colour, transport=imds, clock=clock) as credential:
        for _ in range(20):
            credential.get_token()
            credential.wait_for_refreshes()
        assert len(imds) == 1
        clock.advance(30)
        for _ in range(20):
            credential.get_token()
            credential.wait_for_refreshes()
        assert len(imds) == 2


def test_a_service_that_returns_the_same_token_is_not_asked_again_at_once(colour: Colour) -> None:
    clock = Clocks(NOW)
    with Emulator(token_lifetime=60) as emulator, holding(colour, endpoint=emulator.endpoint, clock=clock) as held:
        clock.wall = emulator.clock.time()
        first = held.get_token()
        for _ in range(5):
            assert held.get_token() == first
        assert emulator.requests.total == 1


def test_a_refresh_sends_a_request_to_the_emulator_in_the_background(colour: Colour) -> None:
    with Emulator(token_lifetime=7200) as emulator:
        clock = Clocks(emulator.clock.time())
        with holding(colour, endpoint=emulator.endpoint, clock=clock) as credential:
            first = credential.get_token()
            clock.advance(7000)
            emulator.clock.advance(7000)
            assert credential.get_token() is first
            credential.wait_for_refreshes()
            assert credential.get_token() != first
        assert emulator.requests.total == 2


def test_a_refresh_survives_the_end_of_its_event_loop() -> None:
    with Emulator(token_lifetime=7200) as emulator:
        clock = Clocks(emulator.clock.time())
        credential = AsyncImdsCredential(endpoint=emulator.endpoint, clock=clock)
        first = asyncio.run(credential.get_token(SCOPE))
        clock.advance(7000)
        emulator.clock.advance(7000)
        assert asyncio.run(credential.get_token(SCOPE)) is first
        for thread in refreshers():
            thread.join(FOREVER)
        assert asyncio.run(credential.get_token(SCOPE)) != first


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_refresh_does_not_inherit_the_event_loop_of_the_caller(backend: str, inherited_context: None) -> None:
    """anyio and sniffio keep the name of the running event loop in the context."""
    with Emulator(token_lifetime=7200) as emulator:
        clock = Clocks(emulator.clock.time())
        credential = AsyncImdsCredential(endpoint=emulator.endpoint, clock=clock)

        async def main() -> None:
            first = await credential.get_token(SCOPE)
            clock.advance(7000)
            emulator.clock.advance(7000)
            assert await credential.get_token(SCOPE) is first
            for thread in refreshers():
                thread.join(FOREVER)
            assert await credential.get_token(SCOPE) != first

        anyio.run(main, backend=backend)


def test_a_callers_transport_is_used_on_the_callers_event_loop() -> None:
    loops = []

    class Bound(Imds):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            loops.append(asyncio.get_running_loop())
            return await super().handle_async_request(request)

    clock = Clocks(NOW)
    imds = Bound(clock)

    async def main() -> None:
        async with AsyncImdsCredential(transport=imds, clock=clock) as credential:
            await credential.get_token(SCOPE)
            clock.advance(DAY / 2)
            await credential.get_token(SCOPE)
            await anyio.wait_all_tasks_blocked()
            assert number(await credential.get_token(SCOPE)) == 2

    asyncio.run(main())
    assert len(set(loops)) == 1


def test_a_thread_that_cannot_start_is_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Late(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't create new thread at interpreter shutdown")

    clock = Clocks(NOW)
    imds = Imds(clock)
    with holding(COLOURS[0], transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        with monkeypatch.context() as patch:
            patch.setattr(threading, "Thread", Late)
            assert number(credential.get_token()) == 1
        credential.get_token()
        assert len(imds) == 1, "the usual pause follows"
        clock.advance(30)
        credential.get_token()
        credential.wait_for_refreshes()
        assert number(credential.get_token()) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_refresh_that_is_interrupted_is_followed_by_another() -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with holding(COLOURS[0], transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.failure = SystemExit()  # type: ignore[assignment]
        credential.get_token()
        credential.wait_for_refreshes()
        imds.failure = None
        clock.advance(30)
        credential.get_token()
        credential.wait_for_refreshes()
        assert number(credential.get_token()) == 2


def test_a_refresh_that_its_event_loop_cancels_is_followed_by_another() -> None:
    clock = Clocks(NOW)
    imds, gate = Imds(clock), Gate()
    credential = AsyncImdsCredential(transport=imds, clock=clock)

    async def main() -> AccessToken:
        return await credential.get_token(SCOPE)

    async def patient() -> AccessToken:
        token = await credential.get_token(SCOPE)
        await anyio.wait_all_tasks_blocked()
        return token

    for run in (asyncio.run, lambda work: anyio.run(lambda: work, backend="trio")):
        credential.clear()
        imds.requests.clear()
        run(main())
        clock.advance(DAY / 2)
        imds.gates = [gate]
        run(patient())
        clock.advance(30)
        run(patient())
        assert len(imds) == 3


def test_a_refresh_abandoned_with_its_event_loop_ends_with_the_token() -> None:
    clock = Clocks(NOW)
    imds, gate = Imds(clock), Gate()
    credential = AsyncImdsCredential(transport=imds, clock=clock)

    async def main() -> AccessToken:
        token = await credential.get_token(SCOPE)
        await anyio.wait_all_tasks_blocked()
        return token

    asyncio.run(main())
    clock.advance(DAY / 2)
    imds.gates = [gate]
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    loop.close()
    assert number(asyncio.run(main())) == 1
    clock.advance(DAY / 2)
    assert number(asyncio.run(main())) == 2
    clock.advance(DAY / 2)
    asyncio.run(main())
    assert number(asyncio.run(main())) == 3


def test_a_refresh_abandoned_with_its_event_loop_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    clock = Clocks(NOW)
    imds, gate = Imds(clock), Gate()

    async def main(credential: AsyncImdsCredential) -> None:
        await credential.get_token(SCOPE)
        clock.advance(DAY / 2)
        imds.gates = [gate]
        await credential.get_token(SCOPE)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(main(AsyncImdsCredential(transport=imds, clock=clock)))
    loop.close()
    del loop
    with warnings.catch_warnings(record=True) as caught:
        gc.collect()
    assert not caught
    assert capfd.readouterr() == ("", "")


def test_closing_a_credential_logs_nothing_about_the_refresh_that_it_ends(
    colour: Colour, caplog: pytest.LogCaptureFixture
) -> None:
    clock, gate = Clocks(NOW), Gate()
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.gates, imds.failure = [gate], DOWN
        credential.get_token()
        gate.wait_for()
        credential.call(credential.credential.close)
        gate.open()
        credential.wait_for_refreshes()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_no_thread_is_started_before_a_token_is_due() -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    before = threading.active_count()
    credential = ImdsCredential(transport=imds, clock=clock)
    credential.get_token(SCOPE)
    credential.get_token(SCOPE, force_refresh=True)
    credential.get_token(SCOPE)
    assert threading.active_count() == before


def test_the_refresh_thread_is_a_daemon_and_ends_after_its_work() -> None:
    clock, gate = Clocks(NOW), Gate()
    imds = Imds(clock)
    with holding(COLOURS[0], transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.gates = [gate]
        credential.get_token()
        gate.wait_for()
        (thread,) = refreshers()
        assert thread.daemon
        gate.open()
        credential.wait_for_refreshes()
        assert not refreshers()


EXITS = {
    "sync": "credential = ImdsCredential(**options); use(credential)",
    "with": "\nwith ImdsCredential(**options) as credential:\n    use(credential)",
    "asyncio.run": "asyncio.run(ause())",
    "asyncio.run with": "asyncio.run(ause_with())",
    "run_until_complete": "loop = asyncio.new_event_loop(); loop.run_until_complete(ause()); loop.close()",
    "run_until_complete with": "loop = asyncio.new_event_loop(); loop.run_until_complete(ause_with()); loop.close()",
    "trio.run": "import trio; trio.run(ause)",
    "trio.run with": "import trio; trio.run(ause_with)",
}

PROGRAM = """
import asyncio, logging, sys, time
import anyio, httpx, azure_imds_api.models.identity_token_response
from azure_imds import AsyncImdsCredential, ImdsCredential
from azure_imds._clock import Clock

logging.getLogger("asyncio").setLevel(logging.ERROR)  # "Executing ... took": this machine is slow

class Later(Clock):
    ahead = 0
    def monotonic(self):
        return time.monotonic() + self.ahead

clock = Later()
options = {{"endpoint": sys.argv[1], "clock": clock}}

def use(credential):
    credential.get_token("https://x")
    clock.ahead = 50000
    credential.get_token("https://x")
    {sleep}

async def ause(credential=None):
    credential = credential or AsyncImdsCredential(**options)
    await credential.get_token("https://x")
    clock.ahead = 50000
    await credential.get_token("https://x")
    await anyio.sleep({seconds})

async def ause_with():
    async with AsyncImdsCredential(**options) as credential:
        await ause(credential)

{run}
"""


@pytest.mark.parametrize(("exit", "seconds"), [(exit, 0.0 if "with" in exit else 0.2) for exit in EXITS])
def test_a_process_exits_at_once_and_silently_while_a_refresh_is_running(exit: str, seconds: float) -> None:
    program = PROGRAM.format(run=EXITS[exit], seconds=seconds, sleep=f"time.sleep({seconds})")
    with Emulator() as emulator:
        hang_after_first(emulator)
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(program), emulator.endpoint],
            capture_output=True,
            text=True,
            timeout=FOREVER,
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def hang_after_first(emulator: Emulator) -> None:
    """Makes all requests after the first hang."""

    def hang(_: Any) -> None:
        if not emulator.faults.pending:
            emulator.fail(hang=True, times=1000)

    emulator.requests.listeners.append(hang)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_forked_during_a_refresh_has_the_token_and_can_refresh_it() -> None:
    clock, gate = Clocks(NOW), Gate()
    imds = Imds(clock)
    credential = ImdsCredential(transport=imds, clock=clock)
    credential.get_token(SCOPE)
    clock.advance(DAY / 2)
    imds.gates = [gate]
    credential.get_token(SCOPE)
    gate.wait_for()

    def child() -> bool:
        imds.__init__(clock)  # type: ignore[misc]
        kept = number(credential.get_token(SCOPE)) == 1
        for thread in refreshers():
            thread.join(FOREVER)
        clock.advance(DAY)
        return kept and isinstance(credential.get_token(SCOPE), AccessToken) and len(imds) == 2

    assert in_child(child)
    gate.open()
    for thread in refreshers():
        thread.join(FOREVER)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_forked_while_the_lock_is_held_works() -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    credential = ImdsCredential(transport=imds, clock=clock)
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with credential._cache._lock:
            held.set()
            release.wait(FOREVER)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(FOREVER)
    try:
        assert in_child(lambda: isinstance(credential.get_token(SCOPE), AccessToken))
    finally:
        release.set()
        holder.join()


def in_child(work: Any) -> bool:
    """Runs `work` in a forked process, and returns whether it returned a true value in time."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # pytest-timeout has a handler
        signal.alarm(FOREVER)
        try:
            os._exit(0 if work() else 1)
        except BaseException:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def cached(credential: Held) -> None:
    """Calls twice, so that the token is stored and the fast path is used."""
    assert credential.get_token() is credential.get_token()


def test_a_wall_clock_set_past_the_expiry_expires_the_token(colour: Colour) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        cached(credential)
        clock.step(DAY)
        assert number(credential.get_token()) == 2


def test_a_wall_clock_set_back_does_not_prolong_a_token(colour: Colour) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        cached(credential)
        clock.advance(DAY - 1)
        clock.step(-DAY)
        assert number(credential.get_token()) == 1
        clock.advance(1)
        assert number(credential.get_token()) == 2


def test_a_wall_clock_set_back_does_not_delay_the_refresh(colour: Colour) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        cached(credential)
        clock.step(-DAY)
        clock.advance(DAY / 2)
        credential.get_token()
        credential.wait_for_refreshes()
        assert number(credential.get_token()) == 2


def test_a_suspended_machine_does_not_prolong_a_token(colour: Colour) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        cached(credential)
        clock.wall += DAY  # the monotonic clock stops while the machine is suspended
        assert number(credential.get_token()) == 2


def test_a_wall_clock_that_was_wrong_at_the_fetch_does_not_prolong_a_token(colour: Colour) -> None:
    # A machine boots with its clock a year behind, and NTP corrects it later.
    truth = Clocks(NOW)
    clock = Clocks(NOW - 365 * DAY)
    imds = Imds(truth)
    with holding(colour, transport=imds, clock=clock) as credential:
        cached(credential)
        clock.advance(DAY - 1)
        assert number(credential.get_token()) == 1
        clock.advance(1)
        truth.advance(DAY)
        assert number(credential.get_token()) == 2, "by the wall clock alone it would be valid for another year"


def test_a_small_correction_of_the_wall_clock_changes_nothing(colour: Colour) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        first = credential.get_token()
        for seconds in (0.5, -0.5, 2, -2):
            clock.step(seconds)
            assert credential.get_token() is first
    assert len(imds) == 1


def test_the_earlier_of_expires_on_and_expires_in_counts(colour: Colour) -> None:
    for on, within in ((NOW + 500, DAY), (NOW + DAY, 500)):
        clock = Clocks(NOW)
        imds = Imds(clock, expires_on=on, expires_in=within)
        with holding(colour, transport=imds, clock=clock) as credential:
            assert credential.get_token().expires_on == on
            clock.advance(499)
            assert number(credential.get_token()) == 1
            credential.wait_for_refreshes()
            imds.fields.clear()
            credential.clear()
            imds.fields.update(expires_on=on, expires_in=within)


def test_a_jump_of_the_wall_clock_does_not_shorten_the_pause(colour: Colour) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.failure = answer(400, {"error": "x"})
        credential.get_token()
        credential.wait_for_refreshes()
        clock.step(HOUR)
        credential.get_token()
        credential.wait_for_refreshes()
        clock.step(-2 * HOUR)
        credential.get_token()
        credential.wait_for_refreshes()
    assert len(imds) == 2


def test_an_error_without_a_token_is_the_same_after_a_clock_jump(colour: Colour) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    imds.failure = answer(400, {"error": "invalid_request", "error_description": "Identity not found"})
    with holding(colour, transport=imds, clock=clock) as credential:
        clock.step(-NOW)
        assert isinstance(credential.error(), IdentityNotFoundError)
