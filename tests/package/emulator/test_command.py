"""The command line, in a process of its own."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from azure_imds_emulator import Emulator
from azure_imds_emulator.addresses import explain_bind_errors, find_outside_address, format_commands
from azure_imds_emulator.cli import main, print_addresses, warn_about_control
from cli_support import read_usage_message
from emulator_support import HEADERS, exchange, make_client

BASH = shutil.which("bash")
COMMAND = [sys.executable, "-m", "azure_imds_emulator"]


def make_environment(more: dict[str, str]) -> dict[str, str]:
    """Returns the variables for a process that can import what this process can."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)} | more


@contextmanager
def run_emulator(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """Yields the running process, and the name and value of each line that it printed. Kills it at the end."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=make_environment(environment),
    )
    try:
        assert process.stdout
        lines: dict[str, str] = {}
        for line in process.stdout:
            name, _, value = line.strip().replace("export ", "").replace("=", " ", 1).partition(" ")
            lines[name] = value.strip()
            if name in ("AZURE_POD_IDENTITY_AUTHORITY_HOST", "IMDS_ENDPOINT"):
                break
        yield process, lines
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_addresses_and_exits_with_0_after_a_signal(number: signal.Signals) -> None:
    with run_emulator() as (process, lines), make_client(headers=HEADERS) as client:
        endpoint = lines["AZURE_POD_IDENTITY_AUTHORITY_HOST"]
        assert lines["endpoint"] == endpoint
        assert client.get(f"{endpoint}/metadata/versions").status_code == 200
        assert client.get(lines["control"]).status_code == 200
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")


def test_the_command_has_rate_limits_by_default() -> None:
    with run_emulator() as (_, lines), make_client(headers=HEADERS) as client:
        url = f"{lines['endpoint']}/metadata/versions"
        assert any(client.get(url).status_code == 429 for _ in range(500))
    with run_emulator("--no-rate-limits") as (_, lines), make_client(headers=HEADERS) as client:
        url = f"{lines['endpoint']}/metadata/versions"
        assert {client.get(url).status_code for _ in range(30)} == {200}


def test_the_arc_agent_prints_its_variables_and_its_key_folder(tmp_path: Path) -> None:
    with run_emulator("--arc", "--arc-token-dir", str(tmp_path / "keys")) as (_, lines):
        assert lines["IDENTITY_ENDPOINT"] == f"{lines['IMDS_ENDPOINT']}/metadata/identity/oauth2/token"
        assert lines["keys"] == str(tmp_path / "keys")


def test_options_override_variables_and_variables_override_the_file(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "server: from-file\nrate_limits: false\nmachine: {instance: {compute: {name: x}}}\n"
    )
    arguments = ["--config", str(tmp_path / "c.yaml")]
    with make_client(headers=HEADERS) as client:
        for more, environment, expected in (
            ([], {}, "from-file"),
            ([], {"AZURE_IMDS_EMULATOR_SERVER": "from-variable"}, "from-variable"),
            (["--server", "from-option"], {"AZURE_IMDS_EMULATOR_SERVER": "from-variable"}, "from-option"),
        ):
            with run_emulator(*arguments, *more, **environment) as (_, lines):
                response = client.get(
                    f"{lines['endpoint']}/metadata/instance/compute/name?api-version=2021-02-01&format=text"
                )
                assert (response.headers["Server"], response.text) == (expected, "x")


def test_a_wrong_file_is_reported_with_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("port: 0\nprot: 1\n")
    assert main(["--config", str(path)]) == 2
    assert f"{path}:2: " in capsys.readouterr().err


def test_a_wrong_option_is_reported_with_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "70000"]) == 2
    message = read_usage_message(capsys.readouterr().err)
    assert message == "Invalid value for '--port': must be a number from 0 to 65535, got 70000"


@pytest.mark.parametrize("columns", ["1", "50", "80", "500"])
def test_help_fits_into_narrow_and_wide_terminals(
    columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert main(["--help"]) == 0
    text = capsys.readouterr().out.partition("\nExamples:\n")[0]
    assert max(map(len, text.splitlines())) <= max(60, min(int(columns), 80))


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    folder = str(tmp_path / "file" / "keys")
    assert main(["--arc", "--arc-token-dir", folder, "--", "true"]) == 1
    assert capsys.readouterr().err == f"azure-imds: {folder}: {os.strerror(errno.ENOTDIR)}\n"


def test_help_and_messages_need_no_open_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["--help"]) == 0
    assert main(["--nothing"]) == 2


def test_a_port_in_use_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["--port", str(taken.getsockname()[1])]) == 1
    assert "in use" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("--host", "192.0.2.1", "--port", "8169"),
            "cannot listen on 192.0.2.1 port 8169: this machine does not have the address. Add it: {add}",
        ),
        (("--host", "2001:db8::1"), "cannot listen on 2001:db8::1 port 0: "),
        (("--control-host", "192.0.2.1"), "cannot listen on 192.0.2.1 port 0: this machine does not have the address."),
        (("--host", "nowhere.invalid"), "cannot listen on nowhere.invalid port 0: the name of the host is not known"),
    ],
)
def test_an_address_that_cannot_be_used_is_explained(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], expected: str
) -> None:
    add = {"darwin": "sudo ifconfig lo0 alias 192.0.2.1", "linux": "sudo ip address add 192.0.2.1/32 dev lo"}
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith(f"azure-imds: {expected.format(add=add.get(sys.platform, ''))}")


def test_a_port_that_needs_a_permission_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(PermissionError) as caught, explain_bind_errors("127.0.0.1", 80, "port"):
        raise PermissionError(errno.EACCES, "Permission denied")
    assert caught.value.strerror == (
        "cannot listen on 127.0.0.1 port 80: ports below 1024 need a permission:"
        " sudo sysctl net.ipv4.ip_unprivileged_port_start=80, or choose another port with --port"
    )


def test_a_control_port_in_use_is_explained_with_its_own_option(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["--control-port", str(taken.getsockname()[1])]) == 1
    assert "choose another port with --control-port" in capsys.readouterr().err


# What it prints


def test_the_variables_are_printed_for_both_kinds_of_shells() -> None:
    variables = {"A": "http://127.0.0.1:1", "B": "it's"}
    assert format_commands(variables) == [
        "export A=http://127.0.0.1:1",
        """export B='it'"'"'s'""",
        "$env:A = 'http://127.0.0.1:1'",
        "$env:B = 'it''s'",
    ]


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        ("default", []),
        (
            "two-identities",
            [
                "identity 11111111-1111-1111-1111-111111111111 (id-web)",
                "identity 22222222-2222-2222-2222-222222222222 (id-db)",
            ],
        ),
    ],
)
def test_the_client_ids_are_printed_if_a_client_has_a_choice(
    machine: str, expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with Emulator(machine=machine) as emulator:
        print_addresses(emulator)
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("identity")] == expected


def test_the_system_assigned_identity_is_printed_too(capsys: pytest.CaptureFixture[str]) -> None:
    with Emulator() as emulator:
        emulator.machine.add_user_assigned("id-web", client_id="11111111-1111-1111-1111-111111111111")
        print_addresses(emulator)
    lines = capsys.readouterr().out.splitlines()
    assert "identity 00000000-0000-0000-0000-000000000003 (system-assigned)" in lines
    assert "identity 11111111-1111-1111-1111-111111111111 (id-web)" in lines


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
def test_the_printed_commands_work_in_bash() -> None:
    assert BASH
    with run_emulator() as (_, lines):
        script = f"export AZURE_POD_IDENTITY_AUTHORITY_HOST={lines['AZURE_POD_IDENTITY_AUTHORITY_HOST']}\nprintenv $1"
        shown = subprocess.check_output([BASH, "-c", script, "x", "AZURE_POD_IDENTITY_AUTHORITY_HOST"], text=True)
        assert shown.strip() == lines["endpoint"]


def test_on_all_interfaces_the_printed_endpoint_can_be_connected_to() -> None:
    with run_emulator("--host", "0.0.0.0", "--control-host", "127.0.0.1") as (_, lines), make_client() as client:
        assert lines["endpoint"].startswith("http://127.0.0.1:")
        assert lines["AZURE_POD_IDENTITY_AUTHORITY_HOST"] == lines["endpoint"]
        assert client.get(f"{lines['endpoint']}/metadata/versions", headers=HEADERS).status_code == 200


def test_on_all_interfaces_the_endpoint_for_others_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("azure_imds_emulator.cli.find_outside_address", lambda host: "192.0.2.7")
    with Emulator(host="0.0.0.0", control_host="127.0.0.1") as emulator:
        print_addresses(emulator)
        port = urlsplit(emulator.endpoint).port
    assert f"# export AZURE_POD_IDENTITY_AUTHORITY_HOST=http://192.0.2.7:{port}\n" in capsys.readouterr().out


def test_only_all_interfaces_have_an_outside_address() -> None:
    assert find_outside_address("127.0.0.1") is None
    assert find_outside_address("192.0.2.1") is None


def test_a_warning_is_printed_if_others_can_reach_the_control_api(capsys: pytest.CaptureFixture[str]) -> None:
    for options, warns in (
        ({"host": "0.0.0.0"}, True),
        ({"host": "0.0.0.0", "control_host": "127.0.0.1"}, False),
        ({"control_host": "0.0.0.0"}, True),
        ({"host": "::1"}, False),
        ({}, False),
    ):
        warn_about_control(Emulator(**options))  # type: ignore[arg-type]
        assert ("everyone who can reach it" in capsys.readouterr().err) is warns, options


# The log


def test_each_request_is_logged_in_a_line() -> None:
    with run_emulator("--log") as (process, lines), make_client(headers={"User-Agent": "mine/1.0"}) as client:
        client.get(f"{lines['endpoint']}/metadata/versions?a=b", headers=HEADERS)
        client.get(f"{lines['endpoint']}/metadata/a%20%1b%0a", headers=HEADERS)
        client.post(f"{lines['control']}api/faults", json={"status": 503})
        client.get(f"{lines['endpoint']}/metadata/versions", headers=HEADERS)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    logged = [line.split(" ", 1) for line in errors.splitlines()]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment) for moment, _ in logged)
    assert [text for _, text in logged] == [
        "GET /metadata/versions?a=b 200 mine/1.0",
        "GET /metadata/a%20%1B%0A 404 mine/1.0",
        "GET /metadata/versions 503 [fault: 503] mine/1.0",
    ]


def test_the_log_contains_no_key_and_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    with Emulator(log=True, arc=True) as emulator:
        request = b"GET /metadata/identity/oauth2/token?api-version=2020-06-01&resource=%FF%1b HTTP/1.1\r\nHost: x\r\n"
        secret = b"Metadata: true\r\nAuthorization: Basic c2VjcmV0\r\nUser-Agent: \xe9\xff\r\nConnection: close\r\n\r\n"
        exchange(emulator, request + secret)
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert shown.isascii()
    assert "c2VjcmV0" not in shown


def test_the_log_is_off_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    with Emulator() as emulator, make_client(headers=HEADERS) as client:
        client.get(f"{emulator.endpoint}/metadata/versions")
    assert capsys.readouterr() == ("", "")


# A command


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=make_environment(environment),
    )


READ = """
import os, urllib.request
url = os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] + "/metadata/versions"
request = urllib.request.Request(url, headers={"Metadata": "true"})
print(urllib.request.urlopen(request).status, os.environ["AZURE_IMDS_EMULATOR_CONTROL_URL"][:17])
"""


def test_a_command_has_the_variables_and_its_output_is_the_only_one() -> None:
    done = run("--", sys.executable, "-c", READ)
    assert (done.returncode, done.stdout, done.stderr) == (0, "200 http://127.0.0.1:\n", "")


def test_the_emulator_ends_with_its_command_and_has_its_status() -> None:
    assert run("--", sys.executable, "-c", "raise SystemExit(7)").returncode == 7
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    assert run("--", sys.executable, "-c", killed).returncode == 128 + signal.SIGTERM


def test_options_after_the_dashes_belong_to_the_command() -> None:
    done = run("--no-rate-limits", "--", sys.executable, "-c", "import sys; print(sys.argv[1:])", "--port", "--", "x")
    assert done.stdout == "['--port', '--', 'x']\n"


def test_a_command_that_cannot_be_started_is_reported(tmp_path: Path) -> None:
    missing = run("--", str(tmp_path / "missing"))
    assert (missing.returncode, missing.stderr) == (
        127,
        f"azure-imds: {tmp_path / 'missing'}: No such file or directory\n",
    )
    (tmp_path / "file").write_text("")
    assert run("--", str(tmp_path / "file")).returncode == 126


def test_arc_variables_are_set_for_the_command() -> None:
    done = run("--arc", "--", sys.executable, "-c", "import os; print(os.environ['IMDS_ENDPOINT'])")
    assert done.stdout.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_forwarded_to_the_command(number: signal.Signals) -> None:
    script = f"""
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [{int(number)}])
print("ready", flush=True)
signal.sigwait([{int(number)}])
print("received", flush=True)
sys.exit(5)
"""
    with subprocess.Popen(
        [*COMMAND, "--", sys.executable, "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env=make_environment({}),
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            process.send_signal(number)
            assert process.stdout.readline() == "received\n"
            assert process.wait(30) == 5
        finally:
            process.kill()


def test_signal_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGTERM)
    main(["--port", "70000"])
    assert signal.getsignal(signal.SIGTERM) is before
