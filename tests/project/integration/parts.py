"""Finds the modules and programs of other projects that a test needs. If one is not installed, the test is skipped."""

from __future__ import annotations

import importlib
import os
import shutil
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

from support import ROOT

#: The folder of the programs that `.ci/run` installs from npm.
TOOLS = ROOT / ".tools" / "node_modules" / ".bin"


def module(name: str) -> ModuleType:
    """Returns a Python module, or skips the test module."""
    try:
        return importlib.import_module(name)
    except ImportError:
        _skip(name, "pip install --group integration")


def program(name: str) -> Path:
    """Returns the path of a program from npm or on PATH, or skips the test."""
    found = shutil.which(name, path=TOOLS) or shutil.which(name)
    if found is None:
        _skip(name, f".ci/run installs it; the tests search {TOOLS} and PATH")
    return Path(found)


def _skip(name: str, remedy: str) -> NoReturn:
    reason = f"{name} is not installed ({remedy})"
    # CI installs everything, so a missing program is an error there.
    if os.environ.get("REQUIRE_INTEGRATION"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, allow_module_level=True)
