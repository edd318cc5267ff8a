"""The design pages match the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs_support import DOCS
from support import ROOT

WRAPPER = ROOT / "wrapper" / "azure_imds"
MODULES = sorted(WRAPPER.rglob("*.py"))
SECRETS = (DOCS / "design" / "secrets.md").read_text(encoding="utf-8")


def functions_that_call(name: str, node: ast.AST, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The qualified names of the functions that call a function."""
    for child in ast.iter_child_nodes(node):
        inner = path
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            inner = (*path, child.name)
        elif isinstance(child, ast.Call) and ast.unparse(child.func) == name:
            yield ".".join(path)
        yield from functions_that_call(name, child, inner)


def test_the_page_about_secrets_lists_every_boundary_frame() -> None:
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in MODULES]
    frames = {name for tree in trees for name in functions_that_call("strip_sensitive", tree)}
    table = SECRETS.partition("## Boundary frames")[2].partition("\n\n## ")[0]
    listed = re.findall(r"`([\w.]+)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    assert frames == {*listed}


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.relative_to(WRAPPER).as_posix())
def test_only_the_boundary_cuts_tracebacks(file: Path) -> None:
    nodes = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Attribute)]
    changed = {node.attr for node in nodes if not isinstance(node.ctx, ast.Load)}
    called = {node.attr for node in nodes}
    assert file.name == "_sensitive.py" or not changed & {"__traceback__", "__context__", "tb_next"}
    assert not called & {"with_traceback", "clear_frames"}
