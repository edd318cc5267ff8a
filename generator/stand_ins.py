"""Other hosts in the specification: how each is recognized, and what stands for an operation there.

The path of such a host has `servers` of its own, and its operations name the operation that they stand for
(`x-stands-for`). The wrapper needs both as data, so that it has no code for a single host.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from .names import python_name, python_tag
from .specification import Operation, Path_, Specification

#: Extensions of a server that become fields of the generated `Server`.
_SERVER_FIELDS = {
    "x-api-version": "api_version",
    "x-title": "title",
    "x-origin": "origin",
    "x-url": "template",
    "x-certificate": "certificate",
    "x-proxies": "proxies",
    "x-must-echo": "must_echo",
    "x-refused": "refused",
    "x-unreachable": "unreachable",
    "x-variables": "variables",
}


def server_places(specification: Specification) -> Iterator[tuple[Path_, dict[str, Any]]]:
    """All servers in the order in which a host is recognized: those of paths, then those of the whole document.

    `x-order` puts those of paths in order, because tools that write a document may sort its paths. Those without it
    are the last of them.
    """
    of_paths: list[tuple[Path_, dict[str, Any]]] = [
        (("paths", path, "servers", index), server)
        for path, item in (specification.document.get("paths") or {}).items()
        for index, server in enumerate(item.get("servers") or [])
    ]
    yield from sorted(of_paths, key=lambda found: found[1].get("x-order", math.inf))
    for index, server in enumerate(specification.document.get("servers") or []):
        yield ("servers", index), server


def server_name(server: dict[str, Any]) -> str:
    """The name by which the wrapper knows a server."""
    return str(server.get("x-name", server["url"]))


def servers(specification: Specification) -> list[dict[str, Any]]:
    """The keyword arguments of each generated `Server`."""
    return [_server(specification, place, server) for place, server in server_places(specification)]


def _server(specification: Specification, place: Path_, server: dict[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": server_name(server), "url": server["url"]}
    when = server.get("x-when", {})
    for key, value in (("set", "when_set"), ("unset", "when_unset"), ("files", "when_files")):
        if when.get(key):
            facts[value] = when[key]
    facts |= {field: server[key] for key, field in _SERVER_FIELDS.items() if server.get(key)}
    if place[0] == "paths":
        facts["operations"] = {
            operation.data["x-stands-for"]: f"{python_tag(operation.tag)}.{python_name(operation.id).upper()}"
            for operation in specification.operations()
            if operation.path == place[1] and "x-stands-for" in operation.data
        }
    return facts


def stood_for(specification: Specification, operation: Operation) -> Operation | None:
    """The operation that this one stands for. None if it stands for itself."""
    wanted = operation.data.get("x-stands-for")
    return next((o for o in specification.operations() if wanted and o.id == wanted), None)


def body_schema(specification: Specification, operation: Operation) -> dict[str, Any]:
    """The schema of the request's body, with references resolved. {} without a body."""
    body = specification.resolve(operation.data.get("requestBody", {}))
    media: dict[str, Any] = next(iter(body.get("content", {}).values()), {})
    schema: dict[str, Any] = specification.resolve(media.get("schema", {}))
    return schema


def inputs(specification: Specification, operation: Operation) -> Iterator[tuple[str, str, dict[str, Any], bool]]:
    """All parameters and members of the body: argument in Python, member, what may have extensions, and if required."""
    for _, parameter in specification.parameters(operation):
        yield python_name(parameter["name"]), "", parameter, bool(parameter.get("required"))
    schema = body_schema(specification, operation)
    for member, described in schema.get("properties", {}).items():
        yield "body", member, described, member in schema.get("required", ())


def sources(specification: Specification, operation: Operation) -> list[dict[str, Any]]:
    """Where each value of a request comes from: the keyword arguments of each generated `Source`."""
    target = stood_for(specification, operation)
    if target is None:
        return []
    arguments = {python_name(parameter["name"]) for _, parameter in specification.parameters(target)}
    found: list[dict[str, Any]] = []
    for name, member, data, required in inputs(specification, operation):
        schema = specification.resolve(data.get("schema", data))
        argument = python_name(data.get("x-argument", member or data.get("name", "")))
        facts: dict[str, Any] = {
            "name": name,
            "member": member,
            "argument": argument if argument in arguments and "enum" not in schema else "",
            "variable": data.get("x-from", ""),
            "file": data.get("x-from-file", ""),
            "suffix": data.get("x-suffix", ""),
            "default": schema.get("default") if member else None,
            "required": required and "default" not in schema,
            "secret": schema.get("format") == "password",
        }
        if any(facts[key] for key in ("argument", "variable", "file", "default")):
            found.append({key: value for key, value in facts.items() if value})
    return found
