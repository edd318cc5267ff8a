"""The examples of docs/emulator.md, executed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from azure_imds_emulator.config import parse

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found


def test_every_python_example_is_tested_here() -> None:
    assert len(blocks("python")) == 2


def test_the_python_example_runs() -> None:
    pytest.importorskip("azure_imds")
    exec(compile(blocks("python")[1], "docs/emulator.md", "exec"), {})


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
