"""A new openapi.yaml replaces the old one completely, or nothing is changed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from maintenance import update
from maintenance.api_diff.changes import Change, Subject
from maintenance.problem import Problem
from maintenance_support import edited, git, repository
from support import ROOT, Wire, raw_server, reply

pytestmark = pytest.mark.integration

#: Replaces the tests of the project. It checks that the imported packages are those of the new document.
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


class Arguments:
    """The options of the command."""

    def __init__(self, spec: str, tests: str = "-q -p no:cacheprovider tests/test_probe.py") -> None:
        self.spec, self.tests = spec, tests


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the probe as its only test. It is the current folder."""
    folder = tmp_path / "project"
    (folder / "tests").mkdir(parents=True)
    (folder / "tests" / "test_probe.py").write_text(PROBE, encoding="utf-8")
    (folder / "emulator").mkdir()
    shutil.copy(ROOT / ".gitignore", folder)  # the description of an update is in a folder that git ignores
    repository(folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def two_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the comparison, which takes long and has its own tests."""
    changes = [
        Change(Subject("field", "Compute.rack"), "is new", "compatible", frozenset({"surface"}), new=True),
        Change(Subject("field", "Compute.zone"), "is removed", "breaking", frozenset({"griffe"})),
    ]
    monkeypatch.setattr(update, "compare", lambda old, new: changes)


def read_state(project: Path) -> tuple[str, str]:
    return git(project, "status", "--porcelain", "--untracked-files=all"), git(project, "worktree", "list")


@pytest.mark.usefixtures("two_changes")
def test_a_new_document_replaces_the_old_one_and_the_generated_client(
    project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    document = tmp_path / "new.yaml"
    document.write_text(edited(newer), encoding="utf-8")
    assert update.run(Arguments(str(document))) == 0  # type: ignore[arg-type]
    printed = capsys.readouterr().out
    assert "`Compute.zone` | is removed" in printed
    assert "Suggested version: 0.1.0 -> 0.2.0.\n" in printed
    assert (project / "openapi.yaml").read_bytes() == document.read_bytes()
    provenance = json.loads((project / "generated/azure_imds_api/provenance.json").read_text(encoding="utf-8"))
    assert provenance["specification"]["version"] == "2.0.0"
    fragments = {path.name: path.read_text(encoding="utf-8") for path in (project / "changelog.d").iterdir()}
    assert "- field `Compute.rack` is new\n" in fragments["+specification.added.md"]
    assert "- field `Compute.zone` is removed (breaking)\n" in fragments["+specification.removed.md"]
    assert read_state(project)[1].count("\n") == 1, "the temporary worktree is removed"


def test_the_description_is_the_table_with_the_values_of_the_document_as_text(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = "pattern is <img src=x> | [a](javascript:x)"
    change = Change(Subject("field", "Compute.rack"), what, "compatible", frozenset({"surface"}))
    monkeypatch.setattr(update, "compare", lambda old, new: [change])
    document = tmp_path / "new.yaml"
    document.write_text(edited(newer), encoding="utf-8")
    assert update.run(Arguments(str(document))) == 0  # type: ignore[arg-type]
    title, _, text = (project / update.DESCRIPTION).read_text(encoding="utf-8").partition("\n\n")
    assert title == "Update openapi.yaml to version 2.0.0"
    assert "pattern is &lt;img src=x&gt; \\| [a\\](javascript:x)" in text
    assert "Suggested version: 0.1.0 -> 0.1.1." in text


def assert_refused(project: Path, spec: str, message: str, tests: str = "tests/test_probe.py") -> None:
    before = read_state(project)
    with pytest.raises(Problem, match=message):
        update.run(Arguments(spec, tests))  # type: ignore[arg-type]
    assert read_state(project) == before


@pytest.mark.usefixtures("two_changes")
def test_failing_tests_change_nothing(project: Path, tmp_path: Path) -> None:
    document = tmp_path / "new.yaml"
    document.write_text(edited(lambda whole: whole["info"].update(version="3.0.0")), encoding="utf-8")
    assert_refused(project, str(document), "^the tests fail with the new document; nothing was changed$")


def test_a_document_that_the_generator_does_not_support_is_refused_with_line_and_rule(
    project: Path, tmp_path: Path
) -> None:
    def duplicate_an_id(document: dict[str, Any]) -> None:
        document["paths"]["/versions"]["get"]["operationId"] = "Identity_GetInfo"

    document = tmp_path / "new.yaml"
    document.write_text(edited(duplicate_an_id), encoding="utf-8")
    assert_refused(project, str(document), r"openapi\.yaml:\d+: \[duplicate-operation-id\]")


def rename_an_operation(document: dict[str, Any]) -> None:
    document["info"]["version"] = "2.0.0"
    document["paths"]["/versions"]["get"]["operationId"] = "Versions_ListAll"


PAGE = "`versions.get_versions` (`Versions_GetVersions`, not `conversions.get_versions`) lists them.\n"
PROGRAM = "def run(imds: object) -> None:\n    print(imds.versions.get_versions(), versions_get_versions)\n"


@pytest.fixture
def with_names(project: Path) -> Path:
    """The project with hand-written files that name an operation."""
    (project / "docs").mkdir()
    (project / "docs" / "page.md").write_text(PAGE, encoding="utf-8")
    (project / "program.py").write_text(PROGRAM, encoding="utf-8")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=Names")
    return project


@pytest.mark.usefixtures("two_changes")
def test_a_renamed_operation_is_renamed_in_hand_written_files(with_names: Path, tmp_path: Path) -> None:
    document = tmp_path / "new.json"
    document.write_text(edited(rename_an_operation), encoding="utf-8")
    assert update.run(Arguments(str(document))) == 0  # type: ignore[arg-type]
    assert (with_names / "docs" / "page.md").read_text(encoding="utf-8") == (
        "`versions.list_all` (`Versions_ListAll`, not `conversions.get_versions`) lists them.\n"
    )
    assert "imds.versions.list_all(), versions_list_all)" in (with_names / "program.py").read_text(encoding="utf-8")


@pytest.mark.usefixtures("two_changes")
def test_uncommitted_names_are_not_overwritten(with_names: Path, tmp_path: Path) -> None:
    (with_names / "program.py").write_text(f"{PROGRAM}# mine\n", encoding="utf-8")
    document = tmp_path / "new.json"
    document.write_text(edited(rename_an_operation), encoding="utf-8")
    assert_refused(with_names, str(document), "^commit your changes first: ")


def test_an_operation_that_hand_written_files_name_is_not_removed(with_names: Path, tmp_path: Path) -> None:
    document = tmp_path / "new.json"
    document.write_text(edited(lambda whole: whole["paths"].pop("/versions")), encoding="utf-8")
    assert_refused(with_names, str(document), r"(?s)Versions_GetVersions: docs/page\.md:1, program\.py:2")


@pytest.mark.usefixtures("two_changes")
def test_an_operation_that_the_emulator_does_not_serve_is_reported(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def add(document: dict[str, Any]) -> None:
        document["info"]["version"] = "2.0.0"
        responses = {"200": {"description": "The time."}}
        document["paths"]["/clock"] = {"get": {"operationId": "Now", "tags": ["clock"], "responses": responses}}

    document = tmp_path / "new.json"
    document.write_text(edited(add), encoding="utf-8")
    assert update.run(Arguments(str(document))) == 0  # type: ignore[arg-type]
    assert re.search(r"^The emulator does not serve yet: .*\bNow \(GET /clock\)", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.parametrize("touched", ["openapi.yaml", "generated/azure_imds_api/types.py"])
def test_uncommitted_changes_are_not_overwritten(project: Path, touched: str) -> None:
    (project / touched).write_text("mine", encoding="utf-8")
    assert_refused(project, "new.yaml", "^commit your changes first: ")


@pytest.mark.parametrize(
    "source",
    ["none.yaml", "http://127.0.0.1:9/openapi.yaml", "gopher://x"],
    ids=["no file", "no server", "no such scheme"],
)
def test_a_document_that_cannot_be_read_changes_nothing(project: Path, source: str) -> None:
    assert_refused(project, source, f"^--spec {source} cannot be (read|fetched): ")


@pytest.mark.usefixtures("two_changes")
def test_a_document_can_come_from_a_url_and_earlier_fragments_are_kept(project: Path) -> None:
    (project / "changelog.d").mkdir()
    (project / "changelog.d" / "+specification.added.md").write_text("Earlier.\n", encoding="utf-8")
    with raw_server(Wire(reply(200, edited(newer), "Connection: close"))) as url:
        assert update.run(Arguments(url)) == 0  # type: ignore[arg-type]
    assert " M openapi.yaml" in read_state(project)[0]
    assert (project / "changelog.d" / "+specification.added.md").read_text(encoding="utf-8") == "Earlier.\n"
    assert (project / "changelog.d" / "+specification.added.1.md").exists()


def test_an_error_instead_of_a_document_changes_nothing(project: Path) -> None:
    with raw_server(Wire(reply(404, "no", "Connection: close"))) as url:
        assert_refused(project, url, "404")


def test_the_same_document_changes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = read_state(project)
    assert update.run(Arguments("openapi.yaml")) == 0  # type: ignore[arg-type]
    assert capsys.readouterr().out == "The document is the same as openapi.yaml. Nothing was changed.\n"
    assert read_state(project) == before
