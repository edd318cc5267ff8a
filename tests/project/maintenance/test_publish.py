"""If a condition for a release is not met, publishing stops with one line before anything is uploaded."""

from __future__ import annotations

import os
import shutil
from argparse import Namespace
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.null import Keyring as NoKeyring

from maintenance.problem import Problem
from maintenance.release import publish
from maintenance.release.index import Credentials, Index, parse_index_url
from maintenance_support import git
from support import CANARY, ROOT, Wire, raw_server, reply

#: The answer of an index that has no projects.
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
    """The files that publishing checks before it builds, ready for version 1.0.0."""
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
    with pytest.raises(Problem, match=r"^uncommitted changes: Makefile$"):
        publish.publish(project, NOWHERE)


def test_an_untracked_file_is_refused(project: Path) -> None:
    (project / "new").mkdir()
    (project / "new" / "file").touch()
    with pytest.raises(Problem, match=r"^uncommitted changes: new/file$"):
        publish.publish(project, NOWHERE)


def test_fragments_that_are_not_in_the_changelog_are_refused(project: Path) -> None:
    (project / "changelog.d" / "+new.added.md").write_text("New.\n", encoding="utf-8")
    commit(project)
    with pytest.raises(Problem, match=r"^changelog\.d/ has unreleased changes \(1\): run `make changelog`"):
        publish.publish(project, NOWHERE)


def test_a_version_without_a_section_in_the_changelog_is_refused(project: Path) -> None:
    (project / "CHANGELOG.md").write_text("# Changelog\n\n## 0.9.0 (2020-02-02)\n", encoding="utf-8")
    commit(project)
    with pytest.raises(Problem, match=r"^CHANGELOG\.md has no section for 1\.0\.0"):
        publish.publish(project, NOWHERE)


def test_a_commit_with_the_tag_of_another_version_is_refused(project: Path) -> None:
    git(project, "tag", "v2.0.0")
    with pytest.raises(Problem, match=r"^the commit has the tag v2\.0\.0, but \S+_version\.py says 1\.0\.0"):
        publish.publish(project, NOWHERE)


def test_a_commit_with_the_tag_of_its_version_is_checked(project: Path) -> None:
    git(project, "tag", "v2.0.0-rc", "HEAD")
    git(project, "tag", "v1.0.0")
    with raw_server(Wire(EMPTY)) as url, pytest.raises(Problem, match=r"^`make bad` failed"):
        publish.publish(project, parse_index_url(url), ["bad"])


def test_a_version_that_the_index_has_is_refused_before_the_checks(project: Path) -> None:
    page = reply(200, '<a href="x">azure_imds-1.0.0.tar.gz</a>', "Content-Type: text/html", "Connection: close")
    with (
        raw_server(wire := Wire(page)) as url,
        pytest.raises(Problem, match=r"already has azure-imds 1\.0\.0: raise the version"),
    ):
        publish.publish(project, parse_index_url(url), ["bad"])
    assert len(wire.requests) == 1


def test_a_failed_check_stops_the_release(project: Path) -> None:
    with (
        raw_server(wire := Wire(EMPTY)) as url,
        pytest.raises(Problem, match=r"^`make bad` failed, so nothing was uploaded$"),
    ):
        publish.publish(project, parse_index_url(url), ["good", "bad"])
    assert [request.partition(b" ")[0] for request in wire.requests] == [b"GET"]


def test_checks_get_the_arguments_of_pytest_but_no_password(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with raw_server(Wire(EMPTY)) as url, pytest.raises(Problem, match="make bad"):
        publish.publish(project, parse_index_url(url), ["good", "bad"], "tests/test_one.py")
    assert "PYTEST_ARGS is tests/test_one.py, the password is ''" in capfd.readouterr().out


def test_the_command_passes_its_options_on_and_uses_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(publish, "publish", lambda *arguments: calls.append(arguments))
    monkeypatch.setattr(
        os, "environ", {**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9", "all_proxy": "http://127.0.0.1:9"}
    )
    options = Namespace(index_url="https://index.example/", checks=["lint"], tests="-x")
    assert publish.run(options) == 0
    assert calls == [(ROOT, parse_index_url("https://index.example/"), ["lint"], "-x")]
    assert {name: value for name, value in os.environ.items() if "proxy" in name.lower()} == {
        "NO_PROXY": "*",
        "no_proxy": "*",
    }


def test_the_default_checks_are_drift_lint_and_all_tests() -> None:
    assert publish.CHECKS == ("drift", "lint", "test", "test-integration")


class Keyring(KeyringBackend):
    """A keyring with one password."""

    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        return CANARY if (service, username) == ("https://index.example/", "me") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


@pytest.fixture
def own_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the keyring of this machine."""
    before = keyring.get_keyring()
    monkeypatch.setattr(keyring.core, "_keyring_backend", Keyring())
    assert keyring.get_keyring() is not before


@pytest.mark.usefixtures("own_keyring")
def test_the_password_can_come_from_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWINE_PASSWORD")
    assert publish.find_credentials(parse_index_url("https://index.example/")) == Credentials("me", CANARY)


def test_a_password_without_a_user_name_is_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWINE_USERNAME")
    assert publish.find_credentials(NOWHERE) == Credentials("__token__", CANARY)


def test_a_variable_of_a_pipeline_that_is_not_set_is_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINE_PASSWORD", "$(INDEX_TOKEN)")
    with pytest.raises(Problem, match=r"^TWINE_PASSWORD is \$\(INDEX_TOKEN\): set this secret variable"):
        publish.find_credentials(NOWHERE)


def test_the_error_about_a_missing_password_explains_where_to_store_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWINE_PASSWORD")
    monkeypatch.setattr(keyring.core, "_keyring_backend", NoKeyring())
    with pytest.raises(
        Problem, match=r"^no password for http://127\.0\.0\.1:9/: set TWINE_USERNAME and TWINE_PASSWORD"
    ):
        publish.find_credentials(NOWHERE)


def test_the_error_of_an_upload_does_not_contain_the_password(tmp_path: Path) -> None:
    (wheel := tmp_path / "azure_imds-1.0.0-py3-none-any.whl").write_bytes(b"no archive")
    with pytest.raises(Problem, match=r"^http://127\.0\.0\.1:9/ refused the files: \S+") as caught:
        publish.upload(NOWHERE, Credentials("me", CANARY), [wheel])
    assert CANARY not in str(caught.value)
