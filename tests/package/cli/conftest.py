from __future__ import annotations

from collections.abc import Iterator

import pytest

from azure_imds_emulator import Emulator
from cli_support import Run, run_here


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator, and the environment variables with its address."""
    with Emulator() as emulator:
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)
        yield emulator


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process."""
    return run_here(capsys, monkeypatch)
