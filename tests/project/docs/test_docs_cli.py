"""The examples and tables of docs/cli.md match the code."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from azure_imds._cli import findings, imds_checks
from azure_imds._cli.application import OPERATIONS
from azure_imds._cli.exits import MEANINGS
from azure_imds._cli.findings import Finding
from azure_imds._cli.resources import read_resources
from azure_imds_emulator import Emulator
from cli_support import build_environment
from support import ROOT

PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)

#: Each command of the page with its output; `...` matches anything.
EXAMPLES = [
    (command, output)
    for block in BLOCKS
    for command, _, output in (part.partition("\n") for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:])
]


@pytest.mark.parametrize(("command", "output"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_an_example_prints_what_the_page_shows(command: str, output: str) -> None:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    with Emulator() as emulator:
        emulator.schedule("Reboot", notice=600)
        variables = build_environment(**emulator.environment, PATH=path, COLUMNS="97")
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=variables, timeout=60)
    assert done.stderr == ""
    printed = "\n".join(line.rstrip() for line in done.stdout.splitlines())
    pattern = re.escape(output.rstrip()).replace(re.escape("..."), ".*")
    assert re.fullmatch(pattern, printed, re.DOTALL), printed


def test_every_command_has_its_line() -> None:
    for command in (*OPERATIONS, "call", "doctor", "drain", "emulator", "exec", "wait"):
        assert f"| `azure-imds {command}" in PAGE


def test_the_table_of_statuses_is_that_of_the_code() -> None:
    assert dict(re.findall(r"^\| (\d+) \| (.*) \|$", PAGE, re.MULTILINE)) == {
        str(int(status)): meaning for status, meaning in MEANINGS.items()
    }


def test_the_table_of_resources_is_that_of_the_code() -> None:
    assert re.findall(r"^\| `(\w+)` \| (.*) \| `(\S+)` \|$", PAGE, re.MULTILINE) == [
        (name, values["service"], values["public"]) for name, values in read_resources().items()
    ]


def test_every_check_of_the_doctor_is_explained() -> None:
    requests = re.findall(r"_request\(\s*\"(\w+)\"", inspect.getsource(imds_checks))
    reports = [value.check for value in vars(findings).values() if isinstance(value, Finding) and value.check]
    explained = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]*) \|", PAGE, re.MULTILINE)))
    assert requests
    assert reports
    assert {*requests, *reports} <= {*explained}
