"""The Python blocks of the documentation run as they stand, one page after the other in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from azure_imds_emulator import Emulator
from support import ROOT

#: Pages whose examples need a setting of their own, and the tests that give it to them.
ELSEWHERE = {
    "attestation": "test_attestation.py",
    "cli": "cli/test_docs.py",
    "emulator": "emulator/test_docs.py",
    "events": "test_events_life.py",
}
PAGES = [page for page in sorted((ROOT / "docs").glob("*.md")) if page.stem not in ELSEWHERE]


@pytest.mark.parametrize(("page", "test"), ELSEWHERE.items())
def test_the_other_pages_are_tested_elsewhere(page: str, test: str) -> None:
    assert f"{page}.md" in (ROOT / "tests" / test).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_the_examples_of_a_page_run(page: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    if not blocks:
        pytest.skip("no Python on this page")
    with Emulator() as emulator:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", "\n".join(blocks)],
            env=os.environ | emulator.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    assert "eyJ" not in done.stdout + done.stderr, "an example prints a token"
