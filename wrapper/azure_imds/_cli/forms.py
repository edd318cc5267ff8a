"""Forms of a result for other programs: YAML, columns and variables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .values import format_leaf, is_list, is_object, iter_leaves, list_members

#: Characters that would end a column or a line, as in the files that databases exchange.
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

#: What the names of variables start with, so that a result cannot set a variable such as PATH.
PREFIX = "IMDS_"

#: Values that no shell changes. zsh replaces a word after `=` by a path, and all shells replace `~`.
_PLAIN = re.compile(r"[A-Za-z0-9_./-]+")

#: Text that PyYAML writes without quotes and that readers of YAML 1.2, or other readers of YAML 1.1, take for a number
#: or for true or false.
_NOT_TEXT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0[ox][0-9A-Fa-f]+|[yYnN]")


def format_yaml(value: Any, *, ascii_only: bool = False) -> str:
    """A result as YAML, in the order of the result, with each value on one line where that is possible."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes text that other programs would read as something else."""

    def represent(dumper: Any, text: str) -> Any:
        style = "'" if _NOT_TEXT.fullmatch(text) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, represent)
    text: str = yaml.dump(
        value,
        Dumper=Dumper,
        allow_unicode=not ascii_only,
        sort_keys=False,
        default_flow_style=False,
        width=float("inf"),
    )
    return text.removesuffix("\n").removesuffix("\n...")


def format_columns(value: Any) -> str:
    """A result as lines of values with tabs between them, without names.

    An object is one line, and a list one line for each item. All lines of a list of objects have the same columns: a
    member that an object does not have is empty. What is deeper is JSON.
    """
    if not is_list(value):
        return _format_row(value)
    names = list(dict.fromkeys(name for item in value if is_object(item) for name in item))
    return "\n".join(
        _format_row({name: item.get(name, "") for name in names} if is_object(item) else item) for item in value
    )


def format_lines(value: Any) -> str:
    """A result as a line for each value, with its path, a tab and the value. For a single value it is the value."""
    return "\n".join(
        f"{path.translate(_ESCAPES)}\t{format_leaf(leaf).translate(_ESCAPES)}" if path else format_leaf(leaf)
        for path, leaf in iter_leaves(value)
    )


def _format_row(item: Any) -> str:
    values = [member for _, member in list_members(item)] if is_object(item) or is_list(item) else [item]
    return "\t".join(_format_cell(value) for value in values)


def _format_cell(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if is_object(value) or is_list(value) else format_leaf(value)
    return text.translate(_ESCAPES)


def format_variables(value: Any) -> str:
    """A result as assignments for a shell: `IMDS_COMPUTE_LOCATION=eastus`. Empty lists and objects are left out."""
    return "\n".join(f"{name}={_quote(text)}" for name, text in _iter_variables(value))


def _quote(text: str) -> str:
    """The text in quotes. No variable can hold a NUL."""
    text = text.replace("\0", "\ufffd")
    return text if _PLAIN.fullmatch(text) else "'" + text.replace("'", "'\\''") + "'"


def _iter_variables(value: Any) -> Iterator[tuple[str, str]]:
    used: set[str] = set()
    for path, leaf in iter_leaves(value):
        if is_object(leaf) or is_list(leaf):
            continue
        name = spell_variable(path)
        same = name
        for number in range(2, len(used) + 3):
            if same not in used:
                break
            same = f"{name}_{number}"
        used.add(same)
        yield same, "" if leaf is None else format_leaf(leaf)


def spell_variable(path: str) -> str:
    """The variable of a path: IMDS_COMPUTE_OS_PROFILE for compute/osProfile. IMDS_VALUE for a single value."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", path)
    return PREFIX + (re.sub(r"[^A-Za-z0-9]+", "_", words).strip("_").upper() or "VALUE")
