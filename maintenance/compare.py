"""List what another description of the API (Swagger 2.0 or OpenAPI 3) has and openapi.yaml lacks, and vice versa."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field, frozen
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from .problem import Problem
from .tables import table

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@frozen(order=True)
class Item:
    """One thing that a description has.

    Attributes:
        operation: method and path, by which operations are matched: names differ from one document to the next.
        kind: operation, parameter, sent field, field or error field.
        name: `query resource`; a field's way from the top, `compute.tagsList[].name`.
    """

    operation: str
    kind: str
    name: str = ""


@define
class Outline:
    """What a description has, each with the JSON types that it may have ("" where it says none).

    Attributes:
        elsewhere: references into other documents, which are not followed.
    """

    items: dict[Item, frozenset[str]] = field(factory=dict[Item, frozenset[str]])
    elsewhere: set[str] = field(factory=set[str])


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--upstream", required=True, type=Path, help="the other description, JSON or YAML")


def run(arguments: argparse.Namespace) -> int:
    upstream, ours = outline(arguments.upstream), outline(Path("openapi.yaml"))
    rows = differences(upstream, ours)
    if rows:
        print(table(("operation", "what", "name", arguments.upstream.name, "openapi.yaml"), rows))
    else:
        print("Both describe the same operations, parameters and fields.")
    for reference in sorted(upstream.elsewhere | ours.elsewhere):
        print(f"Not followed: {reference}")
    return 0


def differences(upstream: Outline, ours: Outline) -> list[tuple[str, ...]]:
    """Rows of operation, kind, name, and what each side has of it. What belongs to a lacking operation is left out."""
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


def outline(path: Path) -> Outline:
    """What the description in a file has.

    Raises:
        Problem: the file cannot be read, or is no such description.
    """
    try:
        document: Any = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise Problem(f"{path} cannot be read: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise Problem(f"{path} describes no API: it has no paths")
    if not ("swagger" in document or "openapi" in document):
        raise Problem(f"{path} is neither Swagger 2.0 nor OpenAPI 3")
    return _Reader(document).outline


class _Reader:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self.outline = Outline()
        for path, shared in document["paths"].items():
            for method in _METHODS:
                if method in shared:
                    name = f"{method.upper()} {_base(document)}{path}"
                    self._operation(name, shared[method], shared.get("parameters") or [])

    def _operation(self, name: str, data: Mapping[str, Any], shared: list[Any]) -> None:
        items = self.outline.items
        items[Item(name, "operation")] = frozenset()
        for parameter in map(self._followed, [*shared, *(data.get("parameters") or [])]):
            place = parameter.get("in")
            if place == "body":
                self._fields(name, "sent field", "", parameter.get("schema"))
            elif place is not None:
                # A header's case means nothing.
                called = parameter["name"].lower() if place == "header" else parameter["name"]
                items[Item(name, "parameter", f"{place} {called}")] = self._types(parameter.get("schema", parameter))
        for schema in _schemas(self._followed(data.get("requestBody", {}))):
            self._fields(name, "sent field", "", schema)
        for status, response in (data.get("responses") or {}).items():
            kind = "field" if str(status).startswith("2") else "error field"
            for schema in _schemas(self._followed(response)):
                self._fields(name, kind, "", schema)

    def _fields(self, operation: str, kind: str, way: str, schema: Any, above: tuple[int, ...] = ()) -> None:
        for part in self._parts(schema):
            if id(part) in above:
                continue
            inside = (*above, id(part))
            for name, member in (part.get("properties") or {}).items():
                here = f"{way}.{name}" if way else name
                item = Item(operation, kind, here)
                self.outline.items[item] = self.outline.items.get(item, frozenset()) | self._types(member)
                self._fields(operation, kind, here, member, inside)
            for key, sign in (("items", "[]"), ("additionalProperties", "{}")):
                if isinstance(part.get(key), dict):
                    self._fields(operation, kind, way + sign, part[key], inside)

    def _types(self, schema: Any) -> frozenset[str]:
        found: set[str] = set()
        for part in self._parts(schema):
            given = part.get("type", [])
            found |= {given} if isinstance(given, str) else set(given)
            found |= {"object"} if "properties" in part else set()
        return frozenset(found)

    def _parts(self, schema: Any, above: tuple[int, ...] = ()) -> Iterator[Mapping[str, Any]]:
        """A schema and all that it is put together from, references followed."""
        schema = self._followed(schema)
        if not isinstance(schema, dict) or id(schema) in above:
            return
        yield schema
        for key in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(key) or []:
                yield from self._parts(part, (*above, id(schema)))

    def _followed(self, node: Any) -> Any:
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str) and node["$ref"] not in seen:
            reference: str = node["$ref"]
            seen.add(reference)
            if not reference.startswith("#/"):
                self.outline.elsewhere.add(reference)
                return {}
            node = self._document
            for part in reference[2:].split("/"):
                name = part.replace("~1", "/").replace("~0", "~")
                if not isinstance(node, dict) or name not in node:
                    raise Problem(f"{reference} leads nowhere")
                node = node[name]
        return node


def _base(document: Mapping[str, Any]) -> str:
    """What comes before every path: both kinds of document keep it apart."""
    servers = document.get("servers") or [{}]
    base = document.get("basePath") or urlsplit(servers[0].get("url", "")).path
    return str(base).rstrip("/")


def _schemas(holder: Any) -> list[Any]:
    """The schemas of a response or body: one in Swagger, one for each content type in OpenAPI."""
    if not isinstance(holder, dict):
        return []
    if "schema" in holder:
        return [holder["schema"]]
    return [media["schema"] for media in (holder.get("content") or {}).values() if "schema" in media]
