"""The same contract, written by another tool, gives the same client."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ruamel.yaml import YAML

from generator.generate import generate
from generator.specification import Specification
from support import ROOT

pytestmark = pytest.mark.integration

#: Mappings whose order has a meaning: that of methods, and that of the fields of models.
ORDERED = ("paths", "properties")


def sort_keys(value: Any, name: str = "") -> Any:
    """Sorts the keys of mappings backwards, as no tool does by chance."""
    if isinstance(value, dict):
        items = value.items() if name in ORDERED else sorted(value.items(), reverse=True)
        return {key: sort_keys(member, key) for key, member in items}
    return [sort_keys(element) for element in value] if isinstance(value, list) else value


def write_with_ruamel(document: Any, file: Path) -> None:
    tool = YAML()
    tool.width = 60
    tool.dump(document, file)


WRITERS: dict[str, Callable[[Any, Path], object]] = {
    "json-in-one-line": lambda document, file: file.write_text(json.dumps(document)),
    "json-with-tabs": lambda document, file: file.write_text(
        json.dumps(document, indent="\t", ensure_ascii=False), encoding="utf-8"
    ),
    "ruamel": write_with_ruamel,
    "quoted-and-tagged": lambda document, file: file.write_text(
        yaml.safe_dump(document, default_style="'", width=60, sort_keys=False), encoding="utf-8"
    ),
    "in-another-order": lambda document, file: file.write_text(
        yaml.safe_dump(sort_keys(document), sort_keys=False, allow_unicode=True), encoding="utf-8"
    ),
}


def files(root: Path) -> dict[str, bytes]:
    package = root / "generated" / "azure_imds_api"
    found = (file for file in package.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    # The hash of the document is in the provenance.
    return {str(file.relative_to(package)): file.read_bytes() for file in found if file.name != "provenance.json"}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_document_of_another_tool_gives_the_same_code(writer: str, tmp_path: Path) -> None:
    contract = ROOT / "openapi.yaml"
    WRITERS[writer](Specification.load(contract).document, tmp_path / "openapi.yaml")
    generate(tmp_path)
    assert files(tmp_path) == files(ROOT)
