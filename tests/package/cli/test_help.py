"""Pages of help, the list of commands, and messages about wrong usage."""

from __future__ import annotations

import shlex
import sys

import pytest
import typer

from azure_imds._cli.calling import CallGroup
from azure_imds._cli.commands import app
from azure_imds._cli.examples import TOPICS
from azure_imds_api.descriptions import DESCRIPTIONS
from azure_imds_emulator import Emulator
from cli_support import Run, run, run_program

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


@pytest.mark.parametrize("command", sorted(set(EXAMPLES) - {"emulator"}))
def test_a_page_of_help_has_examples(command: str, call: Run) -> None:
    done = call(command, "-h")
    assert (done.status, done.err) == (0, "")
    assert done.out == call(command, "--help").out
    shown = done.out.partition("\nExamples:\n")[2].splitlines()
    assert [line.strip() for line in shown] == list(EXAMPLES[command])


@pytest.mark.parametrize(
    "example", [example for command, examples in EXAMPLES.items() for example in examples if command != "emulator"]
)
def test_an_example_is_valid_usage(example: str) -> None:
    program, name, *arguments = shlex.split(example.partition(" | ")[0])
    assert program == "azure-imds"
    group = typer.main.get_command(app)
    command = group.commands[name]  # type: ignore[attr-defined]
    context = command.make_context(name, arguments, **app.info.context_settings or {})
    if isinstance(command, CallGroup):
        name, operation, rest = command.resolve_command(context, arguments)
        operation.make_context(name, rest, parent=context)


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_the_help_of_an_operation_has_an_example(name: str, call: Run) -> None:
    assert f"\nExamples:\n  azure-imds call {name}" in call("call", name, "-h").out


def test_help_at_a_terminal_has_topics_and_examples() -> None:
    from cli_support import run_at_terminal

    shown = run_at_terminal("--help").words
    assert all(topic in shown for topic in TOPICS)
    assert "Examples: azure-imds token" in run_at_terminal("token", "-h").words


def test_short_options(call: Run, emulator: Emulator) -> None:
    assert call("-V").out == call("--version").out
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
        (["token", "vault", "--clientid", "y"], "No such option: --clientid"),
        (["versions", "--output", "jsn"], "Did you mean 'json'?"),
        (["wait", "--for", "idms"], "Did you mean 'imds'?"),
        (["versions", "--deadline", "soon"], "must be a number of seconds, for example 2.5"),
        (["call", "identity.get_tokn"], "Did you mean"),
        (["events", "--watch", "--approve", "x"], "pass only one of --watch, --approve"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_messages_about_usage_have_one_form(arguments: list[str], problem: str, call: Run, emulator: Emulator) -> None:
    done = call(*arguments)
    assert (done.status, done.out) == (2, "")
    first, usage, *example, last = done.err.splitlines()
    assert first.startswith("azure-imds: ")
    assert problem in first
    assert usage.startswith("Usage: azure-imds ")
    assert all(line.startswith("Example: azure-imds ") for line in example)
    assert last.endswith(" --help` explains the options.")
    assert not emulator.requests


def test_a_path_with_a_typing_error_has_a_suggestion(call: Run, emulator: Emulator) -> None:
    done = call("instance", "--query", "compute/loction")
    assert done.status == 66
    assert done.err == (
        "azure-imds: --query compute/loction: the result has no member 'loction'. "
        "Did you mean 'location' or 'extendedLocation'?\n"
    )
