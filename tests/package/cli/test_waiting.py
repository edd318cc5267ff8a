"""`azure-imds wait` ends when IMDS answers, or returns a token."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from azure_imds import ImdsClient, ImdsTimeoutError, InvalidResourceError
from azure_imds._cli.exits import Exit
from azure_imds._cli.settings import Goal
from azure_imds._cli.waiting import wait_for
from azure_imds_emulator import Emulator
from cli_support import NOWHERE, Run, read_usage_message
from support import FakeClock

RESOURCE = "https://vault.azure.net"
UNKNOWN_ID = "00000000-0000-0000-0000-00000000dead"


@pytest.mark.parametrize("goal", ["identity", "imds"])
def test_nothing_is_printed_when_it_is_there(goal: str, call: Run, emulator: Emulator) -> None:
    done = call("wait", "--for", goal, "--timeout", "5")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert len(emulator.requests) == 1


def test_a_token_for_the_given_resource_and_identity_is_requested(call: Run, emulator: Emulator) -> None:
    identity = emulator.machine.add_user_assigned("id-web")
    assert call("wait", "--resource", RESOURCE, "--client-id", identity.client_id).status == 0
    query = emulator.requests[0].query
    assert RESOURCE in str(query["resource"])
    assert identity.client_id in str(query["client_id"])


@pytest.mark.parametrize("goal", ["identity", "imds"])
def test_the_last_problem_is_named_when_the_time_is_over(goal: str, call: Run) -> None:
    done = call("wait", "--for", goal, "--timeout", "0.2")
    assert done.status == Exit.TEMPFAIL
    missing = {"identity": "no token", "imds": "IMDS did not answer"}[goal]
    assert done.err.startswith(f"azure-imds: {missing} within 0.2 s. Last problem: cannot reach IMDS")


BAD = {
    ("--timeout", "0"): "--timeout must be a positive number of seconds, for example 30",
    ("--client-id", "web"): "--client-id must look like 00000000-0000-0000-0000-000000000003",
    ("--resource", ""): "--resource must not be empty, for example https://management.azure.com/",
}


@pytest.mark.parametrize(("typed", "message"), BAD.items(), ids=" ".join)
def test_a_wrong_value_ends_it_at_once(typed: tuple[str, ...], message: str, call: Run, emulator: Emulator) -> None:
    done = call("wait", *typed)
    assert (done.status, read_usage_message(done.err)) == (Exit.USAGE, message)
    assert not emulator.requests


def test_another_goal_is_refused(call: Run) -> None:
    done = call("wait", "--for", "mars")
    assert done.status == Exit.USAGE
    assert "'mars' is not one of 'identity', 'imds'" in done.err


@pytest.mark.parametrize("option", [["--deadline", "3"], ["--output", "json"], ["--query", "x"]])
def test_options_that_would_mean_nothing_are_refused(option: list[str], call: Run) -> None:
    done = call(*option, "wait")
    assert done.status == Exit.USAGE
    assert f"'{option[0]}': not supported by wait" in done.err


def wait(*answers: Any) -> tuple[FakeClock, int]:
    """Waits for a token while the answers are given, the last one repeatedly."""
    left, clock, count = [*answers], FakeClock(), 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, Exception):
            raise found
        status, document = found
        return httpx.Response(status, json=document, headers={"Server": "IMDS/150.870.65.1854"})

    with ImdsClient(NOWHERE, transport=httpx.MockTransport(answer), clock=clock) as imds:
        wait_for(Goal.identity, imds, 60, {"resource": RESOURCE})
    return clock, count


TOKEN = (200, {"access_token": "t", "expires_in": "60", "resource": RESOURCE})
UNASSIGNED = (400, {"error": "invalid_request", "error_description": "Identity not found"})


def test_it_waits_until_the_identity_is_assigned() -> None:
    clock, count = wait(httpx.ConnectError("refused"), UNASSIGNED, (404, {}), (503, {}), TOKEN)
    assert count == 5
    assert 0 < sum(clock.waits) < 60


def test_it_gives_up_after_the_timeout() -> None:
    with pytest.raises(ImdsTimeoutError, match=r"no token within 60 s. Last problem: .*Identity not found") as caught:
        wait(UNASSIGNED)
    assert caught.value.deadline == 60


def test_an_error_that_waiting_does_not_fix_ends_it_at_once() -> None:
    unknown = (400, {"error": "invalid_resource", "error_description": "AADSTS500011: The resource was not found"})
    with pytest.raises(InvalidResourceError):
        wait(unknown, TOKEN)


def test_an_identity_that_does_not_exist_is_temporary(call: Run, emulator: Emulator) -> None:
    done = call("wait", "--timeout", "0.1", "--client-id", UNKNOWN_ID)
    assert done.status == Exit.TEMPFAIL
    assert "Assign a managed identity to this machine" in done.err


def test_disabled_imds_is_not_waited_for(call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_IMDS_DISABLED", "1")
    assert call("wait").status == Exit.UNAVAILABLE
