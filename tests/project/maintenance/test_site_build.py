"""`make docs` replaces the whole site, or leaves the old one as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from maintenance.__main__ import main

SETTINGS = "site_name: A small site\nstrict: true\nplugins: []\ntheme: {name: null, custom_dir: theme}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mkdocs.yml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "theme").mkdir()
    (tmp_path / "theme" / "main.html").write_text("{{ page.content }}", encoding="utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("New.\n", encoding="utf-8")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "old.html").write_text("Old.\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def list_entries(project: Path) -> list[str]:
    return sorted(entry.name for entry in project.iterdir())


def test_a_build_replaces_the_whole_site(project: Path) -> None:
    before = list_entries(project)
    assert main(["docs"]) == 0
    assert "New." in (project / "site" / "index.html").read_text(encoding="utf-8")
    assert not (project / "site" / "old.html").exists()
    assert list_entries(project) == before


def test_the_first_build_makes_the_site(project: Path) -> None:
    (project / "site" / "old.html").unlink()
    (project / "site").rmdir()
    assert main(["docs"]) == 0
    assert (project / "site" / "index.html").exists()


def test_a_failed_build_keeps_the_old_site(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "docs" / "index.md").write_text("[Lost](lost.md)\n", encoding="utf-8")
    before = list_entries(project)
    assert main(["docs"]) == 1
    assert capsys.readouterr().err.endswith("docs: mkdocs failed; site/ is unchanged\n")
    assert [path.name for path in (project / "site").iterdir()] == ["old.html"]
    assert list_entries(project) == before


def test_an_interrupted_replacement_keeps_the_old_site(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        main(["docs"])
    assert [path.name for path in (project / "site").iterdir()] == ["old.html"]
