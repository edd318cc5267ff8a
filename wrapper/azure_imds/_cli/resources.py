"""Short names of resources, such as `vault`, in each cloud. The names are in resources.json."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import BadParameter, Option

from .._client.validation import invalid
from .suggestions import suggest

if TYPE_CHECKING:
    from azure_imds_api.api import Operation

    from .._client.client import ImdsClient

CLOUDS = ("public", "usgov", "china")

#: The resource that is requested where the user does not name one.
DEFAULT = "https://management.azure.com/"

#: What `compute/azEnvironment` says about a machine in each cloud.
_ENVIRONMENTS = {"azurepubliccloud": "public", "azureusgovernmentcloud": "usgov", "azurechinacloud": "china"}

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
#: A host without `https://`, or with a part of it.
_HOST = re.compile(r"(?:https?:?/?|/{1,2})?([a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]+)?(?:/.*)?)", re.IGNORECASE)


@lru_cache
def read_resources() -> Mapping[str, Mapping[str, str | None]]:
    """Each name with the service and with the resource in each cloud. None: that cloud has no known resource.

    Services compare a resource by character, so a slash at its end matters.
    """
    resources: Mapping[str, Mapping[str, str | None]] = json.loads(Path(__file__).with_suffix(".json").read_bytes())
    return resources


def list_resources() -> list[str]:
    """The names, for completion."""
    return [*read_resources()]


def list_clouds() -> list[str]:
    """The clouds, for completion."""
    return [*CLOUDS]


def describe_resources(cloud: str) -> list[dict[str, Any]]:
    """What `azure-imds token --list` prints: the names in a cloud."""
    return [
        {"name": name, "resource": resource[cloud], "service": resource["service"]}
        for name, resource in read_resources().items()
        if resource[cloud] is not None
    ]


def parse_cloud(text: str) -> str:
    """A cloud.

    Raises:
        BadParameter: it is not known.
    """
    if text not in CLOUDS:
        raise BadParameter(f"{text!r} is not one of {', '.join(map(repr, CLOUDS))}.{suggest(text, CLOUDS)}")
    return text


def parse_resource(text: str) -> str:
    """A resource or one of the names. A scope becomes its resource.

    Raises:
        BadParameter: it is neither a resource nor a name.
    """
    resource = text.removesuffix("/.default")
    if resource in read_resources() or _GUID.fullmatch(resource):
        return resource
    if host := _HOST.fullmatch(resource):
        raise BadParameter(f"{text!r} has no scheme. Did you mean 'https://{host[1]}'?")
    if re.fullmatch(r"[\w-]+", resource):
        hint = suggest(resource, read_resources()) or " `azure-imds token --list` shows the names."
        raise BadParameter(f"{text!r} is not a resource, such as https://vault.azure.net, or the name of one.{hint}")
    return resource


_RESOURCE: Any = Option(
    "--resource",
    parser=parse_resource,
    metavar="RESOURCE",
    autocompletion=list_resources,
    help="Resource of the token, its scope, or a name such as vault (`azure-imds token --list` shows all).",
)
#: The options of every command that requests a token.
Resource = Annotated[str, _RESOURCE]
OptionalResource = Annotated[str | None, _RESOURCE]
Cloud = Annotated[
    str | None,
    Option(
        "--cloud",
        parser=parse_cloud,
        metavar=f"[{'|'.join(CLOUDS)}]",
        autocompletion=list_clouds,
        show_default=False,
        help="Cloud in which the name of a resource is looked up. Default: that of the machine.",
    ),
]


def _read_environment(imds: ImdsClient) -> str:
    """What the machine says about its cloud. "" if it says nothing.

    Raises:
        ImdsError: the machine does not answer, or not with its cloud.
    """
    if not imds.options.host.is_imds:  # other hosts do not say in which cloud they are
        return "AzurePublicCloud"
    return str(imds.get("compute/azEnvironment"))


def check_request(operation: Operation[Any], arguments: Mapping[str, Any], imds: ImdsClient) -> None:
    """Checks all arguments of a request, before the machine is asked for its cloud.

    Raises:
        ImdsValidationError: one is wrong.
    """
    from .._client.validation import check_arguments

    if imds.options.host.is_imds:  # other hosts have other rules
        check_arguments(operation, {name: value for name, value in arguments.items() if value is not None})


def resolve_resource(resource: str, cloud: str | None, imds: ImdsClient) -> str:
    """The resource of a name. Where it depends on the cloud, the machine is asked in which cloud it is.

    Args:
        resource: a resource, or a name.
        cloud: the cloud that the user gave.
        imds: the client, which sends a request only if the machine is asked.

    Raises:
        ImdsValidationError: the cloud is unknown, or has no such resource.
        ImdsError: the cloud of the machine cannot be read.
    """
    from ..errors import NotFoundError

    values = read_resources().get(resource)
    if values is None:
        return resource
    if len({values[known] for known in CLOUDS}) == 1:
        cloud = CLOUDS[0]
    if cloud is None:
        try:
            found = _read_environment(imds)
        except NotFoundError:
            problem = f"{resource!r} depends on the cloud of this machine, and the request for it got 404"
            raise invalid("resource", f"{problem} (compute/azEnvironment). Pass its URI or --cloud") from None
        cloud = _ENVIRONMENTS.get(found.lower())
        if cloud is None:
            where = f"in the cloud of this machine, {found!r}" if found else "because this machine names no cloud"
            raise invalid("resource", f"{resource!r} is not known {where}. Pass its URI or --cloud")
    if (uri := values[cloud]) is None:
        raise invalid("resource", f"{resource!r} is not known in the cloud {cloud!r}. Pass its URI")
    return uri
