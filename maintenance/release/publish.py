"""Run all checks, build, and upload to a package index."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import keyring
import keyring.errors

from ..fragments import list_fragments
from ..problem import Problem
from ..repository import ROOT, VERSION_FILE, list_changes, list_version_tags, read_commit, read_version
from .build import build, compute_sha256
from .changelog import has_section
from .index import PROJECT, Credentials, Index, has_release, parse_index_url

#: The targets of the Makefile that must pass, cheapest first.
CHECKS = ("drift", "lint", "test", "test-integration")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("index_url", metavar="INDEX_URL", help="the index: its root or its Simple API")
    parser.add_argument(
        "--checks",
        nargs="*",
        default=CHECKS,
        metavar="TARGET",
        help=f"the make targets that must pass first (default: {' '.join(CHECKS)})",
    )
    parser.add_argument("--tests", default="", metavar="ARGS", help="arguments for pytest (default: none)")


def run(arguments: argparse.Namespace) -> int:
    index = parse_index_url(arguments.index_url)
    _disable_proxies()
    publish(ROOT, index, arguments.checks, arguments.tests)
    return 0


def publish(root: Path, index: Index, checks: Sequence[str] = CHECKS, tests: str = "") -> None:
    """Builds the checked-out commit, uploads the wheel and the source distribution, and prints what to do next.

    Args:
        root: the checkout.
        index: where to upload to.
        checks: the make targets that must pass first.
        tests: arguments for pytest. Empty runs all tests.

    Raises:
        Problem: a condition for a release is not met. Nothing was uploaded.
    """
    version = read_version(root)
    commit = _require_clean_commit(root)
    if fragments := list_fragments(root):
        raise Problem(f"changelog.d/ has unreleased changes ({len(fragments)}): run `make changelog` and commit")
    if not has_section(root, version):
        raise Problem(f"CHANGELOG.md has no section for {version}: run `make changelog` and commit")
    tags = list_version_tags(root)
    if tags and f"v{version}" not in tags:
        raise Problem(f"the commit has the tag {tags[0]}, but {VERSION_FILE} says {version}: tag the right commit")
    credentials = find_credentials(index)
    if has_release(index.simple, version, credentials):
        raise Problem(f"{index.simple} already has {PROJECT} {version}: raise the version in {VERSION_FILE}")

    for check in checks:
        _run_check(root, check, tests)
    wheel, sdist, bill = build(root, root / "dist")
    if _require_clean_commit(root) != commit:
        raise Problem("another commit was checked out while the checks ran")
    upload(index, credentials, (wheel, sdist))

    print(f"Uploaded {PROJECT} {version} (commit {commit[:12]}) to {index.upload}")
    for file in (wheel, sdist):
        print(f"  sha256:{compute_sha256(file)}  {file.name}")
    print(f"Not uploaded: {bill.relative_to(root)}. Keep it with the release.")
    if not tags:
        print(f"Tag the commit: git tag v{version} {commit[:12]}")
    print(f"Install the package: pip install --index-url {index.simple} {PROJECT}=={version}")


def _disable_proxies() -> None:
    """Sends nothing through a proxy, because a proxy would see the password."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    # Proxies can be configured outside the environment too.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"


def find_credentials(index: Index) -> Credentials:
    """Returns the credentials from the environment, or from keyring.

    The variables are removed from the environment, so that tests and tools do not see them.

    Raises:
        Problem: neither has a password, or it is the name of a pipeline's variable.
    """
    username = os.environ.pop("TWINE_USERNAME", None)
    password = os.environ.pop("TWINE_PASSWORD", None)
    if password and re.fullmatch(r"\$\([\w.-]+\)", password):
        # Azure Pipelines passes on the name of a variable that is not set.
        raise Problem(f"TWINE_PASSWORD is {password}: set this secret variable of the pipeline")
    if password:
        return Credentials(username or "__token__", password)
    try:
        found = keyring.get_credential(index.upload, username)
    except keyring.errors.KeyringError:
        found = None
    if not found:
        raise Problem(
            f"no password for {index.upload}: set TWINE_USERNAME and TWINE_PASSWORD, "
            f"or store one with `keyring set {index.upload} USER`"
        )
    return Credentials(found.username, found.password)


def _require_clean_commit(root: Path) -> str:
    """Returns the checked-out commit.

    Raises:
        Problem: a file differs from it.
    """
    if changed := list_changes(root):
        more = ", ..." if len(changed) > 5 else ""
        raise Problem(f"uncommitted changes: {', '.join(changed[:5])}{more}")
    return read_commit(root)


def _run_check(root: Path, target: str, tests: str) -> None:
    # --assume-old: `make publish` has already updated the environment that runs this process.
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
    # This make must not use the options of the make that started us.
    variables = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(command, cwd=root, env=variables)
    if done.returncode:
        raise Problem(f"`make {target}` failed, so nothing was uploaded")


def upload(index: Index, credentials: Credentials, files: Sequence[Path]) -> None:
    """Uploads files with twine.

    Raises:
        Problem: the index refused the files. The text contains twine's error, without the password.
    """
    options = ("--non-interactive", "--disable-progress-bar", "--repository-url", index.upload)
    done = subprocess.run(
        [sys.executable, "-m", "twine", "--no-color", "upload", *options, "--", *map(str, files)],
        # The environment, not the command line: every process of this machine can read the command line.
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
        output = done.stdout.replace(credentials.password, "***")
        errors = [line.removeprefix("ERROR").strip() for line in output.splitlines() if line.startswith("ERROR")]
        raise Problem(f"{index.upload} refused the files: {' '.join(errors) or output.strip()}")
