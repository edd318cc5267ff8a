"""Which modules may import which others, and what they may refer to. Checked in the source code."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import pytest

import azure_imds
from generator.specification import Specification
from support import ROOT

LOW_LEVEL = ROOT / "generated" / "azure_imds_api"
WRAPPER = ROOT / "wrapper" / "azure_imds"
EMULATOR = ROOT / "emulator" / "azure_imds_emulator"

#: What the modules of a package may import besides the standard library and the package itself, by module or room.
#: A module may import what every entry that covers it allows together.
ALLOWED: dict[Path, dict[str, set[str]]] = {
    LOW_LEVEL: {
        "": {"httpx", "attrs"},
        # Only for type checkers, which include it.
        "api/__init__": {"typing_extensions"},
    },
    WRAPPER: {
        # httpx installs anyio.
        "": {"azure_imds_api", "httpx", "attrs", "anyio"},
        # Only if the caller's own event loop uses it.
        "_tokens/async_credential": {"trio"},
        "_events/polling": {"trio"},
        # Only for type checkers: azure-core's clients are typed to take only their own AccessToken.
        "_tokens/access_token": {"azure"},
        # Only for type checkers: httpx2's clients are typed to take only their own Auth.
        "_tokens/httpx_auth": {"httpx2"},
        # Extras. The command line starts the emulator.
        "attestation": {"asn1crypto", "cryptography", "certifi"},
        "integrations/dask": {"distributed", "locket"},
        "integrations/opentelemetry": {"opentelemetry"},
        "_cli": {"jmespath", "rich", "typer", "yaml", "azure_imds_emulator"},
    },
}

#: The rooms of the wrapper, and what each may import at import time in addition to the top-level modules.
#: Only `attestation` itself imports from attestation, whose extra is not installed everywhere.
ROOMS: dict[str, set[str]] = {
    "_client": set(),
    "_tokens": {"_client"},
    "_events": {"_client"},
    "attestation": {"_client"},
    "integrations": {"_client", "_tokens", "_events"},
    "_cli": {"_client", "_tokens", "_events"},
}

TAGS = {folder.name for folder in (LOW_LEVEL / "api").iterdir() if (folder / "__init__.py").is_file()}

#: Wrapper modules that are about one part of IMDS, each with the tags that it may name. The others may name no tag.
NAMED = {
    "_client/instance_node": {"instances"},  # sub-paths of /instance, which OpenAPI cannot describe
    "_client/async_client": {"instances", "versions"},
    "_client/client": {"instances", "versions"},  # is_available sends a request; a version fallback reads the list
    "_tokens/credential_base": {"identity"},
    "_tokens/credential": {"identity"},
    "_tokens/async_credential": {"identity"},
    "_events/polling": {"scheduled_events", "instances"},  # events, and the name that they use for this machine
    "_events/watcher": {"scheduled_events"},  # approves an event
    "integrations/dask": {"instances"},  # the workers of a machine
    "integrations/opentelemetry": {"instances"},  # describes the machine
    "_cli/commands": TAGS,  # each command is an operation
    "_cli/waiting": {"identity"},  # waits until it returns a token
    "_cli/imds_checks": TAGS,  # sends one request to each
}

#: Private attributes of other packages, by module, each with its reason there.
PRIVATE = {
    "_sensitive": {"_getframe"},
    "_tokens/async_credential": {"_log_destroy_pending"},
    # httpx does not say whether a client uses a proxy, and does not pass the client to an auth flow.
    "_tokens/httpx_auth": {"_getframe", "_transport_for_url"},
    # Public: named tuples mark their methods like this.
    "_client/instance_node": {"_replace"},
    "_tokens/cache": {"_replace"},
}


def place(file: Path) -> str:
    """The path of a module in its package: `_client/call`."""
    package = next(p for p in (LOW_LEVEL, WRAPPER, EMULATOR) if p in file.parents)
    return file.relative_to(package).with_suffix("").as_posix()


def modules(package: Path) -> list[Path]:
    return sorted(package.rglob("*.py"))


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imported(file: Path, nodes: list[ast.AST] | None = None) -> Iterator[str]:
    """Full names of the modules that a module imports, including those of its own package."""
    folder = file.parent
    root = next(p for p in (LOW_LEVEL, WRAPPER, EMULATOR) if p in (folder, *folder.parents))
    for node in nodes if nodes is not None else ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module)
        elif isinstance(node, ast.ImportFrom):
            base = [folder, *folder.parents][node.level - 1].relative_to(root.parent)
            name = ".".join([*base.parts, *(node.module or "").split(".")]).rstrip(".")
            members = [f"{name}.{alias.name}" for alias in node.names]
            yield from members
            # `from . import x` does not use the package itself if x is a module.
            if not all((root.parent / member.replace(".", "/")).with_suffix(".py").is_file() for member in members):
                yield name
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant))


def foreign(file: Path) -> set[str]:
    """Top-level names of the imports from outside the standard library and the module's own package."""
    own = file.relative_to(next(p for p in (LOW_LEVEL, WRAPPER, EMULATOR) if p in file.parents).parent).parts[0]
    tops = {name.partition(".")[0] for name in imported(file)}
    return {top for top in tops if top and top not in sys.stdlib_module_names and top != own}


