"""Output that cannot be written as it is: an encoding without a letter, a full disk, and values of the wrong type."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from azure_imds._cli.exits import Exit
from azure_imds_emulator import Emulator

CODE = "import sys; from azure_imds._cli.entry import main; sys.exit(main())"


def run(emulator: Emulator, *arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **emulator.environment, "PYTHONIOENCODING": "ascii", **options.pop("env", {})}
    command = [sys.executable, "-c", CODE, *arguments]
    return subprocess.run(command, env=environment, stderr=subprocess.PIPE, timeout=60, **options)


@pytest.fixture
def named(emulator: Emulator) -> Emulator:
    emulator.machine.compute["name"] = "größe-☁"
    return emulator


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_json_has_escapes_for_characters_that_the_encoding_lacks(named: Emulator, encoding: str) -> None:
    done = run(named, "instance", stdout=subprocess.PIPE, env={"PYTHONIOENCODING": encoding})
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout.decode(encoding))["compute"]["name"] == "größe-☁"


@pytest.mark.parametrize("output", ["text", "table"])
def test_text_has_escapes_for_characters_that_the_encoding_lacks(named: Emulator, output: str) -> None:
    done = run(named, "instance", "compute/name", "--output", output, stdout=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode("ascii").strip() == r"gr\xf6\xdfe-\u2601"


def test_utf_8_has_no_escapes(named: Emulator) -> None:
    done = run(named, "instance", "compute/name", stdout=subprocess.PIPE, env={"PYTHONIOENCODING": "utf-8"})
    assert done.stdout.decode("utf-8").strip() == "größe-☁"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [["instance"], ["versions", "--output", "text"], ["--help"], ["token", "--help"]])
def test_a_full_disk_has_a_message_and_a_status_of_its_own(emulator: Emulator, arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = run(emulator, *arguments, stdout=full)
    assert done.returncode == Exit.IOERR
    assert done.stderr.decode() == "azure-imds: cannot write: No space left on device\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["versions", "--deadline", "3s"], "'--deadline': must be a number of seconds, for example 2.5"),
        (
            ["versions", "--output", "xml"],
            "'--output' / '-o': 'xml' is not one of 'json', 'yaml', 'text', 'tsv', 'env', 'table'.",
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_explained(emulator: Emulator, arguments: list[str], text: str) -> None:
    done = run(emulator, *arguments, stdout=subprocess.PIPE)
    assert done.returncode == Exit.USAGE
    assert done.stderr.decode().splitlines()[0].endswith(text)
    assert ".." not in done.stderr.decode()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["token", "valt"], Exit.USAGE),
        (["call", "nothing"], Exit.USAGE),
        ([], Exit.USAGE),
        (["instance", "compute/nothing"], Exit.NOINPUT),
        (["versions", "--endpoint", "http://127.0.0.1:1", "--deadline", "1"], Exit.UNAVAILABLE),
    ],
)
def test_a_message_that_cannot_be_written_does_not_change_the_status(
    emulator: Emulator, arguments: list[str], status: Exit
) -> None:
    command = [sys.executable, "-c", CODE, *arguments]
    environment = {**os.environ, **emulator.environment}
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=full, timeout=60)
    assert (done.returncode, done.stdout) == (status, b"")
