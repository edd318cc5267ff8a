"""`ImdsAuth`: adds a bearer token to every request of an httpx client, and to no other request."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import AsyncGenerator, Generator
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from .._client.validation import invalid
from .._sensitive import strip_sensitive
from ..errors import ImdsValidationError
from .credential import ImdsCredential
from .credential_base import CredentialBase, check_scope

if TYPE_CHECKING:
    from .async_credential import AsyncImdsCredential

C = TypeVar("C", bound=CredentialBase[Any])

#: Options whose type differs between `ImdsCredential` and `AsyncImdsCredential`.
_TYPED_BY_KIND = ("client", "transport", "http_client")


class ImdsAuth(httpx.Auth):
    """Signs requests with the machine's identity: `httpx.Client(auth=ImdsAuth("https://vault.azure.net"))`.

    Works with `httpx.AsyncClient` too. After a 401 with a claims challenge (continuous access evaluation), the request
    is sent once more with a new token. The token is sent only over https or to this machine, and never to the target of
    a redirect to another host.

    Args:
        scope: the scope or resource of the service.
        credential: an `ImdsCredential`, or for `httpx.AsyncClient` an `AsyncImdsCredential`, whose stored tokens are
            used. None: this object has a credential of its own.
        options: options of `ImdsCredential`, such as `client_id`. Not together with a credential.

    Raises:
        ImdsValidationError: the scope is blank, an option has the wrong type or form, or the credential does not match
            the httpx client.
    """

    def __init__(
        self, scope: str, *, credential: ImdsCredential | AsyncImdsCredential | None = None, **options: Any
    ) -> None:
        check_scope(scope, "ImdsAuth")
        self._scope = scope
        self._given = credential
        self._options = options
        self._own: dict[Any, Any] = {}
        if credential is None:
            # Checks the options now. Those whose type depends on the httpx client are checked at the first request.
            _own_kind(ImdsCredential)(**{name: value for name, value in options.items() if name not in _TYPED_BY_KIND})
        elif options:
            problem = "cannot be combined with credential: pass it to the credential"
            raise invalid(next(iter(options)), problem, "ImdsAuth")
        elif not isinstance(credential, CredentialBase):
            raise _wrong_credential(credential)

    def _credential(self, kind: type[C]) -> C:
        if self._given is None:
            hashable: Any = kind
            own: C = self._own.get(kind) or self._own.setdefault(kind, _own_kind(hashable)(**self._options))
            return own
        if isinstance(self._given, kind):
            return self._given
        raise _wrong_credential(self._given)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Implements httpx's protocol. See `httpx.Auth`."""
        _check_safe(request.url)
        credential = self._credential(ImdsCredential)
        try:
            response = yield _add_token(request, credential.get_token(self._scope).token)
            claims = _find_claims(request, response)
            if claims and _is_repeatable(request):
                yield _add_token(request, credential.get_token(self._scope, claims=claims).token)
            elif claims:
                credential.get_token(self._scope, claims=claims)
        except BaseException as error:
            _remove_token(request)
            raise strip_sensitive(error)  # noqa: B904

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Implements httpx's protocol. See `httpx.Auth`."""
        from .async_credential import AsyncImdsCredential

        _check_safe(request.url)
        credential = self._credential(AsyncImdsCredential)
        try:
            response = yield _add_token(request, (await credential.get_token(self._scope)).token)
            claims = _find_claims(request, response)
            if claims and _is_repeatable(request):
                yield _add_token(request, (await credential.get_token(self._scope, claims=claims)).token)
            elif claims:
                await credential.get_token(self._scope, claims=claims)
        except BaseException as error:
            _remove_token(request)
            raise strip_sensitive(error)  # noqa: B904

    def __repr__(self) -> str:
        return f"ImdsAuth({self._scope!r})"

    def __reduce__(self) -> Any:
        return _rebuild_auth, (self._scope, self._given, self._options)


def _rebuild_auth(scope: str, credential: Any, options: dict[str, Any]) -> ImdsAuth:
    return ImdsAuth(scope, credential=credential, **options)


@cache
def _own_kind(kind: Any) -> Any:
    """Returns the same kind of credential with error messages that start with ImdsAuth, which the user called."""
    return type(kind.__name__, (kind,), {"_caller": "ImdsAuth"})


def _wrong_credential(credential: object) -> ImdsValidationError:
    kinds = "an ImdsCredential for httpx.Client, or an AsyncImdsCredential for httpx.AsyncClient"
    return invalid("credential", f"must be {kinds}, not {type(credential).__name__}", "ImdsAuth")


def _add_token(request: httpx.Request, token: str) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token}"
    return request


def _remove_token(request: httpx.Request) -> None:
    """Removes the token from a request that failed. The request is in the frames of the error, and often in itself."""
    request.headers.pop("Authorization", None)


def _check_safe(url: httpx.URL) -> None:
    if url.scheme == "https":
        return
    try:
        loopback = url.host == "localhost" or ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        problem = f"must use https or a loopback address, for example https://{url.host}, to receive a token"
        raise invalid("url", problem, "ImdsAuth")


def _is_repeatable(request: httpx.Request) -> bool:
    """Whether the body can be sent again. The body of a generator cannot."""
    return isinstance(request.stream, httpx.ByteStream)


def _find_claims(request: httpx.Request, response: httpx.Response) -> str:
    """Returns the claims that a 401 demands, or "". A response after a redirect to another host is ignored."""
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


#: The header also has an `error`: insufficient_claims, or invalid_token if Azure Resource Manager reports a revoked
#: session. (Microsoft identity platform, "Claims challenges"; azure-mgmt-core.)
_CLAIMS = re.compile(r'(?:^|[\s,])claims\s*=\s*"([^"]+)"', re.IGNORECASE)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
