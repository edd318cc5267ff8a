"""Completion in bash, zsh and fish."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli_support import Run, run, run_program

COMPLETE_VARIABLE = "_AZURE_IMDS_COMPLETE"

#: The variables by which each shell's script requests the completions of a line.
VARIABLES = {
    "bash": lambda line: {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)},
    "zsh": lambda line: {"_TYPER_COMPLETE_ARGS": line},
    "fish": lambda line: {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
}


@pytest.mark.parametrize("shell", VARIABLES)
def test_the_script_of_a_shell_is_printed_and_valid_in_that_shell(shell: str, tmp_path: Path) -> None:
    done = run("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.status == 0
    assert f"{COMPLETE_VARIABLE}=complete_{shell}" in done.out
    if program := shutil.which(shell):
        script = tmp_path / "script"
        script.write_text(done.out)
        check = run_program(program, "-n", str(script))
        assert (check.status, check.err) == (0, "")


@pytest.mark.parametrize("shell", VARIABLES)
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("azure-imds to", "token"),
        ("azure-imds token --cl", "--client-id"),
        ("azure-imds versions --output ta", "table"),
        ("azure-imds emu", "emulator"),
        ("azure-imds token va", "vault"),
        ("azure-imds token vault --cloud c", "china"),
        ("azure-imds call identity.get_t", "identity.get_token"),
        ("azure-imds call identity.get_token --cl", "--client-id"),
        ("azure-imds call identity get-token --obj", "--object-id"),
        ("azure-imds call instances.get_metadata --format j", "json"),
        ("azure-imds call instances.get_metadata --extended ", "true"),
    ],
)
def test_a_word_is_completed(shell: str, line: str, expected: str, call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {COMPLETE_VARIABLE: f"complete_{shell}", **VARIABLES[shell](line)}.items():
        monkeypatch.setenv(name, value)
    done = call()
    assert expected in done.out
    assert "versions" not in done.out
