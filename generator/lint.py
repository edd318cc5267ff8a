"""The specification's own lint: what is invalid, what the generator gets silently wrong, what nobody would enforce.

Each rule is one function that yields findings; `RULES` is the list of them. The blind spots are openapi-python-client
0.29.1's, each seen by running it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from jsonschema import Draft202012Validator
from openapi_python_client.strings import ClassName
from openapi_spec_validator import OpenAPIV31SpecValidator

from .contract import ENFORCED, EXTENSIONS, python_name
from .specification import METHODS, Finding, Operation, Path_, Specification, SpecificationError

Findings = Iterator[Finding]

#: Local names of the generated request function, which a parameter of the same name overwrites.
TAKEN_PARAMETERS = {"params", "headers", "cookies", "body", "self"}

#: Attributes of the hand-written client, which a tag of the same name would hide.
TAKEN_TAGS = {"get", "http", "close", "aclose", "with_options", "is_available", "endpoint"}

#: Keywords that change nothing about what is accepted.
ANNOTATIONS = {
    "title", "description", "default", "example", "examples", "deprecated", "format", "externalDocs", "readOnly",
    "writeOnly", "$comment", "allOf", "anyOf", "oneOf", "$ref",
}  # fmt: skip


def check(specification: Specification) -> None:
    """Raises SpecificationError with every finding; returns nothing when there is none."""
    findings = (
        list(broken_references(specification)) or list(defaults(specification)) or list(valid_openapi(specification))
    )
    if not findings:
        findings = [finding for rule in RULES for finding in rule(specification)]
    if findings:
        raise SpecificationError(sorted(findings))


def broken_references(spec: Specification) -> Findings:
    """Every `$ref` leads somewhere in this document. First of all, because every other rule follows them."""
    for place, node in spec.nodes():
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            try:
                spec.resolve({"$ref": node["$ref"]})
            except (KeyError, TypeError):
                yield spec.finding((*place, "$ref"), "broken-ref", f"{node['$ref']} leads nowhere")


def defaults(spec: Specification) -> Findings:
    """A default meets its own schema. (The validator below would say so too, but not where.)"""
    for place, node in spec.nodes():
        if isinstance(node, dict) and "default" in node and place[-1:] not in (("properties",), ("responses",)):
            for error in Draft202012Validator(spec.resolve(node)).iter_errors(node["default"]):
                yield spec.finding((*place, "default"), "default", error.message)


def valid_openapi(spec: Specification) -> Findings:
    """The document is valid OpenAPI 3.1."""
    version = str(spec.document.get("openapi", ""))
    if not version.startswith("3.1."):
        yield spec.finding(("openapi",), "valid-openapi", f"openapi is {version!r}; this project reads 3.1")
        return
    for error in OpenAPIV31SpecValidator(spec.document).iter_errors():
        yield spec.finding(tuple(error.absolute_path), "valid-openapi", error.message.split("\n")[0][:300])


def operation_ids(spec: Specification) -> Findings:
    """Files and methods are named by the operationId: it must exist, and be unique as a Python name."""
    seen: dict[str, Operation] = {}
    methods: dict[tuple[str, str], Operation] = {}
    for operation in spec.operations():
        if not operation.id:
            yield spec.finding(operation.place, "operation-id", "the operation has no operationId")
            continue
        place = (*operation.place, "operationId")
        name = python_name(operation.id)
        if name in seen:
            yield spec.finding(
                place,
                "duplicate-operation-id",
                f"operationId {operation.id!r} is taken by {' '.join(map(str, seen[name].place[1:]))}; "
                "the generator would overwrite one with the other",
            )
        seen.setdefault(name, operation)
        method = (python_name(operation.tag), name.removeprefix(python_name(operation.tag) + "_"))
        if method in methods and methods[method].id != operation.id:
            yield spec.finding(
                place, "duplicate-method", f"{method[0]}.{method[1]} already comes from {methods[method].id}"
            )
        methods.setdefault(method, operation)


def tags(spec: Specification) -> Findings:
    """One tag an operation: it is the attribute of the client that holds the method."""
    for operation in spec.operations():
        if len(operation.data.get("tags") or ()) != 1:
            yield spec.finding(operation.place, "one-tag", "an operation needs exactly one tag")
        elif python_name(operation.tag) in TAKEN_TAGS:
            yield spec.finding(
                (*operation.place, "tags"), "taken-tag", f"tag {operation.tag!r} would hide the client's own attribute"
            )


def parameters(spec: Specification) -> Findings:
    """Parameters whose name, place or type the generator cannot carry."""
    for operation in spec.operations():
        names: dict[str, str] = {}
        for place, parameter in spec.parameters(operation):
            name, where = parameter["name"], parameter["in"]
            schema = spec.resolve(parameter.get("schema", {}))
            identifier = python_name(name)
            if identifier in TAKEN_PARAMETERS:
                yield spec.finding(
                    place, "taken-parameter", f"a parameter named {name!r} corrupts the generated request; rename it"
                )
            if identifier in names:
                yield spec.finding(
                    place, "duplicate-parameter", f"{name!r} and {names[identifier]!r} are both {identifier} in Python"
                )
            names[identifier] = name
            if "schema" not in parameter:
                yield spec.finding(place, "parameter-schema", f"{name!r} has no schema, so the generator drops it")
            if "description" in parameter:
                yield spec.finding(
                    place,
                    "parameter-description",
                    f"{name!r}: the generator reads a description only inside the schema",
                )
            if parameter.get("explode") is False or (
                "style" in parameter and parameter["style"] in _UNSUPPORTED_STYLES
            ):
                yield spec.finding(place, "explode", f"{name!r}: explode: false and joined styles are ignored")
            if where == "header" and (schema.get("type") == "array" or schema.get("format") in ("date-time", "date")):
                yield spec.finding(
                    place, "header-type", f"{name!r}: with an array or date header parameter the operation vanishes"
                )
            if where == "path" and "default" in schema:
                yield spec.finding(place, "path-default", f"{name!r}: a path parameter cannot have a default")
            yield from _enforceable(spec, place, name, parameter.get("schema", {}))


_UNSUPPORTED_STYLES = {"spaceDelimited", "pipeDelimited", "deepObject", "matrix", "label"}


def request_bodies(spec: Specification) -> Findings:
    """Bodies, like parameters, may only carry constraints that are enforced."""
    for operation in spec.operations():
        for media in spec.resolve(operation.data.get("requestBody", {})).get("content", {}).values():
            place = (*operation.place, "requestBody")
            yield from _enforceable(spec, place, "body", media.get("schema", {}))


def _enforceable(spec: Specification, place: Path_, name: str, schema: Any, above: tuple[int, ...] = ()) -> Findings:
    schema = spec.resolve(schema)
    if not isinstance(schema, dict) or id(schema) in above:
        if id(schema) in above:
            yield spec.finding(place, "recursive-request", f"{name}: a request schema may not contain itself")
        return
    above = (*above, id(schema))
    for keyword in schema:
        if keyword not in ENFORCED and keyword not in ANNOTATIONS and not keyword.startswith("x-"):
            yield spec.finding(
                place, "unenforced", f"{name}: nothing enforces the keyword {keyword!r}; state it otherwise"
            )
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            yield spec.finding(place, "unenforced", f"{name}: {union} in a request cannot be checked before it is sent")
    if "pattern" in schema:
        try:
            re.compile(schema["pattern"])
        except re.error as error:
            yield spec.finding(place, "pattern", f"{name}: Python cannot read the pattern: {error}")
    for member, sub in (schema.get("properties") or {}).items():
        yield from _enforceable(spec, place, f"{name}.{member}", sub, above)
    if "items" in schema:
        yield from _enforceable(spec, place, f"{name}[]", schema["items"], above)


def references(spec: Specification) -> Findings:
    """Beside `$ref` every other key is ignored by the generator."""
    for place, node in spec.nodes():
        if isinstance(node, dict) and isinstance(node.get("$ref"), str) and len(node) > 1:
            lost = ", ".join(repr(key) for key in node if key != "$ref")
            yield spec.finding(
                place, "ref-sibling", f"{lost} beside $ref is ignored; write allOf: [{{$ref: ...}}] with it"
            )


def contents(spec: Specification) -> Findings:
    """One content type a body: the generator reads the first and drops the rest."""
    for place, node in spec.nodes():
        if place and place[-1] == "content" and isinstance(node, dict) and len(node) > 1:
            yield spec.finding(place, "second-content-type", f"only {next(iter(node))!r} would be generated")


def responses(spec: Specification) -> Findings:
    """Every operation says what its success is, in one shape."""
    for operation in spec.operations():
        place = (*operation.place, "responses")
        codes = [str(code) for code in operation.data["responses"]]
        if not any(code.startswith("2") for code in codes):
            yield spec.finding(place, "no-success", "the operation names no 2xx response")


def schemas(spec: Specification) -> Findings:
    """Schema keywords that are dropped, or that break the generated code."""
    for place, node in spec.nodes():
        if not isinstance(node, dict) or (place and place[-1] in ("properties", "schemas", "mapping")):
            continue
        if "discriminator" in node:
            yield spec.finding((*place, "discriminator"), "discriminator", "discriminator is ignored by the generator")
        if "const" in node:
            yield spec.finding((*place, "const"), "const", "const makes operations vanish; write an enum of one value")
        values = node.get("enum")
        if isinstance(values, list):
            folded: dict[str, list[str]] = defaultdict(list)
            for value in values:
                folded[str(value).casefold()].append(str(value))
            for same in folded.values():
                if len(same) > 1:
                    yield spec.finding((*place, "enum"), "enum-case", f"{' and '.join(same)} differ only by case")


def models(spec: Specification) -> Findings:
    """A model named like one of its properties gives the generated code two meanings for one name."""
    seen: dict[str, str] = {}
    for name, schema in (spec.document.get("components", {}).get("schemas") or {}).items():
        class_name = str(ClassName(name, "field_"))
        place: Path_ = ("components", "schemas", name)
        if class_name in seen:
            yield spec.finding(place, "duplicate-model", f"{name} and {seen[class_name]} are both class {class_name}")
        seen.setdefault(class_name, name)
        identifiers: dict[str, str] = {}
        for member in schema.get("properties") or ():
            identifier = python_name(member)
            if identifier == python_name(class_name):
                yield spec.finding(
                    (*place, "properties", member),
                    "model-like-property",
                    f"model {name} has a property of its own name",
                )
            if identifier in identifiers:
                yield spec.finding(
                    (*place, "properties", member),
                    "duplicate-property",
                    f"{member!r} and {identifiers[identifier]!r} are both {identifier} in Python",
                )
            identifiers[identifier] = member


def extensions(spec: Specification) -> Findings:
    """An extension that nobody reads is a typing mistake, and one that names a stranger does nothing."""
    for index, server in enumerate(spec.document.get("servers") or []):
        yield from _well_formed(spec, ("servers", index), server, "server")
    for operation in spec.operations():
        wrong = list(_well_formed(spec, operation.place, operation.data, "operation"))
        yield from wrong
        if not wrong:
            groups = operation.data.get("x-mutually-exclusive", [])
            named = {name for group in groups for name in group} | set(operation.data.get("x-echoed", ()))
            for stranger in sorted(named - {parameter["name"] for _, parameter in spec.parameters(operation)}):
                yield spec.finding(operation.place, "extension", f"the operation has no parameter {stranger!r}")


def _well_formed(spec: Specification, place: Path_, node: dict[str, Any], kind: str) -> Findings:
    for key, value in node.items():
        if key.startswith("x-") and key not in EXTENSIONS[kind]:
            known = ", ".join(EXTENSIONS[kind])
            yield spec.finding((*place, key), "extension", f"nothing reads {key!r} here; known: {known}")
        elif key.startswith("x-"):
            for error in Draft202012Validator(EXTENSIONS[kind][key]).iter_errors(value):
                yield spec.finding((*place, key), "extension", f"{key}: {error.message}")


def path_items(spec: Specification) -> Findings:
    """A path item that is a reference is read by no part of the tool chain."""
    for path, item in (spec.document.get("paths") or {}).items():
        if not any(method in item for method in METHODS):
            yield spec.finding(("paths", path), "empty-path", "the path has no operation of its own")


RULES: list[Callable[[Specification], Findings]] = [
    operation_ids,
    tags,
    parameters,
    request_bodies,
    references,
    contents,
    responses,
    schemas,
    models,
    extensions,
    path_items,
]
