"""The tests of the packages, against the wheel that users install: on every Python here, and with old requirements.

Without options, all sessions run; `nox -s wheel-3.13` and `nox -s lowest` are single ones. pytest gets what follows --.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv"
# A Python that is not here is named as skipped, also where CI is set, and never fetched.
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT, max_version="3.14")

#: What the tests read. The packages' sources are not among it: they can come only from the wheel.
MATERIAL = ("docs", "examples", "openapi.yaml", "pyproject.toml", "README.md", "tests")

#: Tests of the project: its generator, maintenance, documentation and examples. tests/package tests the wheel.
LEFT_OUT = "tests/project"


def _show_pyenv() -> None:
    """Puts pyenv's interpreters on PATH, the newest of each minor version first: its shims know only chosen ones."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    found = [folder for folder in versions.glob("3.*") if folder.name.replace(".", "").isdigit()]
    found.sort(key=lambda folder: [int(part) for part in folder.name.split(".")], reverse=True)
    os.environ["PATH"] = os.pathsep.join([*(str(folder / "bin") for folder in found), os.environ.get("PATH", "")])


_show_pyenv()


@nox.session(python=PYTHONS)
def wheel(session: nox.Session) -> None:
    """With the newest versions of everything."""
    _test(session)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """With the oldest versions that pyproject.toml allows of what it names."""
    minimums = Path(session.create_tmp(), "minimums.txt")
    session.run_install(
        *("uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--resolution=lowest-direct", "--no-deps"),
        *("--all-extras", f"--python={session.virtualenv.location}", f"--output-file={minimums}"),
        str(ROOT / "pyproject.toml"),
    )
    session.log("The minimums: %s", minimums.read_text().replace("\n", " "))
    _test(session, f"--constraint={minimums}")


def _test(session: nox.Session, *options: str) -> None:
    """Installs the wheel, with options for `uv pip install`, and runs the tests."""
    # schemathesis needs a newer rich than we do; its tests are left out.
    needed = [one for one in nox.project.dependency_groups(PROJECT, "test") if not one.startswith("schemathesis")]
    session.install(f"{_wheel()}[all]", *needed, *options)
    folder = Path(session.create_tmp(), "copy")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in MATERIAL:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    session.chdir(folder)
    session.run(
        *("python", "-m", "pytest", "--quiet", "--numprocesses=auto", "--dist=worksteal"),
        f"--ignore={LEFT_OUT}",
        *session.posargs,
        # nox's own temporary folder has too long a path for sockets.
        env={"AZURE_IMDS_TEST_WHEEL": "1", "TMPDIR": tempfile.gettempdir()},
    )


@functools.cache
def _wheel() -> Path:
    """The wheel, built once for all sessions."""
    folder = Path(tempfile.mkdtemp(prefix="azure-imds-wheel-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    [wheel] = folder.glob("*.whl")
    return wheel
