"""Sample documents and arguments, derived from the specification, for the trial of the generated package (trial.py)."""

from __future__ import annotations

from typing import Any

from openapi_python_client.strings import ClassName

from .contract import is_json
from .names import method_name, python_name, python_tag
from .specification import Operation, Specification

#: Maximum nesting of optional members in sample objects. Recursive schemas need a limit.
MAX_OPTIONAL_DEPTH = 6


def trial_plan(spec: Specification) -> list[dict[str, Any]]:
    """The plan of the trial: each model with documents, and each operation with arguments, its request and answers."""
    schemas = spec.document.get("components", {}).get("schemas") or {}
    models = [
        {
            "place": ["components", "schemas", name],
            "model": str(ClassName(schema.get("title") or name, "field_")),
            "documents": _documents(spec, schema),
        }
        for name, schema in schemas.items()
        if "properties" in schema or "allOf" in schema or schema.get("type") == "object"
    ]
    return models + [_operation(spec, operation) for operation in spec.operations()]


def _operation(spec: Specification, operation: Operation) -> dict[str, Any]:
    parameters = [parameter for _, parameter in spec.parameters(operation)]
    body = spec.resolve(operation.data.get("requestBody", {}))
    media = next(iter(body.get("content", {}).values()), None)
    answers: list[dict[str, Any]] = []
    for code, response in operation.data["responses"].items():
        status = 500 if code == "default" else int(code.upper().replace("X", "0"))
        for content_type, content in spec.resolve(response).get("content", {}).items():
            for document in _documents(spec, content["schema"]):
                answers.append({"status": status, "json": is_json(content_type), "document": document})
    return {
        "place": list(operation.place),
        "tag": python_tag(operation.tag),
        "method": "" if "x-stands-for" in operation.data else method_name(operation),
        "module": python_name(operation.id),
        "request": {"method": operation.method, "path": operation.path},
        "parameters": [_parameter(spec, parameter) for parameter in parameters],
        "bodies": _documents(spec, media["schema"]) if media else [],
        "body_required": bool(body.get("required")),
        "answers": answers,
    }


def _parameter(spec: Specification, parameter: dict[str, Any]) -> dict[str, Any]:
    schema = spec.resolve(parameter["schema"])
    return {
        "name": parameter["name"],
        "in": parameter["in"],
        "required": bool(parameter.get("required")),
        "value": _sample(spec, schema, parameter["name"], 0, True),
        **({"default": schema["default"]} if "default" in schema else {}),
    }


def _documents(spec: Specification, schema: Any) -> list[Any]:
    """Sample documents: with all members, with the other type of members that have two, with required members only."""
    wanted = (0, True), (-1, True), (0, False)
    documents = [_sample(spec, schema, "value", choice, full) for choice, full in wanted]
    return [document for index, document in enumerate(documents) if document not in documents[:index]]


def _sample(spec: Specification, schema: Any, name: str, choice: int, full: bool, depth: int = 0) -> Any:
    """A value that fits a schema.

    Args:
        spec: the document, to resolve references.
        schema: the schema.
        name: becomes part of sample strings.
        choice: index of the member to use from unions, enums and lists of types.
        full: whether to include optional members.
        depth: how deep in the document this value is.
    """
    schema = spec.resolve(schema)
    for union in ("anyOf", "oneOf"):
        if schema.get(union):
            # An argument that is null would be one that is not passed.
            members = [m for m in schema[union] if spec.resolve(m).get("type") != "null"] or schema[union]
            return _sample(spec, members[choice], name, choice, full, depth)
    if schema.get("enum"):
        return schema["enum"][choice]
    kinds = schema.get("type", "object" if "properties" in schema or "allOf" in schema else "string")
    kinds = [kinds] if isinstance(kinds, str) else [kind for kind in kinds if kind != "null"] or ["null"]
    kind = kinds[choice]
    if kind == "object":
        return _object(spec, schema, choice, full, depth)
    if kind == "array":
        items = schema.get("items", {})
        end = depth >= MAX_OPTIONAL_DEPTH or not (full or schema.get("minItems"))
        return [] if end else [_sample(spec, items, f"{name} {i}", choice, full, depth + 1) for i in (1, 2)]
    return {"integer": 7, "number": 1.5, "boolean": True, "null": None}.get(kind, f"a {name}")


def _object(spec: Specification, schema: dict[str, Any], choice: int, full: bool, depth: int) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for part in schema.get("allOf", ()):
        document |= _object(spec, spec.resolve(part), choice, full, depth)
    for name, member in schema.get("properties", {}).items():
        if name in schema.get("required", ()) or (full and depth < MAX_OPTIONAL_DEPTH):
            document[name] = _sample(spec, member, name, choice, full, depth + 1)
    return document
