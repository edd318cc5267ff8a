"""Tests of the project start generators, type checkers and mkdocs. They have more time than tests of the package."""

from __future__ import annotations

from pathlib import Path

import pytest

#: Seconds for one test.
TIMEOUT = 300


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(TIMEOUT))
