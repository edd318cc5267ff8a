"""Requests: parameters and bodies."""

from __future__ import annotations

import re
from typing import Any

from ..contract import FORM, example_of, python_pattern
from ..names import python_name
from ..specification import Findings, Path_, Specification
from .names import TAKEN_PARAMETERS
from .schemas import types_of


def parameters(spec: Specification) -> Findings:
    """Every parameter has a name, a location and a type that the generator supports."""
    for operation in spec.operations():
        listed = spec.parameters(operation)
        names: dict[str, str] = {}
        for place, parameter in listed:
            name = parameter["name"]
            identifier = python_name(name)
            if identifier in TAKEN_PARAMETERS or any(
                identifier == "json_" + python_name(other["name"]) for _, other in listed
            ):
                yield spec.finding(
                    place, "taken-parameter", f"a parameter named {name!r} breaks the generated request; rename it"
                )
            if identifier in names:
                yield spec.finding(
                    place,
                    "duplicate-parameter",
                    f"{name!r} and {names[identifier]!r} both become {identifier} in Python",
                )
            names[identifier] = name
            yield from _parameter(spec, place, parameter)


def _parameter(spec: Specification, place: Path_, parameter: dict[str, Any]) -> Findings:
    name, location = parameter["name"], parameter["in"]
    if "schema" not in parameter:
        yield spec.finding(place, "parameter-schema", f"{name!r} has no schema, so the generator ignores it")
        return
    schema = spec.resolve(parameter["schema"])
    types = types_of(schema)
    if "description" in parameter:
        yield spec.finding(
            (*place, "description"),
            "parameter-description",
            f"{name!r}: move the description into the schema; the generator ignores it here",
        )
    if parameter.get("explode") is False:
        yield spec.finding((*place, "explode"), "explode", f"{name!r}: the generator ignores explode: false")
    if parameter.get("style", "form") not in ("form", "simple"):
        yield spec.finding((*place, "style"), "explode", f"{name!r}: the generator ignores this style")
    if location == "cookie":
        yield spec.finding(place, "cookie", f"{name!r}: the client sends no cookies")
    if location == "header" and name.lower() in ("accept", "authorization", "content-type"):
        yield spec.finding(place, "header-name", f"{name!r}: OpenAPI ignores parameters for this header")
    if location == "header" and ("array" in types or schema.get("format") in ("date-time", "date")):
        yield spec.finding(
            place, "header-type", f"{name!r}: the generator drops operations with an array or a date in a header"
        )
    if (location == "path" and "array" in types) or "object" in types or "properties" in schema:
        yield spec.finding(place, "parameter-type", f"{name!r}: a {location} parameter cannot have this type")
    if location == "path" and "default" in schema:
        yield spec.finding(place, "path-default", f"{name!r}: a path parameter cannot have a default")
    yield from _enforceable(spec, (*place, "schema"), name, parameter["schema"])


def examples(spec: Specification) -> Findings:
    """A parameter with a pattern has an example that matches. Error messages show the example, not the pattern."""
    for operation in spec.operations():
        for place, parameter in spec.parameters(operation):
            below, schema = (*place, "schema"), spec.resolve(parameter.get("schema", {}))
            if "pattern" not in schema:
                continue
            example = example_of(spec, schema, parameter)
            if example is None:
                yield spec.finding(
                    (*spec.follow(below, parameter["schema"])[0], "pattern"),
                    "pattern-example",
                    f"{parameter['name']!r} has a pattern, so it needs an example of a valid value",
                )
            elif not isinstance(example, str) or not re.search(python_pattern(schema["pattern"]), example):
                yield spec.finding(
                    (*place, "example") if "example" in parameter else below,
                    "pattern-example",
                    f"{parameter['name']!r}: the example {example!r} does not match the pattern",
                )


def request_bodies(spec: Specification) -> Findings:
    """A body is a JSON object. Like a parameter, it has only constraints that the client enforces."""
    for operation in spec.operations():
        if "requestBody" not in operation.data:
            continue
        place, body = spec.follow((*operation.place, "requestBody"), operation.data["requestBody"])
        for content_type, media in body["content"].items():
            below = (*place, "content", content_type)
            schema = spec.resolve(media.get("schema", {}))
            allowed = ("application/json", FORM) if "x-stands-for" in operation.data else ("application/json",)
            if content_type not in allowed or (schema.get("type") != "object" and "properties" not in schema):
                form = " or a form" if FORM in allowed else ""
                yield spec.finding(below, "request-body", f"a request body must be a JSON object{form}")
            yield from _enforceable(spec, (*below, "schema"), "body", media.get("schema", {}))


def _enforceable(spec: Specification, place: Path_, name: str, schema: Any, above: tuple[int, ...] = ()) -> Findings:
    place, target = spec.follow(place, schema)
    if id(target) in above:
        yield spec.finding(place, "recursive-request", f"{name}: a request schema may not contain itself")
        return
    schema, above = spec.resolve(target), (*above, id(target))
    for key in ("anyOf", "oneOf", "allOf", "additionalProperties"):
        if key in schema:
            yield spec.finding(
                (*place, key), "unenforced", f"{name}: the client cannot check {key} before it sends a request"
            )
    for member, sub in (schema.get("properties") or {}).items():
        yield from _enforceable(spec, (*place, "properties", member), f"{name}.{member}", sub, above)
    if "items" in schema:
        yield from _enforceable(spec, (*place, "items"), f"{name}[]", schema["items"], above)
