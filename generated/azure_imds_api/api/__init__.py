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
    from .trusted_hardware import AsyncTrustedHardwareOperations, TrustedHardwareOperations
    from .versions import AsyncVersionsOperations, VersionsOperations

SPEC_VERSION: str = "1.0.0"
"""The specification's version (`info.version`)."""

SECRETS: Sequence[str] = ["access_token", "client_assertion", "refresh_token"]
"""Names of response fields that hold a secret (`format: password` in the specification)."""

T = TypeVar("T")


class Server(NamedTuple):
    """An entry of the specification's `servers`: where an API is, and how a program recognizes that it runs there."""

    name: str
    url: str
    """The base URL of operations. If the server has `operations` of its own, an example."""
    title: str = "IMDS"
    """What error messages call the server."""
    api_version: str | None = None
    """The api-version that this server requires, if any."""
    when_set: Sequence[str] = ()
    """Environment variables that are set where this server is."""
    when_unset: Sequence[str] = ()
    """Environment variables that are not set, or empty, where this server is."""
    when_files: Mapping[str, str] = {}
    """By platform, a file that shows that this server is there. Variables in braces are those of the environment."""
    origin: str = ""
    """The environment variable with the address of the server."""
    template: str = ""
    """The URL of every operation. Variables in braces are those of the environment."""
    certificate: str = ""
    """The environment variable with the SHA-1 of the server's certificate."""
    proxies: bool = False
    """Whether proxies of the environment apply."""
    must_echo: bool = False
    """Whether a response must repeat the arguments that `Operation.echoed` names."""
    refused: str = ""
    """Why this server is not supported."""
    unreachable: str = ""
    """How to fix a server that does not answer."""
    variables: Mapping[str, str] = {}
    """What the environment variables of the server mean."""
    operations: Mapping[str, str] | None = None
    """By operation id, the module and name of the operation that stands for it. None if the server has all operations."""


SERVERS: Mapping[str, Server] = {
    "app-service": Server(
        name="app-service",
        url="http://localhost:4141",
        when_set=["IDENTITY_ENDPOINT", "IDENTITY_HEADER"],
        when_unset=["IDENTITY_SERVER_THUMBPRINT"],
        title="Azure App Service, Functions or Container Apps",
        template="{IDENTITY_ENDPOINT}",
        unreachable=(
            "Assign an identity under Identity of the app, and restart the app after "
            "that. On Container Apps, init containers have no endpoint on a consumption "
            "plan."
        ),
        variables={
            "IDENTITY_ENDPOINT": "URL of the token endpoint of this app.",
            "IDENTITY_HEADER": "a secret that the platform rotates. The endpoint requires it in each request.",
        },
        operations={"Identity_GetToken": "hosts.APP_SERVICE_GET_TOKEN"},
    ),
    "app-service-2017": Server(
        name="app-service-2017",
        url="http://localhost:8081",
        when_set=["MSI_ENDPOINT", "MSI_SECRET", "WEBSITE_SITE_NAME"],
        title="an App Service with the endpoint of 2017",
        template="{MSI_ENDPOINT}",
        unreachable="Assign an identity under Identity of the app, and restart the app after that.",
        variables={
            "MSI_ENDPOINT": "URL of the token endpoint of this app.",
            "MSI_SECRET": "a secret. The endpoint requires it in each request.",
            "WEBSITE_SITE_NAME": "name of the app. It distinguishes an App Service from Azure Machine Learning.",
        },
        operations={"Identity_GetToken": "hosts.MACHINE_LEARNING_GET_TOKEN"},
    ),
    "machine-learning": Server(
        name="machine-learning",
        url="http://localhost:46808",
        when_set=["MSI_ENDPOINT", "MSI_SECRET"],
        title="Azure Machine Learning",
        template="{MSI_ENDPOINT}",
        unreachable="Assign an identity to the compute, and restart it after that.",
        variables={
            "DEFAULT_IDENTITY_CLIENT_ID": "client id of the identity that is used if a program names none.",
            "MSI_ENDPOINT": "URL of the token endpoint of this compute.",
            "MSI_SECRET": "a secret. The endpoint requires it in each request.",
        },
        operations={"Identity_GetToken": "hosts.MACHINE_LEARNING_GET_TOKEN"},
    ),
    "cloud-shell": Server(
        name="cloud-shell",
        url="http://localhost:50342",
        when_set=["MSI_ENDPOINT"],
        when_unset=["MSI_SECRET"],
        title="Azure Cloud Shell",
        template="{MSI_ENDPOINT}",
        unreachable="Restart Cloud Shell.",
        variables={"MSI_ENDPOINT": "URL of the token endpoint of this Cloud Shell."},
        operations={"Identity_GetToken": "hosts.CLOUD_SHELL_GET_TOKEN"},
    ),
    "service-fabric": Server(
        name="service-fabric",
        url="https://localhost:2377",
        when_set=["IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT"],
        title="Azure Service Fabric",
        template="{IDENTITY_ENDPOINT}",
        certificate="IDENTITY_SERVER_THUMBPRINT",
        unreachable="The token service of the node does not answer. It needs runtime 7.1 or later.",
        variables={
            "IDENTITY_API_VERSION": "version of the endpoint on this node.",
            "IDENTITY_ENDPOINT": "URL of the token endpoint of this node.",
            "IDENTITY_HEADER": "a secret. The endpoint requires it in each request.",
            "IDENTITY_SERVER_THUMBPRINT": "SHA-1 of the certificate of the endpoint. The "
            "secret is sent only to a server with this "
            "certificate.",
        },
        operations={"Identity_GetToken": "hosts.SERVICE_FABRIC_GET_TOKEN"},
    ),
    "identity-bindings": Server(
        name="identity-bindings",
        url="https://login.microsoftonline.com",
        when_set=[
            "AZURE_FEDERATED_TOKEN_FILE",
            "AZURE_TENANT_ID",
            "AZURE_AUTHORITY_HOST",
            "AZURE_KUBERNETES_TOKEN_PROXY",
        ],
        title="AKS with identity bindings",
        refused=(
            "Identity bindings of AKS (AZURE_KUBERNETES_TOKEN_PROXY) are not supported. "
            "Use WorkloadIdentityCredential of azure-identity with "
            "enable_azure_proxy=True, or a federated credential without a binding."
        ),
        variables={"AZURE_KUBERNETES_TOKEN_PROXY": "address of the proxy for token requests in the cluster."},
        operations={"Identity_GetToken": "hosts.WORKLOAD_IDENTITY_GET_TOKEN"},
    ),
    "workload-identity": Server(
        name="workload-identity",
        url="https://login.microsoftonline.com",
        when_set=["AZURE_FEDERATED_TOKEN_FILE", "AZURE_TENANT_ID", "AZURE_AUTHORITY_HOST"],
        title="AKS workload identity",
        template="{AZURE_AUTHORITY_HOST}/{AZURE_TENANT_ID}/oauth2/v2.0/token",
        proxies=True,
        unreachable=("The pod needs a way to the authority on the internet, directly or through a proxy."),
        variables={
            "AZURE_AUTHORITY_HOST": "URL of the authority that exchanges the token of the pod for an Entra token.",
            "AZURE_CLIENT_ID": "client id of the identity that is used if a program names none.",
            "AZURE_FEDERATED_TOKEN_FILE": "path of the token of the service account, a "
            "secret. Kubernetes replaces the file from time "
            "to time.",
            "AZURE_TENANT_ID": "tenant of the identity.",
        },
        operations={"Identity_GetToken": "hosts.WORKLOAD_IDENTITY_GET_TOKEN"},
    ),
    "azure": Server(
        name="azure",
        url="http://169.254.169.254/metadata",
    ),
    "arc": Server(
        name="arc",
        url="http://localhost:40342/metadata",
        when_set=["IDENTITY_ENDPOINT", "IMDS_ENDPOINT"],
        when_files={
            "linux": "/opt/azcmagent/bin/himds",
            "win32": "{PROGRAMFILES}\\AzureConnectedMachineAgent\\himds.exe",
        },
        api_version="2020-06-01",
        origin="IDENTITY_ENDPOINT",
        must_echo=True,
    ),
}
"""The specification's servers by name, in the order in which a program recognizes them."""


