"""Compares what two versions offer: names that only one of them has, and types that differ."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import evolve

from ..surface import Surface, expand_type, find_sent_models
from .changes import Change, Subject, make_added, make_removed

NAME = "surface"
_SEEN = frozenset({NAME})


def compare_surfaces(before: Surface, after: Surface) -> Iterator[Change]:
    """Yields the changes between two surfaces."""
    for name in before.operations.keys() | after.operations.keys():
        yield from _compare_operation(before, after, name)
    for name in before.models.keys() | after.models.keys():
        if missing := _find_missing(Subject("type", name), name in before.models, name in after.models):
            yield missing
            continue
        for field in before.models[name].fields.keys() | after.models[name].fields.keys():
            yield from _compare_field(before, after, name, field)
    for name in before.literals.keys() | after.literals.keys():
        yield from _compare_enum(before, after, name)


def _find_missing(subject: Subject, in_old: bool, in_new: bool) -> Change | None:
    """Returns the change if only one version has the subject."""
    if not in_old:
        return make_added(subject, NAME)
    if not in_new:
        return make_removed(subject, NAME)
    return None


def _compare_operation(before: Surface, after: Surface, name: str) -> Iterator[Change]:
    subject = Subject("operation", name)
    old, new = before.operations.get(name), after.operations.get(name)
    if old is None or new is None:
        yield make_added(subject, NAME) if old is None else make_removed(subject, NAME)
        return
    if old.returns != new.returns:
        yield Change(subject, f"returns {new.returns} instead of {old.returns}", "breaking", _SEEN)
    for argument in sorted(new.deprecated - old.deprecated):
        place = Subject("argument", f"{name}({argument})") if argument else subject
        yield Change(place, "is deprecated", "compatible", _SEEN)
    if old.text != new.text and evolve(old, text=new.text) == new:
        yield Change(subject, "has another description", "compatible", _SEEN)
    for argument in old.arguments.keys() | new.arguments.keys():
        yield from _compare_argument(before, after, name, argument)


def _compare_argument(before: Surface, after: Surface, operation: str, argument: str) -> Iterator[Change]:
    subject = Subject("argument", f"{operation}({argument})")
    old, new = before.operations[operation], after.operations[operation]
    if argument not in old.arguments and argument in new.required:
        yield Change(subject, "is new and required", "breaking", _SEEN)
        return
    if missing := _find_missing(subject, argument in old.arguments, argument in new.arguments):
        yield missing
        return
    retyped = _compare_types(subject, (old.arguments[argument], before), (new.arguments[argument], after))
    if argument in new.required - old.required:
        yield Change(subject, "is now required", "breaking", _SEEN)
    elif argument in old.required - new.required:
        yield Change(subject, "is now optional", "compatible", _SEEN, new=True)
    elif retyped:
        yield retyped


def _compare_field(before: Surface, after: Surface, model: str, field: str) -> Iterator[Change]:
    subject = Subject("field", f"{model}.{field}")
    old, new = before.models[model], after.models[model]
    if field not in old.fields and field in new.required and model in find_sent_models(after):
        yield Change(subject, "is new and required", "breaking", _SEEN)
        return
    if missing := _find_missing(subject, field in old.fields, field in new.fields):
        yield missing
        return
    retyped = _compare_types(subject, (old.fields[field], before), (new.fields[field], after))
    if field in new.empty - old.empty - old.required and retyped:
        # A type checker accepts the narrower type, but a program that compares with None does not notice absence.
        yield evolve(retyped, what=f"{retyped.what}, and reads as empty if it is absent", effect="breaking", new=False)
    elif retyped:
        yield retyped
    elif old.texts[field] != new.texts[field]:
        yield Change(subject, "has another description", "compatible", _SEEN)


def _compare_enum(before: Surface, after: Surface, name: str) -> Iterator[Change]:
    subject = Subject("type", name)
    if missing := _find_missing(subject, name in before.literals, name in after.literals):
        yield missing
        return
    old, new = _find_values(before.literals[name]), _find_values(after.literals[name])
    for value in sorted(old - new):
        yield Change(subject, f"no longer has the value {value}", "breaking", _SEEN)
    for value in sorted(new - old):
        yield Change(subject, f"has the new value {value}", "compatible", _SEEN, new=True)


def _compare_types(subject: Subject, old: tuple[str, Surface], new: tuple[str, Surface]) -> Change | None:
    """Returns the change of a type. A field may become narrower and an argument wider without breaking programs.

    A changed enum has its own row, so that two uses of the same enum count as the same type.
    """
    if old[0] == new[0]:
        return None
    before, after = (expand_type(annotation, surface.literals) for annotation, surface in (old, new))
    narrower, wider = _split(after) < _split(before), _split(before) < _split(after)
    fits = wider if subject.kind == "argument" else narrower
    return Change(subject, f"is {after} instead of {before}", "compatible" if fits else "breaking", _SEEN, new=fits)


def _split(annotation: str) -> set[str]:
    """Returns the members of a union. Each value of a Literal is a member."""
    literals = {
        value for found in re.findall(r"Literal\[(.*?)\]", annotation) for value in _find_values(f"Literal[{found}]")
    }
    rest = re.sub(r"Literal\[.*?\]", "", annotation)
    return literals | {member.strip() for member in rest.split("|") if member.strip()}


def _find_values(literal: str) -> set[str]:
    return set(re.findall(r"""(["'].*?["'])""", literal.replace('"', "'")))
