"""`ImdsClient` and `AsyncImdsClient`: the generated operations over one way of sending."""

from __future__ import annotations

import contextlib
from enum import Enum
from functools import partial
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

import httpx
from attrs import evolve

from azure_imds_api.api import AsyncOperations, Operation, Operations

from .._clock import SYSTEM, Clock
from ..errors import (
    ArcChallengeError,
    BadRequestError,
    ImdsError,
    ImdsStatusError,
    ImdsValidationError,
    UnsupportedApiVersionError,
)
from .answer import Body, Outcome, Unreadable
from .call import USER_AGENT, Call
from .error_mapping import speaks_imds
from .host import Host, find_host
from .options import Options
from .retry import RetryPolicy
from .transport import C, Connections, attempt_limit, new_async_client, new_client

T = TypeVar("T")

_HEADERS = {"Metadata": "true", "User-Agent": USER_AGENT}

#: What can come of an attempt instead of an answer.
_FAILURES = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, Unreadable, OSError, UnicodeError)


class _Unchanged(Enum):
    UNCHANGED = "unchanged"

    def __repr__(self) -> str:
        return "..."


_UNCHANGED = _Unchanged.UNCHANGED
_Keep = Literal[_Unchanged.UNCHANGED]


class _Shared(Generic[C]):
    """What the two clients have in common: settings, siblings and the connections that these share."""

    _options: Options
    _connections: Connections[C]

    @property
    def options(self) -> Options:
        """The settings of this client, read-only: timeouts in seconds, retry policy, clock, host."""
        return self._options

    @property
    def endpoint(self) -> str:
        """Scheme, host and port that requests go to."""
        return self._options.host.endpoint

    @property
    def http(self) -> C:
        """The configured httpx client, for what this package does not cover.

        Its base URL is the endpoint's `/metadata`. Requests through it carry `Metadata: true` and are neither
        validated nor retried, and their errors are httpx's.
        """
        return self._connections.http

    def with_options(
        self,
        *,
        timeout: float | _Keep | None = _UNCHANGED,
        deadline: float | _Keep | None = _UNCHANGED,
        retry: RetryPolicy | _Keep | None = _UNCHANGED,
        api_version: str | _Keep | None = _UNCHANGED,
        step_down: bool | _Keep = _UNCHANGED,
        cache: bool | _Keep = _UNCHANGED,
    ) -> Self:
        """A sibling with other settings, over the same connections: closing one closes them for all.

        Args:
            timeout, deadline, retry, api_version, step_down, cache: as in the constructor; left out, as they are here.

        Raises:
            ImdsValidationError: a setting is not of its kind.
        """
        given = {name: value for name, value in locals().items() if name != "self"}
        changes: dict[str, Any] = {name: value for name, value in given.items() if value is not _UNCHANGED}
        return self._sibling(evolve(self._options, **changes))

    def _take(self, options: Options, connections: Connections[C]) -> None:
        self._options = options
        self._connections = connections

    def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Call[T]:
        self._connections.check()
        return Call(self._options, operation, arguments)

    def _sibling(self, options: Options) -> Self:
        sibling = type(self).__new__(type(self))
        sibling._take(options, self._connections)
        return sibling

    def _rest(self, error: ImdsError) -> Self:
        """A sibling for the second part of a call whose first ended with `error`."""
        return self._sibling(evolve(self._options, tried=error.attempts, spent=error.elapsed))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(endpoint={self.endpoint!r})"

    def __reduce__(self) -> Any:
        # As it was asked for: where no endpoint was given, the other process looks for its own.
        options, connections = self._options, self._connections
        if connections.given is not None:
            raise TypeError(
                "a client over a caller's http_client cannot be pickled; give it an endpoint or a transport"
            )
        names = ("endpoint", "timeout", "deadline", "retry", "clock", "api_version", "step_down", "cache")
        asked = {name: getattr(options, name) for name in names}
        return _revived, (type(self), {**asked, "transport": connections.transport})