@pytest.mark.parametrize("package", ALLOWED, ids=lambda p: str(p.name))
def test_modules_import_only_what_is_allowed(package: Path) -> None:
    strangers = {}
    for file in modules(package):
        here = place(file)
        allowed = [
            names for where, names in ALLOWED[package].items() if f"{here}/".startswith(f"{where}/" if where else "")
        ]
        strangers[here] = foreign(file) - set[str]().union(*allowed)
    assert {name: found for name, found in strangers.items() if found} == {}


def test_the_emulator_shares_nothing_with_the_client() -> None:
    sharing = [file.name for file in modules(EMULATOR) if foreign(file) & {"azure_imds", "azure_imds_api"}]
    assert sharing == []


def test_only_the_command_line_imports_the_emulator() -> None:
    users = {place(file) for p in (LOW_LEVEL, WRAPPER) for file in modules(p) if "azure_imds_emulator" in foreign(file)}
    assert users <= {"_cli/emulator"}


# The rooms of the wrapper


def rooms_of(names: Iterable[str]) -> set[str]:
    """The rooms that these modules of the wrapper are in."""
    return {room for name in names if name.startswith("azure_imds.") and (room := name.split(".")[1]) in ROOMS}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_below_it(room: str) -> None:
    found = {}
    for file in modules(WRAPPER / room):
        found[place(file)] = rooms_of(imported(file, at_import(file))) - {room} - ROOMS[room]
    assert {name: rooms for name, rooms in found.items() if rooms} == {}


@pytest.mark.parametrize("room", sorted(set(ROOMS) - {"_cli"}))
def test_a_room_imports_no_room_above_it_in_functions(room: str) -> None:
    assert {place(file) for file in modules(WRAPPER / room) if rooms_of(imported(file)) - {room} - ROOMS[room]} == set()


def test_the_ground_floor_imports_no_room() -> None:
    floor = [file for file in WRAPPER.glob("*.py") if file.stem not in ("__init__", "__main__")]
    assert {file.stem for file in floor if rooms_of(imported(file, at_import(file)))} == set()


def test_every_folder_of_the_wrapper_is_a_room() -> None:
    folders = {file.parent.relative_to(WRAPPER).as_posix() for file in modules(WRAPPER)}
    assert folders == {".", *ROOMS}


