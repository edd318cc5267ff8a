"""Breaking changes of Python signatures, found by griffe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import griffe

from ..surface import PACKAGE
from .changes import Change, Subject

NAME = "griffe"


def find_breakages(old: Path, new: Path) -> Iterator[Change]:
    """Yields the breaking changes between two trees that griffe finds."""
    for folder, package in (("generated", PACKAGE), ("wrapper", "azure_imds")):
        for breakage in griffe.find_breaking_changes(*(_load(tree / folder, package) for tree in (old, new))):
            subject = _find_subject(breakage)
            if subject is not None:
                yield Change(subject, breakage.kind.value.lower(), "breaking", frozenset({NAME}))


def _load(folder: Path, package: str) -> griffe.Module:
    module = griffe.load(package, search_paths=[folder], allow_inspection=False)
    assert isinstance(module, griffe.Module)
    if module.exports is None:
        # azure_imds computes `__all__`. For type checkers, its public names are what it imports from its own modules.
        module.exports = [name for name, member in module.members.items() if _is_public(name, member, package)]
    return module


def _is_public(name: str, member: griffe.Object | griffe.Alias, package: str) -> bool:
    if isinstance(member, griffe.Alias):
        return member.target_path.startswith(f"{package}.")
    return member.is_attribute and not name.startswith("_")


def _find_subject(breakage: griffe.Breakage) -> Subject | None:
    """Returns the subject of a breakage. None: another comparison describes it better."""
    path = breakage.obj.path
    parameter = re.search(r"\(([^)]*)\)$", path)
    path = path.partition("(")[0]
    argument = parameter[1] if parameter else _find_parameter(breakage)
    parts = path.split(".")
    if parts[-1] == "__doc__":
        return None
    if parts[:2] == [PACKAGE, "api"] and len(parts) >= 4:
        tag, member = parts[2:4]
        if member.isupper():
            return None  # the data of an operation
        method = parts[4] if member.endswith("Operations") and len(parts) > 4 else member.removeprefix(f"{tag}_")
        name = f"{tag}.{method}"
        return Subject("argument", f"{name}({argument})") if argument else Subject("operation", name)
    if parts[:2] == [PACKAGE, "models"] and len(parts) >= 4:
        name = parts[3]
        if name.isupper() or name.startswith("check_"):
            return None  # helpers of an enum
        if len(parts) > 4 and parts[4].startswith("_"):
            return None  # the base class has changed, which the types of the fields show
        return Subject("field", ".".join(parts[3:5])) if len(parts) > 4 else Subject("type", name)
    return Subject("python", path + (f"({argument})" if argument else ""))


def _find_parameter(breakage: griffe.Breakage) -> str | None:
    for value in (breakage.new_value, breakage.old_value):
        if isinstance(value, griffe.Parameter):
            return value.name
    return None
