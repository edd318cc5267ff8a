"""List what another description of the API (Swagger 2.0 or OpenAPI 3) has and openapi.yaml lacks, and vice versa."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field, frozen

from generator import reader
from generator.terminal import printable

from .problem import Problem
from .source import read_source
from .tables import format_table

#: Our own description.
SPECIFICATION = "openapi.yaml"

#: The exit code of `--check` if our description lacks something.
MISSING_EXIT = 3

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

#: Maximum number of schemas to read, with references followed. A few schemas that refer to each other can stand for
#: more fields than fit into memory.
_MAX_SCHEMAS = 50_000


@frozen(order=True)
class Item:
    """One part of a description.

    Attributes:
        operation: method and path. Operations are matched by these, because names differ between documents.
        kind: operation, parameter, sent field, field or error field.
        name: place and name of a parameter, such as `query resource`, or the path of a field, such as
            `compute.tagsList[].name`.
    """

    operation: str
    kind: str
    name: str = ""


@define
class Outline:
    """The parts of a description.

    Attributes:
        items: the parts, each with its JSON types. The set is empty if the description states no type.
        external: references to other documents, which are not followed.
    """

    items: dict[Item, frozenset[str]] = field(factory=dict[Item, frozenset[str]])
    external: set[str] = field(factory=set[str])


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--upstream", required=True, help="the other description: a JSON or YAML file, or its URL")
    parser.add_argument("--only-upstream", action="store_true", help="show only what openapi.yaml lacks")
    parser.add_argument(
        "--check", action="store_true", help=f"end with status {MISSING_EXIT} if openapi.yaml lacks something"
    )


def run(arguments: argparse.Namespace) -> int:
    upstream, ours = read_outline(arguments.upstream), read_outline(SPECIFICATION)
    name = _make_heading(arguments.upstream)
    differences = find_differences(upstream, ours)
    missing = [row for row in differences if row[-1] == "-"]
    shown = missing if arguments.only_upstream else differences
    if shown:
        print(format_table(("operation", "what", "name", name, SPECIFICATION), shown) + "\n")
    for reference in sorted(upstream.external | ours.external):
        print(printable(f"Not followed: {reference}").replace("\n", " "))
    if not differences:
        print("Both documents describe the same operations, parameters and fields.")
    else:
        summary = [printable(line) for line in _summarize(differences, name)]
        print("\n".join(summary[:1] if arguments.only_upstream else summary))
    return MISSING_EXIT if arguments.check and missing else 0


def _summarize(rows: Sequence[tuple[str, ...]], name: str) -> Iterator[str]:
    """Yields how many parts of each kind only one description has, and how many have other types."""
    groups = {
        f"Only in {name}": [row for row in rows if row[-1] == "-"],
        f"Only in {SPECIFICATION}": [row for row in rows if row[-2] == "-"],
        "Other types": [row for row in rows if "-" not in row[-2:]],
    }
    for title, found in groups.items():
        counts = Counter(kind for _, kind, *_ in found)
        parts = [f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in counts.items()]
        yield f"{title}: {', '.join(parts) or 'nothing'}"


def _make_heading(source: str) -> str:
    """Returns the name of a file, also of one that a URL leads to."""
    name = PurePosixPath(urlsplit(source).path if "://" in source else source).name
    return "upstream" if name in ("", SPECIFICATION) else name


def find_differences(upstream: Outline, ours: Outline) -> list[tuple[str, ...]]:
    """Returns rows of operation, kind, name, and what each description has.

    The parts of an operation that only one description has are left out. The operation itself has a row.
    """
    rows: list[tuple[str, ...]] = []
    for item in sorted(upstream.items.keys() | ours.items.keys()):
        sides = [side.items.get(item) for side in (upstream, ours)]
        both = all(Item(item.operation, "operation") in side.items for side in (upstream, ours))
        if item.kind != "operation" and not both:
            continue
        if None in sides:
            rows.append((item.operation, item.kind, item.name, *("-" if side is None else "yes" for side in sides)))
        elif sides[0] and sides[1] and not sides[0] & sides[1]:
            rows.append((item.operation, item.kind, item.name, *(" or ".join(sorted(side or ())) for side in sides)))
    return rows


def read_outline(path: str) -> Outline:
    """Returns the parts of the description in a file, or at a URL.

    Raises:
        Problem: it cannot be read, or is not a Swagger 2.0 or OpenAPI 3 document.
    """
    try:
        document = reader.parse(reader.decode(read_source(path, "--upstream"))).plain()
    except reader.DocumentError as error:
        raise Problem(f"{path}:{error.line}: [{error.rule}] {error.reason}") from None
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise Problem(f"{path} is not a description of an API: it has no paths")
    if not ("swagger" in document or "openapi" in document):
        raise Problem(f"{path} is neither Swagger 2.0 nor OpenAPI 3")
    try:
        return _Reader(document).outline
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Problem(f"{path} is not a valid description of an API: {type(error).__name__}: {error}") from None
    except RecursionError:
        raise Problem(f"{path} cannot be compared: its schemas refer to each other too deeply") from None


class _Reader:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._schemas = 0
        self.outline = Outline()
        for path, shared in document["paths"].items():
            for method in _METHODS:
                if method in shared:
                    name = f"{method.upper()} {_read_base_path(document)}{path}"
                    self._read_operation(name, shared[method], shared.get("parameters") or [])

    def _read_operation(self, name: str, data: Mapping[str, Any], shared: list[Any]) -> None:
        items = self.outline.items
        items[Item(name, "operation")] = frozenset()
        for parameter in map(self._resolve, [*shared, *(data.get("parameters") or [])]):
            place = parameter.get("in")
            if place == "body":
                self._read_fields(name, "sent field", "", parameter.get("schema"))
            elif place is not None:
                # Names of headers are case-insensitive.
                key = parameter["name"].lower() if place == "header" else parameter["name"]
                items[Item(name, "parameter", f"{place} {key}")] = self._find_types(parameter.get("schema", parameter))
        for schema in _list_schemas(self._resolve(data.get("requestBody", {}))):
            self._read_fields(name, "sent field", "", schema)
        for status, response in (data.get("responses") or {}).items():
            kind = "field" if str(status).startswith("2") else "error field"
            for schema in _list_schemas(self._resolve(response)):
                self._read_fields(name, kind, "", schema)

    def _read_fields(self, operation: str, kind: str, prefix: str, schema: Any, above: tuple[int, ...] = ()) -> None:
        for part in self._list_parts(schema):
            if id(part) in above:
                continue
            inside = (*above, id(part))
            for name, member in (part.get("properties") or {}).items():
                here = f"{prefix}.{name}" if prefix else name
                item = Item(operation, kind, here)
                self.outline.items[item] = self.outline.items.get(item, frozenset()) | self._find_types(member)
                self._read_fields(operation, kind, here, member, inside)
            for key, sign in (("items", "[]"), ("additionalProperties", "{}")):
                if isinstance(part.get(key), dict):
                    self._read_fields(operation, kind, prefix + sign, part[key], inside)

    def _find_types(self, schema: Any) -> frozenset[str]:
        found: set[str] = set()
        for part in self._list_parts(schema):
            stated = part.get("type", [])
            found |= {stated} if isinstance(stated, str) else set(stated)
            found |= {"object"} if "properties" in part else set()
        return frozenset(found)

    def _list_parts(self, schema: Any, above: tuple[int, ...] = ()) -> Iterator[Mapping[str, Any]]:
        """Yields a schema and the schemas that it combines. References are followed."""
        schema = self._resolve(schema)
        if not isinstance(schema, dict) or id(schema) in above:
            return
        self._schemas += 1
        if self._schemas > _MAX_SCHEMAS:
            raise Problem(f"the document stands for more than {_MAX_SCHEMAS} schemas, with references followed")
        yield schema
        for key in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(key) or []:
                yield from self._list_parts(part, (*above, id(schema)))

    def _resolve(self, node: Any) -> Any:
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str) and node["$ref"] not in seen:
            reference: str = node["$ref"]
            seen.add(reference)
            if not reference.startswith("#/"):
                self.outline.external.add(reference)
                return {}
            node = self._document
            for part in reference[2:].split("/"):
                name = part.replace("~1", "/").replace("~0", "~")
                if not isinstance(node, dict) or name not in node:
                    raise Problem(f"{reference} points to nothing")
                node = node[name]
        return node


def _read_base_path(document: Mapping[str, Any]) -> str:
    """Returns the prefix of every path: `basePath` in Swagger, the path of the first server in OpenAPI."""
    servers = document.get("servers") or [{}]
    base = document.get("basePath") or urlsplit(servers[0].get("url", "")).path
    return str(base).rstrip("/")


def _list_schemas(holder: Any) -> list[Any]:
    """Returns the schemas of a response or body: one in Swagger, one for each content type in OpenAPI."""
    if not isinstance(holder, dict):
        return []
    if "schema" in holder:
        return [holder["schema"]]
    return [media["schema"] for media in (holder.get("content") or {}).values() if "schema" in media]
