"""A test that hangs fails and does not stop the test run. The limits are in pyproject.toml."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from support import ROOT, run_program

CONFIG = ROOT / "pyproject.toml"
OPTIONS = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]

WAITING = """
import subprocess, sys, threading
import pytest

@pytest.fixture
def process():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    print("the process ended with", process.wait())

def test_waits(process):
    threading.Event().wait()

def test_passes():
    pass
"""

STUCK = """
import threading

def test_cannot_be_interrupted():
    while True:
        try:
            threading.Event().wait()
        except BaseException:
            pass

def test_passes():
    pass
"""


def run_tests(folder: Path, code: str, *limits: str) -> subprocess.CompletedProcess[str]:
    """Runs tests with the configuration of this project, except for the limits."""
    (folder / "test_it.py").write_text(code, encoding="utf-8")
    options = [word for limit in limits for word in ("-o", limit)]
    command = [sys.executable, "-m", "pytest", "-c", CONFIG, f"--rootdir={folder}", "-n1", *options, "test_it.py"]
    return run_program(command, cwd=folder)


@pytest.mark.integration
def test_a_test_that_waits_fails_and_its_fixtures_end_what_they_started(tmp_path: Path) -> None:
    done = run_tests(tmp_path, WAITING, "timeout=1")
    assert "1 failed, 1 passed" in done.stdout, done.stderr
    assert "Timeout (>1.0s) from pytest-timeout" in done.stdout
    assert "the process ended with -9" in done.stdout


@pytest.mark.integration
def test_a_test_that_cannot_be_interrupted_ends_only_its_worker(tmp_path: Path) -> None:
    done = run_tests(tmp_path, STUCK, "timeout=1", "faulthandler_timeout=3")
    assert "1 failed, 1 passed" in done.stdout, done.stderr
    assert re.search(r"worker 'gw0' crashed while running '.*test_cannot_be_interrupted'", done.stdout)


def test_no_test_has_a_limit_above_that_of_its_worker() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")]
    limits = {int(limit) for text in texts for limit in re.findall(r"mark\.timeout\((\d+)", text)}
    assert max({OPTIONS["timeout"], *limits}) < OPTIONS["faulthandler_timeout"]
