"""`ImdsClient`: the generated operations, sent by one loop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx

from azure_imds_api.api import Operation, Operations

from .._clock import SYSTEM, Clock
from .._sensitive import strip_sensitive
from ..errors import BadRequestError, ImdsError, UnsupportedApiVersionError
from .answer import exchange
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


class ImdsClient(ClientBase[httpx.Client], Operations):
    """A client of Azure's Instance Metadata Service, with one attribute for each tag of the specification.

    It can be used with and without `with`, and it is thread-safe. It sends nothing before the first call.

    Args:
        endpoint: scheme and host of IMDS. Default, the first that applies: AZURE_POD_IDENTITY_AUTHORITY_HOST, a
            host that is recognized by its variables, such as App Service, the Azure Arc agent if this machine has one,
            http://169.254.169.254.
        timeout: seconds for one attempt as a whole. Default: 10, or more if the specification says so.
        deadline: seconds for a whole call with its connects, reads, waits and retries. Default: 30, or more if the
            specification says so; 75 while IMDS answers 410.
        retry: when to retry. None for one attempt only.
        transport: an httpx transport to send through, for tests and special networks.
        http_client: an httpx client to send with. The caller owns and closes it.
        clock: the source of time, for tests.
        api_version: the api-version for calls whose method names none, in the categories that share the host's list
            of versions (not identity, not scheduled events). "newest" selects the newest that the host lists, or on
            Azure Arc, which has no list, the agent's.
        step_down: whether to fall back to an older version, once, if the host does not support the requested one. The
            client uses the older version from then on.
        cache: whether to keep responses that rarely change for as long as this client exists. Tokens, events and
            signed documents are never kept.
        observer: a function that is called once for each call, when the call has ended, with an `ObservedCall`. It runs
            in the thread or event loop of the call, so it must be fast. It cannot change the call. Its exceptions are
            logged.

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
        observer: Callable[[ObservedCall], object] | None = None,
    ) -> None:
        check_types(transport, httpx.BaseTransport, http_client, httpx.Client)
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
        connections = new_connections(httpx.Client, transport, http_client, options.host)
        self._initialize(options, connections)

    def _initialize(self, options: Options, connections: Connections[httpx.Client]) -> None:
        super()._initialize(options, connections)
        Operations.__init__(self, self._send)

    def _send(self, operation: Operation[T], arguments: dict[str, Any], /, *, spent: Spent = NOTHING) -> T:
        with self._observe(operation.name) as observation:
            # The boundary frame: see _sensitive.py.
            try:
                return self._perform(operation, arguments, spent, observation)
            except BaseException as error:
                raise strip_sensitive(error)  # noqa: B904

    def _perform(
        self, operation: Operation[T], arguments: dict[str, Any], spent: Spent, observation: Observation | None
    ) -> T:
        call = self._new_call(operation, arguments, spent, observation)
        if call.needs_newest:
            call.use_newest(self._part_of(observation).versions.get_versions().api_versions)
        step = self._run_or_reuse(call) if call.may_cache else self._run(call)
        if isinstance(step, Failure):
            raise step.error
        return step.value

    def _run(self, call: Call[T], cached: httpx.Response | None = None) -> Success[T] | Failure:
        step = TryAgain(0.0) if cached is None else call.next_step(cached)
        while isinstance(step, TryAgain):
            if step.seconds:
                self._options.clock.sleep(step.seconds)
            request, sender = call.next_request(), self._connections.sender
            step = call.next_step(exchange(sender, request, call.seconds, call.attempt_is_over))
        return step

    def _run_or_reuse(self, call: Call[T]) -> Success[T] | Failure:
        """Uses the cached response. Without one, calls that need it at the same time share one run."""
        from .single_flight import Attempt

        while (cached := call.cached) is None:
            with Attempt(self._options.memory.runs, call.key, threading.Event()) as attempt:
                if attempt.leads():
                    attempt.pending.value = step = self._run(call)
                    return step
                call.note_wait()
                attempt.pending.done.wait()
            if isinstance(shared := attempt.outcome(), Failure):
                return shared.copy()
            call.rebuild()
        return self._run(call, cached)

    def get(self, path: str, *, api_version: str | None = None) -> Any:
        """Any node of the instance document, by its path: `compute/location`, `network/interface/0`.

        Args:
            path: keys and list indexes, separated by `/`. Case matters.
            api_version: the version of the document. None for the same version as `instances.get_metadata`.

        Returns:
            The text of a leaf. A dict or list for any other node. None if the node is null.

        Raises:
            NotFoundError: the document of this version has no such node. If the specification does not know the path
                either, the message suggests the nearest paths.
            ImdsError: see `azure_imds.errors`.
        """
        from .instance_node import arguments, node_at

        with self._observe("get") as observation:
            client = self._part_of(observation)
            node, leaves, spent = node_at(path), self._options.memory.leaves, NOTHING
            if path not in leaves:
                try:
                    return client._send(node, arguments(api_version))
                except UnsupportedApiVersionError:
                    raise
                except BadRequestError as error:  # a leaf, which IMDS returns only as text
                    spent = Spent(error.attempts, error.elapsed)
            value = client._send(node, arguments(api_version, text=True), spent=spent)
            leaves.add(path)
            return value

    def is_available(self, timeout: float = 1.0) -> bool:
        """Whether IMDS answers.

        Args:
            timeout: seconds for the only attempt.

        Returns:
            False as well if something else answers in the place of IMDS.

        Raises:
            ImdsValidationError: `timeout` is not a positive number.
        """
        check_timeout(timeout, "is_available")
        return self._availability_problem(timeout) is None

    def wait_until_available(self, timeout: float) -> None:
        """Waits until IMDS answers, for example while a machine starts.

        Args:
            timeout: seconds to wait at most.

        Raises:
            ImdsTimeoutError: IMDS does not answer in time. Its message names the last problem.
            ImdsUnavailableError: IMDS is disabled, or this host has none, so waiting does not help.
            ImdsError: the client is closed.
            ImdsValidationError: `timeout` is not a positive number.
        """
        wait = AvailabilityWait(self._options, timeout)
        while problem := self._availability_problem(wait.check_seconds):
            self._options.clock.sleep(wait.pause_after(problem))

    def _availability_problem(self, seconds: float) -> ImdsError | None:
        probe = self.with_options(deadline=seconds, retry=None)
        try:
            return problem_of_document(probe.instances.get_metadata())
        except Exception as error:
            return problem_of_error(error, self._options.host)

    def close(self) -> None:
        """Closes the connections, also those of siblings. Can be called again. Never closes a given `http_client`."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
