"""The command `azure-imds`, as installed."""

from __future__ import annotations

import signal
import sys

import httpx
import pytest

from azure_imds import _cli
from azure_imds_emulator import Emulator
from cli_support import run, run_program, start


def test_the_emulator_prints_its_variable_and_ends_at_sigterm() -> None:
    with start("emulator", "--port", "0") as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not any("AZURE_POD_IDENTITY_AUTHORITY_HOST=" in line for line in lines):
            line = process.stdout.readline()
            assert line, "the command ended"
            lines.append(line)
        endpoint = lines[-1].strip().rpartition("=")[2]
        answer = httpx.get(f"{endpoint}/metadata/versions", headers={"Metadata": "true"}, trust_env=False)
        assert answer.status_code == 200
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert not errors


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["--nothing"]])
def test_bad_usage_is_status_2_with_help(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.status == 2
    assert "Usage: azure-imds" in done.err


def test_help_of_the_emulator() -> None:
    done = run("emulator", "--help")
    assert done.status == 0
    assert "--config" in done.out


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    for module in [name for name in sys.modules if name.startswith("azure_imds_emulator")]:
        monkeypatch.delitem(sys.modules, module)
    assert _cli.main(["emulator"]) == 2
    assert "pip install 'azure-imds[emulator]'" in capsys.readouterr().err


def test_a_piped_token_imports_only_what_it_needs() -> None:
    code = (
        "import sys; sys.argv = ['azure-imds', 'token', 'https://vault.azure.net'];"
        "from azure_imds._cli import main; status = main();"
        "idle = [name for name in ('rich.console', 'trio', 'azure_imds_api.models.instance') if sys.modules.get(name)];"
        "print(status, idle, file=sys.stderr)"
    )
    with Emulator() as emulator:
        done = run_program(sys.executable, "-c", code, **emulator.environment)
    assert done.err == "0 []\n"
