# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""Every operation of the API, grouped by tag, over a caller's own way of sending.

Version 1.0.0 of the specification.
"""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from attrs import field, frozen

if TYPE_CHECKING:
    from typing_extensions import deprecated as deprecated

    from .attested import AsyncAttestedOperations, AttestedOperations
    from .identity import AsyncIdentityOperations, IdentityOperations
    from .instances import AsyncInstancesOperations, InstancesOperations
    from .load_balancer import AsyncLoadBalancerOperations, LoadBalancerOperations
    from .scheduled_events import AsyncScheduledEventsOperations, ScheduledEventsOperations
    from .versions import AsyncVersionsOperations, VersionsOperations

SPEC_VERSION: str = "1.0.0"
"""`info.version` of the specification that this was generated from."""

SECRETS: Sequence[str] = ["access_token", "refresh_token"]
"""Members of answers that are secret (`format: password` in the specification)."""

T = TypeVar("T")


@frozen(eq=False)
class Server:
    """A `servers` entry: where the API is found, and the api-version to ask for there if it has one of its own."""

    name: str
    url: str
    api_version: str | None = None


SERVERS: Mapping[str, Server] = {
    "azure": Server(name="azure", url="http://169.254.169.254/metadata", api_version=None),
    "arc": Server(name="arc", url="http://localhost:40342/metadata", api_version="2020-06-01"),
}
"""The specification's servers by name."""


@frozen(eq=False)
class Operation(Generic[T]):
    """What the specification says about one operation, and the functions that build its request and read its answer.

    `build` and `parse` are the low-level client's own. `T` is the type of a successful answer.
    """

    id: str
    """The specification's `operationId`, such as `Identity_GetToken`."""
    name: str
    """What users type, such as `identity.get_token`: the attribute of the client and its method."""
    method: str
    path: str
    build: Callable[..., dict[str, Any]] = field(repr=False)
    parse: Callable[..., Any] = field(repr=False)
    success: Sequence[tuple[int, int]]
    """Statuses of a successful answer, as inclusive ranges."""
    rules: Mapping[str, Mapping[str, Any]] = field(repr=False)
    """Constraints by Python argument name: JSON Schema keywords, the `name` and `in` of the parameter, and an `example`
    of a valid value where the specification has one."""
    required: Sequence[str] = ()
    """Arguments that must be given."""
    answer: Mapping[str, Any] = field(repr=False, factory=dict[str, Any])
    """What a JSON success must have at least, as a JSON Schema."""
    exclusive: Sequence[Sequence[str]] = ()
    """Groups of arguments of which at most one may be given."""
    echoed: Mapping[str, Sequence[str]] = field(factory=dict[str, Sequence[str]])
    """Arguments that the answer repeats when they were given, each with the members that may hold them."""
    retry_statuses: Sequence[int] = ()
    """Statuses that pass by themselves on this operation, beside those that do so everywhere."""
    idempotent: bool = False
    """Whether sending it twice does no more than sending it once."""
    response_seconds: float | None = None
    """How long the service may take to answer, where that is unusual."""
    version_fallback: bool = False
    """Whether an older `api_version` may be asked for where the server does not know the one that was."""
    cacheable: bool = False
    """Whether the answer stays the same for as long as the machine runs, more or less."""
    hints: Mapping[int, str] = field(repr=False, factory=dict[int, str])
    """What to do about a status, in a sentence."""


class Send(Protocol):
    """Sends one operation with its arguments (absent ones left out) and returns the parsed successful answer."""

    def __call__(self, operation: Operation[T], arguments: dict[str, Any], /) -> T: ...


class AsyncSend(Protocol):
    """The same, awaited."""

    async def __call__(self, operation: Operation[T], arguments: dict[str, Any], /) -> T: ...


M = TypeVar("M", bound=Callable[..., Any])


def deprecated_arguments(told: Mapping[str, str], always: Sequence[str] = ()) -> Callable[[M], M]:
    """Makes a method warn, at its caller's line, of each argument in `told` that is given, and of what `always` says."""

    def decorate(method: M) -> M:
        names = method.__code__.co_varnames

        @wraps(method)
        def warning(*values: Any, **named: Any) -> Any:
            arguments = {**dict(zip(names, values, strict=False)), **named}
            for message in (*always, *(told[name] for name in told if arguments.get(name) is not None)):
                warnings.warn(message, DeprecationWarning, stacklevel=2)
            return method(*values, **named)

        if sys.version_info >= (3, 12) and inspect.iscoroutinefunction(method):
            inspect.markcoroutinefunction(warning)
        return cast(M, warning)

    return decorate


if not TYPE_CHECKING:
    # Type checkers bring typing_extensions with them; when the program runs, nobody needs to have it.
    def deprecated(told):
        return deprecated_arguments({}, (told,))


class Operations:
    """Every operation of the API: one attribute per tag, imported when first used."""

    def __init__(self, send: Send) -> None:
        self.__send = send

    @cached_property
    def versions(self) -> VersionsOperations:
        """The versions operations."""
        from .versions import VersionsOperations

        return VersionsOperations(self.__send)

    @cached_property
    def instances(self) -> InstancesOperations:
        """The instances operations."""
        from .instances import InstancesOperations

        return InstancesOperations(self.__send)

    @cached_property
    def attested(self) -> AttestedOperations:
        """The attested operations."""
        from .attested import AttestedOperations

        return AttestedOperations(self.__send)

    @cached_property
    def identity(self) -> IdentityOperations:
        """The identity operations."""
        from .identity import IdentityOperations

        return IdentityOperations(self.__send)

    @cached_property
    def scheduled_events(self) -> ScheduledEventsOperations:
        """The scheduled_events operations."""
        from .scheduled_events import ScheduledEventsOperations

        return ScheduledEventsOperations(self.__send)

    @cached_property
    def load_balancer(self) -> LoadBalancerOperations:
        """The load_balancer operations."""
        from .load_balancer import LoadBalancerOperations

        return LoadBalancerOperations(self.__send)


class AsyncOperations:
    """Every operation of the API: one attribute per tag, imported when first used."""

    def __init__(self, send: AsyncSend) -> None:
        self.__send = send

    @cached_property
    def versions(self) -> AsyncVersionsOperations:
        """The versions operations."""
        from .versions import AsyncVersionsOperations

        return AsyncVersionsOperations(self.__send)

    @cached_property
    def instances(self) -> AsyncInstancesOperations:
        """The instances operations."""
        from .instances import AsyncInstancesOperations

        return AsyncInstancesOperations(self.__send)

    @cached_property
    def attested(self) -> AsyncAttestedOperations:
        """The attested operations."""
        from .attested import AsyncAttestedOperations

        return AsyncAttestedOperations(self.__send)

    @cached_property
    def identity(self) -> AsyncIdentityOperations:
        """The identity operations."""
        from .identity import AsyncIdentityOperations

        return AsyncIdentityOperations(self.__send)

    @cached_property
    def scheduled_events(self) -> AsyncScheduledEventsOperations:
        """The scheduled_events operations."""
        from .scheduled_events import AsyncScheduledEventsOperations

        return AsyncScheduledEventsOperations(self.__send)

    @cached_property
    def load_balancer(self) -> AsyncLoadBalancerOperations:
        """The load_balancer operations."""
        from .load_balancer import AsyncLoadBalancerOperations

        return AsyncLoadBalancerOperations(self.__send)
