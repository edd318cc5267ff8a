"""One rule that distinguishes responses of other servers from those of IMDS and its agents."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import azure_imds
from azure_imds import (
    AsyncImdsCredential,
    ImdsCredential,
    ImdsError,
    ImdsTimeoutError,
    ImdsUnavailableError,
    ImdsValidationError,
)
from azure_imds._client.not_imds import is_from_imds
from azure_imds_api import models
from support import CANARY, ROOT, Colour, FakeClock, Script, answer, get_token, token

SCOPE = "https://vault.azure.net/.default"


def cases(name: str) -> dict[str, dict[str, Any]]:
    found = json.loads((ROOT / "tests" / "data" / "cases" / f"{name}.json").read_text(encoding="utf-8"))
    return {case["name"]: case for case in found}


def response(case: dict[str, Any]) -> httpx.Response:
    headers = {name: case[name] for name in ("server", "location") if case.get(name)}
    return httpx.Response(case["status"], headers={"content-type": case["type"], **headers}, content=case["body"])


OTHERS = cases("not-imds")
REFUSALS = cases("imds-refusals")

#: A part of the hint for each.
HINTS = {
    "container engine, English": "container engine",
    "container engine, another language": "container engine",
    "captive page": "web page",
    "gateway page": "proxy",
    "another web server": "Check what listens",
    "another cloud's metadata service": "another cloud",
    "service mesh": "service mesh",
    "some JSON API": "Check what listens",
    "login redirect": "never redirects",
}

others = pytest.mark.parametrize("name", OTHERS)
refusals = pytest.mark.parametrize("name", REFUSALS)


@others
def test_it_is_unavailable_whatever_the_status(colour: Colour, name: str) -> None:
    error = colour.error(get_token, transport=Script(response(OTHERS[name])), clock=FakeClock())
    assert type(error) is ImdsUnavailableError
    assert error.status_code == OTHERS[name]["status"]
    assert HINTS[name] in error.hint
    assert error.hint in str(error)
    assert "passes by itself" not in str(error)
    assert "Check the path" not in str(error)


@others
def test_its_first_words_are_quoted_unless_it_is_a_page(colour: Colour, name: str) -> None:
    error: Any = colour.error(get_token, transport=Script(response(OTHERS[name])), clock=FakeClock())
    body = OTHERS[name]["body"]
    first = body.split()[0] if body and not body.startswith("<") else ""
    assert first in str(error)
    assert error.response_text[:10] == body[:10]
    assert "<html" not in str(error)


@others
def test_it_is_not_available(colour: Colour, name: str) -> None:
    assert colour.run(lambda imds: imds.is_available(), transport=Script(response(OTHERS[name]))) is False


@others
def test_every_operation_says_so(colour: Colour, name: str) -> None:
    script = Script(response(OTHERS[name]))
    error = colour.error(lambda imds: imds.instances.get_metadata(), transport=script, clock=FakeClock())
    assert type(error) is ImdsUnavailableError


BODY = models.StartEventsRequest(start_requests=[models.StartRequest(event_id="A1")])
OPERATIONS: dict[str, Any] = {
    "get_info": lambda imds: imds.identity.get_info(),
    "get_document": lambda imds: imds.attested.get_document(),
    "get_events": lambda imds: imds.scheduled_events.get_events(),
    "start_events": lambda imds: imds.scheduled_events.start_events(body=BODY),
    "load_balancer": lambda imds: imds.load_balancer.get_metadata(),
    "get_versions": lambda imds: imds.versions.get_versions(),
    "leaf": lambda imds: imds.get("compute/name"),
    "node": lambda imds: imds.get("compute"),
}


@pytest.mark.parametrize("status", [200, 202, 204, 302, 403, 503])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_web_page_is_not_a_result_of_any_operation(colour: Colour, operation: str, status: int) -> None:
    page = httpx.Response(status, headers={"content-type": "text/html"}, content=b"<html>Sign in</html>")
    error = colour.error(OPERATIONS[operation], transport=Script(page), clock=FakeClock())
    assert type(error) is ImdsUnavailableError
    assert error.status_code == status


@pytest.mark.parametrize("document", [{}, {"status": "ok"}, {"code": 1, "title": "x"}], ids=repr)
def test_a_document_of_unknown_members_is_from_imds_only_if_the_server_says_so(colour: Colour, document: Any) -> None:
    body = json.dumps(document).encode()
    error = colour.error(
        lambda imds: imds.instances.get_metadata(), transport=Script(httpx.Response(200, content=body))
    )
    assert type(error) is ImdsUnavailableError
    found = colour.run(lambda imds: imds.instances.get_metadata(), transport=Script(answer(200, document)))
    assert found.to_dict() == document


@pytest.mark.parametrize("document", [{"compute": None}, {"network": {}, "status": "ok"}], ids=repr)
def test_a_document_with_a_known_member_needs_no_name_of_the_server(colour: Colour, document: Any) -> None:
    script = Script(httpx.Response(200, content=json.dumps(document).encode()))
    assert colour.run(lambda imds: imds.instances.get_metadata(), transport=script).to_dict() == document


@refusals
def test_a_refusal_of_imds_has_its_class(colour: Colour, name: str) -> None:
    case = REFUSALS[name]
    error = colour.error(get_token, transport=Script(response(case)), retry=None)
    assert isinstance(error, getattr(azure_imds, case["class"]))
    assert not isinstance(error, ImdsUnavailableError)
    assert colour.run(lambda imds: imds.is_available(), transport=Script(response(case))) is True


@others
def test_little_time_is_spent_on_it(colour: Colour, name: str) -> None:
    clock = FakeClock()
    colour.error(get_token, transport=Script(response(OTHERS[name])), clock=clock)
    assert sum(clock.waits) <= 5


def test_an_endpoint_that_was_imds_before_gets_the_whole_deadline(colour: Colour) -> None:
    clock = FakeClock()
    mesh = response(OTHERS["service mesh"])

    def twice(imds: Any) -> Any:
        if colour.name == "sync":
            get_token(imds)
            return get_token(imds)

        async def main() -> Any:
            await get_token(imds)
            return await get_token(imds)

        return main()

    colour.error(twice, transport=Script(answer(200, token()), mesh), clock=clock)
    assert sum(clock.waits) > 5


# Chains of azure-identity


class Second:
    """A credential that always works."""

    def get_token(self, *scopes: str, **options: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken("second", 2_000_000_000)

    def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        from azure.core.credentials import AccessTokenInfo

        return AccessTokenInfo("second", 2_000_000_000)


class AsyncSecond:
    async def get_token(self, *scopes: str, **options: Any) -> Any:
        return Second().get_token()

    async def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        return Second().get_token_info()

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> AsyncSecond:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


def chained(method: str, transport: Any) -> str:
    from azure.identity import ChainedTokenCredential

    first = ImdsCredential(transport=transport, clock=FakeClock())
    chain: Any = ChainedTokenCredential(first, Second())
    text: str = getattr(chain, method)(SCOPE).token
    return text


def achained(method: str, transport: Any) -> str:
    from azure.identity.aio import ChainedTokenCredential

    async def main() -> str:
        first = AsyncImdsCredential(transport=transport, clock=FakeClock())
        chain: Any = ChainedTokenCredential(first, AsyncSecond())
        text: str = (await getattr(chain, method)(SCOPE)).token
        return text

    return asyncio.run(main())


CHAINS: list[Callable[[str, Any], str]] = [chained, achained]
methods = pytest.mark.parametrize("method", ["get_token", "get_token_info"])
chains = pytest.mark.parametrize("chain", CHAINS)


@others
@methods
@chains
def test_a_chain_goes_on(name: str, method: str, chain: Callable[[str, Any], str]) -> None:
    pytest.importorskip("azure.identity")
    assert chain(method, Script(response(OTHERS[name]))) == "second"


@refusals
@methods
@chains
def test_a_chain_goes_on_or_stops_after_a_refusal(name: str, method: str, chain: Callable[[str, Any], str]) -> None:
    core = pytest.importorskip("azure.core.exceptions")
    pytest.importorskip("azure.identity")
    transport = Script(response(REFUSALS[name]))
    if REFUSALS[name]["chain"] == "goes on":
        assert chain(method, transport) == "second"
    else:
        with pytest.raises((azure_imds.ImdsStatusError, core.ClientAuthenticationError)):
            chain(method, transport)


# Secrets


@pytest.mark.parametrize(
    "body",
    [
        CANARY,
        f"your token: {CANARY}",
        json.dumps({"token": CANARY}),
        json.dumps({"status": "ok", "access_token": CANARY}),
        f"<html>{CANARY}</html>",
        f"Bearer {CANARY}",
    ],
)
@pytest.mark.parametrize("status", [200, 404, 503])
def test_its_text_shows_no_token(colour: Colour, body: str, status: int) -> None:
    script = Script(answer(status, body, server=""))
    error: Any = colour.error(lambda imds: imds.versions.get_versions(), transport=script, clock=FakeClock())
    assert type(error) is ImdsUnavailableError
    assert CANARY not in f"{error} {vars(error)}"


def test_its_text_is_bounded(colour: Colour) -> None:
    script = Script(answer(404, "no such page " * 10_000, server=""))
    error: Any = colour.error(get_token, transport=script)
    assert len(error.response_text) <= 2000
    assert len(str(error)) < 1000


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (404, {"server": "IMDS/1.2"}, b"", True),
        (200, {"server": "IMDS/1.2"}, b"<html>", True),
        (400, {}, b'{"error": "x"}', True),
        (400, {}, b'{"error": {"code": "x", "message": "y"}}', True),
        (400, {}, b'{"newest-versions": []}', True),
        (400, {}, b'{"code": "x", "message": "y"}', True),
        (400, {}, b'{"code": "404 Not Found", "title": "Not Found"}', False),
        (400, {}, b'["error"]', False),
        (400, {}, b"error", False),
        (403, {}, b"", True),
        (403, {"server": "nginx"}, b"", False),
        (401, {}, b"", True),
        (401, {"server": "nginx"}, b"", False),
        (500, {"server": "Microsoft-IIS/10.0"}, b"", True),
        (404, {"server": "Microsoft-IIS/10.0"}, b"", False),
        (503, {}, b"", False),
        (405, {"allow": "GET"}, b"Method Not Allowed", True),
        (405, {}, b"Method Not Allowed", False),
        (500, {"content-type": "text/plain"}, b"pod list is empty", True),
        (404, {}, b"no azure identity found for request clientID ", True),
        (404, {"content-type": "text/html"}, b"no azure identity found", False),
        (302, {"location": "/x"}, b"", False),
    ],
)
def test_the_rule(status: int, headers: dict[str, str], body: bytes, expected: bool) -> None:
    assert is_from_imds(httpx.Response(status, headers=headers, content=body)) is expected


# Waiting


def test_waiting_ends_when_imds_answers(colour: Colour) -> None:
    clock = FakeClock()
    script = Script(httpx.ConnectError("refused"), response(OTHERS["service mesh"]), answer(200, {"compute": {}}))
    assert colour.run(lambda imds: imds.wait_until_available(30), transport=script, clock=clock) is None
    assert len(script.requests) == 3
    assert len(clock.waits) == 2


def test_waiting_gives_up_with_the_last_problem(colour: Colour) -> None:
    clock = FakeClock()
    script = Script(response(OTHERS["another web server"]))
    error = colour.error(lambda imds: imds.wait_until_available(20), transport=script, clock=clock)
    assert type(error) is ImdsTimeoutError
    assert error.deadline == 20
    assert "404 page not found" in str(error)
    assert 19 <= sum(clock.waits) <= 20
    assert all(wait <= 2 for wait in clock.waits)


def test_a_short_wait_is_not_cut_shorter_by_a_pause(colour: Colour) -> None:
    clock = FakeClock()
    script = Script(httpx.ConnectError("refused"), httpx.ConnectError("refused"), answer(200, {"compute": {}}))
    assert colour.run(lambda imds: imds.wait_until_available(1), transport=script, clock=clock) is None
    assert sum(clock.waits) < 1


def test_waiting_does_not_help_a_closed_client(colour: Colour) -> None:
    clock = FakeClock()

    def wait(imds: Any) -> Any:
        if colour.name == "sync":
            imds.close()
            return imds.wait_until_available(20)

        async def close_and_wait() -> None:
            await imds.close()
            await imds.wait_until_available(20)

        return close_and_wait()

    error = colour.error(wait, transport=Script(answer(200, {"compute": {}})), clock=clock)
    assert type(error) is ImdsError
    assert "closed" in str(error)
    assert clock.waits == []


def test_waiting_does_not_help_where_imds_is_disabled(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_IMDS_DISABLED", "1")
    clock = FakeClock()
    error = colour.error(lambda imds: imds.wait_until_available(20), transport=Script(answer(200, {})), clock=clock)
    assert type(error) is ImdsUnavailableError
    assert clock.waits == []


@pytest.mark.parametrize("timeout", [0, -1, "5", None, True, float("nan"), float("inf")])
def test_a_wrong_time_is_refused(colour: Colour, timeout: Any) -> None:
    script = Script(answer(200, {"compute": {}}))
    for name in ("wait_until_available", "is_available"):
        error = colour.error(lambda imds, name=name: getattr(imds, name)(timeout), transport=script)
        assert isinstance(error, ImdsValidationError)
        assert error.parameter == "timeout"
        assert str(error).startswith(f"{name}: timeout must be a positive number")
    assert not script.requests


def test_the_time_of_a_check_can_be_set(colour: Colour) -> None:
    script = Script(answer(200, {"compute": {}}))
    assert colour.run(lambda imds: imds.is_available(timeout=0.25), transport=script) is True
    assert script.requests[0].extensions["timeout"]["read"] <= 0.25
