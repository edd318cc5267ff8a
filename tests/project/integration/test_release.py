"""A complete release: published to a real package index, installed from it by name, and run."""

from __future__ import annotations

import os
import re
import shlex
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
from pipelines_support import RELEASE, find_steps, provide_environment
from support import CANARY, ROOT, run_program

#: The first test makes the release: it builds the package and runs pip.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

parts.module("passlib")

USER = "releases"

#: Nothing listens there, so a program that used this proxy would fail.
PROXY = "http://127.0.0.1:9"
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST_EXAMPLE = re.findall(r"^```python\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)[0]


@dataclass
class Ended:
    """The exit code of a process, and everything that it printed."""

    code: int
    output: str


@dataclass
class Story:
    """The results of the steps of a release.

    Attributes:
        published: publishing, by the release pipeline.
        files: the files on the index at the end.
        installed: pip, in an environment without the sources.
        example: the first example of README.md in that environment.
        dirty: publishing with an untracked file.
        again: publishing a second time.
        refused: the error of an upload with a wrong password.
    """

    published: Ended
    files: list[str]
    installed: Ended
    example: Ended
    dirty: Ended
    again: Ended
    refused: str


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return made_once(tmp_path_factory, "release", lambda: release(tmp_path_factory.mktemp("release")))


def release(folder: Path) -> Story:
    clone = copy(folder / "clone")
    if any(file.name != "README.md" for file in (clone / "changelog.d").iterdir()):
        assert run([sys.executable, "-m", "maintenance", "changelog"], clone).code == 0
        git(clone, "commit", "--all", "--quiet", "--message=Changelog")
    git(clone, "tag", f"v{read_version(ROOT)}")
    provide_environment(clone)
    (folder / "index").mkdir()
    with package_index(folder) as url:
        published = run_pipeline(clone, url)
        example = clone / "new.py"
        example.touch()
        dirty = publish(clone, url)
        example.unlink()
        again = publish(clone, url)
        installed, example = install_and_run(folder, url)
        with pytest.raises(Problem) as error:
            upload(parse_index_url(url), Credentials(USER, f"{CANARY}-not-it"), sorted((clone / "dist").glob("*.whl")))
    return Story(
        published=published,
        files=sorted(file.name for file in (folder / "index").iterdir()),
        installed=installed,
        example=example,
        dirty=dirty,
        again=again,
        refused=str(error.value),
    )


@contextmanager
def package_index(folder: Path) -> Iterator[str]:
    """Runs pypiserver for the folder `index`, with a password for uploads. Yields its URL."""
    passwords = folder / "passwords"
    passwords.write_text(f"{USER}:{{SHA}}{b64encode(sha1(CANARY.encode()).digest()).decode()}\n", encoding="utf-8")
    command = [sys.executable, "-m", "integration.package_index", str(folder / "index"), str(passwords)]
    with subprocess.Popen(command, cwd=ROOT / "tests" / "project", stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


#: Instead of all checks: the tests of one file.
CHECKS = ["--checks", "test", "--tests=-n0 tests/package/client/test_wheel.py"]


def run_pipeline(clone: Path, url: str) -> Ended:
    """Runs the step of the release pipeline, with the variables that an organisation sets."""
    [step] = find_steps(RELEASE)
    variables = {"INDEX_URL": url, "TWINE_USERNAME": USER, "PUBLISH_ARGS": shlex.join(CHECKS), "HTTP_PROXY": PROXY}
    return Ended(*step.run(clone, variables, {"INDEX_TOKEN": CANARY}))


def publish(clone: Path, url: str) -> Ended:
    command = ["publish", *CHECKS, "--", url]
    return run(
        [sys.executable, "-m", "maintenance", *command],
        clone,
        TWINE_USERNAME=USER,
        TWINE_PASSWORD=CANARY,
        HTTP_PROXY=PROXY,
    )


def install_and_run(folder: Path, url: str) -> tuple[Ended, Ended]:
    """Installs the package by its name into an empty environment, and runs the first example of README.md."""
    run([sys.executable, "-m", "venv", "--without-pip", "user"], folder)
    python = str(folder / "user" / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-cache-dir"]
    installed = run([*pip, "--extra-index-url", f"{url}simple/", f"azure-imds=={read_version(ROOT)}"], folder)
    with Emulator() as emulator:
        example = run([python, "-I", "-W", "error", "-c", FIRST_EXAMPLE], folder, **emulator.environment)
    return installed, example


def run(command: list[str], folder: Path, **environment: str) -> Ended:
    done = run_program(command, cwd=folder, env={**os.environ, **environment}, stderr=subprocess.STDOUT)
    return Ended(done.returncode, done.stdout)


def test_it_is_published(story: Story) -> None:
    assert story.published.code == 0, story.published.output
    name = f"azure_imds-{read_version(ROOT)}"
    assert story.files == [f"{name}-py3-none-any.whl", f"{name}.tar.gz"]


def test_publishing_reports_what_it_did(story: Story) -> None:
    output = story.published.output
    assert len(re.findall(r"^  sha256:[0-9a-f]{64}  azure_imds-", output, re.MULTILINE)) == 2
    assert re.search(r"^Uploaded azure-imds \S+ \(commit [0-9a-f]{12}\) to http://127\.0\.0\.1:\d+/$", output, re.M)
    assert re.search(
        r"^Install the package: pip install --index-url http://127\.0\.0\.1:\d+/simple/ azure-imds==", output, re.M
    )


def test_it_can_be_installed_by_its_name(story: Story) -> None:
    assert story.installed.code == 0, story.installed.output


def test_the_first_example_of_the_readme_runs_where_it_is_installed(story: Story) -> None:
    assert story.example.code == 0, story.example.output
    assert "vm-example-0 eastus" in story.example.output


def test_a_version_cannot_be_published_twice(story: Story) -> None:
    assert story.again.code == 1
    assert re.fullmatch(r"publish: \S+ already has azure-imds \S+: raise the version in \S+\n", story.again.output)


def test_a_checkout_with_an_untracked_file_is_not_published(story: Story) -> None:
    assert story.dirty == Ended(1, "publish: uncommitted changes: new.py\n")


def test_a_wrong_password_is_refused(story: Story) -> None:
    assert re.fullmatch(r"http://\S+ refused the files: HTTPError: 40[13] .*", story.refused)


@pytest.mark.parametrize("part", ["published", "dirty", "again", "refused"])
def test_no_output_contains_the_password(story: Story, part: str) -> None:
    assert CANARY not in str(getattr(story, part))
