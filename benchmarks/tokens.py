"""Tokens: from the cache, over a warm connection, from many threads, and while IMDS is down."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
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
from urllib.parse import urlencode, urlsplit

import httpx
import msal
import requests
from azure.identity import ManagedIdentityCredential
from azure.identity.aio import ManagedIdentityCredential as AsyncManagedIdentityCredential

from azure_imds import AsyncImdsCredential, ImdsClient, ImdsCredential

from .ratios import Growth, Ratio, over, seconds_of, seconds_of_threads, turns
from .server import environment, serving

RESOURCE = "https://vault.azure.net"
QUERY = {"resource": RESOURCE, "api-version": "2018-10-01"}
LEAF = "compute/location"
CACHED_CALL = "cached get_token"
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
    what = CACHED_CALL
    yield Ratio(what, "msal", over(found["ours"], found["msal"]), 1 / 12, margin=1.5)
    yield Ratio(what, "azure-identity", over(found["ours"], found["azure-identity"]), 1 / 20, margin=1.5)
    yield Ratio(what, "an empty call", over(found["ours"], found["an empty call"]))
    yield Ratio(what, "0.5 microseconds", tuple(spent / CACHED for spent in found["ours"]))


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
    what = f"{CACHED_CALL}, async"
    return [
        Ratio(what, "azure.identity.aio", over(found["ours"], found["theirs"])),
        Ratio(what, "1 microsecond above an empty coroutine", beyond, 1.0, margin=inf),
    ]


def _threads(rounds: int, calls: int) -> Iterator[Ratio]:
    credential = ImdsCredential()
    credential.get_token(SCOPE)

    def work(call: Callable[[str], Any], count: int) -> float:
        def many() -> None:
            for _ in range(calls // count):
                call(SCOPE)

        return seconds_of_threads([threading.Thread(target=many) for _ in range(count)])

    calls_by_name: dict[str, Callable[[str], Any]] = {CACHED_CALL: credential.get_token, "an empty call": _nothing}
    found = turns(
        {f"{name} {count}": partial(work, call, count) for name, call in calls_by_name.items() for count in (1, 8)},
        rounds,
    )
    slower = {name: over(found[f"{name} 8"], found[f"{name} 1"]) for name in calls_by_name}
    gil = "" if getattr(sys, "_is_gil_enabled", lambda: True)() else ", without the GIL"
    reason = (
        "The threads take turns with the interpreter's lock, and each turn costs time. "
        f"The same number of empty calls takes {statistics.median(slower['an empty call']):.2f} of one thread's time."
    )
    for name, limit in ((CACHED_CALL, 1 / 0.9), ("an empty call", None)):
        yield Ratio(
            f"{name}, 8 threads{gil}", "as many calls in 1 thread", slower[name], limit, margin=1.5, reason=reason
        )


def _warm(endpoint: str, rounds: int, requests_a_round: int) -> Iterator[Ratio]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare = httpx.Client(trust_env=False, verify=context, base_url=endpoint, headers={"Metadata": "true"})
    plain = http.client.HTTPConnection(urlsplit(endpoint).netloc)
    imds = ImdsClient()

    def get(target: str) -> bytes:
        plain.request("GET", target, headers={"Metadata": "true"})
        return plain.getresponse().read()

    token = "/metadata/identity/oauth2/token"
    leaf = f"/metadata/instance/{LEAF}"
    version = {"api-version": "2021-02-01", "format": "text"}
    with bare, contextlib.closing(plain), imds:
        calls: dict[str, dict[str, Callable[[], Any]]] = {
            "token request on a warm connection": {
                "ours": lambda: imds.identity.get_token(resource=RESOURCE),
                "bare httpx": lambda: bare.get(token, params=QUERY).json()["access_token"],
                "http.client": lambda: json.loads(get(f"{token}?{urlencode(QUERY)}"))["access_token"],
            },
            "get() of one value on a warm connection": {
                "ours": lambda: imds.get(LEAF),
                "bare httpx": lambda: bare.get(leaf, params=version).text,
                "http.client": lambda: get(f"{leaf}?{urlencode(version)}").decode(),
            },
        }
        for what, contenders in calls.items():
            for call in contenders.values():
                call()
            timed = {name: partial(seconds_of, call, requests_a_round) for name, call in contenders.items()}
            found = turns(timed, rounds)
            yield Ratio(what, "bare httpx", over(found["ours"], found["bare httpx"]), 1.0)
            yield Ratio(what, "http.client", over(found["ours"], found["http.client"]))


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
