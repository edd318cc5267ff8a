"""Checks that the tests use the installed wheel, if they are configured to."""

from __future__ import annotations

import importlib
import json
import os
import sysconfig
from importlib.metadata import distribution
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif("AZURE_IMDS_TEST_WHEEL" not in os.environ, reason="not told so: `make test-wheel` does")


@pytest.mark.parametrize("package", ["azure_imds", "azure_imds_api", "azure_imds_emulator"])
def test_the_package_is_the_installed_one(package: str) -> None:
    file = importlib.import_module(package).__file__
    assert file is not None
    assert Path(file).is_relative_to(sysconfig.get_path("purelib"))


def test_what_is_installed_is_a_wheel() -> None:
    origin = json.loads(distribution("azure-imds").read_text("direct_url.json") or "{}")
    assert origin["url"].endswith(".whl")
    assert "dir_info" not in origin