def _revived(kind: Any, options: dict[str, Any]) -> Any:
    return kind(**options)


def _check_kinds(transport: Any, transport_kind: type, http_client: Any, client_kind: type) -> None:
    if transport is not None and http_client is not None:
        raise ImdsValidationError("give transport or http_client, not both", parameter="http_client")
    if transport is not None and not isinstance(transport, transport_kind):
        raise ImdsValidationError(f"transport must be an httpx.{transport_kind.__name__}", parameter="transport")
    if http_client is not None and not isinstance(http_client, client_kind):
        raise ImdsValidationError(f"http_client must be an httpx.{client_kind.__name__}", parameter="http_client")


def _is_imds(error: Exception, host: Host) -> bool:
    if isinstance(error, ArcChallengeError):  # its agent asks for a key, readable to this process or not
        return host.is_loopback
    return isinstance(error, ImdsStatusError) and speaks_imds(error)


class ImdsClient(_Shared[httpx.Client], Operations):
    """Azure's Instance Metadata Service, with one attribute for each tag of the specification.

    Usable with and without `with`; safe to share between threads; sends nothing before the first call.

    Args:
        endpoint: scheme and host of IMDS. Without it: AZURE_POD_IDENTITY_AUTHORITY_HOST, Azure Arc's agent if this
            machine has one, else http://169.254.169.254.
        timeout: seconds for one attempt as a whole (10, or what the specification gives the operation).
        deadline: seconds for a whole call with its connects, reads, waits and retries (30, or more where the
            specification says so; 75 where only 410 keeps the call waiting).
        retry: when to try again; None for one attempt only.
        transport: an httpx transport to send through, for tests and special networks.
        http_client: an httpx client to send with. The caller owns and closes it.
        clock: the time to go by, for tests.
        api_version: the version to ask for where the method's own argument names none, in the categories that share
            the host's list of versions (not identity, not scheduled events); "newest" for the host's newest.
        step_down: whether a host that does not know the version is asked for an older one, once, and from then on.
        cache: whether answers that hardly ever change are kept for this client's life. Tokens, events and signed
            documents never are.

    Raises:
        ImdsValidationError: an argument, or the endpoint in the environment, is not of its kind.
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
        _check_kinds(transport, httpx.BaseTransport, http_client, httpx.Client)
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
        self._take(options, Connections(partial(new_client, options.host.base_url, _HEADERS), transport, http_client))

    def _take(self, options: Options, connections: Connections[httpx.Client]) -> None:
        super()._take(options, connections)
        Operations.__init__(self, self._send)

    def _send(self, operation: Operation[T], arguments: dict[str, Any], /) -> T:
        call = self._call(operation, arguments)
        if call.wants_newest:
            call.use_newest(self.versions.get_versions().api_versions)
        if (kept := call.kept) is not None:
            call.settle(kept)
            return call.result
        while (wait := call.settle(self._attempt(call))) is not None:
            if wait:
                self._options.clock.sleep(wait)
        return call.result

    def _attempt(self, call: Call[Any]) -> Outcome:
        request = call.request()
        body: Body | None = None
        try:
            with attempt_limit(call.seconds):
                response = self.http.send(request, stream=True, auth=None, follow_redirects=False)
                with contextlib.closing(response):
                    body = Body(response, call.late)
                    body.check()
                    for chunk in response.iter_bytes():
                        if not body.add(chunk):
                            break
                return body.whole()
        except _FAILURES as error:
            return body.without(error) if body else error
        except BaseException as error:
            if not isinstance(error, Exception):
                # An interrupt or a cancellation leaves behind the frames that may hold a piece of a token.
                chunk, error.__traceback__ = b"", None
            raise

    def get(self, path: str, *, api_version: str | None = None) -> Any:
        """Any node of the instance document, by its path: `compute/location`, `network/interface/0`.

        Args:
            path: keys and list indexes with `/` between them, in their exact case.
            api_version: the document's version; None for the same as `instances.get_metadata`.

        Returns:
            The text of a leaf; a dict or list of any other node.

        Raises:
            NotFoundError: the document has no such node at this version.
            ImdsError: see `azure_imds.errors`.
        """
        from .instance_node import arguments, node_at

        node = node_at(path)
        try:
            return self._send(node, arguments(api_version))
        except UnsupportedApiVersionError:
            raise
        except BadRequestError as error:  # a leaf, which has no JSON form
            rest = self._rest(error)
        return rest._send(node, arguments(api_version, text=True))

    def is_available(self) -> bool:
        """Whether something here speaks IMDS. Answers within about a second and never raises."""
        try:
            self.with_options(deadline=1.0, retry=None).instances.get_metadata()
        except Exception as error:
            return _is_imds(error, self._options.host)
        return True

    def close(self) -> None:
        """Closes the connections, of siblings too. Safe to call again; never closes a given `http_client`."""
        http = self._connections.take()
        if http is not None:
            http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncImdsClient(_Shared[httpx.AsyncClient], AsyncOperations):
    """`ImdsClient` for asyncio and trio: the same names, awaited, and the same arguments.

    One client works across several event loops, one after the other or in several threads.
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
        _check_kinds(transport, httpx.AsyncBaseTransport, http_client, httpx.AsyncClient)
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
        make = partial(new_async_client, options.host.base_url, _HEADERS)
        self._take(options, Connections(make, transport, http_client))

    def _take(self, options: Options, connections: Connections[httpx.AsyncClient]) -> None:
        super()._take(options, connections)
        AsyncOperations.__init__(self, self._send)

    async def _send(self, operation: Operation[T], arguments: dict[str, Any], /) -> T:
        call = self._call(operation, arguments)
        if call.wants_newest:
            call.use_newest((await self.versions.get_versions()).api_versions)
        if (kept := call.kept) is not None:
            call.settle(kept)
            return call.result
        while (wait := call.settle(await self._attempt(call))) is not None:
            if wait:
                await self._options.clock.asleep(wait)
        return call.result

    async def _attempt(self, call: Call[Any]) -> Outcome:
        import anyio

        request = call.request()
        body: Body | None = None
        try:
            with anyio.fail_after(call.seconds) as scope:
                response = await self.http.send(request, stream=True, auth=None, follow_redirects=False)
                async with contextlib.aclosing(response):
                    body = Body(response, call.late)
                    body.check()
                    async for chunk in response.aiter_bytes():
                        if not body.add(chunk):
                            # A break would leave the generators below us hanging, which trio reports.
                            scope.cancel()
            assert body is not None
            return body.whole()
        except (*_FAILURES, RuntimeError) as error:  # of a caller's client that an earlier event loop has used
            return body.without(error) if body else error
        except BaseException as error:
            if not isinstance(error, Exception):
                # An interrupt or a cancellation leaves behind the frames that may hold a piece of a token.
                chunk, error.__traceback__ = b"", None
            raise

    async def get(self, path: str, *, api_version: str | None = None) -> Any:
        """Any node of the instance document, by its path; see `ImdsClient.get`."""
        from .instance_node import arguments, node_at

        node = node_at(path)
        try:
            return await self._send(node, arguments(api_version))
        except UnsupportedApiVersionError:
            raise
        except BadRequestError as error:  # a leaf, which has no JSON form
            rest = self._rest(error)
        return await rest._send(node, arguments(api_version, text=True))

    async def is_available(self) -> bool:
        """Whether something here speaks IMDS. Answers within about a second and never raises."""
        try:
            await self.with_options(deadline=1.0, retry=None).instances.get_metadata()
        except Exception as error:
            return _is_imds(error, self._options.host)
        return True

    async def close(self) -> None:
        """Closes the connections, of siblings too. Safe to call again; never closes a given `http_client`."""
        http = self._connections.take()
        if http is not None:
            await http.aclose()

    aclose = close

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
