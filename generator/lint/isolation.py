"""The document stands alone: it refers to nothing outside itself, and it cannot change how references are resolved.

This check runs first. It covers every mapping, including examples and other data, because validators treat a mapping
with `$ref` as a reference wherever it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..specification import Findings, Path_, Specification

#: Keywords of JSON Schema that load other documents, or that change what a reference means.
REFUSED = {
    "$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveAnchor", "$recursiveRef", "$schema", "$vocabulary",
    "jsonSchemaDialect",
}  # fmt: skip


def isolation(spec: Specification) -> Findings:
    """Every `$ref` is a reference, and its target is in this document. No other keyword affects references."""
    references = {node.place for node in spec.nodes()}
    for place, mapping in _mappings((), spec.document):
        for key in mapping:
            here = (*place, key)
            if key in REFUSED:
                yield spec.finding(here, "isolation", f"{key} is not supported: it changes what references mean")
            elif key == "$ref" and place not in references:
                yield spec.finding(here, "isolation", "$ref is not supported in data; write the value out")
            elif key == "$ref" and not (isinstance(mapping[key], str) and mapping[key].startswith("#/")):
                yield spec.finding(
                    here, "isolation", f"{str(mapping[key])[:100]!r} is outside this document; only #/... is supported"
                )


def _mappings(place: Path_, node: Any) -> Iterator[tuple[Path_, dict[str, Any]]]:
    if isinstance(node, dict):
        yield place, node
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from _mappings((*place, key), value)
