"""What the logger `azure_imds` logs, and at which level."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

import httpx
import pytest

from azure_imds import ImdsError
from support import (
    CANARY,
    RESOURCE,
    Colour,
    FakeClock,
    Script,
    Wire,
    answer,
    example,
    find_secret,
    get_token,
    ok,
    python,
    raw_server,
    reply,
    token,
)

UNAVAILABLE = answer(503, {"error": "x"})


def logged(caplog: pytest.LogCaptureFixture, colour: Colour, *answers: Any, **options: Any) -> list[logging.LogRecord]:
    """The records of one call, which may fail."""
    with caplog.at_level(logging.DEBUG), suppress(ImdsError):
        colour.run(get_token, transport=Script(*answers), clock=FakeClock(), **options)
    return [record for record in caplog.records if record.name.startswith("azure_imds")]


def at(level: int, records: list[logging.LogRecord]) -> list[str]:
    return [record.getMessage() for record in records if record.levelno == level]


def test_an_attempt_is_one_line_at_debug(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    records = logged(caplog, colour, ok())
    assert len(records) == 1
    assert records[0].levelno == logging.DEBUG


def test_the_line_names_the_request_and_the_response(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    line = logged(caplog, colour, ok())[0].getMessage()
    assert line.startswith("GET http://169.254.169.254/metadata/identity/oauth2/token?")
    assert "200" in line
    assert "attempt 1" in line


def test_each_attempt_has_its_line(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    lines = at(logging.DEBUG, logged(caplog, colour, UNAVAILABLE, httpx.ReadTimeout("late"), ok()))
    assert len(lines) == 3
    assert [f"attempt {n}" in line for n, line in enumerate(lines, 1)] == [True] * 3
    assert "503" in lines[0]
    assert "ReadTimeout" in lines[1]


def test_each_wait_is_one_line_at_info(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    lines = at(logging.INFO, logged(caplog, colour, UNAVAILABLE, httpx.ConnectError("refused"), ok()))
    assert len(lines) == 2
    assert lines[0] == "identity.get_token: 503; waiting 1.80 s"
    assert lines[1] == "identity.get_token: no answer; waiting 1.60 s"


def test_an_immediate_success_logs_nothing_at_info(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    assert at(logging.INFO, logged(caplog, colour, ok())) == []


@pytest.mark.parametrize(
    "answers",
    [
        [ok()],
        [UNAVAILABLE, ok()],
        [answer(400, {"error": "x"})],
        [UNAVAILABLE],
        [answer(429, {"error": "x"})],
        [answer(410, {"error": "x"})],
        [httpx.ConnectError("refused")],
        [httpx.ReadTimeout("late")],
        [answer(200, b"<html>")],
        [answer(200, token(access_token=""))],
        [answer(302, b"", location="/x")],
        [answer(401, b"", www_authenticate="Basic realm=/x.key")],
    ],
    ids=repr,
)
def test_nothing_is_louder_than_info(colour: Colour, caplog: pytest.LogCaptureFixture, answers: list[Any]) -> None:
    records = logged(caplog, colour, *answers)
    assert records
    assert max(record.levelno for record in records) <= logging.INFO


def test_an_invalid_argument_is_not_logged(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        colour.error(lambda imds: imds.identity.get_token(resource=""), transport=Script(ok()))
    assert [record for record in caplog.records if record.name.startswith("azure_imds")] == []


def test_both_requests_of_a_challenge_have_their_line(
    colour: Colour, caplog: pytest.LogCaptureFixture, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_IMDS_ARC_TOKEN_DIR", str(tmp_path))
    (tmp_path / "a.key").write_text("k")
    challenge = answer(401, b"", www_authenticate=f"Basic realm={tmp_path}/a.key")
    records = logged(caplog, colour, challenge, ok(), endpoint="http://127.0.0.1:1")
    assert [("401" in line, "200" in line) for line in at(logging.DEBUG, records)] == [(True, False), (False, True)]


def test_only_one_logger_is_used(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    records = logged(caplog, colour, UNAVAILABLE, ok())
    assert {record.name for record in records} == {"azure_imds"}


def test_a_line_is_one_line_whatever_is_in_the_answer(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire(b"HTTP/1.1 500 two\x0blines\r\nServer: a\x0bb\r\nContent-Length: 0\r\n\r\n")
    with raw_server(wire) as endpoint, caplog.at_level(logging.DEBUG, "azure_imds"):
        colour.error(get_token, endpoint=endpoint, retry=None)
    lines = [record.getMessage() for record in caplog.records if record.name == "azure_imds"]
    assert len(lines) == 1
    assert lines[0].isprintable()


def test_a_disabled_logger_does_not_affect_a_call(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("azure_imds")
    logger.disabled = True
    try:
        assert logged(caplog, colour, UNAVAILABLE, ok()) == []
    finally:
        logger.disabled = False


def test_a_failing_log_handler_does_not_fail_the_call(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            self.handleError(record)

    monkeypatch.setattr(logging, "raiseExceptions", False)
    logger, handler = logging.getLogger("azure_imds"), Broken()
    logger.addHandler(handler)
    try:
        assert colour.run(get_token, transport=Script(ok())).token_type == "Bearer"
    finally:
        logger.removeHandler(handler)


QUIET = """
import azure_imds
from azure_imds import ImdsClient, ImdsError, RetryPolicy
imds = ImdsClient({0!r}, retry=RetryPolicy(attempts=2, polite_wait=0.01, first_wait=0.01))
for call in (imds.identity.get_info, imds.instances.get_metadata, imds.is_available):
    try:
        call()
    except ImdsError:
        pass
