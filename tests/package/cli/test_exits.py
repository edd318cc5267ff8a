"""How a command ends: each status of the table, and words that help."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from azure_imds import ImdsError, _cli, errors
from azure_imds._cli import session
from azure_imds._cli.exits import MEANINGS, Exit, status_of
from azure_imds.attestation import AttestationError
from azure_imds_emulator import Emulator
from cli_support import COMMAND, NOWHERE, Run, environment, run
from support import raw_server

RESOURCE = "https://vault.azure.net"

#: By status, what to do to the emulator, and the command that ends so.
CASES: list[tuple[Exit, dict[str, Any], list[str]]] = [
    (Exit.OK, {}, ["token", RESOURCE]),
    (Exit.USAGE, {}, ["token", ""]),
    (Exit.USAGE, {}, ["instance", "../identity"]),
    (Exit.USAGE, {}, ["token", RESOURCE, "--client-id", "web"]),
    (Exit.USAGE, {}, ["versions", "--endpoint", "nonsense"]),
    (Exit.USAGE, {}, ["versions", "--deadline", "-1"]),
    (Exit.USAGE, {}, ["versions", "--deadline", "soon"]),
    (Exit.USAGE, {}, ["versions", "--output", "xml"]),
    (Exit.USAGE, {}, ["attested", "--verify", "--roots", "/nowhere"]),
    (Exit.USAGE, {}, ["attested", "--verify", "--cloud", "moon"]),
    (Exit.UNVERIFIED, {}, ["attested", "--verify"]),
    (Exit.NOINPUT, {}, ["instance", "compute/nothing"]),
    (Exit.NOINPUT, {}, ["instance", "--query", "compute/nothing"]),
    (Exit.NOINPUT, {}, ["versions", "--query", "apiVersions/1000"]),
    (Exit.UNAVAILABLE, {}, ["versions", "--endpoint", NOWHERE, "--deadline", "1"]),
    (Exit.UNAVAILABLE, {"preset": "docker-desktop"}, ["versions"]),
    (Exit.TEMPFAIL, {"hang": True}, ["versions", "--deadline", "0.2"]),
    (Exit.TEMPFAIL, {"status": 410}, ["versions", "--deadline", "4"]),
    (Exit.TEMPFAIL, {"status": 429}, ["versions", "--deadline", "0.5"]),
    (Exit.TEMPFAIL, {"status": 500}, ["versions", "--deadline", "0.5"]),
    (Exit.TEMPFAIL, {"status": 404}, ["token", RESOURCE, "--deadline", "0.1"]),
    (Exit.PROTOCOL, {"body": "nonsense"}, ["versions"]),
    (Exit.NOPERM, {"status": 403}, ["versions"]),
    (Exit.NOPERM, {"status": 400}, ["identity"]),
]


@pytest.mark.parametrize(("status", "fault", "arguments"), CASES, ids=[f"{int(c[0])}-{' '.join(c[2])}" for c in CASES])
def test_a_command_ends_with_its_status(
    status: Exit, fault: dict[str, Any], arguments: list[str], call: Run, emulator: Emulator
) -> None:
    if fault:
        emulator.fail(times=100, **fault)
    done = call(*arguments)
    assert done.status == status
    if status is not Exit.OK:
        assert done.out == ""
        assert done.err.count("azure-imds") >= 1
        assert "Traceback" not in done.err


def test_every_status_is_tested_here_or_where_it_belongs() -> None:
    elsewhere = {Exit.FINDINGS, Exit.SOFTWARE, Exit.INTERRUPTED, Exit.CLOSED}
    assert {status for status, _, _ in CASES} | elsewhere == {*Exit}


def test_every_status_has_a_meaning() -> None:
    assert list(MEANINGS) == list(Exit)


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_has_a_status_of_its_own_kind(name: str) -> None:
    status = status_of(getattr(errors, name)("x"))
    assert (status is Exit.SOFTWARE) == (name == "ImdsError")


def test_an_attestation_error_has_the_status_of_verification() -> None:
    assert status_of(AttestationError("x", retryable=True)) is Exit.UNVERIFIED


def test_an_error_is_one_paragraph_with_its_hint(call: Run) -> None:
    done = call("versions", "--deadline", "1")
    assert done.err.startswith("azure-imds: Versions_GetVersions: cannot reach IMDS: Connection refused")
    assert done.err.endswith("Is this an Azure machine, and is the endpoint right?\n")
    assert done.err.count("\n") == 1


def test_a_hint_that_is_not_in_the_text_is_added() -> None:
    assert session.told(ImdsError("Closed", hint="Open it.")) == "Closed. Open it."
    assert session.told(ImdsError("Closed. Open it.", hint="Open it.")) == "Closed. Open it."


def test_a_mistake_of_this_program_is_70(call: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session.Session, "show", lambda *args, **options: 1 / 0)
    done = call("versions")
    assert done.status == Exit.SOFTWARE
    assert done.err == "azure-imds: a mistake in this program, ZeroDivisionError. --verbose shows where.\n"
    assert "Traceback" in call("versions", "--verbose").err


def test_an_interrupt_is_130(call: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session.Session, "show", interrupt)
    done = call("versions")
    assert (done.status, done.out, done.err) == (Exit.INTERRUPTED, "", "")


def test_a_mistyped_command_is_corrected() -> None:
    done = run("tokn")
    assert done.status == 2
    assert "Did you mean 'token'?" in done.err


# Pipes


@pytest.mark.parametrize("arguments", [["instance"], ["--output", "table", "instance"], ["--help"]])
def test_a_pipe_that_nobody_reads_ends_it_in_silence(arguments: list[str], emulator: Emulator) -> None:
    process = subprocess.Popen(
        [COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), text=True
    )
    assert process.stdout
    process.stdout.close()
    assert process.stderr
    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait(timeout=30) == Exit.CLOSED


def test_an_output_that_is_closed_from_the_start_is_no_mistake(emulator: Emulator) -> None:
    done = subprocess.run(["sh", "-c", f"{COMMAND} versions >&-"], capture_output=True, text=True, env=environment())
    assert (done.returncode, done.stderr) == (0, "")


# Extras


def test_without_the_extra_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [
        name for name in sys.modules if name.startswith("azure_imds._cli.") or name.partition(".")[0] == "typer"
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "typer", None)  # type: ignore[arg-type]
    assert _cli.main(["token", RESOURCE]) == 2
    assert capsys.readouterr().err == "azure-imds needs typer: pip install 'azure-imds[cli]'\n"


def test_without_the_extra_the_emulator_s_command_is_there_all_the_same() -> None:
    code = (
        "import sys; sys.modules.update(typer=None, rich=None);"
        "from azure_imds._cli import main; sys.exit(main(['emulator', '--help']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0
    assert "--config" in done.stdout


def test_without_the_extra_attestation_verification_says_what_to_install(
    call: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "azure_imds.attestation", raising=False)
    monkeypatch.delattr("azure_imds.attestation", raising=False)
    monkeypatch.setitem(sys.modules, "cryptography", None)  # type: ignore[arg-type]
    done = call("attested", "--verify")
    assert done.status == 2
    assert "pip install 'azure-imds[attestation]'" in done.err


# Secrets


def test_no_way_to_fail_shows_a_token(call: Run, emulator: Emulator) -> None:
    for fault in ({"truncate": 800}, {"content_length": 700, "truncate": 700}):
        emulator.fail(path="/metadata/identity", **fault)  # type: ignore[arg-type]
        done = call("token", RESOURCE, "--verbose", "--deadline", "0.5")
        assert "eyJ" not in done.err


def test_a_token_that_a_stranger_gives_is_not_shown_on_stderr(call: Run) -> None:
    def stranger(connection: Any) -> None:
        if connection.recv(10_000):
            connection.sendall(
                b"HTTP/1.1 400 Bad\r\nContent-Length: 41\r\n\r\n" + b'{"error":"eyJhbGciOiJub25lIn0.eyJ4IjoxfQ"}'
            )

    with raw_server(stranger) as endpoint:
        done = call("token", RESOURCE, "--verbose", "--endpoint", endpoint, "--deadline", "1")
    assert done.status == Exit.NOPERM
    assert "eyJ" not in done.err


def test_the_table_of_statuses_is_in_one_place() -> None:
    """No other module of the command line writes a number that it ends with."""
    folder = Path(session.__file__).parent
    for file in folder.glob("*.py"):
        if file.name != "exits.py":
            source = file.read_text(encoding="utf-8")
            assert "SystemExit(1)" not in source
            assert "sys.exit(" not in source
