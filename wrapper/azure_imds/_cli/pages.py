"""Pages of help: options by topic, unbroken words, and examples at the end. All are plain text for 80 columns."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, TextIO

from typer.core import TyperCommand, TyperGroup

from .examples import list_examples, write_examples

#: Stands for a hyphen while text is wrapped, so that no line ends in the middle of `--client-id`.
_HYPHEN = "\N{NON-BREAKING HYPHEN}"

_HEADING = re.compile(r"^(Usage:|\S[^:\n]*:$)", re.MULTILINE)


class _Layout:
    """What the pages of commands and of groups have in common."""

    def describe(self) -> None:
        """Sets the help of this command, its parameters and its commands, as far as that is not done yet."""

    def get_help(self, ctx: Any) -> str:
        base: Any = super()
        return finish_page(base.get_help(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        base: Any = super()
        self.describe()
        _protect_words(self)
        base.format_help(ctx, formatter)
        write_examples(formatter, list_examples(self))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        write_options(self, ctx, formatter)


class Page(_Layout, TyperCommand):
    """A command with a page of help."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The parts of the line with the usage. Some versions of typer put braces around a required argument."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]


class PageOfGroup(_Layout, TyperGroup):
    """A command that has commands, with a page of help."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


def _protect_words(command: Any) -> None:
    for described in (command, *command.params):
        described.help = described.help and described.help.replace("-", _HYPHEN)


def write_options(command: Any, ctx: Any, formatter: Any) -> None:
    """Adds the arguments and options by topic."""
    rows: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for parameter in command.get_params(ctx):
        is_argument = parameter.param_type_name == "argument"
        topic = "Arguments" if is_argument else parameter.rich_help_panel or "Options"
        if row := parameter.get_help_record(ctx):
            rows.setdefault(topic, []).append(row)
    for topic, records in rows.items():
        if records:
            with formatter.section(topic):
                formatter.write_dl(records)


def finish_page(text: str, stream: TextIO | None = None) -> str:
    """The text of a page as it is printed: in a terminal, headings are bold.

    Args:
        text: the page.
        stream: where it is printed. Default: stdout.
    """
    text = text.replace(_HYPHEN, "-").rstrip("\n")
    if (stream or sys.stdout).isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
        text = _HEADING.sub("\033[1m\\1\033[0m", text)
    return text
