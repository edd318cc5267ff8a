"""`ImdsAuth`: adds a bearer token to every request of an httpx or httpx2 client, and to no other request."""

from __future__ import annotations

import base64
import ipaddress
import re
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from functools import cache
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from .._client.validation import invalid
from .._interruptions import is_interruption
from .._sensitive import strip_sensitive
from ..errors import ImdsValidationError
from .access_token import AccessToken
from .credential import ImdsCredential
from .credential_base import CredentialBase, check_scope

if TYPE_CHECKING:
    import httpx2

    from .async_credential import AsyncImdsCredential

    # Both libraries define the same methods, each with its own types. Without httpx2, its class is Any.
    class _Auth(httpx.Auth, httpx2.Auth):  # type: ignore[misc, unused-ignore]
        ...

else:
    # httpx2 is optional. See `ImdsAuth.__class__`.
    _Auth = httpx.Auth

C = TypeVar("C", bound=CredentialBase[Any])

#: Options whose type differs between `ImdsCredential` and `AsyncImdsCredential`.
_TYPED_BY_KIND = ("client", "transport", "http_client")


class ImdsAuth(_Auth):
    """Signs requests with the machine's identity: `httpx.Client(auth=ImdsAuth("https://vault.azure.net"))`.

    Works with `httpx.AsyncClient` too, and with both clients of httpx2. After a 401 with a claims challenge (continuous
    access evaluation), the request is sent once more with a new token. A service can cause one new token in 30 seconds.

    The token is sent only over https, or over http to this machine without a proxy. A redirect carries it only within
    the origin (scheme, host and port) of the request.

    Args:
        scope: the scope or resource of the service.
        credential: an `ImdsCredential`, or for an `AsyncClient` an `AsyncImdsCredential`, whose stored tokens are used.
            None: this object has a credential of its own.
        options: options of `ImdsCredential`, such as `client_id`. Not together with a credential.

    Raises:
        ImdsValidationError: the scope is blank, an option has the wrong type or form, or the credential does not match
            the httpx client.
    """

    def __init__(
        self, scope: str, *, credential: ImdsCredential | AsyncImdsCredential | None = None, **options: Any
    ) -> None:
        self._resource = check_scope(scope, "ImdsAuth")
        self._scope = scope
        self._given = credential
        self._options = options
        self._own: dict[Any, Any] = {}
        if credential is None:
            # Checks the options now. Those whose type depends on the httpx client are checked at the first request.
            _own_kind(ImdsCredential, announces=False)(
                **{name: value for name, value in options.items() if name not in _TYPED_BY_KIND}
            )
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

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Implements the protocol of httpx and httpx2. See `httpx.Auth`."""
        _check_safe(request.url)
        credential = self._credential(ImdsCredential)
        try:
            response = yield _add_token(request, credential.get_token(self._scope))
            if _demands_new_token(request, response):
                if self._may_force(credential) and _carries(request, credential.get_token(self._scope)):
                    with self._forced_refresh(credential):
                        credential.get_token(self._scope, force_refresh=True)
                if not _carries(request, credential.get_token(self._scope)) and _is_repeatable(request):
                    yield _add_token(request, credential.get_token(self._scope))
        except BaseException as error:
            _remove_token(request)
            raise strip_sensitive(error)  # noqa: B904

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """Implements the protocol of httpx and httpx2. See `httpx.Auth`."""
        from .async_credential import AsyncImdsCredential

        _check_safe(request.url)
        credential = self._credential(AsyncImdsCredential)
        try:
            response = yield _add_token(request, await credential.get_token(self._scope))
            if _demands_new_token(request, response):
                if self._may_force(credential) and _carries(request, await credential.get_token(self._scope)):
                    with self._forced_refresh(credential):
                        await credential.get_token(self._scope, force_refresh=True)
                if not _carries(request, await credential.get_token(self._scope)) and _is_repeatable(request):
                    yield _add_token(request, await credential.get_token(self._scope))
        except BaseException as error:
            _remove_token(request)
            raise strip_sensitive(error)  # noqa: B904

    def _may_force(self, credential: CredentialBase[Any]) -> bool:
        return credential._cache.may_force(self._resource)  # pyright: ignore[reportPrivateUsage]

    @contextmanager
    def _forced_refresh(self, credential: CredentialBase[Any]) -> Generator[None]:
        """Runs a forced refresh. A service cannot cause the next one before a pause, also if this one fails."""
        try:
            yield
        finally:
            credential._cache.end_forced(self._resource)  # pyright: ignore[reportPrivateUsage]

    if not TYPE_CHECKING:

        @property
        def __class__(self) -> Any:
            """The class that `isinstance` sees: if the program has imported httpx2, a subclass of `httpx2.Auth` too.

            The clients of httpx2 accept nothing else, and the program may import httpx2 after this object was made.
            """
            httpx2 = sys.modules.get("httpx2")
            return type(self) if httpx2 is None else _class_for_both(type(self), httpx2.Auth)

    def __repr__(self) -> str:
        return f"ImdsAuth({self._scope!r})"

    def __reduce__(self) -> Any:
        return _rebuild_auth, (self._scope, self._given, self._options)


def _rebuild_auth(scope: str, credential: Any, options: dict[str, Any]) -> ImdsAuth:
    return ImdsAuth(scope, credential=credential, **options)


@cache
def _own_kind(kind: Any, announces: bool = True) -> Any:
    """Returns the same kind of credential with error messages that start with ImdsAuth, which the user called."""
    return type(kind.__name__, (kind,), {"_caller": "ImdsAuth", "_announces": announces})


def _wrong_credential(credential: object) -> ImdsValidationError:
    kinds = "an ImdsCredential for httpx.Client, or an AsyncImdsCredential for httpx.AsyncClient"
    return invalid("credential", f"must be {kinds}, not {type(credential).__name__}", "ImdsAuth")


@cache
def _class_for_both(kind: Any, other: Any) -> Any:
    return type(kind.__name__, (kind, other), {"__module__": kind.__module__, "__qualname__": kind.__qualname__})


def _add_token(request: Any, token: AccessToken) -> Any:
    request.headers["Authorization"] = f"Bearer {token.token}"
    return request


def _remove_token(request: Any) -> None:
    """Removes the token from a request that failed. The request is in the frames of the error, and often in itself."""
    request.headers.pop("Authorization", None)


def _carries(request: Any, token: AccessToken) -> bool:
    """Whether a request was sent with this token."""
    return bool(request.headers.get("Authorization") == f"Bearer {token.token}")


def _check_safe(url: Any) -> None:
    """Raises ImdsValidationError if a token could be read on its way to a URL. Called by an auth flow."""
    if url.scheme in ("https", "wss"):
        return
    try:
        loopback = url.host == "localhost" or ipaddress.ip_address(url.host).is_loopback
    except ValueError as error:
        if is_interruption(error):
            raise
        loopback = False
    if not loopback:
        problem = f"must use https or a loopback address, for example https://{url.host}, to receive a token"
        raise invalid("url", problem, "ImdsAuth")
    if _is_proxied(url):
        problem = (
            f"must not be requested through a proxy, which could read the token: add {url.host} to NO_PROXY, "
            "or create the httpx client with trust_env=False and without a proxy"
        )
        raise invalid("url", problem, "ImdsAuth")


def _is_proxied(url: Any) -> bool:
    """Whether the client that runs the auth flow sends requests for a URL through a proxy.

    Only the client knows: it may ignore the environment, it may have proxies of its own, and httpx and httpx2 read
    NO_PROXY differently. A flow is not told about its client, so the client is looked up among the callers.
    """
    clients = tuple(kind for module in _httpx_modules() for kind in (module.Client, module.AsyncClient))
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        client: Any = frame.f_locals.get("self")
        if issubclass(type(client), clients):
            pool = getattr(client._transport_for_url(url), "_pool", None)
            return type(pool).__name__.endswith("Proxy")
        frame = frame.f_back
    # Without a client, what the environment says to most programs.
    from urllib.request import getproxies, proxy_bypass

    return not {"http", "all"}.isdisjoint(getproxies()) and not proxy_bypass(url.host)


def _httpx_modules() -> list[Any]:
    """Returns httpx, and httpx2 if the program has imported it."""
    return [httpx, *([sys.modules["httpx2"]] if "httpx2" in sys.modules else [])]


def _is_repeatable(request: Any) -> bool:
    """Whether the body can be sent again. The body of a generator cannot."""
    return isinstance(request.stream, tuple(module.ByteStream for module in _httpx_modules()))


def _demands_new_token(request: Any, response: Any) -> bool:
    """Whether a 401 has a claims challenge. A response after a redirect to another host is ignored.

    The claims themselves are not used, since IMDS has no parameter for them.
    """
    if response.status_code != 401 or _origin(response.request.url) != _origin(request.url):
        return False
    for header in response.headers.get_list("www-authenticate"):
        if "bearer" in header.lower() and (found := _CLAIMS.search(header)):
            encoded = found[1]
            try:
                return bool(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
            except ValueError as error:
                if is_interruption(error):
                    raise
                return False
    return False


#: The header also has an `error`: insufficient_claims, or invalid_token if Azure Resource Manager reports a revoked
#: session. (Microsoft identity platform, "Claims challenges"; azure-mgmt-core.)
_CLAIMS = re.compile(r'(?:^|[\s,])claims\s*=\s*"([^"]+)"', re.IGNORECASE)


def _origin(url: Any) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
