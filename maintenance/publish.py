"""Check everything, build, and upload to a package index."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import keyring
import keyring.errors

from . import repository
from .build import build, sha256
from .changelog import fragments, has_section
from .index import PROJECT, Credentials, Index, index, released
from .problem import Problem
from .repository import ROOT

#: The Makefile's targets that must pass, cheapest first.
CHECKS = ("drift", "lint", "test", "test-integration")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("index_url", metavar="INDEX_URL", help="the index: its root or its Simple API")
    parser.add_argument("--checks", nargs="*", default=CHECKS, metavar="TARGET", help="make's targets to pass first")
    parser.add_argument("--tests", default="", metavar="ARGS", help="arguments for pytest, default none")


def run(arguments: argparse.Namespace) -> int:
    where = index(arguments.index_url)
    _leave_proxies()
    publish(ROOT, where, arguments.checks, arguments.tests)
    return 0


def publish(root: Path, where: Index, checks: Sequence[str] = CHECKS, tests: str = "") -> None:
    """Uploads wheel and source distribution of the commit that is checked out, and says so.

    Args:
        checks: targets of the Makefile that must pass first.
        tests: arguments for pytest; empty for all tests.

    Raises Problem, with nothing uploaded, where anything speaks against it.
    """
    version = repository.version(root)
    commit = _clean_commit(root)
    if waiting := fragments(root):
        raise Problem(f"changelog.d/ holds {len(waiting)} unreleased changes: run `make changelog` and commit")
    if not has_section(root, version):
        raise Problem(f"CHANGELOG.md says nothing of {version}")
    credentials = credentials_for(where)
    if released(where.simple, version, credentials):
        raise Problem(
            f"{where.simple} has {PROJECT} {version} already: raise the version in wrapper/azure_imds/_version.py"
        )

    for check in checks:
        _check(root, check, tests)
    wheel, sdist, bill = build(root, root / "dist")
    if _clean_commit(root) != commit:
        raise Problem("another commit was checked out while the checks ran")
    upload(where, credentials, (wheel, sdist))

    print(f"{PROJECT} {version}, of commit {commit[:12]}, is at {where.upload}")
    for file in (wheel, sdist):
        print(f"  sha256:{sha256(file)}  {file.name}")
    print(f"Beside them, not uploaded: {bill.relative_to(root)}")
    print(f"Tag it with: git tag v{version} {commit[:12]}")
    print(f"Install it with: pip install --index-url {where.simple} {PROJECT}=={version}")


def _leave_proxies() -> None:
    """Nothing here goes through a proxy, which would see the password."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    # Proxies may be configured elsewhere too.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"


def credentials_for(where: Index) -> Credentials:
    """From the environment, which loses them: tests and tools have no business with them; or else from keyring."""
    username = os.environ.pop("TWINE_USERNAME", None)
    password = os.environ.pop("TWINE_PASSWORD", None)
    if password:
        return Credentials(username or "__token__", password)
    try:
        found = keyring.get_credential(where.upload, username)
    except keyring.errors.KeyringError:
        found = None
    if not found:
        raise Problem(
            f"no password for {where.upload}: set TWINE_USERNAME and TWINE_PASSWORD, "
            f"or keep one with `keyring set {where.upload} USER`"
        )
    return Credentials(found.username, found.password)


def _clean_commit(root: Path) -> str:
    """The commit that is checked out, if every file is as it is there."""
    if changed := repository.changes(root):
        more = ", ..." if len(changed) > 5 else ""
        raise Problem(f"the tree is not what the last commit has: {', '.join(changed[:5])}{more}")
    return repository.commit(root)


def _check(root: Path, target: str, tests: str) -> None:
    # The environment is the one that runs this; `make publish` has just seen to it that it is up to date.
    environment = Path(sys.prefix)
    command = [
        "make",
        "--assume-old",
        f"{environment}/.installed",
        f"VENV={environment}",
        f"PYTEST_ARGS={tests}",
        target,
    ]
    print(f"make {target} ...", flush=True)
    # What make hands down to its children is not meant for this one.
    variables = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(command, cwd=root, env=variables)
    if done.returncode:
        raise Problem(f"`make {target}` failed, so nothing was uploaded")


def upload(where: Index, credentials: Credentials, files: Sequence[Path]) -> None:
    """Gives files to an index, through twine.

    Raises Problem with what twine says where the index does not take them.
    """
    options = ("--non-interactive", "--disable-progress-bar", "--repository-url", where.upload)
    done = subprocess.run(
        [sys.executable, "-m", "twine", "--no-color", "upload", *options, "--", *map(str, files)],
        # Neither on the command line, which every process of the machine may read.
        env={
            **os.environ,
            "COLUMNS": "200",
            "TWINE_USERNAME": credentials.username,
            "TWINE_PASSWORD": credentials.password,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        said = done.stdout.replace(credentials.password, "***")
        errors = [line.removeprefix("ERROR").strip() for line in said.splitlines() if line.startswith("ERROR")]
        raise Problem(f"{where.upload} did not take the files: {' '.join(errors) or said.strip()}")
