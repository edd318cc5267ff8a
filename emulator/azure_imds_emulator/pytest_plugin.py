"""The pytest plugin with the fixture `imds_emulator`.

pytest imports this module wherever the distribution is installed. Therefore it imports only pytest. The fixture imports
the emulator and its libraries when a test uses it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .emulator import Emulator


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker."""
    config.addinivalue_line(
        "markers",
        'imds_emulator(**options): options of the Emulator of the fixture imds_emulator, such as host="app-service"',
    )


@pytest.fixture
def imds_emulator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A running `Emulator`, a new one for each test.

    During the test, `AZURE_POD_IDENTITY_AUTHORITY_HOST` directs clients to it. With
    `@pytest.mark.imds_emulator(host="app-service")`, the variables of that host do. Variables of other hosts are
    removed. The keywords of the marker are those of `Settings`.
    """
    try:
        from .emulator import Emulator
    except ModuleNotFoundError as error:
        pytest.fail(f"imds_emulator needs {error.name}: run pip install 'azure-imds[emulator]'", pytrace=False)
    marker = request.node.get_closest_marker("imds_emulator")
    options: dict[str, Any] = dict(marker.kwargs) if marker else {}
    with Emulator(**options) as emulator:
        for name in emulator.find_foreign_variables(os.environ):
            monkeypatch.delenv(name)
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)
        yield emulator
