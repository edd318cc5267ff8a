"""Trees and documents for the tests of what maintainers run."""

from __future__ import annotations

import fcntl
import json
import pickle
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from ruamel.yaml import YAML

from support import ROOT

T = TypeVar("T")

Edit = Callable[[dict[str, Any]], None]


def edited(edit: Edit) -> str:
    """openapi.yaml after an edit. JSON, which is YAML too."""
    document: dict[str, Any] = YAML(typ="safe").load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    edit(document)
    return json.dumps(document)


def tree(folder: Path) -> Path:
    """The parts of this project that a version is compared by."""
    ignore = shutil.ignore_patterns("__pycache__")
    for part in ("generated/azure_imds_api", "wrapper/azure_imds"):
        shutil.copytree(ROOT / part, folder / part, ignore=ignore)
    shutil.copy(ROOT / "openapi.yaml", folder)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def git(folder: Path, *arguments: str) -> str:
    """What a git command prints."""
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def repository(folder: Path) -> Path:
    """The tree under git, as one commit."""
    tree(folder)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=One")
    return folder


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[], T]) -> T:
    """What `make` returns, made by the first of the test processes that wants it, for all of them."""
    base = factory.getbasetemp()
    kept = (base.parent if base.name.startswith("popen-") else base) / f"{name}.pickle"
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_bytes(pickle.dumps(make()))
    result: T = pickle.loads(kept.read_bytes())
    return result


def copy(folder: Path) -> Path:
    """All of this project that git tracks, as it is now, under git of its own, as one commit.

    Skips the test where the project came without git, as a source distribution does.
    """
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout: which files belong to the project, only git knows")
    for name in git(ROOT, "ls-files", "-z").split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message=One")
    return folder
