"""Reads openapi.yaml so that every later message can name the line it speaks of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong with the specification: where, which rule, and what to do."""

    line: int
    rule: str
    message: str
    place: str

    def __str__(self) -> str:
        return f"openapi.yaml:{self.line}: [{self.rule}] {self.message}\n    at {self.place}"


class SpecificationError(Exception):
    """The specification cannot be used. `findings` says why, one line each."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


@dataclass(frozen=True)
class Operation:
    """One operation as it stands in the document, with the path that leads to it."""

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


class Specification:
    """The parsed document, its bytes' hash, and the line on which each node starts."""

    def __init__(self, text: str) -> None:
        self.sha256 = hashlib.sha256(text.encode()).hexdigest()
        try:
            self._marked = YAML(typ="rt").load(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise SpecificationError([Finding(line, "yaml", str(error.problem), "(document)")]) from None
        except YAMLError as error:
            raise SpecificationError([Finding(1, "yaml", str(error), "(document)")]) from None
        if not isinstance(self._marked, CommentedMap):
            raise SpecificationError([Finding(1, "yaml", "the document is not a mapping", "(document)")])
        # Plain types: what reads the document from here on must not depend on ruamel's classes.
        self.document: dict[str, Any] = json.loads(json.dumps(self._marked, default=str))

    @classmethod
    def load(cls, path: Path) -> Specification:
        return cls(path.read_text(encoding="utf-8"))

    def line(self, place: Path_) -> int:
        """The line of a node, or of the nearest node above it that has one."""
        node, line = self._marked, 1
        for step in place:
            try:
                if isinstance(node, CommentedMap):
                    line = node.lc.key(step)[0] + 1
                elif isinstance(node, CommentedSeq):
                    line = node.lc.item(step)[0] + 1
                node = node[step]
            except (KeyError, IndexError, TypeError):
                break
        return line

    def finding(self, place: Path_, rule: str, message: str) -> Finding:
        return Finding(self.line(place), rule, message, " > ".join(str(step) for step in place) or "(document)")

    def nodes(self) -> Iterator[tuple[Path_, Any]]:
        """Every node with the path to it, except what lies inside examples (which are data)."""

        def walk(place: Path_, node: Any) -> Iterator[tuple[Path_, Any]]:
            yield place, node
            if isinstance(node, dict):
                for key, value in node.items():
                    in_map_of_names = bool(place) and place[-1] in ("properties", "schemas")
                    if key in ("example", "examples", "default", "enum") and not in_map_of_names:
                        continue
                    yield from walk((*place, key), value)
            elif isinstance(node, list):
                for index, value in enumerate(node):
                    yield from walk((*place, index), value)

        yield from walk((), self.document)

    def operations(self) -> list[Operation]:
        return [
            Operation(("paths", path, method), path, method, item[method])
            for path, item in (self.document.get("paths") or {}).items()
            for method in METHODS
            if method in item
        ]

    def resolve(self, node: Any) -> Any:
        """Follows `$ref` and a lone `allOf` member until something else comes."""
        seen: set[str] = set()
        while isinstance(node, dict):
            if "$ref" in node:
                if node["$ref"] in seen:
                    return {}
                seen.add(node["$ref"])
                target: Any = self.document
                for step in node["$ref"].removeprefix("#/").split("/"):
                    target = target[step.replace("~1", "/").replace("~0", "~")]
                node = target
            elif len(node.get("allOf", ())) == 1:
                rest = {key: value for key, value in node.items() if key != "allOf"}
                node = {**self.resolve(node["allOf"][0]), **rest}
            else:
                break
        return node

    def parameters(self, operation: Operation) -> list[tuple[Path_, dict[str, Any]]]:
        """The operation's parameters and its path's, references followed, each with its place."""
        own = operation.data.get("parameters") or []
        shared = self.document["paths"][operation.path].get("parameters") or []
        placed = [((*operation.place, "parameters", i), self.resolve(p)) for i, p in enumerate(own)]
        named = {(p.get("name"), p.get("in")) for _, p in placed}
        for index, parameter in enumerate(map(self.resolve, shared)):
            if (parameter.get("name"), parameter.get("in")) not in named:
                placed.append((("paths", operation.path, "parameters", index), parameter))
        return placed
