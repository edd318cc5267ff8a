"""What this and other processes do with a credential, a client or an auth.

They tell of a token by its fingerprint: no token travels back.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from azure_imds import AsyncImdsClient, AsyncImdsCredential, ImdsAuth, ImdsClient, ImdsCredential

#: The audience of `guarded.GuardedService`.
AUDIENCE = "https://guarded.example"
SCOPE = f"{AUDIENCE}/.default"


@dataclass(frozen=True)
class Site:
    """Where a guarded service is, and whose certificates to trust there."""

    url: str
    authority: str

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority)


@dataclass(frozen=True)
class Report:
    """Which process did it, and the token it came to know."""

    process: int
    fingerprint: str


@dataclass(frozen=True)
class Errand:
    """One kind of thing that is sent around, and its use.

    Attributes:
        make: makes the thing, out of nothing but the environment or the keywords given.
        use: gets a token by it, and returns the token's fingerprint.
    """

    name: str
    make: Callable[..., Any]
    use: Callable[[Any, Site], str]

    def __str__(self) -> str:
        return self.name

    def run(self, thing: Any, site: Site) -> Report:
        return Report(os.getpid(), self.use(thing, site))


def set_environment(variables: dict[str, str]) -> None:
    os.environ.update(variables)


def fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def token_of(endpoint: str) -> str:
    """The token that this IMDS gives to everybody who asks for the guarded service."""
    with ImdsClient(endpoint) as client:
        return client.identity.get_token(resource=AUDIENCE).access_token


def shows(token: str, data: bytes) -> bool:
    """Whether the data hold the token, or the part that makes it good."""
    _, payload, signature = token.encode().split(b".")
    return payload in data or signature in data


def _credential(credential: ImdsCredential, site: Site) -> str:
    return fingerprint(credential.get_token(SCOPE).token)


def _async_credential(credential: AsyncImdsCredential, site: Site) -> str:
    async def main() -> str:
        return fingerprint((await credential.get_token(SCOPE)).token)

    return asyncio.run(main())


def _client(client: ImdsClient, site: Site) -> str:
    return fingerprint(client.identity.get_token(resource=AUDIENCE).access_token)


def _async_client(client: AsyncImdsClient, site: Site) -> str:
    async def main() -> str:
        return fingerprint((await client.identity.get_token(resource=AUDIENCE)).access_token)

    return asyncio.run(main())


def _auth(auth: ImdsAuth, site: Site) -> str:
    with httpx.Client(auth=auth, verify=site.client_context(), trust_env=False) as client:
        return _accepted(client.get(site.url))


def _async_auth(auth: ImdsAuth, site: Site) -> str:
    async def main() -> str:
        async with httpx.AsyncClient(auth=auth, verify=site.client_context(), trust_env=False) as client:
            return _accepted(await client.get(site.url))

    return asyncio.run(main())


def _accepted(answer: httpx.Response) -> str:
    answer.raise_for_status()
    accepted: str = answer.json()["fingerprint"]
    return accepted


def _make_auth(**options: Any) -> ImdsAuth:
    return ImdsAuth(SCOPE, **options)


CREDENTIAL = Errand("credential", ImdsCredential, _credential)
ASYNC_CREDENTIAL = Errand("async credential", AsyncImdsCredential, _async_credential)

ERRANDS = [
    CREDENTIAL,
    ASYNC_CREDENTIAL,
    Errand("client", ImdsClient, _client),
    Errand("async client", AsyncImdsClient, _async_client),
    Errand("auth", _make_auth, _auth),
    Errand("async auth", _make_auth, _async_auth),
]
