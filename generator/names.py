"""Names of the specification in Python, as the generator makes them."""

from __future__ import annotations

from openapi_python_client.strings import PythonIdentifier

from .specification import Operation


def python_name(name: str, prefix: str = "field_") -> str:
    """The generator's Python identifier for the name of a parameter, property or operation."""
    return str(PythonIdentifier(name, prefix=prefix))


def python_tag(name: str) -> str:
    """The generator's Python identifier for a tag."""
    return python_name(name, prefix="tag")


def method_name(operation: Operation) -> str:
    """The name of the facade's method: the operationId without its tag, in snake case."""
    return python_name(operation.id).removeprefix(python_tag(operation.tag) + "_")


def public_name(operation: Operation) -> str:
    """What users type to call the operation, such as `identity.get_token`."""
    return f"{python_tag(operation.tag)}.{method_name(operation)}"
