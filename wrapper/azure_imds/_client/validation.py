"""Checks values against the constraints that the specification states. It knows no constraint by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from .._interruptions import suppress_errors
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


def invalid(parameter: str, problem: str, caller: str = "") -> ImdsValidationError:
    """The error for one argument, with a message that names it and, if known, what the user called."""
    text = f"{parameter} {problem}"
    return ImdsValidationError(f"{caller}: {text}" if caller else text, parameter=parameter, problem=problem)


def check_arguments(
    operation: Operation[Any],
    arguments: Mapping[str, Any],
    *,
    caller: str = "",
    names: Mapping[str, str] | None = None,
) -> None:
    """Raises for the first argument that breaks a constraint of the operation.

    Args:
        operation: the operation to be called.
        arguments: its arguments by Python name.
        caller: what the user called, for the message. Default: the operation's own name, such as identity.get_token.
        names: arguments that the user knows by another name.

    Raises:
        ImdsValidationError: with the name and an example, and without the value, which may be secret.
    """
    for name, problem in _argument_problems(operation, arguments, names or {}):
        raise ImdsValidationError(
            f"{caller or operation.name}: {name} {problem}", parameter=re.split(r"[.\[]", name)[0], problem=problem
        )


def _argument_problems(
    operation: Operation[Any], arguments: Mapping[str, Any], names: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yields (argument and place in it, what is wrong) for each broken constraint."""
    for name in operation.required:
        if name not in arguments:
            yield names.get(name, name), f"is required{_example(operation.rules.get(name, {}))}"
    for name, value in arguments.items():
        rule = operation.rules.get(name, {})
        spelled = names.get(name, name)
        if rule.get("in") == "body":
            value, problem = _to_json(value)
            if problem:
                yield spelled, problem
        for where, problem in value_problems(rule, value):
            yield f"{spelled}{where}", problem
    for group in operation.exclusive:
        given = [name for name in group if name in arguments]
        if len(given) > 1:
            shown = [names.get(name, name) for name in given]
            yield shown[1], f"cannot be combined with {shown[0]}: pass only one of {', '.join(shown)}"


def value_problems(rule: Mapping[str, Any], value: Any) -> Iterator[tuple[str, str]]:
    """Yields (path below the value, what is wrong) for a value of a parameter or body."""
    yield from problems(rule, value)
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        yield "", "contains half a character (a surrogate)"
    if rule.get("in") == "header" and isinstance(value, str) and not re.fullmatch(r"[\x20-\x7e]*", value):
        yield "", "contains a character that is not allowed in a header"


def _to_json(model: Any) -> tuple[Any, str]:
    """A request body as JSON values, and what is wrong with it."""
    document: Any = None
    # An exception here may quote the value, so it is dropped.
    with suppress_errors(Exception):
        document = model.to_dict()
        json.dumps(document, allow_nan=False, ensure_ascii=False).encode()
        return document, ""
    problem = "is not a complete model of the request" if document is None else "contains values that are not JSON"
    return None, f"{problem} ({type(model).__name__})"


def problems(schema: Mapping[str, Any], value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yields (path below the value, what is wrong) for each way in which `value` breaks a JSON Schema.

    Supports the keywords that the generator's lint allows in requests. Never quotes the value: it may be secret.
    """
    types = schema.get("type")
    if types is not None:
        allowed_names = [types] if isinstance(types, str) else types
        allowed = tuple(t for name in allowed_names for t in _TYPES[name])
        # bool is an int in Python, but not in JSON.
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            yield where, f"must be of type {' or '.join(allowed_names)}, not {type(value).__name__}{_example(schema)}"
            return
    if "enum" in schema and value not in schema["enum"]:
        yield where, "must be " + " or ".join(map(repr, schema["enum"]))
    if isinstance(value, str):
        yield from ((where, problem) for problem in _text_problems(schema, value))
    elif isinstance(value, (int, float)):
        if value < schema.get("minimum", value):
            yield where, f"must be at least {schema['minimum']}{_example(schema)}"
        if value > schema.get("maximum", value):
            yield where, f"must be at most {schema['maximum']}{_example(schema)}"
    elif isinstance(value, (list, tuple)):
        items = cast(Sequence[Any], value)
        if len(items) < schema.get("minItems", 0):
            yield where, f"must have at least {schema['minItems']} items"
        if len(items) > schema.get("maxItems", len(items)):
            yield where, f"must have at most {schema['maxItems']} items"
        for index, item in enumerate(items):
            yield from problems(schema.get("items", {}), item, f"{where}[{index}]")
    elif isinstance(value, dict):
        for member in schema.get("required", ()):
            if member not in value:
                yield where, f"has no member {member!r}"
        for member, rule in schema.get("properties", {}).items():
            if member in value:
                yield from problems(rule, value[member], f"{where}.{member}")


def _text_problems(schema: Mapping[str, Any], value: str) -> Iterator[str]:
    if len(value) < schema.get("minLength", 0):
        least = f"must have at least {schema['minLength']} characters, not {len(value)}"
        yield f"{least if value else 'must not be empty'}{_example(schema)}"
    elif len(value) > schema.get("maxLength", len(value)):
        yield f"must have at most {schema['maxLength']} characters, not {len(value)}{_example(schema)}"
    elif "pattern" in schema and not _compiled(schema["pattern"]).search(value):
        if not value.strip():
            yield f"must not be blank{_example(schema)}"
        else:
            yield f"must look like {schema['example']}" if "example" in schema else f"must match {schema['pattern']}"


def _example(schema: Mapping[str, Any]) -> str:
    return f", for example {schema['example']}" if "example" in schema else ""


def to_plain(value: Any) -> Any:
    """Returns text as a `str` of no subclass: `str()` of a member of an enum is another text than its value."""
    return str.__str__(value) if isinstance(value, str) else value
