"""azure-core's bearer token policy with our credentials, and a service that validates every token."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import trio
from integration import parts
from integration.certificates import Certificate
from integration.protected_service import ProtectedService
from integration.token_users import SCOPE, Site

from azure_imds import AsyncImdsCredential, ImdsCredential
from azure_imds_emulator import Clock, Emulator

core = parts.module("azure.core")
policies = parts.module("azure.core.pipeline.policies")
rest = parts.module("azure.core.rest")
transports = parts.module("azure.core.pipeline.transport")

pytestmark = pytest.mark.integration

DAY = 86400


class Caller:
    """A program with azure-core: one credential, and a new pipeline with its own policy for each request."""

    def __init__(self, scope: str = SCOPE) -> None:
        self.scope = scope
        self.credential = ImdsCredential()

    def get(self, site: Site) -> int:
        """Returns the status code of the service."""
        policy = policies.BearerTokenCredentialPolicy(self.credential, self.scope)
        transport = transports.RequestsTransport(connection_verify=site.authority)
        with core.PipelineClient(site.url, policies=[policy], transport=transport) as client:
            status: int = client.send_request(rest.HttpRequest("GET", site.url)).status_code
            return status


class AsyncCaller(Caller):
    """The same with asyncio, for which azure-core uses aiohttp."""

    def __init__(self, scope: str = SCOPE) -> None:
        self.scope = scope
        self.credential: Any = AsyncImdsCredential()

    def get(self, site: Site) -> int:
        return asyncio.run(self._get(site))

    async def _get(self, site: Site) -> int:
        policy = policies.AsyncBearerTokenCredentialPolicy(self.credential, self.scope)
        async with core.AsyncPipelineClient(site.url, policies=[policy], transport=self._transport(site)) as client:
            status: int = (await client.send_request(rest.HttpRequest("GET", site.url))).status_code
            return status

    def _transport(self, site: Site) -> Any:
        return transports.AioHttpTransport(connection_verify=site.authority)


class TrioCaller(AsyncCaller):
    """The same with trio, for which azure-core runs requests in threads."""

    def get(self, site: Site) -> int:
        return trio.run(self._get, site)

    def _transport(self, site: Site) -> Any:
        return transports.TrioRequestsTransport(connection_verify=site.authority)


callers = pytest.mark.parametrize("caller", [Caller, AsyncCaller, TrioCaller], ids=["sync", "asyncio", "trio"])


@callers
def test_a_service_accepts_the_token_of_the_policy(
    caller: Callable[..., Caller], emulator: Emulator, certificate: Certificate
) -> None:
    with ProtectedService(emulator, certificate) as service:
        program = caller()
        assert [program.get(service.site) for _ in range(3)] == [200, 200, 200]
        assert service.verdicts == ["ok", "ok", "ok"]
    assert len(emulator.requests) == 1


@callers
def test_a_claims_challenge_leads_to_a_new_token_that_is_cached(
    caller: Callable[..., Caller], emulator: Emulator, certificate: Certificate
) -> None:
    with ProtectedService(emulator, certificate, revoking=1) as service:
        program = caller()
        assert program.get(service.site) == 200
        assert service.verdicts == ["revoked", "ok"]
        assert program.get(service.site) == 200
        assert service.verdicts == ["revoked", "ok", "ok"]
    assert [request.query.get("bypass_cache") for request in emulator.requests] == [None, "true"]
    assert not any("claims" in request.query for request in emulator.requests)


@callers
def test_a_second_challenge_in_a_row_is_returned_to_the_caller(
    caller: Callable[..., Caller], emulator: Emulator, certificate: Certificate
) -> None:
    with ProtectedService(emulator, certificate, revoking=2) as service:
        assert caller().get(service.site) == 401
        assert service.verdicts == ["revoked", "revoked"]


@callers
def test_a_token_for_another_audience_is_refused(
    caller: Callable[..., Caller], emulator: Emulator, certificate: Certificate
) -> None:
    with ProtectedService(emulator, certificate) as service:
        assert caller("https://vault.azure.net/.default").get(service.site) == 401
        assert service.verdicts == ["InvalidAudienceError"]


@callers
def test_an_expired_token_is_refused(
    caller: Callable[..., Caller], certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Emulator(clock=Clock(time.time() - 2 * DAY)) as emulator, ProtectedService(emulator, certificate) as service:
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)
        assert caller().get(service.site) == 401
        assert service.verdicts == ["ExpiredSignatureError"]


def test_the_service_checks_the_signature(emulator: Emulator, certificate: Certificate) -> None:
    header, payload, signature = ImdsCredential().get_token(SCOPE).token.split(".")
    other = signature[:8] + ("B" if signature[8] == "A" else "A") + signature[9:]
    with ProtectedService(emulator, certificate) as service:
        headers = {"Authorization": f"Bearer {header}.{payload}.{other}"}
        answer = httpx.get(service.site.url, headers=headers, verify=service.site.client_context())
        assert answer.status_code == 401
        assert service.verdicts == ["InvalidSignatureError"]
