"""Reads documents. A document may come from elsewhere, so its size, depth and number of values are limited.

No other module reads a document. The limits hold before anything is built from the text: a short text with aliases can
stand for billions of values. Scalars follow the core schema of YAML 1.2, which contains JSON.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any

from attrs import define, field
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
)

#: Maximum size of a document in bytes, and maximum number and depth of its values. Names in mappings count as values.
#: Aliases count as what they stand for.
MAX_SIZE = 512 * 1024
MAX_VALUES = 30_000
MAX_DEPTH = 64

#: Maximum length of a number. Longer ones are slow to convert.
MAX_NUMBER = 40

_TAG = "tag:yaml.org,2002:"
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
#: The tags of scalars that are no strings, each with the type of its values.
_TAGGED = {"int": int, "float": float, "bool": bool, "null": NoneType}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


class DocumentError(Exception):
    """A document cannot be read.

    Attributes:
        rule: `file` if the file cannot be read, `size` for a limit, `yaml` for everything else.
        reason: what is wrong, in one line.
        line: the line in the document.
    """

    def __init__(self, reason: str, line: int = 1, rule: str = "yaml") -> None:
        self.reason = reason.split("\n")[0][:200]
        super().__init__(f"line {line}: [{rule}] {self.reason}")
        self.line = line
        self.rule = rule


@define
class Node:
    """A value of a document.

    Attributes:
        value: a scalar, a list of nodes, or nodes by name.
        line: the line that the value starts on.
        text: the text of a scalar. It is the name if the scalar is a key: in JSON all names are texts.
        lines: the lines of the names in a mapping.
    """

    value: Any
    line: int
    text: str | None = None
    lines: dict[str, int] = field(factory=dict[str, int])

    def plain(self) -> Any:
        """Returns the value in Python's own types. Values with an alias are copied."""
        if isinstance(self.value, dict):
            return {name: member.plain() for name, member in self.value.items()}
        if isinstance(self.value, list):
            return [element.plain() for element in self.value]
        return self.value


def read_file(path: Path) -> bytes:
    """Returns the content of a regular file.

    Raises:
        DocumentError: the file cannot be read, is not a regular file, or is too large.
    """
    try:
        # Without O_NONBLOCK, opening a FIFO would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise DocumentError(f"{path} cannot be read: not a regular file", rule="file")
            content = file.read(MAX_SIZE + 1)
    except OSError as error:
        raise DocumentError(f"{path} cannot be read: {os.strerror(error.errno or errno.EIO)}", rule="file") from None
    check_size(len(content))
    return content


def check_size(size: int) -> None:
    """Raises DocumentError if a document of this size in bytes is too large."""
    if size > MAX_SIZE:
        raise DocumentError(f"the document has more than {MAX_SIZE} bytes", rule="size")


