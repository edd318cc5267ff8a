"""The base class of both credentials: their settings, their stored tokens, and what a call has to do next."""

from __future__ import annotations

import contextlib
import copy
import os
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from azure_imds_api.api.identity import IDENTITY_GET_TOKEN

from .._client.client import ImdsClient
from .._client.client_base import with_caller
from .._client.options import DEADLINE_SECONDS, Options
from .._client.retry import RetryPolicy
from .._client.transport import Connections
from .._client.validation import check_arguments, invalid, to_plain
from .._clock import SYSTEM, Clock
from .._interruptions import concerns_request
from .._log import error_fields, log
from .._sensitive import strip_sensitive
from ..errors import ImdsResponseError, ImdsValidationError
from .cache import SPREAD, Cache, Entry, read_entry

if TYPE_CHECKING:
    # A synchronous program does not need the other client.
    from .._client.async_client import AsyncImdsClient
    from .._client.observation import Observation
    from .shared_cache import SharedCache

Client = TypeVar("Client", ImdsClient, "AsyncImdsClient")

#: Arguments of the operation that credentials know by another name. Azure's SDKs say resource_id.
_SPELLINGS = {"msi_res_id": "resource_id"}

DEFAULT_RETRY = RetryPolicy()
_DEFAULTS: dict[str, Any] = {"retry": DEFAULT_RETRY, "clock": SYSTEM}


class Fetch:
    """A token to fetch.

    Attributes:
        resource: what the token is for.
        arguments: those of identity.get_token.
        forced_by: why stored tokens are not accepted: the claims, or "refresh". "" if they are.
        early: whether this is an early refresh, which accepts only a fresh token.
    """

    def __init__(self, resource: str, arguments: dict[str, Any], forced_by: str, early: bool) -> None:
        self.resource = resource
        self.arguments = arguments
        self.forced_by = forced_by
        self.early = early


