"""Push what `make update` changed as a new branch, with the table of changes as its description."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from .problem import Problem
from .repository import is_loopback, run_git
from .update import DESCRIPTION, SPECIFICATION, compute_digest

#: Where an update writes new files. Other new files are not offered: they could be anything.
_NEW_FILES = (SPECIFICATION, "generated", "changelog.d")

#: The variable with the token of an Azure pipeline.
TOKEN = "SYSTEM_ACCESSTOKEN"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--remote", default="origin", help="where to push to (default: origin)")


def run(arguments: argparse.Namespace) -> int:
    offer(Path.cwd(), arguments.remote, os.environ.pop(TOKEN, ""))
    return 0


def offer(here: Path, remote: str, token: str = "") -> None:
    """Commits what an update changed, and pushes the commit as a new branch. The checkout stays as it is.

    The name of the branch depends on the document only, so that a document is offered once.

    Args:
        here: the checkout.
        remote: the remote to push to.
        token: a bearer token for it. Without one, git uses its own credentials.

    Raises:
        Problem: there is no update, or git cannot push it. The text does not contain the token.
    """
    document = (here / SPECIFICATION).read_bytes()
    if not run_git(here, "status", "--porcelain", "--", SPECIFICATION):
        print(f"{SPECIFICATION} has not changed, so there is nothing to offer.")
        return
    _require_description(here, document)
    environment = _make_environment(here, remote, token)
    branch = f"openapi-{compute_digest(document)[:12]}"
    if run_git(here, "ls-remote", remote, f"refs/heads/{branch}", environment=environment):
        print(f"{remote} already has the branch {branch}, so this document has been offered before.")
        return
    commit = _commit(here)
    run_git(here, "push", "--quiet", remote, f"{commit}:refs/heads/{branch}", environment=environment)
    print(f"Pushed the branch {branch} to {remote}. Its commit and {DESCRIPTION} describe the change.")


def _require_description(here: Path, document: bytes) -> None:
    """Raises Problem if the description is that of another document, or missing."""
    path = here / DESCRIPTION
    described = path.read_text(encoding="utf-8") if path.exists() else ""
    if not described.endswith(f": {compute_digest(document)}\n"):
        raise Problem(f"{SPECIFICATION} was not changed by `make update`: run make update SPEC=new.yaml first")


def _commit(here: Path) -> str:
    """Makes a commit without changing the branch and the index of the checkout. Returns its hash."""
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        run_git(here, "read-tree", "HEAD", environment=index)
        run_git(here, "add", "--update", ".", environment=index)
        run_git(here, "add", "--", *(path for path in _NEW_FILES if (here / path).exists()), environment=index)
        tree = run_git(here, "write-tree", environment=index).decode().strip()
    return run_git(here, "commit-tree", tree, "-p", "HEAD", "-F", DESCRIPTION).decode().strip()


def _make_environment(here: Path, remote: str, token: str) -> Mapping[str, str]:
    """Returns the variables with which git sends the token. Other processes cannot read them, unlike arguments."""
    url = run_git(here, "remote", "get-url", "--push", remote).decode().strip()
    parts = urlsplit(url)
    if not token or parts.scheme not in ("http", "https"):
        return {"GIT_TERMINAL_PROMPT": "0"}
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise Problem(f"the URL of {remote} must start with https://, because http would send the token unencrypted")
    # Only for this server, and not for one that it redirects to.
    settings = {
        f"http.{parts.scheme}://{parts.netloc}/.extraHeader": f"Authorization: Bearer {token}",
        "http.followRedirects": "false",
    }
    variables = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return variables
