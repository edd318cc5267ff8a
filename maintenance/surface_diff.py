"""What is different between the surfaces of two versions: what came and went, and which types changed how."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import evolve

from .changes import Change, Subject, came_or_went
from .surface import Surface, sent, written_out

SURFACE = "surface"
_SEEN = frozenset({SURFACE})


def differences(before: Surface, after: Surface) -> Iterator[Change]:
    for name in before.operations.keys() | after.operations.keys():
        subject = Subject("operation", name)
        old, new = before.operations.get(name), after.operations.get(name)
        if old is None or new is None:
            yield came_or_went(subject, SURFACE, is_new=old is None)
            continue
        if old.returns != new.returns:
            yield Change(subject, f"answers {new.returns} instead of {old.returns}", "breaking", _SEEN)
        for argument in sorted(new.deprecated - old.deprecated):
            place = Subject("argument", f"{name}({argument})") if argument else subject
            yield Change(place, "is deprecated", "compatible", _SEEN)
        if old.text != new.text and evolve(old, text=new.text) == new:
            yield Change(subject, "is described differently", "compatible", _SEEN)
        for argument in old.arguments.keys() | new.arguments.keys():
            yield from _argument(before, after, name, argument)
    for name in before.models.keys() | after.models.keys():
        if name not in before.models or name not in after.models:
            yield came_or_went(Subject("type", name), SURFACE, is_new=name not in before.models)
            continue
        for field in before.models[name].fields.keys() | after.models[name].fields.keys():
            yield from _field(before, after, name, field)
    for name in before.literals.keys() | after.literals.keys():
        subject = Subject("type", name)
        values = [_values(surface.literals.get(name, "")) for surface in (before, after)]
        if name not in before.literals or name not in after.literals:
            yield came_or_went(subject, SURFACE, is_new=name not in before.literals)
            continue
        for value in sorted(values[0] - values[1]):
            yield Change(subject, f"loses the value {value}", "breaking", _SEEN)
        for value in sorted(values[1] - values[0]):
            yield Change(subject, f"has the new value {value}", "compatible", _SEEN, new=True)


def _argument(before: Surface, after: Surface, operation: str, argument: str) -> Iterator[Change]:
    subject = Subject("argument", f"{operation}({argument})")
    old, new = before.operations[operation], after.operations[operation]
    if argument not in old.arguments:
        if argument in new.required:
            yield Change(subject, "is new, and must be given", "breaking", _SEEN)
        else:
            yield came_or_went(subject, SURFACE, is_new=True)
        return
    if argument not in new.arguments:
        yield came_or_went(subject, SURFACE, is_new=False)
        return
    retyped = _retyped(subject, (old.arguments[argument], before), (new.arguments[argument], after))
    if argument in new.required - old.required:
        yield Change(subject, "must be given now", "breaking", _SEEN)
    elif argument in old.required - new.required:
        yield Change(subject, "may be left out now", "compatible", _SEEN, new=True)
    elif retyped:
        yield retyped


def _field(before: Surface, after: Surface, model: str, field: str) -> Iterator[Change]:
    subject = Subject("field", f"{model}.{field}")
    old, new = before.models[model], after.models[model]
    if field not in old.fields and field in new.required and model in sent(after):
        yield Change(subject, "is new, and must be given", "breaking", _SEEN)
        return
    if field not in old.fields or field not in new.fields:
        yield came_or_went(subject, SURFACE, is_new=field not in old.fields)
        return
    retyped = _retyped(subject, (old.fields[field], before), (new.fields[field], after))
    if retyped:
        yield retyped
    elif old.texts[field] != new.texts[field]:
        yield Change(subject, "is described differently", "compatible", _SEEN)


def _retyped(subject: Subject, old: tuple[str, Surface], new: tuple[str, Surface]) -> Change | None:
    """A changed type. What is read may become narrower, and what is given wider. A named list tells its own changes."""
    if old[0] == new[0]:
        return None
    before, after = (written_out(annotation, surface.literals) for annotation, surface in (old, new))
    narrower, wider = _members(after) < _members(before), _members(before) < _members(after)
    fits = wider if subject.kind == "argument" else narrower
    return Change(subject, f"is {after} instead of {before}", "compatible" if fits else "breaking", _SEEN, new=fits)


def _members(annotation: str) -> set[str]:
    """The members of a union, each of a Literal's values by itself."""
    literals = {
        value for found in re.findall(r"Literal\[(.*?)\]", annotation) for value in _values(f"Literal[{found}]")
    }
    rest = re.sub(r"Literal\[.*?\]", "", annotation)
    return literals | {member.strip() for member in rest.split("|") if member.strip()}


def _values(literal: str) -> set[str]:
    return set(re.findall(r"""(["'].*?["'])""", literal.replace('"', "'")))
