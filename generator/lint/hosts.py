"""Hosts: servers, and the operations that stand for others on a server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..contract import VARIABLE
from ..names import python_name
from ..specification import Findings, Operation, Path_, Specification
from ..stand_ins import body_schema, inputs, server_name, server_places, sources, stood_for

#: Servers that the wrapper knows by name: the documentation speaks of the one, and the doctor looks at the other.
NAMED = {"azure", "arc"}

#: Extensions of a server of a path, and of a server of the whole document.
_PATH_ONLY = {"x-order", "x-url", "x-certificate", "x-proxies", "x-refused"}
_DOCUMENT_ONLY = {"x-origin", "x-api-version", "x-must-echo"}
#: Extensions of an operation that has no method.
_STAND_IN_ONLY = {"x-error-members", "x-errors", "x-retry-waits"}
_SOURCES = {"x-argument", "x-from", "x-from-file", "x-suffix"}


def servers(spec: Specification) -> Findings:
    """Servers have unique names, and a program can recognize those of paths. The wrapper knows two servers by name."""
    seen: set[str] = set()
    for place, server in server_places(spec):
        name = server_name(server)
        if name in seen:
            yield spec.finding(place, "server", f"two servers have the name {name!r}")
        seen.add(name)
        of_path = place[0] == "paths"
        if of_path and "x-when" not in server:
            yield spec.finding(place, "server", f"{name!r} needs x-when, so that a program can recognize it")
        for key in sorted(server.keys() & (_DOCUMENT_ONLY if of_path else _PATH_ONLY)):
            where = "the whole document" if of_path else "a path"
            yield spec.finding((*place, key), "server", f"only a server of {where} has {key}")
        if of_path and ("x-url" in server) == ("x-refused" in server):
            yield spec.finding(place, "server", f"{name!r} needs either x-url or x-refused")
        yield from _variables(spec, place, server)
    missing = sorted(NAMED - seen) if "servers" in spec.document else []
    if missing:
        yield spec.finding(("servers",), "server", f"the wrapper needs servers with the x-name {', '.join(missing)}")
    elif "servers" in spec.document and all("x-when" in server for server in spec.document.get("servers") or []):
        yield spec.finding(
            ("servers",), "server", "the document needs a server without x-when, for programs that recognize no other"
        )


def _variables(spec: Specification, place: Path_, server: dict[str, Any]) -> Findings:
    """Variables that the address needs are among those by which the server is recognized."""
    when = server.get("x-when", {})
    known = when.get("set", [])
    for name in sorted({*known} & {*when.get("unset", ())}):
        yield spec.finding(place, "server", f"{name!r} must be both set and unset, so no program recognizes the server")
    names = re.findall(r"{([^}]*)}", server.get("x-url", ""))
    for name in [*names, *(server[key] for key in ("x-certificate",) if key in server)]:
        if name not in known or not re.search(VARIABLE["pattern"], name):
            yield spec.finding(place, "server", f"{name!r} is not among the variables in set of x-when")
    if "x-certificate" in server and not server["url"].startswith("https://"):
        yield spec.finding((*place, "x-certificate"), "server", "only a server with an https URL has a certificate")
    if "x-url" in server and not re.match(r"{|https?://", server["x-url"]):
        yield spec.finding((*place, "x-url"), "server", "x-url must start with a variable in braces, or with http")


def stand_ins(spec: Specification) -> Findings:
    """An operation on a path with servers stands for another, and every value that it needs has a source."""
    for operation in spec.operations():
        item = spec.document["paths"][operation.path]
        target = stood_for(spec, operation)
        if "x-stands-for" not in operation.data:
            if item.get("servers"):
                yield spec.finding(
                    operation.place, "stands-for", "an operation of a path with servers needs x-stands-for"
                )
            for key in sorted(operation.data.keys() & _STAND_IN_ONLY):
                yield spec.finding((*operation.place, key), "stands-for", f"{key} has an effect only with x-stands-for")
            yield from _unread_sources(spec, operation)
        elif target is None or "x-stands-for" in target.data:
            yield spec.finding(
                (*operation.place, "x-stands-for"),
                "stands-for",
                f"the document has no operation {operation.data['x-stands-for']!r} with a method",
            )
        elif not item.get("servers"):
            yield spec.finding(operation.place, "stands-for", "the path has no servers, so nothing would be sent there")
        else:
            yield from _unfilled(spec, operation, target)


def _unread_sources(spec: Specification, operation: Operation) -> Findings:
    for place, parameter in spec.parameters(operation):
        for key in sorted(parameter.keys() & _SOURCES):
            yield spec.finding((*place, key), "stands-for", f"{key} has an effect only with x-stands-for")


def _unfilled(spec: Specification, operation: Operation, target: Operation) -> Findings:
    arguments = {python_name(parameter["name"]) for _, parameter in spec.parameters(target)}
    filled = {(source["name"], source.get("member", "")) for source in sources(spec, operation)}
    for name, member, data, required in inputs(spec, operation):
        label = member or data["name"]
        schema = spec.resolve(data.get("schema", data))
        argument = data.get("x-argument")
        if argument is not None and python_name(argument) not in arguments:
            yield spec.finding(operation.place, "stands-for", f"{label!r}: {target.id} has no argument {argument!r}")
        if (name, member) not in filled and required and "default" not in schema:
            yield spec.finding(operation.place, "stands-for", f"{label!r} is required, and nothing says its value")
        elif (name, member) not in filled and not required:
            yield spec.finding(operation.place, "stands-for", f"{label!r} is never sent: nothing says its value")
        if "x-from" in data and "x-from-file" in data:
            yield spec.finding(operation.place, "stands-for", f"{label!r} has x-from, so x-from-file is never read")
        if ("x-from" in data or "x-from-file" in data) and schema.get("type", "string") != "string":
            yield spec.finding(operation.place, "stands-for", f"{label!r} comes from the environment as a string")
        if "x-from-file" in data and schema.get("format") != "password":
            yield spec.finding(
                operation.place, "stands-for", f"{label!r} comes from a file, so it needs format: password"
            )
        if data.get("in") == "query" and schema.get("format") == "password":
            yield spec.finding(operation.place, "stands-for", f"{label!r}: a secret must not be a part of a URL")


def member_places(spec: Specification, operation: Operation) -> Iterator[Path_]:
    """The places of the members of the body of an operation that stands for another."""
    if "x-stands-for" not in operation.data or not body_schema(spec, operation):
        return
    place, body = spec.follow((*operation.place, "requestBody"), operation.data["requestBody"])
    for content_type, media in body["content"].items():
        below, schema = spec.follow((*place, "content", content_type, "schema"), media.get("schema", {}))
        yield from ((*below, "properties", member) for member in schema.get("properties", {}))
