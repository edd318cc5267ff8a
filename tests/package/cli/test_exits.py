"""How a command ends: its exit status and its message."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from azure_imds import ImdsError, _cli, errors
from azure_imds._cli import session
from azure_imds._cli.application import OPERATIONS
from azure_imds._cli.exits import MEANINGS, Exit, choose_status
from azure_imds._cli.messages import describe_error
from azure_imds.attestation import AttestationError
from azure_imds_emulator import Emulator
from cli_support import COMMAND, NOWHERE, Run, read_usage_message, run, run_program, start
from support import raw_server

RESOURCE = "https://vault.azure.net"
UNKNOWN_ID = "00000000-0000-0000-0000-00000000dead"

#: Each status with a fault of the emulator and a command that ends with this status.
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
    (Exit.NOT_EXECUTABLE, {}, ["exec", "--resource", RESOURCE, __file__]),
    (Exit.NOT_FOUND, {}, ["exec", "--resource", RESOURCE, "no-such-program"]),
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


def test_every_status_is_tested_here_or_elsewhere() -> None:
    elsewhere = {Exit.FINDINGS, Exit.SOFTWARE, Exit.IOERR, Exit.INTERRUPTED, Exit.CLOSED}
    assert {status for status, _, _ in CASES} | elsewhere == {*Exit}


def test_every_status_has_a_meaning() -> None:
    assert list(MEANINGS) == list(Exit)


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_has_a_status(name: str) -> None:
    status = choose_status(getattr(errors, name)("x"))
    assert (status is Exit.SOFTWARE) == (name == "ImdsError")


def test_an_attestation_error_has_the_status_of_verification() -> None:
    assert choose_status(AttestationError("x", retryable=True)) is Exit.UNVERIFIED


def test_an_error_is_one_paragraph_with_its_hint(call: Run) -> None:
    done = call("versions", "--deadline", "1")
    assert done.err.startswith("azure-imds: cannot reach IMDS: Connection refused")
    assert done.err.endswith("Check that this is an Azure machine and that the endpoint is right.\n")
    assert done.err.count("\n") == 1


def test_a_hint_that_is_not_in_the_text_is_added() -> None:
    assert describe_error(ImdsError("Closed", hint="Open it."), {}) == "Closed. Open it."
    assert describe_error(ImdsError("Closed. Open it.", hint="Open it."), {}) == "Closed. Open it."


VERSION = "Invalid value for '--api-version': 'soon' is not a date such as 2021-02-01, or 'newest'."

#: Commands with an invalid argument, and the message.
BAD_ARGUMENTS = {
    ("token", ""): "RESOURCE must not be empty, for example https://management.azure.com/",
    ("token", RESOURCE, "--client-id", "web"): "--client-id must look like 00000000-0000-0000-0000-000000000003",
    ("token", RESOURCE, "--object-id", "web"): "--object-id must look like 00000000-0000-0000-0000-000000000004",
    ("token", RESOURCE, "--resource-id", "web"): "--resource-id must look like /subscriptions/"
    "00000000-0000-0000-0000-000000000001/resourceGroups/rg-example/providers/Microsoft.ManagedIdentity/"
    "userAssignedIdentities/id-example",
    ("token", RESOURCE, "--client-id", UNKNOWN_ID, "--resource-id", "/x"): "--resource-id cannot be combined with "
    "--client-id: pass only one of --client-id, --resource-id",
    ("instance", "../identity"): "PATH must be names and indexes separated by /, for example compute/location",
    ("instance", "--api-version", "soon"): VERSION,
    ("--api-version", "soon", "instance"): VERSION,
    ("instance", "--api-version", "2021-02-31"): VERSION.replace("soon", "2021-02-31"),
    ("instance", "--api-version", "20210201"): VERSION.replace("soon", "20210201"),
    ("instance", "--api-version", "newst"): VERSION.replace("soon", "newst") + " Did you mean 'newest'?",
    ("attested", "--nonce", ""): "--nonce must not be empty, for example 1234567890",
    ("attested", "--verify", "--cloud", "moon"): "Invalid value for '--cloud': 'moon' is not one of "
    "'public', 'usgov', 'china', 'germany'.",
    ("attested", "--verify", "--roots", __file__, "--intermediates", __file__): "--roots must be certificates: "
    'x509.Certificate, PEM ("-----BEGIN CERTIFICATE-----...") or DER',
    ("events", "--approve", "a b"): "--approve must look like 00000000-0000-0000-0000-0000000000A1",
    ("versions", "--endpoint", "nonsense"): "--endpoint must be a scheme and a host without a path, such as "
    "http://127.0.0.1:8080",
    ("versions", "--deadline", "-1"): "--deadline must be a positive number of seconds, for example 2.5",
    ("doctor", "--deadline", "-1"): "--deadline must be a number of seconds, above 0 and at most 3600",
    ("doctor", "--endpoint", "nonsense"): "--endpoint must be a scheme and a host without a path, such as "
    "http://127.0.0.1:8080",
}


@pytest.mark.parametrize(("arguments", "message"), BAD_ARGUMENTS.items(), ids=[" ".join(a)[:40] for a in BAD_ARGUMENTS])
def test_a_message_names_the_option_that_the_user_typed(
    arguments: tuple[str, ...], message: str, call: Run, emulator: Emulator
) -> None:
    done = call(*arguments)
    assert (done.status, read_usage_message(done.err)) == (Exit.USAGE, message)


def test_a_path_that_the_result_lacks_is_not_wrong_usage(call: Run, emulator: Emulator) -> None:
    done = call("versions", "--query", "a/b")
    assert (done.status, done.err) == (Exit.NOINPUT, "azure-imds: --query a/b: the result has no member 'a'\n")


def test_a_message_names_the_variable_that_the_user_set(call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "nonsense")
    error = call("versions").err
    assert error.startswith("azure-imds: AZURE_POD_IDENTITY_AUTHORITY_HOST must be a scheme and a host")
    assert error.count("\n") == 1


def test_a_hint_names_options(call: Run, emulator: Emulator) -> None:
    emulator.machine.system_assigned = None
    emulator.machine.add_user_assigned("id-web")
    emulator.machine.add_user_assigned("id-db")
    error = call("token", RESOURCE).err
    assert "--client-id, --object-id or --resource-id" in error
    assert "client_id" not in error


def test_the_words_of_imds_are_not_changed(call: Run, emulator: Emulator) -> None:
    emulator.fail(400, body={"error": "invalid_request", "error_description": "identity.get: no client_id"})
    assert "IMDS answered 400 invalid_request: identity.get: no client_id (" in call("token", RESOURCE).err


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "identity"])
def test_help_names_options(name: str, call: Run) -> None:
    assert "msi_res_id" not in call(name, "--help").out


def test_an_internal_error_is_70(call: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session.Session, "show", lambda *args, **options: 1 / 0)
    done = call("versions")
    assert done.status == Exit.SOFTWARE
    assert done.err == "azure-imds: internal error, ZeroDivisionError. To see the traceback, use --verbose.\n"
    assert "Traceback" in call("versions", "--verbose").err


def test_an_interrupt_is_130(call: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session.Session, "show", interrupt)
    done = call("versions")
    assert (done.status, done.out, done.err) == (Exit.INTERRUPTED, "", "")


def test_an_interrupt_while_the_arguments_are_read_is_130(call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(text: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("azure_imds._cli.queries._compile", interrupt)
    done = call("versions", "-q", "a.b")
    assert (done.status, done.out) == (Exit.INTERRUPTED, "")
    assert "Traceback" not in done.err


def test_a_mistyped_command_gets_a_suggestion() -> None:
    done = run("tokn")
    assert done.status == 2
    assert "Did you mean 'token'?" in done.err


@pytest.mark.parametrize("arguments", [["instance"], ["--output", "table", "instance"], ["--help"]])
def test_a_closed_pipe_ends_it_without_a_message(arguments: list[str], emulator: Emulator) -> None:
    with start(*arguments) as process:
        assert process.stdout
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == ""
        assert process.wait(timeout=30) == Exit.CLOSED


def test_a_closed_stdout_is_not_an_error(emulator: Emulator) -> None:
    done = run_program("sh", "-c", f"exec '{COMMAND}' versions >&-")
    assert (done.status, done.err) == (0, "")


def test_without_the_extra_the_message_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [
        name for name in sys.modules if name.startswith("azure_imds._cli.") or name.partition(".")[0] == "typer"
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "typer", None)  # type: ignore[arg-type]
    assert _cli.main(["token", RESOURCE]) == 2
    assert capsys.readouterr().err == "azure-imds needs typer: pip install 'azure-imds[cli]'\n"


def test_without_the_extra_the_command_of_the_emulator_works() -> None:
    code = (
        "import sys; sys.modules.update(typer=None, rich=None);"
        "from azure_imds._cli import main; sys.exit(main(['emulator', '--help']))"
    )
    done = run_program(sys.executable, "-c", code)
    assert done.status == 0
    assert "--config" in done.out


def test_without_the_extra_attestation_the_message_names_what_to_install(
    call: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("attested").status == 0, "the emulator, in this process too, has imported cryptography"
    for name in [name for name in sys.modules if name.startswith("azure_imds.attestation")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("azure_imds.attestation", raising=False)
    monkeypatch.setitem(sys.modules, "cryptography", None)  # type: ignore[arg-type]
    done = call("attested", "--verify")
    assert done.status == 2
    assert "pip install 'azure-imds[attestation]'" in done.err


def test_no_failure_shows_a_token(call: Run, emulator: Emulator) -> None:
    for fault in ({"truncate": 800}, {"content_length": 700, "truncate": 700}):
        emulator.fail(path="/metadata/identity", **fault)  # type: ignore[arg-type]
        done = call("token", RESOURCE, "--verbose", "--deadline", "0.5")
        assert "eyJ" not in done.err


def test_a_token_in_an_error_response_is_not_shown_on_stderr(call: Run) -> None:
    def handle(connection: Any) -> None:
        if connection.recv(10_000):
            connection.sendall(
                b"HTTP/1.1 400 Bad\r\nServer: IMDS/1\r\nContent-Length: 41\r\n\r\n"
                + b'{"error":"eyJhbGciOiJub25lIn0.eyJ4IjoxfQ"}'
            )

    with raw_server(handle) as endpoint:
        done = call("token", RESOURCE, "--verbose", "--endpoint", endpoint, "--deadline", "1")
    assert done.status == Exit.NOPERM
    assert "eyJ" not in done.err


def test_the_table_of_statuses_is_in_one_place() -> None:
    """No other module of the command line ends with a number."""
    folder = Path(session.__file__).parent
    for file in folder.glob("*.py"):
        if file.name != "exits.py":
            source = file.read_text(encoding="utf-8")
            assert "SystemExit(1)" not in source
            assert "sys.exit(" not in source


@pytest.mark.parametrize("arguments", [["--help"], ["token", "--help"], ["doctor", "--help"]])
def test_a_page_of_help_does_not_import_httpx(arguments: list[str]) -> None:
    code = (
        f"import sys; sys.argv[1:] = {arguments!r}; from azure_imds._cli import main\n"
        "print(main(), 'httpx' in sys.modules)"
    )
    done = run_program(sys.executable, "-c", code)
    assert done.out.splitlines()[-1] == "0 False", done.err
