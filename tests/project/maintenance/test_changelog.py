"""The fragments in changelog.d/ become a section of CHANGELOG.md."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

import azure_imds
from maintenance.fragments import list_fragments, read_kind, read_with_unreleased
from maintenance.problem import Problem
from maintenance.release import changelog
from maintenance.repository import read_version
from maintenance_support import git
from support import ROOT

OLD = "## 0.0.1 (2020-01-01)\n\n### Added\n\n- Something old.\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The changelog of this project with the section of an older version, and two fragments."""
    (tmp_path / "changelog.d").mkdir()
    (tmp_path / "wrapper" / "azure_imds").mkdir(parents=True)
    for file in ("pyproject.toml", "CHANGELOG.md", "changelog.d/README.md", "wrapper/azure_imds/_version.py"):
        shutil.copy(ROOT / file, tmp_path / file)
    log = tmp_path / "CHANGELOG.md"
    log.write_text(log.read_text(encoding="utf-8").partition("\n## ")[0] + f"\n{OLD}", encoding="utf-8")
    (tmp_path / "changelog.d" / "+colour.fixed.md").write_text("A colour,\nover two lines.\n", encoding="utf-8")
    (tmp_path / "changelog.d" / "+word.added.md").write_text("A word.\n", encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    return tmp_path


def test_the_new_section_is_above_the_older_ones(project: Path) -> None:
    before = (project / "CHANGELOG.md").read_text(encoding="utf-8").removesuffix(OLD)
    changelog.write_section(project)
    text = (project / "CHANGELOG.md").read_text(encoding="utf-8")
    assert text.startswith(before)
    assert re.sub(r"\d{4}-\d\d-\d\d", "DATE", text.removeprefix(before).removesuffix(OLD)).split("\n") == [
        *(f"## {read_version(ROOT)} (DATE)", ""),
        *("### Added", "", "- A word.", ""),
        *("### Fixed", "", "- A colour,", "  over two lines.", "", "", ""),
    ]


def test_the_site_has_the_fragments_as_a_section(project: Path) -> None:
    text = read_with_unreleased(project)
    assert "changelog.d" not in text
    assert text.partition("start -->\n")[2] == (
        "\n## Unreleased\n\n### Added\n\n- A word.\n\n### Fixed\n\n- A colour, over two lines.\n\n\n" + OLD
    )


def test_the_site_has_no_such_section_after_a_release(project: Path) -> None:
    changelog.write_section(project)
    assert "Unreleased" not in read_with_unreleased(project)


def test_fragments_are_deleted_once_they_are_in_the_changelog(project: Path) -> None:
    changelog.write_section(project)
    assert [file.name for file in (project / "changelog.d").iterdir()] == ["README.md"]


def test_a_version_has_one_section(project: Path) -> None:
    changelog.write_section(project)
    (project / "changelog.d" / "+late.added.md").write_text("Too late.\n", encoding="utf-8")
    with pytest.raises(Problem, match=r"^CHANGELOG\.md already has a section for \S+: raise the version"):
        changelog.write_section(project)


def test_without_fragments_there_is_no_section_to_write(project: Path) -> None:
    changelog.write_section(project)
    with pytest.raises(Problem, match=r"^changelog\.d/ has no fragments$"):
        changelog.write_section(project)


def test_an_error_of_towncrier_is_reported(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.towncrier]\ntype = 1\n", encoding="utf-8")
    with pytest.raises(Problem, match=r"^towncrier failed:\n"):
        changelog.write_section(project)


def test_towncrier_knows_the_kinds_of_this_projects_fragments() -> None:
    towncrier = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["towncrier"]
    assert {read_kind(file) for file in list_fragments(ROOT)} <= towncrier["fragment"].keys()


def test_the_package_has_the_version_of_the_release() -> None:
    assert azure_imds.__version__ == read_version(ROOT)
