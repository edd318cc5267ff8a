"""The file of `drain --state`: what it remembers, and what happens if it is damaged, foreign or cannot be written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import typer

from azure_imds._cli import drain_state
from azure_imds._cli.drain_state import DrainState, Handled

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs process groups")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "drain.json"


def refusal(path: Path) -> str:
    with pytest.raises(typer.BadParameter) as caught, DrainState(path):
        pass
    assert caught.value.param_hint == "'--state'"
    return caught.value.message.removeprefix(f"{path} ")


def test_it_remembers_what_was_done(path: Path) -> None:
    handled = Handled("succeeded", 2, 0)
    with DrainState(path) as state:
        state.set("A", Handled())
        state.set("B", handled)
        handled.starts = 7
    with DrainState(path) as state:
        assert state.get("A") == Handled("running", 0, None)
        assert state.get("B") == Handled("succeeded", 2, 0)
        assert state.get("C") is None


def test_what_it_returns_can_be_changed_without_an_effect(path: Path) -> None:
    with DrainState(path) as state:
        state.set("A", Handled())
        found = state.get("A")
        assert found
        found.progress = "done"
        assert state.get("A") == Handled()


def test_without_a_file_it_remembers_until_its_end(path: Path) -> None:
    with DrainState(None) as state:
        state.set("A", Handled("done"))
        assert state.get("A") == Handled("done")
    assert list(path.parent.iterdir()) == []


def test_only_the_user_can_read_the_file(path: Path) -> None:
    with DrainState(path) as state:
        state.set("A", Handled())
    assert [file.stat().st_mode & 0o777 for file in path.parent.iterdir()] == [0o600, 0o600]


def test_the_number_of_events_has_a_limit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain_state, "MAX_EVENTS", 2)
    with DrainState(path) as state:
        for event_id in ("A", "B", "A", "C"):
            state.set(event_id, Handled("done"))
    assert list(json.loads(path.read_bytes())["events"]) == ["A", "C"]


@pytest.mark.parametrize("content", [b"", b"\n", b"\0" * 512], ids=["empty", "newline", "zeros"])
def test_a_file_without_content_is_a_new_one(path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    path.write_bytes(content)
    with DrainState(path) as state:
        assert state.get("A") is None
    assert not caplog.records


@pytest.mark.parametrize(
    "rest",
    [
        "",
        ' "events": {"A": {"progress": "do',
        ' "events": 5}',
        ' "events": {"A": 5}}',
        ' "events": {"A": {"progress": "unknown"}}}',
        ' "events": {"A": {"progress": []}}}',
        ' "events": {"A": {"starts": "x"}}}',
        ' "events": {"A": {"status": "x"}}}',
        ' "events": {"A": {"other": 1}}}',
        " \xff}",
        ' "events": ' + "[" * 100_000,
    ],
    ids=lambda rest: rest[:40],
)
def test_a_damaged_file_is_kept_under_another_name(path: Path, rest: str, caplog: pytest.LogCaptureFixture) -> None:
    content = b'{"azure-imds drain": 1,' + rest.encode("latin-1")
    path.write_bytes(content)
    with DrainState(path) as state:
        assert state.get("A") is None
        state.set("A", Handled("done"))
    kept = path.with_name("drain.json.damaged")
    assert kept.read_bytes() == content
    assert [record.getMessage() for record in caplog.records] == [
        f"--state {path}: is damaged, and was renamed to {kept}. The command can run again for an event that was "
        "handled before."
    ]
    with DrainState(path) as state:
        assert state.get("A") == Handled("done")


@pytest.mark.parametrize("content", [b"root:x:0:0\n", b'{"events": {}}', b'{"azure-imds drain": 2, "events": {}}'])
def test_a_file_of_another_program_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert refusal(path) == "is not a file of azure-imds drain. Choose another path, or delete the file."
    assert path.read_bytes() == content


def test_two_processes_cannot_use_a_file_at_the_same_time(path: Path) -> None:
    with DrainState(path) as state:
        state.set("A", Handled())
        assert refusal(path) == "is used by another azure-imds drain. Give each its own file."
        assert state.get("A") == Handled()
    with DrainState(path):
        pass


def test_a_path_that_is_no_file_is_refused(path: Path) -> None:
    path.mkdir()
    assert refusal(path) == "is not a file."
    path.rmdir()
    os.mkfifo(path)
    assert refusal(path) == "is not a file."


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no" / "drain.json") == "cannot be used: No such file or directory."


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_can_change_is_refused(path: Path, mode: int) -> None:
    with DrainState(path) as state:
        state.set("A", Handled("done"))
    path.chmod(mode)
    assert refusal(path) == "can be changed by other users. Choose another path, or delete the file."
    path.chmod(0o644)
    with DrainState(path) as state:
        assert state.get("A") == Handled("done")


def test_a_file_of_another_user_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(b'{"azure-imds drain": 1, "events": {}}')
    lock, owner = path.with_name("drain.json.lock"), os.geteuid()
    monkeypatch.setattr(drain_state, "open_private", lambda *_: lock.open("wb"))
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert refusal(path) == "can be changed by other users. Choose another path, or delete the file."


def test_links_in_a_circle_are_refused(path: Path) -> None:
    path.symlink_to(path)
    assert refusal(path).startswith("cannot be used: ")


def test_a_relative_path_in_a_folder_that_was_removed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    assert refusal(Path("drain.json")) == "cannot be used: No such file or directory."


def test_a_link_that_another_user_has_put_there_is_not_followed(path: Path) -> None:
    target = path.with_name("target")
    target.write_text("precious")
    path.with_name("drain.json.lock").symlink_to(target)
    assert refusal(path).startswith("cannot be used: ")
    assert target.read_text() == "precious"


def test_a_link_to_the_file_stays_a_link(path: Path) -> None:
    link = path.with_name("link.json")
    link.symlink_to(path)
    with DrainState(link) as state:
        state.set("A", Handled("done"))
    assert link.is_symlink()
    with DrainState(path) as state:
        assert state.get("A") == Handled("done")


def test_a_file_that_can_no_longer_be_written_is_logged_and_the_event_is_handled(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with DrainState(path) as state:
        state.set("A", Handled("done"))
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            state.set("B", Handled("done"))
        assert state.get("B") == Handled("done")
    assert [record.getMessage() for record in caplog.records] == [
        f"--state {path}: cannot be written: No space left on device. After a restart, the command can run again for "
        "event B."
    ]
    with DrainState(path) as state:
        assert (state.get("A"), state.get("B")) == (Handled("done"), None), "the last complete file"