def decode(content: bytes) -> str:
    """Returns the text of a document. Raises DocumentError if it is not UTF-8."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DocumentError(f"not UTF-8: byte 0x{content[error.start]:02x}", line) from None


def parse(text: str) -> Node:
    """Returns the root of a document in YAML or JSON. The root of an empty text is null.

    Raises:
        DocumentError: the text is not valid, or exceeds a limit.
    """
    check_size(len(text))
    text = text.removeprefix("\ufeff")
    builder = _Builder()
    try:
        return builder.build(YAML(typ="safe", pure=True).parse(_without_tabs(text)))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DocumentError(str(error.problem or error.context), mark.line + 1 if mark else 1) from None
    except YAMLError as error:
        before = text[: getattr(error, "position", 0)]
        raise DocumentError(str(error), before.count("\n") + 1) from None
    except (ValueError, OverflowError) as error:  # an escape sequence for a character that does not exist
        raise DocumentError(str(error), builder.line) from None


def _without_tabs(text: str) -> str:
    """Replaces the tabs between the tokens of JSON, which YAML refuses. JSON strings contain no unescaped tab."""
    if "\t" in text and text.lstrip().startswith("{"):
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return text  # not JSON, or refused below with its line
        return text.replace("\t", " ")
    return text


@define
class _Part:
    """A value, and how many values and levels it stands for.

    Attributes:
        name: the name in a mapping for which no value was read yet.
    """

    node: Node
    anchor: str | None = None
    values: int = 1
    depth: int = 0
    name: str | None = None


class _Builder:
    """Builds nodes from the events of the parser, and checks the limits at each event."""

    def __init__(self) -> None:
        self.line = 1
        self._open: list[_Part] = []
        self._anchors: dict[str, _Part] = {}
        self._root: Node | None = None

    def build(self, events: Iterator[Event]) -> Node:
        for event in events:
            self.line = event.start_mark.line + 1
            if isinstance(event, DocumentStartEvent) and self._root:
                raise DocumentError("another document starts here", self.line)
            if isinstance(event, CollectionStartEvent):
                self._check_tag(event, "map" if isinstance(event, MappingStartEvent) else "seq")
                value: Any = {} if isinstance(event, MappingStartEvent) else []
                self._open.append(_Part(Node(value, self.line), event.anchor, depth=1))
                self._check_depth(len(self._open))
            elif isinstance(event, CollectionEndEvent):
                self._add(self._open.pop())
            elif isinstance(event, ScalarEvent):
                self._add(_Part(self._read_scalar(event), event.anchor))
            elif isinstance(event, AliasEvent):
                # An alias inside the value of its own anchor is undefined, since that value is not complete yet.
                if (part := self._anchors.get(event.anchor)) is None:
                    raise DocumentError(f"undefined alias {event.anchor!r}", self.line)
                self._add(_Part(part.node, None, part.values, part.depth))
        return self._root or Node(None, 1, "")

    def _add(self, part: _Part) -> None:
        """Adds a complete value to the list or mapping that is open."""
        if part.anchor is not None:
            self._anchors[part.anchor] = part
        if not self._open:
            self._root = part.node
            return
        parent = self._open[-1]
        self._check_depth(len(self._open) + part.depth)
        parent.depth = max(parent.depth, part.depth + 1)
        parent.values += part.values
        # Values that are open count too, so that a long list ends early.
        if sum(container.values for container in self._open) > MAX_VALUES:
            raise DocumentError(f"the document has more than {MAX_VALUES} values", self.line, "size")
        if isinstance(parent.node.value, list):
            parent.node.value.append(part.node)
        elif parent.name is None:
            parent.name = self._read_name(parent.node, part.node)
        else:
            parent.node.value[parent.name] = part.node
            parent.name = None

    def _read_name(self, mapping: Node, key: Node) -> str:
        if key.text is None:
            raise DocumentError("the names in a mapping must be texts", self.line)
        if key.text == "<<":
            raise DocumentError("merge keys (<<) are not part of OpenAPI; write the members out", self.line)
        if key.text in mapping.lines:
            raise DocumentError(f'duplicate key "{key.text}", already on line {mapping.lines[key.text]}', self.line)
        mapping.lines[key.text] = self.line
        return key.text

    def _read_scalar(self, event: ScalarEvent) -> Node:
        text = self._join_pairs(event.value)
        kind = str(event.tag).removeprefix(_TAG)
        if kind in _TAGGED:  # as in !!int '3', which some tools write
            value = self._convert(text)
            if kind == "float" and type(value) is int:
                value = float(value)
            if type(value) is not _TAGGED[kind]:
                raise DocumentError(f"{text!r} is not of the type !!{kind}", self.line)
            return Node(value, self.line, text)
        if event.tag is not None:
            self._check_tag(event, "str")
        elif event.implicit[0]:  # not in quotes
            return Node(self._convert(text), self.line, text)
        return Node(text, self.line, text)

    def _convert(self, text: str) -> Any:
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        kind = int if _INTEGER.fullmatch(text) else float if _FLOAT.fullmatch(text) else None
        if kind and len(text) > MAX_NUMBER:
            raise DocumentError(f"a number has more than {MAX_NUMBER} characters", self.line, "size")
        if kind is int:
            return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        if (kind and float(text) in (float("inf"), float("-inf"))) or _NOT_FINITE.fullmatch(text):
            raise DocumentError(f"{text} is not a finite number", self.line)
        return float(text) if kind else text

    def _join_pairs(self, text: str) -> str:
        """Joins escaped surrogate pairs: JSON writes characters beyond the basic plane as two escapes."""
        try:
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            raise DocumentError("half of a surrogate pair is not a character", self.line) from None

    def _check_tag(self, event: CollectionStartEvent | ScalarEvent, kind: str) -> None:
        if event.tag is not None and str(event.tag) not in (_TAG + kind, "!"):
            raise DocumentError(f"the tag {event.tag} is not supported", self.line)

    def _check_depth(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise DocumentError(f"nested deeper than {MAX_DEPTH} levels", self.line, "size")
