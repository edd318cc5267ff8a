"""All programs in examples/: listed, tested, type-checked, and with a usage text."""

from __future__ import annotations

import tomllib

import pytest

from examples_support import PROGRAMS, run
from support import ROOT

NAMES = sorted(file.stem for file in PROGRAMS.glob("*.py"))

#: Programs with options.
WITH_OPTIONS = sorted(set(NAMES) - {"demo", "drain"})

#: Programs that import large packages. Starting them takes seconds.
SLOW = {"fleet_inventory", "kubernetes_drain"}


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_lists_it(name: str) -> None:
    assert f"(examples/{name}.py)" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_test_runs_it(name: str) -> None:
    tests = (ROOT / "tests").rglob("test_*.py")
    assert any(f'"{name}.py"' in test.read_text(encoding="utf-8") for test in tests)


def test_all_of_them_are_type_checked() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(NAMES) <= set(settings["tool"]["mypy"]["modules"])


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.integration] if name in SLOW else []) for name in WITH_OPTIONS],
)
def test_its_docstring_and_help_describe_its_usage(name: str) -> None:
    assert f"python {name}.py" in (PROGRAMS / f"{name}.py").read_text(encoding="utf-8")
    done = run(f"{name}.py", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: {name}.py ")
