"""Makes the pages of the documentation that are derived from openapi.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from openapi_python_client.strings import ClassName

from generator.names import method_name, python_tag
from generator.specification import METHODS, Operation

Node = Mapping[str, Any]

#: Keywords that constrain a value, each with its text on the page.
_LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "from {}",
    "maximum": "to {}",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "pattern": "matches {}",
}


def make_specification_page(document: Node) -> str:
    """Returns the page with the operations, parameters, responses and schemas."""
    return "\n\n".join(_write_specification(document)) + "\n"


def make_operations_page(document: Node) -> str:
    """Returns the page with the method of every operation. mkdocstrings fills in their documentation."""
    parts = [
        "# Operations",
        "Each tag of the specification is an attribute of both clients. Each operation is a method of it. The methods "
        "of `AsyncImdsClient` have the same arguments and are awaited. This page is made from version "
        f"{document['info']['version']} of the [specification](specification.md).",
    ]
    for tag, operations in _group(document):
        # An operation that stands for another has no method.
        methods = [operation for operation in operations if "x-stands-for" not in operation.data]
        if not methods:
            continue
        name = python_tag(tag["name"])
        kind = f"{ClassName(name, '')}Operations"
        parts += [f"## `imds.{name}`", tag.get("description", "").strip()]
        parts += [
            f"::: azure_imds_api.api.{name}.{kind}.{method_name(operation)}\n"
            "    options:\n"
            "      heading_level: 3\n"
            "      show_docstring_returns: false"
            for operation in methods
        ]
    return "\n\n".join(parts) + "\n"


def _group(document: Node) -> list[tuple[Node, list[Operation]]]:
    """Returns the operations of each tag. Described tags are first, in the order of the document."""
    groups = {str(tag["name"]): (tag, list[Operation]()) for tag in document.get("tags") or ()}
    for path, item in document["paths"].items():
        # A path also has keys that are not methods, such as `parameters`.
        for method in (key for key in item if key in METHODS):
            operation = Operation(("paths", path, method), path, method, item[method])
            groups.setdefault(operation.tag, ({"name": operation.tag}, []))[1].append(operation)
    return list(groups.values())


def _list_servers(document: Node) -> Iterator[Node]:
    yield from document.get("servers") or ()
    for item in document["paths"].values():
        yield from item.get("servers", ())


def _write_specification(document: Node) -> Iterator[str]:
    info = document["info"]
    yield "# The specification"
    yield f"**{info['title']}, version {info['version']}**, made from [`openapi.yaml`](../openapi.yaml)."
    yield info.get("summary", "")
    yield info.get("description", "").strip()
    yield "## Servers"
    yield _format_table(
        ("Name", "URL", "api-version", "Description"),
        (
            (
                format_code(server.get("x-name")),
                format_code(server["url"]),
                format_code(server.get("x-api-version")) or "depends on the operation",
                server.get("description", "").strip(),
            )
            for server in _list_servers(document)
        ),
    )
    for tag, operations in _group(document):
        yield f"## {tag['name']}"
        yield tag.get("description", "").strip()
        for operation in operations:
            yield from _write_operation(document, operation)
    yield "## Schemas"
    yield "Extra members are always allowed. They are kept in `additional_properties`."
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        yield from _write_schema(document, name, schema)


def _write_operation(document: Node, source: Operation) -> Iterator[str]:
    operation = source.data
    yield f"### {source.id} {{ #{_make_anchor(source.id)} }}"
    yield format_code(f"{source.method.upper()} {source.path}")
    if operation.get("deprecated"):
        yield "**Deprecated.**"
    if "summary" in operation:
        yield f"**{operation['summary']}.**"
    yield operation.get("description", "").strip()
    parameters = _list_parameters(document, source)
    if parameters:
        yield _format_table(
            ("Parameter", "In", "Type", "Default", "Description"),
            (
                (
                    format_code(parameter["name"]) + (" (required)" if parameter.get("required") else ""),
                    parameter["in"],
                    _format_type(parameter["schema"]),
                    format_code(parameter["schema"].get("default")),
                    _describe(parameter["schema"], deprecated=bool(parameter.get("deprecated"))),
                )
                for parameter in parameters
            ),
        )
    if "requestBody" in operation:
        body = _resolve(document, operation["requestBody"])
        kind, content = next(iter(body["content"].items()))
        body_type = f"Body: {_format_type(content['schema'])}, as {format_code(kind)}"
        yield body_type + (", required." if body.get("required") else ".")
    yield _format_table(
        ("Status", "Body", "Meaning"),
        (
            (
                format_code(status) if status != "default" else "any other",
                _format_body(response),
                response["description"],
            )
            for status, reference in operation["responses"].items()
            for response in (_resolve(document, reference),)
        ),
    )
    if rules := list(_describe_extensions(operation)):
        yield "\n".join(f"- {rule}" for rule in rules)
    if "externalDocs" in operation:
        yield _format_source(operation["externalDocs"])


def _list_parameters(document: Node, source: Operation) -> list[Node]:
    """Returns the parameters of an operation, and those of its path that the operation does not replace."""
    listed = (source.data.get("parameters") or (), document["paths"][source.path].get("parameters") or ())
    found: dict[tuple[str, str], Node] = {}
    for parameter in (_resolve(document, one) for parameters in listed for one in parameters):
        found.setdefault((parameter["name"], parameter["in"]), parameter)
    return list(found.values())


def _describe_extensions(operation: Node) -> Iterator[str]:
    """Yields one sentence for each `x-` keyword of an operation."""
    for group in operation.get("x-mutually-exclusive", ()):
        yield f"At most one of {join_codes(group)} is allowed."
    for name, members in operation.get("x-echoed", {}).items():
        yield f"The response must repeat the value of {format_code(name)} in {join_codes(members, 'or')}."
    if statuses := operation.get("x-retry-statuses"):
        yield f"These statuses are retried, in addition to 408, 410, 429 and 5xx: {join_codes(statuses)}."
    if operation.get("x-idempotent"):
        yield "The operation is idempotent: it is retried after a failure."
    if seconds := operation.get("x-response-seconds"):
        yield f"A healthy response can take up to {seconds} seconds."
    if operation.get("x-version-fallback"):
        yield "If a host does not support the default version, the request is sent once more with an older one."
    if operation.get("x-cacheable"):
        yield "The response rarely changes. A client with `cache=True` keeps it."
    for status, hint in operation.get("x-hints", {}).items():
        yield f"Status {status}: {hint}"


def _write_schema(document: Node, name: str, schema: Node) -> Iterator[str]:
    yield f"### {name} {{ #{_make_anchor(name)} }}"
    if "description" in schema:
        yield schema["description"].strip()
    if "enum" in schema:
        yield f"One of {join_codes(schema['enum'], 'or')}."
    if "properties" in schema:
        required = schema.get("required", ())
        yield _format_table(
            ("Field", "Type", "Description"),
            (
                (
                    format_code(field) + (" (required)" if field in required else ""),
                    _format_type(value),
                    # A bare reference has no description of its own.
                    _describe(_resolve(document, value), deprecated=bool(value.get("deprecated"))),
                )
                for field, value in schema["properties"].items()
            ),
        )


def _format_type(schema: Node) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f"[{name}](#{_make_anchor(name)})"
    for keyword in ("anyOf", "allOf"):
        if keyword in schema:
            return " or ".join(_format_type(part) for part in schema[keyword])
    if schema.get("type") == "array":
        return f"list of {_format_type(schema['items'])}"
    kind = schema.get("type", "any")
    named = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return f"{named} ({schema['format']})" if "format" in schema else named


def _describe(schema: Node, *, deprecated: bool) -> str:
    limits = [
        words.format(format_code(schema[keyword]) if keyword == "pattern" else schema[keyword])
        for keyword, words in _LIMITS.items()
        if keyword in schema
    ]
    if "enum" in schema:
        limits.append(f"one of {join_codes(schema['enum'], 'or')}")
    parts = ["Deprecated." if deprecated else "", schema.get("description", "")]
    if limits:
        parts.append(f"({'; '.join(limits)})")
    return " ".join(part for part in parts if part)


def _format_body(response: Node) -> str:
    return ", ".join(_format_type(content["schema"]) for content in response.get("content", {}).values())


def _resolve(document: Node, node: Node) -> Node:
    while "$ref" in node:
        found: Any = document
        for name in str(node["$ref"]).removeprefix("#/").split("/"):
            found = found[name]
        node = found
    return node


def _format_table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    # A cell must not contain a line break or a bar.
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(_format_cell(cell) for cell in line) + " |" for line in lines)


def _format_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _format_source(docs: Node) -> str:
    return f"Source: [{docs.get('description', docs['url'])}]({docs['url']})"


def format_code(value: object) -> str:
    """Returns a value as code. A value that a code span would not show as it is becomes HTML with entities."""
    if value is None:
        return ""
    text = " ".join(str(value).split())
    if re.search(r"[`|]|^(#!|:::)", text):
        return f"<code>{escape_code(text)}</code>"
    return f"`{text}`"


def escape_code(text: str) -> str:
    """Returns text in which neither HTML nor Markdown sees more than text."""
    return re.sub(r"[^A-Za-z0-9 ]", lambda found: f"&#{ord(found[0])};", text)


def join_codes(values: Any, last: str = "and") -> str:
    *rest, end = (format_code(value) for value in values)
    return f"{', '.join(rest)} {last} {end}" if rest else end


def _make_anchor(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower())
