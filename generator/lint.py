"""The specification's own lint: what is invalid, what the generator gets silently wrong, what nobody would enforce.

Each rule is one function that yields findings; `RULES` is the list of them. The blind spots are openapi-python-client
0.29.1's, each seen by running it. What no rule foresees, the trial of the generated package finds (trial.py).
"""

from __future__ import annotations

import keyword
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from jsonschema import Draft202012Validator
from openapi_python_client.strings import ClassName

from . import validity
from .contract import ENFORCED, EXTENSIONS, example_of, is_json, method_name, python_name, python_pattern, python_tag
from .specification import METHODS, Finding, Node, Operation, Path_, Specification, SpecificationError

Findings = Iterator[Finding]

#: Names that the generated request functions need for themselves: a parameter so called overwrites or hides one.
TAKEN_PARAMETERS = {"params", "headers", "cookies", "body", "client", "url", "quote", "kwargs", "response"}

#: Servers that the wrapper looks for by their x-name. A contract without any servers is none of IMDS.
HOSTS = {"azure", "arc"}

#: Attributes of the hand-written client, which a tag of the same name would hide.
TAKEN_TAGS = {"get", "http", "close", "aclose", "with_options", "is_available", "endpoint"}

#: Names that generated modules import or define, which a model of the same name would replace.
TAKEN_MODELS = {
    "Any", "AsyncSend", "AuthenticatedClient", "BinaryIO", "Client", "File", "Generator", "Generic", "HTTPStatus", "IO",
    "Literal", "Mapping", "MutableMapping", "NoneType", "Operation", "Response", "Send", "T", "TextIO", "TypeVar",
    "Unset",
}  # fmt: skip

#: Members of every generated model, and variables of its methods.
TAKEN_PROPERTIES = {
    "additional_keys", "additional_properties", "cast", "cls", "d", "field_dict", "from_dict", "src_dict", "to_dict",
}  # fmt: skip

#: Keywords that change nothing about what is accepted.
ANNOTATIONS = {
    "title", "description", "default", "example", "examples", "deprecated", "format", "externalDocs", "readOnly",
    "writeOnly", "$comment", "allOf", "anyOf", "oneOf", "$ref",
}  # fmt: skip

#: Formats that become Python types of their own.
TYPED_FORMATS = {
    "date": "IMDS writes dates as it likes, and an unexpected one would make the whole answer unreadable",
    "date-time": "IMDS writes times as RFC 1123 or as it likes, which would make the whole answer unreadable",
    "uuid": 'IMDS sends "" where there is none, which would make the whole answer unreadable; write a pattern',
    "binary": "it becomes a file, which is neither sent nor read here",
}


def check(specification: Specification) -> None:
    """Raises SpecificationError with every finding; returns nothing when there is none."""

    def every_rule(spec: Specification) -> Findings:
        for rule in RULES:
            yield from rule(spec)

    for stage in (*validity.STAGES, every_rule, validity.standard):
        findings = set(stage(specification))
        if findings:
            raise SpecificationError(sorted(findings))


# Operations


def operation_ids(spec: Specification) -> Findings:
    """Files and methods are named by the operationId: it must exist, and be unique as a Python name."""
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
                f"operationId {operation.id!r} is taken by {' '.join(map(str, seen[name].place[1:]))}; "
                "the generator would overwrite one with the other",
            )
        seen.setdefault(name, operation)
        tag, method = python_tag(operation.tag), method_name(operation)
        if not method.isidentifier() or keyword.iskeyword(method):
            yield spec.finding(
                place, "operation-id", f"operationId {operation.id!r} makes {method!r} of it, no name for a method"
            )
        if (tag, method) in methods and methods[tag, method].id != operation.id:
            yield spec.finding(
                place, "duplicate-method", f"{tag}.{method} already comes from {methods[tag, method].id}"
            )
        methods.setdefault((tag, method), operation)


