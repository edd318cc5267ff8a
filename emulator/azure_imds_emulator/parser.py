"""A parser of the standard library, with the pages of help and the messages that the other commands have."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from typing import Any, NoReturn

#: The widest and the narrowest page of help, in columns, and the widest option before the column of explanations.
_WIDTH, _NARROWEST = 80, 50
_WIDEST_OPTION = 28

_HEADING = re.compile(r"^(Usage:|\S[^:]*:$)")


class UsageError(Exception):
    """Wrong usage. The message says what is wrong."""


class Parser(argparse.ArgumentParser):
    """A parser whose options have topics.

    Args:
        prog: the command.
        usage: its options and arguments, in a line.
        description: what it does, in paragraphs.
        notes: what holds for all options.
        examples: command lines.
    """

    def __init__(self, prog: str, usage: str, description: str, notes: str, examples: Sequence[str]) -> None:
        super().__init__(prog, add_help=False, allow_abbrev=False, exit_on_error=False)
        self.usage_line = f"Usage: {prog} {usage}"
        self._texts = description, notes
        self._examples = examples
        self._topics: dict[str, list[argparse.Action]] = {}

    def add_option(self, topic: str, *names: str, **settings: Any) -> None:
        """Adds an option. The settings are those of `add_argument`."""
        self._topics.setdefault(topic, []).append(self.add_argument(*names, **settings))

    def add_common_options(self, topic: str) -> None:
        """Adds the options for the version and help."""
        version = {"action": _PrintVersion, "nargs": 0, "dest": argparse.SUPPRESS}
        self.add_option(topic, "--version", "-V", help="Print the version of this package.", **version)
        self.add_option(topic, "--help", "-h", action="help", help="Show this message and exit.")

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The values of all options.

        Raises:
            UsageError: an option does not exist, or its value is wrong.
            SystemExit: help or the version was printed.
        """
        try:
            values, rest = self.parse_known_args(arguments)
        except argparse.ArgumentError as error:
            self.error(_describe(error))
        if rest:
            self.error(self._describe_unknown(rest[0]))
        return values

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)

    def explain(self, error: UsageError) -> str:
        """The message about wrong usage, in the form that all commands of azure-imds have."""
        return (
            f"{wrap_message(f'azure-imds: {error}')}\n{self.usage_line}\nExample: {self._examples[0]}\n"
            f"`{self.prog} --help` explains the options."
        )

    def _describe_unknown(self, typed: str) -> str:
        if not typed.startswith("-"):
            return f"Got unexpected extra argument ({typed}). Write a command after --, as in the example."
        names = [name for actions in self._topics.values() for action in actions for name in action.option_strings]
        option = typed.partition("=")[0]
        return f"No such option: {option}{'.' if (hint := suggest(option, names)) else ''}{hint}"

    def format_usage(self) -> str:
        return f"{self.usage_line}\n"

    def format_help(self) -> str:
        width = max(_NARROWEST, min(shutil.get_terminal_size().columns, _WIDTH))
        description, notes = self._texts
        lines = [self.usage_line, *_wrap(description, width)]
        rows = {
            topic: [(_format_option(action), action.help or "") for action in actions]
            for topic, actions in self._topics.items()
        }
        names = [name for topic in rows.values() for name, _ in topic if len(name) <= _WIDEST_OPTION]
        column = max(map(len, names)) + 4
        for topic, options in rows.items():
            lines += ["", f"{topic}:"]
            for name, text in options:
                first, *more = textwrap.wrap(text, width - column, break_on_hyphens=False)
                head = f"  {name}"
                if len(head) + 2 > column:
                    lines.append(head)
                    head = ""
                lines += [f"{head:<{column}}{first}", *(f"{'':<{column}}{line}" for line in more)]
        lines += [*_wrap(notes, width), "", "Examples:", *(f"  {example}" for example in self._examples)]
        if sys.stdout and sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
            lines = [_HEADING.sub("\033[1m\\1\033[0m", line) for line in lines]
        return "\n".join([*lines, ""])


class _PrintVersion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *values: object) -> None:
        try:
            version = metadata.version("azure-imds")
        except metadata.PackageNotFoundError:  # the source code, which is not installed
            version = "(unknown version)"
        print(f"azure-imds {version}")
        parser.exit()


def make_value_error(option: str, problem: object) -> UsageError:
    """The error for the value of an option.

    Args:
        option: the option, or the name of its setting.
        problem: what is wrong. If it starts with the name of the setting, this name is left out.
    """
    text = str(problem).removeprefix(f"{option} ")
    spelled = option if option.startswith("-") else _spell_option(option)
    return UsageError(f"Invalid value for {spelled!r}: {text}")


def _spell_option(name: str) -> str:
    return "--as" if name == "as_host" else f"--{name.replace('_', '-')}"


def _describe(error: argparse.ArgumentError) -> str:
    """What is wrong with the value of an option."""
    option = (error.argument_name or "").partition("/")[0]
    if error.message.startswith("expected"):
        return f"Option {option!r} requires an argument."
    if error.message.startswith("ignored"):
        return f"Option {option!r} does not take a value."
    return str(make_value_error(option, error.message))


def _format_option(action: argparse.Action) -> str:
    if isinstance(action, argparse.BooleanOptionalAction):
        return " / ".join(action.option_strings)
    names = sorted(action.option_strings, key=len)
    return " ".join([", ".join(names), *([str(action.metavar)] if action.metavar else [])])


def _wrap(text: str, width: int) -> list[str]:
    """Paragraphs as indented lines, each after an empty one."""
    lines: list[str] = []
    for paragraph in text.split("\n\n"):
        wrapped = textwrap.wrap(paragraph, width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
        lines += ["", *wrapped]
    return lines


def wrap_message(text: str) -> str:
    """A message in lines of whole words if stderr is a terminal, which would break words. Otherwise one line."""
    if not (sys.stderr and sys.stderr.isatty()):  # None if the shell has closed it
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False))


def suggest(typed: str, known: Iterable[str]) -> str:
    """A question with the most similar names, to append to an error message. "" if none is similar."""
    names = {name.lower(): name for name in known}
    similar = [names[name] for name in difflib.get_close_matches(typed.lower(), names)]
    return f" Did you mean {' or '.join(map(repr, similar))}?" if similar else ""


def make_choice(names: Sequence[str]) -> Callable[[str], str]:
    """The type of an option with a few values."""

    def parse(text: str) -> str:
        if text not in names:
            listed = ", ".join(map(repr, names))
            raise argparse.ArgumentTypeError(f"{text!r} is not one of {listed}.{suggest(text, names)}")
        return text

    return parse


def make_number(kind: type[int] | type[float], example: str) -> Callable[[str], float]:
    """The type of an option with a number."""

    def parse(text: str) -> float:
        try:
            return kind(text)
        except ValueError:
            words = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"{text!r} is not {words}, for example {example}") from None

    return parse
