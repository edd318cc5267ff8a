"""Concurrent callers of the same token: how many requests are sent, and how long the callers wait."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import msal
import requests
from azure.identity import ManagedIdentityCredential

from azure_imds import AsyncImdsCredential, ImdsCredential
from azure_imds_emulator import Emulator

from .ratios import Ratio, over, seconds_of_threads
from .server import environment

RESOURCE = "https://vault.azure.net"
SCOPE = f"{RESOURCE}/.default"
THREADS = "64 threads, cold"
#: Why a herd can take longer than its start-up and one request.
BUSY = (
    "All callers wake up when the token arrives, and share the processor's cores with the emulator. Other work on the "
    "machine delays many callers more than one."
)
#: Seconds that the emulator takes for a token, as long as a real IMDS that calls Entra.
ANSWER = 0.25


def measure(quick: bool) -> Iterator[Ratio]:
    """Measures threads, tasks and processes."""
    rounds = 3 if quick else 9
    with Emulator() as emulator:
        emulator.fail(delay=ANSWER, seconds=3600, path="/metadata/identity/oauth2/token")
        yield from _herd(emulator, THREADS, 1, rounds, _threads)
        yield from _others(emulator, 3 if quick else 5)
        yield from _herd(emulator, "1,000 tasks, cold", 1, rounds, _tasks)
        yield from _herd(emulator, "64 processes with shared_cache, cold", 2, 2 if quick else 5, _processes)


def _herd(emulator: Emulator, what: str, most: int, rounds: int, run: Callable[[str, bool], float]) -> Iterator[Ratio]:
    counts: list[float] = []
    together: list[float] = []
    alone: list[float] = []
    run(emulator.endpoint, True)  # does all lazy imports
    for _ in range(rounds):
        emulator.requests.clear()
        together.append(run(emulator.endpoint, True))
        counts.append(float(len(emulator.requests)))
        # The minimum: all of them start and end, and there is one request.
        emulator.requests.clear()
        alone.append(run(emulator.endpoint, False))
    yield Ratio(f"{what}: requests", "1", tuple(counts), most, margin=1, worst=True)
    yield Ratio(f"{what}: time", "their start-up and one request", over(together, alone), 1.2, margin=1.5, reason=BUSY)


def _others(emulator: Emulator, rounds: int) -> Iterator[Ratio]:
    """Compares with the other libraries, and with a program that requests the token for each caller."""
    with _found_by_all(emulator.endpoint):
        callers: dict[str, Callable[[], Callable[[], object]]] = {
            "ours": _ours,
            "azure-identity": _azure_identity,
            "msal": _msal,
            "bare httpx": partial(_bare, emulator.endpoint),
        }
        counts: dict[str, list[float]] = {name: [] for name in callers}
        times: dict[str, list[float]] = {name: [] for name in callers}
        for _ in range(rounds):
            for name, prepare in callers.items():
                call = prepare()
                emulator.requests.clear()
                times[name].append(seconds_of_threads([threading.Thread(target=call) for _ in range(64)]))
                counts[name].append(float(len(emulator.requests)))
    for name in callers:
        if name != "ours":
            yield Ratio(f"{THREADS}: requests", name, over(counts["ours"], counts[name]))
            yield Ratio(f"{THREADS}: time", name, over(times["ours"], times[name]))


@contextlib.contextmanager
def _found_by_all(endpoint: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(environment(endpoint))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _ours() -> Callable[[], object]:
    credential = ImdsCredential()
    return lambda: credential.get_token(SCOPE)


def _azure_identity() -> Callable[[], object]:
    credential = ManagedIdentityCredential()
    return lambda: credential.get_token(SCOPE)


def _msal() -> Callable[[], object]:
    client = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=requests.Session())
    return lambda: client.acquire_token_for_client(resource=RESOURCE)


def _bare(endpoint: str) -> Callable[[], object]:
    limits = httpx.Limits(max_connections=64)
    client = httpx.Client(trust_env=False, base_url=endpoint, headers={"Metadata": "true"}, limits=limits)
    query = {"resource": RESOURCE, "api-version": "2018-10-01"}
    return lambda: client.get("/metadata/identity/oauth2/token", params=query).raise_for_status().json()


def _threads(endpoint: str, herd: bool) -> float:
    credential = ImdsCredential(endpoint=endpoint)
    leader = ImdsCredential(endpoint=endpoint)
    asked = threading.Event()

    def ask() -> None:
        if herd:
            credential.get_token(SCOPE)
        else:
            asked.wait()

    def lead() -> None:
        leader.get_token(SCOPE)
        asked.set()

    threads = [threading.Thread(target=ask) for _ in range(63)] + [threading.Thread(target=ask if herd else lead)]
    return seconds_of_threads(threads)


def _tasks(endpoint: str, herd: bool) -> float:
    async def main() -> float:
        credential = AsyncImdsCredential(endpoint=endpoint)
        asked = asyncio.Event()

        async def ask() -> None:
            await (credential.get_token(SCOPE) if herd else asked.wait())

        async def lead() -> None:
            await credential.get_token(SCOPE)
            asked.set()

        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(999):
                group.create_task(ask())
            group.create_task(ask() if herd else lead())
        return time.perf_counter() - began

    return asyncio.run(main())


def _process(endpoint: str, folder: str, start: Any, herd: bool) -> None:
    credential = ImdsCredential(endpoint=endpoint, shared_cache=folder, deadline=120)
    start.wait()
    if herd:
        credential.get_token(SCOPE)
    else:
        time.sleep(ANSWER)


def _processes(endpoint: str, herd: bool) -> float:
    """Forks processes that have already imported everything, so that the start of 64 interpreters is not measured."""
    httpx.Client(trust_env=False).close()  # does the lazy imports of httpx
    context: Any = multiprocessing.get_context("fork")
    start = context.Barrier(65)
    with tempfile.TemporaryDirectory() as folder:
        members = [context.Process(target=_process, args=(endpoint, folder, start, herd)) for _ in range(64)]
        for member in members:
            member.start()
        start.wait()
        began = time.perf_counter()
        for member in members:
            member.join()
        return time.perf_counter() - began
