"""`AsyncImdsClient`: the loop of `ImdsClient`, awaited."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx

from azure_imds_api.api import AsyncOperations, Operation

from .._clock import SYSTEM, Clock
from .._sensitive import strip_sensitive
from ..errors import BadRequestError, ImdsError, UnsupportedApiVersionError
from .answer import aexchange
from .availability import AvailabilityWait, check_timeout, problem_of_document, problem_of_error
from .call import Call
from .client_base import ClientBase, T, check_types, new_connections
from .host import find_host
from .options import Options
from .retry import RetryPolicy
from .success import NOTHING, Failure, Spent, Success, TryAgain
from .transport import Connections

if TYPE_CHECKING:
    from .observation import Observation, ObservedCall


class AsyncImdsClient(ClientBase[httpx.AsyncClient], AsyncOperations):
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
        observer: Callable[[ObservedCall], object] | None = None,
    ) -> None:
        check_types(transport, httpx.AsyncBaseTransport, http_client, httpx.AsyncClient)
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
            observer=observer,
        )
        connections = new_connections(httpx.AsyncClient, transport, http_client, options.host)
        self._initialize(options, connections)

    def _initialize(self, options: Options, connections: Connections[httpx.AsyncClient]) -> None:
        super()._initialize(options, connections)
        AsyncOperations.__init__(self, self._send)

    async def _send(self, operation: Operation[T], arguments: dict[str, Any], /, *, spent: Spent = NOTHING) -> T:
        with self._observe(operation.name) as observation:
            # The boundary frame: see _sensitive.py.
            try:
                return await self._perform(operation, arguments, spent, observation)
            except BaseException as error:
                raise strip_sensitive(error)  # noqa: B904

    async def _perform(
        self, operation: Operation[T], arguments: dict[str, Any], spent: Spent, observation: Observation | None
    ) -> T:
        call = self._new_call(operation, arguments, spent, observation)
        if call.needs_newest:
            call.use_newest((await self._part_of(observation).versions.get_versions()).api_versions)
        step = await self._run_or_reuse(call) if call.may_cache else await self._run(call)
        if isinstance(step, Failure):
            raise step.error
        return step.value

    async def _run(self, call: Call[T], cached: httpx.Response | None = None) -> Success[T] | Failure:
        step = TryAgain(0.0) if cached is None else call.next_step(cached)
        while isinstance(step, TryAgain):
            if step.seconds:
                await self._options.clock.asleep(step.seconds)
            request, sender = call.next_request(), self._connections.sender
            step = call.next_step(await aexchange(sender, request, call.seconds, call.attempt_is_over))
        return step

    async def _run_or_reuse(self, call: Call[T]) -> Success[T] | Failure:
        """Uses the cached response. Without one, calls that need it at the same time share one run."""
        import anyio.lowlevel

        from .single_flight import Attempt

        while (cached := call.cached) is None:
            key = (call.key, anyio.lowlevel.current_token())  # an event belongs to one event loop
            with Attempt(self._options.memory.runs, key, anyio.Event()) as attempt:
                if attempt.leads():
                    attempt.pending.value = step = await self._run(call)
                    return step
                call.note_wait()
                await attempt.pending.done.wait()
            if isinstance(shared := attempt.outcome(), Failure):
                return shared.copy()
            call.rebuild()
        return await self._run(call, cached)

    async def get(self, path: str, *, api_version: str | None = None) -> Any:
        """Any node of the instance document, by its path. See `ImdsClient.get`."""
        from .instance_node import arguments, node_at

        with self._observe("get") as observation:
            client = self._part_of(observation)
            node, leaves, spent = node_at(path), self._options.memory.leaves, NOTHING
            if path not in leaves:
                try:
                    return await client._send(node, arguments(api_version))
                except UnsupportedApiVersionError:
                    raise
                except BadRequestError as error:  # a leaf, which IMDS returns only as text
                    spent = Spent(error.attempts, error.elapsed)
            value = await client._send(node, arguments(api_version, text=True), spent=spent)
            leaves.add(path)
            return value

    async def is_available(self, timeout: float = 1.0) -> bool:  # noqa: ASYNC109
        """Whether IMDS answers. See `ImdsClient.is_available`."""
        check_timeout(timeout, "is_available")
        return await self._availability_problem(timeout) is None

    async def wait_until_available(self, timeout: float) -> None:  # noqa: ASYNC109
        """Waits until IMDS answers. See `ImdsClient.wait_until_available`."""
        wait = AvailabilityWait(self._options, timeout)
        while problem := await self._availability_problem(wait.check_seconds):
            await self._options.clock.asleep(wait.pause_after(problem))

    async def _availability_problem(self, seconds: float) -> ImdsError | None:
        probe = self.with_options(deadline=seconds, retry=None)
        try:
            return problem_of_document(await probe.instances.get_metadata())
        except Exception as error:
            return problem_of_error(error, self._options.host)

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