@pytest.mark.parametrize("file", modules(WRAPPER), ids=place)
def test_a_file_of_the_wrapper_has_one_topic(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 400


# No import cycles


def at_import(file: Path) -> list[ast.AST]:
    """The import statements that run when a module is imported."""
    found: list[ast.AST] = []

    def walk(statements: list[ast.stmt]) -> None:
        for statement in statements:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                found.append(statement)
            elif isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
                walk(statement.orelse)
            elif not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for field in ("body", "orelse", "finalbody"):
                    walk(getattr(statement, field, []))
                for handler in getattr(statement, "handlers", []):
                    walk(handler.body)

    walk(tree(file).body)
    return found


def graph(package: Path, *, when_used: bool = False) -> dict[str, set[str]]:
    """Maps each module of a package to the modules of the package that it imports.

    Args:
        when_used: include imports in functions and for type checkers.
    """
    names = {
        ".".join(file.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__"): file
        for file in modules(package)
    }
    return {
        name: {*imported(file, None if when_used else at_import(file))} & names.keys() - {name}
        for name, file in names.items()
    }


def circle(edges: dict[str, set[str]]) -> list[str]:
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        done.add(name)
        return next((found for other in sorted(edges[name]) if (found := visit(other, [*path, name]))), [])

    return next((found for name in sorted(edges) if (found := visit(name, []))), [])


@pytest.mark.parametrize("package", [LOW_LEVEL, WRAPPER, EMULATOR], ids=lambda p: str(p.name))
def test_no_modules_import_each_other(package: Path) -> None:
    assert circle(graph(package)) == []


@pytest.mark.parametrize("package", [WRAPPER, EMULATOR], ids=lambda p: str(p.name))
def test_no_modules_import_each_other_in_functions(package: Path) -> None:
    assert circle(graph(package, when_used=True)) == []


def test_an_import_cycle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


# The wrapper names no operation


def tags_named(file: Path) -> set[str]:
    """Tags of which a module uses an operation: `client.tag.method`, or an import of the tag's module."""
    found: set[str] = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr in TAGS:
            methods = (LOW_LEVEL / "api" / node.value.attr / "__init__.py").read_text(encoding="utf-8")
            if f" def {node.attr}(" in methods:
                found.add(node.value.attr)
    for name in imported(file):
        parts = name.split(".")
        if parts[:2] == ["azure_imds_api", "api"] and len(parts) > 2:
            found.add(parts[2])
    return found


@pytest.mark.parametrize("file", modules(WRAPPER), ids=place)
def test_a_wrapper_module_names_only_its_own_operations(file: Path) -> None:
    assert tags_named(file) <= NAMED.get(place(file), set())


@pytest.fixture(scope="module")
def operation_ids() -> set[str]:
    return {operation.id for operation in Specification.load(ROOT / "openapi.yaml").operations()}


@pytest.mark.parametrize("file", modules(WRAPPER), ids=place)
def test_no_wrapper_module_names_an_operation_id(file: Path, operation_ids: set[str]) -> None:
    strings = {node.value for node in ast.walk(tree(file)) if isinstance(node, ast.Constant)}
    assert operation_ids
    assert strings & operation_ids == set()


# No private attributes of httpx


def private_names(file: Path) -> Iterator[str]:
    """Private attributes that a module uses and that are not the wrapper's own."""
    own = {
        name
        for other in modules(WRAPPER)
        for name in re.findall(r"(?:(?:self|cls)\.|def |^)(_\w+)", other.read_text(encoding="utf-8"), re.MULTILINE)
    }
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            if node.attr not in own:
                yield node.attr
        elif isinstance(node, ast.ClassDef):
            yield from inherited(node)


def inherited(definition: ast.ClassDef) -> set[str]:
    """Private attributes of `self` that a class has from httpx."""
    bases = [ast.unparse(base).split(".") for base in definition.bases]
    classes = [
        getattr(httpx, name) for module, *names in bases for name in names if module == "httpx" and hasattr(httpx, name)
    ]
    code = [
        getattr(member, "__code__", None)
        for base in classes
        for ancestor in base.__mro__
        if ancestor.__module__.startswith("httpx")
        for member in vars(ancestor).values()
    ]
    theirs = {name for one in code if one for name in one.co_names if name.startswith("_")}
    ours = {
        node.attr
        for node in ast.walk(definition)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }
    return ours & theirs


@pytest.mark.parametrize("file", modules(WRAPPER), ids=place)
def test_no_private_attribute_of_another_package_is_used(file: Path) -> None:
    assert {*private_names(file)} <= PRIVATE.get(place(file), set())


# The public names


def test_type_checkers_see_the_names_that_python_finds() -> None:
    (block,) = [node for node in tree(WRAPPER / "__init__.py").body if isinstance(node, ast.If)]
    imports = [statement for statement in block.body if isinstance(statement, ast.ImportFrom)]
    seen = {alias.asname: statement.module for statement in imports for alias in statement.names if alias.name != "*"}
    assert seen == {**azure_imds._MODULES, "attestation": None, "errors": None}
    names = {*azure_imds._MODULES, *azure_imds.errors.__all__, "spec_version"}
    assert sorted(names) == azure_imds.__all__


# The tests take any document of the same content


def test_no_test_reads_the_contract_as_text() -> None:
    """Another tool may write it in another layout, or as JSON. Tests that edit a text have one of their own."""
    as_text = re.compile(r"""openapi\.yaml["']\)\.(?:read_text|open)\b""")
    tests = sorted((ROOT / "tests").rglob("*.py"))
    assert [str(file) for file in tests if as_text.search(file.read_text(encoding="utf-8"))] == []


# The typing contract (typing/usage.py) is complete

USAGE = (ROOT / "tests" / "typing" / "usage.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", azure_imds.__all__)
def test_the_typing_contract_uses_every_public_name(name: str) -> None:
    assert re.search(rf"\b{name}\b", USAGE.partition("\nRESOURCE = ")[2])
