"""The hosts of managed identities as data, for programs that play or describe them, such as the emulator."""

from __future__ import annotations

from typing import Any

from .specification import Operation, Specification
from .stand_ins import body_schema, server_places


def list_hosts(specification: Specification) -> list[dict[str, Any]]:
    """All servers of the document in the order of their detection, with all references resolved.

    A server without conditions always matches, so it is the last one.
    """
    operations = {o.path: o for o in specification.operations() if "x-stands-for" in o.data}
    hosts = [
        _host(specification, server, operations.get(str(place[1])) if place[0] == "paths" else None)
        for place, server in server_places(specification)
        if "x-name" in server
    ]
    return sorted(hosts, key=lambda host: not host["when"])


def _host(spec: Specification, server: dict[str, Any], operation: Operation | None) -> dict[str, Any]:
    return {
        "name": server.get("x-name"),
        "title": server.get("x-title"),
        "url": server["url"],
        "when": server.get("x-when") or {},
        "origin": server.get("x-origin"),
        "url_template": server.get("x-url"),
        "certificate": server.get("x-certificate"),
        "proxies": bool(server.get("x-proxies")),
        "refused": server.get("x-refused"),
        "variables": server.get("x-variables") or {},
        "operation": operation and _operation(spec, operation),
    }


def _operation(spec: Specification, operation: Operation) -> dict[str, Any]:
    data = operation.data
    return {
        "id": operation.id,
        "stands_for": data["x-stands-for"],
        "method": operation.method.upper(),
        "path": operation.path,
        "parameters": [
            *(_parameter(spec, parameter, parameter["in"]) for _, parameter in spec.parameters(operation)),
            *_form(spec, operation),
        ],
        "exclusive": data.get("x-mutually-exclusive") or [],
        "echoed": data.get("x-echoed") or {},
        "errors": [
            {key: error.get(key) for key in ("status", "text", "class", "hint", "when", "body")}
            for error in data.get("x-errors") or []
        ],
        "examples": _examples(spec, operation),
    }


def _form(spec: Specification, operation: Operation) -> list[dict[str, Any]]:
    """The members of the body, like parameters."""
    schema = body_schema(spec, operation)
    required = schema.get("required", ())
    return [
        _parameter(spec, {**spec.resolve(member), "name": name, "required": name in required}, "form")
        for name, member in schema.get("properties", {}).items()
    ]


def _parameter(spec: Specification, parameter: dict[str, Any], place: str) -> dict[str, Any]:
    schema = spec.resolve(parameter.get("schema", parameter))
    valid = [schema[key] for key in ("default", "example") if key in schema]
    valid += [*schema.get("enum", ()), *schema.get("examples", ())]
    if "example" in parameter:
        valid.append(parameter["example"])
    return {
        "name": parameter["name"],
        "in": place,
        "required": bool(parameter.get("required")),
        "argument": parameter.get("x-argument", parameter["name"]),
        "from": parameter.get("x-from"),
        "file": parameter.get("x-from-file"),
        "suffix": parameter.get("x-suffix", ""),
        "default": schema.get("default"),
        "values": list(dict.fromkeys(valid)),
        "secret": schema.get("format") == "password",
    }


def _examples(spec: Specification, operation: Operation) -> dict[str, Any]:
    """The examples of the successful responses, by name."""
    return {
        name: spec.resolve(example).get("value")
        for code, response in operation.data["responses"].items()
        if str(code).startswith("2")
        for media in spec.resolve(response).get("content", {}).values()
        for name, example in (media.get("examples") or {}).items()
    }
