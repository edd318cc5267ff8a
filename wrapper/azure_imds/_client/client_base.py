"""What the synchronous and the asynchronous client have in common: settings, siblings, and shared connections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar

from attrs import evolve

from azure_imds_api.api import Operation

from .call import USER_AGENT, Call
from .host import Host
from .options import Options
from .retry import RetryPolicy
from .success import Spent
from .transport import C, Connections
from .validation import invalid

if TYPE_CHECKING:
    from .observation import Observation, ObservedCall

T = TypeVar("T")

#: Headers of all requests through the httpx client.
HEADERS = {"Metadata": "true", "User-Agent": USER_AGENT}


class Unchanged(Enum):
    """The default of a setting of `with_options`: the setting stays as it is. None would select its default instead."""

    UNCHANGED = "unchanged"

    def __repr__(self) -> str:
        return "unchanged"


_UNCHANGED = Unchanged.UNCHANGED
_Unchanged = Literal[Unchanged.UNCHANGED]


class ClientBase(Generic[C]):
    """What the two clients have in common: settings, siblings, and the connections that siblings share."""

    _options: Options
    _connections: Connections[C]

    def _initialize(self, options: Options, connections: Connections[C]) -> None:
        self._options = options
        self._connections = connections

    @property
    def options(self) -> Options:
        """The settings of this client, read-only: timeouts in seconds, retry policy, clock, host."""
        return self._options

    @property
    def endpoint(self) -> str:
        """Scheme, host and port that requests are sent to."""
        return self._options.host.endpoint

    @property
    def host(self) -> str:
        """The name of the host in the specification: azure, arc, app-service, workload-identity or another one."""
        return self._options.host.name

    @property
    def http(self) -> C:
        """The configured httpx client, for requests that this package does not cover.

        Its base URL is the `/metadata` path of the endpoint. Requests through it carry `Metadata: true`. They are not
        validated or retried, and they raise httpx's errors.
        """
        return self._connections.http

    def with_options(
        self,
        *,
        timeout: float | _Unchanged | None = _UNCHANGED,
        deadline: float | _Unchanged | None = _UNCHANGED,
        retry: RetryPolicy | _Unchanged | None = _UNCHANGED,
        api_version: str | _Unchanged | None = _UNCHANGED,
        step_down: bool | _Unchanged = _UNCHANGED,
        cache: bool | _Unchanged = _UNCHANGED,
        observer: Callable[[ObservedCall], object] | _Unchanged | None = _UNCHANGED,
        headers: Mapping[str, str] | _Unchanged | None = _UNCHANGED,
        params: Mapping[str, str] | _Unchanged | None = _UNCHANGED,
    ) -> Self:
        """Returns a sibling with other settings. It shares the connections: closing one closes them for all.

        Args:
            timeout, deadline, retry, api_version, step_down, cache, observer: as in the constructor. Settings that are
                not passed stay as they are. None selects the default.
            headers: headers to add to each request, instead of those that were added before. They cannot replace a
                header that the client or the specification uses, except User-Agent.
            params: query parameters to add to each request, instead of those that were added before. They cannot have
                the name of an argument of any operation. Logs and errors show them.

        Raises:
            ImdsValidationError: a setting has the wrong type or is out of range.
        """
        settings = {
            "timeout": timeout,
            "deadline": deadline,
            "retry": retry,
            "api_version": api_version,
            "step_down": step_down,
            "cache": cache,
            "observer": observer,
        }
        changes: dict[str, Any] = {name: value for name, value in settings.items() if value is not _UNCHANGED}
        if headers is not _UNCHANGED or params is not _UNCHANGED:
            from .additions import check_headers, check_params

            if headers is not _UNCHANGED:
                changes["headers"] = check_headers(headers)
            if params is not _UNCHANGED:
                changes["params"] = check_params(params)
        return self._sibling(evolve(self._options, **changes))

    def _sibling(self, options: Options) -> Self:
        sibling = type(self).__new__(type(self))
        sibling._initialize(options, self._connections)
        return sibling

    def _new_call(
        self, operation: Operation[T], arguments: dict[str, Any], spent: Spent, observation: Observation | None
    ) -> Call[T]:
        self._connections.check()
        return Call(self._options, operation, arguments, spent, observation)

    def _observe(self, operation: str, **kind: bool) -> AbstractContextManager[Observation | None]:
        """Collects the facts of a call, for the observer if there is one. See `Observation` for the kinds."""
        options = self._options
        if options.observer is None or options.observation is not None:
            return nullcontext(options.observation)
        from .observation import Observation, Reporter

        reporter = Reporter(options.observer, options.memory.failed_observers)
        return Observation(reporter, options.clock, options.host.name, operation, **kind)

    def _part_of(self, observation: Observation | None) -> Self:
        """A sibling whose calls are a part of an observed call."""
        return self if observation is None else self._sibling(evolve(self._options, observation=observation))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(endpoint={self.endpoint!r})"

    def __reduce__(self) -> Any:
        # As the user wrote it: without an endpoint, the other process detects its own.
        options, connections = self._options, self._connections
        if connections.given is not None:
            raise TypeError(
                "a client with a caller's http_client cannot be pickled: pass an endpoint or a transport instead"
            )
        names = ("endpoint", "timeout", "deadline", "retry", "clock", "api_version", "step_down", "cache", "observer")
        settings = {name: getattr(options, name) for name in names}
        additions = {"headers": dict(options.headers), "params": dict(options.params)}
        settings["transport"] = connections.transport
        return rebuild_client, (type(self), settings, additions if any(additions.values()) else {})


def rebuild_client(kind: Any, settings: dict[str, Any], additions: dict[str, Any]) -> Any:
    """Makes a pickled client again, in another process."""
    made = kind(**settings)
    return made.with_options(**additions) if additions else made


Client = TypeVar("Client", bound=ClientBase[Any])


def with_caller(client: Client, caller: str, argument_names: Mapping[str, str]) -> Client:
    """A sibling whose error messages start with what the user called, such as ImdsCredential.

    Args:
        client: the client.
        caller: what the user called.
        argument_names: the operation's arguments that the user knows by another name.
    """
    options = evolve(client.options, caller=caller, argument_names=argument_names)
    return client._sibling(options)  # pyright: ignore[reportPrivateUsage]


def with_cancellation(client: Client, is_cancelled: Callable[[], bool]) -> Client:
    """A sibling whose requests end with `RequestCancelled` soon after `is_cancelled()` returns True.

    Requests over a caller's transport or httpx client are not cancelled.
    """
    return client._sibling(evolve(client.options, is_cancelled=is_cancelled))  # pyright: ignore[reportPrivateUsage]


def new_connections(kind: type[C], transport: Any, http_client: C | None, host: Host) -> Connections[C]:
    """The connections of a new client to its host."""
    return Connections(
        kind, transport, http_client, host.base_url, HEADERS, certificate=host.certificate, proxy=host.proxy
    )


def check_types(transport: Any, transport_type: type, http_client: Any, client_type: type) -> None:
    if transport is not None and http_client is not None:
        raise invalid("http_client", "cannot be combined with transport: pass only one of them")
    if transport is not None and not isinstance(transport, transport_type):
        raise invalid("transport", f"must be an httpx.{transport_type.__name__}")
    if http_client is not None and not isinstance(http_client, client_type):
        raise invalid("http_client", f"must be an httpx.{client_type.__name__}")
