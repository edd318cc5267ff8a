"""What a generated client offers: operations, arguments, types and fields. griffe reads them from the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import griffe
from attrs import field, frozen

from .problem import Problem

PACKAGE = "azure_imds_api"

#: What every model has in addition to the fields of the specification.
_MODEL_EXTRAS = {"additional_properties", "additional_keys"}


@frozen
class Method:
    """One operation, as a method of the client.

    Attributes:
        name: tag and method, such as `identity.get_token`.
        arguments: the type of each argument, in the order of the signature.
        required: the arguments without a default.
        returns: the type of the result.
        deprecated: the deprecated arguments, and "" if the operation itself is deprecated.
        text: its docstring.
    """

    name: str
    arguments: Mapping[str, str]
    required: frozenset[str]
    returns: str
    deprecated: frozenset[str]
    text: str = field(repr=False)


@frozen
class Model:
    """One object type.

    Attributes:
        name: the name of the class.
        fields: the type of each field.
        required: the fields without a default.
        empty: the fields that read as empty, not as None, if a document lacks them (`x-absent: empty`).
        texts: the docstring of each field.
        text: its own docstring.
    """

    name: str
    fields: Mapping[str, str]
    required: frozenset[str]
    empty: frozenset[str]
    texts: Mapping[str, str] = field(repr=False)
    text: str = field(repr=False)


@frozen
class Surface:
    """Everything that the client offers.

    Attributes:
        operations: the operations by name.
        models: the object types by name.
        literals: the `Literal[...]` of each enum, by name.
    """

    operations: Mapping[str, Method]
    models: Mapping[str, Model]
    literals: Mapping[str, str]


def read_surface(tree: Path) -> Surface:
    """Reads the generated package of a tree.

    Raises:
        Problem: the package is missing, or has no operations in the expected form.
    """
    try:
        package = griffe.load(PACKAGE, search_paths=[tree / "generated"], allow_inspection=False)
    except ImportError:
        raise Problem(f"{tree} has no generated/{PACKAGE}") from None
    assert isinstance(package, griffe.Module)
    literals: dict[str, str] = {}
    models: dict[str, Model] = {}
    for module in _list_modules(package["models"]):
        for name, member in module.members.items():
            if isinstance(member, griffe.Attribute) and str(member.value).startswith("Literal["):
                literals[name] = str(member.value)
            elif isinstance(member, griffe.Class):
                models[name] = _read_model(member)
    operations = {method.name: method for method in _read_methods(package)}
    if not operations:
        raise Problem(f"{tree}: generated/{PACKAGE} has no operations in the expected form")
    return Surface(operations, models, literals)


def expand_type(annotation: str, literals: Mapping[str, str]) -> str:
    """Returns a type without names that need an import: enums as `Literal[...]`, and `Unset` as `None`."""
    return re.sub(r"\w+", lambda name: "None" if name[0] == "Unset" else literals.get(name[0], name[0]), annotation)


def find_sent_models(surface: Surface) -> set[str]:
    """Returns the models that are part of a request: callers construct them."""
    arguments = (annotation for method in surface.operations.values() for annotation in method.arguments.values())
    return surface.models.keys() & find_reachable(surface, arguments)


def find_reachable(surface: Surface, annotations: Iterable[str]) -> dict[str, None]:
    """Returns the models and enums in types, each followed by those in the types of its fields."""
    found: dict[str, None] = {}
    waiting = [name for annotation in annotations for name in _find_names(annotation)][::-1]
    while waiting:
        name = waiting.pop()
        if name in found or not (name in surface.models or name in surface.literals):
            continue
        found[name] = None
        if model := surface.models.get(name):
            waiting += [name for annotation in model.fields.values() for name in _find_names(annotation)][::-1]
    return found


def _find_names(annotation: str) -> list[str]:
    """Returns the names in a type, except for those in quotes."""
    return re.findall(r"\b[A-Za-z_]\w*\b", re.sub(r"""(["']).*?\1""", "", annotation))


def _list_modules(package: griffe.Object | griffe.Alias) -> Iterator[griffe.Module]:
    for member in package.members.values():
        if isinstance(member, griffe.Module):
            yield member


def _is_field(name: str) -> bool:
    return name not in _MODEL_EXTRAS and not name.startswith("_")


def _read_model(found: griffe.Class) -> Model:
    attributes = {
        name: member
        for name, member in found.members.items()
        if isinstance(member, griffe.Attribute) and member.annotation is not None and _is_field(name)
    }
    return Model(
        found.name,
        {name: str(member.annotation) for name, member in attributes.items()},
        frozenset(name for name, member in attributes.items() if not _has_default(member)),
        frozenset(name for name, member in attributes.items() if re.search(r"\bABSENT\b", str(member.value))),
        {name: _read_docstring(member) for name, member in attributes.items()},
        _read_docstring(found),
    )


def _has_default(attribute: griffe.Attribute) -> bool:
    """Whether a field has a default, also if attrs.field() gives it."""
    if attribute.value is None:
        return False
    value = ast.parse(str(attribute.value), mode="eval").body
    if not isinstance(value, ast.Call) or ast.unparse(value.func) != "_attrs_field":
        return True
    return any(keyword.arg in ("default", "factory") for keyword in value.keywords)


def _read_methods(package: griffe.Module) -> Iterator[Method]:
    for tag, attribute in package["api.Operations"].members.items():
        if tag.startswith("_"):
            continue
        kind = str(attribute.annotation if isinstance(attribute, griffe.Attribute) else attribute.returns)
        for name, method in package[f"api.{tag}.{kind}"].members.items():
            if isinstance(method, griffe.Function) and not name.startswith("_"):
                arguments = [argument for argument in method.parameters if argument.name != "self"]
                yield Method(
                    f"{tag}.{name}",
                    {argument.name: _read_type(argument.annotation) for argument in arguments},
                    frozenset(argument.name for argument in arguments if argument.required),
                    _read_type(method.returns),
                    frozenset(_find_deprecated(method)),
                    _read_docstring(method),
                )


def _read_type(annotation: object) -> str:
    """Returns a type with models by their own names. Methods name them as members of the package `models`."""
    return re.sub(r"\bmodels\.", "", str(annotation))


def _find_deprecated(method: griffe.Function) -> Iterator[str]:
    for decorator in method.decorators:
        call = ast.parse(str(decorator.value), mode="eval").body
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "deprecated":
            yield ""
        elif isinstance(call, ast.Call) and ast.unparse(call.func) == "deprecated_arguments":
            yield from ast.literal_eval(call.args[0])


def _read_docstring(member: griffe.Object) -> str:
    return member.docstring.value if member.docstring else ""
