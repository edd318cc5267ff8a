"""Makes the page with the models: every field by its name in Python and in JSON, its type and its description."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from openapi_python_client.strings import ClassName

from generator.names import python_name
from maintenance.site.specification_pages import Node, escape_code, format_code, join_codes
from maintenance.surface import PACKAGE, Model, Surface, find_reachable


class Member(Protocol):
    """What the generated `members.py` says about a member."""

    @property
    def attribute(self) -> str: ...

    @property
    def is_required(self) -> bool: ...


#: The names in JSON by the name of the model, as in the generated `members.py`.
Members = Mapping[str, Mapping[str, Member]]


def make_models_page(surface: Surface, members: Members, document: Node) -> str:
    """Returns the page.

    Args:
        surface: the generated package. The types are those of its annotations.
        members: the generated `MEMBERS`.
        document: the specification. It describes the enums.
    """
    return "\n\n".join(_Writer(surface, members, document).write()) + "\n"


#: What the models have in common. mkdocstrings fills in the documentation.
_BASES = f"""\
## Base classes

::: {PACKAGE}.types.Model
    options:
      heading_level: 3
      members: [from_dict]

::: {PACKAGE}.documents.DocumentModel
    options:
      heading_level: 3
      members: []"""


class _Writer:
    def __init__(self, surface: Surface, members: Members, document: Node) -> None:
        self._surface = surface
        self._members = members
        schemas: Node = document.get("components", {}).get("schemas", {})
        self._texts = {str(ClassName(name, "")): str(value.get("description", "")) for name, value in schemas.items()}
        self._version = document["info"]["version"]

    def write(self) -> Iterator[str]:
        yield "# Models"
        yield (
            "The objects that [operations](operations.md) return and take, in the spelling of Python. Import them from "
            f"`{PACKAGE}.models`. `to_dict()` of each returns its JSON. `additional_properties` keeps members that "
            "the specification does not describe. What an absent member reads as is described at "
            f"[DocumentModel](#{PACKAGE}.documents.DocumentModel). This page is made from version {self._version} of "
            "the [specification](specification.md)."
        )
        missing = {*self._surface.models, *self._surface.literals}
        for tag, types in self._list_types().items():
            found = [name for name in find_reachable(self._surface, types) if name in missing]
            missing -= {*found}
            if found:
                yield f"## `imds.{tag}`"
                yield from self._write_all(found)
        if missing:
            yield "## Other models"
            yield "Content of signed documents, bodies of errors, and requests to other hosts of managed identities."
            yield from self._write_all(sorted(missing))
        yield _BASES

    def _list_types(self) -> dict[str, list[str]]:
        """Returns the types in the signatures of each tag."""
        types: dict[str, list[str]] = {}
        for name, method in self._surface.operations.items():
            types.setdefault(name.partition(".")[0], []).extend((method.returns, *method.arguments.values()))
        return types

    def _write_all(self, names: Iterable[str]) -> Iterator[str]:
        for name in names:
            # Some signatures name a model in its module, instead of in the package. They are linked to the same place.
            yield f"[](){{ #{PACKAGE}.models.{python_name(name)}.{name} hidden=hidden }}"
            yield f"### {name} {{ #{_make_anchor(name)} }}"
            if model := self._surface.models.get(name):
                yield model.text
                for json_name, member in self._members[name].items():
                    yield from self._write_field(model, member, json_name)
            else:
                yield self._texts.get(name, "")
                values = ast.literal_eval(self._surface.literals[name].removeprefix("Literal"))
                yield f"A string, one of {join_codes(values, 'or')}."

    def _write_field(self, model: Model, member: Member, json_name: str) -> Iterator[str]:
        field = member.attribute
        # The name of the model makes the results of a search clear. The page shows it in grey.
        yield f"#### <span>{model.name}.</span>{field} {{ #{_make_anchor(model.name)}.{field} .field }}"
        required = " · required" if member.is_required else ""
        yield f"{self._format_type(model.fields[field])} · {format_code(json_name)} in JSON{required}"
        yield model.texts[field]

    def _format_type(self, annotation: str) -> str:
        """Returns an annotation as code, with links to the models and enums in it."""
        linked = self._surface.models.keys() | self._surface.literals.keys()
        parts = re.split(r"(\w+)", re.sub(r"\bUnset\b", "None", annotation))
        code = (f'<a href="#{_make_anchor(p)}">{p}</a>' if p in linked else escape_code(p) for p in parts)
        return f"<code>{''.join(code)}</code>"


def _make_anchor(name: str) -> str:
    """Returns the path of a model. mkdocstrings links types in signatures to it."""
    return f"{PACKAGE}.models.{name}"
