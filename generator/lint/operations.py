"""Operations: their ids, tags, paths and responses."""

from __future__ import annotations

import keyword
import re

from ..names import method_name, python_tag
from ..specification import METHODS, Findings, Operation, Specification
from .names import TAKEN_TAGS


def operation_ids(spec: Specification) -> Findings:
    """Every operation has an operationId that is unique as a Python name: it names files and methods."""
    seen: dict[str, Operation] = {}
    methods: dict[tuple[str, str], Operation] = {}
    for operation in spec.operations():
        if not operation.id:
            yield spec.finding(operation.place, "operation-id", "the operation has no operationId")
            continue
        place = (*operation.place, "operationId")
        name = re.sub(r"[^a-z0-9]", "", operation.id.lower())
        if name in seen:
            yield spec.finding(
                place,
                "duplicate-operation-id",
                f"operationId {operation.id!r} is already used by {' '.join(map(str, seen[name].place[1:]))}; "
                "the generator would overwrite one of the two",
            )
        seen.setdefault(name, operation)
        tag, method = python_tag(operation.tag), method_name(operation)
        if not method.isidentifier() or keyword.iskeyword(method):
            yield spec.finding(
                place, "operation-id", f"operationId {operation.id!r} becomes {method!r}, which cannot name a method"
            )
        if (tag, method) in methods and methods[tag, method].id != operation.id:
            yield spec.finding(
                place, "duplicate-method", f"{tag}.{method} is already generated from {methods[tag, method].id}"
            )
        methods.setdefault((tag, method), operation)


def tags(spec: Specification) -> Findings:
    """An operation has exactly one tag: the attribute of the client that has the method."""
    described = [tag["name"] for tag in spec.document.get("tags") or ()]
    for index, name in enumerate(described):
        if name in described[:index]:
            yield spec.finding(("tags", index), "duplicate-tag", f"tag {name!r} is described twice")
    for operation in spec.operations():
        if len(operation.data.get("tags") or ()) != 1:
            yield spec.finding(operation.place, "one-tag", "an operation needs exactly one tag")
        elif python_tag(operation.tag) in TAKEN_TAGS:
            yield spec.finding(
                (*operation.place, "tags"), "taken-tag", f"tag {operation.tag!r} would hide an attribute of the client"
            )


def paths(spec: Specification) -> Findings:
    """A path consists of literal text and of parameters that are described. It has at least one operation."""
    items = spec.document.get("paths") or {}
    if not any(method in item for item in items.values() for method in METHODS):
        yield spec.finding(("paths",), "empty-path", "the document has no operation")
    for path, item in items.items():
        if not any(method in item for method in METHODS):
            yield spec.finding(("paths", path), "empty-path", "the path has no operation")
        if re.search(r"[?#{}]", re.sub(r"{[^{}]*}", "", path)):
            yield spec.finding(
                ("paths", path), "path", "a path may not contain ? or #, and every brace needs its counterpart"
            )
    for operation in spec.operations():
        used = set(re.findall(r"{([^}]*)}", operation.path))
        described = {
            parameter["name"]: place for place, parameter in spec.parameters(operation) if parameter["in"] == "path"
        }
        for name in sorted(used - described.keys()):
            yield spec.finding(operation.place, "path", f"the path's parameter {name!r} is not described")
        for name in sorted(described.keys() - used):
            yield spec.finding(described[name], "path", f"the path does not contain the parameter {name!r}")


def responses(spec: Specification) -> Findings:
    """An operation describes its success. All of its successes have the same body."""
    for operation in spec.operations():
        listed = operation.data.get("responses") or {}
        place = (*operation.place, "responses")
        successes = {code: spec.resolve(response) for code, response in listed.items() if code.startswith("2")}
        if not successes:
            yield spec.finding(place, "no-success", "the operation has no 2xx response")
        first = next(iter(successes.values()), None)
        for code, response in successes.items():
            if response.get("content") != (first or {}).get("content"):
                yield spec.finding(
                    (*place, code),
                    "one-success",
                    "the body differs from that of the first success, and only the first is checked",
                )
