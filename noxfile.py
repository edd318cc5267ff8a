"""Runs the tests of the packages with the built wheel, on every installed Python and with the oldest requirements.

`nox` runs all sessions. `nox -s wheel-3.13` and `nox -s lowest` run a single one. `wheel-3.14t` is that of the
free-threaded Python, where no thread waits for a global lock. Arguments after `--` go to pytest.
With COVERAGE=1 in the environment, the tests are measured like those of `make test COVERAGE=1`.
"""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "uv"
# A session is skipped if its Python is not installed, also where CI is set. No Python is downloaded.
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
#: From the classifiers. Because of "Free Threading", nox adds 3.14t.
PYTHONS = nox.project.python_versions(PROJECT)

#: The files that the tests read. The sources of the packages are not copied, so that only the wheel can be imported.
MATERIAL = ("docs", "examples", "openapi.yaml", "pyproject.toml", "README.md", "tests")

#: The tests of everything that is not in the wheel: generator, maintenance, documentation and examples.
LEFT_OUT = "tests/project"


def _add_pyenv_to_path() -> None:
    """Puts the interpreters of pyenv on PATH, newest first: its shims find only the versions that are activated.

    The folder of a free-threaded Python has a name such as 3.14.0t.
    """
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    found = [folder for folder in versions.glob("3.*") if re.fullmatch(r"[0-9.]+t?", folder.name)]
    found.sort(key=lambda folder: [int(part) for part in folder.name.rstrip("t").split(".")], reverse=True)
    os.environ["PATH"] = os.pathsep.join([*(str(folder / "bin") for folder in found), os.environ.get("PATH", "")])


_add_pyenv_to_path()


@nox.session(python=PYTHONS)
def wheel(session: nox.Session) -> None:
    """Tests with the newest versions of all requirements."""
    _test(session)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """Tests with the oldest versions that pyproject.toml allows."""
    minimums = Path(session.create_tmp(), "minimums.txt")
    session.run_install(
        *("uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--resolution=lowest-direct", "--no-deps"),
        *("--all-extras", f"--python={session.virtualenv.location}", f"--output-file={minimums}"),
        str(ROOT / "pyproject.toml"),
    )
    session.log("Oldest versions: %s", minimums.read_text().replace("\n", " "))
    _test(session, f"--constraint={minimums}")


def _test(session: nox.Session, *options: str) -> None:
    """Installs the wheel with options for `uv pip install`, and runs the tests."""
    # Only tests/project uses these, and they need a newer rich and a newer PyYAML than the package does.
    newer = ("kubernetes", "schemathesis")
    group = nox.project.dependency_groups(PROJECT, "test")
    requirements = [requirement for requirement in group if not requirement.startswith(newer)]
    session.install(f"{_build_wheel()}[all]", *requirements, *options)
    folder = Path(session.create_tmp(), "copy")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in MATERIAL:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    session.chdir(folder)
    session.run(
        *(("coverage", "run") if os.environ.get("COVERAGE") else ("python",)),
        *("-m", "pytest", "--quiet", "--numprocesses=auto", "--dist=worksteal"),
        f"--ignore={LEFT_OUT}",
        *session.posargs,
        env={
            "AZURE_IMDS_TEST_WHEEL": "1",
            "COVERAGE_FILE": str(ROOT / ".coverage"),
            # Without it, an import of a compiled module could turn the global lock on again.
            **({"PYTHON_GIL": "0"} if str(session.python).endswith("t") else {}),
            # The path of nox's own temporary folder is too long for sockets.
            "TMPDIR": tempfile.gettempdir(),
        },
    )


@functools.cache
def _build_wheel() -> Path:
    """Builds the wheel, once for all sessions."""
    folder = Path(tempfile.mkdtemp(prefix="azure-imds-wheel-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    [wheel] = folder.glob("*.whl")
    return wheel