def tags(spec: Specification) -> Findings:
    """One tag an operation: it is the attribute of the client that holds the method."""
    described = [tag["name"] for tag in spec.document.get("tags") or ()]
    for index, name in enumerate(described):
        if name in described[:index]:
            yield spec.finding(("tags", index), "duplicate-tag", f"tag {name!r} is described already")
    for operation in spec.operations():
        if len(operation.data.get("tags") or ()) != 1:
            yield spec.finding(operation.place, "one-tag", "an operation needs exactly one tag")
        elif python_tag(operation.tag) in TAKEN_TAGS:
            yield spec.finding(
                (*operation.place, "tags"), "taken-tag", f"tag {operation.tag!r} would hide the client's own attribute"
            )


def paths(spec: Specification) -> Findings:
    """A path is literal text and parameters, and has operations."""
    items = spec.document.get("paths") or {}
    if not any(method in item for item in items.values() for method in METHODS):
        yield spec.finding(("paths",), "empty-path", "there is no operation at all")
    for path, item in items.items():
        if not any(method in item for method in METHODS):
            yield spec.finding(("paths", path), "empty-path", "the path has no operation of its own")
        if re.search(r"[?#{}]", re.sub(r"{[^{}]*}", "", path)):
            yield spec.finding(("paths", path), "path", "a path has no query, and its braces come in pairs")
    for operation in spec.operations():
        asked = set(re.findall(r"{([^}]*)}", operation.path))
        given = {
            parameter["name"]: place for place, parameter in spec.parameters(operation) if parameter["in"] == "path"
        }
        for name in sorted(asked - given.keys()):
            yield spec.finding(operation.place, "path", f"nothing describes the path's parameter {name!r}")
        for name in sorted(given.keys() - asked):
            yield spec.finding(given[name], "path", f"the path has no place for {name!r}")


def responses(spec: Specification) -> Findings:
    """Every operation says what its success is, in one shape."""
    for operation in spec.operations():
        listed = operation.data.get("responses") or {}
        place = (*operation.place, "responses")
        successes = {code: spec.resolve(response) for code, response in listed.items() if code.startswith("2")}
        if not successes:
            yield spec.finding(place, "no-success", "the operation names no 2xx response")
        first = next(iter(successes.values()), None)
        for code, response in successes.items():
            if response.get("content") != (first or {}).get("content"):
                yield spec.finding(
                    (*place, code), "one-success", "another body than the first success's, which alone is checked"
                )


# Parameters and bodies


def parameters(spec: Specification) -> Findings:
    """Parameters whose name, place or type the generator cannot carry."""
    for operation in spec.operations():
        listed = spec.parameters(operation)
        names: dict[str, str] = {}
        for place, parameter in listed:
            name = parameter["name"]
            identifier = python_name(name)
            if identifier in TAKEN_PARAMETERS or any(
                identifier == "json_" + python_name(other["name"]) for _, other in listed
            ):
                yield spec.finding(
                    place, "taken-parameter", f"a parameter named {name!r} corrupts the generated request; rename it"
                )
            if identifier in names:
                yield spec.finding(
                    place, "duplicate-parameter", f"{name!r} and {names[identifier]!r} are both {identifier} in Python"
                )
            names[identifier] = name
            yield from _parameter(spec, place, parameter)


