"""`ImdsAuth`: a bearer token on every request of an httpx client, and nowhere it must not go."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import AsyncGenerator, Generator
from typing import Any, TypeVar

import httpx

from ..errors import ImdsValidationError
from .credential import AsyncImdsCredential, ImdsCredential, check_scope

C = TypeVar("C", ImdsCredential, AsyncImdsCredential)

#: Options that `ImdsCredential` or `AsyncImdsCredential` takes, and not both.
_OF_ONE_KIND = ("client", "transport", "http_client")


class ImdsAuth(httpx.Auth):
    """Signs requests with the machine's identity: `httpx.Client(auth=ImdsAuth("https://vault.azure.net"))`.

    Serves `httpx.AsyncClient` too. A 401 with a claims challenge (continuous access evaluation) is answered once, with
    a new token. The token goes over https or to this machine only, and never to where a redirect leads.

    Args:
        scope: the scope or resource of the service.
        credential: one whose tokens are to serve here too, an `AsyncImdsCredential` for an `httpx.AsyncClient`.
            None: one of its own.
        options: without a credential, those of `ImdsCredential`, such as `client_id`.

    Raises:
        ImdsValidationError: the scope is blank, or an option is not of its kind, or the credential is not of the
            client's.
    """

    def __init__(
        self, scope: str, *, credential: ImdsCredential | AsyncImdsCredential | None = None, **options: Any
    ) -> None:
        check_scope(scope)
        self._scope = scope
        self._given = credential
        self._options = options
        self._own: dict[Any, Any] = {}
        if credential is None:
            # A bad option is to be refused here, not at the first request. What only one of the two kinds of credential
            # takes is seen then.
            ImdsCredential(**{name: value for name, value in options.items() if name not in _OF_ONE_KIND})
        elif options:
            raise ImdsValidationError("the credential has its options already", parameter=next(iter(options)))
        elif not isinstance(credential, (ImdsCredential, AsyncImdsCredential)):
            raise _not_this(credential)

    def _credential(self, kind: type[C]) -> C:
        if self._given is None:
            mine: C = self._own.get(kind) or self._own.setdefault(kind, kind(**self._options))
            return mine
        if isinstance(self._given, kind):
            return self._given
        raise _not_this(self._given)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """httpx's own protocol; see `httpx.Auth`."""
        _check_safe(request.url)
        credential = self._credential(ImdsCredential)
        token = credential.get_token(self._scope)
        response = yield _signed(request, token.token)
        claims = _claims(request, response)
        if claims:
            token = credential.get_token(self._scope, claims=claims)
            if _repeatable(request):
                yield _signed(request, token.token)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """httpx's own protocol; see `httpx.Auth`."""
        _check_safe(request.url)
        credential = self._credential(AsyncImdsCredential)
        token = await credential.get_token(self._scope)
        response = yield _signed(request, token.token)
        claims = _claims(request, response)
        if claims:
            token = await credential.get_token(self._scope, claims=claims)
            if _repeatable(request):
                yield _signed(request, token.token)

    def __repr__(self) -> str:
        return f"ImdsAuth({self._scope!r})"

    def __reduce__(self) -> Any:
        return _revived, (self._scope, self._given, self._options)


def _revived(scope: str, credential: Any, options: dict[str, Any]) -> ImdsAuth:
    return ImdsAuth(scope, credential=credential, **options)


def _not_this(credential: object) -> ImdsValidationError:
    wanted = "an ImdsCredential for an httpx.Client, and an AsyncImdsCredential for an httpx.AsyncClient"
    return ImdsValidationError(f"credential must be {wanted}, not {type(credential).__name__}", parameter="credential")


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


def _repeatable(request: httpx.Request) -> bool:
    """Whether the body can be sent again: that of a generator is gone."""
    return isinstance(request.stream, httpx.ByteStream)


def _claims(request: httpx.Request, response: httpx.Response) -> str:
    """The claims that a 401 asks for, or "". What a redirect led to may not ask for anything."""
    if response.status_code != 401 or _origin(response.request.url) != _origin(request.url):
        return ""
    for header in response.headers.get_list("www-authenticate"):
        if "bearer" in header.lower() and (found := _CLAIMS.search(header)):
            encoded = found[1]
            try:
                return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
            except ValueError:
                return ""
    return ""


#: The `error` beside it is insufficient_claims, or invalid_token where Azure Resource Manager says that a session was
#: revoked. (Microsoft identity platform, "Claims challenges"; azure-mgmt-core.)
_CLAIMS = re.compile(r'(?:^|[\s,])claims\s*=\s*"([^"]+)"', re.IGNORECASE)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
