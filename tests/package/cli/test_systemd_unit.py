"""The unit of `drain --print-unit`: its command line, and what the command may use."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from azure_imds._cli.exits import Exit
from azure_imds._cli.systemd_unit import quote
from azure_imds_emulator import Emulator
from cli_support import Run


def unit(call: Run, *options: str) -> dict[str, str]:
    done = call("drain", "--print-unit", *options)
    assert done.status == Exit.OK, done.err
    lines = [line.partition("=") for line in done.out.splitlines() if not line.startswith("#")]
    settings = {name: value for name, _, value in lines if value}
    assert len(settings) == sum(bool(value) for _, _, value in lines), "no setting is repeated"
    return settings


def test_the_unit_has_the_options_that_were_given(call: Run, tmp_path: Path) -> None:
    state = tmp_path / "my state.json"
    options = ["--on", "preempt", "--exec", "systemctl stop app", "--grace", "2.5", "--approve", "--once", "--verbose"]
    options += ["--state", str(state), "--endpoint", "http://127.0.0.1:8169", "--deadline", "20"]
    settings = unit(call, *options)
    program, *arguments = shlex.split(settings["ExecStart"])
    assert Path(program).is_absolute()
    assert arguments == [
        *("drain", "--on", "Preempt", "--exec", "systemctl stop app", "--grace", "2.5", "--state", str(state)),
        *("--approve", "--once", "--endpoint", "http://127.0.0.1:8169", "--deadline", "20", "--verbose"),
    ]
    assert settings["ReadWritePaths"] == str(tmp_path)
    assert settings["IPAddressAllow"] == "127.0.0.1 localhost" or settings["IPAddressAllow"] == "localhost"


def test_without_options_the_unit_has_a_state_and_may_reach_only_imds(call: Run) -> None:
    settings = unit(call, "--exec", ":")
    assert settings["ExecStart"].endswith(
        " drain --on Preempt,Terminate,Redeploy,Reboot --exec : --grace 5 --state /var/lib/azure-imds/drain.json"
    )
    assert settings["StateDirectory"] == "azure-imds"
    assert "ReadWritePaths" not in settings
    assert (settings["IPAddressDeny"], settings["IPAddressAllow"]) == ("any", "169.254.169.254 localhost")
    assert int(settings["TimeoutStopSec"]) > 5


def test_with_an_endpoint_that_is_a_name_the_network_is_not_limited(call: Run) -> None:
    settings = unit(call, "--exec", ":", "--endpoint", "http://imds.example:8169")
    assert "IPAddressDeny" not in settings


def test_printing_the_unit_sends_nothing(call: Run, emulator: Emulator) -> None:
    unit(call, "--exec", ":")
    assert not emulator.requests


@pytest.mark.parametrize(
    ("argument", "quoted"),
    [
        ("plain-1/x,y", "plain-1/x,y"),
        ("", '""'),
        ("a b", '"a b"'),
        ("100%", "100%%"),
        ("$HOME ${X}", '"$$HOME $${X}"'),
        ("say \"x\" 'y'", '"say \\"x\\" \'y\'"'),
        ("a\\nb", '"a\\\\nb"'),
        ("a\nb\tc\x01", '"a\\nb\\tc\\x01"'),
        ("a; b & c | d", '"a; b & c | d"'),
        ("#x", '"#x"'),
        ("süß", "süß"),
    ],
)
def test_an_argument_is_quoted_for_systemd(argument: str, quoted: str) -> None:
    assert quote(argument) == quoted


def test_a_setting_that_replaces_no_variables_keeps_the_dollar() -> None:
    assert quote("/srv/$x", variables=False) == '"/srv/$x"'
