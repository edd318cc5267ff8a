"""A release, from a clone to a user: published to a real package index, installed from it by name, and run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

import pytest
from integration import parts

from azure_imds_emulator import Emulator
from maintenance.problem import Problem
from maintenance.release.index import Credentials, parse_index_url
from maintenance.release.publish import upload
from maintenance.repository import read_version
from maintenance_support import copy, git, made_once
from support import CANARY, ROOT

pytestmark = pytest.mark.integration

parts.module("passlib")

USER = "releases"
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST_EXAMPLE = re.findall(r"^```python\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)[0]


@dataclass
class Ended:
    """How a process ended, and all that it printed."""

    code: int
    said: str


@dataclass
class Story:
    """What came of a release.

    Attributes:
        files: what the index has in the end.
        installed: of pip, in an environment without the sources.
        example: of the README's first example there.
        dirty: of publishing with a file that git does not know.
        again: of publishing a second time.
        stranger: what an upload with another password was refused with.
    """

    published: Ended
    files: list[str]
    installed: Ended
    example: Ended
    dirty: Ended
    again: Ended
    stranger: str


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return made_once(tmp_path_factory, "release", lambda: tell(tmp_path_factory.mktemp("release")))


def tell(folder: Path) -> Story:
    clone = copy(folder / "clone")
    if any(file.name != "README.md" for file in (clone / "changelog.d").iterdir()):
        assert run([sys.executable, "-m", "maintenance", "changelog"], clone).code == 0
        git(clone, "commit", "--all", "--quiet", "--message=Changelog")
    (folder / "index").mkdir()
    with package_index(folder) as url:
        published = publish(clone, url)
        example = clone / "new.py"
        example.touch()
        dirty = publish(clone, url)
        example.unlink()
        again = publish(clone, url)
        installed, example = use(folder, url)
        with pytest.raises(Problem) as refused:
            upload(parse_index_url(url), Credentials(USER, f"{CANARY}-not-it"), sorted((clone / "dist").glob("*.whl")))
    return Story(
        published=published,
        files=sorted(file.name for file in (folder / "index").iterdir()),
        installed=installed,
        example=example,
        dirty=dirty,
        again=again,
        stranger=str(refused.value),
    )


@contextmanager
def package_index(folder: Path) -> Iterator[str]:
    """pypiserver over the folder `index`, with a password for uploads; yields its URL."""
    passwords = folder / "passwords"
    passwords.write_text(f"{USER}:{{SHA}}{b64encode(sha1(CANARY.encode()).digest()).decode()}\n", encoding="utf-8")
    command = [sys.executable, "-m", "integration.package_index", str(folder / "index"), str(passwords)]
    with subprocess.Popen(command, cwd=ROOT / "tests" / "project", stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def publish(clone: Path, url: str) -> Ended:
    command = ["publish", "--checks", "test", "--tests=-n0 tests/package/client/test_wheel.py", "--", url]
    return run(
        [sys.executable, "-m", "maintenance", *command],
        clone,
        TWINE_USERNAME=USER,
        TWINE_PASSWORD=CANARY,
        # Nobody is there: whoever obeyed it would fail.
        HTTP_PROXY="http://127.0.0.1:9",
    )


def use(folder: Path, url: str) -> tuple[Ended, Ended]:
    """What comes of installing the package by its name where nothing of it is, and of its README's first example."""
    run([sys.executable, "-m", "venv", "--without-pip", "user"], folder)
    python = str(folder / "user" / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-cache-dir"]
    installed = run([*pip, "--extra-index-url", f"{url}simple/", f"azure-imds=={read_version(ROOT)}"], folder)
    with Emulator() as emulator:
        example = run([python, "-I", "-W", "error", "-c", FIRST_EXAMPLE], folder, **emulator.environment)
    return installed, example


def run(command: list[str], folder: Path, **environment: str) -> Ended:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Ended(done.returncode, done.stdout)


def test_it_is_published(story: Story) -> None:
    assert story.published.code == 0, story.published.said
    name = f"azure_imds-{read_version(ROOT)}"
    assert story.files == [f"{name}-py3-none-any.whl", f"{name}.tar.gz"]


def test_publishing_says_what_it_did(story: Story) -> None:
    said = story.published.said
    assert len(re.findall(r"^  sha256:[0-9a-f]{64}  azure_imds-", said, re.MULTILINE)) == 2
    assert re.search(r"^Uploaded azure-imds \S+ \(commit [0-9a-f]{12}\) to http://127\.0\.0\.1:\d+/$", said, re.M)
    assert re.search(
        r"^Install the package: pip install --index-url http://127\.0\.0\.1:\d+/simple/ azure-imds==", said, re.M
    )


def test_it_is_installed_by_its_name(story: Story) -> None:
    assert story.installed.code == 0, story.installed.said


def test_the_readmes_first_example_runs_where_it_is_installed(story: Story) -> None:
    assert story.example.code == 0, story.example.said
    assert "vm-example-0 eastus" in story.example.said


def test_a_version_is_published_once(story: Story) -> None:
    assert story.again.code == 1
    assert re.fullmatch(r"publish: \S+ already has azure-imds \S+: raise the version in \S+\n", story.again.said)


def test_a_tree_with_a_file_that_git_does_not_know_is_not_published(story: Story) -> None:
    assert story.dirty == Ended(1, "publish: uncommitted changes: new.py\n")


def test_a_wrong_password_is_refused(story: Story) -> None:
    assert re.fullmatch(r"http://\S+ refused the files: HTTPError: 40[13] .*", story.stranger)


@pytest.mark.parametrize("part", ["published", "dirty", "again", "stranger"])
def test_no_password_shows(story: Story, part: str) -> None:
    assert CANARY not in str(getattr(story, part))
