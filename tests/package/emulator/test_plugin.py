"""The pytest plugin, in test runs of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

import azure_imds_emulator

PACKAGE = Path(azure_imds_emulator.__file__).parents[1]
HEAVY = ("aiohttp", "cryptography", "yaml")


def run(folder: Path, test: str, *, before: str = "") -> subprocess.CompletedProcess[str]:
    """pytest in a process of its own, with this plugin alone: others would cost seconds and load what they like."""
    (folder / "test_it.py").write_text(test)
    (folder / "sitecustomize.py").write_text(before)
    options = ["-q", "-p", "no:cacheprovider", "--strict-markers", "-p", "azure_imds_emulator.pytest_plugin"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{PACKAGE}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_installed_distribution_names_the_plugin_to_pytest() -> None:
    try:
        files = distribution("azure-imds")
    except PackageNotFoundError:
        pytest.skip("the distribution is not installed here")
    names = {entry.value for entry in files.entry_points if entry.group == "pytest11"}
    assert names == {"azure_imds_emulator.pytest_plugin"}


def test_the_fixture_is_an_emulator_and_the_variable_leads_to_it(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
import os, urllib.request

def test_first(imds_emulator):
    assert os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] == imds_emulator.endpoint
    request = urllib.request.Request(imds_emulator.endpoint + "/metadata/versions", headers={"Metadata": "true"})
    assert urllib.request.urlopen(request).status == 200
    assert len(imds_emulator.requests) == 1
    imds_emulator.machine.compute["name"] = "changed"
    imds_emulator.schedule("Reboot")

def test_state_is_each_tests_own(imds_emulator):
    assert len(imds_emulator.requests) == 0
    assert imds_emulator.machine.name == "vm-example-0"
    assert imds_emulator.events.events == ()

def test_afterwards_the_variable_is_gone():
    assert "AZURE_POD_IDENTITY_AUTHORITY_HOST" not in os.environ
""",
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_a_marker_says_how_the_emulator_is_made(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
import os, pytest

@pytest.mark.imds_emulator(arc=True, token_lifetime=60)
def test_arc(imds_emulator):
    assert os.environ["IMDS_ENDPOINT"] == imds_emulator.endpoint
    assert imds_emulator.tokens.lifetime == 60
    assert "AZURE_POD_IDENTITY_AUTHORITY_HOST" not in os.environ
""",
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_unused_it_loads_none_of_the_extras_libraries(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        f"""
import sys

def test_nothing_is_loaded():
    assert not [name for name in {HEAVY} if name in sys.modules]
    assert "azure_imds_emulator.emulator" not in sys.modules
""",
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


WITHOUT_THE_EXTRA = f"""
import sys
for name in {HEAVY}:
    sys.modules[name] = None
"""


def test_without_the_extra_it_is_harmless(tmp_path: Path) -> None:
    done = run(tmp_path, "def test_nothing(): pass", before=WITHOUT_THE_EXTRA)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_without_the_extra_the_fixture_says_what_to_install(tmp_path: Path) -> None:
    done = run(tmp_path, "def test_it(imds_emulator): pass", before=WITHOUT_THE_EXTRA)
    assert "azure-imds[emulator]" in done.stdout
    assert "1 error" in done.stdout


@pytest.mark.parametrize("statement", ["import azure_imds_emulator", "import azure_imds_emulator.pytest_plugin"])
def test_importing_the_top_level_is_cheap(statement: str) -> None:
    code = f"{statement}, sys; print(*sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "\n"
