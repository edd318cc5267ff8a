"""The options of every command. They are accepted before and after the command's name."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, TypeVar, get_type_hints

from typer import BadParameter, Option

from .completion import complete_query, complete_version
from .queries import parse_query
from .suggestions import suggest

_PANEL = "Options of every command"


class Output(StrEnum):
    """Forms of a result."""

    json = "json"
    yaml = "yaml"
    text = "text"
    tsv = "tsv"
    env = "env"
    table = "table"


class Goal(StrEnum):
    """What `azure-imds wait` waits for."""

    identity = "identity"
    imds = "imds"


E = TypeVar("E", bound=StrEnum)


def make_parser(kind: type[E]) -> Callable[[str], E]:
    """Parses a value of an enumeration. typer's own message about another one depends on its version."""

    def parse(text: str) -> E:
        try:
            return kind(text)
        except ValueError:
            names = [*map(str, kind)]
            raise BadParameter(f"{text!r} is not one of {', '.join(map(repr, names))}.{suggest(text, names)}") from None

    return parse


def list_outputs() -> list[str]:
    """The forms of a result, for completion."""
    return [*Output]


def list_goals() -> list[str]:
    """What `azure-imds wait` waits for, for completion."""
    return [*Goal]


def parse_seconds(text: str | float) -> float:
    """A number of seconds.

    Raises:
        BadParameter: the text is not a number.
    """
    try:
        return float(text)
    except ValueError:
        raise BadParameter("must be a number of seconds, for example 2.5") from None


#: The value of `--api-version` for the newest version that the host supports. The client calls it the same.
NEWEST = "newest"


def parse_version(text: str) -> str:
    """A version of the API, or "newest".

    Raises:
        BadParameter: the text is neither.
    """
    if text != NEWEST:
        try:
            if date.fromisoformat(text).isoformat() != text:
                raise ValueError
        except ValueError:
            hint = suggest(text, [NEWEST])
            raise BadParameter(f"{text!r} is not a date such as 2021-02-01, or {NEWEST!r}.{hint}") from None
    return text


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The values of these options; None if an option was not given."""

    output: Annotated[
        Output | None,
        Option(
            "--output",
            "-o",
            parser=make_parser(Output),
            metavar=f"[{'|'.join(Output)}]",
            autocompletion=list_outputs,
            help="json, yaml, text (a line for each value, with its path), tsv (values with tabs between them), env "
            "(variables for eval) or table (a readable view). Default: table in a terminal, json in a pipe; a "
            "single value is printed without quotes.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    query: Annotated[
        str | None,
        Option(
            "--query",
            "-q",
            parser=parse_query,
            metavar="QUERY",
            autocompletion=complete_query,
            help="Print only this part of the result: a path such as compute/location, or JMESPath.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    endpoint: Annotated[
        str | None,
        Option(
            "--endpoint",
            metavar="URL",
            help="Scheme and host of IMDS. Default: found automatically.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    deadline: Annotated[
        float | None,
        Option(
            "--deadline",
            parser=parse_seconds,
            metavar="SECONDS",
            help="Time limit for the whole command, with all retries. For exec, drain and events --watch: for each "
            "call.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    api_version: Annotated[
        str | None,
        Option(
            "--api-version",
            parser=parse_version,
            metavar=f"DATE|{NEWEST}",
            autocompletion=complete_version,
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    verbose: Annotated[
        bool,
        Option("--verbose", help="Log each request and its outcome to stderr.", rich_help_panel=_PANEL),
    ] = False

    def merge(self, other: Settings) -> Settings:
        """These settings, with those of `other` for the options that were not given."""
        given = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return dataclasses.replace(
            other, **{name: value for name, value in given.items() if value is not None and value is not False}
        )


def spell_option(argument: str) -> str:
    """The option of an argument, such as `--client-id`."""
    return f"--{argument.replace('_', '-')}"


def list_parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of a command except its session, as keyword-only parameters."""
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
