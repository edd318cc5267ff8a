"""Results as YAML, columns and variables, and parts of them by JMESPath."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from azure_imds._cli.forms import format_columns, format_lines, format_variables, format_yaml, spell_variable
from azure_imds_emulator import Emulator
from cli_support import COMMAND, Run, build_environment, run_at_terminal

RESOURCE = "https://vault.azure.net"


def test_yaml_is_the_answer(call: Run, emulator: Emulator) -> None:
    document = yaml.safe_load(call("instance", "-o", "yaml").out)
    assert document == call("instance", "-o", "json").json


@pytest.mark.parametrize("value", ["eastus", "", "true", "24", "a: b", "- a", "größe", None, 1.5, [], {}, {"a": ["x"]}])
def test_a_value_as_yaml_is_read_back(value: Any) -> None:
    for ascii_only in (False, True):
        text = format_yaml(value, ascii_only=ascii_only)
        assert yaml.safe_load(text) == value
        assert text.isascii() or not ascii_only


@pytest.mark.parametrize(
    "text", ["no", "1e3", "12E+4", "0123", "08", "0o17", "1.", ".5", "y", "N", "2024-01-01", "~", "1:30"]
)
def test_text_that_yaml_readers_take_for_something_else_has_quotes(text: str) -> None:
    assert format_yaml({text: [text]}) == f"'{text}':\n- '{text}'"


@pytest.mark.parametrize("text", ["20.04.202301", "10.0.0.4", "eastus", "2e", "nothing", "1e3f"])
def test_other_text_in_yaml_has_no_quotes(text: str) -> None:
    assert format_yaml(text) == text


def test_long_text_in_yaml_is_one_line() -> None:
    assert format_yaml({"a": "word " * 100 + "end"}).count("\n") == 0


def test_a_single_value_as_yaml_or_columns_is_one_line(call: Run, emulator: Emulator) -> None:
    assert call("instance", "compute/location", "-o", "yaml").out == "eastus\n"
    assert call("instance", "compute/location", "-o", "tsv").out == "eastus\n"


def test_columns_are_lines_of_values(call: Run, emulator: Emulator) -> None:
    tags = call("instance", "compute/tagsList", "-o", "json").json
    lines = call("instance", "compute/tagsList", "-o", "tsv").out.splitlines()
    assert lines == [f"{tag['name']}\t{tag['value']}" for tag in tags]
    assert call("versions", "-q", "apiVersions", "-o", "tsv").out.startswith("2017-03-01\n")


def test_a_value_cannot_end_a_column_or_a_line() -> None:
    assert format_columns([{"a": "x\ty", "b": "1\n2\r\\", "c": {"d": 1}, "e": True, "f": None}]) == (
        'x\\ty\t1\\n2\\r\\\\\t{"d": 1}\ttrue\tnull'
    )
    assert format_columns("a\tb\n") == "a\\tb\\n"
    assert format_columns({}) == ""
    assert format_columns([]) == ""


def test_all_lines_of_a_list_of_objects_have_the_same_columns() -> None:
    rows = [{"a": 1, "b": 2}, {"b": 3, "a": 4}, {"c": 5}, {}, "x"]
    assert format_columns(rows) == "1\t2\t\n4\t3\t\n\t\t5\n\t\t\nx"


@pytest.mark.parametrize("form", ["tsv", "env"])
def test_an_empty_list_is_no_line(form: str, call: Run, emulator: Emulator) -> None:
    assert call("instance", "-q", "compute.tagsList[?name=='none']", "-o", form).out == ""
    assert call("instance", "-q", "compute.plan.name", "-o", "tsv").out == "\n"


def test_a_value_cannot_look_like_another_line() -> None:
    """As text, a value with a line break would be read as the value of another path."""
    assert format_lines({"tag": "x\nlocation\tmars", "a\tb": "\\"}) == "tag\tx\\nlocation\\tmars\na\\tb\t\\\\"
    assert format_lines("x\ny\\") == "x\ny\\"


#: Values that a shell must give back as they are.
HOSTILE = [
    "$(touch marker)`touch marker`",
    "'; touch marker; '",
    '"\\$HOME!!',
    "a\n\ttouch marker\n\n",
    "=ls",
    "x:=ls",
    "~",
    "~root/x:~",
    "  two  spaces ",
    "*?[a]{b,c}",
    "\x1b[31m\r\x07",
    "größe-☁",
    "#",
    "-n",
    "",
]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "zsh"])
def test_a_shell_gives_back_every_value_and_executes_none(
    shell: str, encoding: str, emulator: Emulator, tmp_path: Path
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    emulator.fail(path="/metadata/instance", body={"compute": {"values": HOSTILE}})
    names = " ".join(f'"$IMDS_COMPUTE_VALUES_{index}"' for index in range(len(HOSTILE)))
    script = f"eval \"$('{COMMAND}' instance -o env)\"; printf '%s\\0' {names}"
    environment = build_environment(PYTHONIOENCODING=encoding)
    done = subprocess.run([shell, "-c", script], capture_output=True, env=environment, cwd=tmp_path, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().split("\0") == [*HOSTILE, ""]
    assert list(tmp_path.iterdir()) == []


def test_zsh_does_not_replace_a_value_by_a_path() -> None:
    assert format_variables({"a": "=ls", "b": "x:~", "c": "it's"}) == "IMDS_A='=ls'\nIMDS_B='x:~'\nIMDS_C='it'\\''s'"


def test_a_variable_holds_no_nul() -> None:
    assert format_variables({"a": "x\0y"}) == "IMDS_A='x\ufffdy'"


def test_variables_are_set_by_a_shell(call: Run, emulator: Emulator) -> None:
    emulator.fail(path="/metadata/instance", body={"compute": {"osProfile": {"adminUsername": "a 'b'\n$(exit 3)"}}})
    text = call("instance", "-o", "env").out
    script = f'{text}printf %s "$IMDS_COMPUTE_OS_PROFILE_ADMIN_USERNAME"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "a 'b'\n$(exit 3)")


def test_a_member_cannot_set_another_variable() -> None:
    assert format_variables({"PATH": "x", "LD PRELOAD;a": "y", "path": "z", "": "e", "empty": [], "none": None}) == (
        "IMDS_PATH=x\nIMDS_LD_PRELOAD_A=y\nIMDS_PATH_2=z\nIMDS_VALUE=e\nIMDS_NONE=''"
    )


def test_the_variable_of_a_single_value(call: Run, emulator: Emulator) -> None:
    assert call("instance", "compute/location", "-o", "env").out == "IMDS_VALUE=eastus\n"
    assert spell_variable("network/interface/0/macAddress") == "IMDS_NETWORK_INTERFACE_0_MAC_ADDRESS"


@pytest.mark.parametrize("form", ["yaml", "tsv", "env"])
@pytest.mark.parametrize("query", [[], ["-q", "[access_token]"], ["-q", "{a: access_token}"]], ids=str)
def test_a_terminal_shows_no_token(form: str, query: list[str], emulator: Emulator) -> None:
    done = run_at_terminal("token", RESOURCE, "-o", form, *query)
    assert done.status == 0
    assert "********" in done.words
    assert "eyJ" not in done.out


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("compute.location", '"eastus"'),
        ("compute/location", '"eastus"'),
        ("/compute/location/", '"eastus"'),
        ("compute.tagsList[0].name", '"Department"'),
        ("compute.tagsList[?name=='Department'].value | [0]", '"Example"'),
        ("compute.tagsList[?name=='a/b']", "[]"),
        ("length(network.interface)", "1"),
    ],
)
def test_a_query_is_a_path_or_jmespath(query: str, expected: str, call: Run, emulator: Emulator) -> None:
    done = call("instance", "-q", query, "-o", "json")
    assert (done.status, done.out, done.err) == (0, f"{expected}\n", "")


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("a[", "is not a path and not JMESPath"),
        ("a[?", "is not a path and not JMESPath"),
        ("a b", "is not a path and not JMESPath at character 3, for example compute/location"),
        ("nothing(@)", "is not JMESPath: nothing() is not a function."),
        ("length(@, @)", "is not JMESPath: Expected 1 argument for function length(), received 2"),
    ],
)
def test_a_wrong_query_fails_before_a_request(query: str, problem: str, call: Run, emulator: Emulator) -> None:
    for arguments in (["versions", "-q", query], ["-q", query, "versions"]):
        done = call(*arguments)
        assert (done.status, done.out) == (2, "")
        assert problem in done.err
    assert not emulator.requests


def test_a_query_that_selects_nothing(call: Run, emulator: Emulator) -> None:
    done = call("versions", "-q", "a.b")
    assert (done.status, done.out) == (66, "")
    assert done.err == "azure-imds: --query a.b: selects nothing of the result\n"


@pytest.mark.parametrize("query", ["abs(access_token)", "to_number([access_token])[0]", "sum([access_token])"])
def test_the_message_of_a_query_that_fails_has_no_token(query: str, call: Run, emulator: Emulator) -> None:
    done = call("token", RESOURCE, "-q", query, "--verbose")
    assert done.status == 66
    assert "eyJ" not in done.out + done.err


def test_paths_need_no_package(call: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "jmespath", None)
    assert call("instance", "-q", "compute/location").out == "eastus\n"
    done = call("instance", "-q", "compute.location")
    assert done.status == 2
    assert "pip install 'azure-imds[cli]'" in done.err
