"""Pages of help, the list of commands, and messages about wrong usage."""

from __future__ import annotations

import re
import shlex
import sys

import pytest
import typer

from azure_imds._cli.calling import CallGroup
from azure_imds._cli.commands import app
from azure_imds._cli.examples import TOPICS, break_command
from azure_imds_api.descriptions import DESCRIPTIONS
from azure_imds_emulator import Emulator
from azure_imds_emulator.cli import split_command
from azure_imds_emulator.options import make_parser
from cli_support import Run, read_usage_message, run, run_program

EXAMPLES = {command: examples for topic in TOPICS.values() for command, examples in topic.items()}


def test_without_a_command_all_commands_are_shown_by_topic_with_an_example(call: Run) -> None:
    done = call()
    assert (done.status, done.out) == (2, "")
    lines = done.err.splitlines()
    for topic, commands in TOPICS.items():
        assert f"{topic}:" in lines
        for command, examples in commands.items():
            [row] = [line for line in lines if line.startswith(f"  {command} ")]
            assert len(row.split()) > 2
            assert lines[lines.index(row) + 1].strip() == examples[0]
    assert max(map(len, lines)) <= 80


def test_every_command_has_a_topic_and_examples() -> None:
    group = typer.main.get_command(app)
    assert set(group.commands) == set(EXAMPLES)  # type: ignore[attr-defined]


#: The commands with a page of help, as words after `azure-imds`.
PAGES = [(), *((command,) for command in EXAMPLES), *(("call", name) for name in DESCRIPTIONS)]


@pytest.mark.parametrize("page", PAGES, ids=" ".join)
def test_a_page_of_help_speaks_of_options_and_has_examples(page: tuple[str, ...], call: Run) -> None:
    done = call(*page, "-h")
    assert (done.status, done.err) == (0, "")
    assert done.out == call(*page, "--help").out
    assert not find_python_words(done.out)
    lines = done.out.splitlines()
    assert lines[0].startswith(" ".join(["Usage: azure-imds", *page]))
    assert not re.search(r"[{<]", done.out.partition("\n\n")[0])
    assert max(map(len, lines)) <= 80
    assert not any(line.endswith("-") for line in lines)
    for example in list_shown_examples(done.out) if page else ():
        assert example.startswith(" ".join(["azure-imds", *page]))
        parse_example(example)


def list_shown_examples(page: str) -> list[str]:
    """The examples of a page of help, without line breaks. There must be one."""
    shown = page.partition("\nExamples:\n")[2].replace("\\\n    ", "").splitlines()
    assert shown
    return [line.strip() for line in shown]


def find_python_words(page: str) -> list[str]:
    """Words on a page of help that are not words of a command line: "parameter", or names that only Python has."""
    arguments = {argument for description in DESCRIPTIONS.values() for argument in description.arguments}
    # One word, such as `nonce`, may also be a member of a response.
    names = {argument for argument in arguments if "_" in argument} | {"azure_imds", "ImdsClient", "AttestedData"}
    quoted = set(re.findall(r"`([a-z]+)`", page)) & {"endpoint", "deadline", "timeout"}
    words = set(re.findall(r"\w+", page)) & names
    return [*re.findall(r"\bparameters?\b|\bkeywords?\b|\bPython\b", page), *quoted, *words]


def test_words_of_python_are_found() -> None:
    found = find_python_words("Pass the parameter `client_id`, or `endpoint`. azure_imds uses msi_res_id.")
    assert {*found} == {"parameter", "client_id", "endpoint", "azure_imds", "msi_res_id"}


def parse_example(example: str) -> None:
    """Parses an example as the command does, and runs nothing."""
    program, name, *arguments = shlex.split(example.partition(" | ")[0].partition(" > ")[0])
    assert program == "azure-imds"
    if name == "emulator":
        own, command = split_command(arguments)
        make_parser().parse(own)
        if command[:1] == [program]:
            parse_example(shlex.join(command))
        return
    group = typer.main.get_command(app)
    command = group.commands[name]  # type: ignore[attr-defined]
    context = command.make_context(name, arguments, **app.info.context_settings or {})
    if isinstance(command, CallGroup) and arguments:
        name, operation, rest = command.resolve_command(context, arguments)
        operation.make_context(name, rest, parent=context)


@pytest.mark.parametrize("command", sorted(EXAMPLES))
def test_the_help_of_a_command_has_the_example_of_the_list(command: str, call: Run) -> None:
    shown = list_shown_examples(call(command, "-h").out)
    assert shown[0] == EXAMPLES[command][0]
    assert len(shown) >= len(EXAMPLES[command])


def test_an_example_that_is_too_long_is_broken_where_a_shell_continues_it() -> None:
    text = '{"a": "' + "0" * 60 + '"}'
    words = ["azure-imds", "call", "x.y", "--body", text, "--raw"]
    broken = break_command(words)
    assert broken.splitlines()[0] == "azure-imds call x.y --body \\"
    assert max(map(len, broken.splitlines())) <= 78
    assert shlex.split(broken.replace("\\\n", "")) == words


