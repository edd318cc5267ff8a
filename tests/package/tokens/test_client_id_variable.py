"""AZURE_CLIENT_ID is not read. Errors that it would have prevented, and the doctor, say so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from azure_imds import BadRequestError, IdentityNotFoundError, ImdsError, MultipleIdentitiesError
from azure_imds._cli.doctor import examine
from azure_imds._cli.surroundings import Surroundings
from azure_imds_emulator import Emulator
from cli_support import NOWHERE, Run, run_here
from support import CLIENT_ID, RESOURCE, Colour, FakeClock, Script, answer, token
from token_support import SCOPE, holding

DESCRIPTIONS = {
    IdentityNotFoundError: "Identity not found",
    MultipleIdentitiesError: "Multiple user assigned identities exist, please specify the clientId / resourceId",
    BadRequestError: "Something else",
}
UNUSED = "AZURE_CLIENT_ID is set but was not used"
LINE = 'client_id=os.environ["AZURE_CLIENT_ID"]'


def refusal(kind: type[ImdsError]) -> Script:
    return Script(answer(400, {"error": "invalid_request", "error_description": DESCRIPTIONS[kind]}))


def error_of(colour: Colour, kind: type[ImdsError], **selector: Any) -> ImdsError:
    error = colour.error(
        lambda imds: imds.identity.get_token(resource=RESOURCE, **selector), transport=refusal(kind), clock=FakeClock()
    )
    assert type(error) is kind
    return error


@pytest.fixture
def variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT_ID)


@pytest.mark.parametrize("kind", [IdentityNotFoundError, MultipleIdentitiesError])
@pytest.mark.parametrize("selector", [{}, {"object_id": "00000000-0000-0000-0000-00000000000f"}], ids=repr)
@pytest.mark.usefixtures("variable")
def test_an_error_says_that_the_variable_was_not_used(
    colour: Colour, kind: type[ImdsError], selector: dict[str, str]
) -> None:
    error = error_of(colour, kind, **selector)
    assert UNUSED in error.hint
    assert LINE in error.hint
    assert error.hint in str(error)
    assert CLIENT_ID not in error.hint


@pytest.mark.parametrize("kind", [IdentityNotFoundError, MultipleIdentitiesError])
@pytest.mark.usefixtures("variable")
def test_an_identity_that_was_requested_by_the_variable_is_not_unused(colour: Colour, kind: type[ImdsError]) -> None:
    assert UNUSED not in str(error_of(colour, kind, client_id=CLIENT_ID))


@pytest.mark.usefixtures("variable")
def test_other_errors_do_not_mention_the_variable(colour: Colour) -> None:
    assert UNUSED not in str(error_of(colour, BadRequestError))


@pytest.mark.parametrize("value", [None, "", "  "])
def test_without_the_variable_nothing_is_said(
    colour: Colour, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is not None:
        monkeypatch.setenv("AZURE_CLIENT_ID", value)
    assert "AZURE_CLIENT_ID" not in str(error_of(colour, MultipleIdentitiesError))


@pytest.mark.usefixtures("variable")
def test_a_credential_does_not_read_the_variable(colour: Colour) -> None:
    script = Script(answer(200, token(expires_on="1700086400")))
    with holding(colour, transport=script, clock=FakeClock()) as credential:
        credential.get_token(SCOPE)
        assert "client_id" not in script.requests[0].url.params


@pytest.mark.usefixtures("variable")
def test_an_error_of_a_credential_says_so_too(colour: Colour) -> None:
    with holding(colour, transport=refusal(MultipleIdentitiesError), clock=FakeClock()) as credential:
        error = credential.error(SCOPE)
    assert UNUSED in str(error)


# The command line


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return run_here(capsys, monkeypatch)


@pytest.mark.usefixtures("variable")
def test_the_command_line_names_its_option(call: Run) -> None:
    with Emulator() as emulator:
        emulator.machine.system_assigned = None
        done = call("token", RESOURCE, "--endpoint", emulator.endpoint)
    assert UNUSED in " ".join(done.err.split())
    assert '--client-id "$AZURE_CLIENT_ID"' in " ".join(done.err.split())
    assert "os.environ" not in done.err


@pytest.mark.parametrize(
    ("environment", "selector", "reported"),
    [
        ({"AZURE_CLIENT_ID": CLIENT_ID}, {}, True),
        ({"AZURE_CLIENT_ID": CLIENT_ID}, {"object_id": RESOURCE}, True),
        ({"AZURE_CLIENT_ID": CLIENT_ID}, {"client_id": CLIENT_ID.upper(), "object_id": None}, False),
        ({"AZURE_CLIENT_ID": " "}, {}, False),
        ({}, {}, False),
    ],
    ids=["unused", "another selector", "used", "blank", "not set"],
)
def test_the_doctor_reports_a_variable_that_is_not_used(
    environment: dict[str, str], selector: dict[str, str | None], reported: bool
) -> None:
    found = examine(
        NOWHERE,
        resource=RESOURCE,
        selector=selector,
        clock=FakeClock(),
        surroundings=Surroundings(environment, Path("/nowhere")),
    )
    texts = [f"{finding.text} {finding.advice}" for finding in found if finding.code == "client-id-unused"]
    assert len(texts) == reported
    assert all(LINE in text and '--client-id "$AZURE_CLIENT_ID"' in text for text in texts)


def test_the_doctor_knows_the_host_that_reads_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        "AZURE_CLIENT_ID": CLIENT_ID,
        "AZURE_FEDERATED_TOKEN_FILE": "/nowhere/token",
        "AZURE_TENANT_ID": CLIENT_ID,
        "AZURE_AUTHORITY_HOST": NOWHERE,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    surroundings = Surroundings(environment, Path("/nowhere"))
    found = examine(resource=RESOURCE, clock=FakeClock(), surroundings=surroundings)
    assert "client-id-unused" not in {finding.code for finding in found}
