"""The command `azure-imds`, as installed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from azure_imds import _cli
from azure_imds_emulator import Emulator

COMMAND = [str(Path(sys.executable).with_name("azure-imds"))]


def test_the_emulator_says_where_it_is_and_what_to_export_and_ends_at_sigterm() -> None:
    with subprocess.Popen(
        [*COMMAND, "emulator", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            lines: list[str] = []
            while not any("AZURE_POD_IDENTITY_AUTHORITY_HOST=" in line for line in lines):
                line = process.stdout.readline()
                assert line, "the command ended"
                lines.append(line)
            endpoint = lines[-1].strip().rpartition("=")[2]
            answer = httpx.get(f"{endpoint}/metadata/versions", headers={"Metadata": "true"}, trust_env=False)
            assert answer.status_code == 200
        finally:
            process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert not errors


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["--nothing"]])
def test_bad_usage_is_status_2_with_help(arguments: list[str]) -> None:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Usage: azure-imds" in done.stderr


def test_help_of_the_emulator() -> None:
    done = subprocess.run([*COMMAND, "emulator", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "--config" in done.stdout


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    for module in [name for name in sys.modules if name.startswith("azure_imds_emulator")]:
        monkeypatch.delitem(sys.modules, module)
    assert _cli.main(["emulator"]) == 2
    assert "pip install 'azure-imds[emulator]'" in capsys.readouterr().err


def test_a_piped_token_loads_nothing_that_it_does_not_need() -> None:
    code = (
        "import sys; sys.argv = ['azure-imds', 'token', 'https://vault.azure.net'];"
        "from azure_imds._cli import main; status = main();"
        "idle = [name for name in ('rich.console', 'trio', 'azure_imds_api.models.instance') if sys.modules.get(name)];"
        "print(status, idle, file=sys.stderr)"
    )
    with Emulator() as emulator:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | emulator.environment
        )
    assert done.stderr == "0 []\n"
