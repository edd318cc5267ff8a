"""The installation that `make` starts, with pip: interrupted, without an index, on a full disk, in a read-only folder.

The packages come from a folder. One of them takes long to install, since pip compiles a large file of it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from integration import parts

from support import ROOT, run_program

pytestmark = pytest.mark.integration

#: The build backend of the project: its wheel only has the name.
BACKEND = """
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    info = "project-1.dist-info/"
    with zipfile.ZipFile(f"{folder}/project-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: project\\nVersion: 1\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return "project-1-py3-none-any.whl"
"""

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "project"
version = "1"
"""

#: pip compiles the file for seconds, after it has written the metadata and before it writes the command.
LARGE = "values = [\n" + "    (lambda value: value + 1)(1),\n" * 12_000 + "]\n"

DEMO = "import subprocess, sys\nsubprocess.run([sys.executable[:-6] + 'slow'], check=True)\n"


def write_wheel(folder: Path) -> str:
    """Writes the wheel of a package with the command `slow`. Returns its pinned requirement."""
    info = "slow-1.dist-info/"
    files = {
        "slow/__init__.py": "def main():\n    print('the demo ran')\n",
        "slow/large.py": LARGE,
        info + "METADATA": "Metadata-Version: 2.1\nName: slow\nVersion: 1\n",
        info + "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        info + "entry_points.txt": "[console_scripts]\nslow = slow:main\n",
    }
    path = folder / "slow-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
        wheel.writestr(info + "RECORD", "".join(f"{name},,\n" for name in [*files, info + "RECORD"]))
    return f"slow==1 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the Makefile and the maintenance code of this one, and with one requirement."""
    for name in ("maintenance", "requirements", "examples", "packages"):
        (tmp_path / name).mkdir()
    for name in ("Makefile", "maintenance/__init__.py", "maintenance/environment.py", "maintenance/problem.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    requirement = write_wheel(tmp_path / "packages")
    for name in ("dev", "demo"):
        (tmp_path / f"requirements/{name}.txt").write_text(requirement)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "backend.py").write_text(BACKEND)
    (tmp_path / "examples/demo.py").write_text(DEMO)
    for name in os.environ:
        if re.match("MAKE|MFLAGS|PIP_|COVERAGE", name):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "packages"))
    return tmp_path


def make_demo(project: Path, *before: str) -> subprocess.CompletedProcess[str]:
    return run_program([*before, "make", "demo", f"PYTHON={sys.executable}"], cwd=project, timeout=120)


def find_stamps(project: Path) -> list[str]:
    return sorted(path.name for path in (project / ".venv").glob(".install*"))


def assert_complete(project: Path, *before: str) -> str:
    """Runs the demo, which must succeed. Returns what was printed."""
    done = make_demo(project, *before)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.endswith("the demo ran\n")
    return done.stdout


def test_the_demo_installs_once(project: Path) -> None:
    printed = assert_complete(project)
    assert re.fullmatch(
        r"Creating \.venv with Python \S+ \.\.\.\n"
        r"Installing requirements/demo\.txt into \.venv, which usually takes 10 seconds \.\.\.\n"
        r"(  \d+ s: [^\n]+\n)*"
        r"Installed in \d+ seconds\.\n"
        r"the demo ran\n",
        printed,
    )
    assert assert_complete(project) == "the demo ran\n"


@contextmanager
def half_installed(project: Path) -> Iterator[subprocess.Popen[str]]:
    """Runs the demo until pip has written the metadata of the package, and not yet its command."""
    command = ["make", "demo", f"PYTHON={sys.executable}"]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            while not [*project.glob(".venv/lib/*/site-packages/slow-1.dist-info/METADATA")]:
                assert process.poll() is None, process.communicate()
                time.sleep(0.01)
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_installation_starts_again(number: signal.Signals, project: Path) -> None:
    with half_installed(project) as process:
        os.killpg(process.pid, number)
        _, errors = process.communicate(timeout=60)
    assert not (project / ".venv/bin/slow").exists()
    assert find_stamps(project) == [".installing"]
    assert "Traceback" not in errors
    printed = assert_complete(project)
    assert printed.startswith("The last installation into .venv did not end, so it starts again.\nCreating .venv ")
    assert find_stamps(project) == [".installed-demo"]


def test_a_broken_index_shows_the_error_of_pip(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.delenv("PIP_NO_INDEX")
        patch.delenv("PIP_FIND_LINKS")
        patch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        patch.setenv("PIP_RETRIES", "0")
        done = make_demo(project)
    assert done.returncode == 2
    assert "ERROR: No matching distribution found for slow==1\n" in done.stderr
    assert "pip could not install into .venv, see above. The next make tries again." in done.stderr
    assert "the demo ran" not in done.stdout
    assert find_stamps(project) == []
    assert "Creating" not in assert_complete(project), "nothing was changed, so the environment stays"


IN_NAMESPACE = ("unshare", "--mount", "sh", "-c")


def test_a_full_disk_shows_the_error_and_the_next_make_starts_again(project: Path) -> None:
    parts.machines()
    (project / ".venv").mkdir()
    (project / "run").write_text(
        "mount -t tmpfs -o size=26m tmpfs .venv\n"
        f"make demo PYTHON={sys.executable} > first 2> errors; echo $? >> first\n"
        "ls -A .venv > between; mount -o remount,size=200m .venv\n"
        f"exec make demo PYTHON={sys.executable}\n"
    )
    done = run_program([*IN_NAMESPACE, ". ./run"], cwd=project, timeout=120)
    assert (project / "first").read_text().endswith("\n2\n")
    assert "No space left on device" in (project / "errors").read_text()
    assert ".installing" in (project / "between").read_text().split()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("The last installation into .venv did not end")
    assert done.stdout.endswith("the demo ran\n")


def test_a_read_only_folder_is_one_line(project: Path) -> None:
    parts.machines()
    script = 'mount --bind . . && mount -o remount,ro,bind . && cd "$PWD" && exec "$@"'
    done = make_demo(project, *IN_NAMESPACE, script, "sh")
    assert done.returncode == 2
    expected = "Nothing can be installed into .venv: [Errno 30] Read-only file system: '.venv'\n"
    assert done.stderr.startswith(expected)
    assert done.stderr.count("\n") == 2, "the second line is that of make"
    assert not (project / ".venv").exists()
