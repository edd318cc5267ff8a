"""The objects of the package that get tokens, and how this and other processes use them.

Results contain the fingerprint of a token instead of the token, so that no process sends a token to another one.
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

#: The audience of `protected_service.ProtectedService`.
AUDIENCE = "https://guarded.example"
SCOPE = f"{AUDIENCE}/.default"


@dataclass(frozen=True)
class Site:
    """The address of a protected service, and the file with the authority that its clients must trust."""

    url: str
    authority: str

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority)


@dataclass(frozen=True)
class Report:
    """The process that got a token, and the fingerprint of the token."""

    process: int
    fingerprint: str


@dataclass(frozen=True)
class TokenUser:
    """One kind of object that gets tokens.

    Attributes:
        name: the name, for the ids of tests.
        make: makes the object from the environment, or from keyword arguments.
        use: gets a token with the object, and returns the fingerprint.
    """

    name: str
    make: Callable[..., Any]
    use: Callable[[Any, Site], str]

    def __str__(self) -> str:
        return self.name

    def run(self, user: Any, site: Site) -> Report:
        return Report(os.getpid(), self.use(user, site))


def set_environment(variables: dict[str, str]) -> None:
    os.environ.update(variables)


def compute_fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def fetch_token(endpoint: str) -> str:
    """Returns the token for the protected service. An emulator returns the same token for every request."""
    with ImdsClient(endpoint) as client:
        return client.identity.get_token(resource=AUDIENCE).access_token


def contains_token(token: str, data: bytes) -> bool:
    """Returns whether the data contains the payload or the signature of a token."""
    _, payload, signature = token.encode().split(b".")
    return payload in data or signature in data


def _use_credential(credential: ImdsCredential, site: Site) -> str:
    return compute_fingerprint(credential.get_token(SCOPE).token)


def _use_async_credential(credential: AsyncImdsCredential, site: Site) -> str:
    async def main() -> str:
        return compute_fingerprint((await credential.get_token(SCOPE)).token)

    return asyncio.run(main())


def _use_client(client: ImdsClient, site: Site) -> str:
    return compute_fingerprint(client.identity.get_token(resource=AUDIENCE).access_token)


def _use_async_client(client: AsyncImdsClient, site: Site) -> str:
    async def main() -> str:
        return compute_fingerprint((await client.identity.get_token(resource=AUDIENCE)).access_token)

    return asyncio.run(main())


def _use_auth(auth: ImdsAuth, site: Site) -> str:
    with httpx.Client(auth=auth, verify=site.client_context(), trust_env=False) as client:
        return _read_fingerprint(client.get(site.url))


def _use_async_auth(auth: ImdsAuth, site: Site) -> str:
    async def main() -> str:
        async with httpx.AsyncClient(auth=auth, verify=site.client_context(), trust_env=False) as client:
            return _read_fingerprint(await client.get(site.url))

    return asyncio.run(main())


def _read_fingerprint(response: httpx.Response) -> str:
    response.raise_for_status()
    fingerprint: str = response.json()["fingerprint"]
    return fingerprint


def _make_auth(**options: Any) -> ImdsAuth:
    return ImdsAuth(SCOPE, **options)


CREDENTIAL = TokenUser("credential", ImdsCredential, _use_credential)
ASYNC_CREDENTIAL = TokenUser("async credential", AsyncImdsCredential, _use_async_credential)

TOKEN_USERS = [
    CREDENTIAL,
    ASYNC_CREDENTIAL,
    TokenUser("client", ImdsClient, _use_client),
    TokenUser("async client", AsyncImdsClient, _use_async_client),
    TokenUser("auth", _make_auth, _use_auth),
    TokenUser("async auth", _make_auth, _use_async_auth),
]
