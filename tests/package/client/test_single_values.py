"""Single nodes of the instance document: few requests, and fewer with `cache=True`."""

from __future__ import annotations

import json
import threading
from typing import Any

import anyio
import httpx
import pytest

from azure_imds import AsyncImdsClient, ImdsClient, ImdsUnavailableError, NotFoundError
from support import Colour, FakeClock, answer, example

DOCUMENT = example("instance")


class Nodes(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """An IMDS that serves the nodes of one document, and can be stopped.

    Attributes:
        requests: what was requested, without the host.
        gate: when not set, requests wait for it.
        is_away: whether connections are refused.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.is_away = False
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = threading.Semaphore(0)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(str(request.url.raw_path.decode()))
        self.arrived.release()
        assert self.gate.wait(30)
        if self.is_away:
            raise httpx.ConnectError("refused")
        node: Any = DOCUMENT
        for segment in request.url.path.removeprefix("/metadata/instance").strip("/").split("/"):
            if segment:
                node = node[int(segment)] if isinstance(node, list) else node.get(segment)
            if node is None:
                return answer(404, {"error": "Not found"})
        is_text = request.url.params.get("format") == "text"
        if isinstance(node, str):
            return answer(200, node) if is_text else answer(400, {"error": "Bad request"})
        return answer(200, json.dumps(node))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await anyio.to_thread.run_sync(self.handle_request, request)


def read(colour: Colour, imds: Any, *paths: str) -> Any:
    """Reads nodes one after the other."""
    if colour.name == "sync":
        return [imds.get(path) for path in paths]

    async def main() -> list[Any]:
        return [await imds.get(path) for path in paths]

    return main()


@pytest.mark.parametrize(("cache", "most"), [(True, 2), (False, 11)])
def test_ten_reads_of_a_leaf(colour: Colour, cache: bool, most: int) -> None:
    imds = Nodes()
    values = colour.run(lambda client: read(colour, client, *["compute/location"] * 10), transport=imds, cache=cache)
    assert values == [DOCUMENT["compute"]["location"]] * 10
    assert len(imds.requests) == most


def test_ten_reads_of_a_node_are_one_request_with_a_cache(colour: Colour) -> None:
    imds = Nodes()
    values = colour.run(lambda client: read(colour, client, *["network"] * 10), transport=imds, cache=True)
    assert values == [DOCUMENT["network"]] * 10
    assert len(imds.requests) == 1


def test_changes_of_a_value_by_the_caller_do_not_change_the_cached_one(colour: Colour) -> None:
    def twice(client: Any) -> Any:
        if colour.name == "sync":
            client.get("network").clear()
            return client.get("network")

        async def main() -> Any:
            (await client.get("network")).clear()
            return await client.get("network")

        return main()

    assert colour.run(twice, transport=Nodes(), cache=True) == DOCUMENT["network"]


def test_a_value_survives_an_outage(colour: Colour) -> None:
    imds = Nodes()

    def before_and_after(client: Any) -> Any:
        if colour.name == "sync":
            first = client.get("compute/location")
            imds.is_away = True
            return first, client.get("compute/location"), client.get("compute/location")

        async def main() -> Any:
            first = await client.get("compute/location")
            imds.is_away = True
            return first, await client.get("compute/location"), await client.get("compute/location")

        return main()

    assert len(set(colour.run(before_and_after, transport=imds, cache=True))) == 1
    assert len(imds.requests) == 2


def test_a_leaf_is_a_leaf_for_each_sibling_and_each_path(colour: Colour) -> None:
    imds = Nodes()

    def siblings(client: Any) -> Any:
        paths = ("compute/location", "compute/name")
        if colour.name == "sync":
            return [one.get(path) for one in (client, client.with_options(timeout=3)) for path in paths]

        async def main() -> Any:
            return [await one.get(path) for one in (client, client.with_options(timeout=3)) for path in paths]

        return main()

    colour.run(siblings, transport=imds)
    assert len(imds.requests) == 6


def test_a_path_that_does_not_exist_is_requested_again(colour: Colour) -> None:
    imds = Nodes()

    def missing(client: Any) -> Any:
        return client.get("compute/nothing")

    for _ in range(2):
        assert isinstance(colour.error(missing, transport=imds, cache=True), NotFoundError)
    assert len(imds.requests) == 2


@pytest.mark.parametrize("ask", ["get", "document"])
def test_threads_at_a_cold_cache_send_one_request(ask: str) -> None:
    imds = Nodes()
    imds.gate.clear()
    found: list[Any] = []
    with ImdsClient(transport=imds, cache=True) as client:

        def use() -> None:
            found.append(client.get("network") if ask == "get" else client.instances.get_metadata().to_dict())

        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        assert imds.arrived.acquire(timeout=30)
        imds.gate.set()
        for thread in threads:
            thread.join(30)
    assert len(found) == 8
    assert all(one == found[0] for one in found)
    assert len(imds.requests) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_tasks_at_a_cold_cache_send_one_request(backend: str) -> None:
    imds = Nodes()

    async def main() -> None:
        async with AsyncImdsClient(transport=imds, cache=True) as client, anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(client.get, "network")

    anyio.run(main, backend=backend)
    assert len(imds.requests) == 1


def test_each_thread_gets_its_own_error_at_a_cold_cache() -> None:
    imds = Nodes()
    imds.is_away = True
    imds.gate.clear()
    errors: list[ImdsUnavailableError] = []
    with ImdsClient(transport=imds, cache=True, retry=None, clock=FakeClock()) as client:

        def use() -> None:
            with pytest.raises(ImdsUnavailableError) as caught:
                client.get("network")
            errors.append(caught.value)

        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert imds.arrived.acquire(timeout=30)
        imds.gate.set()
        for thread in threads:
            thread.join(30)
    assert len({id(error) for error in errors}) == 4
    assert len({str(error) for error in errors}) <= 4


def test_another_thread_sends_the_request_of_an_interrupted_leader() -> None:
    class Alarm(Exception):
        pass

    class Interrupting(FakeClock):
        alarms = 1

        def monotonic(self) -> float:
            if imds.requests and self.alarms:
                self.alarms = 0
                raise Alarm
            return super().monotonic()

    imds = Nodes()
    imds.gate.clear()
    outcomes: list[Any] = []
    with ImdsClient(transport=imds, cache=True, clock=Interrupting()) as client:

        def use() -> None:
            try:
                outcomes.append(client.get("network"))
            except Alarm as error:
                outcomes.append(error)

        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert imds.arrived.acquire(timeout=30)
        imds.gate.set()
        for thread in threads:
            thread.join(30)
    assert sum(isinstance(one, Alarm) for one in outcomes) == 1
    assert [one for one in outcomes if not isinstance(one, Alarm)] == [DOCUMENT["network"]] * 3
