"""An emulator for each test, and plain HTTP clients for both of its ports."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

pytest.importorskip("aiohttp", reason="needs the extra emulator")

from azure_imds_emulator import Emulator
from emulator_support import make_client, make_client_for


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def http(emulator: Emulator) -> Iterator[httpx.Client]:
    with make_client_for(emulator) as client:
        yield client


@pytest.fixture
def control(emulator: Emulator) -> Iterator[httpx.Client]:
    with make_client(base_url=emulator.control_url) as client:
        yield client
