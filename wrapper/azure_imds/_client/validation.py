"""Checks values against the constraints that the specification states, and knows none of them by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from ..errors import ImdsValidationError

if TYPE_CHECKING:
    from azure_imds_api.api import Operation

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
    "null": (type(None),),
}

_compiled = lru_cache(maxsize=256)(re.compile)


def check_arguments(operation: Operation[Any], arguments: Mapping[str, Any]) -> None:
    """Raises ImdsValidationError for the first argument that breaks a constraint; its message holds no value."""
    for name in operation.required:
        if name not in arguments:
            raise ImdsValidationError(f"{operation.id}: {name} is required", parameter=name)
    for name, value in arguments.items():
        rule = operation.rules.get(name, {})
        if rule.get("in") == "body":
            value = _as_json(operation.id, name, value)
        for where, problem in problems(rule, value):
            raise ImdsValidationError(f"{operation.id}: {name}{where} {problem}", parameter=name)
        if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            raise ImdsValidationError(f"{operation.id}: {name} has half a character (a surrogate)", parameter=name)
        if rule.get("in") == "header" and isinstance(value, str) and not re.fullmatch(r"[\x20-\x7e]*", value):
            raise ImdsValidationError(
                f"{operation.id}: {name} has a character that no header may carry", parameter=name
            )
    for group in operation.exclusive:
        given = [name for name in group if name in arguments]
        if len(given) > 1:
            raise ImdsValidationError(f"{operation.id}: give only one of {', '.join(given)}", parameter=given[1])


def _as_json(operation: str, name: str, value: Any) -> Any:
    document: Any = None
    # Whatever fails here may quote the value, so it is not kept, not even as the context of our own error.
    with suppress(Exception):
        document = value.to_dict()
        json.dumps(document, allow_nan=False, ensure_ascii=False).encode()
        return document
    problem = "is not a complete model of the request" if document is None else "holds something that is not JSON"
    raise ImdsValidationError(f"{operation}: {name} {problem} ({type(value).__name__})", parameter=name)


def problems(schema: Mapping[str, Any], value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yields (path below the value, what is wrong) for each way in which `value` breaks a JSON Schema.

    Understands the keywords that the generator's lint allows in requests. Never quotes the value: it may be secret.
    """
    types = schema.get("type")
    if types is not None:
        names = [types] if isinstance(types, str) else types
        allowed = tuple(t for name in names for t in _TYPES[name])
        # bool is an int in Python, but not in JSON.
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            yield where, f"must be {' or '.join(names)}, not {type(value).__name__}"
            return
    if "enum" in schema and value not in schema["enum"]:
        yield where, "must be " + " or ".join(map(repr, schema["enum"]))
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            yield where, "is empty" if not value else f"is shorter than {schema['minLength']} characters"
        elif len(value) > schema.get("maxLength", len(value)):
            yield where, f"is longer than {schema['maxLength']} characters ({len(value)})"
        elif "pattern" in schema and not _compiled(schema["pattern"]).search(value):
            blank = "is blank" if not value.strip() else f"does not have the form {schema['pattern']}"
            yield where, blank
    elif isinstance(value, (int, float)):
        if value < schema.get("minimum", value):
            yield where, f"is less than {schema['minimum']}"
        if value > schema.get("maximum", value):
            yield where, f"is more than {schema['maximum']}"
    elif isinstance(value, (list, tuple)):
        items = cast(Sequence[Any], value)
        if len(items) < schema.get("minItems", 0):
            yield where, f"has fewer than {schema['minItems']} items"
        if len(items) > schema.get("maxItems", len(items)):
            yield where, f"has more than {schema['maxItems']} items"
        for index, item in enumerate(items):
            yield from problems(schema.get("items", {}), item, f"{where}[{index}]")
    elif isinstance(value, dict):
        for member in schema.get("required", ()):
            if member not in value:
                yield where, f"has no {member!r}"
        for member, rule in schema.get("properties", {}).items():
            if member in value:
                yield from problems(rule, value[member], f"{where}.{member}")
