"""`python -m maintenance`: its commands, and how it reports problems."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from maintenance.__main__ import COMMANDS, main
from maintenance.progress import show_step
from support import ROOT


def test_the_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    words = [line.split(maxsplit=1)[0] for line in capsys.readouterr().out.splitlines() if line.startswith("    ")]
    assert [word for word in words if word in COMMANDS] == [*COMMANDS]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_of_one_sentence(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    summary = (COMMANDS[command].__doc__ or "").partition("\n")[0]
    assert text.startswith(f"usage: python -m maintenance {command}")
    assert summary.endswith(".")
    assert summary in text


def test_a_problem_is_one_line_that_starts_with_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", ""]) == 1
    assert capsys.readouterr() == ("", "publish: INDEX_URL is missing: run make publish INDEX_URL=https://...\n")


def test_the_exit_code_is_that_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(ROOT / "openapi.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "--upstream", "openapi.yaml"]) == 0
    assert capsys.readouterr().out == "Both documents describe the same operations, parameters and fields.\n"


def test_without_a_command_the_usage_is_printed() -> None:
    command = [sys.executable, "-m", "maintenance"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: python -m maintenance [-h] COMMAND ...\n")


def test_progress_is_not_part_of_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    show_step("Comparing")
    assert capsys.readouterr() == ("", "Comparing ...\n")
