"""64 processes request a token at the same moment from an IMDS with the documented rate limits."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path

import pytest
from integration.token_users import compute_fingerprint, fetch_token

from azure_imds_emulator import Emulator, RecordedRequest
from azure_imds_emulator.limits import IDENTITY_CONCURRENT
from support import TEST_PATH, run_program

pytestmark = [
    pytest.mark.integration,
    pytest.mark.imds_emulator(rate_limits=True),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork: 64 new interpreters take too long"),
]

PROCESSES = 64

colours = pytest.mark.parametrize("colour", ["sync", "async"])


def run(colour: str, *cache: str) -> list[dict[str, str]]:
    """Returns the result of each process."""
    done = run_program(
        [sys.executable, "-W", "error", "-m", "integration.herd", str(PROCESSES), colour, *cache],
        env={**os.environ, "PYTHONPATH": TEST_PATH},
    )
    assert (done.returncode, done.stderr) == (0, "")
    results: list[dict[str, str]] = json.loads(done.stdout)
    return results


def expect_results(emulator: Emulator) -> list[dict[str, str]]:
    """Returns the results if each process got the token that IMDS has for this machine."""
    emulator.faults.clear()
    emulator.limits.enabled = False
    return [{"fingerprint": compute_fingerprint(fetch_token(emulator.endpoint))}] * PROCESSES


@colours
def test_with_a_shared_cache_they_send_at_most_two_requests(colour: str, emulator: Emulator, tmp_path: Path) -> None:
    results = run(colour, str(tmp_path / "tokens"))
    assert 1 <= len(emulator.requests) <= 2
    assert results == expect_results(emulator)


@colours
def test_without_a_shared_cache_every_process_gets_a_token(
    colour: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Responses are delayed, and the clock of the rate limits is stopped until every process has sent its request.
    emulator.fail(delay=0.02, times=100_000)
    emulator.clock.freeze()
    append = emulator.requests.append

    def record(request: RecordedRequest) -> None:
        append(request)
        if emulator.requests.total == PROCESSES:
            emulator.clock.resume()

    monkeypatch.setattr(emulator.requests, "append", record)
    results = run(colour)
    first = Counter(request.status for request in emulator.requests[:PROCESSES])
    assert first == {200: IDENTITY_CONCURRENT, 429: PROCESSES - IDENTITY_CONCURRENT}
    assert Counter(request.status for request in emulator.requests)[200] == PROCESSES
    assert results == expect_results(emulator)
