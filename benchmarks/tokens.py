"""Tokens: from the cache, over a warm connection, from many threads, and while IMDS is down."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import ssl
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from math import inf
from typing import Any

import httpx
import msal
import requests
from azure.identity import ManagedIdentityCredential
from azure.identity.aio import ManagedIdentityCredential as AsyncManagedIdentityCredential

from azure_imds import AsyncImdsCredential, ImdsClient, ImdsCredential

from .ratios import Growth, Ratio, over, seconds_of, seconds_of_threads, turns
from .server import environment, serving

RESOURCE = "https://vault.azure.net"
SCOPE = f"{RESOURCE}/.default"

#: Targets in seconds: for a cached call, and for an async one in addition to an empty coroutine.
CACHED = 0.5e-6
AWAITED = 1e-6
#: Maximum seconds of any cached call, whether IMDS is up or down.
SLOWEST = 1e-3


def measure(quick: bool) -> Iterator[Ratio | Growth]:
    """Runs all benchmarks of tokens."""
    rounds, calls = (5, 20_000) if quick else (15, 100_000)
    logging.getLogger("azure_imds").setLevel(logging.ERROR)  # refreshes fail on purpose here
    with serving() as (endpoint, _):
        os.environ.update(environment(endpoint))
        yield from _cached(rounds, calls)
        yield from asyncio.run(_awaited(rounds, calls // 4))
        yield from _threads(rounds, calls * 4)
        yield from _warm(endpoint, rounds * 3, 50 if quick else 150)
    yield from _outage(rounds)
    yield _keys(rounds, calls // 10)


def _cached(rounds: int, calls: int) -> Iterator[Ratio]:
    ours, theirs = ImdsCredential(), ManagedIdentityCredential()
    application = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=requests.Session())
    few = calls // 10
    contenders: dict[str, Callable[[], float]] = {
        "ours": lambda: seconds_of(lambda: ours.get_token(SCOPE), calls),
        "an empty call": lambda: seconds_of(lambda: _nothing(SCOPE), calls),
        "msal": lambda: seconds_of(lambda: application.acquire_token_for_client(resource=RESOURCE), few),
        "azure-identity": lambda: seconds_of(lambda: theirs.get_token(SCOPE), few),
    }
    for contender in contenders.values():
        contender()
    found = turns(contenders, rounds)
    what = "cached get_token"
    yield Ratio(what, "0.5 microseconds", tuple(spent / CACHED for spent in found["ours"]), 1.0, margin=inf)
    # Inverted (theirs / ours): how many times faster ours is.
    yield Ratio("msal's cached get_token", "ours", over(found["msal"], found["ours"]), 12, least=True)
    yield Ratio(
        "azure-identity's cached get_token", "ours", over(found["azure-identity"], found["ours"]), 20, least=True
    )
    yield Ratio(what, "an empty call", over(found["ours"], found["an empty call"]))


def _nothing(*scopes: str) -> str:
    return scopes[0]


async def _awaited(rounds: int, calls: int) -> list[Ratio]:
    ours, theirs = AsyncImdsCredential(), AsyncManagedIdentityCredential()

    async def nothing(*scopes: str) -> str:
        return scopes[0]

    async def timed(call: Callable[[str], Any], times: int) -> float:
        await call(SCOPE)
        began = time.perf_counter()
        for _ in range(times):
            await call(SCOPE)
        return (time.perf_counter() - began) / times

    found: dict[str, list[float]] = {"ours": [], "nothing": [], "theirs": []}
    for _ in range(rounds):
        found["ours"].append(await timed(ours.get_token, calls))
        found["nothing"].append(await timed(nothing, calls))
        found["theirs"].append(await timed(theirs.get_token, calls // 10))
    await theirs.close()
    await ours.close()
    beyond = tuple(max(0.0, a - b) / AWAITED for a, b in zip(found["ours"], found["nothing"], strict=True))
    slower = over(found["theirs"], found["ours"])
    return [
        Ratio("cached get_token, async", "1 microsecond above an empty coroutine", beyond, 1.0, margin=inf),
        Ratio("azure.identity.aio's cached get_token", "ours", slower),
    ]


def _threads(rounds: int, calls: int) -> Iterator[Ratio]:
    credential = ImdsCredential()
    credential.get_token(SCOPE)

    def work(count: int, times: int) -> float:
        def many() -> None:
            get_token = credential.get_token
            for _ in range(times):
                get_token(SCOPE)

        threads = [threading.Thread(target=many) for _ in range(count)]
        return seconds_of_threads(threads)

    found = turns({"one": partial(work, 1, calls), "eight": partial(work, 8, calls // 8)}, rounds)
    gil = "" if getattr(sys, "_is_gil_enabled", lambda: True)() else ", without the GIL"
    what = f"cached get_token, throughput of 8 threads{gil}"
    yield Ratio(what, "1 thread", over(found["one"], found["eight"]), 0.9, least=True)


def _warm(endpoint: str, rounds: int, requests_a_round: int) -> Iterator[Ratio]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare = httpx.Client(trust_env=False, verify=context, base_url=endpoint, headers={"Metadata": "true"})
    imds = ImdsClient()

    def ask() -> Any:
        query = {"resource": RESOURCE, "api-version": "2018-10-01"}
        return bare.get("/metadata/identity/oauth2/token", params=query).json()["access_token"]

    with bare, imds:
        contenders: dict[str, Callable[[], float]] = {
            "ours": lambda: seconds_of(lambda: imds.identity.get_token(resource=RESOURCE), requests_a_round),
            "bare httpx": lambda: seconds_of(ask, requests_a_round),
        }
        for contender in contenders.values():
            contender()
        found = turns(contenders, rounds)
    yield Ratio("token request on a warm connection", "bare httpx", over(found["ours"], found["bare httpx"]), 1.15)


class _Away(httpx.BaseTransport):
    """An IMDS that answers once per resource, with a given refresh_in, and then is down."""

    def __init__(self, refresh_in: int) -> None:
        self._refresh_in = refresh_in
        self._answered: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        resource = request.url.params["resource"]
        if resource in self._answered:
            raise httpx.ConnectError("down")
        self._answered.add(resource)
        body = {"access_token": "t" * 1500, "expires_in": "86400", "refresh_in": str(self._refresh_in)}
        return httpx.Response(200, content=json.dumps(body))


def _outage(rounds: int) -> Iterator[Ratio]:
    fresh = ImdsCredential(endpoint="http://127.0.0.1", transport=_Away(43200), retry=None)
    fresh.get_token(SCOPE)

    def each(credential: ImdsCredential) -> list[float]:
        spent: list[float] = []
        for _ in range(10_000):
            began = time.perf_counter()
            credential.get_token(SCOPE)
            spent.append(time.perf_counter() - began)
        return spent

    medians: list[float] = []
    slowest: list[float] = []
    for _ in range(rounds):
        due = ImdsCredential(endpoint="http://127.0.0.1", transport=_Away(0), retry=None)
        due.get_token(SCOPE)
        with_imds, without = each(fresh), each(due)  # the first of these calls starts the refresh that fails
        medians.append(statistics.median(without) / statistics.median(with_imds))
        slowest.append(max(without) / SLOWEST)
    yield Ratio("10,000 calls after refresh_on, IMDS down: median", "a fresh token", tuple(medians), 1.1)
    yield Ratio("10,000 calls after refresh_on, IMDS down: slowest", "1 millisecond", tuple(slowest), 1.0, margin=inf)


def _keys(rounds: int, calls: int) -> Growth:
    sizes = (1, 10, 100, 1_000, 10_000)
    costs: list[list[float]] = []
    warm: list[tuple[ImdsCredential, list[str]]] = []
    for size in sizes:
        credential = ImdsCredential(endpoint="http://127.0.0.1", transport=_Away(43200))
        scopes = [f"https://vault-{number}.example/.default" for number in range(size)]
        for scope in scopes:
            credential.get_token(scope)
        warm.append((credential, scopes))
    for _ in range(rounds):
        costs.append([])
        for credential, scopes in warm:
            some = scopes[:: max(1, len(scopes) // 10)]

            def ask(credential: ImdsCredential = credential, some: list[str] = some) -> None:
                for scope in some:
                    credential.get_token(scope)

            costs[-1].append(seconds_of(ask, calls // len(some)) / len(some))
    relative = tuple(statistics.median(costs[r][i] / costs[r][0] for r in range(rounds)) for i in range(len(sizes)))
    return Growth("cached get_token", "tokens in memory", sizes, relative)
