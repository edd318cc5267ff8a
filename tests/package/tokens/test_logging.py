"""What a credential logs: once where its tokens come from, and structured fields."""

from __future__ import annotations

import copy
import logging
import pickle
from typing import Any

import httpx
import pytest

from auth_support import SERVICE, Service, send
from azure_imds import AsyncImdsClient, AsyncImdsCredential, ImdsAuth, ImdsClient, ImdsCredential
from support import CLIENT_ID, Colour, answer
from token_support import DAY, DOWN, Clocks, Imds, holding

FIELDS = ("operation", "host", "attempt", "status", "elapsed")


def fields(record: logging.LogRecord) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in FIELDS)


@pytest.fixture
def caplog(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "azure_imds")
    return caplog


def kind_of(colour: Colour) -> Any:
    return ImdsCredential if colour.name == "sync" else AsyncImdsCredential


@pytest.mark.parametrize(
    ("options", "identity"),
    [
        ({}, "the default identity"),
        ({"client_id": CLIENT_ID}, f"client_id='{CLIENT_ID}'"),
        ({"object_id": CLIENT_ID}, f"object_id='{CLIENT_ID}'"),
        ({"resource_id": "/subscriptions/x"}, "resource_id='/subscriptions/x'"),
    ],
    ids=["default", "client_id", "object_id", "resource_id"],
)
def test_a_new_credential_logs_its_host_and_identity_once(
    colour: Colour, caplog: pytest.LogCaptureFixture, options: dict[str, str], identity: str
) -> None:
    with holding(colour, transport=Imds(), **options) as held:
        name = type(held.credential).__name__
        (record,) = caplog.records
        assert record.getMessage() == f"{name}: tokens come from azure (http://169.254.169.254), for {identity}"
        assert record.levelno == logging.INFO
        assert fields(record) == ("identity.get_token", "azure", None, None, None)
        if not options:
            held.get_token()
            held.get_token(force_refresh=True)
        assert len(caplog.records) == 1


def test_the_host_is_the_one_that_is_used(
    colour: Colour, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://localhost:40342/metadata/identity/oauth2/token")
    monkeypatch.setenv("IMDS_ENDPOINT", "http://localhost:40342")
    kind_of(colour)()
    assert "tokens come from arc (http://localhost:40342)" in caplog.text
    assert caplog.records[0].__dict__["host"] == "arc"


def test_a_given_client_says_where_tokens_come_from(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    client: Any = (ImdsClient if colour.name == "sync" else AsyncImdsClient)("http://127.0.0.1:1")
    kind_of(colour)(client=client)
    assert [record.getMessage().partition(" (")[2] for record in caplog.records] == [
        "http://127.0.0.1:1), for the default identity"
    ]


def test_copies_log_nothing(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    credential = kind_of(colour)()
    caplog.clear()
    copy.copy(credential)
    copy.deepcopy(credential)
    pickle.loads(pickle.dumps(credential))
    assert not caplog.records


def test_a_credential_with_a_wrong_argument_logs_nothing(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match="client_id"):
        kind_of(colour)(client_id="x")
    assert not caplog.records


def test_an_auth_logs_once_when_it_makes_its_credential(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    auth = ImdsAuth(SERVICE, transport=Imds())
    send(colour, Service(answer(200)), auth, *[("GET", SERVICE)] * 3)
    lines = [record.getMessage() for record in caplog.records if record.name == "azure_imds"]
    assert lines == ["ImdsAuth: tokens come from azure (http://169.254.169.254), for the default identity"]


def test_a_failed_early_refresh_has_structured_fields(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clocks()
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock, retry=None) as held:
        held.get_token()
        clock.advance(DAY / 2)
        imds.failure = answer(503, {"error": "x"})
        held.get_token()
        held.wait_for_refreshes()
        clock.advance(60)
        imds.failure = DOWN
        held.get_token()
        held.wait_for_refreshes()
    records = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [fields(record) for record in records] == [
        ("identity.get_token", "azure", 1, 503, 0.0),
        ("identity.get_token", "azure", 1, None, 0.0),
    ]


def test_a_warning_about_the_clock_has_structured_fields(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clocks()
    with holding(colour, transport=Imds(Clocks(clock.wall - 2 * DAY)), clock=clock) as held:
        held.get_token()
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert fields(record) == ("identity.get_token", "azure", None, 200, None)


def test_a_warning_of_httpx_is_not_changed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
        client.get("http://127.0.0.1")
    assert not hasattr(caplog.records[0], "operation")
