"""The commands. Each calls one operation of the client and shows the result."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

from .._clock import SYSTEM
from . import verification
from .application import JSON_VIEW, add_group, app, load_view, register
from .calling import CallGroup
from .decoded import TAGS, USER_DATA, complete_path, show_decoded
from .drain_options import Grace
from .draining import drain_machine
from .emulator import run as run_emulator
from .exits import Exit
from .operations import find_operation
from .output import View
from .resources import (
    DEFAULT,
    Cloud,
    OptionalResource,
    Resource,
    check_request,
    describe_resources,
    list_resources,
    parse_resource,
    resolve_resource,
)
from .session import Session
from .settings import Goal, Output, list_goals, make_parser, parse_seconds
from .usage import UsageError
from .values import make_printable

__all__ = ["app"]

# Parameters that pass an argument of the client on have its name, so that help and error messages find them by it.
ClientId = Annotated[str | None, Option("--client-id", metavar="ID", show_default=False)]
ObjectId = Annotated[str | None, Option("--object-id", metavar="ID", show_default=False)]
ResourceId = Annotated[str | None, Option("--resource-id", metavar="ID", show_default=False)]


@register("token")
def print_token(
    session: Session,
    resource: Annotated[
        str | None,
        Argument(
            metavar="RESOURCE",
            parser=parse_resource,
            autocompletion=list_resources,
            show_default=False,
            help="App ID URI of the service that the token is for, its scope, or a name such as arm, vault or storage. "
            "Services compare the URI by character, so a slash at its end matters.",
        ),
    ] = None,
    client_id: ClientId = None,
    object_id: ObjectId = None,
    msi_res_id: ResourceId = None,
    cloud: Cloud = None,
    list_names: Annotated[
        bool, Option("--list", help="List the names of resources in --cloud (default: public). Sends no request.")
    ] = False,
    raw: Annotated[bool, Option("--raw", help="Print only the token, in a terminal too.")] = False,
    header: Annotated[bool, Option("--header", help="Print the header of a request, for curl --header @-.")] = False,
    exec_credential: Annotated[
        bool, Option("--exec-credential", help="Print an ExecCredential, for kubectl and other clients of Kubernetes.")
    ] = False,
) -> None:
    """Piped: just the token. In a terminal: its claims, with the token hidden (`--raw` prints it)."""
    if list_names:
        session.show(describe_resources(cloud or "public"), load_view("render_resources"))
        return
    if resource is None:
        raise UsageError("Missing argument 'RESOURCE'. `azure-imds token --list` shows the names of resources.")
    form = None
    if header or exec_credential:
        from .token_forms import choose_form

        form = choose_form(session.settings, header=header, exec_credential=exec_credential)
    with session.open_client() as imds:
        identity: dict[str, Any] = {"client_id": client_id, "object_id": object_id, "msi_res_id": msi_res_id}
        check_request(find_operation("identity.get_token"), {"resource": resource, **identity}, imds)
        resource = resolve_resource(resource, cloud, imds)
        asked = SYSTEM.time(), SYSTEM.monotonic()
        answer = imds.identity.get_token(resource=resource, **identity, api_version=session.api_version)
    if form:
        print(form(answer, *asked, hide=sys.stdout.isatty() and not raw))
        return
    result = answer.to_dict()
    secret = result["access_token"]
    alone = not session.settings.output and not session.settings.query and (raw or not sys.stdout.isatty())
    session.show(secret if alone else result, _make_token_view(secret), reveal=raw)


def _make_token_view(secret: str) -> View:
    def view(answer: Any) -> Any:
        from . import views
        from .claims import read_claims

        return views.render_token(answer, make_printable(read_claims(secret)), len(secret))

    return view


@register("instance")
def print_instance(
    session: Session,
    path: Annotated[
        str,
        Argument(
            metavar="[PATH]",
            autocompletion=complete_path,
            show_default=False,
            help="Path of a part, such as compute/location. tags: the tags by name. user-data: the user data, decoded.",
        ),
    ] = "",
) -> None:
    with session.open_client() as imds:
        version = session.api_version
        node = path.strip("/") and path not in (TAGS, USER_DATA)
        document = imds.get(path, api_version=version) if node else imds.instances.get_metadata(api_version=version)
    if path in (TAGS, USER_DATA):
        show_decoded(session, path, document)
    else:
        session.show(document if node else document.to_dict(), JSON_VIEW)


@register("identity")
def print_identity(session: Session) -> None:
    with session.open_client() as imds:
        info = imds.identity.get_info(api_version=session.api_version)
    session.show(info.to_dict(), JSON_VIEW)


def _file_option(text: str) -> Any:
    return Option(metavar="FILE", exists=True, dir_okay=False, show_default=False, help=text)


@register("attested")
def print_attested(
    session: Session,
    nonce: Annotated[str | None, Option("--nonce", metavar="TEXT", show_default=False)] = None,
    verify: Annotated[
        bool,
        Option("--verify", help="Verify the document and show its content. Without --nonce, the nonce is random."),
    ] = False,
    cloud: verification.Cloud = verification.SigningCloud.public,
    roots: Annotated[
        Path | None, _file_option("For --verify: trusted root certificates instead of Azure's, in PEM.")
    ] = None,
    intermediates: Annotated[
        Path | None,
        _file_option("For --verify: intermediate certificates in PEM. Default: downloaded from Microsoft."),
    ] = None,
) -> None:
    nonce = verification.make_nonce() if verify and nonce is None else nonce
    trusted = verification.read_certificates(roots, "--roots") if verify else None
    chain = verification.read_certificates(intermediates, "--intermediates") if verify else None
    with session.open_client() as imds:
        document = imds.attested.get_document(nonce=nonce, api_version=session.api_version)
        result = document.to_dict()
        if verify:
            seconds = session.settings.deadline
            result = verification.verify_document(document, nonce, cloud, trusted, chain, seconds).to_dict()
    session.show(result, load_view("render_verified") if verify else JSON_VIEW)


@register("events")
def print_events(
    session: Session,
    watch: Annotated[bool, Option("--watch", help="Show changes until Ctrl-C.")] = False,
    every_machine: Annotated[
        bool,
        Option("--all", help="With --watch and --exec: events of all machines in the group, not only of this one."),
    ] = False,
    approve: Annotated[
        str | None,
        Option(
            "--approve",
            metavar="ID",
            show_default=False,
            help="Approve this event: it starts now, for all machines that it names.",
        ),
    ] = None,
    command: Annotated[
        str | None,
        Option(
            "--exec",
            metavar="COMMAND",
            show_default=False,
            help="Watch, and run this shell command for each change. It gets the change as JSON on its standard input.",
        ),
    ] = None,
    grace: Grace = 5.0,
) -> None:
    modes = {"--watch": watch, "--approve": approve is not None, "--exec": command is not None}
    if len(given := [mode for mode in modes if modes[mode]]) > 1:
        raise typer.BadParameter(f"pass only one of {', '.join(given)}")
    if watch or command is not None:
        if session.settings.api_version:
            mode = "watch" if watch else "exec"
            raise typer.BadParameter(f"not supported by events --{mode}", param_hint="'--api-version'")
        if command is not None:
            from .drain_options import check_command, check_grace
            from .draining import run_for_changes

            run_for_changes(session, check_command(command), check_grace(grace), every_machine=every_machine)
        else:
            from .watching import watch as run

            run(session, every_machine=every_machine)
        return
    with session.open_client() as imds:
        if approve is not None:
            from azure_imds_api.models import StartEventsRequest, StartRequest

            body = StartEventsRequest([StartRequest(approve)])
            imds.scheduled_events.start_events(body=body, api_version=session.api_version)
            result: dict[str, Any] = {"approved": approve}
        else:
            result = imds.scheduled_events.get_events(api_version=session.api_version).to_dict()
    session.show(result, JSON_VIEW if approve else load_view("render_events"))


register(
    "drain",
    without=["output", "query", "api_version"],
    short_help="Run a command before Azure stops this machine",
)(drain_machine)


@register("loadbalancer")
def print_load_balancer(session: Session) -> None:
    with session.open_client() as imds:
        metadata = imds.load_balancer.get_metadata(api_version=session.api_version)
    session.show(metadata.to_dict(), JSON_VIEW)


@register("versions", without=["api_version"])
def print_versions(session: Session) -> None:
    with session.open_client() as imds:
        answer = imds.versions.get_versions()
    session.show(answer.to_dict(), JSON_VIEW)


@register(
    "wait",
    without=["output", "query", "deadline", "api_version"],
    short_help="Wait until IMDS answers, or returns a token",
)
def wait(
    session: Session,
    goal: Annotated[
        Goal,
        Option(
            "--for",
            parser=make_parser(Goal),
            metavar="[identity|imds]",
            autocompletion=list_goals,
            show_default=False,
            help="identity: IMDS returns a token. imds: IMDS answers. Default: identity.",
        ),
    ] = Goal.identity,
    timeout: Annotated[
        float,
        Option(
            "--timeout",
            parser=parse_seconds,
            metavar="SECONDS",
            show_default=False,
            help="How long to wait at most. Default: 60.",
        ),
    ] = 60,
    resource: Resource = DEFAULT,
    client_id: ClientId = None,
    object_id: ObjectId = None,
    msi_res_id: ResourceId = None,
    cloud: Cloud = None,
) -> None:
    """Wait until IMDS answers, or returns a token.

    Prints nothing. It waits while nothing answers, and while the machine does not have the identity yet. An error that
    waiting does not fix ends it at once.
    """
    from .waiting import wait_for

    arguments = {"resource": resource, "client_id": client_id, "object_id": object_id, "msi_res_id": msi_res_id}
    with session.open_client() as imds:
        wait_for(goal, imds, timeout, arguments, cloud)


@register(
    "exec",
    without=["output", "query", "api_version"],
    short_help="Run a command with a token",
    context_settings={"allow_interspersed_args": False},
)
def execute(
    session: Session,
    command: Annotated[
        list[str] | None, Argument(metavar="[--] COMMAND [ARGS]...", show_default=False, help="The program to run.")
    ] = None,
    resource: OptionalResource = None,
    cloud: Cloud = None,
    env: Annotated[
        str | None,
        Option("--env", metavar="NAME", show_default=False, help="Variable of the command that contains the token."),
    ] = None,
    token_file: Annotated[
        str | None,
        Option(
            "--token-file",
            metavar="PATH",
            show_default=False,
            help="File for the token. It is kept up to date while the command runs, and removed after that.",
        ),
    ] = None,
    client_id: ClientId = None,
    object_id: ObjectId = None,
    msi_res_id: ResourceId = None,
) -> None:
    """Run a command with a token for `--resource`, which is required.

    The token is in the variable AZURE_ACCESS_TOKEN of the command only, or in a file that only this user can read. The
    exit status is that of the command.
    """
    from .execution import execute as run

    selector = {"client_id": client_id, "object_id": object_id, "resource_id": msi_res_id}
    raise SystemExit(run(session, command or [], resource, cloud, selector, env, token_file))


@register("doctor", without=["api_version"], short_help="Find out why managed identity does not work here")
def run_doctor(
    session: Session,
    resource: Resource = DEFAULT,
    client_id: ClientId = None,
    object_id: ObjectId = None,
    msi_res_id: ResourceId = None,
    cloud: Cloud = None,
    with_events: Annotated[
        bool, Option("--events", help="Request scheduled events too. This turns them on for this machine.")
    ] = False,
    redact: Annotated[bool, Option("--redact", help="Leave ids, names and addresses of this machine out.")] = False,
    as_json: Annotated[bool, Option("--json", help="Same as --output json.")] = False,
) -> None:
    """Find out why managed identity does not work here.

    Checks the environment, the connection to IMDS and its answers, and requests a token, which is not shown. Takes at
    most 20 seconds, or --deadline. The report contains ids, names and addresses. Use --redact to show it to others.
    """
    from .doctor import SECONDS, describe_content, examine

    settings = session.settings
    with session.show_waiting("checking"):
        findings = examine(
            settings.endpoint,
            resource=resource,
            cloud=cloud,
            selector={"client_id": client_id, "object_id": object_id, "msi_res_id": msi_res_id},
            events=with_events,
            seconds=SECONDS if settings.deadline is None else settings.deadline,
            redact=redact,
            names=session.names,
        )
    failed = sum(finding.status == "fail" for finding in findings)
    session.show(
        {"note": describe_content(redact), "failed": failed, "findings": [finding.to_dict() for finding in findings]},
        load_view("render_findings"),
        output=Output.json if as_json else None,
    )
    if failed:
        raise SystemExit(Exit.FINDINGS)


@app.command(
    "emulator",
    add_help_option=False,
    short_help="Run a local IMDS for development and tests",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def start_emulator(context: typer.Context) -> None:
    raise SystemExit(run_emulator(context.args))


add_group(
    "call",
    CallGroup,
    "OPERATION [OPTIONS]",
    """Call any operation of the API.

    `azure-imds call OPERATION --help` describes an operation and its options. An operation has a name such as
    `identity.get_token`. Other spellings, such as `identity get-token`, and its operationId are accepted too.
    """,
)
