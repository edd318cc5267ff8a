"""Completion in bash, zsh and fish."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import pytest

from cli_support import COMMAND, Run, run, run_program

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
        ("azure-imds wait --resource va", "vault"),
        ("azure-imds call identity.get_token --resource va", "vault"),
        ("azure-imds instance compute/na", "compute/name"),
        ("azure-imds instance network/interface/0/ma", "network/interface/0/macAddress"),
        ("azure-imds instance us", "user-data"),
        ("azure-imds token vault --query expires_i", "expires_in"),
        ("azure-imds call load_balancer.get_metadata -q load", "loadbalancer"),
        ("azure-imds events --api-version 20", "2020-07-01"),
        ("azure-imds call identity.get_token --api-version 20", "2018-10-01"),
        ("azure-imds drain --on Reboot,Pre", "Reboot,Preempt"),
        ("azure-imds attested --verify --cloud g", "germany"),
        ("azure-imds wait --for im", "imds"),
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
    assert done.err == ""


#: Lines as bash splits them, the last word of which is being typed, and what bash offers.
BASH = {
    ("instance", "com"): "compute compute/",
    ("instance", "network/interface/"): "network/interface/0 network/interface/0/",
    ("instance", "compute/location/"): "",
    ("instance", "nothing/"): "",
    ("token", '"va'): "vault",
    ("token", "vault", "--cloud", "=", "ch"): "china",
    ("token", "vault", "--cloud", "="): "public usgov china",
    ("token", "vault", "--cloud", "=", "china", "--header"): "--header",
    ("drain", "--on", "F"): "Freeze",
    ("--version", "load"): "loadbalancer",
    ("--output", "mars", "token", "appc"): "appconfig",
    ("token", "$(exit)`exit`", "--cl"): "--client-id --cloud",
    ("call", "scheduled"): "scheduled_events.get_events scheduled_events.start_events",
}


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_lines_as_users_type_them(tmp_path: Path) -> None:
    """With the script that `--show-completion` prints. No request is sent: nothing listens at the endpoint."""
    script = tmp_path / "script"
    script.write_text(run("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1").out)
    lines = [
        f"COMP_WORDS=(azure-imds {shlex.join(words)}) COMP_CWORD={len(words)}; _azure_imds_completion {COMMAND}; "
        'echo "${COMPREPLY[*]}"; '
        for words in BASH
    ]
    done = run_program("bash", "-c", f"source {script}; IFS=' '; {''.join(lines)}")
    assert (done.status, done.err) == (0, "")
    assert dict(zip(BASH, done.out.splitlines(), strict=True)) == BASH


@pytest.mark.parametrize("words", [["token", ""], ["instance", "compute/"], ["call", "identity.get_token", "-"]])
def test_completion_opens_no_connection(words: list[str], call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("a completion must not open a connection")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setenv(COMPLETE_VARIABLE, "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "\n".join(["azure-imds", *words]))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))
    assert call().out


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"COMP_WORDS": "azure-imds token", "COMP_CWORD": "x"},
        {COMPLETE_VARIABLE: "nonsense"},
        {COMPLETE_VARIABLE: "complete_nonsense"},
    ],
)
def test_completion_that_fails_writes_nothing_into_the_line(
    request_: dict[str, str], call: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {COMPLETE_VARIABLE: "complete_bash", **request_}.items():
        monkeypatch.setenv(name, value)
    done = call()
    assert (done.out, done.err) == ("", "")


def test_completion_without_the_extra_writes_nothing_into_the_line() -> None:
    code = "import sys; sys.modules['typer'] = None; from azure_imds._cli import main; sys.exit(main())"
    done = run_program(sys.executable, "-c", code, **{COMPLETE_VARIABLE: "complete_bash", "COMP_CWORD": "1"})
    assert (done.out, done.err) == ("", "")
    assert done.status != 0
