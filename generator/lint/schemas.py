"""Schemas: keywords that the generator ignores, and combinations that break the generated code."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ..contract import ENFORCED
from ..specification import Findings, Path_, Specification
from .validators import make_validator

#: Keywords that do not restrict which values are valid.
ANNOTATIONS = {
    "title", "description", "default", "example", "examples", "deprecated", "format", "externalDocs", "readOnly",
    "writeOnly", "$comment", "allOf", "anyOf", "oneOf", "$ref",
}  # fmt: skip

#: Formats for which the generator uses a Python type other than str.
TYPED_FORMATS = {
    "date": "IMDS uses several date formats, and an unexpected one would make the whole response unreadable",
    "date-time": "IMDS uses RFC 1123 and other formats, and an unexpected one would make the whole response unreadable",
    "uuid": 'IMDS sends "" for a missing id, which would make the whole response unreadable; use a pattern',
    "binary": "it becomes a file, which the client cannot send or read",
}


def schemas(spec: Specification) -> Findings:
    """Every schema uses only keywords that the generator supports."""
    for node in spec.nodes():
        if node.is_schema:
            for check in (_keywords, _enum, _format, _members, _union, _all_of):
                yield from check(spec, node.place, node.data)


def types_of(schema: dict[str, Any]) -> list[str]:
    """The schema's `type` as a list."""
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else types


def _keywords(spec: Specification, place: Path_, schema: dict[str, Any]) -> Findings:
    special = {
        "discriminator": "the generator ignores discriminator",
        "const": "the generator drops operations with const; use an enum of one value",
        "nullable": 'nullable belongs to OpenAPI 3.0; use type: [..., "null"]',
    }
    for key in schema:
        if key in special:
            yield spec.finding((*place, key), key, special[key])
        elif key not in ENFORCED and key not in ANNOTATIONS | {"additionalProperties"} and not key.startswith("x-"):
            yield spec.finding((*place, key), "unread", f"the keyword {key!r} has no effect")
    if schema.get("additionalProperties") is False:
        yield spec.finding(
            (*place, "additionalProperties"),
            "closed-object",
            "IMDS adds fields without notice, and a closed object would drop them",
        )
    if "default" in schema and place[:2] == ("components", "schemas") and len(place) == 3:
        yield spec.finding(
            (*place, "default"),
            "component-default",
            "the generator ignores the default of a referenced schema; write it at each use",
        )


def _enum(spec: Specification, place: Path_, schema: dict[str, Any]) -> Findings:
    values = schema.get("enum")
    if values is None:
        return
    place = (*place, "enum")
    types = {type(value) for value in values}
    only_type = make_validator({key: schema[key] for key in ("type",) if key in schema})
    if types not in ({str}, {int}) or not all(only_type.is_valid(value) for value in values):
        yield spec.finding(place, "enum-type", "values must be all strings or all integers, and match the type")
    folded: dict[str, list[str]] = defaultdict(list)
    for value in values:
        folded[str(value).casefold()].append(str(value))
    for same in folded.values():
        if len(same) > 1:
            yield spec.finding(place, "enum-case", f"{' and '.join(same)} differ only by case")


def _format(spec: Specification, place: Path_, schema: dict[str, Any]) -> Findings:
    if schema.get("format") in TYPED_FORMATS:
        yield spec.finding((*place, "format"), "typed-format", f"{schema['format']}: {TYPED_FORMATS[schema['format']]}")


def _members(spec: Specification, place: Path_, schema: dict[str, Any]) -> Findings:
    if "array" in types_of(schema) and "items" not in schema:
        yield spec.finding((*place, "type"), "items", "an array needs a schema for its items")
    unknown = [name for name in schema.get("required", ()) if name not in _properties(spec, schema)]
    if unknown:
        yield spec.finding(
            (*place, "required"), "required", f"required, but not a property: {', '.join(map(repr, unknown))}"
        )


def _properties(spec: Specification, schema: dict[str, Any], above: tuple[int, ...] = ()) -> set[str]:
    """The names of a schema's properties, including those inherited by allOf."""
    names = set(schema.get("properties", ()))
    if id(schema) not in above:
        for part in schema.get("allOf", ()):
            names |= _properties(spec, spec.follow((), part)[1], (*above, id(schema)))
    return names


def _union(spec: Specification, place: Path_, schema: dict[str, Any]) -> Findings:
    for union in ("anyOf", "oneOf"):
        if union not in schema:
            continue
        members = [spec.resolve(member) for member in schema[union]]
        objects = [m for m in members if "object" in types_of(m) or "properties" in m or "allOf" in m]
        arrays = [m for m in members if "array" in types_of(m)]
        if len(objects) > 1 or len(arrays) > 1:
            yield spec.finding(
                (*place, union),
                "union",
                "the generated code cannot distinguish these members, and would parse every value as the first",
            )
        ignored = sorted({"type", "properties", "items", "enum", "allOf", "additionalProperties"} & schema.keys())
        if ignored:
            yield spec.finding((*place, union), "union", f"next to {union}, the generator ignores {', '.join(ignored)}")


def _all_of(spec: Specification, place: Path_, schema: dict[str, Any]) -> Findings:
    parts = schema.get("allOf", ())
    resolved = [spec.resolve(part) for part in parts]
    if len(parts) == 1 and "$ref" in parts[0]:
        ignored = sorted(
            {"properties", "required", "items", "enum", "anyOf", "oneOf", "additionalProperties"} & schema.keys()
        )
        if ignored:
            yield spec.finding(
                (*place, "allOf"), "all-of", f"next to a single reference, the generator ignores {', '.join(ignored)}"
            )
        for key in sorted({"description", "deprecated"} & schema.keys()) if place[-2:-1] == ("properties",) else ():
            yield spec.finding(
                (*place, key),
                "all-of",
                f"next to a single reference, the generator ignores {key}; write it in the referenced schema",
            )
    elif any("object" not in types_of(part) and "properties" not in part for part in resolved):
        yield spec.finding((*place, "allOf"), "all-of", "allOf can combine objects only")
