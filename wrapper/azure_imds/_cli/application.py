"""The application `azure-imds`: how a function becomes a command, with help from the specification."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from inspect import Parameter, Signature
from typing import Annotated, Any

import typer
from typer import Option
from typer.core import TyperGroup

from .examples import TOPICS
from .exits import Exit
from .operations import OPERATIONS, explain_absence, read_description
from .output import View
from .pages import Page, PageOfGroup, finish_page
from .session import Session
from .settings import NEWEST, OPTIONS, Settings, list_parameters, spell_option
from .usage import UsageError, print_message

_ABOUT_NEWEST = (
    f"{NEWEST}: the newest version that this host lists. Identity and scheduled events are not in this list. For them, "
    "it means the default."
)


class _Command(Page):
    """A command whose help comes from the specification. It is read only when help is requested."""

    def describe(self) -> None:
        """Sets the help of this command and its parameters."""
        from .messages import read_option_names, use_option_names

        names = read_option_names(self)
        name = self.name or ""
        operation = read_description(name)
        if absence := explain_absence(name):
            self.hidden, self.help = True, "\n\n".join(filter(None, [self.help, f"{absence}."]))
        elif operation and name in OPERATIONS:
            first_paragraph = " ".join(operation.description.partition("\n\n")[0].split())
            parts = [f"{operation.summary}.", use_option_names(first_paragraph, names), self.help]
            self.short_help, self.help = operation.summary, "\n\n".join(filter(None, parts))
        parameters: list[Any] = list(self.params)
        for parameter in parameters:
            text = operation.arguments.get(parameter.name, "") if operation else ""
            parameter.help = parameter.help or use_option_names(add_newest(parameter.name, text), names)


def add_newest(argument: str, text: str) -> str:
    """The description of an argument, with a sentence about `newest` if it is the version."""
    return f"{text} {_ABOUT_NEWEST}".lstrip() if argument == "api_version" else text


class Group(PageOfGroup):
    """Commands whose help comes from the specification."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args or ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        print_message(self.get_overview(ctx))
        raise typer.Exit(Exit.USAGE)

    def get_overview(self, ctx: Any) -> str:
        """What is printed if no command is given."""
        return self.get_help(ctx)

    def describe_commands(self) -> None:
        """Sets the help of all commands."""
        for command in self.commands.values():
            if isinstance(command, _Command):
                command.describe()

    def describe(self) -> None:
        self.describe_commands()
        parameters: list[Any] = list(self.params)
        for parameter in parameters:
            parameter.help = parameter.help or add_newest(
                "api_version", "Version of the API, for commands that support it."
            )


class _Root(Group):
    """The commands by topic."""

    def get_overview(self, ctx: Any) -> str:
        self.describe_commands()
        formatter = ctx.make_formatter()
        formatter.write(f"Usage: {ctx.command_path} COMMAND [OPTIONS]\n")
        self.format_commands(ctx, formatter)
        formatter.write(f"\n`{ctx.command_path} COMMAND --help` explains a command.\n")
        return finish_page(formatter.getvalue(), sys.stderr)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for topic, examples in TOPICS.items():
            formatter.write(f"\n{topic}:\n")
            for name, (example, *_) in examples.items():
                command = self.commands[name]
                if not command.hidden:
                    formatter.write(f"  {name:<13} {command.short_help}\n{'':16}{example}\n")


app = typer.Typer(
    name="azure-imds",
    cls=_Root,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Tokens and metadata from Azure's Instance Metadata Service (IMDS), on an Azure machine.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def register(
    name: str, *, without: Sequence[str] = (), short_help: str | None = None, context_settings: Any = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Registers a function as a command. The function gets a session; the command gets the options of every command.

    Args:
        name: the command.
        without: options of every command that it does not support.
        short_help: a line for the list of commands, if the command is not about one operation.
        context_settings: those of typer.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        options = [option for option in OPTIONS if option not in without]
        run = make_run(name, function, list_parameters(function), options, without)
        app.command(
            name,
            cls=_Command,
            help=function.__doc__ or "",
            short_help=short_help,
            context_settings=context_settings,
        )(run)
        return function

    return decorate


def make_run(
    name: str,
    function: Callable[..., None],
    parameters: list[Parameter],
    options: Sequence[str],
    without: Sequence[str],
) -> Callable[..., None]:
    """What typer calls for a command: `function` with a session and the values of `parameters`.

    Args:
        name: the command, for error messages.
        function: the command.
        parameters: the parameters of the command.
        options: the options of every command that are accepted after its name.
        without: those that are not supported before its name either.
    """

    def run(*, context: typer.Context, **arguments: Any) -> None:
        own = Settings(**{option: arguments.pop(option) for option in options})
        given = own.merge(context.find_object(Settings) or Settings())
        for option in without:
            if getattr(given, option):
                raise typer.BadParameter(f"not supported by {name}", param_hint=f"'{spell_option(option)}'")
        session = Session(given, context.command)
        try:
            session.run(partial(function, session, **arguments))
        except UsageError as error:
            # One from typer itself has it already.
            error.ctx = error.ctx or context  # type: ignore[attr-defined]
            raise

    set_signature(run, [*parameters, *(OPTIONS[option] for option in options)])
    return run


def set_signature(run: Callable[..., None], parameters: list[Parameter]) -> None:
    """Sets the parameters that typer sees, in addition to the context."""
    context = Parameter("context", Parameter.KEYWORD_ONLY, annotation=typer.Context)
    signature = Signature([context, *parameters])
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in signature.parameters.values()}


def load_view(name: str) -> View:
    """A function of `views`, imported when it is first called."""

    def view(value: Any) -> Any:
        from . import views

        return getattr(views, name)(value)

    return view


JSON_VIEW = load_view("render_json")


def _print_version(context: typer.Context, requested: bool) -> None:
    if requested and not context.resilient_parsing:  # a shell that completes a line calls this too
        from azure_imds import __version__, spec_version

        print(f"azure-imds {__version__} (specification {spec_version})")
        raise typer.Exit


def _store_settings(*, context: typer.Context, version: bool = False, **settings: Any) -> None:
    context.obj = Settings(**settings).merge(context.find_object(Settings) or Settings())


_VERSION = Annotated[
    bool,
    Option(
        "--version",
        "-V",
        help="Print the versions of this package and its specification.",
        callback=_print_version,
        is_eager=True,
    ),
]
set_signature(
    _store_settings,
    [Parameter("version", Parameter.KEYWORD_ONLY, default=False, annotation=_VERSION), *OPTIONS.values()],
)
app.callback()(_store_settings)


def add_group(name: str, group: type[TyperGroup], metavar: str, text: str) -> None:
    """Adds a command with commands of its own. The options of every command are accepted before them too."""

    def store(*, context: typer.Context, **settings: Any) -> None:
        _store_settings(context=context, **settings)

    set_signature(store, [*OPTIONS.values()])
    own = typer.Typer(cls=group, help=text, short_help=text.partition(".")[0], subcommand_metavar=metavar)
    own.callback()(store)
    app.add_typer(own, name=name)
