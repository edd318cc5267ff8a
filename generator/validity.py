"""Whether openapi.yaml is OpenAPI 3.1 at all: the first question, since every other rule takes it for granted.

The usual validator says little about where an error is, so its two halves are run here one by one, each with the place.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from openapi_spec_validator.schemas import openapi_v31_schema_validator

from .contract import python_pattern
from .specification import Finding, Node, Path_, Specification

Findings = Iterator[Finding]


def siblings(spec: Specification) -> Findings:
    """Beside `$ref` every other key is ignored by the generator."""
    for node in spec.nodes():
        if isinstance(node.data.get("$ref"), str) and len(node.data) > 1:
            lost = [key for key in node.data if key != "$ref"]
            yield spec.finding(
                (*node.place, lost[0]),
                "ref-sibling",
                f"{', '.join(map(repr, lost))} beside $ref is ignored; write allOf: [{{$ref: ...}}] with it",
            )


def structure(spec: Specification) -> Findings:
    """OpenAPI's own objects have the keys and types that OpenAPI 3.1 gives them."""
    version = str(spec.document.get("openapi", ""))
    if not version.startswith("3.1."):
        yield spec.finding(("openapi",), "valid-openapi", f"openapi is {version!r}; this project reads 3.1")
        return
    for error in openapi_v31_schema_validator.iter_errors(spec.document):
        place, message = tuple(error.absolute_path), _first_line(error.message)
        if stranger := re.search(r"\('(.+?)'.* unexpected\)", message):
            place = (*place, stranger[1])
        yield spec.finding(place, "valid-openapi", message)


def schemas(spec: Specification) -> Findings:
    """Every schema is JSON Schema 2020-12, with patterns that Python can read."""
    validator = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    roots: list[tuple[str | int, ...]] = []
    for node in spec.nodes():
        if node.is_schema and not (roots and node.place[: len(roots[-1])] == roots[-1]):
            roots.append(node.place)
            for error in validator.iter_errors(node.data):
                yield spec.finding((*node.place, *error.path), "valid-openapi", _first_line(error.message))
        for place in _booleans(node):
            yield spec.finding(
                place, "boolean-schema", "the generator cannot read true or false for a schema; write {}"
            )
        if node.is_schema and isinstance(node.data.get("pattern"), str):
            try:
                re.compile(python_pattern(node.data["pattern"]))
            except re.error as error:
                yield spec.finding((*node.place, "pattern"), "pattern", f"Python cannot read the pattern: {error}")


def _booleans(node: Node) -> Iterator[Path_]:
    """Where true or false, which is JSON Schema, stands for a schema."""
    for key in ("schema",) if not node.is_schema else ("items", "properties", "allOf", "anyOf", "oneOf"):
        value = node.data.get(key)
        below: list[tuple[Path_, Any]] = [((*node.place, key), value)]
        if key == "properties" and isinstance(value, dict):
            below = [((*node.place, key, name), member) for name, member in value.items()]
        elif isinstance(value, list):
            below = [((*node.place, key, index), member) for index, member in enumerate(value)]
        yield from (place for place, member in below if isinstance(member, bool))


def references(spec: Specification) -> Findings:
    """Every `$ref` leads to a component of this document, and not round in a circle."""
    for node in spec.nodes():
        reference = node.data.get("$ref")
        if not isinstance(reference, str):
            continue
        place = (*node.place, "$ref")
        try:
            spec.target(reference)
        except KeyError:
            yield spec.finding(place, "broken-ref", f"{reference} leads nowhere in this document")
            continue
        kind = "schemas" if node.is_schema else {"requestBody": "requestBodies"}.get(str(place[-2]), str(place[-3]))
        if not re.fullmatch(rf"#/components/{kind}/[^/]+", reference):
            yield spec.finding(
                place, "broken-ref", f"{reference} is none of #/components/{kind}, and only these are read"
            )
        elif _is_endless(spec, node.data):
            yield spec.finding(place, "broken-ref", f"{reference} leads back to itself")


def _is_endless(spec: Specification, node: Any, above: tuple[int, ...] = ()) -> bool:
    """Whether a node is, or is composed of, nothing but itself."""
    if not isinstance(node, dict):
        return False
    if id(node) in above:
        return True
    parts = [part for key in ("allOf", "anyOf", "oneOf") for part in node.get(key, ())]
    if isinstance(node.get("$ref"), str):
        with contextlib.suppress(KeyError):
            parts.append(spec.target(node["$ref"])[1])
    return any(_is_endless(spec, part, (*above, id(node))) for part in parts)


def defaults(spec: Specification) -> Findings:
    """A default meets its own schema."""
    for node in spec.nodes():
        if node.is_schema and "default" in node.data:
            # With the components, because references lead from the root of what is given here.
            schema = {**spec.resolve(node.data), "components": spec.document.get("components", {})}
            for error in Draft202012Validator(schema).iter_errors(node.data["default"]):
                yield spec.finding((*node.place, "default"), "default", _first_line(error.message))


def standard(spec: Specification) -> Findings:
    """Whatever else the usual validator has to say."""
    for error in OpenAPIV31SpecValidator(spec.document).iter_errors():
        yield spec.finding(tuple(error.absolute_path), "valid-openapi", _first_line(error.message))


def _first_line(message: str) -> str:
    return message.split("\n")[0][:300]


#: In this order, and each only when the ones before found nothing.
STAGES: list[Callable[[Specification], Findings]] = [siblings, structure, schemas, references, defaults]
