"""What absent members of a response read as (`x-absent: empty` on a schema).

The models of such a schema, and all models below it, read an absent member as its empty form. The templates write the
forms next to the models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from attrs import evolve
from openapi_python_client.parser.properties import LiteralEnumProperty, ModelProperty, Property
from openapi_python_client.parser.properties.none import NoneProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.union import UnionProperty

#: The extension, and its only value.
EXTENSION = "x-absent"
EMPTY = "empty"


def empty_forms(models: Iterable[ModelProperty]) -> dict[str, dict[str, str]]:
    """The empty forms of members, by class and by attribute, as Python source. Models without the extension have none.

    A form is `str`, `list`, the name of a model in quotes, or `None` for a member that has no empty form.
    """
    by_name = {str(model.class_info.name): model for model in models}
    waiting = [name for name, model in by_name.items() if (model.data.model_extra or {}).get(EXTENSION) == EMPTY]
    forms: dict[str, dict[str, str]] = {}
    while waiting:
        name = waiting.pop()
        if name not in forms:
            model = by_name[name]
            forms[name] = {
                str(p.python_name): "None" if p.required else _form(p, by_name)
                for p in (*(model.required_properties or ()), *(model.optional_properties or ()))
            }
            waiting += [str(below.class_info.name) for below in _models_below(model)]
    return forms


def as_present(prop: Property) -> Property:
    """The property as it is if the document has it. Its type contains no None, and its code expects a value."""
    return evolve(prop, required=True)


def is_single_value(prop: PropertyProtocol) -> bool:
    """Whether a member is text, a number, a boolean or an enum, so that a list or an object is never its value."""
    if isinstance(prop, UnionProperty):
        return all(isinstance(inner, NoneProperty) or is_single_value(inner) for inner in prop.inner_properties)
    return isinstance(prop, LiteralEnumProperty) or prop._type_string in ("str", "int", "float", "bool")


def is_text(prop: Property) -> bool:
    """Whether a member is always text, and any text. An enum alone has no "", so it has no empty form."""
    if isinstance(prop, UnionProperty):
        enums = [p for p in prop.inner_properties if isinstance(p, LiteralEnumProperty) and p.value_type is str]
        texts = [p for p in prop.inner_properties if p._type_string == "str"]
        return bool(texts) and len(enums) + len(texts) == len(prop.inner_properties)
    return prop._type_string == "str"


def _form(prop: Property, models: dict[str, ModelProperty]) -> str:
    if isinstance(prop, ModelProperty):
        name = str(prop.class_info.name)
        return "None" if models[name].required_properties else repr(name)
    if prop.template == "list_property.py.jinja":
        return "list"
    return "str" if is_text(prop) else "None"


def _models_below(model: ModelProperty) -> Iterator[ModelProperty]:
    waiting: list[Any] = [*(model.required_properties or ()), *(model.optional_properties or ())]
    waiting.append(model.additional_properties)
    while waiting:
        prop = waiting.pop()
        if isinstance(prop, ModelProperty):
            yield prop
        waiting += getattr(prop, "inner_properties", ())
        waiting += [prop.inner_property] if hasattr(prop, "inner_property") else []
