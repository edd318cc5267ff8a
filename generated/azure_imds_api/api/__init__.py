# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""Typed methods for every operation of the API, grouped by tag. They send through a callable that the caller provides.

Generated from version 1.0.0 of the specification.
"""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar, cast

if TYPE_CHECKING:
    from typing_extensions import deprecated as deprecated

    from .attested import AsyncAttestedOperations, AttestedOperations
    from .identity import AsyncIdentityOperations, IdentityOperations
    from .instances import AsyncInstancesOperations, InstancesOperations
    from .load_balancer import AsyncLoadBalancerOperations, LoadBalancerOperations
    from .scheduled_events import AsyncScheduledEventsOperations, ScheduledEventsOperations
    from .versions import AsyncVersionsOperations, VersionsOperations

SPEC_VERSION: str = "1.0.0"
"""The specification's version (`info.version`)."""

SECRETS: Sequence[str] = ["access_token", "refresh_token"]
"""Names of response fields that hold a secret (`format: password` in the specification)."""

T = TypeVar("T")


class Server(NamedTuple):
    """An entry of the specification's `servers`: a base URL, and the api-version that this server requires, if any."""

    name: str
    url: str
    api_version: str | None = None


SERVERS: Mapping[str, Server] = {
    "azure": Server(name="azure", url="http://169.254.169.254/metadata", api_version=None),
    "arc": Server(name="arc", url="http://localhost:40342/metadata", api_version="2020-06-01"),
}
"""The specification's servers by name."""


class Operation(NamedTuple, Generic[T]):
    """One operation of the specification: its facts, and the functions that build its request and parse its response.

    `build` and `parse` are the low-level client's own functions. `T` is the type of a parsed success.
    """

    id: str
    """The specification's `operationId`, such as `Identity_GetToken`."""
    name: str
    """The client's attribute and method, such as `identity.get_token`."""
    method: str
    """The HTTP method, in upper case."""
    path: str
    """The path below the server's URL, with parameters in braces."""
    build: Callable[..., dict[str, Any]]
    """Returns httpx's request arguments. Its own arguments are the operation's, by Python name."""
    parse: Callable[..., Any]
    """Returns the parsed body of a response. Its arguments are `client` (may be None) and `response`."""
    success: Sequence[tuple[int, int]]
    """Statuses of a success, as inclusive ranges."""
    rules: Mapping[str, Mapping[str, Any]]
    """Constraints by Python argument name: JSON Schema keywords, the `name` and `in` of the parameter, and an `example`
    of a valid value if the specification has one."""
    required: Sequence[str] = ()
    """Arguments that the caller must pass."""
    answer: Mapping[str, Any] = {}
    """A JSON Schema of the fields that every JSON success contains."""
    exclusive: Sequence[Sequence[str]] = ()
    """Groups of arguments. At most one of each group may be passed."""
    echoed: Mapping[str, Sequence[str]] = {}
    """Arguments that the response repeats, each with the response fields that may contain the value."""
    retry_statuses: Sequence[int] = ()
    """Statuses to retry for this operation, in addition to the statuses that are always retried."""
    idempotent: bool = False
    """Whether sending the request twice has the same effect as sending it once."""
    response_seconds: float | None = None
    """How many seconds a response may take, if this operation is slower than usual."""
    version_fallback: bool = False
    """Whether a server that does not support the default `api_version` may be sent an older one."""
    cacheable: bool = False
    """Whether the response rarely changes, so that a client may cache it."""
    hints: Mapping[int, str] = {}
    """By status, a sentence about how to fix the error."""

    def __repr__(self) -> str:
        return f"Operation({self.id!r})"

    def __hash__(self) -> int:
        return hash(self.id)


class Send(Protocol):
    """Sends operations synchronously. `Operations` calls it for every method; `azure_imds.ImdsClient` implements it."""

    def __call__(self, operation: Operation[T], arguments: dict[str, Any], /) -> T:
        """Sends one request and returns the parsed response.

        Args:
            operation: what to send. `operation.build(**arguments)` returns the request.
            arguments: the arguments that the caller passed, by Python name. Absent ones are left out.

        Returns:
            The success, parsed with `operation.parse`.
        """
        ...


class AsyncSend(Protocol):
    """Sends operations asynchronously. `AsyncOperations` awaits it for every method; `azure_imds.AsyncImdsClient`
    implements it."""

    async def __call__(self, operation: Operation[T], arguments: dict[str, Any], /) -> T:
        """Sends one request and returns the parsed response.

        Args:
            operation: what to send. `operation.build(**arguments)` returns the request.
            arguments: the arguments that the caller passed, by Python name. Absent ones are left out.

        Returns:
            The success, parsed with `operation.parse`.
        """
        ...


