"""Source trees and documents for the tests of `maintenance`."""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from generator.specification import Specification
from support import ROOT

T = TypeVar("T")

Edit = Callable[[dict[str, Any]], None]


def edited(edit: Edit) -> str:
    """Returns openapi.yaml after an edit, as JSON, which is valid YAML."""
    document = Specification.load(ROOT / "openapi.yaml").document
    edit(document)
    return json.dumps(document)


def tree(folder: Path) -> Path:
    """Copies the parts of this project that a comparison reads. Returns the folder."""
    ignore = shutil.ignore_patterns("__pycache__")
    for part in ("generated/azure_imds_api", "wrapper/azure_imds"):
        shutil.copytree(ROOT / part, folder / part, ignore=ignore)
    shutil.copy(ROOT / "openapi.yaml", folder)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def git(folder: Path, *arguments: str) -> str:
    """Runs a git command. Returns what it prints."""
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def repository(folder: Path) -> Path:
    """Makes a git repository with the tree as its only commit. Returns the folder."""
    tree(folder)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=One")
    return folder


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[], T]) -> T:
    """Returns the result of `make`, which runs in only one of the test processes. The others read its pickle."""
    base = factory.getbasetemp()
    stored = (base.parent if base.name.startswith("popen-") else base) / f"{name}.pickle"
    with stored.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stored.exists():
            stored.write_bytes(pickle.dumps(make()))
    result: T = pickle.loads(stored.read_bytes())
    return result


def build_site(factory: pytest.TempPathFactory) -> Path:
    """Builds the documentation site, in only one of the test processes. A warning is an error. Returns the folder."""

    def build() -> str:
        folder = factory.mktemp("site")
        done = subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder)],
            cwd=ROOT,
            env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr
        assert "WARNING" not in done.stderr
        return str(folder)

    return Path(made_once(factory, "site", build))


def copy(folder: Path) -> Path:
    """Makes a git repository with the files of this project as its only commit. Returns the folder.

    Leaves out what git ignores. Takes what is not committed yet, such as the code of a new operation in `make update`.

    Skips the test if this project is not a git checkout, for example if it is an unpacked source distribution.
    """
    if not (ROOT / ".git").exists():
        pytest.skip("this is not a git checkout, so the files of the project are not known")
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message=One")
    return folder
