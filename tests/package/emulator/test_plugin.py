"""The pytest plugin, in separate test runs."""

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


def run_pytest(folder: Path, test: str, *, before: str = "") -> subprocess.CompletedProcess[str]:
    """Runs pytest in its own process, with this plugin only: other plugins take seconds and import libraries."""
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
        timeout=120,
    )


def test_the_distribution_declares_the_plugin() -> None:
    try:
        files = distribution("azure-imds")
    except PackageNotFoundError:
        pytest.skip("the distribution is not installed here")
    names = {entry.value for entry in files.entry_points if entry.group == "pytest11"}
    assert names == {"azure_imds_emulator.pytest_plugin"}


def test_the_fixture_is_an_emulator_and_sets_the_variable(tmp_path: Path) -> None:
    done = run_pytest(
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

def test_each_test_has_a_new_emulator(imds_emulator):
    assert len(imds_emulator.requests) == 0
    assert imds_emulator.machine.name == "vm-example-0"
    assert imds_emulator.events.events == ()

def test_the_variable_is_removed_after_the_test():
    assert "AZURE_POD_IDENTITY_AUTHORITY_HOST" not in os.environ
""",
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_the_marker_sets_options_of_the_emulator(tmp_path: Path) -> None:
    done = run_pytest(
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


def test_the_marker_chooses_the_host(tmp_path: Path) -> None:
    done = run_pytest(
        tmp_path,
        """
import os, pytest

@pytest.mark.imds_emulator(host="app-service")
def test_app_service(imds_emulator):
    assert os.environ["IDENTITY_ENDPOINT"].startswith(imds_emulator.endpoint)
    assert os.environ["IDENTITY_HEADER"]
    assert "IDENTITY_SERVER_THUMBPRINT" not in os.environ

def test_without_the_marker(imds_emulator):
    assert "IDENTITY_HEADER" not in os.environ
    assert os.environ["IDENTITY_SERVER_THUMBPRINT"] == "of another host"
""",
        before="import os; os.environ['IDENTITY_SERVER_THUMBPRINT'] = 'of another host'",
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_unused_plugin_imports_no_library_of_the_extra(tmp_path: Path) -> None:
    done = run_pytest(
        tmp_path,
        f"""
import sys

def test_nothing_is_imported():
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


def test_without_the_extra_the_unused_plugin_works(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "def test_nothing(): pass", before=WITHOUT_THE_EXTRA)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_without_the_extra_the_fixture_fails_with_the_pip_command(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "def test_it(imds_emulator): pass", before=WITHOUT_THE_EXTRA)
    assert "run pip install 'azure-imds[emulator]'" in done.stdout
    assert "1 error" in done.stdout


@pytest.mark.parametrize("statement", ["import azure_imds_emulator", "import azure_imds_emulator.pytest_plugin"])
def test_importing_the_package_imports_no_library_of_the_extra(statement: str) -> None:
    code = f"{statement}, sys; print(*sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout == "\n"
