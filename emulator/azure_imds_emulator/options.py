"""The options of the command line of the emulator, by topic."""

from __future__ import annotations

import argparse

from .config import ENVIRONMENT_PREFIX, split_names
from .hosts import list_host_names
from .machine_reader import list_machine_names
from .parser import Parser, make_choice, make_number
from .settings import CHOICES
from .step_options import add_step_options

_MACHINE, _ADDRESSES, _ANSWERS, _SETTINGS = "Machine and host", "Addresses", "Responses", "Settings"

EXAMPLES = (
    "azure-imds emulator -- pytest tests",
    "azure-imds emulator --port 8169 --log",
    "azure-imds emulator --machine spot --scenario spot-eviction",
    "azure-imds emulator --event Preempt --after 30 -- azure-imds events --watch",
    "azure-imds emulator --fault docker-desktop -- azure-imds doctor",
    "azure-imds emulator --as app-service -- azure-imds token vault",
    "azure-imds emulator --machine windows --print-config > emulator.yaml",
    "azure-imds emulator --config emulator.yaml",
)


def make_parser(prog: str = "azure-imds emulator") -> Parser:
    """Makes the parser of the command line."""
    parser = Parser(
        prog,
        usage="[OPTIONS] [-- COMMAND [ARGS]...]",
        description="Run a local Azure Instance Metadata Service for development and tests.\n\n"
        "With a COMMAND, the emulator runs it with the variables that direct clients to it, and ends with it. "
        "Without one, it prints its addresses, these variables and the client ids of user-assigned identities, and "
        "runs until SIGTERM or Ctrl-C.",
        notes="Each option except --print-config can also be set in the file of --config, and by a variable such as "
        f"{ENVIRONMENT_PREFIX}PORT. Options override variables, and variables override the file. Events, scenarios "
        "and faults are added to those of the file or variables.",
        examples=EXAMPLES,
    )
    _add_machine_options(parser)
    add_step_options(parser)
    _add_address_options(parser)
    _add_answer_options(parser)
    _add_settings_options(parser)
    return parser


def _add_machine_options(parser: Parser) -> None:
    machines, hosts = list_machine_names(), list_host_names()
    parser.add_option(
        _MACHINE,
        "--machine",
        type=make_choice(machines),
        metavar="NAME",
        help=f"Machine to emulate: {', '.join(machines)}. Default: default.",
    )
    parser.add_option(
        _MACHINE,
        "--as",
        dest="as_host",
        type=make_choice(hosts),
        metavar="HOST",
        help=f"Host of managed identities to emulate: {', '.join(hosts)}. Default: vm.",
    )
    _add_flag(parser, _MACHINE, "--arc", help="Emulate an Azure Arc agent, as --as arc does.")
    parser.add_option(
        _MACHINE,
        "--arc-token-dir",
        metavar="DIR",
        help="Folder for the key files of the agent. Default: a temporary folder.",
    )
    _add_flag(
        parser,
        _MACHINE,
        "--arc-echo",
        help="Whether the agent supports user-assigned identities and returns their ids. Default: yes.",
    )


def _add_address_options(parser: Parser) -> None:
    port = make_number(int, "8169")
    parser.add_option(_ADDRESSES, "--host", metavar="ADDRESS", help="Address to listen on. Default: 127.0.0.1.")
    parser.add_option(
        _ADDRESSES, "--port", type=port, metavar="PORT", help="Port of the metadata service. Default: a free port."
    )
    parser.add_option(
        _ADDRESSES,
        "--control-host",
        metavar="ADDRESS",
        help="Address of the control API. Its page shows requests and adds events and faults. Default: that of --host.",
    )
    parser.add_option(
        _ADDRESSES,
        "--control-port",
        type=port,
        metavar="PORT",
        help="Port of the control API and its page. Default: a free port.",
    )
    parser.add_option(
        _ADDRESSES,
        "--control-hosts",
        metavar="NAMES",
        type=split_names,
        help="Names by which others reach the control API, separated by commas, such as host.docker.internal.",
    )


def _add_answer_options(parser: Parser) -> None:
    _add_flag(parser, _ANSWERS, "--log", help="Write a line for each request to stderr. Default: no.")
    _add_flag(parser, _ANSWERS, "--rate-limits", help="Respond with 429 above the rate limits of IMDS. Default: yes.")
    parser.add_option(
        _ANSWERS,
        "--token-lifetime",
        type=make_number(int, "3600"),
        metavar="SECONDS",
        help="Time from the issue of a token to its expiry. Default: 86400.",
    )
    parser.add_option(
        _ANSWERS,
        "--token-example",
        metavar="NAME",
        help="Form of the token response of the host of --as, such as TokenWithDate.",
    )
    parser.add_option(
        _ANSWERS,
        "--issuer",
        metavar="URL",
        help="Issuer of tokens: a URL, in which {tenant} stands for the tenant, or azure. Default: a URL of the "
        "control API.",
    )
    parser.add_option(
        _ANSWERS,
        "--first-call-delay",
        type=make_number(float, "2.5"),
        metavar="SECONDS",
        help="Delay of the first response with scheduled events. Default: 0.",
    )
    header = CHOICES["metadata_header"]
    parser.add_option(
        _ANSWERS,
        "--metadata-header",
        type=make_choice(header),
        metavar=f"[{'|'.join(header)}]",
        help="exact: the header `Metadata: true` is required. any: case does not matter. Default: exact.",
    )
    parser.add_option(_ANSWERS, "--server", metavar="TEXT", help="Value of the Server header.")


def _add_settings_options(parser: Parser) -> None:
    parser.add_option(
        _SETTINGS,
        "--config",
        metavar="FILE",
        help="YAML or JSON file with settings, the machine, events and faults.",
    )
    parser.add_option(
        _SETTINGS, "--print-config", action="store_true", help="Print the settings as a file for --config, and exit."
    )
    parser.add_common_options(_SETTINGS)


def _add_flag(parser: Parser, topic: str, name: str, *, help: str) -> None:
    """Adds an option that can be turned on and off. None if it is not given."""
    parser.add_option(topic, name, action=argparse.BooleanOptionalAction, default=None, help=help)