import logging
assert not logging.getLogger("azure_imds").handlers
assert logging.getLogger("azure_imds").level == logging.NOTSET
assert not logging.getLogger().handlers
"""


@pytest.mark.parametrize("status", [200, 429])
def test_the_package_prints_nothing_by_default(status: int) -> None:
    with raw_server(Wire(reply(status, '{"error":"x"}'))) as endpoint:
        run = python(QUIET.format(endpoint))
    assert (run.stdout, run.stderr, run.returncode) == ("", "", 0)


def test_a_step_down_of_the_version_is_logged_at_info(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    unknown = answer(400, example("errors-missing-api-version") | {"newest-versions": ["2021-02-01"]})
    with caplog.at_level(logging.DEBUG, "azure_imds"):
        colour.run(lambda imds: imds.instances.get_metadata(), transport=Script(unknown, answer(200, {})))
    assert len(at(logging.INFO, caplog.records)) == 1
    assert "2021-02-01" in at(logging.INFO, caplog.records)[0]


def test_the_resource_is_named_in_the_line_so_that_it_can_be_found(
    colour: Colour, caplog: pytest.LogCaptureFixture
) -> None:
    assert httpx.URL(RESOURCE).host in logged(caplog, colour, ok())[0].getMessage()


FIELDS = ("operation", "host", "attempt", "status", "elapsed")


def fields(record: logging.LogRecord) -> tuple[Any, ...]:
    values = [getattr(record, name) for name in FIELDS]
    return tuple(round(value, 3) if isinstance(value, float) else value for value in values)


def test_each_attempt_and_each_wait_has_structured_fields(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    records = logged(caplog, colour, UNAVAILABLE, httpx.ReadTimeout("late"), ok())
    assert [(record.levelname, *fields(record)) for record in records] == [
        ("DEBUG", "identity.get_token", "azure", 1, 503, 0.0),
        ("INFO", "identity.get_token", "azure", 1, 503, 0.0),
        ("DEBUG", "identity.get_token", "azure", 2, None, 1.8),
        ("INFO", "identity.get_token", "azure", 2, None, 1.8),
        ("DEBUG", "identity.get_token", "azure", 3, 200, 3.4),
    ]


def test_a_step_down_has_structured_fields(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    unknown = answer(400, example("errors-missing-api-version") | {"newest-versions": ["2021-02-01"]})
    with caplog.at_level(logging.INFO, "azure_imds"):
        colour.run(lambda imds: imds.instances.get_metadata(), transport=Script(unknown, answer(200, {})))
    (record,) = [record for record in caplog.records if record.levelno == logging.INFO]
    assert fields(record) == ("instances.get_metadata", "azure", None, 400, None)


def test_every_record_has_all_fields_so_that_a_format_can_name_them(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "azure_imds"):
        logging.getLogger("azure_imds").warning("anything")
    form = " ".join(f"{name}=%({name})s" for name in FIELDS)
    line = logging.Formatter(form).format(caplog.records[-1])
    assert line == "operation=None host=None attempt=None status=None elapsed=None"


def test_the_fields_hold_no_secret(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    for record in logged(caplog, colour, answer(400, token()), ok()):
        assert not find_secret(CANARY, record.__dict__)
