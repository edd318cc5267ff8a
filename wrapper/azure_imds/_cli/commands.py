"""The commands: each asks the client for one thing and shows it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option
from typer.core import TyperCommand, TyperGroup

from .emulator import run as run_emulator
from .exits import Exit
from .output import View
from .session import Session
from .settings import OPTIONS, Output, Settings, without_first
from .values import printable

#: Whose words a command's help has: the operation that it calls.
OPERATIONS = {
    "token": "identity.get_token",
    "instance": "instances.get_metadata",
    "identity": "identity.get_info",
    "attested": "attested.get_document",
    "events": "scheduled_events.get_events",
    "loadbalancer": "load_balancer.get_metadata",
    "versions": "versions.get_versions",
}

#: Options whose name is not the operation's argument.
ARGUMENTS = {"resource_id": "msi_res_id"}


class _Command(TyperCommand):
    """A command whose help contains the specification's descriptions, read when the help is shown."""

    def describe(self) -> None:
        """Fills in what the specification says of this command and its parameters."""
        from azure_imds_api.descriptions import DESCRIPTIONS

        operation = DESCRIPTIONS.get(OPERATIONS.get(self.name or "", ""))
        if operation is None:
            return
        self.short_help = operation.summary
        first_paragraph = " ".join(operation.description.partition("\n\n")[0].split())
        self.help = "\n\n".join(filter(None, [f"{operation.summary}.", first_paragraph, self.help]))
        parameters: list[Any] = list(self.params)
        for parameter in parameters:
            parameter.help = parameter.help or operation.arguments.get(ARGUMENTS.get(parameter.name) or parameter.name)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self.describe()
        super().format_help(ctx, formatter)


class _Group(TyperGroup):
    def format_help(self, ctx: Any, formatter: Any) -> None:
        for command in self.commands.values():
            if isinstance(command, _Command):
                command.describe()
        parameters: list[Any] = list(self.params)
        for parameter in parameters:
            parameter.help = parameter.help or "Version of the API, for commands that have one to choose."
        super().format_help(ctx, formatter)


# Boxes are for people: what is piped is plain text, and comes sooner.
_PLAIN = not sys.stdout.isatty() or os.environ.get("TERM") == "dumb"

app = typer.Typer(
    name="azure-imds",
    cls=_Group,
    help="Azure's Instance Metadata Service: tokens without secrets, and all that a machine knows about itself.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None if _PLAIN else "markdown",
)


