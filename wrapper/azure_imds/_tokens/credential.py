"""`ImdsCredential`: tokens for applications, from memory whenever possible."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx

from .._client.client import ImdsClient
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
    from .._client.observation import Observation, ObservedCall


class ImdsCredential(CredentialBase[ImdsClient]):
    """A managed identity of this machine, as a credential for azure-core's clients and for your own code.

    Returns tokens from memory while they are valid, without a lock or I/O. However many threads need a token at the
    same time, one request is sent. A token that is due is replaced in the background while callers keep getting the
    current one, and a failed attempt is repeated after 30 seconds at the earliest. So IMDS may be unavailable for as
    long as the token is valid.

    Args:
        client_id: the client (application) ID of a user-assigned identity.
        object_id: the object (principal) ID of a user-assigned identity.
        resource_id: the Azure resource ID of a user-assigned identity. Pass at most one of the three. Without any, the
            machine's default identity is used: the system-assigned one, or else the only user-assigned one.
        shared_cache: True to share tokens with this user's other processes on this machine, in files that only this
            user can read. A path to use another folder.
        client: a client to send with. You close it. Otherwise, pass its options here:
        endpoint, timeout, deadline, retry, transport, http_client, clock, observer: see `ImdsClient`.

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
        client: ImdsClient | None = None,
        endpoint: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        retry: RetryPolicy | None = DEFAULT_RETRY,
        transport: httpx.BaseTransport | None = None,
        http_client: httpx.Client | None = None,
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
        chosen = choose_client(ImdsClient, self._caller, client, options)
        selector = {"client_id": client_id, "object_id": object_id, "msi_res_id": resource_id}
        self._initialize(selector, shared_cache, chosen, owned=client is None)
        if self._announces:
            self._announce()

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken:
        """Returns a token for one scope (`https://vault.azure.net/.default`) or resource (`https://vault.azure.net`).

        Args:
            scopes: exactly one scope or resource.
            claims: a claims challenge. The stored token is not used: a new one is requested with `bypass_cache=true`
                and replaces it. IMDS cannot pass the claims on, and may still return a token that it has stored:
                according to Microsoft's FAQ, a new one cannot be forced before the old one expires.
            tenant_id: ignored, since an identity has one tenant. Accepted because azure-core passes it.
            enable_cae: ignored. Accepted because azure-core passes it.
            kwargs: `force_refresh=True` does the same as `claims`. Anything else is ignored.

        Returns:
            A token that is valid now, according to both clocks of this machine.

        Raises:
            ImdsValidationError: not exactly one scope, or the scope is blank or malformed.
            ImdsError: no valid token is stored and none could be fetched. See `azure_imds.errors`.
        """
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
                return self._get(scopes, claims or "", bool(kwargs.get("force_refresh")), observation).token
            except BaseException as error:
                raise strip_sensitive(error)  # noqa: B904

    def get_token_info(self, *scopes: str, options: Mapping[str, Any] | None = None) -> AccessToken:
        """Does the same as `get_token`, in azure-core's newer form: `claims` and others are passed in `options`."""
        return self.get_token(*scopes, **(options or {}))

    def _get(self, scopes: tuple[str, ...], claims: str, force_refresh: bool, observation: Observation | None) -> Entry:
        found = self._find(scopes, claims, force_refresh)
        if not isinstance(found, Entry):
            return self._fetch_once(found, observation)
        self._note_token(observation, found)
        return found

    def _fetch_once(self, fetch: Fetch, observation: Observation | None) -> Entry:
        flights = self._cache.fetches
        key = (fetch.resource, fetch.forced_by)
        while True:
            done = threading.Event()
            with Attempt(flights, key, done, share_errors=not fetch.early, convert=as_chain_error) as attempt:
                if attempt.leads():
                    attempt.pending.value = self._fetch(fetch, observation)
                else:
                    if observation is not None:
                        observation.note_wait_for_call()
                    attempt.pending.done.wait()
            if (found := attempt.outcome()) is not None:
                self._note_token(observation, found)
                return found

    def _fetch(self, fetch: Fetch, observation: Observation | None) -> Entry:
        sequence, started = self._cache.next_sequence(), self._clock.monotonic()
        if (stored := self._stored_meanwhile(fetch)) is not None:
            return stored
        with self._shared_token(fetch, observation) as found:
            if found is not None:
                self._cache.put(fetch.resource, found, sequence)
                return found
            asked = self._clock.time(), self._clock.monotonic()
            answer = self._client_since(started, observation).identity.get_token(**fetch.arguments)
            return self._store(fetch, sequence, self._read(answer, *asked))

    def _shared_token(self, fetch: Fetch, observation: Observation | None) -> AbstractContextManager[Entry | None]:
        shared = self._shared_cache
        if shared is None:
            return nullcontext()
        name = shared.name(self._identity, fetch.resource)
        options: dict[str, Any] = {"ignore_stored": bool(fetch.forced_by), "only_fresh": fetch.early}
        if observation is not None:
            options["on_wait"] = observation.note_wait_for_process
        return shared.wait_for_token(name, self._lock_seconds, **options)

    def _start_refresh(self, resource: str) -> None:
        self._start_thread(self._refresh, resource)

    def _refresh(self, resource: str) -> None:
        with self._observe(is_background=True) as observation:
            try:
                with self._early_refresh(resource, observation):
                    self._fetch_once(self._new_fetch(resource, early=True), observation)
            except BaseException as error:
                raise strip_sensitive(error)  # noqa: B904

    def close(self) -> None:
        """Closes the connections, unless they belong to a given client. Can be called more than once.

        The credential can still be used: it connects again for each request. With your own `transport` or
        `http_client`, only its stored tokens can be used.
        """
        if self._owned and not self._connections.release():
            self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
