"""The parts that nobody here wrote: found, or the test says what is missing."""

from __future__ import annotations

import importlib
import os
import shutil
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

from support import ROOT

#: Where `.ci/run` puts what comes from npm.
TOOLS = ROOT / ".tools" / "node_modules" / ".bin"


def module(name: str) -> ModuleType:
    """A Python module, or a skip of the test module that asks for it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        _missing(name, "pip install --group integration")


def program(name: str) -> Path:
    """A program, from npm or of the system, or a skip."""
    found = shutil.which(name, path=TOOLS) or shutil.which(name)
    if found is None:
        _missing(name, f".ci/run installs it; it is looked for in {TOOLS} and on PATH")
    return Path(found)


def _missing(name: str, remedy: str) -> NoReturn:
    reason = f"{name} is not installed ({remedy})"
    # Where everything ought to be there, a skip would pass for a success.
    if os.environ.get("REQUIRE_INTEGRATION"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, allow_module_level=True)