def test_help_at_a_terminal_has_topics_and_examples() -> None:
    from cli_support import run_at_terminal

    shown = run_at_terminal("--help").words
    assert all(topic in shown for topic in TOPICS)
    assert "Examples: azure-imds token" in run_at_terminal("token", "-h").words


def test_short_options(call: Run, emulator: Emulator) -> None:
    assert call("-V").out == call("--version").out
    assert call("emulator", "-V").out == call("-V").out.partition(" (")[0] + "\n"
    assert call("instance", "-q", "compute/location").out == "eastus\n"
    assert call("-o", "json", "instance", "-q", "compute/location").out == '"eastus"\n'
    assert call("call", "instances.get_metadata", "-o", "json", "-q", "compute/location").out == '"eastus"\n'


def test_the_package_is_a_command() -> None:
    done = run_program(sys.executable, "-m", "azure_imds", "--version")
    assert (done.status, done.out) == (0, run("--version").out)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nothing"], "No such command 'nothing'."),
        (["tokn"], "No such command 'tokn'. Did you mean 'token'?"),
        (["--nothing"], "No such option: --nothing"),
        (["token"], "Missing argument 'RESOURCE'."),
        (["token", "vault", "y"], "Got unexpected extra argument"),
        (["token", "vault", "--clientid", "y"], "No such option: --clientid. Did you mean '--client-id'"),
        (["--endpiont", "x", "versions"], "No such option: --endpiont. Did you mean '--endpoint'"),
        (["attested", "--hlp"], "No such option: --hlp. Did you mean '--help'?"),
        (["call", "identity.get_token", "--resorce", "x"], "No such option: --resorce. Did you mean '--resource'"),
        (["call", "identity.get_token", "--resource", "valt"], "Did you mean 'vault'?"),
        (["token", "valt"], "Did you mean 'vault'?"),
        (
            ["token", "vault", "--cloud", "chna"],
            "'chna' is not one of 'public', 'usgov', 'china'. Did you mean 'china'?",
        ),
        (["attested", "--verify", "--cloud", "moon"], "'moon' is not one of 'public', 'usgov', 'china', 'germany'."),
        (["attested", "--verify", "--cloud", "germny"], "Did you mean 'germany'?"),
        (["drain", "--exec", "true", "--on", "Reboot,preemt"], "'preemt' is not an event type."),
        (["drain", "--exec", "true", "--on", "Reboot,preemt"], "Did you mean 'Preempt'?"),
        (["versions", "-q", "lenght(a)"], "is not JMESPath: lenght() is not a function. Did you mean 'length'?"),
        (["versions", "--output", "jsn"], "Did you mean 'json'?"),
        (["wait", "--for", "idms"], "Did you mean 'imds'?"),
        (["versions", "--deadline", "soon"], "must be a number of seconds, for example 2.5"),
        (["call", "identity.get_tokn"], "Did you mean"),
        (["events", "--watch", "--approve", "x"], "pass only one of --watch, --approve"),
        (["token", "vault", "--client-id", "x"], "--client-id must look like 00000000-0000-0000-0000-000000000003"),
        (
            ["call", "identity.get_token", "--resource", "vault", "--object-id", "x"],
            "--object-id must look like 00000000",
        ),
        (["wait", "--resource", "vault", "--client-id", "x"], "--client-id must look like 00000000-0000-0000-0000-"),
        (["call", "attested.get_document", "--nonce", ""], "--nonce must not be empty, for example 1234567890"),
        (["attested", "--verify", "--cloud", "pubic"], "Did you mean 'public'?"),
        (["emulator", "--prot", "1"], "No such option: --prot. Did you mean '--port'"),
        (["emulator", "nothing"], "Got unexpected extra argument (nothing). Write a command after --"),
        (["emulator", "--port"], "Option '--port' requires an argument."),
        (["emulator", "--loop=x"], "Option '--loop' does not take a value."),
        (["emulator", "--port", "x"], "Invalid value for '--port': 'x' is not a whole number, for example 8169"),
        (["emulator", "--machine", "spt"], "Did you mean 'spot'?"),
        (["emulator", "--event", "PREEMPT"], "Did you mean 'Preempt'?"),
        (["emulator", "--as", "app-service", "--token-example", "x"], "'--token-example': must be one of Token on"),
        (["emulator", "--loop"], "--loop must follow --scenario, for example --scenario spot-eviction --loop"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_messages_about_usage_have_one_form(arguments: list[str], problem: str, call: Run, emulator: Emulator) -> None:
    done = call(*arguments)
    assert (done.status, done.out) == (2, "")
    assert problem in read_usage_message(done.err)
    assert not emulator.requests


def test_a_path_with_a_typing_error_has_a_suggestion(call: Run, emulator: Emulator) -> None:
    done = call("instance", "--query", "compute/loction")
    assert done.status == 66
    assert done.err == (
        "azure-imds: --query compute/loction: the result has no member 'loction'. "
        "Did you mean 'location' or 'extendedLocation'?\n"
    )