def _parameter(spec: Specification, place: Path_, parameter: dict[str, Any]) -> Findings:
    name, where = parameter["name"], parameter["in"]
    if "schema" not in parameter:
        yield spec.finding(place, "parameter-schema", f"{name!r} has no schema, so the generator drops it")
        return
    schema = spec.resolve(parameter["schema"])
    kinds = _types(schema)
    if "description" in parameter:
        yield spec.finding(
            (*place, "description"),
            "parameter-description",
            f"{name!r}: the generator reads a description only inside the schema",
        )
    if parameter.get("explode") is False:
        yield spec.finding((*place, "explode"), "explode", f"{name!r}: explode: false is ignored")
    if parameter.get("style", "form") not in ("form", "simple"):
        yield spec.finding((*place, "style"), "explode", f"{name!r}: a joined style is ignored")
    if where == "cookie":
        yield spec.finding(place, "cookie", f"{name!r}: IMDS has no cookies, and none is ever sent")
    if where == "header" and name.lower() in ("accept", "authorization", "content-type"):
        yield spec.finding(place, "header-name", f"{name!r}: OpenAPI ignores a parameter for this header")
    if where == "header" and ("array" in kinds or schema.get("format") in ("date-time", "date")):
        yield spec.finding(
            place, "header-type", f"{name!r}: with an array or date header parameter the operation vanishes"
        )
    if (where == "path" and "array" in kinds) or "object" in kinds or "properties" in schema:
        yield spec.finding(place, "parameter-type", f"{name!r}: such a value cannot be written into a {where}")
    if where == "path" and "default" in schema:
        yield spec.finding(place, "path-default", f"{name!r}: a path parameter cannot have a default")
    yield from _enforceable(spec, (*place, "schema"), name, parameter["schema"])


def examples(spec: Specification) -> Findings:
    """A parameter with a pattern has an example that matches: error messages show it instead of the pattern."""
    for operation in spec.operations():
        for place, parameter in spec.parameters(operation):
            below, schema = (*place, "schema"), spec.resolve(parameter.get("schema", {}))
            if "pattern" not in schema:
                continue
            example = example_of(spec, schema, parameter)
            if example is None:
                yield spec.finding(
                    (*spec.follow(below, parameter["schema"])[0], "pattern"),
                    "pattern-example",
                    f"{parameter['name']!r} has a pattern, so it needs an example of a valid value",
                )
            elif not isinstance(example, str) or not re.search(python_pattern(schema["pattern"]), example):
                yield spec.finding(
                    (*place, "example") if "example" in parameter else below,
                    "pattern-example",
                    f"{parameter['name']!r}: the example {example!r} does not match the pattern",
                )


def request_bodies(spec: Specification) -> Findings:
    """Bodies are JSON objects and, like parameters, may only carry constraints that are enforced."""
    for operation in spec.operations():
        if "requestBody" not in operation.data:
            continue
        place, body = spec.follow((*operation.place, "requestBody"), operation.data["requestBody"])
        for content_type, media in body["content"].items():
            below = (*place, "content", content_type)
            schema = spec.resolve(media.get("schema", {}))
            if content_type != "application/json" or (schema.get("type") != "object" and "properties" not in schema):
                yield spec.finding(below, "request-body", "only a JSON object can be sent as a body")
            yield from _enforceable(spec, (*below, "schema"), "body", media.get("schema", {}))


def _enforceable(spec: Specification, place: Path_, name: str, schema: Any, above: tuple[int, ...] = ()) -> Findings:
    place, target = spec.follow(place, schema)
    if id(target) in above:
        yield spec.finding(place, "recursive-request", f"{name}: a request schema may not contain itself")
        return
    schema, above = spec.resolve(target), (*above, id(target))
    for key in ("anyOf", "oneOf", "allOf", "additionalProperties"):
        if key in schema:
            yield spec.finding(
                (*place, key), "unenforced", f"{name}: {key} in a request cannot be checked before it is sent"
            )
    for member, sub in (schema.get("properties") or {}).items():
        yield from _enforceable(spec, (*place, "properties", member), f"{name}.{member}", sub, above)
    if "items" in schema:
        yield from _enforceable(spec, (*place, "items"), f"{name}[]", schema["items"], above)


# Anywhere


