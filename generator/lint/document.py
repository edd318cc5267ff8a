"""The rest of the document: content types, ignored keys, servers, security and extensions."""

from __future__ import annotations

from typing import Any

from ..contract import EXTENSIONS, FORM, is_json
from ..specification import Findings, Node, Operation, Path_, Specification
from . import hosts
from .validators import make_validator

#: Keywords of which a schema needs at least one to describe a body.
_MEANINGFUL = {"type", "enum", "properties", "allOf", "anyOf", "oneOf"}

#: Valid OpenAPI keys that have no effect here.
_UNREAD = {
    "webhooks": "webhooks have no effect",
    "callbacks": "callbacks have no effect",
    "links": "links have no effect",
    "servers": "only the servers of the whole document and of paths have an effect",
    "allowReserved": "reserved characters are always escaped",
    "allowEmptyValue": "an empty value must meet the parameter's constraints, like any other",
}


def contents(spec: Specification) -> Findings:
    """A body has one content type, with a schema. The generator reads the first and ignores the rest."""
    for node in spec.nodes():
        content = node.data.get("content")
        if node.is_schema or not isinstance(content, dict):
            continue
        place = (*node.place, "content")
        first = next(iter(content), "application/json")
        if len(content) > 1:
            yield spec.finding(place, "second-content-type", f"the generator would read only {first!r}")
        if not is_json(first) and first not in ("text/plain", FORM):
            yield spec.finding((*place, first), "content-type", f"{first!r} is neither JSON nor text/plain")
        elif first in content and "schema" not in content[first]:
            yield spec.finding((*place, first), "content-schema", "the generator ignores a body without a schema")
        elif first in content and not _MEANINGFUL & spec.resolve(content[first]["schema"]).keys():
            yield spec.finding(
                (*place, first, "schema"), "content-schema", "the generator ignores a body of unspecified type"
            )
        elif first == "text/plain" and spec.resolve(content[first]["schema"]).get("type") != "string":
            yield spec.finding((*place, first, "schema"), "content-schema", "a text/plain body must be a string")


def unread(spec: Specification) -> Findings:
    """Every key has an effect."""
    for node in spec.nodes():
        for key in node.data:
            is_read = key == "servers" and (not node.place or (len(node.place) == 2 and node.place[0] == "paths"))
            if not node.is_schema and key in _UNREAD and not is_read:
                yield spec.finding((*node.place, key), "unread", _UNREAD[key])


def security(spec: Specification) -> Findings:
    """A security requirement names an existing scheme."""
    schemes = spec.document.get("components", {}).get("securitySchemes") or {}
    for node in spec.nodes():
        for index, requirement in enumerate(node.data.get("security", ()) if not node.is_schema else ()):
            for name in sorted(requirement.keys() - schemes.keys()):
                yield spec.finding(
                    (*node.place, "security", index), "security", f"the security scheme {name!r} does not exist"
                )


def extensions(spec: Specification) -> Findings:
    """Every extension is known, has a valid value, and names existing parameters and values."""
    operations = {operation.place: operation for operation in spec.operations()}
    parameters = {place for operation in operations.values() for place, _ in spec.parameters(operation)}
    members = {place for operation in operations.values() for place in hosts.member_places(spec, operation)}
    for node in spec.nodes():
        kind = "operation" if node.place in operations else "parameter" if node.place in parameters else ""
        kind = "server" if node.place[-2:-1] == ("servers",) else "member" if node.place in members else kind
        kind = "model" if node.place[:-1] == ("components", "schemas") else kind
        malformed = list(_well_formed(spec, node, EXTENSIONS.get(kind, {})))
        yield from malformed
        if kind == "operation" and not malformed:
            yield from _unknown_parameters(spec, operations[node.place])
        if kind == "parameter" and not malformed:
            yield from _low_level_values(spec, node)


def _well_formed(spec: Specification, node: Node, known: dict[str, Any]) -> Findings:
    for key, value in node.data.items():
        place: Path_ = (*node.place, key)
        if key.startswith("x-") and key not in known:
            hint = f"known here: {', '.join(known)}" if known else "this part of a document has none"
            yield spec.finding(place, "extension", f"unknown extension {key!r}; {hint}")
        elif key.startswith("x-"):
            for error in make_validator(known[key]).iter_errors(value):
                yield spec.finding(place, "extension", f"{key}: {error.message}")


def _unknown_parameters(spec: Specification, operation: Operation) -> Findings:
    known = {parameter["name"] for _, parameter in spec.parameters(operation)}
    groups = operation.data.get("x-mutually-exclusive", [])
    named = {
        "x-mutually-exclusive": {name for group in groups for name in group},
        "x-echoed": set(operation.data.get("x-echoed", ())),
    }
    for key, names in named.items():
        for name in sorted(names - known):
            yield spec.finding((*operation.place, key), "extension", f"the operation has no parameter {name!r}")


def _low_level_values(spec: Specification, parameter: Node) -> Findings:
    hidden = parameter.data.get("x-low-level-only", [])
    values = spec.resolve(parameter.data.get("schema", {})).get("enum", [])
    place = (*parameter.place, "x-low-level-only")
    for value in hidden:
        if value not in values:
            yield spec.finding(place, "extension", f"{value!r} is not in the parameter's enum")
    if values and all(value in hidden for value in values):
        yield spec.finding(place, "extension", "at least one value of the enum must remain")
