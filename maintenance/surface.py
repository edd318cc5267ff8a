"""What a tree's generated client offers: operations, arguments, types and fields, read from its source by griffe."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import griffe
from attrs import field, frozen

from .problem import Problem

PACKAGE = "azure_imds_api"

#: What every model has beside the specification's fields.
_MODEL_EXTRAS = {"additional_properties", "additional_keys"}


@frozen
class Method:
    """One operation as the facade offers it.

    Attributes:
        name: tag and method, such as `identity.get_token`.
        arguments: types by argument, in their order; `Literal`s written out.
        required: the arguments without a default.
        returns: the type of the answer.
        deprecated: the arguments that are deprecated, and "" where the operation itself is.
        text: its documentation.
    """

    name: str
    arguments: Mapping[str, str]
    required: frozenset[str]
    returns: str
    deprecated: frozenset[str]
    text: str = field(repr=False)


@frozen
class Model:
    """One object type. `fields` and `texts` by field: its type, and its documentation; `required` have no default."""

    name: str
    fields: Mapping[str, str]
    required: frozenset[str]
    texts: Mapping[str, str] = field(repr=False)


@frozen
class Surface:
    """All of it, by name. `literals` has the values of each named list of values."""

    operations: Mapping[str, Method]
    models: Mapping[str, Model]
    literals: Mapping[str, str]


def read(tree: Path) -> Surface:
    """The surface of the generated package below `tree`.

    Raises:
        Problem: there is none, or it is not one that this reads.
    """
    try:
        package = griffe.load(PACKAGE, search_paths=[tree / "generated"], allow_inspection=False)
    except ImportError:
        raise Problem(f"{tree}: there is no generated/{PACKAGE}") from None
    assert isinstance(package, griffe.Module)
    literals: dict[str, str] = {}
    models: dict[str, Model] = {}
    for module in _modules(package["models"]):
        for name, member in module.members.items():
            if isinstance(member, griffe.Attribute) and str(member.value).startswith("Literal["):
                literals[name] = str(member.value)
            elif isinstance(member, griffe.Class):
                models[name] = _model(member)
    operations = {method.name: method for method in _methods(package)}
    if not operations:
        raise Problem(f"{tree}: generated/{PACKAGE} has no facade that this reads")
    return Surface(operations, models, literals)


def written_out(annotation: str, literals: Mapping[str, str]) -> str:
    """A type as it can stand anywhere: without names for lists of values, and `None` for what is absent."""
    return re.sub(r"\w+", lambda name: "None" if name[0] == "Unset" else literals.get(name[0], name[0]), annotation)


def sent(surface: Surface) -> set[str]:
    """The models that callers make, to send them."""
    found: set[str] = set()
    wanted = {n for method in surface.operations.values() for a in method.arguments.values() for n in names_in(a)}
    while wanted := (wanted & surface.models.keys()) - found:
        found |= wanted
        wanted = {n for name in wanted for a in surface.models[name].fields.values() for n in names_in(a)}
    return found


def names_in(annotation: str) -> set[str]:
    """The names that a type is made of; not what stands in quotes."""
    return set(re.findall(r"\b[A-Za-z_]\w*\b", re.sub(r"""(["']).*?\1""", "", annotation)))


def _modules(package: griffe.Object | griffe.Alias) -> Iterator[griffe.Module]:
    for member in package.members.values():
        if isinstance(member, griffe.Module):
            yield member


def _model(found: griffe.Class) -> Model:
    attributes = {
        name: member
        for name, member in found.members.items()
        if isinstance(member, griffe.Attribute) and member.annotation is not None and name not in _MODEL_EXTRAS
    }
    return Model(
        found.name,
        {name: str(member.annotation) for name, member in attributes.items()},
        frozenset(name for name, member in attributes.items() if member.value is None),
        {name: _text(member) for name, member in attributes.items()},
    )


def _methods(package: griffe.Module) -> Iterator[Method]:
    for tag, attribute in package["api.Operations"].members.items():
        if tag.startswith("_"):
            continue
        kind = str(attribute.annotation if isinstance(attribute, griffe.Attribute) else attribute.returns)
        for name, method in package[f"api.{tag}.{kind}"].members.items():
            if isinstance(method, griffe.Function) and not name.startswith("_"):
                arguments = [argument for argument in method.parameters if argument.name != "self"]
                yield Method(
                    f"{tag}.{name}",
                    {argument.name: str(argument.annotation) for argument in arguments},
                    frozenset(argument.name for argument in arguments if argument.required),
                    str(method.returns),
                    frozenset(_deprecated(method)),
                    _text(method),
                )


def _deprecated(method: griffe.Function) -> Iterator[str]:
    for decorator in method.decorators:
        call = ast.parse(str(decorator.value), mode="eval").body
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "deprecated":
            yield ""
        elif isinstance(call, ast.Call) and ast.unparse(call.func) == "deprecated_arguments":
            yield from ast.literal_eval(call.args[0])


def _text(member: griffe.Object) -> str:
    return member.docstring.value if member.docstring else ""