def _command(
    name: str, *, version: bool = True, short_help: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes a command of a function that takes a session, and gives it the options of every command."""
    settings = {option: OPTIONS[option] for option in OPTIONS if version or option != "api_version"}

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        def run(*, context: typer.Context, **arguments: Any) -> None:
            behind = Settings(**{option: arguments.pop(option) for option in settings})
            given = behind.over(context.find_object(Settings) or Settings())
            if given.api_version and not version:
                raise typer.BadParameter(f"{name} has no version to choose", param_hint="'--api-version'")
            session = Session(given)
            session.run(partial(function, session, **arguments))

        _sign(run, [*without_first(function), *settings.values()])
        app.command(name, cls=_Command, help=function.__doc__ or "", short_help=short_help)(run)
        return function

    return decorate


def _sign(run: Callable[..., None], parameters: list[Parameter]) -> None:
    """Gives a function the parameters that typer is to see, behind its context."""
    context = Parameter("context", Parameter.KEYWORD_ONLY, annotation=typer.Context)
    signature = Signature([context, *parameters])
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in signature.parameters.values()}


def _view(name: str) -> View:
    """A view by its name, brought in when something is shown in it."""

    def view(value: Any) -> Any:
        from . import views

        return getattr(views, name)(value)

    return view


ANYTHING = _view("anything")


def _print_version(wanted: bool) -> None:
    if wanted:
        from azure_imds import __version__, spec_version

        print(f"azure-imds {__version__} (specification {spec_version})")
        raise typer.Exit


def _before_the_command(*, context: typer.Context, version: bool, **settings: Any) -> None:
    context.obj = Settings(**settings)


_VERSION = Annotated[
    bool,
    Option(
        "--version",
        help="The versions of this package and its specification.",
        callback=_print_version,
        is_eager=True,
    ),
]
_sign(
    _before_the_command,
    [Parameter("version", Parameter.KEYWORD_ONLY, default=False, annotation=_VERSION), *OPTIONS.values()],
)
app.callback()(_before_the_command)


Id = Annotated[str | None, Option(metavar="ID", show_default=False)]


@_command("token")
def token(
    session: Session,
    resource: Annotated[str, Argument(metavar="RESOURCE", show_default=False)],
    client_id: Id = None,
    object_id: Id = None,
    resource_id: Id = None,
    raw: Annotated[bool, Option("--raw", help="Print the token on a terminal too, and nothing else.")] = False,
) -> None:
    """On a terminal the token's claims are shown and not the token, piped the token alone, and as JSON the answer."""
    with session.client() as imds:
        answer = imds.identity.get_token(
            resource=resource,
            client_id=client_id,
            object_id=object_id,
            msi_res_id=resource_id,
            api_version=session.settings.api_version,
        ).to_dict()
    alone = not session.settings.output and not session.settings.query and (raw or not sys.stdout.isatty())
    session.show(answer["access_token"] if alone else answer, _token_view(answer["access_token"]), reveal=raw)


def _token_view(secret: str) -> View:
    def view(answer: Any) -> Any:
        from . import views
        from .claims import claims_of

        return views.token(answer, printable(claims_of(secret)), len(secret))

    return view


@_command("instance")
def instance(
    session: Session,
    path: Annotated[
        str,
        Argument(
            metavar="[PATH]",
            show_default=False,
            help="A part of it, such as compute/location.",
        ),
    ] = "",
) -> None:
    with session.client() as imds:
        version = session.settings.api_version
        if path.strip("/"):
            document = imds.get(path, api_version=version)
        else:
            document = imds.instances.get_metadata(api_version=version).to_dict()
    session.show(document, ANYTHING)


@_command("identity")
def identity(session: Session) -> None:
    with session.client() as imds:
        info = imds.identity.get_info(api_version=session.settings.api_version)
    session.show(info.to_dict(), ANYTHING)


def _certificates(text: str) -> Any:
    return Option(metavar="FILE", exists=True, dir_okay=False, show_default=False, help=text)


@_command("attested")
def attested(
    session: Session,
    nonce: Annotated[str | None, Option("--nonce", show_default=False)] = None,
    verify: Annotated[
        bool,
        Option("--verify", help="Verify the document, and show what it says. Without --nonce, a random one is sent."),
    ] = False,
    cloud: Annotated[str, Option(help="For --verify: public, usgov, china or germany.")] = "public",
    roots: Annotated[Path | None, _certificates("For --verify: roots to trust instead of Azure's, in PEM.")] = None,
    intermediates: Annotated[
        Path | None,
        _certificates("For --verify: certificates between document and roots, in PEM, instead of fetching them."),
    ] = None,
) -> None:
    from .verification import random_nonce, verified

    nonce = random_nonce() if verify and nonce is None else nonce
    with session.client() as imds:
        document = imds.attested.get_document(nonce=nonce, api_version=session.settings.api_version)
        result = document.to_dict()
        if verify:
            result = verified(document, nonce, cloud, roots, intermediates, session.settings.deadline).to_dict()
    session.show(result, _view("verified") if verify else ANYTHING)


@_command("events")
def events(
    session: Session,
    watch: Annotated[bool, Option("--watch", help="Go on, and show what changes, until Ctrl-C.")] = False,
    everyone: Annotated[
        bool, Option("--all", help="With --watch, the events of all machines of the group, not only this one's.")
    ] = False,
    approve: Annotated[
        str | None,
        Option(
            "--approve",
            metavar="ID",
            show_default=False,
            help="Let this event begin now, for all machines that it names.",
        ),
    ] = None,
) -> None:
    if watch and approve:
        raise typer.BadParameter("give --watch or --approve, not both")
    version = session.settings.api_version
    if watch:
        from .watching import watch as run

        if version:
            raise typer.BadParameter("--watch has no version to choose", param_hint="'--api-version'")
        run(session, everyone=everyone)
        return
    with session.client() as imds:
        if approve is not None:
            from azure_imds_api.models import StartEventsRequest, StartRequest

            imds.scheduled_events.start_events(body=StartEventsRequest([StartRequest(approve)]), api_version=version)
            result: dict[str, Any] = {"approved": approve}
        else:
            result = imds.scheduled_events.get_events(api_version=version).to_dict()
    session.show(result, ANYTHING if approve else _view("events"))


@_command("loadbalancer")
def loadbalancer(session: Session) -> None:
    with session.client() as imds:
        metadata = imds.load_balancer.get_metadata(api_version=session.settings.api_version)
    session.show(metadata.to_dict(), ANYTHING)


@_command("versions", version=False)
def versions(session: Session) -> None:
    with session.client() as imds:
        offered = imds.versions.get_versions()
    session.show(offered.to_dict(), ANYTHING)


@_command("doctor", version=False, short_help="Find out why managed identity does not work here")
def doctor(
    session: Session,
    resource: Annotated[str, Option(help="What the token is for that is tried.")] = "https://management.azure.com/",
    client_id: Id = None,
    object_id: Id = None,
    resource_id: Id = None,
    ask_events: Annotated[
        bool, Option("--events", help="Ask for scheduled events too. That switches them on for this machine.")
    ] = False,
    as_json: Annotated[bool, Option("--json", help="The same as --output json.")] = False,
) -> None:
    """Find out why managed identity does not work here.

    Looks at the environment, the way to IMDS, and at what answers there; asks for a token, and shows none. Ends after
    20 seconds, or what --deadline says.
    """
    from .doctor import SECONDS, examine

    settings = session.settings
    with session.waiting("examining"):
        findings = examine(
            settings.endpoint,
            resource=resource,
            selector={"client_id": client_id, "object_id": object_id, "msi_res_id": resource_id},
            events=ask_events,
            seconds=SECONDS if settings.deadline is None else settings.deadline,
        )
    failed = sum(finding.status == "fail" for finding in findings)
    session.show(
        {"failed": failed, "findings": [finding.to_dict() for finding in findings]},
        _view("findings"),
        output=Output.json if as_json else None,
    )
    if failed:
        raise SystemExit(Exit.FINDINGS)


@app.command(
    "emulator",
    add_help_option=False,
    short_help="Run a local IMDS to develop and test against",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def emulator(context: typer.Context) -> None:
    raise SystemExit(run_emulator(context.args))
