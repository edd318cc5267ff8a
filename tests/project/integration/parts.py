"""Finds the modules and programs of other projects that a test needs. If one is missing, the test is skipped."""

from __future__ import annotations

import importlib
import os
import shutil
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest
from integration import namespaces

from support import ROOT

#: The folder of the packages that `.ci/run` installs from npm.
NODE_PACKAGES = ROOT / ".tools" / "node_modules"
TOOLS = NODE_PACKAGES / ".bin"

#: The Python of Debian, and the folder of the packages that `.ci/run` unpacks for it.
DEBIAN_PYTHON = Path("/usr/bin/python3")
DEBIAN_ROOT = ROOT / ".tools" / "debian"
DEBIAN_PACKAGES = DEBIAN_ROOT / "usr" / "lib" / "python3" / "dist-packages"


def module(name: str) -> ModuleType:
    """Returns a Python module, or skips the test module."""
    try:
        return importlib.import_module(name)
    except ImportError:
        _skip(f"{name} is not installed (pip install --group integration)")


def program(name: str) -> Path:
    """Returns the path of a program from npm or on PATH, or skips the test."""
    found = shutil.which(name, path=TOOLS) or shutil.which(name)
    if found is None:
        _skip(f"{name} is not installed (.ci/run installs it; the tests search {TOOLS} and PATH)")
    return Path(found)


def package(path: Path, installer: str = ".ci/run") -> Path:
    """Returns the path of a package, or of a file in it, that a command of this project installs, or skips the test."""
    if not path.exists():
        _skip(f"{path} is not installed ({installer} installs it)")
    return path


def machines() -> None:
    """Skips the test if this process cannot make network namespaces."""
    if obstacle := namespaces.find_obstacle():
        _skip(f"network namespaces need root, and `ip` of iproute2: {obstacle}")


def _skip(reason: str) -> NoReturn:
    # CI installs everything, so a missing program is an error there.
    if os.environ.get("REQUIRE_INTEGRATION"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, allow_module_level=True)
