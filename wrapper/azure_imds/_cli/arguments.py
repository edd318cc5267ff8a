"""Arguments of an operation as options: their names, and values from the text that the user typed.

Everything here comes from the rules of the specification (`Operation.rules`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from .._client.validation import invalid
from .inputs import read_file, read_standard_input
from .settings import spell_option
from .values import format_leaf

Rule = Mapping[str, Any]

_METAVARS = {"integer": "INTEGER", "number": "NUMBER", "object": "JSON"}

#: Characters of an example that are still on one line of a page of help. A message about a wrong value has longer ones.
_LONGEST_EXAMPLE = 40

#: More digits than any number of an API needs. Python refuses to read thousands of them.
_DIGITS = 300


def _read_integer(text: str) -> int | None:
    return int(text) if re.fullmatch(rf"[+-]?[0-9]{{1,{_DIGITS}}}", text) else None


def _read_number(text: str) -> float | None:
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?", text):
        return None
    whole = _read_integer(text)
    number = float(text) if whole is None else whole
    return number if math.isfinite(number) else None


#: What text of a type must be, and what reads it.
_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "integer": ("a whole number", _read_integer),
    "number": ("a number", _read_number),
    "boolean": ("true or false", {"true": True, "false": False}.get),
}


def spell_options(arguments: Iterable[str]) -> dict[str, str]:
    """The option of each argument: `--client-id` for `client_id`, and `--format` for `format_`."""
    arguments = list(arguments)
    short = {argument: argument.rstrip("_") for argument in arguments}
    return {
        argument: spell_option(argument if [*short.values()].count(name) > 1 else name)
        for argument, name in short.items()
    }


def get_type(rule: Rule) -> str:
    """The JSON type of a value; "string" if the specification allows any."""
    types = rule.get("type", "object" if "properties" in rule else "string")
    named = [types] if isinstance(types, str) else [name for name in types if name != "null"]
    return named[0] if named else "string"


def list_values(rule: Rule) -> list[str]:
    """All values, if there are few. For a list, those of an item."""
    if get_type(rule) == "array":
        return list_values(rule.get("items", {}))
    if "enum" in rule:
        return [format_leaf(value) for value in rule["enum"]]
    return ["true", "false"] if get_type(rule) == "boolean" else []


def describe_type(rule: Rule) -> str:
    """The value in a page of help: `TEXT`, `INTEGER`, `[json|text]`."""
    if values := list_values(rule):
        return f"[{'|'.join(values)}]"
    return describe_type(rule.get("items", {})) if get_type(rule) == "array" else _METAVARS.get(get_type(rule), "TEXT")


def describe_limits(rule: Rule) -> str:
    """What the help of an option says about its values, in sentences."""
    kind = get_type(rule)
    sentences: list[str] = []
    if kind == "object":
        sentences.append("JSON, @FILE for a file with JSON, or - for standard input.")
    if kind == "array":
        least, most = rule.get("minItems", 0), rule.get("maxItems")
        limit = f"at most {most} times" if most else "" if least < 2 else f"at least {least} times"
        sentences.append(f"Repeat the option for each item{f', {limit}' if limit else ''}.")
    if "minimum" in rule or "maximum" in rule:
        limits = [f"at least {rule['minimum']}"] if "minimum" in rule else []
        limits += [f"at most {rule['maximum']}"] if "maximum" in rule else []
        sentences.append(f"{' and '.join(limits).capitalize()}.")
    example = format_leaf(make_example(rule)) if "example" in rule else ""
    if 0 < len(example) <= _LONGEST_EXAMPLE:
        sentences.append(f"Example: {example}")
    return " ".join(sentences)


def make_example(rule: Rule) -> Any:
    """A valid value, as JSON."""
    if "example" in rule:
        return rule["example"]
    if "enum" in rule:
        return rule["enum"][0]
    kind = get_type(rule)
    if kind == "object":
        members: Mapping[str, Rule] = rule.get("properties", {})
        return {name: make_example(members[name]) for name in rule.get("required", members) if name in members}
    if kind == "array":
        return [make_example(rule.get("items", {}))] * max(1, rule.get("minItems", 1))
    numbers = {"integer": rule.get("minimum", rule.get("maximum", 1)), "boolean": True}
    numbers["number"] = numbers["integer"]
    return numbers.get(kind, "text")


def parse_value(argument: str, rule: Rule, given: str | list[str]) -> Any:
    """The value of an argument.

    Args:
        argument: the argument's Python name, for the error.
        rule: its rule.
        given: what the user typed: for an array a list.

    Raises:
        ImdsValidationError: the text has not the type of the argument.
    """
    if isinstance(given, list):
        return [parse_value(argument, rule.get("items", {}), text) for text in given]
    for value in rule.get("enum", ()):
        if given == format_leaf(value):
            return value
    kind = get_type(rule)
    if kind == "object":
        return Body(_parse_json(argument, rule, given))
    if kind not in _READERS:
        return given
    words, read = _READERS[kind]
    value = read(given.strip().lower())
    if value is None:
        raise invalid(argument, f"must be {words}, for example {format_leaf(make_example(rule))}")
    return value


class Body:
    """A request body as the user wrote it, in place of the specification's model."""

    def __init__(self, document: Any) -> None:
        self._document = document

    def to_dict(self) -> Any:
        """The body as JSON values, as models return it."""
        return self._document


def _parse_json(argument: str, rule: Rule, given: str) -> Any:
    source, text = "", given
    if given in ("-", "@-"):
        source, text = " (standard input)", _read_text(argument, "standard input", read_standard_input)
    elif given.startswith("@"):
        path = Path(given[1:])
        source, text = f" ({path})", _read_text(argument, f"the file {path}", lambda: read_file(path).decode())
    try:
        document = json.loads(text.removeprefix("\ufeff"), parse_constant=_refuse_constant)
        json.dumps(document, ensure_ascii=False).encode()  # fails for half a character (a surrogate)
        return document
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        example = json.dumps(make_example(rule))
        raise invalid(argument, f"must be JSON{source}, but is not{where}, for example {example}") from None


def _read_text(argument: str, source: str, read: Callable[[], str]) -> str:
    try:
        return read()
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is not UTF-8"
        raise invalid(argument, f"cannot be read from {source}: {reason}") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
