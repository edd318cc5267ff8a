"""`ImdsCredential` and `AsyncImdsCredential`: tokens as applications need them, from memory whenever possible."""

from __future__ import annotations

import asyncio
import copy
import os
import sys
import threading
from collections.abc import Coroutine, Mapping
from functools import cache
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import httpx

from azure_imds_api.api.identity import IDENTITY_GET_TOKEN

from ._call import DEADLINE_SECONDS, log
from ._client import AsyncImdsClient, ImdsClient, options_of
from ._clock import SYSTEM, Clock
from ._retry import RetryPolicy
from ._shared_cache import SharedCache
from ._tokens import AccessToken, Cache, Entry, Flight, entry, resource_of
from ._validation import check_arguments
from .errors import BadRequestError, ImdsError, ImdsUnavailableError, ImdsValidationError

Client = TypeVar("Client", ImdsClient, AsyncImdsClient)


class _Shared(Generic[Client]):
    """What the two credentials have in common: whom they speak for, and what they remember."""

    _client: Client

    def _take(
        self,
        selector: dict[str, str | None],
        shared_cache: bool | str | os.PathLike[str],
        client: Client,
        owned: bool,
    ) -> None:
        self._selector = _checked(selector)
        self._shared_cache = shared_cache
        self._client = client
        self._owned = owned
        self._clock: Clock = options_of(client).clock
        self._cache = Cache(self._clock)
        self._disk = SharedCache.open(shared_cache, self._clock)
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
        """Seconds that another process's fetch is waited for."""
        return options_of(self._client).deadline or DEADLINE_SECONDS

    def _question(self, resource: str, forced: bool) -> dict[str, Any]:
        return {"resource": resource, **self._selector, **({"bypass_cache": "true"} if forced else {})}

    def _still_due(self, resource: str, error: Exception) -> None:
        self._cache.end_refresh(resource, failed=True)
        log.warning("an early refresh failed; the current token stays in use until it expires: %s", error)

    def __repr__(self) -> str:
        whom = ", ".join(f"{name}={value!r}" for name, value in self._selector.items())
        return f"{type(self).__name__}({whom or 'default identity'}, endpoint={self._client.endpoint!r})"

    def __reduce__(self) -> Any:
        return _revived, (type(self), self._selector, self._shared_cache, self._client)


def _revived(kind: Any, selector: dict[str, str], shared_cache: bool | str | os.PathLike[str], client: Any) -> Any:
    """A credential in another process: the same questions, no token and no socket."""
    credential = kind.__new__(kind)
    credential._take(selector, shared_cache, client, owned=True)
    return credential


_RETRY = RetryPolicy()


def _client_of(kind: type[Client], client: Client | None, options: dict[str, Any]) -> Client:
    """The client to ask through: the given one, or one made of these options."""
    if client is None:
        return kind(**options)
    if not isinstance(client, kind):
        raise ImdsValidationError(f"client must be an {kind.__name__}", parameter="client")
    for name, value in options.items():
        if value is not None and value is not _RETRY and value is not SYSTEM:
            raise ImdsValidationError(f"give client or {name}, not both", parameter=name)
    return client