def operation_on(server: Server, operation: Operation[T]) -> Operation[T] | None:
    """The operation to send to a server in place of another. None if the server has none."""
    if server.operations is None:
        return operation
    tag, _, name = server.operations.get(operation.id, "").partition(".")
    return getattr(import_module(f"{__name__}.{tag}"), name) if name else None


class Source(NamedTuple):
    """Where a value of a request comes from, if the operation stands for another one. The first that exists counts."""

    name: str
    """The argument of `Operation.build`."""
    member: str = ""
    """The member of the body, if the argument is the body."""
    argument: str = ""
    """The argument of the other operation."""
    suffix: str = ""
    """Text that is added to that argument."""
    variable: str = ""
    """The environment variable with the value."""
    file: str = ""
    """The environment variable with the path of a file with the value."""
    default: str | None = None
    """The value if there is no other."""
    required: bool = False
    secret: bool = False


class ErrorRule(NamedTuple):
    """What an error response means."""

    status: int
    text: str = ""
    """A part of the body, in lower case. Without it, the status is enough."""
    kind: str = ""
    """The class of `azure_imds.errors`. The status decides if it is empty."""
    hint: str = ""
    """How to fix the error."""


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
    retry_waits: Mapping[int, Sequence[float]] = {}
    """By status, the seconds of the first and the following waits before a retry."""
    error_members: Mapping[str, Sequence[str]] = {}
    """Members of an error body that contain its `error`, `error_description` and `request_id`, as paths with slashes."""
    errors: Sequence[ErrorRule] = ()
    """What single errors mean. The first that matches counts."""
    sources: Sequence[Source] = ()
    """Where the values of a request come from, if this operation stands for another one."""
    body: Callable[[dict[str, Any]], Any] | None = None
    """Makes the body of a request from its members, if this operation stands for another one."""

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

    @tag_property
    def trusted_hardware(self) -> TrustedHardwareOperations:
        """Certificates that AMD has issued for the processor of a confidential machine."""
        from .trusted_hardware import TrustedHardwareOperations

        return TrustedHardwareOperations(self.__send)


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

    @tag_property
    def trusted_hardware(self) -> AsyncTrustedHardwareOperations:
        """Certificates that AMD has issued for the processor of a confidential machine."""
        from .trusted_hardware import AsyncTrustedHardwareOperations

        return AsyncTrustedHardwareOperations(self.__send)
