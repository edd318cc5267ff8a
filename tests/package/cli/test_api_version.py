"""`--api-version newest` in every command that has the option."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from azure_imds_emulator import Emulator, versions
from cli_support import Run, read_usage_message

OLD = [version for version in versions.PUBLISHED if version <= "2021-02-01"]

#: Commands, and whether the version is in the list of the host. Identity and scheduled events use the default.
COMMANDS: dict[tuple[str, ...], bool] = {
    ("instance",): True,
    ("instance", "compute/location"): True,
    ("instance", "tags"): True,
    ("attested",): True,
    ("loadbalancer",): True,
    ("call", "instances.get_metadata"): True,
    ("call", "attested.get_document", "--nonce", "1234567890"): True,
    ("identity",): False,
    ("token", "storage"): False,
    ("events",): False,
    ("events", "--approve", "00000000-0000-0000-0000-0000000000A1"): False,
    ("call", "identity.get_info"): False,
    ("call", "scheduled_events.get_events"): False,
}

DEFAULTS = {"identity": "2018-10-01", "scheduledevents": "2020-07-01"}


@pytest.fixture(params=["old", "current"])
def host(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator with all versions, or with those of an older host."""
    if request.param == "old":
        monkeypatch.setattr(versions, "PUBLISHED", tuple(OLD))
        for name in ("INSTANCE", "ATTESTED", "LOAD_BALANCER"):
            monkeypatch.setattr(versions, name, frozenset(OLD) & getattr(versions, name))
    with Emulator() as emulator:
        emulator.schedule("Reboot", event_id="00000000-0000-0000-0000-0000000000A1")
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)
        yield emulator


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("is_first", [False, True], ids=["after", "before"])
def test_newest_is_the_newest_version_of_the_host(
    command: tuple[str, ...], is_first: bool, call: Run, host: Emulator
) -> None:
    option = ("--api-version", "newest")
    done = call(*option, *command) if is_first else call(*command, *option)
    assert (done.status, done.err) == (0, "")
    requests = [request for request in host.requests if not request.path.endswith("/versions")]
    newest = versions.PUBLISHED[-1] if COMMANDS[command] else DEFAULTS[requests[-1].path.split("/")[2]]
    assert {request.query["api-version"] for request in requests} == {newest}


def test_on_azure_arc_newest_is_the_version_of_the_agent(call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator(arc=True) as emulator:
        for name, value in {**emulator.environment, "AZURE_POD_IDENTITY_AUTHORITY_HOST": ""}.items():
            monkeypatch.setenv(name, value)
        assert call("instance", "--api-version", "newest", "--query", "compute/name").status == 0
        [request] = emulator.requests
    assert request.query["api-version"] == "2020-06-01"


@pytest.mark.parametrize(
    "command",
    [("versions",), ("doctor",), ("wait",), ("exec", "true"), ("drain", "--exec", "true"), ("events", "--watch")],
)
def test_a_command_without_versions_refuses_the_option(command: tuple[str, ...], call: Run, emulator: Emulator) -> None:
    done = call("--api-version", "newest", *command)
    assert done.status == 2
    problem = f"Invalid value for '--api-version': not supported by {' '.join(command)}"
    assert problem.startswith(read_usage_message(done.err))
    assert not emulator.requests


def test_a_version_that_the_host_does_not_support_is_refused_with_those_that_it_has(
    call: Run, emulator: Emulator
) -> None:
    done = call("instance", "--api-version", "2031-01-01")
    assert done.status == 77
    assert done.err.endswith(f"The newest versions that this host supports are {', '.join(versions.NEWEST)}.\n")
