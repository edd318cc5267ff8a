"""`ImdsCredential` and `AsyncImdsCredential`: tokens as applications need them, from memory whenever possible."""

from __future__ import annotations

import contextlib
import copy
import os
import sys
import threading
from collections.abc import Callable, Coroutine, Generator, Mapping
from functools import cache, partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import httpx

from azure_imds_api.api.identity import IDENTITY_GET_TOKEN

from .._client.client import AsyncImdsClient, ImdsClient
from .._client.options import DEADLINE_SECONDS
from .._client.retry import RetryPolicy
from .._client.transport import Connections
from .._client.validation import check_arguments
from .._clock import SYSTEM, Clock
from .._log import log
from ..errors import BadRequestError, ImdsError, ImdsResponseError, ImdsUnavailableError, ImdsValidationError
from .cache import AccessToken, Cache, Entry, Flight, entry, resource_of

if TYPE_CHECKING:
    import asyncio

    from .shared_cache import SharedCache

Client = TypeVar("Client", ImdsClient, AsyncImdsClient)


class _Shared(Generic[Client]):
    """What the two credentials have in common: whom they speak for, and what they remember."""

    _client: Client

    def _take(
        self,
        selector: Mapping[str, str | None],
        shared_cache: bool | str | os.PathLike[str],
        client: Client,
        owned: bool,
    ) -> None:
        self._selector = _checked(selector)
        self._shared_cache = shared_cache
        self._client = client
        self._owned = owned
        self._clock: Clock = client.options.clock
        self._cache = Cache(self._clock)
        self._disk = _disk(shared_cache, self._clock)
        # A cached call costs little more than these three look-ups.
        self._by_scopes = self._cache.by_scopes
        self._time = self._clock.time
        self._monotonic = self._clock.monotonic

    def clear(self) -> None:
        """Forgets every token, those in the shared cache that are this identity's too."""
        self._cache.clear()
        if self._disk is not None:
            self._disk.clear(self._identity)

    @property
    def _identity(self) -> tuple[str, ...]:
        """Whose tokens these are: part of the key under which processes share them."""
        return (self._client.endpoint, *(f"{name}={value}".lower() for name, value in self._selector.items()))

    @property
    def _patience(self) -> float:
        """Seconds that another process's fetch is waited for; as many are left for one's own."""
        return (self._client.options.deadline or DEADLINE_SECONDS) / 2

    def _in_time(self, since: float) -> Client:
        """The client, with what is left of the deadline that a caller has set. `since` is a monotonic time."""
        deadline = self._client.options.deadline
        if deadline is None:
            return self._client
        left = deadline - (self._clock.monotonic() - since)
        return self._client.with_options(deadline=max(left, deadline - self._patience))

    def _question(self, resource: str, forced: bool) -> dict[str, Any]:
        question = {"resource": resource, **self._selector, **({"bypass_cache": "true"} if forced else {})}
        _check(question, {"resource": "scopes"})
        return question

    def _keep(self, resource: str, new: Entry, number: int, forced: bool, name: str) -> None:
        """Keeps what was fetched for others to use, in this process and, under `name`, in the shared cache."""
        if self._cache.put(resource, new, number, forced=forced) and self._disk is not None:
            self._disk.write(name, new)
            if self._cache.cleared_since(number):
                self._disk.remove(name)

    @contextlib.contextmanager
    def _attempt(self, resource: str) -> Generator[None]:
        """Surrounds an early refresh, whose failure is nobody's."""
        failed = True
        try:
            yield
            failed = False
        except Exception as error:
            if not self._connections.closed:
                log.warning("an early refresh failed; the current token stays in use until it expires: %s", error)
        finally:
            self._cache.end_refresh(resource, failed=failed)

    def _start(self, work: Callable[[str], None], resource: str) -> None:
        thread = threading.Thread(target=work, args=(resource,), name="azure-imds-refresh", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is shutting down
            self._cache.end_refresh(resource, failed=True)

    @property
    def _connections(self) -> Connections[Any]:
        return self._client._connections  # pyright: ignore[reportPrivateUsage]

    def __repr__(self) -> str:
        whom = ", ".join(f"{name}={value!r}" for name, value in self._selector.items())
        return f"{type(self).__name__}({whom or 'default identity'}, endpoint={self._client.endpoint!r})"

    def __reduce__(self) -> Any:
        return _revived, (type(self), self._selector, self._shared_cache, self._client, self._owned)

    def __copy__(self) -> Self:
        client = copy.copy(self._client) if self._owned else self._client
        made: Self = _revived(type(self), self._selector, self._shared_cache, client, self._owned)
        return made


def _disk(shared_cache: bool | str | os.PathLike[str], clock: Clock) -> SharedCache | None:
    if shared_cache is False:
        return None
    from .shared_cache import SharedCache

    return SharedCache.open(shared_cache, clock)


def _revived(
    kind: Any, selector: Mapping[str, str], shared_cache: bool | str | os.PathLike[str], client: Any, owned: bool
) -> Any:
    """A credential in another process: the same questions, no token and no socket."""
    credential = kind.__new__(kind)
    credential._take(selector, shared_cache, client, owned)
    return credential


_RETRY = RetryPolicy()
_DEFAULTS: dict[str, Any] = {"retry": _RETRY, "clock": SYSTEM}


def _client_of(kind: type[Client], client: Client | None, options: dict[str, Any]) -> Client:
    """The client to ask through: the given one, or one made of these options."""
    if client is None:
        return kind(**options)
    if not isinstance(client, kind):
        raise ImdsValidationError(f"client must be an {kind.__name__}", parameter="client")
    for name, value in options.items():
        if value is not _DEFAULTS.get(name):
            raise ImdsValidationError(f"give client or {name}, not both", parameter=name)
    return client


def _checked(selector: Mapping[str, str | None]) -> dict[str, str]:
    given = {name: value for name, value in selector.items() if value is not None}
    # Azure's SDKs call it resource_id; only the wire says msi_res_id.
    _check({"resource": "any", **given}, {"msi_res_id": "resource_id"})
    return given


def _check(question: dict[str, Any], names: dict[str, str]) -> None:
    """Refuses what the specification forbids to ask, in the words of the caller: `names` by those of the wire."""
    try:
        check_arguments(IDENTITY_GET_TOKEN, question)
        return
    except ImdsValidationError as error:
        text, parameter = str(error), error.parameter
    for wire, name in names.items():
        text, parameter = text.replace(wire, name), parameter.replace(wire, name)
    raise ImdsValidationError(text, parameter=parameter)


def check_scope(scope: str) -> None:
    """Refuses a scope that no token can be had for."""
    _check({"resource": resource_of((scope,))}, {"resource": "scope"})


class ImdsCredential(_Shared[ImdsClient]):
    """A managed identity of this machine, as a credential for azure-core's clients and anybody else.

    Tokens come from memory while they are good: no lock, no I/O. However many threads ask at once, one request is sent.
    A token that is due is replaced in the background while everyone goes on with the current one, and a failed attempt
    is not repeated for 30 seconds; so IMDS may be away for as long as the token lasts.

    Args:
        client_id: client (application) id of a user-assigned identity.
        object_id: object (principal) id of one.
        resource_id: Azure resource id of one. At most one of the three; without any, the host's default identity:
            the system-assigned one if there is one, else the only user-assigned one.
        shared_cache: True to share tokens with this user's other processes on this machine, through files that only
            this user can read; a path to say where.
        client: a client to ask through, which the caller closes. Otherwise its options may be given here:
        endpoint, timeout, deadline, retry, transport, http_client, clock: see `ImdsClient`.

    Raises:
        ImdsValidationError: an argument is not of its kind, or more than one identity is named.
    """

    def __init__(
        self,
        *,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
        shared_cache: bool | str | os.PathLike[str] = False,
        client: ImdsClient | None = None,
        endpoint: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        retry: RetryPolicy | None = _RETRY,
        transport: httpx.BaseTransport | None = None,
        http_client: httpx.Client | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        options: dict[str, Any] = {
            "endpoint": endpoint,
            "timeout": timeout,
            "deadline": deadline,
            "retry": retry,
            "transport": transport,
            "http_client": http_client,
            "clock": clock,
        }
        selector = {"client_id": client_id, "object_id": object_id, "msi_res_id": resource_id}
        self._take(selector, shared_cache, _client_of(ImdsClient, client, options), owned=client is None)

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken:
        """A token for one scope (`https://vault.azure.net/.default`) or resource (`https://vault.azure.net`).

        Args:
            scopes: exactly one scope or resource.
            claims: a claims challenge. The cached token is not used, a new one is asked for with `bypass_cache=true`,
                and it takes the cached one's place. IMDS has no way to pass the claims on, and may still answer with
                a token that it keeps: Microsoft's FAQ says that a new one cannot be forced before the old expires.
            tenant_id: accepted for azure-core's sake and ignored: an identity has one tenant.
            enable_cae: likewise.
            kwargs: `force_refresh=True` does what `claims` does; anything else is ignored.

        Returns:
            A token valid at this moment by both clocks of this machine.

        Raises:
            ImdsValidationError: not exactly one scope, or a blank one.
            ImdsError: there is no valid token and none could be had; see `azure_imds.errors`.
        """
        if claims is None and not kwargs:
            try:
                found = self._by_scopes.get(scopes)
            except TypeError:  # a list, perhaps; what follows says so
                found = None
            if found is not None and self._time() < found.due and self._monotonic() < found.due_monotonic:
                return found.token
        return self._get(scopes, claims or "", bool(kwargs.get("force_refresh"))).token

    def get_token_info(self, *scopes: str, options: Mapping[str, Any] | None = None) -> AccessToken:
        """`get_token` in azure-core's newer form: `claims` and the rest come in `options`."""
        return self.get_token(*scopes, **(options or {}))

    def _get(self, scopes: tuple[str, ...], claims: str, force: bool) -> Entry:
        resource = resource_of(scopes)
        if not isinstance(claims, str):
            raise ImdsValidationError(f"claims is a str, not {type(claims).__name__}", parameter="claims")
        if claims or force:
            return self._one_flight(resource, forced=claims or "refresh")
        found = self._cache.get(scopes, resource)
        if found is None:
            return self._one_flight(resource)
        if not found.fresh(self._clock) and self._cache.begin_refresh(resource):
            self._refresh_soon(resource)
        return found

    def _one_flight(self, resource: str, *, forced: str = "", early: bool = False) -> Entry:
        memory = self._cache
        key = (resource, forced)
        while True:
            # Made before anything is known of it, so that no interruption leaves a flight that never lands.
            mine = flight = Flight(threading.Event())
            told: Exception | None = None
            try:
                found = memory.board(key, resource, mine, forced=bool(forced), early=early)
                if isinstance(found, Entry):
                    return found
                flight = found
                if flight is mine:
                    flight.entry = self._fetch(resource, bool(forced), early)
                else:
                    flight.landed.wait()
            except Exception as error:
                told = _for_chains(error)
                mine.error = None if early else _own(told)
                if told is error:
                    raise
            finally:
                memory.land(key, mine)
            if told is not None:
                raise told
            if flight.entry is not None:
                return flight.entry
            if flight.error is not None:
                raise _own(flight.error)
            # The leader was interrupted, or failed before it was time: one of the others leads now.

    def _fetch(self, resource: str, forced: bool, early: bool) -> Entry:
        number, since, disk = self._cache.number(), self._clock.monotonic(), self._disk
        question = self._question(resource, forced)
        if disk is None:
            new = self._ask(self._client, question)
            self._keep(resource, new, number, forced, "")
            return new
        name = disk.name(self._identity, resource)
        with disk.turn(name, self._patience, forced=forced, fresh=early) as found:
            if found is None:
                new = self._ask(self._in_time(since), question)
                self._keep(resource, new, number, forced, name)
                return new
        self._cache.put(resource, found, number)
        return found

    def _ask(self, client: ImdsClient, question: dict[str, Any]) -> Entry:
        asked, asked_monotonic = self._clock.time(), self._clock.monotonic()
        new = entry(client.identity.get_token(**question), asked, asked_monotonic)
        if isinstance(new, str):
            raise ImdsResponseError(f"IMDS's answer cannot be used: {new}", url=client.endpoint, status_code=200)
        return new

    def _refresh_soon(self, resource: str) -> None:
        self._start(self._refresh, resource)

    def _refresh(self, resource: str) -> None:
        with self._attempt(resource):
            self._one_flight(resource, early=True)

    def close(self) -> None:
        """Closes connections, unless they are those of a given client. Safe to call again."""
        if self._owned:
            self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncImdsCredential(_Shared[AsyncImdsClient]):
    """`ImdsCredential` for asyncio and trio: the same names, awaited.

    Args:
        client_id, object_id, resource_id, shared_cache: as for `ImdsCredential`.
        client: an `AsyncImdsClient` to ask through, which the caller closes. Otherwise its options may be given here:
        endpoint, timeout, deadline, retry, transport, http_client, clock: see `AsyncImdsClient`.

    Raises:
        ImdsValidationError: an argument is not of its kind, or more than one identity is named.
    """

    def __init__(
        self,
        *,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
        shared_cache: bool | str | os.PathLike[str] = False,
        client: AsyncImdsClient | None = None,
        endpoint: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        retry: RetryPolicy | None = _RETRY,
        transport: httpx.AsyncBaseTransport | None = None,
        http_client: httpx.AsyncClient | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        options: dict[str, Any] = {
            "endpoint": endpoint,
            "timeout": timeout,
            "deadline": deadline,
            "retry": retry,
            "transport": transport,
            "http_client": http_client,
            "clock": clock,
        }
        selector = {"client_id": client_id, "object_id": object_id, "msi_res_id": resource_id}
        self._take(selector, shared_cache, _client_of(AsyncImdsClient, client, options), owned=client is None)

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken:
        """A token for one scope or resource; see `ImdsCredential.get_token`."""
        if claims is None and not kwargs:
            try:
                found = self._by_scopes.get(scopes)
            except TypeError:  # a list, perhaps; what follows says so
                found = None
            if found is not None and self._time() < found.due and self._monotonic() < found.due_monotonic:
                return found.token
        return (await self._get(scopes, claims or "", bool(kwargs.get("force_refresh")))).token

    async def get_token_info(self, *scopes: str, options: Mapping[str, Any] | None = None) -> AccessToken:
        """`get_token` in azure-core's newer form: `claims` and the rest come in `options`."""
        return await self.get_token(*scopes, **(options or {}))

    async def _get(self, scopes: tuple[str, ...], claims: str, force: bool) -> Entry:
        resource = resource_of(scopes)
        if not isinstance(claims, str):
            raise ImdsValidationError(f"claims is a str, not {type(claims).__name__}", parameter="claims")
        if claims or force:
            return await self._one_flight(resource, forced=claims or "refresh")
        found = self._cache.get(scopes, resource)
        if found is None:
            return await self._one_flight(resource)
        if not found.fresh(self._clock) and self._cache.begin_refresh(resource):
            self._refresh_soon(resource)
        return found

    async def _one_flight(self, resource: str, *, forced: str = "", early: bool = False) -> Entry:
        import anyio.lowlevel

        memory = self._cache
        key = (resource, forced, anyio.lowlevel.current_token())  # an event belongs to one event loop
        while True:
            # Made before anything is known of it, so that no cancellation leaves a flight that never lands.
            mine = flight = Flight(anyio.Event())
            told: Exception | None = None
            try:
                found = memory.board(key, resource, mine, forced=bool(forced), early=early)
                if isinstance(found, Entry):
                    return found
                flight = found
                if flight is mine:
                    flight.entry = await self._fetch(resource, bool(forced), early)
                else:
                    await flight.landed.wait()
            except Exception as error:
                told = _for_chains(error)
                mine.error = None if early else _own(told)
                if told is error:
                    raise
            finally:
                memory.land(key, mine)
            if told is not None:
                raise told
            if flight.entry is not None:
                return flight.entry
            if flight.error is not None:
                raise _own(flight.error)
            # The leader was cancelled, or failed before it was time: one of the others leads now.

    async def _fetch(self, resource: str, forced: bool, early: bool) -> Entry:
        number, since, disk = self._cache.number(), self._clock.monotonic(), self._disk
        question = self._question(resource, forced)
        if disk is None:
            new = await self._ask(self._client, question)
            self._keep(resource, new, number, forced, "")
            return new
        name = disk.name(self._identity, resource)
        async with disk.aturn(name, self._patience, forced=forced, fresh=early) as found:
            if found is None:
                new = await self._ask(self._in_time(since), question)
                self._keep(resource, new, number, forced, name)
                return new
        self._cache.put(resource, found, number)
        return found

    async def _ask(self, client: AsyncImdsClient, question: dict[str, Any]) -> Entry:
        asked, asked_monotonic = self._clock.time(), self._clock.monotonic()
        new = entry(await client.identity.get_token(**question), asked, asked_monotonic)
        if isinstance(new, str):
            raise ImdsResponseError(f"IMDS's answer cannot be used: {new}", url=client.endpoint, status_code=200)
        return new

    def _refresh_soon(self, resource: str) -> None:
        if self._connections.transport is None and self._connections.given is None:
            # In a thread, it neither dies with an event loop that lives for one request only, nor does its death make
            # asyncio complain of a connection half made.
            self._start(self._refresh_alone, resource)
        else:
            # What the caller sends through may belong to this event loop.
            _spawn(self._refresh(resource))

    async def _refresh(self, resource: str) -> None:
        with self._attempt(resource):
            await self._one_flight(resource, early=True)

    def _refresh_alone(self, resource: str) -> None:
        import anyio

        with self._attempt(resource):
            anyio.run(partial(self._one_flight, resource, early=True))

    async def close(self) -> None:
        """Closes connections, unless they are those of a given client. Safe to call again."""
        if self._owned:
            await self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


_tasks: set[asyncio.Task[None]] = set()


def _spawn(work: Coroutine[Any, Any, None]) -> None:
    """Lets a coroutine run in the background of this event loop, and end with it in silence."""
    import asyncio

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        import trio

        async def alone() -> None:
            await work

        trio.lowlevel.spawn_system_task(alone)
        return
    task = loop.create_task(work)
    # A loop that is closed without cancelling its tasks would otherwise complain about this one.
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    _tasks.add(task)  # the loop itself keeps only a weak reference
    task.add_done_callback(_tasks.discard)


def _own(error: Exception) -> Exception:
    """The error for one of several callers: the same in all it says, with a traceback of its own."""
    try:
        return copy.copy(error)
    except Exception:  # not one of ours, and not made for copying
        return error


def _for_chains(error: Exception) -> Exception:
    """The same error, and azure-identity's "unavailable" too if that package is in use, so that its chains go on.

    A machine without IMDS, and one without the identity that is asked for, are no reason to end a chain.
    """
    identity = sys.modules.get("azure.identity")
    if identity is None or not isinstance(error, (ImdsUnavailableError, BadRequestError)):
        return error
    unavailable = getattr(identity, "CredentialUnavailableError", None)
    if unavailable is None or isinstance(error, unavailable):
        return error
    kind: Any = type(error)
    made: Exception = _chained(kind, unavailable).made_of(error)
    return made


#: What handlers of azure-core's errors look at, and what their constructors, not called here, would set.
_AZURE_ATTRIBUTES = (
    *("inner_exception", "continuation_token", "exc_type", "exc_value", "exc_traceback", "exc_msg"),
    *("reason", "status_code", "response", "model", "error"),
)


@cache
def _chained(kind: type[ImdsError], unavailable: type[Exception]) -> Any:
    def made_of(cls: type[ImdsError], error: ImdsError) -> ImdsError:
        made = cls.__new__(cls)
        made.args = error.args
        made.__dict__.update({name: None for name in _AZURE_ATTRIBUTES if not hasattr(kind, name)})
        made.__dict__["message"] = str(error)
        made.__dict__.update(error.__dict__)
        return made

    def reduce(self: ImdsError) -> Any:
        return _plain, (kind, self.args, self.__dict__)

    body = {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
        "__str__": Exception.__str__,
        "__reduce__": reduce,
        "made_of": classmethod(made_of),
    }
    return type(kind.__name__, (kind, unavailable), body)


def _plain(kind: type[ImdsError], args: tuple[Any, ...], state: dict[str, Any]) -> Exception:
    error = kind(*args)
    error.__dict__.update(state)
    return _for_chains(error)
