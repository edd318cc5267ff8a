"""Exceptions of signal handlers and of other threads, in the middle of a credential's call."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import pytest

import azure_imds
from azure_imds import AsyncImdsCredential, ImdsCredential
from azure_imds._tokens.shared_cache import SharedCache
from injection import not_raised
from signal_support import (
    EXCEPTIONS,
    FOREVER,
    Alarm,
    by_class,
    ending,
    handled,
    inject,
    needs_signals,
    send_alarm,
    untraced,
    while_in,
)
from support import COLOURS
from token_support import DAY, DOWN, SCOPE, Clocks, Gate, Imds, holding, number, refreshers

PACKAGE = str(Path(str(azure_imds.__file__)).parent / "_")


# Between any two lines


def get_tokens(colour: str, **options: Any) -> None:
    """Gets a token twice, and once more from the service."""
    clock = Clocks()
    options |= {"transport": Imds(clock), "clock": clock}
    if colour == "sync":
        with ImdsCredential(**options) as credential:
            for force_refresh in (False, False, True):
                credential.get_token(SCOPE, force_refresh=force_refresh)
            credential.clear()
        return

    async def main() -> None:
        async with AsyncImdsCredential(**options) as credential:
            for force_refresh in (False, False, True):
                await credential.get_token(SCOPE, force_refresh=force_refresh)
            credential.clear()

    anyio.run(main, backend=colour)


@pytest.mark.integration
@pytest.mark.parametrize("colour", ["sync", "asyncio", "trio"])
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # between two lines, a generator may not be closed yet
def test_an_exception_at_any_line_reaches_the_caller(colour: str) -> None:
    assert [*not_raised(lambda: lambda: get_tokens(colour), EXCEPTIONS, PACKAGE)] == []


@pytest.mark.integration
@pytest.mark.parametrize("colour", ["sync", "asyncio", "trio"])
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # between two lines, a file may not be closed yet
def test_an_exception_at_any_line_of_the_shared_cache_reaches_the_caller(colour: str, tmp_path: Path) -> None:
    folders = count()

    def make_action() -> Callable[[], object]:
        folder = tmp_path / str(next(folders))

        def act() -> None:
            get_tokens(colour, shared_cache=folder)
            folder.joinpath(f"{'0' * 32}-{'0' * 32}.json").write_text("damaged")
            get_tokens(colour, shared_cache=folder)

        return act

    assert [*not_raised(make_action, EXCEPTIONS, PACKAGE)] == []


# Real signals and injected exceptions


@needs_signals
@by_class
@pytest.mark.parametrize("is_shared", [False, True], ids=["memory", "shared cache"])
def test_the_others_do_not_get_the_exception_of_an_interrupted_leader(
    error: Exception, is_shared: bool, tmp_path: Path
) -> None:
    imds, gate = Imds(), Gate()
    imds.gates = [gate]
    tokens: list[int] = []
    with holding(COLOURS[0], transport=imds, shared_cache=tmp_path / "tokens" if is_shared else False) as credential:
        threads = [threading.Thread(target=lambda: tokens.append(number(credential.get_token()))) for _ in range(5)]

        def start_the_others() -> None:
            if imds.requests:
                for thread in threads:
                    if thread.ident is None:
                        thread.start()
                send_alarm()

        with handled(error), while_in("wait", start_the_others):
            end = ending(credential.get_token)
        for thread in threads:
            thread.join(FOREVER)
    assert end is error
    assert tokens == [1] * 5
    assert len(imds) == 2


@pytest.mark.parametrize("kind", [Alarm, TimeoutError])
@untraced()
def test_the_others_do_not_get_an_exception_that_was_injected_into_the_leader(kind: type[Exception]) -> None:
    imds, gate = Imds(), Gate()
    imds.gates, imds.failure = [gate], DOWN
    ends: list[Any] = []
    with holding(COLOURS[0], transport=imds, retry=None) as credential:
        leader = threading.Thread(target=lambda: ends.append(ending(credential.get_token)))
        leader.start()
        gate.wait_for()
        crowd = credential.crowd(6)
        inject(leader.ident or 0, kind)
        imds.failure = None
        gate.open()
        results = crowd.results()
        leader.join(FOREVER)
    assert [type(end) for end in ends] == [kind]
    assert {number(token) for token in results} == {1}


@needs_signals
@by_class
def test_a_signal_while_it_waits_for_another_process(error: Exception, tmp_path: Path) -> None:
    folder, imds = tmp_path / "tokens", Imds()
    with ImdsCredential(transport=imds, shared_cache=folder) as credential:
        cache = SharedCache.open(folder, credential._clock)
        assert cache is not None
        name = SharedCache.name(credential._identity, "https://vault.azure.net")
        lock = cache.wait_for_token(name, 1, ignore_stored=True, only_fresh=False)
        with lock, handled(error), while_in("sleep", send_alarm):
            assert ending(lambda: credential.get_token(SCOPE)) is error
        assert number(credential.get_token(SCOPE)) == 1
    assert len(imds) == 1


@pytest.mark.parametrize("kind", [Alarm, TimeoutError])
@untraced()
def test_an_early_refresh_does_not_hide_an_exception_that_was_injected(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", lambda arguments: seen.append(arguments.exc_type))
    clock, gate = Clocks(), Gate()
    imds = Imds(clock)
    with holding(COLOURS[0], transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.gates = [gate]
        credential.get_token()
        gate.wait_for()
        (thread,) = refreshers()
        inject(thread.ident or 0, kind)
        gate.open()
        credential.wait_for_refreshes()
        clock.advance(31)
        credential.get_token()
        credential.wait_for_refreshes()
    assert seen == [kind]
    assert not caplog.records
    assert len(imds) == 3
