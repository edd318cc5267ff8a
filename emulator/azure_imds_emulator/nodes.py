"""The content of configuration files and requests as nodes, which contain the line for error messages."""

from __future__ import annotations

import difflib
import json
import math
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, cast

import yaml

from .json_text import MAX_DEPTH, Number, check_text, parse_json
from .machine import Json, is_array, is_object

#: Maximum size of a configuration in bytes, and maximum number of its values. Aliases count as what they stand for.
MAX_SIZE = 256 * 1024
MAX_VALUES = 20_000
MAX_NUMBER = 40


class ConfigError(ValueError):
    """A configuration is not valid. The message contains the file or variable, the line and the reason."""


@dataclass(slots=True)
class Node:
    """A value, and the line that it starts on.

    Attributes:
        value: a scalar, a list of nodes, or nodes by name.
        text: a scalar as it was written, because IMDS returns scalars as text; `null` is `""`.
        line: the line, from 1; 0 in a request.
        name_line: the line of its name in a mapping.
    """

    value: Json
    text: str = ""
    line: int = 0
    name_line: int = 0


def read_file(path: Path, limit: int) -> str:
    """Returns the content of a regular file.

    Raises:
        ValueError: the file cannot be read, is not a regular file, is longer than `limit` bytes, or is not UTF-8.
    """
    try:
        # Without O_NONBLOCK, opening a FIFO would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ValueError("not a regular file")
            content = file.read(limit + 1)
    except OSError as error:
        raise ValueError(error.strerror) from error
    if len(content) > limit:
        raise ValueError(f"longer than {limit} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None


def compose(text: str, name: str) -> Node | None:
    """Returns the root node of a YAML or JSON text; `None` if the text is empty.

    Args:
        name: the name of the file in error messages.

    Raises:
        ConfigError: the text is not valid, or too large.
    """
    if len(text) > MAX_SIZE:
        raise ConfigError(f"{name}: longer than {MAX_SIZE} bytes")
    if text.lstrip().startswith("{"):
        try:
            parse_json(text)
        except json.JSONDecodeError as error:
            raise ConfigError(f"{name}:{error.lineno}: not JSON: {error.msg}") from None
        except ValueError:
            pass  # reported below, with its line
        # YAML accepts all JSON except tabs between tokens. JSON strings cannot contain an unescaped tab.
        text = text.replace("\t", " ")
    try:
        _check_size(text, name)
        root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError(f"{name}:{mark.line + 1 if mark else 1}: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: {error}") from None
    return None if root is None else _convert(root, name)


def from_json(value: Json) -> Node:
    """Returns the node of a JSON value."""
    if is_object(value):
        return Node({name: from_json(member) for name, member in value.items()})
    if is_array(value):
        return Node([from_json(element) for element in value])
    if value is None:
        return Node(None)
    if isinstance(value, bool):
        return Node(value, "true" if value else "false")
    return Node(value, value.text if isinstance(value, Number) else str(value))


def to_json(node: Node) -> Json:
    """Returns the value of a node and of the nodes below it."""
    return _to_json(node, as_text=False)


def to_json_as_text(node: Node) -> Json:
    """Returns the value of a node with all scalars as text, as IMDS returns them."""
    return _to_json(node, as_text=True)


def _to_json(node: Node, *, as_text: bool) -> Json:
    if is_object(node.value):
        return {name: _to_json(member, as_text=as_text) for name, member in node.value.items()}
    if is_array(node.value):
        return [_to_json(element, as_text=as_text) for element in node.value]
    return node.text if as_text else node.value


class NodeReader:
    """Reads values of the expected type from nodes.

    Args:
        name: the name of the file in error messages; `""` for a request.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def read_mapping(self, node: Node, what: str, allowed: list[str] | None) -> dict[str, Node]:
        """Returns the nodes of a mapping by name. `allowed` lists the known names; `None` allows all."""
        if not is_object(node.value):
            self.fail(node, f"{what} must be a mapping of names to values")
        members: dict[str, Node] = node.value
        for name, member in members.items():
            if allowed is not None and name not in allowed:
                close = difflib.get_close_matches(name, allowed, 1)
                hint = f"did you mean {close[0]!r}?" if close else f"known names: {', '.join(allowed)}"
                self.fail(member, f"unknown name {name!r} in {what}; {hint}", line=member.name_line)
        return members

    def read_list(self, node: Node, what: str) -> list[Node]:
        """Returns the nodes of a list."""
        if not is_array(node.value):
            self.fail(node, f"{what} must be a list")
        return node.value

    def read_text(self, node: Node, what: str) -> str:
        """Returns a text that is not empty."""
        if not isinstance(node.value, str) or not node.value:
            self.fail(node, f"{what} must be a text, got {_describe(node)}")
        return node.value

    def read_flag(self, node: Node, what: str) -> bool:
        """Returns `True` or `False`."""
        if not isinstance(node.value, bool):
            self.fail(node, f"{what} must be true or false, got {_describe(node)}")
        return node.value

    def read_number(self, node: Node, what: str, *, integer: bool) -> float:
        """Returns a number."""
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int if integer else (int, float)):
            self.fail(node, f"{what} must be {'a whole number' if integer else 'a number'}, got {_describe(node)}")
        return value

    def fail(self, node: Node, reason: str, *, line: int | None = None) -> NoReturn:
        """Raises a `ConfigError` with the file, the line of the node (or `line`) and the reason."""
        raise ConfigError(f"{self.name}:{line or node.line}: {reason}" if self.name else reason)


@dataclass(slots=True)
class _Container:
    anchor: str | None
    values: int = 1
    depth: int = 1


def _check_size(text: str, name: str) -> None:
    """Checks depth and number of values before the nodes are built: a small text can stand for billions of values."""
    finished: dict[str, _Container] = {}
    containers = [_Container(None, 0, 0)]
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            containers.append(_Container(event.anchor))
            if len(containers) > MAX_DEPTH:
                raise ConfigError(f"{name}:{line}: nested deeper than {MAX_DEPTH} levels")
            continue
        if isinstance(event, yaml.ScalarEvent):
            done = _Container(event.anchor)
        elif isinstance(event, yaml.AliasEvent):
            alias = finished.get(str(event.anchor))
            if alias is None:
                raise ConfigError(
                    f"{name}:{line}: the alias {event.anchor!r} has no anchor before it, or contains itself"
                )
            done = _Container(None, alias.values, alias.depth)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            done = containers.pop()
        else:
            continue
        if done.anchor is not None:
            finished[done.anchor] = done
        parent = containers[-1]
        parent.values += done.values
        parent.depth = max(parent.depth, done.depth + 1)
        if parent.values > MAX_VALUES:
            raise ConfigError(f"{name}:{line}: more than {MAX_VALUES} values")
        if len(containers) - 1 + done.depth > MAX_DEPTH:
            raise ConfigError(f"{name}:{line}: nested deeper than {MAX_DEPTH} levels")


def _convert(node: yaml.Node, name: str, name_line: int = 0) -> Node:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        elements = cast("list[yaml.Node]", node.value)
        return Node([_convert(element, name) for element in elements], line=line, name_line=name_line)
    if not isinstance(node, yaml.MappingNode):
        try:
            return Node(_parse_scalar(node), _get_text(node), line, name_line)
        except (ValueError, yaml.YAMLError) as error:
            raise ConfigError(f"{name}:{line}: {error}") from None
    members: dict[str, Node] = {}
    for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
        key_line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError(f"{name}:{key_line}: the names in a mapping must be texts")
        if key.value in members:
            raise ConfigError(f"{name}:{key_line}: contains {key.value!r} twice")
        members[str(key.value)] = _convert(value, name, key_line)
    return Node(members, line=line, name_line=name_line)


def _get_text(node: yaml.Node) -> str:
    return "" if node.tag == "tag:yaml.org,2002:null" else str(node.value)


def _parse_scalar(node: yaml.Node) -> Json:
    prefix, _, tag = node.tag.rpartition(":")
    if prefix != "tag:yaml.org,2002" or tag not in ("int", "float", "bool", "null", "str", "timestamp"):
        raise ValueError(f"the tag {node.tag} is not supported")
    text = str(node.value)
    check_text(text)
    # Dates stay texts, because YAML would parse an api-version as a date.
    if tag in ("str", "timestamp"):
        return text
    # Slow for long numbers.
    if len(text) > MAX_NUMBER:
        raise ValueError(f"a number has more than {MAX_NUMBER} characters")
    value: Json = yaml.safe_load(text)
    if not isinstance(value, bool | int | float | None) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"{text} is not a finite number")
    return value


def _describe(node: Node) -> str:
    if is_object(node.value) or is_array(node.value):
        return "a mapping" if is_object(node.value) else "a list"
    return "nothing" if node.value is None else repr(node.value)
