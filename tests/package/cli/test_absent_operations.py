"""Commands with a specification that lacks the operation that they call."""

from __future__ import annotations

from importlib import import_module

import pytest

from azure_imds._cli.operations import OPERATIONS
from azure_imds_api.descriptions import DESCRIPTIONS
from azure_imds_emulator import Emulator
from cli_support import Run


def remove_description(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    others = {other: description for other, description in DESCRIPTIONS.items() if other != name}
    monkeypatch.setattr("azure_imds_api.descriptions.DESCRIPTIONS", others)


@pytest.fixture(params=sorted({*OPERATIONS.values(), "scheduled_events.start_events"}))
def absent(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """An operation that the specification does not have."""
    name: str = request.param
    tag, method = name.split(".")
    module = import_module(f"azure_imds_api.api.{tag}")
    for kind in vars(module).values():
        if isinstance(kind, type) and method in vars(kind):
            monkeypatch.delattr(kind, method)
    remove_description(name, monkeypatch)
    return name


def test_help_shows_the_other_commands(absent: str, call: Run) -> None:
    done = call("--help")
    assert done.status == 0
    for command, operation in OPERATIONS.items():
        listed = any(line.startswith(f"  {command} ") for line in done.out.splitlines())
        assert listed == (operation != absent)
    assert "doctor" in done.out


def test_help_of_each_command_is_shown(absent: str, call: Run) -> None:
    for command in (*OPERATIONS, "wait", "exec", "doctor", "drain"):
        done = call(command, "--help")
        assert (done.status, done.err) == (0, ""), command
        assert (OPERATIONS.get(command) == absent) <= (absent in done.out), command


def test_the_command_of_an_absent_operation_names_it(absent: str, call: Run, emulator: Emulator) -> None:
    for command, operation in OPERATIONS.items():
        if operation == absent:
            done = call(command, *(["https://vault.azure.net"] if command == "token" else []))
            assert done.status == 2
            assert done.err == (
                f"azure-imds: {command} calls {absent}, which the specification of this package does not have. "
                "`azure-imds call --help` lists the operations that it has\n"
            )


def test_an_event_cannot_be_approved_without_the_operation(
    call: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from azure_imds_api.api.scheduled_events import ScheduledEventsOperations

    monkeypatch.delattr(ScheduledEventsOperations, "start_events")
    remove_description("scheduled_events.start_events", monkeypatch)
    assert call("events").status == 0
    done = call("events", "--approve", "x")
    assert done.status == 2
    assert done.err.startswith("azure-imds: events calls scheduled_events.start_events, which the specification of")
