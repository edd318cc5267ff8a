"""What generator/, maintenance/ and tests/package import: only packages that pyproject.toml names for them."""

from __future__ import annotations

import ast
import itertools
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions

import nox
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support import ROOT

PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")

#: The packages, each with its dependency group.
GROUPS = {"generator": "generate", "maintenance": "maintenance"}

#: Packages of this project that are not in a group.
OWN = {*GROUPS, "azure_imds_api", "azure_imds_emulator"}

#: Packages that a requirement of the wheel always installs, and that the wheel imports through it.
OF_REQUIREMENTS = {"anyio", "certifi", "h11", "httpcore"}

#: Programs that `python -m` starts and that are not in the group.
OTHER_PROGRAMS = {
    "pip",  # part of the virtual environment
    "pytest",  # `make update` runs the tests of the project, which have their own group
}

#: The folders of maintenance/. They share the modules next to them, and do not import each other.
ROOMS = {"release", "api_diff", "site"}

#: The installed distributions that contain each top-level module.
DISTRIBUTIONS = packages_distributions()

#: The modules by full name.
FILES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for package in GROUPS
    for file in sorted((ROOT / package).rglob("*.py"))
}


def find_imports(name: str) -> Iterator[str]:
    """Yields the full names of the modules that a module imports anywhere, including inside functions."""
    package = name if FILES[name].stem == "__init__" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(FILES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            members = [f"{module}.{alias.name}" for alias in node.names]
            yield from (member if member in FILES else module for member in members)


def find_programs(name: str) -> Iterator[str]:
    """Yields the modules that a module starts with `python -m`."""
    for node in ast.walk(ast.parse(FILES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.List):
            texts = [item.value if isinstance(item, ast.Constant) else None for item in node.elts]
            yield from (str(after) for text, after in itertools.pairwise(texts) if text == "-m" and after)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "_run_tool":
            yield from (argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant))


def list_packages(group: str) -> set[str]:
    """Returns the canonical names of the packages that a dependency group names."""
    lines = nox.project.dependency_groups(PROJECT, group)
    return {canonicalize_name(Requirement(line).name) for line in lines}


def find_unnamed(imported: set[str], group: str) -> set[str]:
    """Returns the top-level modules that no package of the group contains."""
    named = list_packages(group)
    return {
        name
        for name in imported - sys.stdlib_module_names - OWN
        if not {canonicalize_name(found) for found in DISTRIBUTIONS.get(name, [name])} & named
    }


@pytest.mark.parametrize("name", FILES)
def test_every_imported_package_is_named_in_the_dependency_group(name: str) -> None:
    imported = {module.partition(".")[0] for module in find_imports(name)}
    assert find_unnamed(imported, GROUPS[name.partition(".")[0]]) == set()


@pytest.mark.parametrize("name", FILES)
def test_every_program_that_is_started_is_named_in_the_dependency_group(name: str) -> None:
    assert find_unnamed({*find_programs(name)} - OTHER_PROGRAMS, GROUPS[name.partition(".")[0]]) == set()


def test_an_unnamed_package_is_found() -> None:
    assert find_unnamed({"httpx", "trio", "json", "not_installed"}, "generate") == {"trio", "not_installed"}


def test_programs_are_found() -> None:
    assert {*find_programs("maintenance.release.build")} == {"build", "twine"}
    assert {*find_programs("maintenance.api_diff.type_checks")} == {"mypy", "pyright"}


def read_graph(package: str) -> dict[str, set[str]]:
    """Returns the modules of a package, each with the modules of the package that it imports."""
    return {name: {*find_imports(name)} & FILES.keys() for name in FILES if name.partition(".")[0] == package}


@pytest.mark.parametrize("package", GROUPS)
def test_modules_do_not_import_each_other_in_a_cycle(package: str) -> None:
    TopologicalSorter(read_graph(package)).prepare()


def test_a_cycle_is_found() -> None:
    with pytest.raises(CycleError):
        TopologicalSorter({"a": {"b"}, "b": {"a"}}).prepare()


def find_room(name: str) -> str:
    """Returns the folder of a module in maintenance/. It is empty for a module on the ground floor."""
    path = FILES[name].relative_to(ROOT / "maintenance")
    return path.parts[0] if len(path.parts) > 1 else ""


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("maintenance.") and find_room(name)])
def test_a_room_of_maintenance_imports_no_other_room(name: str) -> None:
    rooms = {find_room(module) for module in find_imports(name) if module.startswith("maintenance.")}
    assert rooms <= {"", find_room(name)}


def test_every_folder_of_maintenance_is_a_known_room() -> None:
    names = [name for name in FILES if name.startswith("maintenance")]
    assert {find_room(name) for name in names} == {"", *ROOMS}


def test_the_generator_does_not_import_maintenance() -> None:
    names = [name for name in FILES if name.partition(".")[0] == "generator"]
    assert not [name for name in names for module in find_imports(name) if module.startswith("maintenance")]


# tests/package also runs with the installed wheel, where only the wheel, its extras and the group `test` are installed.

PACKAGE_TESTS = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "tests" / "package").rglob("*.py"))]

#: The modules that tests share. They are imported by their file names.
SHARED = {path.stem for path in (ROOT / "tests").glob("*.py")}


def find_top_level_imports(path: str) -> set[str]:
    """Returns the top-level modules that a test imports, including those of the shared modules that it imports."""
    found: set[str] = set()
    todo = [ROOT / path]
    while todo:
        for node in ast.walk(ast.parse(todo.pop().read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            new = {name.partition(".")[0] for name in names} - found
            found |= new
            todo += [ROOT / "tests" / f"{name}.py" for name in new & SHARED]
    return found - SHARED


@pytest.mark.parametrize("path", PACKAGE_TESTS)
def test_tests_of_the_wheel_import_only_what_is_installed_with_it(path: str) -> None:
    project = PROJECT["project"]
    requirements = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    named = {canonicalize_name(Requirement(line).name) for line in requirements} | list_packages("test")
    wheel = {"azure_imds", "azure_imds_api", "azure_imds_emulator"}
    imported = find_top_level_imports(path) - sys.stdlib_module_names - wheel
    assert {
        name
        for name in imported
        if not {canonicalize_name(found) for found in DISTRIBUTIONS.get(name, [name])} & (named | OF_REQUIREMENTS)
    } == set()
