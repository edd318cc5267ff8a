"""The examples of docs/emulator.md, executed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from azure_imds_emulator import Emulator
from azure_imds_emulator.certificates import AUTHORITY_VARIABLES
from azure_imds_emulator.cli import main
from azure_imds_emulator.config import parse
from azure_imds_emulator.hosts import list_host_names
from azure_imds_emulator.scenarios import list_scenarios

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8")

#: The hosts in the table of hosts, with their variables.
HOSTS = {
    row[1]: set(re.findall(r"`([A-Z_0-9]+)`", row[2]))
    for row in re.finditer(r"^\| `([a-z0-9-]+)` \| (`[A-Z_0-9]+`[^|]*)\|", PAGE, re.MULTILINE)
}


def blocks(language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found


def test_every_python_example_is_tested_here() -> None:
    assert len(blocks("python")) == 3


def test_the_python_example_runs() -> None:
    pytest.importorskip("azure_imds")
    exec(compile(blocks("python")[1], "docs/emulator.md", "exec"), {})


def test_the_example_of_another_host_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in HOSTS["service-fabric"]:
        # Restores it after the test.
        monkeypatch.setenv(name, "")
    [example] = [block for block in blocks("python") if 'host="service-fabric"' in block]
    exec(compile(example, "docs/emulator.md", "exec"), {})


def test_the_table_has_every_host_with_its_variables() -> None:
    assert HOSTS.keys() == {name for name in list_host_names() if name not in ("vm", "azure", "arc")}
    for host, variables in HOSTS.items():
        with Emulator(host=host) as emulator:
            assert variables == emulator.environment.keys() - set(AUTHORITY_VARIABLES)


def test_the_pytest_example_passes(tmp_path: Path) -> None:
    pytest.importorskip("azure.identity")
    (tmp_path / "test_example.py").write_text(blocks("python")[0])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "azure_imds_emulator.pytest_plugin"],
        cwd=tmp_path,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_configuration_file_is_valid(tmp_path: Path) -> None:
    (tmp_path / "captured.json").write_text('{"compute": {}, "network": {}}')
    settings = parse(blocks("yaml")[0], "emulator.yaml", folder=tmp_path)
    assert (settings.port, settings.machine.name) == (8169, "web-7")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_that_save_and_restore_the_state_work(tmp_path: Path) -> None:
    [block] = [block for block in blocks("console") if "curl" in block]
    save, restore = [line.removeprefix("$ ") for line in block.splitlines()]
    with Emulator() as emulator:
        port = str(urlsplit(emulator.control_url).port)
        event = emulator.schedule("Reboot")
        run_in_shell(save.replace("8170", port), tmp_path)
        emulator.reset()
        run_in_shell(restore.replace("8170", port), tmp_path)
        assert emulator.events.events == (event,)


def test_the_commands_with_faults_print_what_the_page_shows(tmp_path: Path) -> None:
    [block] = [block for block in blocks("console") if "--fault" in block]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    shown = [part.partition("\n")[::2] for part in block.split("$ ")[1:]]
    assert len(shown) == 2
    for command, output in shown:
        done = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, env=os.environ | {"PATH": path}, stdout=subprocess.PIPE, timeout=60
        )
        assert done.stdout.decode() == output


def run_in_shell(command: str, folder: Path) -> None:
    subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, check=True, timeout=60)


def test_the_configuration_that_a_command_prints_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = next(line for block in blocks("sh") for line in block.splitlines() if "--print-config" in line)
    assert main(command.partition(" > ")[0].split()[2:]) == 0
    assert parse(capsys.readouterr().out, "printed").events == [{"event_type": "Preempt", "after": 30}]


def test_the_table_of_scenarios_is_complete() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| `([A-Z][a-z]+)`", PAGE, re.MULTILINE)
    assert rows == [(name, Emulator().play(name).event_type) for name in list_scenarios()]
