"""The command line, in a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from azure_imds_emulator.cli import main
from emulator_support import HEADERS, make_client

COMMAND = [sys.executable, "-m", "azure_imds_emulator"]


@contextmanager
def run_emulator(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """Yields the running process, and the name and value of each line that it printed. Kills it at the end."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)} | environment,
    )
    try:
        assert process.stdout
        lines: dict[str, str] = {}
        for line in process.stdout:
            name, _, value = line.strip().replace("export ", "").replace("=", " ", 1).partition(" ")
            lines[name] = value.strip()
            if name in ("AZURE_POD_IDENTITY_AUTHORITY_HOST", "IMDS_ENDPOINT"):
                break
        yield process, lines
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_addresses_and_exits_with_0_after_a_signal(number: signal.Signals) -> None:
    with run_emulator() as (process, lines), make_client(headers=HEADERS) as client:
        endpoint = lines["AZURE_POD_IDENTITY_AUTHORITY_HOST"]
        assert lines["endpoint"] == endpoint
        assert client.get(f"{endpoint}/metadata/versions").status_code == 200
        assert client.get(lines["control"]).status_code == 200
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")


def test_the_command_has_rate_limits_by_default() -> None:
    with run_emulator() as (_, lines), make_client(headers=HEADERS) as client:
        url = f"{lines['endpoint']}/metadata/versions"
        assert any(client.get(url).status_code == 429 for _ in range(500))
    with run_emulator("--no-rate-limits") as (_, lines), make_client(headers=HEADERS) as client:
        url = f"{lines['endpoint']}/metadata/versions"
        assert {client.get(url).status_code for _ in range(30)} == {200}


def test_the_arc_agent_prints_its_variables_and_its_key_folder(tmp_path: Path) -> None:
    with run_emulator("--arc", "--arc-token-dir", str(tmp_path / "keys")) as (_, lines):
        assert lines["IDENTITY_ENDPOINT"] == f"{lines['IMDS_ENDPOINT']}/metadata/identity/oauth2/token"
        assert lines["keys"] == str(tmp_path / "keys")


def test_options_override_variables_and_variables_override_the_file(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "server: from-file\nrate_limits: false\nmachine: {instance: {compute: {name: x}}}\n"
    )
    arguments = ["--config", str(tmp_path / "c.yaml")]
    with make_client(headers=HEADERS) as client:
        for more, environment, expected in (
            ([], {}, "from-file"),
            ([], {"AZURE_IMDS_EMULATOR_SERVER": "from-variable"}, "from-variable"),
            (["--server", "from-option"], {"AZURE_IMDS_EMULATOR_SERVER": "from-variable"}, "from-option"),
        ):
            with run_emulator(*arguments, *more, **environment) as (_, lines):
                response = client.get(
                    f"{lines['endpoint']}/metadata/instance/compute/name?api-version=2021-02-01&format=text"
                )
                assert (response.headers["Server"], response.text) == (expected, "x")


def test_a_wrong_file_is_reported_with_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("port: 0\nprot: 1\n")
    assert main(["--config", str(path)]) == 2
    assert f"{path}:2: " in capsys.readouterr().err


def test_a_wrong_option_is_reported_with_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "70000"]) == 2
    assert "--port must be a number from 0 to 65535, got 70000" in capsys.readouterr().err


def test_a_port_in_use_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["--port", str(taken.getsockname()[1])]) == 1
    assert "in use" in capsys.readouterr().err


def test_signal_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGTERM)
    main(["--port", "70000"])
    assert signal.getsignal(signal.SIGTERM) is before
