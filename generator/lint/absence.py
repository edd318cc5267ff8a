"""What absent members read as (`x-absent: empty`)."""

from __future__ import annotations

from ..absence import EXTENSION
from ..specification import Findings, Specification
from .schemas import types_of


def absence(spec: Specification) -> Findings:
    """The extension is on an object."""
    for name, schema in (spec.document.get("components", {}).get("schemas") or {}).items():
        is_object = "object" in types_of(schema) or "properties" in schema or "allOf" in schema
        if EXTENSION in schema and not is_object:
            yield spec.finding(("components", "schemas", name, EXTENSION), "absent", f"only an object has {EXTENSION}")
