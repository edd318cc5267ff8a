"""The specification: its operations, schemas and references, and the line of every node, which messages name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import reader
from .reader import DocumentError
from .terminal import printable

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Path_ = tuple[str | int, ...]

#: Keys of OpenAPI's own objects whose value is a map of names. Keys of such a map are not keywords.
_NAMES = {"paths", "responses", "headers", "content", "callbacks", "links", "variables", "encoding", "examples"}
#: Keys of a schema whose value is a schema or a list of schemas.
_SUBSCHEMAS = {
    "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames", "unevaluatedItems",
    "unevaluatedProperties", "allOf", "anyOf", "oneOf", "prefixItems",
}  # fmt: skip
#: Keys of a schema whose value maps names to schemas. The value of any other key is data.
_SUBSCHEMA_NAMES = {"properties", "patternProperties", "dependentSchemas", "$defs"}


@dataclass(frozen=True, order=True)
class Finding:
    """One problem in the specification: its line and place, the rule, and a message."""

    line: int
    rule: str
    message: str
    place: str

    def __str__(self) -> str:
        return printable(f"openapi.yaml:{self.line}: [{self.rule}] {self.message}\n    at {self.place}")


Findings = Iterator[Finding]


class SpecificationError(Exception):
    """The specification cannot be used. `findings` has the reasons."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


def _unreadable(error: DocumentError) -> SpecificationError:
    return SpecificationError([Finding(error.line, error.rule, error.reason, "(document)")])


@dataclass(frozen=True)
class Operation:
    """One operation of the document. `place` is the sequence of keys that leads to it."""

    place: Path_
    path: str
    method: str
    data: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.data.get("operationId", ""))

    @property
    def tag(self) -> str:
        return str((self.data.get("tags") or ["default"])[0])


@dataclass(frozen=True)
class Node:
    """One mapping of the document: a JSON Schema, or an object of OpenAPI itself."""

    place: Path_
    data: dict[str, Any]
    is_schema: bool


class Specification:
    """The parsed document, the hash of its text, and the line of each node."""

    def __init__(self, text: str) -> None:
        self.sha256 = hashlib.sha256(text.encode()).hexdigest()
        try:
            self._root = reader.parse(text)
            if not isinstance(self._root.value, dict):
                raise DocumentError("the document is not a mapping")
        except DocumentError as error:
            raise _unreadable(error) from None
        self.document: dict[str, Any] = self._root.plain()

    @classmethod
    def load(cls, path: Path) -> Specification:
        try:
            text = reader.decode(reader.read_file(path))
        except DocumentError as error:
            raise _unreadable(error) from None
        return cls(text)

    def line(self, place: Path_) -> int:
        """The line of a node. If the node does not exist, the line of its nearest ancestor."""
        node, line = self._root, 1
        for step in place:
            # Validators turn a name such as 200 into a number.
            if isinstance(node.value, dict) and str(step) in node.value:
                line, node = node.lines[str(step)], node.value[str(step)]
            elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.line
            else:
                break
        return line

    def finding(self, place: Path_, rule: str, message: str) -> Finding:
        return Finding(self.line(place), rule, message, " > ".join(str(step) for step in place) or "(document)")

    def nodes(self) -> Iterator[Node]:
        """All mappings whose keys are keywords. Leaves out maps of names, and data such as examples."""

        def walk(place: Path_, node: Any, is_schema: bool, names: bool) -> Iterator[Node]:
            if isinstance(node, list):
                for index, value in enumerate(node):
                    yield from walk((*place, index), value, is_schema, False)
            if not isinstance(node, dict):
                return
            if not names:
                yield Node(place, node, is_schema)
            for key, value in node.items():
                below = (*place, key)
                if names:
                    yield from walk(below, value, is_schema, False)
                elif is_schema and key in _SUBSCHEMAS | _SUBSCHEMA_NAMES:
                    yield from walk(below, value, True, key in _SUBSCHEMA_NAMES)
                elif not is_schema and key not in ("example", "value") and not key.startswith("x-"):
                    in_components = place == ("components",)
                    holds_schemas = key == "schema" or (in_components and key == "schemas")
                    yield from walk(below, value, holds_schemas, in_components or key in _NAMES)

        yield from walk((), self.document, False, False)

    def operations(self) -> list[Operation]:
        return [
            Operation(("paths", path, method), path, method, item[method])
            for path, item in (self.document.get("paths") or {}).items()
            for method in METHODS
            if method in item
        ]

    def target(self, reference: str) -> tuple[Path_, Any]:
        """The target of a reference and its place. Raises KeyError if this document does not contain it."""
        place: Path_ = ()
        node: Any = self.document
        root, *steps = reference.split("/")
        if root != "#":
            raise KeyError(reference)
        for step in steps:
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(node, dict):
                raise KeyError(reference)
            node, place = node[name], (*place, name)
        return place, node

    def follow(self, place: Path_, node: Any) -> tuple[Path_, Any]:
        """Follows a node's `$ref` to the end. Returns the place and the node, or {} if the references are cyclic."""
        seen: set[str] = set()
        while isinstance(node, dict) and "$ref" in node:
            if node["$ref"] in seen:
                return place, {}
            seen.add(node["$ref"])
            place, node = self.target(node["$ref"])
        return place, node

    def resolve(self, node: Any, above: tuple[int, ...] = ()) -> Any:
        """Resolves `$ref`, and merges a node with its `allOf` if that has a single member."""
        _, node = self.follow((), node)
        if isinstance(node, dict) and len(node.get("allOf", ())) == 1:
            if id(node) in above:
                return {}
            rest = {key: value for key, value in node.items() if key != "allOf"}
            node = {**self.resolve(node["allOf"][0], (*above, id(node))), **rest}
        return node

    def parameters(self, operation: Operation) -> list[tuple[Path_, dict[str, Any]]]:
        """The parameters of the operation and of its path, with references resolved, and the place of each."""

        def listed(place: Path_, parameters: list[Any] | None) -> list[tuple[Path_, dict[str, Any]]]:
            return [self.follow((*place, "parameters", i), p) for i, p in enumerate(parameters or [])]

        own = listed(operation.place, operation.data.get("parameters"))
        named = {(p["name"], p["in"]) for _, p in own}
        shared = listed(operation.place[:-1], self.document["paths"][operation.path].get("parameters"))
        return own + [(place, p) for place, p in shared if (p["name"], p["in"]) not in named]
