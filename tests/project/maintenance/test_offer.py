"""An update is pushed as a new branch. Its commit has the table of changes as its message."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maintenance import offer, update
from maintenance.__main__ import main
from maintenance.problem import Problem
from maintenance_support import git
from support import CANARY, Wire, raw_server, reply

REFUSAL = reply(403, "", "Connection: close")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of an empty remote, in which an update has changed some files. It is the current folder."""
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "remote")
    folder = tmp_path / "project"
    (folder / "generated").mkdir(parents=True)
    for name in ("openapi.yaml", "generated/old.py", "README.md"):
        (folder / name).write_text("before\n", encoding="utf-8")
    (folder / ".gitignore").write_text("/build/\n", encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=One")
    git(folder, "remote", "add", "origin", str(tmp_path / "remote"))
    git(folder, "push", "--quiet", "origin", "main")
    for name in ("openapi.yaml", "README.md", "generated/new.py", "changelog.d/+specification.added.md", "stray.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("after\n", encoding="utf-8")
    (folder / "generated" / "old.py").unlink()
    update._write_description(folder, "Update openapi.yaml to version 2", "| a table |\n\n# not a comment", b"after\n")
    monkeypatch.chdir(folder)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Pipeline")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "pipeline@example.com")
    return folder


def read_state(project: Path) -> list[str]:
    return [git(project, *words) for words in (["status", "--porcelain"], ["branch", "--all"], ["rev-parse", "HEAD"])]


def find_branch(project: Path) -> str:
    [branch] = [
        name for name in git(project.parent / "remote", "branch", "--format=%(refname:short)").split() if name != "main"
    ]
    return branch


def test_the_branch_has_what_the_update_changed_and_nothing_else(project: Path) -> None:
    before = read_state(project)
    assert main(["offer"]) == 0
    remote, branch = project.parent / "remote", find_branch(project)
    assert git(remote, "diff", "--no-renames", "--name-status", "main", branch).split("\n")[:-1] == [
        "M\tREADME.md",
        "A\tchangelog.d/+specification.added.md",
        "A\tgenerated/new.py",
        "D\tgenerated/old.py",
        "M\topenapi.yaml",
    ]
    assert read_state(project)[::2] == before[::2], "the checkout stays as it is"


def test_the_message_of_its_commit_is_the_description(project: Path) -> None:
    assert main(["offer"]) == 0
    message = git(project.parent / "remote", "log", "-1", "--format=%B", find_branch(project))
    assert message.rstrip() == (project / "build" / "update.md").read_text(encoding="utf-8").rstrip()
    assert message.startswith("Update openapi.yaml to version 2\n\n| a table |\n\n# not a comment\n")


def test_a_description_can_be_longer_than_an_argument_of_a_program(project: Path) -> None:
    update._write_description(project, "Update openapi.yaml to version 2", "| a row |\n" * 50_000, b"after\n")
    assert main(["offer"]) == 0
    message = git(project.parent / "remote", "log", "-1", "--format=%B", find_branch(project))
    assert message.count("| a row |") == 50_000


def test_a_document_is_offered_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["offer"]) == 0
    branch = find_branch(project)
    assert capsys.readouterr().out.startswith(f"Pushed the branch {branch} to origin. ")
    assert main(["offer"]) == 0
    assert capsys.readouterr().out == (
        f"origin already has the branch {branch}, so this document has been offered before.\n"
    )


def test_without_a_new_document_there_is_nothing_to_offer(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(project, "checkout", "--quiet", "openapi.yaml")
    assert main(["offer", "--remote", "nowhere"]) == 0
    assert capsys.readouterr().out == "openapi.yaml has not changed, so there is nothing to offer.\n"


@pytest.mark.parametrize("text", ["", "sha256 of openapi.yaml: 00\n"], ids=["empty", "of another document"])
def test_a_document_that_was_changed_by_hand_is_not_offered(text: str, project: Path) -> None:
    (project / "build" / "update.md").write_text(text, encoding="utf-8")
    with pytest.raises(
        Problem, match=r"^openapi\.yaml was not changed by `make update`: run make update SPEC=new\.yaml"
    ):
        offer.offer(project, "origin")


def test_an_unknown_remote_is_one_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["offer", "--remote", "nowhere"]) == 1
    assert capsys.readouterr().err == "offer: git remote: error: No such remote 'nowhere'\n"


def test_the_token_is_sent_to_the_remote_and_is_in_no_error(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYSTEM_ACCESSTOKEN", CANARY)
    with raw_server(wire := Wire(REFUSAL)) as url:
        git(project, "remote", "set-url", "origin", f"{url.replace('//', '//someone:' + CANARY + '@')}/repository")
        assert main(["offer"]) == 1
    assert wire.header("authorization") == f"Bearer {CANARY}"
    assert "SYSTEM_ACCESSTOKEN" not in os.environ
    error = capsys.readouterr().err
    assert error.startswith("offer: git ls-remote: ")
    assert error.count("\n") == 1
    assert CANARY not in error


def test_the_token_is_not_sent_where_the_remote_redirects_to(project: Path) -> None:
    with raw_server(other := Wire(REFUSAL)) as target:
        answer = reply(302, "", f"Location: {target}/repository/info/refs?service=git-upload-pack", "Connection: close")
        with raw_server(Wire(answer)) as url:
            git(project, "remote", "set-url", "origin", f"{url}/repository")
            with pytest.raises(Problem, match=r"^git ls-remote: "):
                offer.offer(project, "origin", CANARY)
    assert other.connections == 0


def test_the_token_is_not_sent_unencrypted(project: Path) -> None:
    git(project, "remote", "set-url", "origin", "http://192.0.2.1/repository")
    with pytest.raises(Problem, match=r"^the URL of origin must start with https://"):
        offer.offer(project, "origin", CANARY)
