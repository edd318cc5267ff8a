"""`ImdsClient` and `AsyncImdsClient`: the generated operations, sent by one loop."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

import httpx
from attrs import evolve

from azure_imds_api.api import AsyncOperations, Operation, Operations

from .._clock import SYSTEM, Clock
from .._sensitive import strip_sensitive
from ..errors import (
    ArcChallengeError,
    BadRequestError,
    ImdsStatusError,
    UnsupportedApiVersionError,
)
from .answer import aexchange, exchange
from .call import NOTHING, USER_AGENT, Call, Failure, Spent, TryAgain
from .error_mapping import may_be_imds
from .host import Host, find_host
from .options import Options
from .retry import RetryPolicy
from .transport import C, Connections
from .validation import invalid

T = TypeVar("T")

_HEADERS = {"Metadata": "true", "User-Agent": USER_AGENT}


class Unchanged(Enum):
    """The default of a setting of `with_options`: the setting stays as it is. None would select its default instead."""

    UNCHANGED = "unchanged"

    def __repr__(self) -> str:
        return "unchanged"


_UNCHANGED = Unchanged.UNCHANGED
_Unchanged = Literal[Unchanged.UNCHANGED]


class _ClientBase(Generic[C]):
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
    ) -> Self:
        """Returns a sibling with other settings. It shares the connections: closing one closes them for all.

        Args:
            timeout, deadline, retry, api_version, step_down, cache: as in the constructor. Settings that are not
                passed stay as they are. None selects the default.

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
        }
        changes: dict[str, Any] = {name: value for name, value in settings.items() if value is not _UNCHANGED}
        return self._sibling(evolve(self._options, **changes))

    def _sibling(self, options: Options) -> Self:
        sibling = type(self).__new__(type(self))
        sibling._initialize(options, self._connections)
        return sibling

    def _new_call(self, operation: Operation[T], arguments: dict[str, Any], spent: Spent) -> Call[T]:
        self._connections.check()
        return Call(self._options, operation, arguments, spent)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(endpoint={self.endpoint!r})"

    def __reduce__(self) -> Any:
        # As the user wrote it: without an endpoint, the other process detects its own.
        options, connections = self._options, self._connections
        if connections.given is not None:
            raise TypeError(
                "a client with a caller's http_client cannot be pickled: pass an endpoint or a transport instead"
            )
        names = ("endpoint", "timeout", "deadline", "retry", "clock", "api_version", "step_down", "cache")
        settings = {name: getattr(options, name) for name in names}
        return rebuild_client, (type(self), {**settings, "transport": connections.transport})


def rebuild_client(kind: Any, settings: dict[str, Any]) -> Any:
    """Makes a pickled client again, in another process."""
    return kind(**settings)


Client = TypeVar("Client", bound=_ClientBase[Any])


def with_caller(client: Client, caller: str) -> Client:
    """A sibling whose error messages start with what the user called, such as ImdsCredential."""
    return client._sibling(evolve(client.options, caller=caller))  # pyright: ignore[reportPrivateUsage]


def with_cancellation(client: Client, is_cancelled: Callable[[], bool]) -> Client:
    """A sibling whose requests end with `RequestCancelled` soon after `is_cancelled()` returns True.

    Requests over a caller's transport or httpx client are not cancelled.
    """
    return client._sibling(evolve(client.options, is_cancelled=is_cancelled))  # pyright: ignore[reportPrivateUsage]


def _check_types(transport: Any, transport_type: type, http_client: Any, client_type: type) -> None:
    if transport is not None and http_client is not None:
        raise invalid("http_client", "cannot be combined with transport: pass only one of them")
    if transport is not None and not isinstance(transport, transport_type):
        raise invalid("transport", f"must be an httpx.{transport_type.__name__}")
    if http_client is not None and not isinstance(http_client, client_type):
        raise invalid("http_client", f"must be an httpx.{client_type.__name__}")


