"""Prints results on stdout: as JSON, as text or as a view, whole or in part."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .queries import select
from .settings import Output, Settings
from .values import is_list, is_object, make_printable, mask_secrets

if TYPE_CHECKING:
    from rich.console import RenderableType

#: Makes a view of a result. It runs only when the view is shown: importing rich takes longer than an answer of IMDS.
View = Callable[[Any], "RenderableType"]


def print_result(value: Any, settings: Settings, view: View, *, reveal: bool = False) -> None:
    """Prints a result in the requested form, or in the default form for a terminal or a pipe.

    Args:
        value: JSON.
        settings: the options; `query` and `output` are used.
        view: makes the view of the whole result. A part of it gets a view of its own.
        reveal: whether to show secrets on a terminal. In a pipe they are always written.

    Raises:
        PathNotFoundError: the result has no part at `query`.
    """
    terminal = sys.stdout.isatty()
    if (terminal and not reveal) or settings.output is Output.table:
        value = mask_secrets(value)
    if settings.query:
        value, view = select(value, settings.query), _render_part
    if terminal or settings.output is Output.table:
        value = make_printable(value)
    leaf = not (is_object(value) or is_list(value))
    output = settings.output or (Output.text if leaf else Output.table if terminal else Output.json)
    if output is Output.table and not leaf:
        from .terminal import make_console

        make_console().print(view(value))
    else:
        text = _format(value, output)
        if text or leaf or value:  # an empty list of columns is no line, and not an empty one
            _print_text(text, exact=output is Output.env and not terminal)
    sys.stdout.flush()


def _format(value: Any, output: Output) -> str:
    """A result in any form but a view."""
    if output is Output.json:
        return _dump_json(value, indent=2)
    from .forms import format_columns, format_lines, format_variables, format_yaml

    if output is Output.yaml:
        return format_yaml(value, ascii_only=not _can_print(json.dumps(value, ensure_ascii=False)))
    if output is Output.env:
        return format_variables(value)
    return format_columns(value) if output is Output.tsv else format_lines(value)


def _dump_json(value: Any, *, indent: int | None = None) -> str:
    """JSON text, with escapes for characters that the encoding of stdout lacks, as in a pipe on Windows."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return text if _can_print(text) else json.dumps(value, indent=indent)


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _render_part(value: Any) -> RenderableType:
    from .views import render_json

    return render_json(value)


def _print_text(text: str, *, exact: bool) -> None:
    """Prints text. With `exact`, UTF-8 replaces an encoding that lacks a character, since a shell reads bytes."""
    if exact and not _can_print(text):
        sys.stdout.flush()
        sys.stdout.buffer.write(f"{text}\n".encode(errors="backslashreplace"))
    else:
        print(text)


def print_line(value: Any) -> None:
    """Prints one line of JSON, without buffering."""
    print(_dump_json(value), flush=True)
