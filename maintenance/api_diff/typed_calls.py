"""A contract file for type checkers: one typed call of every operation, and one typed read of every field.

The file is written from one version of the client and checked with another. An error in it is a breaking change. Each
result is assigned to a variable of the old type: a narrower type passes, a wider one fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen

from ..surface import PACKAGE, Model, Surface, expand_type, find_sent_models
from .changes import Subject

#: Imports of the names in types, except for the models.
_HEAD = """\
from __future__ import annotations

from typing import Any, Literal

from azure_imds import AsyncImdsClient, ImdsClient
"""


Line = tuple[str, Subject | None]


@frozen
class Contract:
    """A contract file.

    Attributes:
        text: its content.
        subjects: the subject of each line, by line number.
    """

    text: str
    subjects: Mapping[int, Subject]


def write_contract(surface: Surface) -> Contract:
    """Returns the contract file of one version."""
    lines: list[Line] = [(line, None) for line in _HEAD.splitlines()]
    lines += [(f"from {PACKAGE}.models import {name}", Subject("type", name)) for name in sorted(surface.models)]
    for name in sorted(surface.operations):
        lines += _write_calls(surface, name)
    for model in surface.models.values():
        lines += _write_reads(surface, model)
    for name in sorted(find_sent_models(surface)):
        lines += _write_construction(surface, surface.models[name])
    text = "\n".join(line for line, _ in lines) + "\n"
    return Contract(text, {number: subject for number, (_, subject) in enumerate(lines, 1) if subject})


def _write_calls(surface: Surface, name: str) -> Iterator[Line]:
    """Writes a call with all arguments and a call with the required ones, for both clients."""
    method = surface.operations[name]
    operation = Subject("operation", name)
    types = {argument: expand_type(annotation, surface.literals) for argument, annotation in method.arguments.items()}
    parameters = "".join(f", {argument}: {annotation}" for argument, annotation in types.items())
    function = name.replace(".", "_")
    for start, client, wait in (("def ", "ImdsClient", ""), ("async def a", "AsyncImdsClient", "await ")):
        yield "", None
        yield "", None
        yield f"{start}{function}(imds: {client}{parameters}) -> None:", None
        returns = expand_type(method.returns, surface.literals)
        assignment = "" if returns == "None" else f"result: {returns} = "
        yield f"    {assignment}{wait}imds.{name}(", operation
        for argument in types:
            yield f"        {argument}={argument},", Subject("argument", f"{name}({argument})")
        yield "    )", operation
        if method.required != set(types):
            yield f"    {wait}imds.{name}(", operation
            for argument in method.required:
                yield f"        {argument}={argument},", Subject("argument", f"{name}({argument})")
            yield "    )", operation


def _write_reads(surface: Surface, model: Model) -> Iterator[Line]:
    """Writes a read of every field."""
    yield "", None
    yield "", None
    yield f"def read_{model.name}(value: {model.name}) -> None:", None
    for number, (field, annotation) in enumerate(model.fields.items()):
        subject = Subject("field", f"{model.name}.{field}")
        yield f"    a{number}: {expand_type(annotation, surface.literals)} = value.{field}", subject
    yield "    extra: dict[str, Any] = value.additional_properties", None


def _write_construction(surface: Surface, model: Model) -> Iterator[Line]:
    """Writes a function that makes the model from all its fields."""
    types = {field: expand_type(annotation, surface.literals) for field, annotation in model.fields.items()}
    yield "", None
    yield "", None
    yield f"def make_{model.name}({', '.join(f'{f}: {t}' for f, t in types.items())}) -> {model.name}:", None
    yield f"    return {model.name}(", Subject("type", model.name)
    for field in types:
        yield f"        {field}={field},", Subject("field", f"{model.name}.{field}")
    yield "    )", Subject("type", model.name)
