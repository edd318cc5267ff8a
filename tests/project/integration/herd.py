"""Many processes that ask for a token at one moment: `python -m integration.herd COUNT {sync,async} [CACHE]`.

The program is loaded once and then forked, so that 64 starts cost little. The processes share nothing by that: each
makes a credential of its own. Prints, as a JSON list, what came of it in each.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from typing import Any

import anyio
from integration.errands import ASYNC_CREDENTIAL, CREDENTIAL, Errand, Site

NOWHERE = Site("", "")
#: Seconds, for machines of any speed.
DEADLINE = 120


def member(errand: Errand, options: dict[str, Any], start: Any, results: Any) -> None:
    start.wait()
    try:
        results.put({"fingerprint": errand.use(errand.make(**options), NOWHERE)})
    except Exception as error:
        results.put({"error": f"{type(error).__name__}: {error}"})


def main(count: int, colour: str, cache: str | None = None) -> None:
    errand = {"sync": CREDENTIAL, "async": ASYNC_CREDENTIAL}[colour]
    options: dict[str, Any] = {"deadline": DEADLINE, **({"shared_cache": cache} if cache else {})}
    anyio.run(anyio.sleep, 0)  # loads what is loaded late, for all of them
    context = multiprocessing.get_context("fork")
    start, results = context.Barrier(count), context.SimpleQueue()
    members = [context.Process(target=member, args=(errand, options, start, results)) for _ in range(count)]
    for one in members:
        one.start()
    print(json.dumps([results.get() for _ in members]))
    for one in members:
        one.join()
    sys.exit(any(one.exitcode for one in members))


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
