"""A new openapi.yaml is taken over as a whole, or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maintenance import update
from maintenance.changes import Change, Subject
from maintenance.problem import Problem
from maintenance_support import edited, git, repository
from support import Wire, raw_server, reply

pytestmark = pytest.mark.integration

#: Stands for the project's tests: it sees whether the packages that it imports are those of the new document.
PROBE = """\
from pathlib import Path
import azure_imds_api.api as api, azure_imds

def test_the_new_document_is_what_is_tested():
    here = Path.cwd()
    assert Path(api.__file__).is_relative_to(here) and Path(azure_imds.__file__).is_relative_to(here)
    assert api.SPEC_VERSION == "2.0.0"
"""


def newer(document: dict[str, Any]) -> None:
    document["info"]["version"] = "2.0.0"
    document["components"]["schemas"]["Compute"]["properties"]["rack"] = {"type": "string", "description": "Where."}
    del document["components"]["schemas"]["Compute"]["properties"]["zone"]


class Given:
    """The command's options."""

    def __init__(self, spec: str, tests: str = "-q -p no:cacheprovider tests/test_probe.py") -> None:
        self.spec, self.tests = spec, tests


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the probe as its only test, as the current folder."""
    folder = tmp_path / "project"
    (folder / "tests").mkdir(parents=True)
    (folder / "tests" / "test_probe.py").write_text(PROBE, encoding="utf-8")
    (folder / "emulator").mkdir()
    repository(folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table without the type checkers, which have tests of their own."""
    changes = [
        Change(Subject("field", "Compute.rack"), "is new", "compatible", frozenset({"surface"}), new=True),
        Change(Subject("field", "Compute.zone"), "is gone", "breaking", frozenset({"griffe"})),
    ]
    monkeypatch.setattr(update, "compare", lambda old, new: changes)


def state(project: Path) -> tuple[str, str]:
    return git(project, "status", "--porcelain", "--untracked-files=all"), git(project, "worktree", "list")


@pytest.mark.usefixtures("seen")
def test_a_new_document_is_taken_over_with_all_that_follows_from_it(
    project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    document = tmp_path / "new.yaml"
    document.write_text(edited(newer), encoding="utf-8")
    assert update.run(Given(str(document))) == 0  # type: ignore[arg-type]
    printed = capsys.readouterr().out
    assert "`Compute.zone` | is gone" in printed
    assert "Version 0.1.0 -> 0.2.0 is proposed." in printed
    assert (project / "openapi.yaml").read_bytes() == document.read_bytes()
    provenance = json.loads((project / "generated/azure_imds_api/provenance.json").read_text(encoding="utf-8"))
    assert provenance["specification"]["version"] == "2.0.0"
    fragments = {path.name: path.read_text(encoding="utf-8") for path in (project / "changelog.d").iterdir()}
    assert "- field `Compute.rack` is new\n" in fragments["+specification.added.md"]
    assert "- field `Compute.zone` is gone (breaking)\n" in fragments["+specification.removed.md"]
    assert state(project)[1].count("\n") == 1, "the trial's working tree is gone"


def unchanged_after(project: Path, spec: str, said: str, tests: str = "tests/test_probe.py") -> None:
    before = state(project)
    with pytest.raises(Problem, match=said):
        update.run(Given(spec, tests))  # type: ignore[arg-type]
    assert state(project) == before


@pytest.mark.usefixtures("seen")
def test_failing_tests_change_nothing(project: Path, tmp_path: Path) -> None:
    document = tmp_path / "new.yaml"
    document.write_text(edited(lambda whole: whole["info"].update(version="3.0.0")), encoding="utf-8")
    unchanged_after(project, str(document), "the tests fail")


def test_a_document_that_the_generator_cannot_carry_is_refused_with_the_place_and_the_rule(
    project: Path, tmp_path: Path
) -> None:
    def spoil(document: dict[str, Any]) -> None:
        document["paths"]["/versions"]["get"]["operationId"] = "Identity_GetInfo"

    document = tmp_path / "new.yaml"
    document.write_text(edited(spoil), encoding="utf-8")
    unchanged_after(project, str(document), r"openapi\.yaml:\d+: \[duplicate-operation-id\]")


@pytest.mark.parametrize("touched", ["openapi.yaml", "generated/azure_imds_api/types.py"])
def test_unsaved_changes_are_not_written_over(project: Path, touched: str) -> None:
    (project / touched).write_text("mine", encoding="utf-8")
    unchanged_after(project, "new.yaml", "commit what has changed first")


@pytest.mark.parametrize(
    "source", ["none.yaml", "http://127.0.0.1:9/openapi.yaml", "gopher://x"], ids=["file", "nobody", "no such scheme"]
)
def test_a_document_that_cannot_be_had_changes_nothing(project: Path, source: str) -> None:
    unchanged_after(project, source, "cannot be")


@pytest.mark.usefixtures("seen")
def test_a_document_comes_by_url_too_and_an_earlier_fragment_stays(project: Path) -> None:
    (project / "changelog.d").mkdir()
    (project / "changelog.d" / "+specification.added.md").write_text("Earlier.\n", encoding="utf-8")
    with raw_server(Wire(reply(200, edited(newer), "Connection: close"))) as url:
        assert update.run(Given(url)) == 0  # type: ignore[arg-type]
    assert " M openapi.yaml" in state(project)[0]
    assert (project / "changelog.d" / "+specification.added.md").read_text(encoding="utf-8") == "Earlier.\n"
    assert (project / "changelog.d" / "+specification.added.1.md").exists()


def test_an_error_instead_of_a_document_changes_nothing(project: Path) -> None:
    with raw_server(Wire(reply(404, "no", "Connection: close"))) as url:
        unchanged_after(project, url, "404")


def test_the_document_that_is_there_is_nothing_new(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = state(project)
    assert update.run(Given("openapi.yaml")) == 0  # type: ignore[arg-type]
    assert capsys.readouterr().out == "This is openapi.yaml as it is.\n"
    assert state(project) == before
