"""Help in the specification's words, as the generated facade's docstrings have them."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

#: Names of arguments that only the wire spells differently.
SPELLED = {"resource_id": "msi_res_id"}

_ARGUMENT = re.compile(r"^    (\w+): (.*(?:\n     +.*)*)", re.MULTILINE)


@cache
def _docstring(operation: str) -> str:
    # Read, not imported: the models and what they need would take longer than all the rest of a help page.
    tag, method = operation.split(".")
    package = find_spec("azure_imds_api")
    [folder] = (package and package.submodule_search_locations) or [""]
    tree = ast.parse(Path(folder, "api", tag, "__init__.py").read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == method]
    return ast.get_docstring(functions[0]) or ""


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
