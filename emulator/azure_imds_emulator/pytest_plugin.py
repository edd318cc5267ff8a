"""The pytest plugin: the fixture `imds_emulator`.

pytest loads this module wherever the distribution is installed. It therefore imports nothing but pytest; the
emulator and its libraries come in when a test asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .emulator import Emulator


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        "imds_emulator(**options): how the fixture imds_emulator makes its Emulator, for example arc=True",
    )


@pytest.fixture
def imds_emulator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A running `Emulator`, new for each test.

    For the test's duration `AZURE_POD_IDENTITY_AUTHORITY_HOST` leads clients to it; with
    `@pytest.mark.imds_emulator(arc=True)` it is `IDENTITY_ENDPOINT` and `IMDS_ENDPOINT`. The marker's keywords
    are those of `Settings`.
    """
    try:
        from .emulator import Emulator
    except ModuleNotFoundError as error:
        pytest.fail(f"the fixture imds_emulator needs {error.name}: pip install 'azure-imds[emulator]'", pytrace=False)
    marker = request.node.get_closest_marker("imds_emulator")
    options: dict[str, Any] = dict(marker.kwargs) if marker else {}
    with Emulator(**options) as emulator:
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)
        yield emulator