def contents(spec: Specification) -> Findings:
    """One content type a body, with a schema: the generator reads the first and drops the rest."""
    for node in spec.nodes():
        content = node.data.get("content")
        if node.is_schema or not isinstance(content, dict):
            continue
        place = (*node.place, "content")
        first = next(iter(content), "application/json")
        if len(content) > 1:
            yield spec.finding(place, "second-content-type", f"only {first!r} would be generated")
        if not is_json(first) and first != "text/plain":
            yield spec.finding((*place, first), "content-type", f"{first!r} is neither JSON nor text/plain")
        elif first in content and "schema" not in content[first]:
            yield spec.finding((*place, first), "content-schema", "without a schema the body would be dropped")
        elif first in content and not _MEANINGFUL & spec.resolve(content[first]["schema"]).keys():
            yield spec.finding(
                (*place, first, "schema"), "content-schema", "a body that may be anything would be dropped"
            )
        elif first == "text/plain" and spec.resolve(content[first]["schema"]).get("type") != "string":
            yield spec.finding((*place, first, "schema"), "content-schema", "text is a string")


_MEANINGFUL = {"type", "enum", "properties", "allOf", "anyOf", "oneOf"}

#: Keys of OpenAPI's own objects of which nothing is made.
_UNREAD = {
    "webhooks": "nothing is made of webhooks",
    "callbacks": "nothing is made of callbacks",
    "links": "nothing is made of links",
    "servers": "only the document's own servers are read",
    "allowReserved": "reserved characters are always escaped",
    "allowEmptyValue": "an empty value is never sent without its constraints",
}


def unread(spec: Specification) -> Findings:
    """What is valid OpenAPI, and would change nothing."""
    for node in spec.nodes():
        for key in node.data:
            if not node.is_schema and key in _UNREAD and (key, node.place) != ("servers", ()):
                yield spec.finding((*node.place, key), "unread", _UNREAD[key])


# Schemas


def schemas(spec: Specification) -> Findings:
    """Schema keywords that are dropped, or that break the generated code."""
    for node in spec.nodes():
        if node.is_schema:
            for check in (_keywords, _enum, _format, _members, _union, _all_of):
                yield from check(spec, node.place, node.data)


def _keywords(spec: Specification, place: Path_, schema: dict[str, Any]) -> Findings:
    special = {
        "discriminator": "discriminator is ignored by the generator",
        "const": "const makes operations vanish; write an enum of one value",
        "nullable": 'nullable is OpenAPI 3.0; write type: [..., "null"]',
    }
    for key in schema:
        if key in special:
            yield spec.finding((*place, key), key, special[key])
        elif key not in ENFORCED and key not in ANNOTATIONS | {"additionalProperties"} and not key.startswith("x-"):
            yield spec.finding((*place, key), "unread", f"nothing reads the keyword {key!r}")
    if schema.get("additionalProperties") is False:
        yield spec.finding(
            (*place, "additionalProperties"), "closed-object", "IMDS adds fields without notice, and this drops them"
        )
    if "default" in schema and place[:2] == ("components", "schemas") and len(place) == 3:
        yield spec.finding(
            (*place, "default"),
            "component-default",
            "the generator forgets a default behind $ref; say it where it is used",
        )


def _enum(spec: Specification, place: Path_, schema: dict[str, Any]) -> Findings:
    values = schema.get("enum")
    if values is None:
        return
    place = (*place, "enum")
    kinds = {type(value) for value in values}
    if kinds not in ({str}, {int}) or not all(Draft202012Validator(_only_type(schema)).is_valid(v) for v in values):
        yield spec.finding(place, "enum-type", "values must all be strings, or all integers, as their type says")
    folded: dict[str, list[str]] = defaultdict(list)
    for value in values:
        folded[str(value).casefold()].append(str(value))
    for same in folded.values():
        if len(same) > 1:
            yield spec.finding(place, "enum-case", f"{' and '.join(same)} are the same but for their case")


def _only_type(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: schema[key] for key in ("type",) if key in schema}


def _format(spec: Specification, place: Path_, schema: dict[str, Any]) -> Findings:
    if schema.get("format") in TYPED_FORMATS:
        yield spec.finding((*place, "format"), "typed-format", f"{schema['format']}: {TYPED_FORMATS[schema['format']]}")


