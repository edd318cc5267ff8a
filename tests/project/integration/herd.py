"""Many processes that request a token at the same moment: `python -m integration.herd COUNT {sync,async} [CACHE]`.

The program is loaded once and then forked, so that 64 processes start quickly. They share nothing: each makes its own
credential. Prints the results as a JSON list.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from typing import Any

import anyio
from integration.token_users import ASYNC_CREDENTIAL, CREDENTIAL, Site, TokenUser

NOWHERE = Site("", "")
#: The deadline of each credential, in seconds. It is long enough for a slow machine.
DEADLINE = 120


def request_token(user: TokenUser, options: dict[str, Any], start: Any, results: Any) -> None:
    start.wait()
    try:
        results.put({"fingerprint": user.use(user.make(**options), NOWHERE)})
    except Exception as error:
        results.put({"error": f"{type(error).__name__}: {error}"})


def main(count: int, colour: str, cache: str | None = None) -> None:
    user = {"sync": CREDENTIAL, "async": ASYNC_CREDENTIAL}[colour]
    options: dict[str, Any] = {"deadline": DEADLINE, **({"shared_cache": cache} if cache else {})}
    anyio.run(anyio.sleep, 0)  # imports the event loop before the fork
    context = multiprocessing.get_context("fork")
    start, results = context.Barrier(count), context.SimpleQueue()
    processes = [context.Process(target=request_token, args=(user, options, start, results)) for _ in range(count)]
    for process in processes:
        process.start()
    print(json.dumps([results.get() for _ in processes]))
    for process in processes:
        process.join()
    sys.exit(any(process.exitcode for process in processes))


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
