"""`AsyncImdsCredential`: `ImdsCredential` for asyncio and trio."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx

from .._client.async_client import AsyncImdsClient
from .._client.retry import RetryPolicy
from .._client.single_flight import Attempt
from .._clock import SYSTEM, Clock
from .._interruptions import is_interruption
from .._sensitive import strip_sensitive
from .access_token import AccessToken
from .azure_identity import as_chain_error
from .cache import Entry
from .credential_base import DEFAULT_RETRY, CredentialBase, Fetch, choose_client

if TYPE_CHECKING:
    import asyncio

    from .._client.observation import Observation, ObservedCall


class AsyncImdsCredential(CredentialBase[AsyncImdsClient]):
    """`ImdsCredential` for asyncio and trio: the same names, with `await`.

    Args:
        client_id, object_id, resource_id, shared_cache: see `ImdsCredential`.
        client: an `AsyncImdsClient` to send with. You close it. Otherwise, pass its options here:
        endpoint, timeout, deadline, retry, transport, http_client, clock, observer: see `AsyncImdsClient`.

    Raises:
        ImdsValidationError: an argument has the wrong type or form, or names more than one identity.
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
        retry: RetryPolicy | None = DEFAULT_RETRY,
        transport: httpx.AsyncBaseTransport | None = None,
        http_client: httpx.AsyncClient | None = None,
        clock: Clock = SYSTEM,
        observer: Callable[[ObservedCall], object] | None = None,
    ) -> None:
        options: dict[str, Any] = {
            "endpoint": endpoint,
            "timeout": timeout,
            "deadline": deadline,
            "retry": retry,
            "transport": transport,
            "http_client": http_client,
            "clock": clock,
            "observer": observer,
        }
        chosen = choose_client(AsyncImdsClient, self._caller, client, options)
        selector = {"client_id": client_id, "object_id": object_id, "msi_res_id": resource_id}
        self._initialize(selector, shared_cache, chosen, owned=client is None)
        if self._announces:
            self._announce()

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken:
        """Returns a token for one scope or resource. See `ImdsCredential.get_token`."""
        try:
            if claims is None and not kwargs:
                try:
                    return self._by_scopes[scopes]()
                except (LookupError, TypeError) as error:  # not stored, or not fresh, or a scope that is not hashable
                    if is_interruption(error):
                        raise
        except BaseException as error:
            raise strip_sensitive(error)  # noqa: B904
        with self._observe() as observation:
            try:
                return (await self._get(scopes, claims or "", bool(kwargs.get("force_refresh")), observation)).token
            except BaseException as error:
                raise strip_sensitive(error)  # noqa: B904

    async def get_token_info(self, *scopes: str, options: Mapping[str, Any] | None = None) -> AccessToken:
        """Does the same as `get_token`, in azure-core's newer form: `claims` and others are passed in `options`."""
        return await self.get_token(*scopes, **(options or {}))

    async def _get(
        self, scopes: tuple[str, ...], claims: str, force_refresh: bool, observation: Observation | None
    ) -> Entry:
        found = self._find(scopes, claims, force_refresh)
        if not isinstance(found, Entry):
            return await self._fetch_once(found, observation)
        self._note_token(observation, found)
        return found

    async def _fetch_once(self, fetch: Fetch, observation: Observation | None) -> Entry:
        import anyio.lowlevel

        flights = self._cache.fetches
        key = (fetch.resource, fetch.forced_by, anyio.lowlevel.current_token())  # an event belongs to one event loop
        while True:
            done = anyio.Event()
            with Attempt(flights, key, done, share_errors=not fetch.early, convert=as_chain_error) as attempt:
                if attempt.leads():
                    attempt.pending.value = await self._fetch(fetch, observation)
                else:
                    if observation is not None:
                        observation.note_wait_for_call()
                    await attempt.pending.done.wait()
            if (found := attempt.outcome()) is not None:
                self._note_token(observation, found)
                return found

    async def _fetch(self, fetch: Fetch, observation: Observation | None) -> Entry:
        sequence, started = self._cache.next_sequence(), self._clock.monotonic()
        if (stored := self._stored_meanwhile(fetch)) is not None:
            return stored
        async with self._shared_token(fetch, observation) as found:
            if found is not None:
                self._cache.put(fetch.resource, found, sequence)
                return found
            asked = self._clock.time(), self._clock.monotonic()
            answer = await self._client_since(started, observation).identity.get_token(**fetch.arguments)
            return self._store(fetch, sequence, self._read(answer, *asked))

    def _shared_token(self, fetch: Fetch, observation: Observation | None) -> AbstractAsyncContextManager[Entry | None]:
        shared = self._shared_cache
        if shared is None:
            return nullcontext()
        name = shared.name(self._identity, fetch.resource)
        options: dict[str, Any] = {"ignore_stored": bool(fetch.forced_by), "only_fresh": fetch.early}
        if observation is not None:
            options["on_wait"] = observation.note_wait_for_process
        return shared.await_token(name, self._lock_seconds, **options)

    def _start_refresh(self, resource: str) -> None:
        if self._connections.transport is None and self._connections.given is None:
            # A thread continues after an event loop that runs for one call only. A task would be cancelled, and asyncio
            # would warn about its open connection.
            self._start_thread(self._refresh_in_thread, resource)
        else:
            # The caller's transport or client may belong to this event loop.
            _start_task(self._refresh(resource))

    async def _refresh(self, resource: str) -> None:
        with self._observe(is_background=True) as observation:
            try:
                with self._early_refresh(resource, observation):
                    await self._fetch_once(self._new_fetch(resource, early=True), observation)
            except BaseException as error:
                raise strip_sensitive(error)  # noqa: B904

    def _refresh_in_thread(self, resource: str) -> None:
        import anyio

        with self._observe(is_background=True) as observation:
            try:
                with self._early_refresh(resource, observation):
                    anyio.run(partial(self._fetch_once, self._new_fetch(resource, early=True), observation))
            except BaseException as error:
                raise strip_sensitive(error)  # noqa: B904

    async def close(self) -> None:
        """Closes the connections. The credential can still be used. See `ImdsCredential.close`."""
        if self._owned and not self._connections.release():
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


def _start_task(work: Coroutine[Any, Any, None]) -> None:
    """Runs a coroutine in the background of the current event loop. It ends silently with the loop."""
    import asyncio

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        import trio

        async def run() -> None:
            await work

        trio.lowlevel.spawn_system_task(run)
        return
    task = loop.create_task(work)
    # Without this, asyncio complains about the task if the loop is closed without cancelling its tasks.
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    _tasks.add(task)  # the loop itself keeps only a weak reference
    task.add_done_callback(_tasks.discard)
