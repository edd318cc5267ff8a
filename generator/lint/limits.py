"""Limits for what a short document can stand for. Without them, the checks below and the generator would never end.

Both rules find the problem without doing what takes long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..samples import MAX_OPTIONAL_DEPTH
from ..specification import Findings, Path_, Specification

#: Maximum number of schemas, with references followed, and of schemas that contain or refer to the next.
MAX_SCHEMAS = 50_000
MAX_DEPTH = 100

_COMPOSITION = ("allOf", "anyOf", "oneOf")

#: The parts of a regular expression: an escape, a class, the start of a group, a quantifier, or one other character.
_PARTS = re.compile(
    r"(?P<atom>\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<open>\((?:\?(?:[:=!]|<[=!]|P?<\w+>))?)|(?P<close>\))"
    r"|(?P<quantifier>(?:[*+?]|\{\d*(?:,\d*)?\})[?+]?)|(?P<or>\|)|.",
    re.DOTALL,
)


class _Excess(Exception):
    """A limit is exceeded. Its text says which."""


def expansion(spec: Specification) -> Findings:
    """The schemas stand for a limited number of schemas: a few that refer to each other can stand for billions."""
    counter = _Counter(spec)
    roots: list[Path_] = []
    for node in spec.nodes():
        inside = roots and node.place[: len(roots[-1])] == roots[-1]
        if inside or not (node.is_schema or "$ref" in node.data):
            continue
        roots.append(node.place)
        try:
            counter.count(node.data, 0, 0, ())
        except _Excess as excess:
            yield spec.finding(node.place, "size", str(excess))
            return


class _Counter:
    """Visits schemas as samples.py does: optional members to a certain depth, and everything else to its end."""

    def __init__(self, spec: Specification) -> None:
        self._spec = spec
        self._visited = 0

    def count(self, node: Any, depth: int, optional: int, above: tuple[int, ...]) -> None:
        if not isinstance(node, dict) or optional > MAX_OPTIONAL_DEPTH:
            return
        self._visited += 1
        if self._visited > MAX_SCHEMAS:
            raise _Excess(f"the document stands for more than {MAX_SCHEMAS} schemas, with references followed")
        if depth > MAX_DEPTH:
            raise _Excess(f"more than {MAX_DEPTH} schemas contain or refer to each other")
        for part, is_optional in self._parts(node):
            if is_optional:
                self.count(part, depth + 1, optional + 1, ())
            elif id(part) not in above:  # a schema that requires or combines itself has no sample
                self.count(part, depth + 1, optional, (*above, id(part)))

    def _parts(self, node: dict[str, Any]) -> Iterator[tuple[Any, bool]]:
        """Yields what a schema refers to and contains, and whether a sample document can be without it."""
        if isinstance(node.get("$ref"), str):
            try:
                yield self._spec.target(node["$ref"])[1], False
            except KeyError:
                return  # another rule refuses it
        for name, member in (node.get("properties") or {}).items():
            yield member, name not in node.get("required", ())
        for key in ("items", "additionalProperties", "not"):
            yield node.get(key), True
        for key in _COMPOSITION:
            for part in node.get(key) or ():
                yield part, False


def is_slow(pattern: str) -> bool:
    """Whether a group that repeats contains a repetition or an alternative, such as `(a+)+`.

    A text can match such a pattern in very many ways, and a search tries all of them.
    """
    ambiguous = [False]  # for each open group
    closed = False  # whether the part before is an ambiguous group
    for part in _PARTS.finditer(pattern):
        if part["open"]:
            ambiguous.append(False)
        elif part["or"]:
            ambiguous[-1] = True
        elif part["quantifier"]:
            low, _, high = part["quantifier"].strip("{}?+").partition(",")
            once = part["quantifier"][0] == "?" or (high or low) in ("0", "1")
            if closed and not once:
                return True
            fixed = part["quantifier"][0] == "{" and "," not in part["quantifier"]
            ambiguous[-1] |= not fixed
        group = ambiguous.pop() if part["close"] and len(ambiguous) > 1 else False
        ambiguous[-1] |= group
        closed = group
    return False
