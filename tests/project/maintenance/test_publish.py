"""Whatever speaks against a release stops it, with one line, before anything is uploaded."""

from __future__ import annotations

import shutil
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.null import Keyring as NoKeyring

from maintenance import publish
from maintenance.index import Credentials, Index, index
from maintenance.problem import Problem
from maintenance_support import git
from support import CANARY, ROOT, Wire, raw_server, reply

#: An index that has nothing, and takes nothing.
EMPTY = reply(404, "", "Connection: close")
NOWHERE = Index("http://127.0.0.1:9/", "http://127.0.0.1:9/simple/")

MAKEFILE = """\
good:
\t@echo "PYTEST_ARGS is $(PYTEST_ARGS), the password is '$$TWINE_PASSWORD'"
bad:
\t@false
untidy:
\t@touch left-behind
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What publishing looks at before it builds, ready for version 1.0.0."""
    folder = tmp_path / "project"
    (folder / "wrapper" / "azure_imds").mkdir(parents=True)
    (folder / "wrapper" / "azure_imds" / "_version.py").write_text('__version__ = "1.0.0"\n', encoding="utf-8")
    (folder / "changelog.d").mkdir()
    shutil.copy(ROOT / "changelog.d" / "README.md", folder / "changelog.d")
    (folder / "CHANGELOG.md").write_text("# Changelog\n\n## 1.0.0 (2020-02-02)\n\n- All.\n", encoding="utf-8")
    (folder / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=A change")


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINE_USERNAME", "me")
    monkeypatch.setenv("TWINE_PASSWORD", CANARY)


def test_a_changed_file_is_refused(project: Path) -> None:
    (project / "Makefile").write_text("", encoding="utf-8")
    with pytest.raises(Problem, match="the tree is not what the last commit has: Makefile"):
        publish.publish(project, NOWHERE)


def test_an_untracked_file_is_refused(project: Path) -> None:
    (project / "new").mkdir()
    (project / "new" / "file").touch()
    with pytest.raises(Problem, match="the tree is not what the last commit has: new/file"):
        publish.publish(project, NOWHERE)


def test_changes_that_are_not_in_the_changelog_are_refused(project: Path) -> None:
    (project / "changelog.d" / "+new.added.md").write_text("New.\n", encoding="utf-8")
    commit(project)
    with pytest.raises(Problem, match="holds 1 unreleased changes: run `make changelog`"):
        publish.publish(project, NOWHERE)


def test_a_version_that_the_changelog_does_not_know_is_refused(project: Path) -> None:
    (project / "CHANGELOG.md").write_text("# Changelog\n\n## 0.9.0 (2020-02-02)\n", encoding="utf-8")
    commit(project)
    with pytest.raises(Problem, match=r"CHANGELOG\.md says nothing of 1\.0\.0"):
        publish.publish(project, NOWHERE)


def test_a_version_that_the_index_has_is_refused_before_any_check(project: Path) -> None:
    page = reply(200, '<a href="x">azure_imds-1.0.0.tar.gz</a>', "Content-Type: text/html", "Connection: close")
    with raw_server(wire := Wire(page)) as url, pytest.raises(Problem, match=r"has azure-imds 1\.0\.0 already"):
        publish.publish(project, index(url), ["bad"])
    assert len(wire.requests) == 1


def test_a_check_that_fails_stops_it(project: Path) -> None:
    with (
        raw_server(wire := Wire(EMPTY)) as url,
        pytest.raises(Problem, match="`make bad` failed, so nothing was uploaded"),
    ):
        publish.publish(project, index(url), ["good", "bad"])
    assert [request.partition(b" ")[0] for request in wire.requests] == [b"GET"]


def test_checks_get_the_tests_to_run_but_no_password(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with raw_server(Wire(EMPTY)) as url, pytest.raises(Problem, match="make bad"):
        publish.publish(project, index(url), ["good", "bad"], "tests/test_one.py")
    assert "PYTEST_ARGS is tests/test_one.py, the password is ''" in capfd.readouterr().out


def test_the_default_is_drift_lint_and_all_tests() -> None:
    assert publish.CHECKS == ("drift", "lint", "test", "test-integration")


class Keyring(KeyringBackend):
    """Knows one password."""

    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        return CANARY if (service, username) == ("https://index.example/", "me") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A keyring of the test's own."""
    before = keyring.get_keyring()
    monkeypatch.setattr(keyring.core, "_keyring_backend", Keyring())
    assert keyring.get_keyring() is not before


@pytest.mark.usefixtures("kept")
def test_a_password_may_be_in_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWINE_PASSWORD")
    assert publish.credentials_for(index("https://index.example/")) == Credentials("me", CANARY)


def test_a_password_alone_is_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWINE_USERNAME")
    assert publish.credentials_for(NOWHERE) == Credentials("__token__", CANARY)


def test_without_a_password_it_says_where_to_keep_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWINE_PASSWORD")
    monkeypatch.setattr(keyring.core, "_keyring_backend", NoKeyring())
    with pytest.raises(Problem, match=r"no password for http://127\.0\.0\.1:9/: set TWINE_USERNAME and TWINE_PASSWORD"):
        publish.credentials_for(NOWHERE)


def test_what_the_index_says_against_an_upload_is_told_without_the_password(tmp_path: Path) -> None:
    (wheel := tmp_path / "azure_imds-1.0.0-py3-none-any.whl").write_bytes(b"no archive")
    with pytest.raises(Problem, match=r"http://127\.0\.0\.1:9/ did not take the files: \S+") as caught:
        publish.upload(NOWHERE, Credentials("me", CANARY), [wheel])
    assert CANARY not in str(caught.value)
