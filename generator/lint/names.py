"""Names that would have two meanings in the generated code."""

from __future__ import annotations

from typing import Any

from openapi_python_client.strings import ClassName

from ..names import python_name
from ..specification import Findings, Path_, Specification

#: Variables of the generated request functions. A parameter with such a name overwrites or hides one.
TAKEN_PARAMETERS = {"params", "headers", "cookies", "body", "client", "url", "quote", "kwargs", "response"}

#: Attributes of the hand-written client. A tag with such a name would hide one.
TAKEN_TAGS = {
    "get", "http", "close", "aclose", "with_options", "is_available", "wait_until_available", "endpoint", "host",
    "options",
}  # fmt: skip

#: Names that generated modules import or define. A model with such a name would replace one.
TAKEN_MODELS = {
    "Any", "AsyncSend", "AuthenticatedClient", "BinaryIO", "ClassVar", "Client", "DocumentModel", "File", "Generator",
    "Generic", "HTTPStatus", "IO", "Literal", "Mapping", "Model", "MutableMapping", "NoneType", "Operation", "Partial",
    "Response", "Self", "Send", "T", "TextIO", "TypeVar", "Unset",
}  # fmt: skip

#: Attributes of every generated model, and variables of its methods.
TAKEN_PROPERTIES = {
    "additional_keys", "additional_properties", "cast", "cls", "d", "field_dict", "from_dict", "src_dict", "to_dict",
}  # fmt: skip


def models(spec: Specification) -> Findings:
    """Models and properties have names of their own."""
    seen: dict[str, str] = {}
    for name, schema in (spec.document.get("components", {}).get("schemas") or {}).items():
        class_name = str(ClassName(schema.get("title") or name, "field_"))
        place: Path_ = ("components", "schemas", name)
        if class_name in TAKEN_MODELS:
            yield spec.finding(
                place, "taken-model", f"generated modules already use the name {class_name}; rename the schema"
            )
        for identifier in {class_name.lower(), python_name(class_name)}:
            if seen.setdefault(identifier, name) != name:
                yield spec.finding(
                    place,
                    "duplicate-model",
                    f"{name} and {seen[identifier]} would become the same class or file; rename one",
                )
        for member in schema.get("properties") or ():
            if python_name(member) == python_name(class_name):
                yield spec.finding(
                    (*place, "properties", member),
                    "model-like-property",
                    f"model {name} has a property with its own name; rename the schema",
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
            yield spec.finding(below, "taken-property", f"generated models already use the name {member!r}")
        if identifier in identifiers:
            yield spec.finding(
                below,
                "duplicate-property",
                f"{member!r} and {identifiers[identifier]!r} both become {identifier} in Python",
            )
        identifiers[identifier] = member
