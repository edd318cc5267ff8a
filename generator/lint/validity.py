"""Checks that openapi.yaml is valid OpenAPI 3.1. These checks run first, because every other rule relies on them.

openapi-spec-validator does not report where an error is. So its two parts, OpenAPI's own objects and JSON Schema, run
separately here, and every finding has its place.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any

from jsonschema import Draft202012Validator
from openapi_spec_validator.schemas import openapi_v31_schema_validator

from ..contract import python_pattern
from ..specification import Findings, Node, Path_, Specification
from .limits import expansion, is_slow
from .validators import OpenAPIValidator, make_validator


def siblings(spec: Specification) -> Findings:
    """A `$ref` has no other keys next to it. The generator would ignore them."""
    for node in spec.nodes():
        if isinstance(node.data.get("$ref"), str) and len(node.data) > 1:
            ignored = [key for key in node.data if key != "$ref"]
            yield spec.finding(
                (*node.place, ignored[0]),
                "ref-sibling",
                f"{', '.join(map(repr, ignored))} is ignored next to $ref; use allOf: [{{$ref: ...}}] instead of $ref",
            )


def structure(spec: Specification) -> Findings:
    """OpenAPI's own objects have the keys and types that OpenAPI 3.1 defines."""
    version = str(spec.document.get("openapi", ""))
    if not version.startswith("3.1."):
        yield spec.finding(("openapi",), "valid-openapi", f"openapi is {version!r}; only 3.1 is supported")
        return
    for error in openapi_v31_schema_validator.iter_errors(spec.document):
        place, message = tuple(error.absolute_path), _first_line(error.message)
        if unexpected := re.search(r"\('(.+?)'.* unexpected\)", message):
            place = (*place, unexpected[1])
        yield spec.finding(place, "valid-openapi", message)


def schemas(spec: Specification) -> Findings:
    """Every schema is valid JSON Schema 2020-12. Its patterns compile in Python."""
    validator = make_validator(Draft202012Validator.META_SCHEMA)
    roots: list[tuple[str | int, ...]] = []
    for node in spec.nodes():
        if node.is_schema and not (roots and node.place[: len(roots[-1])] == roots[-1]):
            roots.append(node.place)
            for error in validator.iter_errors(node.data):
                yield spec.finding((*node.place, *error.path), "valid-openapi", _first_line(error.message))
        for place in _booleans(node):
            yield spec.finding(
                place, "boolean-schema", "the generator does not support true or false as a schema; use {}"
            )
        if node.is_schema and isinstance(node.data.get("pattern"), str):
            below = (*node.place, "pattern")
            try:
                re.compile(python_pattern(node.data["pattern"]))
            except (re.error, OverflowError) as error:
                yield spec.finding(below, "pattern", f"the pattern does not compile in Python: {error}")
            if is_slow(node.data["pattern"]):
                yield spec.finding(
                    below, "pattern", "a group that repeats contains a repetition or |, so a match could take years"
                )


def _booleans(node: Node) -> Iterator[Path_]:
    """Places where the schema is true or false. JSON Schema allows that."""
    for key in ("schema", "schemas") if not node.is_schema else ("items", "properties", "allOf", "anyOf", "oneOf"):
        value = node.data.get(key)
        below: list[tuple[Path_, Any]] = [((*node.place, key), value)]
        if key in ("properties", "schemas") and isinstance(value, dict):
            below = [((*node.place, key, name), member) for name, member in value.items()]
        elif isinstance(value, list):
            below = [((*node.place, key, index), member) for index, member in enumerate(value)]
        yield from (place for place, member in below if isinstance(member, bool))


def references(spec: Specification) -> Findings:
    """Every `$ref` refers to a component of this document, without a cycle."""
    for node in spec.nodes():
        reference = node.data.get("$ref")
        if not isinstance(reference, str):
            continue
        place = (*node.place, "$ref")
        try:
            spec.target(reference)
        except KeyError:
            yield spec.finding(place, "broken-ref", f"{reference} does not exist in this document")
            continue
        kind = "schemas" if node.is_schema else {"requestBody": "requestBodies"}.get(str(place[-2]), str(place[-3]))
        if not re.fullmatch(rf"#/components/{kind}/[^/]+", reference):
            yield spec.finding(
                place, "broken-ref", f"{reference} is not supported here; only #/components/{kind}/... is"
            )
        elif _is_cyclic(spec, node.data):
            yield spec.finding(place, "broken-ref", f"{reference} refers to itself")


def _is_cyclic(spec: Specification, node: Any, above: tuple[int, ...] = ()) -> bool:
    """Whether a node refers to itself directly, or as a part of its own composition."""
    if not isinstance(node, dict):
        return False
    if id(node) in above:
        return True
    parts = [part for key in ("allOf", "anyOf", "oneOf") for part in node.get(key, ())]
    if isinstance(node.get("$ref"), str):
        with contextlib.suppress(KeyError):
            parts.append(spec.target(node["$ref"])[1])
    return any(_is_cyclic(spec, part, (*above, id(node))) for part in parts)


def defaults(spec: Specification) -> Findings:
    """A default is valid against its own schema."""
    for node in spec.nodes():
        if node.is_schema and "default" in node.data:
            # The validator resolves references from the root of the schema that it gets, so that needs the components.
            schema = {**spec.resolve(node.data), "components": spec.document.get("components", {})}
            for error in make_validator(schema).iter_errors(node.data["default"]):
                yield spec.finding((*node.place, "default"), "default", _first_line(error.message))


def standard(spec: Specification) -> Findings:
    """Everything else that openapi-spec-validator reports."""
    for error in OpenAPIValidator(spec.document).iter_errors():
        yield spec.finding(tuple(error.absolute_path), "valid-openapi", _first_line(error.message))


def _first_line(message: str) -> str:
    return message.split("\n")[0][:300]


#: The stages in their order. A stage runs only if the stages before it found nothing.
STAGES: list[Callable[[Specification], Findings]] = [
    siblings,
    structure,
    schemas,
    expansion,
    references,
    defaults,
]
