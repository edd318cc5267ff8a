"""Help in the specification's words, as the generated facade's docstrings have them."""

from __future__ import annotations

import inspect
import re
from functools import cache
from importlib import import_module

#: Names of arguments that only the wire spells differently.
SPELLED = {"resource_id": "msi_res_id"}

_ARGUMENT = re.compile(r"^    (\w+): (.*(?:\n     +.*)*)", re.MULTILINE)


@cache
def _docstring(operation: str) -> str:
    tag, method = operation.split(".")
    from azure_imds_api.api import Operations

    kind = inspect.signature(vars(Operations)[tag].func).return_annotation
    module = import_module(f"azure_imds_api.api.{tag}")
    return inspect.getdoc(getattr(getattr(module, kind), method)) or ""


def summary(operation: str) -> str:
    """What an operation, such as `identity.get_token`, does; in one line."""
    return _docstring(operation).partition("\n")[0]


def details(operation: str) -> str:
    """What is worth knowing first about an operation: the paragraph under its summary."""
    paragraphs = re.split(r"\n\s*\n", _docstring(operation).partition("\nArgs:")[0])
    return " ".join(paragraphs[1].split()) if len(paragraphs) > 1 else ""


def arguments(operation: str) -> dict[str, str]:
    """What an operation's arguments are, by name."""
    _, _, rest = _docstring(operation).partition("\nArgs:\n")
    described = {name: " ".join(text.split()) for name, text in _ARGUMENT.findall(rest.partition("\nReturns:")[0])}
    return described | {ours: described[theirs] for ours, theirs in SPELLED.items() if theirs in described}