class _TagProperty(cached_property[T]):
    """A cached property with one tag's operations. On a class it returns the class of these operations.

    `inspect` and `unittest.mock.create_autospec` find the operations' methods this way.
    """

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
        if instance is None:
            module = import_module(f"{__name__}.{self.attrname}")
            return getattr(module, self.func.__annotations__["return"])
        return super().__get__(instance, owner)


if TYPE_CHECKING:
    # Type checkers know functools' own property best.
    from functools import cached_property as tag_property
else:
    tag_property = _TagProperty


M = TypeVar("M", bound=Callable[..., Any])


def deprecated_arguments(messages: Mapping[str, str], always: Sequence[str] = ()) -> Callable[[M], M]:
    """Decorates a method that has deprecated arguments. The warnings point at the caller's line.

    Args:
        messages: the warning for each deprecated argument, emitted when the argument is not None.
        always: warnings that every call emits.
    """

    def decorate(method: M) -> M:
        names = method.__code__.co_varnames

        @wraps(method)
        def warning(*values: Any, **named: Any) -> Any:
            arguments = {**dict(zip(names, values, strict=False)), **named}
            for message in (*always, *(messages[name] for name in messages if arguments.get(name) is not None)):
                warnings.warn(message, DeprecationWarning, stacklevel=2)
            return method(*values, **named)

        if sys.version_info >= (3, 12) and inspect.iscoroutinefunction(method):
            inspect.markcoroutinefunction(warning)
        return cast(M, warning)

    return decorate


if not TYPE_CHECKING:
    # typing_extensions comes with type checkers. It is not a dependency at run time.
    def deprecated(message):
        return deprecated_arguments({}, (message,))


class Operations:
    """All operations of the API: one attribute per tag. The tag's module is imported when the attribute is first read.

    Args:
        send: sends every request. See `Send`.
    """

    def __init__(self, send: Send) -> None:
        self.__send = send

    @tag_property
    def versions(self) -> VersionsOperations:
        """The API versions that this host supports."""
        from .versions import VersionsOperations

        return VersionsOperations(self.__send)

    @tag_property
    def instances(self) -> InstancesOperations:
        """Metadata of the machine: its configuration, location, disks and network."""
        from .instances import InstancesOperations

        return InstancesOperations(self.__send)

    @tag_property
    def attested(self) -> AttestedOperations:
        """A document about the machine, signed by Azure, for others to verify."""
        from .attested import AttestedOperations

        return AttestedOperations(self.__send)

    @tag_property
    def identity(self) -> IdentityOperations:
        """Entra tokens for the managed identities of the machine. Limits per machine: 20 requests per second, 5 at the
        same time."""
        from .identity import IdentityOperations

        return IdentityOperations(self.__send)

    @tag_property
    def scheduled_events(self) -> ScheduledEventsOperations:
        """Announcements of maintenance that will interrupt this machine or others of its group, and their approval."""
        from .scheduled_events import ScheduledEventsOperations

        return ScheduledEventsOperations(self.__send)

    @tag_property
    def load_balancer(self) -> LoadBalancerOperations:
        """Standard load balancer rules and Standard public IP addresses of the machine."""
        from .load_balancer import LoadBalancerOperations

        return LoadBalancerOperations(self.__send)


class AsyncOperations:
    """All operations of the API: one attribute per tag. The tag's module is imported when the attribute is first read.

    Args:
        send: sends every request. See `AsyncSend`.
    """

    def __init__(self, send: AsyncSend) -> None:
        self.__send = send

    @tag_property
    def versions(self) -> AsyncVersionsOperations:
        """The API versions that this host supports."""
        from .versions import AsyncVersionsOperations

        return AsyncVersionsOperations(self.__send)

    @tag_property
    def instances(self) -> AsyncInstancesOperations:
        """Metadata of the machine: its configuration, location, disks and network."""
        from .instances import AsyncInstancesOperations

        return AsyncInstancesOperations(self.__send)

    @tag_property
    def attested(self) -> AsyncAttestedOperations:
        """A document about the machine, signed by Azure, for others to verify."""
        from .attested import AsyncAttestedOperations

        return AsyncAttestedOperations(self.__send)

    @tag_property
    def identity(self) -> AsyncIdentityOperations:
        """Entra tokens for the managed identities of the machine. Limits per machine: 20 requests per second, 5 at the
        same time."""
        from .identity import AsyncIdentityOperations

        return AsyncIdentityOperations(self.__send)

    @tag_property
    def scheduled_events(self) -> AsyncScheduledEventsOperations:
        """Announcements of maintenance that will interrupt this machine or others of its group, and their approval."""
        from .scheduled_events import AsyncScheduledEventsOperations

        return AsyncScheduledEventsOperations(self.__send)

    @tag_property
    def load_balancer(self) -> AsyncLoadBalancerOperations:
        """Standard load balancer rules and Standard public IP addresses of the machine."""
        from .load_balancer import AsyncLoadBalancerOperations

        return AsyncLoadBalancerOperations(self.__send)
