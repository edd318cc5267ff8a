"""Pages of the documentation made from openapi.yaml, so that nothing of it is written twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]

#: Keywords that limit a value, in the words of the page.
_LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "from {}",
    "maximum": "to {}",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "pattern": "matches `{}`",
}


def specification_page(document: Node) -> str:
    """Everything that the specification says: operations, parameters, answers, and the fields of every schema."""
    return "\n\n".join(_specification(document)) + "\n"


def operations_page(document: Node) -> str:
    """The typed methods of every operation, for mkdocstrings to fill in."""
    parts = [
        "# Operations",
        f"Each tag of the specification is an attribute of both clients, each operation a method. Those of "
        f"`AsyncImdsClient` are the same, awaited. Made from version {document['info']['version']} of the "
        "[specification](specification.md).",
    ]
    for tag in document["tags"]:
        name = str(tag["name"])
        kind = "".join(word.capitalize() for word in name.split("_")) + "Operations"
        parts += [f"## `imds.{name}`", _text(tag.get("description", ""))]
        for methods in document["paths"].values():
            for operation in methods.values():
                if name in operation["tags"]:
                    parts.append(
                        f"::: azure_imds_api.api.{name}.{kind}.{_method(operation)}\n"
                        "    options:\n"
                        "      heading_level: 3\n"
                        "      show_docstring_returns: false"
                    )
    return "\n\n".join(parts) + "\n"


def _specification(document: Node) -> Iterator[str]:
    info = document["info"]
    yield "# The specification"
    yield f"**{info['title']}, version {info['version']}**, as [`openapi.yaml`](../openapi.yaml) has it."
    yield info["summary"]
    yield _text(info["description"])
    yield "## Servers"
    yield _table(
        ("Name", "URL", "api-version", "What it is"),
        (
            (
                f"`{server['x-name']}`",
                f"`{server['url']}`",
                _code(server.get("x-api-version")) or "each operation's own",
                server["description"],
            )
            for server in document["servers"]
        ),
    )
    for tag in document["tags"]:
        yield f"## {tag['name']}"
        yield _text(tag.get("description", ""))
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if tag["name"] in operation["tags"]:
                    yield from _operation(document, path, method, operation)
    yield "## Schemas"
    yield "Extra members are always allowed, and kept in `additional_properties`."
    for name, schema in document["components"]["schemas"].items():
        yield from _schema(document, name, schema)


def _operation(document: Node, path: str, method: str, operation: Node) -> Iterator[str]:
    yield f"### {operation['operationId']} {{ #{_anchor(operation['operationId'])} }}"
    yield f"`{method.upper()} {path}`"
    if operation.get("deprecated"):
        yield "**Deprecated.**"
    if "summary" in operation:
        yield f"**{operation['summary']}.**"
    yield _text(operation.get("description", ""))
    parameters = [_resolved(document, parameter) for parameter in operation.get("parameters", ())]
    if parameters:
        yield _table(
            ("Parameter", "In", "Type", "Default", "What it is"),
            (
                (
                    f"`{parameter['name']}`" + (" (required)" if parameter.get("required") else ""),
                    parameter["in"],
                    _type(parameter["schema"]),
                    _code(parameter["schema"].get("default")),
                    _described(parameter["schema"], deprecated=bool(parameter.get("deprecated"))),
                )
                for parameter in parameters
            ),
        )
    if "requestBody" in operation:
        body = _resolved(document, operation["requestBody"])
        kind, content = next(iter(body["content"].items()))
        yield f"Body: {_type(content['schema'])}, as `{kind}`" + (", required." if body.get("required") else ".")
    yield _table(
        ("Status", "Body", "What it means"),
        (
            (f"`{status}`" if status != "default" else "any other", _body(response), response["description"])
            for status, given in operation["responses"].items()
            for response in (_resolved(document, given),)
        ),
    )
    if rules := list(_rules(operation)):
        yield "\n".join(f"- {rule}" for rule in rules)
    if "externalDocs" in operation:
        yield _source(operation["externalDocs"])


def _rules(operation: Node) -> Iterator[str]:
    """What the extensions say, which decide how every client treats the operation."""
    for group in operation.get("x-mutually-exclusive", ()):
        yield f"At most one of {_codes(group)} may be given."
    for name, members in operation.get("x-echoed", {}).items():
        yield f"The answer must repeat `{name}`, as {_codes(members, 'or')}."
    if statuses := operation.get("x-retry-statuses"):
        yield f"Tried again here beside 408, 410, 429 and 5xx: {_codes(statuses)}."
    if operation.get("x-idempotent"):
        yield "It may be sent again without harm."
    if seconds := operation.get("x-response-seconds"):
        yield f"A healthy answer may take {seconds} seconds."
    if operation.get("x-version-fallback"):
        yield "A host that does not know the default version may be asked for an older one, once."
    if operation.get("x-cacheable"):
        yield "The answer hardly ever changes: `cache=True` keeps it."
    for status, hint in operation.get("x-hints", {}).items():
        yield f"On {status}: {hint}"


def _schema(document: Node, name: str, schema: Node) -> Iterator[str]:
    yield f"### {name} {{ #{_anchor(name)} }}"
    if "description" in schema:
        yield _text(schema["description"])
    if "enum" in schema:
        yield f"One of {_codes(schema['enum'], 'or')}."
    if "properties" in schema:
        required = schema.get("required", ())
        yield _table(
            ("Field", "Type", "What it is"),
            (
                (
                    f"`{field}`" + (" (required)" if field in required else ""),
                    _type(value),
                    # A bare reference leaves what there is to say to the schema that it leads to.
                    _described(_resolved(document, value), deprecated=bool(value.get("deprecated"))),
                )
                for field, value in schema["properties"].items()
            ),
        )


def _type(schema: Node) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f"[{name}](#{_anchor(name)})"
    for keyword in ("anyOf", "allOf"):
        if keyword in schema:
            return " or ".join(_type(part) for part in schema[keyword])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    kind = schema.get("type", "any")
    named = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return f"{named} ({schema['format']})" if "format" in schema else named


def _described(schema: Node, *, deprecated: bool) -> str:
    limits = [words.format(schema[keyword]) for keyword, words in _LIMITS.items() if keyword in schema]
    if "enum" in schema:
        limits.append(f"one of {_codes(schema['enum'], 'or')}")
    parts = ["Deprecated." if deprecated else "", schema.get("description", "")]
    if limits:
        parts.append(f"({'; '.join(limits)})")
    return " ".join(part for part in parts if part)


def _body(response: Node) -> str:
    return ", ".join(_type(content["schema"]) for content in response.get("content", {}).values())


def _resolved(document: Node, node: Node) -> Node:
    while "$ref" in node:
        found: Any = document
        for name in str(node["$ref"]).removeprefix("#/").split("/"):
            found = found[name]
        node = found
    return node


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    # The second line of a table needs no width, and a cell may hold neither a line's end nor a bar.
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _text(text: str) -> str:
    return text.strip()


def _source(docs: Node) -> str:
    return f"Source: [{docs['description']}]({docs['url']})"


def _code(value: object) -> str:
    return "" if value is None else f"`{value}`"


def _codes(values: Any, last: str = "and") -> str:
    *rest, end = (f"`{value}`" for value in values)
    return f"{', '.join(rest)} {last} {end}" if rest else end


def _method(operation: Node) -> str:
    """The operation's name in Python: the id without its tag's prefix."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(operation["operationId"]).rpartition("_")[2]).lower()


def _anchor(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower())