class CredentialBase(Generic[Client]):
    """The part of both credentials that neither waits nor sends."""

    _client: Client
    _sender: Client

    #: Whether the constructor logs. Not if it only checks arguments.
    _announces = True

    @property
    def _caller(self) -> str:
        """What error messages start with."""
        return type(self).__name__

    def _initialize(
        self,
        selector: Mapping[str, str | None],
        shared_cache: bool | str | os.PathLike[str],
        client: Client,
        owned: bool,
    ) -> None:
        self._selector = {name: to_plain(value) for name, value in selector.items() if value is not None}
        self._client = client
        self._check({"resource": "any", **self._selector}, _SPELLINGS)
        self._shared_cache_option = shared_cache
        self._sender = with_caller(client, self._caller, _SPELLINGS)
        self._owned = owned
        self._warned_of_clock = False
        self._clock: Clock = client.options.clock
        self._cache = Cache(self._clock)
        self._shared_cache = _open_shared_cache(shared_cache, self._clock, self._caller)
        # An observer sees each call, so there is no fast path.
        self._by_scopes = self._cache.by_scopes if client.options.observer is None else {}

    def _announce(self) -> None:
        """Logs, once for each credential that a program creates, where its tokens come from and for whom."""
        text = "%s: tokens come from %s (%s), for %s"
        log.info(text, self._caller, self.host, self._client.endpoint, self._identity_text, extra=self._log_fields)

    @property
    def _log_fields(self) -> dict[str, Any]:
        return {"operation": IDENTITY_GET_TOKEN.name, "host": self.host}

    @property
    def _identity_text(self) -> str:
        texts = (f"{_SPELLINGS.get(name, name)}={value!r}" for name, value in self._selector.items())
        return ", ".join(texts) or "the default identity"

    @property
    def host(self) -> str:
        """The name of the host in the specification: azure, arc, app-service, workload-identity or another one."""
        name: str = self._client.options.host.name
        return name

    def clear(self) -> None:
        """Removes this identity's tokens, from memory and from the shared cache."""
        try:
            self._cache.clear()
            if self._shared_cache is not None:
                self._shared_cache.clear(self._identity)
        except BaseException as error:
            raise strip_sensitive(error)  # noqa: B904

    @property
    def _identity(self) -> tuple[str, ...]:
        """Host, selector and what is added to requests, as a part of the key under which processes share tokens."""
        options: Options = self._client.options
        return (
            *options.host.key(IDENTITY_GET_TOKEN),
            *(f"{name}: {value}" for name, value in (*options.headers, *options.params)),
            *(f"{name}={value}".lower() for name, value in self._selector.items()),
        )

    def _observe(self, *, is_background: bool = False) -> AbstractContextManager[Observation | None]:
        """Collects the facts of a `get_token` or of an early refresh, for the observer if there is one."""
        observe = self._client._observe  # pyright: ignore[reportPrivateUsage]
        return observe(IDENTITY_GET_TOKEN.name, of_credential=True, is_background=is_background)

    def _note_token(self, observation: Observation | None, found: Entry) -> None:
        if observation is not None:
            observation.note_token(self._clock.monotonic() - found.asked_monotonic, found.token.expires_on)

    def _find(self, scopes: tuple[str, ...], claims: str, force_refresh: bool) -> Entry | Fetch:
        """Returns the stored token, or else what to fetch. If the token is due, this starts a refresh."""
        if len(scopes) != 1:
            problem = f"must be exactly one scope or resource, for example {_EXAMPLE}, not {len(scopes)}"
            raise invalid("scopes", problem, self._caller)
        resource = to_resource(scopes[0], "scopes", self._caller)
        if not isinstance(claims, str):
            raise invalid("claims", f"must be a str, not {type(claims).__name__}", self._caller)
        if claims or force_refresh:
            return self._new_fetch(resource, forced_by=claims or "refresh")
        found = self._cache.get(scopes, resource)
        if found is None:
            return self._new_fetch(resource)
        if not found.fresh(self._clock) and self._cache.begin_refresh(resource):
            self._start_refresh(resource)
        return found

    def _start_refresh(self, resource: str) -> None:
        """Starts an early refresh in the background. Each credential has its own way."""

    def _new_fetch(self, resource: str, *, forced_by: str = "", early: bool = False) -> Fetch:
        arguments = {"resource": resource, **self._selector}
        # Other hosts than IMDS have no such argument. They return a new token when they have one.
        if forced_by and self._client.options.host.accepts(IDENTITY_GET_TOKEN, "bypass_cache"):
            arguments["bypass_cache"] = "true"
        self._check(arguments, {**_SPELLINGS, "resource": "scopes"})
        return Fetch(resource, arguments, forced_by, early)

    def _check(self, arguments: Mapping[str, Any], names: Mapping[str, str]) -> None:
        """Raises ImdsValidationError for an argument that is wrong, or that this host cannot be sent."""
        host = self._client.options.host
        if host.is_imds:
            check_arguments(IDENTITY_GET_TOKEN, arguments, caller=self._caller, names=names)
        else:
            from .._client.stand_in import check_call

            check_call(host, IDENTITY_GET_TOKEN, arguments, caller=self._caller, names=names)

    def _stored_meanwhile(self, fetch: Fetch) -> Entry | None:
        """Returns a suitable token that another thread has stored since the caller looked, or None."""
        return None if fetch.forced_by else self._cache.find(fetch.resource, only_fresh=fetch.early)

    def _read(self, answer: Any, asked: float, asked_monotonic: float) -> Entry:
        """Reads IMDS's answer to a request that was sent at these times."""
        found = read_entry(answer, asked, asked_monotonic, SPREAD - self._cache.clock.jitter(SPREAD))
        if isinstance(found, Entry):
            if found.overdue is not None and not self._warned_of_clock:
                self._warned_of_clock = True
                log.warning(
                    "%s: by the clock of this machine, a new token expired %.0f s ago. The clock is ahead, or IMDS "
                    "returned an old token. It is used for %.0f s. Check the clock.",
                    *(self._caller, found.overdue, found.expires - asked),
                    extra={**self._log_fields, "status": 200},
                )
            return found
        title = self._client.options.host.server.title
        text = f"{self._caller}: {title}'s response (200) cannot be used: {found}"
        raise ImdsResponseError(text, url=self._client.endpoint, status_code=200)

    def _store(self, fetch: Fetch, sequence: int, new: Entry) -> Entry:
        """Stores a fetched token in memory and in the shared cache."""
        stored = self._cache.put(fetch.resource, new, sequence, forced=bool(fetch.forced_by))
        if stored and self._shared_cache is not None:
            name = self._shared_cache.name(self._identity, fetch.resource)
            self._shared_cache.write(name, new)
            if self._cache.cleared_since(sequence):
                self._shared_cache.remove(name)
        return new

    @property
    def _lock_seconds(self) -> float:
        """Seconds to wait for another process: half of the deadline. The rest is for this process's own request."""
        return (self._client.options.deadline or DEADLINE_SECONDS) / 2

    def _client_since(self, started: float, observation: Observation | None) -> Client:
        """Returns the client, with the rest of the deadline if there is one. `started` is a monotonic time."""
        deadline, sender = self._client.options.deadline, self._sender
        if observation is not None:
            sender = sender._part_of(observation)  # pyright: ignore[reportPrivateUsage]
        if deadline is None:
            return sender
        left = deadline - (self._clock.monotonic() - started)
        return sender.with_options(deadline=max(left, deadline - self._lock_seconds))

    @contextlib.contextmanager
    def _early_refresh(self, resource: str, observation: Observation | None) -> Generator[None]:
        """Runs an early refresh. A failure is logged and not raised: the current token is still valid.

        An exception that is not about the request is raised, such as one of a signal handler.
        """
        failed = True
        try:
            yield
            failed = False
        except Exception as error:
            if not concerns_request(error):
                raise
            if observation is not None:
                observation.note_error(error)
            if not self._connections.closed:
                # As text: a log record that holds the exception would keep its frames, and with them a token.
                log.warning(
                    "an early refresh failed; the current token is used until it expires: %s",
                    str(error),
                    extra={**self._log_fields, **error_fields(error)},
                )
        finally:
            self._cache.end_refresh(resource, failed=failed)

    def _start_thread(self, work: Callable[[str], None], resource: str) -> None:
        try:
            from contextvars import Context

            # Not in the caller's context, which free-threaded Pythons copy into new threads: it may name an event loop.
            run = Context().run
            threading.Thread(target=run, args=(work, resource), name="azure-imds-refresh", daemon=True).start()
        except (ImportError, RuntimeError):  # the interpreter is shutting down
            self._cache.end_refresh(resource, failed=True)

    @property
    def _connections(self) -> Connections[Any]:
        return self._client._connections  # pyright: ignore[reportPrivateUsage]

    def __repr__(self) -> str:
        # Libraries such as fsspec keep one object for all credentials with the same text. So it is the same only if the
        # credentials can stand for each other: then they have the same identity, and nothing of the caller's.
        given = {
            "client": None if self._owned else self._client,
            "transport": self._connections.transport,
            "http_client": self._connections.given,
            "observer": self._client.options.observer if self._owned else None,
        }
        others = "".join(
            f", {name}=<{type(it).__name__} at {id(it):#x}>" for name, it in given.items() if it is not None
        )
        return f"{type(self).__name__}({self._identity_text}, endpoint={self._client.endpoint!r}{others})"

    def __reduce__(self) -> Any:
        return rebuild_credential, (
            type(self),
            self._selector,
            self._shared_cache_option,
            self._client,
            self._owned,
        )

    def __copy__(self) -> Self:
        client = copy.copy(self._client) if self._owned else self._client
        made: Self = rebuild_credential(type(self), self._selector, self._shared_cache_option, client, self._owned)
        return made


