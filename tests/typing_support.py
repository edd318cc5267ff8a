"""Typed calls of every operation, written from openapi.yaml alone, for type checkers to compare with the client.

The types come from the document and not from the generated code, so that a wrong template is seen. Lines that end in
`# refused` are mistakes: each must be an error, so that a client without types does not pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import frozen
from openapi_python_client.strings import ClassName

from generator.names import method_name, python_name, python_tag
from generator.specification import Operation, Specification

#: What type checkers report about code that only states types, and would report about every mistake.
_HEAD = """\
# mypy: disable-error-code="deprecated"
# pyright: reportDeprecated=false, reportUnusedVariable=false, reportUnusedExpression=false
# pyright: reportUnusedCoroutine=false, reportUnusedImport=false
from __future__ import annotations

from typing import Any, Literal, assert_type

from azure_imds import AsyncImdsClient, ImdsClient
from azure_imds_api import models


class Other: ...
"""
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_VALUES = {"string": '"x"', "integer": "7", "number": "1.5", "boolean": "True"}


@frozen
class Argument:
    """An argument of a method.

    Attributes:
        name: its name in Python.
        value: a value of its type, as code.
        not_offered: values, as code, that only the low-level functions take.
    """

    name: str
    value: str
    required: bool
    in_path: bool = False
    not_offered: tuple[str, ...] = ()

    def pass_(self, value: str) -> str:
        return value if self.in_path else f"{self.name}={value}"


def write_calls(spec: Specification) -> str:
    """Returns a module with the calls of every operation that has a method, with both clients."""
    lines = [_HEAD.rstrip()]
    for operation in spec.operations():
        if "x-stands-for" not in operation.data:
            for number, (wait, client) in enumerate((("", "ImdsClient"), ("await ", "AsyncImdsClient"))):
                name = f"{python_name(operation.id)}_{number}"
                lines += ["", "", f"async def {name}(imds: {client}) -> None:"]
                lines += [f"    {line}" for line in _write_lines(spec, operation, wait)]
    return "\n".join(lines) + "\n"


def _write_lines(spec: Specification, operation: Operation, wait: str) -> Iterator[str]:
    method = f"imds.{python_tag(operation.tag)}.{method_name(operation)}"
    arguments = _list_arguments(spec, operation)
    least = {argument: argument.value for argument in arguments if argument.required}
    most = {argument: argument.value for argument in arguments}
    returns = _find_result(spec, operation)

    def call(given: dict[Argument, str], *more: str) -> str:
        return f"{method}({', '.join([*(argument.pass_(value) for argument, value in given.items()), *more])})"

    for given in (least, most):
        # mypy refuses the use of a call that returns nothing.
        yield f"{wait}{call(given)}" if returns == "None" else f"assert_type({wait}{call(given)}, {returns})"
    yield f"other: Other = {wait}{call(least)}  # refused"
    if wait:
        yield f"early: {returns} = {call(least)}  # refused"
    yield f"{wait}{call(least, 'no_such_argument=1')}  # refused"
    for argument in arguments:
        yield f"{wait}{call({**most, argument: 'Other()'})}  # refused"
        if argument.required:
            yield f"{wait}{call({name: value for name, value in most.items() if name != argument})}  # refused"
        for value in argument.not_offered:
            yield f"{wait}{call({**most, argument: value})}  # refused"
    yield f"{method}_of_this_name()  # refused"


def _list_arguments(spec: Specification, operation: Operation) -> list[Argument]:
    """Returns the arguments of the method, those of the path first."""
    found: list[Argument] = []
    for _, parameter in spec.parameters(operation):
        schema = spec.resolve(parameter["schema"])
        if parameter.get("required") and schema.get("enum") == [schema.get("default", ...)]:
            continue  # The client sends it without an argument.
        not_offered = parameter.get("x-low-level-only", ())
        values = [repr(value) for value in schema.get("enum", ()) if value not in not_offered]
        found.append(
            Argument(
                python_name(parameter["name"]),
                values[0] if values else _make_value(spec, schema),
                required=bool(parameter.get("required")) and "default" not in schema,
                in_path=parameter["in"] == "path",
                not_offered=tuple(map(repr, not_offered)),
            )
        )
    if "requestBody" in operation.data:
        body = spec.resolve(operation.data["requestBody"])
        schema = next(iter(body["content"].values()))["schema"]
        kind = _write_type(spec, schema, f"{python_name(operation.id)}_body")
        found.append(Argument("body", f"{kind}.from_dict({{}})", required=bool(body.get("required"))))
    return sorted(found, key=lambda argument: not argument.in_path)


def _make_value(spec: Specification, schema: dict[str, Any]) -> str:
    """Returns a value of the type as code. The other constraints of a schema have no effect on types."""
    schema = spec.resolve(schema)
    if schema.get("enum"):
        return repr(schema["enum"][0])
    if schema.get("type") == "array":
        return f"[{_make_value(spec, schema['items'])}]"
    return _VALUES[schema.get("type", "string")]


def _find_result(spec: Specification, operation: Operation) -> str:
    types = {
        _write_type(spec, media["schema"], f"{python_name(operation.id)}_response_{status}")
        for status, response in operation.data["responses"].items()
        if str(status).startswith("2")
        for media in spec.resolve(response).get("content", {}).values()
    }
    return " | ".join(sorted(types)) or "None"


def _write_type(spec: Specification, schema: dict[str, Any], name: str) -> str:
    """Returns the Python type of a schema.

    Args:
        spec: the document.
        schema: the schema.
        name: the name of the model, if the schema is an object without a name of its own.
    """
    if len(schema.get("allOf", ())) == 1:
        return _write_type(spec, schema["allOf"][0], name)
    if "$ref" in schema:
        target = spec.resolve(schema)
        if "enum" in target or "properties" in target or "allOf" in target or target.get("type") == "object":
            return f"models.{ClassName(target.get('title') or schema['$ref'].rpartition('/')[2], 'field_')}"
        return _write_type(spec, target, name)
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " | ".join(_write_type(spec, part, name) for part in schema[union])
    if isinstance(schema.get("type"), list):
        return " | ".join(_PLAIN[kind] for kind in schema["type"])
    if schema.get("type") == "array":
        return f"list[{_write_type(spec, schema['items'], f'{name}_item')}]"
    if "enum" in schema or schema.get("type") == "object":
        return f"models.{ClassName(schema.get('title') or name, 'field_')}"
    return _PLAIN[schema["type"]]
