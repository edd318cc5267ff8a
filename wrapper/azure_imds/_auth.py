"""`ImdsAuth`: a bearer token on every request of an httpx client, and nowhere it must not go."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import AsyncGenerator, Generator
from functools import cached_property
from typing import Any

import httpx

from ._credential import AsyncImdsCredential, ImdsCredential
from ._tokens import resource_of
from .errors import ImdsValidationError


class ImdsAuth(httpx.Auth):
    """Signs requests with the machine's identity: `httpx.Client(auth=ImdsAuth("https://vault.azure.net"))`.

    Serves `httpx.AsyncClient` too. A 401 with a claims challenge (continuous access evaluation) is answered once, with
    a new token. The token goes over https or to this machine only, and never to where a redirect leads.

    Args:
        scope: the scope or resource of the service.
        options: those of `ImdsCredential`, such as `client_id`.

    Raises:
        ImdsValidationError: the scope is blank, or an option is not of its kind.
    """

    def __init__(self, scope: str, **options: Any) -> None:
        resource_of((scope,))
        self._scope = scope
        self._options = options
        if "transport" not in options and "client" not in options and "http_client" not in options:
            ImdsCredential(**options)  # so that a bad option is refused here, and not at the first request

    @cached_property
    def _credential(self) -> ImdsCredential:
        return ImdsCredential(**self._options)

    @cached_property
    def _async_credential(self) -> AsyncImdsCredential:
        return AsyncImdsCredential(**self._options)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """httpx's own protocol; see `httpx.Auth`."""
        _check_safe(request.url)
        token = self._credential.get_token(self._scope)
        response = yield _signed(request, token.token)
        claims = _claims(request, response)
        if claims:
            token = self._credential.get_token(self._scope, claims=claims)
            yield _signed(request, token.token)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """httpx's own protocol; see `httpx.Auth`."""
        _check_safe(request.url)
        token = await self._async_credential.get_token(self._scope)
        response = yield _signed(request, token.token)
        claims = _claims(request, response)
        if claims:
            token = await self._async_credential.get_token(self._scope, claims=claims)
            yield _signed(request, token.token)

    def __repr__(self) -> str:
        return f"ImdsAuth({self._scope!r})"

    def __reduce__(self) -> Any:
        return _revived, (self._scope, self._options)


def _revived(scope: str, options: dict[str, Any]) -> ImdsAuth:
    return ImdsAuth(scope, **options)


def _signed(request: httpx.Request, token: str) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token}"
    return request


def _check_safe(url: httpx.URL) -> None:
    if url.scheme == "https":
        return
    try:
        loopback = url.host == "localhost" or ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ImdsValidationError(
            f"a token is not sent to {url.scheme}://{url.host}: only https, or this very machine", parameter="url"
        )


def _claims(request: httpx.Request, response: httpx.Response) -> str:
    """The claims that a 401 asks for, or "". What a redirect led to may not ask for anything."""
    if response.status_code != 401 or response.request.url.host != request.url.host:
        return ""
    for challenge in response.headers.get_list("www-authenticate"):
        if "insufficient_claims" in challenge and (found := re.search(r'\bclaims\s*=\s*"([^"]+)"', challenge)):
            encoded = found[1]
            try:
                return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
            except (binascii.Error, ValueError):
                return ""
    return ""