def _checked(selector: dict[str, str | None]) -> dict[str, str]:
    given = {name: value for name, value in selector.items() if value is not None}
    try:
        check_arguments(IDENTITY_GET_TOKEN, {"resource": "any", **given})
    except ImdsValidationError as error:
        text, parameter = str(error), error.parameter
    else:
        return given
    # Azure's SDKs call it resource_id; only the wire says msi_res_id.
    raise ImdsValidationError(
        text.replace("msi_res_id", "resource_id"), parameter=parameter.replace("msi_res_id", "resource_id")
    )


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
                and it takes the cached one's place. IMDS has no way to pass the claims on.
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
        if claims or force:
            return self._one_flight((resource, claims, "forced"), resource, forced=True)
        found = self._cache.get(scopes, resource)
        if found is None:
            return self._one_flight(resource, resource, forced=False)
        if not found.fresh(self._clock) and self._cache.begin_refresh(resource):
            self._refresh_soon(resource)
        return found

    def _one_flight(self, key: Any, resource: str, *, forced: bool) -> Entry:
        memory = self._cache
        while True:
            with memory.lock:
                if not forced and (found := memory.peek(resource)) is not None:
                    return found
                flight = memory.flights.get(key)
                leads = flight is None
                if flight is None:
                    flight = memory.flights[key] = Flight(threading.Event())
            if leads:
                try:
                    flight.entry = self._fetch(resource, forced=forced)
                    return flight.entry
                except Exception as error:
                    told = _for_chains(error)
                    flight.error = _own(told)
                    if told is error:
                        raise
                finally:
                    with memory.lock:
                        memory.flights.pop(key, None)
                    flight.landed.set()
            else:
                flight.landed.wait()
            if flight.entry is not None:
                return flight.entry
            if flight.error is not None:
                raise _own(flight.error)
            # The leader was interrupted, which is nobody else's business: one of the others leads now.

    def _fetch(self, resource: str, *, forced: bool = False, fresh: bool = False) -> Entry:
        number, disk = self._cache.number(), self._disk
        if disk is None:
            new = self._ask(resource, forced)
        else:
            name = disk.name(self._identity, resource)
            with disk.locked(name, self._patience):
                new = (None if forced else disk.read(name, fresh=fresh)) or disk.write(
                    name, self._ask(resource, forced)
                )
        self._cache.put(resource, new, number)
        return new

    def _ask(self, resource: str, forced: bool) -> Entry:
        asked, asked_monotonic = self._clock.time(), self._clock.monotonic()
        return entry(self._client.identity.get_token(**self._question(resource, forced)), asked, asked_monotonic)

    def _refresh_soon(self, resource: str) -> None:
        thread = threading.Thread(target=self._refresh, args=(resource,), name="azure-imds-refresh", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is shutting down
            self._cache.end_refresh(resource, failed=True)

    def _refresh(self, resource: str) -> None:
        try:
            self._fetch(resource, fresh=True)
        except Exception as error:
            self._still_due(resource, error)
        else:
            self._cache.end_refresh(resource, failed=False)

    def close(self) -> None:
        """Closes connections, unless they are those of a given client. Safe to call again."""
        if self._owned:
            self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncImdsCredential(_Shared[AsyncImdsClient]):
    """`ImdsCredential` for asyncio and trio: the same names, awaited."""

    __doc__ = f"{__doc__}\n{(ImdsCredential.__doc__ or '').partition('asks for it.')[2]}"

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
        if claims or force:
            return await self._one_flight((resource, claims, "forced"), resource, forced=True)
        found = self._cache.get(scopes, resource)
        if found is None:
            return await self._one_flight(resource, resource, forced=False)
        if not found.fresh(self._clock) and self._cache.begin_refresh(resource):
            self._refresh_soon(resource)
        return found

    async def _one_flight(self, key: Any, resource: str, *, forced: bool) -> Entry:
        import anyio.lowlevel

        memory = self._cache
        key = (anyio.lowlevel.current_token(), key)  # an event belongs to one event loop
        while True:
            with memory.lock:
                if not forced and (found := memory.peek(resource)) is not None:
                    return found
                flight = memory.flights.get(key)
                leads = flight is None
                if flight is None:
                    flight = memory.flights[key] = Flight(anyio.Event())
            if leads:
                try:
                    flight.entry = await self._fetch(resource, forced=forced)
                    return flight.entry
                except Exception as error:
                    told = _for_chains(error)
                    flight.error = _own(told)
                    if told is error:
                        raise
                finally:
                    with memory.lock:
                        memory.flights.pop(key, None)
                    flight.landed.set()
            else:
                await flight.landed.wait()
            if flight.entry is not None:
                return flight.entry
            if flight.error is not None:
                raise _own(flight.error)
            # The leader was cancelled, which is nobody else's business: one of the others leads now.

    async def _fetch(self, resource: str, *, forced: bool = False, fresh: bool = False) -> Entry:
        number, disk = self._cache.number(), self._disk
        if disk is None:
            new = await self._ask(resource, forced)
        else:
            name = disk.name(self._identity, resource)
            async with disk.alocked(name, self._patience):
                found = None if forced else disk.read(name, fresh=fresh)
                new = found or disk.write(name, await self._ask(resource, forced))
        self._cache.put(resource, new, number)
        return new

    async def _ask(self, resource: str, forced: bool) -> Entry:
        asked, asked_monotonic = self._clock.time(), self._clock.monotonic()
        answer = await self._client.identity.get_token(**self._question(resource, forced))
        return entry(answer, asked, asked_monotonic)

    def _refresh_soon(self, resource: str) -> None:
        _spawn(self._refresh(resource))

    async def _refresh(self, resource: str) -> None:
        try:
            await self._fetch(resource, fresh=True)
        except Exception as error:
            self._still_due(resource, error)
        except BaseException:  # the event loop is ending
            self._cache.end_refresh(resource, failed=True)
            raise
        else:
            self._cache.end_refresh(resource, failed=False)

    async def close(self) -> None:
        """Closes connections, unless they are those of a given client. Safe to call again."""
        if self._owned:
            await self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.close()


_tasks: set[asyncio.Task[None]] = set()


def _spawn(work: Coroutine[Any, Any, None]) -> None:
    """Lets a coroutine run in the background of this event loop, and end with it in silence."""
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


@cache
def _chained(kind: type[ImdsError], unavailable: type[Exception]) -> Any:
    def made_of(cls: type[ImdsError], error: ImdsError) -> ImdsError:
        made = cls.__new__(cls)
        made.args = error.args
        made.__dict__.update({"message": str(error), "inner_exception": None, "continuation_token": None})
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
