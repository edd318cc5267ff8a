"""64 processes of one machine that ask for a token at one moment, before an IMDS with its documented rate limits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from integration.errands import fingerprint, token_of

from azure_imds_emulator import Emulator, RecordedRequest
from azure_imds_emulator.limits import IDENTITY_CONCURRENT
from support import TEST_PATH

pytestmark = [
    pytest.mark.integration,
    pytest.mark.imds_emulator(rate_limits=True),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork, and 64 fresh starts take too long"),
]

PROCESSES = 64

colours = pytest.mark.parametrize("colour", ["sync", "async"])


def run(colour: str, *cache: str) -> list[dict[str, str]]:
    """What came of it in each process."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "integration.herd", str(PROCESSES), colour, *cache],
        env={**os.environ, "PYTHONPATH": TEST_PATH},
        text=True,
        capture_output=True,
        timeout=180,
    )
    assert (done.returncode, done.stderr) == (0, "")
    results: list[dict[str, str]] = json.loads(done.stdout)
    return results


def everybody_has_it(emulator: Emulator) -> list[dict[str, str]]:
    """The results where each process got the token that IMDS has for this machine."""
    emulator.faults.clear()
    emulator.limits.enabled = False
    return [{"fingerprint": fingerprint(token_of(emulator.endpoint))}] * PROCESSES


@colours
def test_with_a_shared_cache_two_requests_do_at_most(colour: str, emulator: Emulator, tmp_path: Path) -> None:
    results = run(colour, str(tmp_path / "tokens"))
    assert 1 <= len(emulator.requests) <= 2
    assert results == everybody_has_it(emulator)


@colours
def test_without_it_all_get_a_token_in_the_end(
    colour: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Answers take a while, and time stands still for them until everybody has asked: truly all at once.
    emulator.fail(delay=0.02, times=100_000)
    emulator.clock.freeze()
    append = emulator.requests.append

    def arrive(request: RecordedRequest) -> None:
        append(request)
        if emulator.requests.total == PROCESSES:
            emulator.clock.resume()

    monkeypatch.setattr(emulator.requests, "append", arrive)
    results = run(colour)
    rush = Counter(request.status for request in emulator.requests[:PROCESSES])
    assert rush == {200: IDENTITY_CONCURRENT, 429: PROCESSES - IDENTITY_CONCURRENT}
    assert Counter(request.status for request in emulator.requests)[200] == PROCESSES
    assert results == everybody_has_it(emulator)