def rebuild_credential(
    kind: Any, selector: Mapping[str, str], shared_cache: bool | str | os.PathLike[str], client: Any, owned: bool
) -> Any:
    """Rebuilds a pickled or copied credential: the same settings, without tokens and sockets."""
    credential = kind.__new__(kind)
    credential._initialize(selector, shared_cache, client, owned)
    return credential


def choose_client(kind: type[Client], caller: str, client: Client | None, options: dict[str, Any]) -> Client:
    """Returns the given client, or a new one with these options."""
    if client is None:
        try:
            return kind(**options)
        except ImdsValidationError as error:
            raise invalid(error.parameter, error.problem, caller) from None
    if not isinstance(client, kind):
        raise invalid("client", f"must be an {kind.__name__}, not {type(client).__name__}", caller)
    for name, value in options.items():
        if value is not _DEFAULTS.get(name):
            raise invalid(name, f"cannot be combined with client: pass only one of client, {name}", caller)
    return client


#: A scope, for messages. The specification's own example is a resource.
_EXAMPLE = "https://vault.azure.net/.default"


def to_resource(scope: object, parameter: str, caller: str) -> str:
    """Returns the resource of a scope: `https://x/.default` becomes `https://x`, and a resource stays as it is.

    Raises:
        ImdsValidationError: the scope is blank or not a str.
    """
    if not isinstance(scope, str):
        raise invalid(parameter, f"must be a str, for example {_EXAMPLE}, not {type(scope).__name__}", caller)
    resource = scope.removesuffix("/.default")
    if not resource.strip():
        raise invalid(parameter, f"must not be blank, for example {_EXAMPLE}", caller)
    return resource


def check_scope(scope: str, caller: str) -> str:
    """Returns the resource of a scope. Raises ImdsValidationError if the scope is malformed."""
    resource = to_resource(scope, "scope", caller)
    check_arguments(IDENTITY_GET_TOKEN, {"resource": resource}, caller=caller, names={"resource": "scope"})
    return resource


def _open_shared_cache(option: bool | str | os.PathLike[str], clock: Clock, caller: str) -> SharedCache | None:
    if option is False:
        return None
    from .shared_cache import SharedCache

    found = SharedCache.open(option, clock)
    if found is None:
        raise invalid("shared_cache", "must be True, False or a path, for example /run/user/1000/azure-imds", caller)
    return found