def _members(spec: Specification, place: Path_, schema: dict[str, Any]) -> Findings:
    if "array" in _types(schema) and "items" not in schema:
        yield spec.finding((*place, "type"), "items", "an array needs to say what its items are")
    unknown = [name for name in schema.get("required", ()) if name not in _properties(spec, schema)]
    if unknown:
        yield spec.finding(
            (*place, "required"), "required", f"required, but no property: {', '.join(map(repr, unknown))}"
        )


def _types(schema: dict[str, Any]) -> list[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


def _properties(spec: Specification, schema: dict[str, Any], above: tuple[int, ...] = ()) -> set[str]:
    """The names of a schema's properties, with those that it takes over by allOf."""
    names = set(schema.get("properties", ()))
    if id(schema) not in above:
        for part in schema.get("allOf", ()):
            names |= _properties(spec, spec.follow((), part)[1], (*above, id(schema)))
    return names


def _union(spec: Specification, place: Path_, schema: dict[str, Any]) -> Findings:
    for union in ("anyOf", "oneOf"):
        if union not in schema:
            continue
        members = [spec.resolve(member) for member in schema[union]]
        objects = [m for m in members if "object" in _types(m) or "properties" in m or "allOf" in m]
        arrays = [m for m in members if "array" in _types(m)]
        if len(objects) > 1 or len(arrays) > 1:
            yield spec.finding(
                (*place, union), "union", "nothing tells these members apart, so the first would be taken for all"
            )
        lost = sorted({"type", "properties", "items", "enum", "allOf", "additionalProperties"} & schema.keys())
        if lost:
            yield spec.finding((*place, union), "union", f"beside {union}, {', '.join(lost)} would be ignored")


def _all_of(spec: Specification, place: Path_, schema: dict[str, Any]) -> Findings:
    parts = schema.get("allOf", ())
    resolved = [spec.resolve(part) for part in parts]
    if len(parts) == 1 and "$ref" in parts[0]:
        lost = sorted(
            {"properties", "required", "items", "enum", "anyOf", "oneOf", "additionalProperties"} & schema.keys()
        )
        if lost:
            yield spec.finding((*place, "allOf"), "all-of", f"beside one reference, {', '.join(lost)} would be ignored")
        for key in sorted({"description", "deprecated"} & schema.keys()) if place[-2:-1] == ("properties",) else ():
            yield spec.finding((*place, key), "all-of", f"{key} beside one reference is lost; say it at the component")
    elif any("object" not in _types(part) and "properties" not in part for part in resolved):
        yield spec.finding((*place, "allOf"), "all-of", "only objects can be put together")


def models(spec: Specification) -> Findings:
    """Names of models and properties that would mean two things in the generated code."""
    seen: dict[str, str] = {}
    for name, schema in (spec.document.get("components", {}).get("schemas") or {}).items():
        class_name = str(ClassName(schema.get("title") or name, "field_"))
        place: Path_ = ("components", "schemas", name)
        if class_name in TAKEN_MODELS:
            yield spec.finding(place, "taken-model", f"generated modules have their own {class_name}; rename it")
        for identifier in {class_name.lower(), python_name(class_name)}:
            if seen.setdefault(identifier, name) != name:
                yield spec.finding(
                    place, "duplicate-model", f"{name} and {seen[identifier]} would be one class or one file"
                )
        for member in schema.get("properties") or ():
            if python_name(member) == python_name(class_name):
                yield spec.finding(
                    (*place, "properties", member),
                    "model-like-property",
                    f"model {name} has a property of its own name",
                )
    for node in spec.nodes():
        if node.is_schema:
            yield from _property_names(spec, node.place, node.data)


def _property_names(spec: Specification, place: Path_, schema: dict[str, Any]) -> Findings:
    identifiers: dict[str, str] = {}
    for member in schema.get("properties") or ():
        identifier = python_name(member)
        below = (*place, "properties", member)
        if identifier in TAKEN_PROPERTIES:
            yield spec.finding(below, "taken-property", f"{member!r} is a name that every generated model needs itself")
        if identifier in identifiers:
            yield spec.finding(
                below,
                "duplicate-property",
                f"{member!r} and {identifiers[identifier]!r} are both {identifier} in Python",
            )
        identifiers[identifier] = member


# Servers, security, extensions


def servers(spec: Specification) -> Findings:
    """Servers are known by their names."""
    seen: set[str] = set()
    for index, server in enumerate(spec.document.get("servers") or []):
        name = str(server.get("x-name", server["url"]))
        if name in seen:
            yield spec.finding(("servers", index), "server", f"a second server is called {name!r}")
        seen.add(name)
    missing = sorted(HOSTS - seen) if "servers" in spec.document else []
    if missing:
        yield spec.finding(("servers",), "server", f"the wrapper finds its hosts by these names: {', '.join(missing)}")


def security(spec: Specification) -> Findings:
    """A security requirement names a scheme that exists."""
    schemes = spec.document.get("components", {}).get("securitySchemes") or {}
    for node in spec.nodes():
        for index, requirement in enumerate(node.data.get("security", ()) if not node.is_schema else ()):
            for name in sorted(requirement.keys() - schemes.keys()):
                yield spec.finding((*node.place, "security", index), "security", f"there is no scheme {name!r}")


def extensions(spec: Specification) -> Findings:
    """An extension that nobody reads is a typing mistake, and one that names a stranger does nothing."""
    operations = {operation.place: operation for operation in spec.operations()}
    parameters = {place for operation in operations.values() for place, _ in spec.parameters(operation)}
    for node in spec.nodes():
        kind = "operation" if node.place in operations else "parameter" if node.place in parameters else ""
        kind = "server" if node.place[:1] == ("servers",) else kind
        wrong = list(_well_formed(spec, node, EXTENSIONS.get(kind, {})))
        yield from wrong
        if kind == "operation" and not wrong:
            yield from _strangers(spec, operations[node.place])
        if kind == "parameter" and not wrong and "x-low-level-only" in node.data:
            values = spec.resolve(node.data.get("schema", {})).get("enum", [])
            hidden = node.data["x-low-level-only"]
            if not all(value in values for value in hidden) or all(value in hidden for value in values):
                yield spec.finding(
                    (*node.place, "x-low-level-only"), "extension", "name some values of the parameter's enum, not all"
                )


def _well_formed(spec: Specification, node: Node, known: dict[str, Any]) -> Findings:
    for key, value in node.data.items():
        place = (*node.place, key)
        if key.startswith("x-") and key not in known:
            names = f"known: {', '.join(known)}" if known else "known are some of operations and servers"
            yield spec.finding(place, "extension", f"nothing reads {key!r} here; {names}")
        elif key.startswith("x-"):
            for error in Draft202012Validator(known[key]).iter_errors(value):
                yield spec.finding(place, "extension", f"{key}: {error.message}")


def _strangers(spec: Specification, operation: Operation) -> Findings:
    known = {parameter["name"] for _, parameter in spec.parameters(operation)}
    groups = operation.data.get("x-mutually-exclusive", [])
    named = {
        "x-mutually-exclusive": {name for group in groups for name in group},
        "x-echoed": set(operation.data.get("x-echoed", ())),
    }
    for key, names in named.items():
        for stranger in sorted(names - known):
            yield spec.finding((*operation.place, key), "extension", f"the operation has no parameter {stranger!r}")


RULES: list[Callable[[Specification], Findings]] = [
    operation_ids,
    tags,
    paths,
    responses,
    parameters,
    examples,
    request_bodies,
    contents,
    unread,
    schemas,
    models,
    servers,
    security,
    extensions,
]
