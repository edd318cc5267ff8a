"""Completion in bash, zsh and fish."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from cli_support import Run, environment, run

VARIABLE = "_AZURE_IMDS_COMPLETE"

#: How each shell's script asks for what may follow a line.
ASKING = {
    "bash": lambda line: {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)},
    "zsh": lambda line: {"_TYPER_COMPLETE_ARGS": line},
    "fish": lambda line: {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
}


@pytest.mark.parametrize("shell", ASKING)
def test_a_shell_s_script_is_printed_and_good_in_that_shell(shell: str) -> None:
    done = run("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.status == 0
    assert f"{VARIABLE}=complete_{shell}" in done.out
    if program := shutil.which(shell):
        check = subprocess.run([program, "-n"], input=done.out, capture_output=True, text=True, env=environment())
        assert (check.returncode, check.stderr) == (0, "")


@pytest.mark.parametrize("shell", ASKING)
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("azure-imds to", "token"),
        ("azure-imds token --cl", "--client-id"),
        ("azure-imds versions --output ta", "table"),
        ("azure-imds emu", "emulator"),
    ],
)
def test_a_word_is_completed(shell: str, line: str, expected: str, call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {VARIABLE: f"complete_{shell}", **ASKING[shell](line)}.items():
        monkeypatch.setenv(name, value)
    done = call()
    assert expected in done.out
    assert "versions" not in done.out
