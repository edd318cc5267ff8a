"""Many threads use the package at once. On a free-threaded Python, they run at the same time."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

from azure_imds import EventWatcher, ImdsClient, ImdsCredential
from azure_imds_emulator import Emulator
from support import python
from token_support import FOREVER, SCOPE, Imds, number

THREADS = 12

#: Each thread imports everything in an order of its own, in a process that has imported nothing yet.
IMPORTS = """
import random, sys, threading
from importlib import import_module

names = [f"azure_imds:{name}" for name in NAMES]
names += ["azure_imds:errors", "azure_imds:attestation", "azure_imds:__all__", "azure_imds_api:models"]
names += ["azure_imds_api.models:Compute", "azure_imds_api.models:Network", "azure_imds_api.api.identity"]
names += ["azure_imds_emulator:Emulator", "azure_imds._cli:main"]
failures = []
barrier = threading.Barrier(THREADS)

def load(seed):
    barrier.wait()
    for name in random.Random(seed).sample(names, len(names)):
        module, _, attribute = name.partition(":")
        try:
            found = import_module(module)
            getattr(found, attribute or "__name__")
        except BaseException as error:
            failures.append(f"{name}: {error!r}")

threads = [threading.Thread(target=load, args=(seed,), daemon=True) for seed in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(FOREVER)
assert not any(thread.is_alive() for thread in threads), "a deadlock"
assert not failures, failures
"""


def together(work: Callable[[int], Any]) -> list[Any]:
    """Calls a function in many threads, which begin at the same moment. Returns the results."""
    barrier = threading.Barrier(THREADS)
    results: list[Any] = []
    failures: list[BaseException] = []

    def run(index: int) -> None:
        barrier.wait(FOREVER)
        try:
            results.append(work(index))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(FOREVER)
    assert not any(thread.is_alive() for thread in threads)
    assert failures == []
    return results


def test_threads_import_everything_for_the_first_time_at_once() -> None:
    import azure_imds

    values = {"NAMES": azure_imds.__all__, "THREADS": THREADS, "FOREVER": FOREVER}  # type: ignore[attr-defined]
    settings = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    ended = python(f"{settings}\n{IMPORTS}")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_threads_send_one_request_for_each_resource() -> None:
    imds = Imds()
    credential = ImdsCredential(transport=imds)

    def work(index: int) -> list[tuple[str, int]]:
        resources = [f"https://r{(index + turn) % 5}" for turn in range(50)]
        return [(resource, number(credential.get_token(resource))) for resource in resources]

    results = together(work)
    assert len(imds) == 5
    assert len({pair for result in results for pair in result}) == 5


@pytest.mark.parametrize("life", [301, 86400])
def test_threads_get_clear_force_copy_and_pickle_at_once(life: int) -> None:
    credential = ImdsCredential(transport=Imds(life=life))
    plain = ImdsCredential()
    actions: list[Callable[[], object]] = [
        credential.clear,
        lambda: credential.get_token(SCOPE, force_refresh=True),
        lambda: pickle.loads(pickle.dumps(plain)),
        lambda: copy.copy(credential).get_token(SCOPE),
        lambda: repr(credential),
        *[lambda: credential.get_token(SCOPE)] * 4,
    ]

    def work(index: int) -> None:
        for turn in range(30):
            actions[(index + turn) % len(actions)]()

    together(work)
    assert credential.get_token(SCOPE).token


def test_threads_share_a_client_and_its_connections() -> None:
    with Emulator() as emulator, ImdsClient(endpoint=emulator.endpoint, cache=True) as imds:
        results = together(lambda index: [imds.instances.get_metadata().compute.vm_id for _ in range(10)])
        assert len({one for result in results for one in result}) == 1


def test_watchers_in_threads_each_report_every_event() -> None:
    with Emulator() as emulator, ImdsClient(endpoint=emulator.endpoint) as imds:
        emulator.events.schedule("Reboot", event_id="A")
        watchers = [EventWatcher(imds, interval=0.2) for _ in range(THREADS)]

        def work(index: int) -> list[str]:
            found = []
            for change in watchers[index]:
                found.append(change.event.event_id)
                watchers[index].stop()
            return found

        assert together(work) == [["A"]] * THREADS
