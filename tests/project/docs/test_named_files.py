"""The pages for contributors name only files, fixtures and helpers that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from docs_support import find_named_files
from support import ROOT

PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "changelog.d/README.md", "wrapper/README.md", "tests/README.md"]

#: Files and folders that a command creates.
CREATED = {"site/", "dist/", ".tools/", "build/update.md"}

TESTS = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")


def exists(name: str, page: str) -> bool:
    folder = (ROOT / page).parent
    return any([*base.glob(name.rstrip("/"))] for base in (ROOT, folder, folder / "azure_imds"))


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_exists(page: str) -> None:
    named = find_named_files((ROOT / page).read_text(encoding="utf-8"))
    assert [name for name in named if name not in CREATED and not exists(name, page)] == []


def test_the_names_of_files_are_found() -> None:
    assert find_named_files("`docs/cli.md`, `CHANGELOG.md`, `pip install x`, `a.b`") == ["docs/cli.md", "CHANGELOG.md"]
    assert not exists("docs/none.md", "README.md")


def section(title: str) -> list[tuple[str, str, str]]:
    """The first three cells of each row below a heading of tests/README.md."""
    text = TESTS.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:1] == "|"]
    return [(row[0], row[1], row[-1]) for row in rows[2:]]


def definitions(file: Path) -> set[str]:
    """The names that a module defines."""
    found: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


@pytest.mark.parametrize(("module", "helpers"), [(row[0], row[1]) for row in section("Helpers")])
def test_every_helper_exists(module: str, helpers: str) -> None:
    named = set(re.findall(r"`(\w+)`", helpers))
    assert named
    assert named - definitions(ROOT / "tests" / module.strip("`")) == set()


def test_every_module_of_helpers_is_listed() -> None:
    listed = {row[0].strip("`") for row in section("Helpers")}
    assert listed == {file.name for file in (ROOT / "tests").glob("*.py") if file.name != "conftest.py"}


def test_every_fixture_exists() -> None:
    sources = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "emulator").rglob("pytest_plugin.py")]
    found = {
        name
        for source in sources
        for name in re.findall(r"@pytest\.fixture.*\n(?:async )?def (\w+)", source.read_text(encoding="utf-8"))
    }
    named = {name for row in section("Fixtures") for name in re.findall(r"`(\w+)`", row[0])}
    assert named
    assert named - found == set()


# The promises of SECURITY.md

SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
PROMISES = re.findall(r"^\* \*\*(.+?)\.?\*\*", SECURITY, re.MULTILINE)
TESTED = dict(re.findall(r"^\| (.+?) \| (`tests/.+?) \|$", SECURITY, re.MULTILINE))


def test_every_promise_has_a_test() -> None:
    assert len(PROMISES) > 10
    assert list(TESTED) == PROMISES


@pytest.mark.parametrize("promise", TESTED)
def test_the_tests_of_a_promise_exist(promise: str) -> None:
    for name in re.findall(r"`([^`]+)`", TESTED[promise]):
        file, _, test = name.partition("::")
        found = {one for one in definitions(ROOT / file) if one.startswith("test_")}
        assert found, name
        assert not test or test in found, name
