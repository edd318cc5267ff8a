"""What goes to stdout: JSON, text or a view, and which part of the result."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .settings import Output, Settings
from .values import at, is_list, is_object, leaves, masked, plain, printable

if TYPE_CHECKING:
    from rich.console import RenderableType

#: Makes a view of a result. It is called only where one is shown, since rich takes longer to load than IMDS to answer.
View = Callable[[Any], "RenderableType"]


def emit(value: Any, settings: Settings, view: View, *, reveal: bool = False) -> None:
    """Prints a result in the form that was asked for, or that fits where it goes.

    Args:
        value: JSON.
        settings: `query` and `output` count.
        view: for the whole of the result; any part of it has a view of its own.
        reveal: whether secrets may be shown on a terminal. Where nobody looks, they are always written.

    Raises:
        NothingThere: `query` leads nowhere.
    """
    terminal = sys.stdout.isatty()
    if (terminal and not reveal) or settings.output is Output.table:
        value = masked(value)
    if settings.query:
        value, view = at(value, settings.query), _any
    if terminal or settings.output is Output.table:
        value = printable(value)
    leaf = not (is_object(value) or is_list(value))
    output = settings.output or (Output.text if leaf else Output.table if terminal else Output.json)
    if output is Output.json:
        print(json.dumps(value, ensure_ascii=False, indent=2))
    elif output is Output.text or leaf:
        _print_text(value)
    else:
        from .terminal import console

        console().print(view(value))
    sys.stdout.flush()


def _any(value: Any) -> RenderableType:
    from .views import anything

    return anything(value)


def _print_text(value: Any) -> None:
    for path, leaf in leaves(value):
        print(f"{path}\t{plain(leaf)}" if path else plain(leaf))


def emit_line(value: Any) -> None:
    """One line of JSON, at once."""
    print(json.dumps(value, ensure_ascii=False), flush=True)
