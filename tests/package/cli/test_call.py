"""`azure-imds call`: every operation of the specification as a command."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from azure_imds import ImdsValidationError
from azure_imds._cli import arguments, operation_command
from azure_imds._cli.exits import Exit
from azure_imds._cli.values import MASK
from azure_imds_api.descriptions import DESCRIPTIONS
from azure_imds_emulator import Emulator
from cli_support import Run, read_usage_message, run_at_terminal

RESOURCE = "https://vault.azure.net"
BODY = {"StartRequests": [{"EventId": "00000000-0000-0000-0000-0000000000A1"}]}
#: How messages about a body end.
EXAMPLE = f", for example {json.dumps(BODY)}"


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_help_describes_every_operation_and_its_options(name: str, call: Run) -> None:
    done, description = call("call", name, "--help"), DESCRIPTIONS[name]
    assert done.status == 0
    assert description.summary in words(done.out)
    assert all(option in done.out for option in arguments.spell_options(description.arguments).values())
    assert f"operationId {description.operation_id}." in words(done.out)


def test_help_lists_the_operations_by_tag(call: Run) -> None:
    out = words(call("call", "--help").out)
    first = next(name for name in DESCRIPTIONS if name.startswith("identity."))
    assert f"identity: {first} " in out
    assert all(f"{name} {' '.join(description.summary.split())}" in out for name, description in DESCRIPTIONS.items())


def test_help_lists_the_operations_by_tag_at_a_terminal() -> None:
    done = run_at_terminal("call", "--help", columns=120, NO_COLOR="1")
    assert " identity: identity.get_token Get" in done.words
    assert "Get an access token for a managed identity" in done.words


def test_help_of_an_option_has_its_type_limits_and_default(call: Run) -> None:
    out = words(call("call", "identity.get_token", "--help").out)
    assert "--resource TEXT App ID URI" in out
    assert "Example: https://management.azure.com/ [required]" in out
    assert "Default: 2018-10-01." in out
    assert "--bypass-cache [true]" in out
    assert "Pass at most one of --client-id, --object-id, --msi-res-id." in out
    assert "client_id" not in out


def test_help_shows_an_example_of_a_body(call: Run) -> None:
    out = call("call", "scheduled_events.start_events", "--help").out
    assert "JSON, @FILE for a file with JSON, or - for standard input." in words(out)
    assert out.endswith(f"\n  azure-imds call scheduled_events.start_events --body \\\n      '{json.dumps(BODY)}'\n")


@pytest.mark.parametrize(
    "typed",
    [
        ["identity.get_info"],
        ["Identity_GetInfo"],
        ["identity_getinfo"],
        ["identity.get-info"],
        ["identity", "get-info"],
        ["identity", "get_info"],
        ["identity/getInfo"],
    ],
    ids=" ".join,
)
def test_an_operation_is_found_in_each_spelling(typed: list[str], call: Run, emulator: Emulator) -> None:
    assert call("call", *typed, "--query", "tenantId").out == f"{emulator.machine.tenant_id}\n"


@pytest.mark.parametrize(
    ("typed", "suggestion"),
    [
        (["identity.get_tokn"], "identity.get_token"),
        (["get_token"], "identity.get_token"),
        (["identity"], "' or '".join(name for name in DESCRIPTIONS if name.startswith("identity."))),
        (["identity", "tokens"], "identity.get_token"),
        (["identty", "get_token"], "identity.get_token"),
        (["get_metadata"], "' or '".join(name for name in DESCRIPTIONS if name.endswith(".get_metadata"))),
    ],
    ids=" ".join,
)
def test_another_operation_is_suggested(typed: list[str], suggestion: str, call: Run) -> None:
    done = call("call", *typed)
    assert done.status == Exit.USAGE
    assert f"No such operation: '{typed[0]}'. Did you mean '{suggestion}'?" in words(done.err)


@pytest.mark.parametrize("typed", ["zzz", "", "--", "."])
def test_nothing_is_suggested_for_nonsense(typed: str, call: Run) -> None:
    done = call("call", typed)
    assert done.status == Exit.USAGE
    assert "Did you mean" not in done.err


@pytest.mark.parametrize("option", ["--msi-res-id", "--msi_res_id", "--msiResId", "--MSI-RES-ID"])
def test_an_option_is_found_in_each_spelling(option: str, call: Run, emulator: Emulator) -> None:
    identity = emulator.machine.add_user_assigned("id-web")
    assert call("call", "identity.get_token", "--resource", RESOURCE, option, identity.resource_id).status == 0
    assert identity.resource_id in str(emulator.requests[0].query["msi_res_id"])


def test_another_option_is_suggested(call: Run) -> None:
    assert "--resource" in call("call", "identity.get_token", "--rsource", RESOURCE).err.splitlines()[0]


@pytest.mark.parametrize("before", [0, 1, 2])
def test_the_options_of_every_command_are_accepted_anywhere(before: int, call: Run, emulator: Emulator) -> None:
    line = ["call", "identity.get_info"]
    line[before:before] = ["--api-version", "2018-02-01", "--output", "text"]
    assert call(*line).out == f"tenantId\t{emulator.machine.tenant_id}\n"
    assert "2018-02-01" in emulator.requests[0].query["api-version"]


def test_an_operation_without_versions_refuses_the_option(call: Run, emulator: Emulator) -> None:
    assert call("--api-version", "2018-02-01", "call", "versions.get_versions").status == Exit.USAGE
    assert not emulator.requests


#: Arguments after `call`, and the message.
BAD: dict[tuple[str, ...], str] = {
    ("identity.get_token",): "--resource is required, for example https://management.azure.com/",
    ("identity.get_token", "--resource", ""): "--resource must not be empty, for example https://management.azure.com/",
    ("identity.get_token", "--resource", "urn:r", "--client-id", "x"): "--client-id must look like "
    "00000000-0000-0000-0000-000000000003",
    ("identity.get_token", "--resource", "urn:r", "--bypass-cache", "yes"): "--bypass-cache must be 'true'",
    ("instances.get_metadata", "--format", "text"): "--format must be 'json'",
    ("scheduled_events.start_events",): f"--body is required{EXAMPLE}",
    ("scheduled_events.start_events", "--body", "{"): "--body must be JSON, but is not at line 1, column 2" + EXAMPLE,
    ("scheduled_events.start_events", "--body", "[NaN]"): f"--body must be JSON, but is not{EXAMPLE}",
    ("scheduled_events.start_events", "--body", "[" * 100_000): f"--body must be JSON, but is not{EXAMPLE}",
    ("scheduled_events.start_events", "--body", "[]"): f"--body must be of type object, not list{EXAMPLE}",
    ("scheduled_events.start_events", "--body", "{}"): f"--body has no member 'StartRequests'{EXAMPLE}",
    ("scheduled_events.start_events", "--body", '{"a": "\\ud800"}'): f"--body must be JSON, but is not{EXAMPLE}",
    ("scheduled_events.start_events", "--body", "@/nowhere"): "--body cannot be read from the file /nowhere: "
    "No such file or directory",
    ("scheduled_events.start_events", "--body", "@/"): "--body cannot be read from the file /: Is a directory",
    ("scheduled_events.start_events", "--body", f"@{sys.executable}"): "--body cannot be read from the file "
    f"{sys.executable}: it is not UTF-8",
    ("scheduled_events.start_events", "--body", '{"StartRequests": [{"EventId": "a b"}]}'): "--body: "
    "StartRequests[0].EventId must look like 00000000-0000-0000-0000-0000000000A1",
    ("scheduled_events.start_events", "--body", "-", "--api-version", "x"): "Invalid value for '--api-version': "
    "'x' is not a date such as 2021-02-01, or 'newest'.",
}


@pytest.mark.parametrize(("typed", "message"), BAD.items(), ids=[" ".join(typed)[:60] for typed in BAD])
def test_a_wrong_value_is_named_as_typed_with_a_right_one(
    typed: tuple[str, ...], message: str, call: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(BODY)))
    done = call("call", *typed)
    assert (done.status, done.out) == (Exit.USAGE, "")
    assert read_usage_message(done.err) == message
    assert not emulator.requests


def test_standard_input_is_not_read_if_another_value_is_wrong(
    call: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = io.StringIO("{}")
    monkeypatch.setattr(sys, "stdin", stdin)
    assert call("call", "scheduled_events.start_events", "--api-version", "x", "--body", "-").status == Exit.USAGE
    assert stdin.tell() == 0


def test_closed_standard_input_is_no_json(call: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    done = call("call", "scheduled_events.start_events", "--body", "-")
    assert done.status == Exit.USAGE
    assert "--body must be JSON (standard input), but is not at line 1, column 1" in done.err


@pytest.mark.parametrize("source", ["option", "file", "-", "@-"])
def test_a_body_comes_from_an_option_a_file_or_standard_input(
    source: str, call: Run, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps({"StartRequests": [{"EventId": emulator.schedule("Reboot", notice=600).event_id}]})
    (tmp_path / "body.json").write_text(text)
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    value = {"option": text, "file": f"@{tmp_path / 'body.json'}"}.get(source, source)
    done = call("call", "scheduled_events.start_events", "--body", value)
    # The operation returns nothing.
    assert (done.status, done.out, done.err) == (0, "", "")
    assert emulator.events.events[0].status == "Started"


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="there is no endless device")
@pytest.mark.parametrize("source", ["@/dev/zero", "-"])
def test_an_endless_body_is_refused(
    source: str, call: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open("/dev/zero", encoding="ascii") as endless:
        monkeypatch.setattr(sys, "stdin", endless)
        done = call("call", "scheduled_events.start_events", "--body", source)
    name = "standard input" if source == "-" else "the file /dev/zero"
    assert (done.status, read_usage_message(done.err)) == (
        Exit.USAGE,
        f"--body cannot be read from {name}: it is larger than 1 MiB",
    )
    assert not emulator.requests


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="pipes have no names here")
def test_a_body_of_a_pipe_is_read(call: Run, emulator: Emulator) -> None:
    receiver, sender = os.pipe()
    event = emulator.schedule("Reboot", notice=600)
    os.write(sender, json.dumps({"StartRequests": [{"EventId": event.event_id}]}).encode())
    os.close(sender)
    with os.fdopen(receiver):
        assert call("call", "scheduled_events.start_events", "--body", f"@/dev/fd/{receiver}").status == 0
    assert emulator.events.events[0].status == "Started"


def test_a_result_that_is_nothing_is_null_in_json(call: Run, emulator: Emulator) -> None:
    body = json.dumps({"StartRequests": [{"EventId": emulator.schedule("Reboot", notice=600).event_id}]})
    assert call("call", "scheduled_events.start_events", "--body", body, "--output", "json").json is None


def test_secrets_are_hidden_in_a_table_and_written_to_a_pipe(call: Run, emulator: Emulator) -> None:
    token = ["call", "identity.get_token", "--resource", RESOURCE]
    assert call(*token).json["access_token"].startswith("eyJ")
    out = call(*token, "--output", "table").out
    assert MASK in out
    assert "eyJ" not in out


def test_secrets_are_hidden_at_a_terminal_unless_raw_is_given(emulator: Emulator) -> None:
    token = ["call", "identity.get_token", "--resource", RESOURCE, "--query", "access_token"]
    assert run_at_terminal(*token).words == MASK
    assert run_at_terminal(*token, "--raw", columns=2000).words.startswith("eyJ")


def test_an_error_of_imds_has_its_status(call: Run, emulator: Emulator) -> None:
    done = call("call", "trusted_hardware.get_amd_certification")
    assert (done.status, done.out) == (Exit.NOINPUT, "")
    assert "confidential machines" in done.err


RULES: dict[str, dict[str, Any]] = {
    "integer": {"type": "integer", "minimum": 2, "maximum": 9},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "array": {"type": "array", "maxItems": 3, "items": {"type": "integer"}},
    "enum": {"type": "integer", "enum": [1, 2]},
    "nullable": {"type": ["null", "integer"]},
    "text": {"type": "string"},
    "any": {},
}


@pytest.mark.parametrize(
    ("rule", "text", "value"),
    [
        ("integer", "7", 7),
        ("integer", "-7", -7),
        ("integer", "+7", 7),
        ("integer", " 007", 7),
        ("number", "1.5", 1.5),
        ("number", "2", 2),
        ("number", "1e3", 1000.0),
        ("boolean", "true", True),
        ("boolean", "False", False),
        ("array", ["1", "2"], [1, 2]),
        ("enum", "2", 2),
        ("nullable", "3", 3),
        ("text", "7", "7"),
        ("any", "true", "true"),
    ],
)
def test_text_becomes_a_value_of_its_type(rule: str, text: Any, value: Any) -> None:
    found = arguments.parse_value("a", RULES[rule], text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("rule", "text", "problem"),
    [
        ("integer", "7.5", "must be a whole number, for example 2"),
        ("integer", "", "must be a whole number, for example 2"),
        ("integer", "٧", "must be a whole number, for example 2"),
        ("integer", "9" * 5000, "must be a whole number, for example 2"),
        ("number", "1e999", "must be a number, for example 1"),
        ("number", "9" * 5000, "must be a number, for example 1"),
        ("number", "nan", "must be a number, for example 1"),
        ("number", "inf", "must be a number, for example 1"),
        ("boolean", "yes", "must be true or false, for example true"),
        ("array", ["1", "x"], "must be a whole number, for example 1"),
        ("enum", "one", "must be a whole number, for example 1"),
    ],
)
def test_text_of_another_type_is_refused(rule: str, text: Any, problem: str) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        arguments.parse_value("a", RULES[rule], text)
    assert (caught.value.parameter, caught.value.problem) == ("a", problem)


@pytest.mark.parametrize(
    ("rule", "metavar", "limits"),
    [
        ("integer", "INTEGER", "At least 2 and at most 9."),
        ("number", "NUMBER", ""),
        ("boolean", "[true|false]", ""),
        ("array", "INTEGER", "Repeat the option for each item, at most 3 times."),
        ("enum", "[1|2]", ""),
        ("text", "TEXT", ""),
    ],
)
def test_help_describes_a_type(rule: str, metavar: str, limits: str) -> None:
    assert (arguments.describe_type(RULES[rule]), arguments.describe_limits(RULES[rule])) == (metavar, limits)


def test_options_that_differ_by_an_underscore_keep_it() -> None:
    assert arguments.spell_options(["format_", "api_version"]) == {
        "format_": "--format",
        "api_version": "--api-version",
    }
    assert arguments.spell_options(["format_", "format"]) == {"format_": "--format-", "format": "--format"}


def test_an_option_of_an_operation_replaces_that_of_every_command(
    call: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, sent = "versions.get_versions", list[dict[str, Any]]()
    operation = operation_command.find_operation(name)._replace(
        rules={argument: {"name": argument, "in": "query", "type": "string"} for argument in ("query", "raw", "output")}
    )
    described = DESCRIPTIONS[name]._replace(arguments=dict.fromkeys(operation.rules, ""))
    monkeypatch.setattr(operation_command, "find_operation", lambda name: operation)
    monkeypatch.setattr(operation_command, "DESCRIPTIONS", {name: described})
    method = SimpleNamespace(get_versions=lambda **given: sent.append(given))
    monkeypatch.setattr("azure_imds._client.client.ImdsClient.versions", method)
    operation_command.build_command.cache_clear()
    try:
        done = call("--output", "json", "call", name, "--query", "a", "--raw", "b", "--output", "c")
    finally:
        operation_command.build_command.cache_clear()
    assert (done.status, done.out, sent) == (0, "null\n", [{"query": "a", "raw": "b", "output": "c"}])