def _is_from_imds(error: Exception, host: Host) -> bool:
    if isinstance(error, ArcChallengeError):  # the Azure Arc agent asks for a key, even if we may not read it
        return host.is_loopback
    return isinstance(error, ImdsStatusError) and may_be_imds(error)


class ImdsClient(_ClientBase[httpx.Client], Operations):
    """A client of Azure's Instance Metadata Service, with one attribute for each tag of the specification.

    It can be used with and without `with`, and it is thread-safe. It sends nothing before the first call.

    Args:
        endpoint: scheme and host of IMDS. Default, the first that applies: AZURE_POD_IDENTITY_AUTHORITY_HOST, the
            Azure Arc agent if this machine has one, http://169.254.169.254.
        timeout: seconds for one attempt as a whole. Default: 10, or more if the specification says so.
        deadline: seconds for a whole call with its connects, reads, waits and retries. Default: 30, or more if the
            specification says so; 75 while IMDS answers 410.
        retry: when to retry. None for one attempt only.
        transport: an httpx transport to send through, for tests and special networks.
        http_client: an httpx client to send with. The caller owns and closes it.
        clock: the source of time, for tests.
        api_version: the api-version for calls whose method names none, in the categories that share the host's list
            of versions (not identity, not scheduled events). "newest" selects the newest that the host supports.
        step_down: whether to fall back to an older version, once, if the host does not support the requested one. The
            client uses the older version from then on.
        cache: whether to keep responses that rarely change for as long as this client exists. Tokens, events and
            signed documents are never kept.

    Raises:
        ImdsValidationError: an argument, or the endpoint in the environment, has the wrong type or form.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        retry: RetryPolicy | None = RetryPolicy(),
        transport: httpx.BaseTransport | None = None,
        http_client: httpx.Client | None = None,
        clock: Clock = SYSTEM,
        api_version: str | None = None,
        step_down: bool = True,
        cache: bool = False,
    ) -> None:
        _check_types(transport, httpx.BaseTransport, http_client, httpx.Client)
        options = Options(
            endpoint=endpoint,
            host=find_host(endpoint),
            timeout=timeout,
            deadline=deadline,
            retry=retry,
            clock=clock,
            api_version=api_version,
            step_down=step_down,
            cache=cache,
        )
        connections = Connections(httpx.Client, transport, http_client, options.host.base_url, _HEADERS)
        self._initialize(options, connections)

    def _initialize(self, options: Options, connections: Connections[httpx.Client]) -> None:
        super()._initialize(options, connections)
        Operations.__init__(self, self._send)

    def _send(self, operation: Operation[T], arguments: dict[str, Any], /, *, spent: Spent = NOTHING) -> T:
        # The boundary frame: see _sensitive.py.
        try:
            return self._perform(operation, arguments, spent)
        except BaseException as error:
            raise strip_sensitive(error)  # noqa: B904

    def _perform(self, operation: Operation[T], arguments: dict[str, Any], spent: Spent) -> T:
        call = self._new_call(operation, arguments, spent)
        if call.needs_newest:
            call.use_newest(self.versions.get_versions().api_versions)
        cached = call.cached
        step = TryAgain(0.0) if cached is None else call.next_step(cached)
        while isinstance(step, TryAgain):
            if step.seconds:
                self._options.clock.sleep(step.seconds)
            request = call.next_request()
            sender = self._connections.sender
            step = call.next_step(exchange(sender, request, call.seconds, call.attempt_is_over))
        if isinstance(step, Failure):
            raise step.error
        return step.value

    def get(self, path: str, *, api_version: str | None = None) -> Any:
        """Any node of the instance document, by its path: `compute/location`, `network/interface/0`.

        Args:
            path: keys and list indexes, separated by `/`. Case matters.
            api_version: the version of the document. None for the same version as `instances.get_metadata`.

        Returns:
            The text of a leaf. A dict or list for any other node.

        Raises:
            NotFoundError: the document of this version has no such node.
            ImdsError: see `azure_imds.errors`.
        """
        from .instance_node import arguments, node_at

        node = node_at(path)
        try:
            return self._send(node, arguments(api_version))
        except UnsupportedApiVersionError:
            raise
        except BadRequestError as error:  # a leaf, which IMDS returns only as text
            spent = Spent(error.attempts, error.elapsed)
        return self._send(node, arguments(api_version, text=True), spent=spent)

    def is_available(self) -> bool:
        """Whether IMDS answers. Returns within about a second and never raises."""
        try:
            self.with_options(deadline=1.0, retry=None).instances.get_metadata()
        except Exception as error:
            return _is_from_imds(error, self._options.host)
        return True

    def close(self) -> None:
        """Closes the connections, also those of siblings. Can be called again. Never closes a given `http_client`."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncImdsClient(_ClientBase[httpx.AsyncClient], AsyncOperations):
    """`ImdsClient` for asyncio and trio: the same names, awaited, and the same arguments.

    One client can be used in several event loops, one after the other or in several threads.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        retry: RetryPolicy | None = RetryPolicy(),
        transport: httpx.AsyncBaseTransport | None = None,
        http_client: httpx.AsyncClient | None = None,
        clock: Clock = SYSTEM,
        api_version: str | None = None,
        step_down: bool = True,
        cache: bool = False,
    ) -> None:
        _check_types(transport, httpx.AsyncBaseTransport, http_client, httpx.AsyncClient)
        options = Options(
            endpoint=endpoint,
            host=find_host(endpoint),
            timeout=timeout,
            deadline=deadline,
            retry=retry,
            clock=clock,
            api_version=api_version,
            step_down=step_down,
            cache=cache,
        )
        connections = Connections(httpx.AsyncClient, transport, http_client, options.host.base_url, _HEADERS)
        self._initialize(options, connections)

    def _initialize(self, options: Options, connections: Connections[httpx.AsyncClient]) -> None:
        super()._initialize(options, connections)
        AsyncOperations.__init__(self, self._send)

    async def _send(self, operation: Operation[T], arguments: dict[str, Any], /, *, spent: Spent = NOTHING) -> T:
        # The boundary frame: see _sensitive.py.
        try:
            return await self._perform(operation, arguments, spent)
        except BaseException as error:
            raise strip_sensitive(error)  # noqa: B904

    async def _perform(self, operation: Operation[T], arguments: dict[str, Any], spent: Spent) -> T:
        call = self._new_call(operation, arguments, spent)
        if call.needs_newest:
            call.use_newest((await self.versions.get_versions()).api_versions)
        cached = call.cached
        step = TryAgain(0.0) if cached is None else call.next_step(cached)
        while isinstance(step, TryAgain):
            if step.seconds:
                await self._options.clock.asleep(step.seconds)
            request = call.next_request()
            step = call.next_step(
                await aexchange(self._connections.sender, request, call.seconds, call.attempt_is_over)
            )
        if isinstance(step, Failure):
            raise step.error
        return step.value

    async def get(self, path: str, *, api_version: str | None = None) -> Any:
        """Any node of the instance document, by its path. See `ImdsClient.get`."""
        from .instance_node import arguments, node_at

        node = node_at(path)
        try:
            return await self._send(node, arguments(api_version))
        except UnsupportedApiVersionError:
            raise
        except BadRequestError as error:  # a leaf, which IMDS returns only as text
            spent = Spent(error.attempts, error.elapsed)
        return await self._send(node, arguments(api_version, text=True), spent=spent)

    async def is_available(self) -> bool:
        """Whether IMDS answers. Returns within about a second and never raises."""
        try:
            await self.with_options(deadline=1.0, retry=None).instances.get_metadata()
        except Exception as error:
            return _is_from_imds(error, self._options.host)
        return True

    async def close(self) -> None:
        """Closes the connections, also those of siblings. Can be called again. Never closes a given `http_client`."""
        await self._connections.aclose()

    aclose = close

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
