"""The options of every command, which may stand before its name or behind it."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, get_type_hints

from typer import Option

_PANEL = "Options of every command"


class Output(StrEnum):
    """Forms of a result."""

    json = "json"
    text = "text"
    table = "table"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the caller asked for; None where nothing was said."""

    output: Annotated[
        Output | None,
        Option(
            "--output",
            help="json; text, one line for each leaf; or table, for people. "
            "Left out: table on a terminal, else json, or a leaf as it is.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    query: Annotated[
        str | None,
        Option(
            "--query",
            metavar="PATH",
            help="Only this part of the result: names and indexes with / between them.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    endpoint: Annotated[
        str | None,
        Option(
            "--endpoint",
            metavar="URL",
            help="Scheme and host of IMDS, instead of looking for it.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    deadline: Annotated[
        float | None,
        Option(
            "--deadline",
            metavar="SECONDS",
            help="For everything: connecting, reading, waiting, trying again.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    api_version: Annotated[
        str | None,
        Option("--api-version", metavar="DATE", show_default=False, rich_help_panel=_PANEL),
    ] = None
    verbose: Annotated[
        bool, Option("--verbose", help="Say on stderr what is sent and what comes of it.", rich_help_panel=_PANEL)
    ] = False

    def over(self, other: Settings) -> Settings:
        """These settings, and where one was not given, the other's."""
        given = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return dataclasses.replace(
            other, **{name: value for name, value in given.items() if value is not None and value is not False}
        )


def without_first(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of a command beside its session, by their names alone."""
    _, *own = inspect.signature(function, eval_str=True).parameters.values()
    return [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]


#: Each setting as a parameter, by its name.
OPTIONS = {
    field.name: inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=annotation
    )
    for field, annotation in zip(
        dataclasses.fields(Settings), get_type_hints(Settings, include_extras=True).values(), strict=True
    )
}
