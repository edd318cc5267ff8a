"""Short names of resources, such as `vault`, in each cloud."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from typer import BadParameter

from .suggestions import suggest

if TYPE_CHECKING:
    from .._client.client import ImdsClient

CLOUDS = ("public", "usgov", "china")

#: What `compute/azEnvironment` says about a machine in each cloud.
_ENVIRONMENTS = {"azurepubliccloud": "public", "azureusgovernmentcloud": "usgov", "azurechinacloud": "china"}

_PUBLIC, _USGOV, _CHINA = CLOUDS

#: Resources by name and cloud. Services compare a resource by character, so a slash at its end matters.
RESOURCES: dict[str, dict[str, str]] = {
    "arm": {
        _PUBLIC: "https://management.azure.com/",
        _USGOV: "https://management.usgovcloudapi.net/",
        _CHINA: "https://management.chinacloudapi.cn/",
    },
    "vault": {
        _PUBLIC: "https://vault.azure.net",
        _USGOV: "https://vault.usgovcloudapi.net",
        _CHINA: "https://vault.azure.cn",
    },
    "storage": dict.fromkeys(CLOUDS, "https://storage.azure.com/"),
    "graph": {
        _PUBLIC: "https://graph.microsoft.com",
        _USGOV: "https://graph.microsoft.us",
        _CHINA: "https://microsoftgraph.chinacloudapi.cn",
    },
    "sql": {
        _PUBLIC: "https://database.windows.net/",
        _USGOV: "https://database.usgovcloudapi.net/",
        _CHINA: "https://database.chinacloudapi.cn/",
    },
    "postgres": {
        _PUBLIC: "https://ossrdbms-aad.database.windows.net",
        _USGOV: "https://ossrdbms-aad.database.usgovcloudapi.net",
        _CHINA: "https://ossrdbms-aad.database.chinacloudapi.cn",
    },
    "cognitive": {
        _PUBLIC: "https://cognitiveservices.azure.com",
        _USGOV: "https://cognitiveservices.azure.us",
        _CHINA: "https://cognitiveservices.azure.cn",
    },
    "logs": {
        _PUBLIC: "https://api.loganalytics.io",
        _USGOV: "https://api.loganalytics.us",
        _CHINA: "https://api.loganalytics.azure.cn",
    },
}
RESOURCES["mysql"] = RESOURCES["postgres"]

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(/.*)?", re.IGNORECASE)


def list_resources() -> list[str]:
    """The names, for completion."""
    return [*RESOURCES]


def list_clouds() -> list[str]:
    """The clouds, for completion."""
    return [*CLOUDS]


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
    if resource in RESOURCES or _GUID.fullmatch(resource):
        return resource
    if _HOST.fullmatch(resource):
        raise BadParameter(f"{text!r} has no scheme. Did you mean 'https://{resource}'?")
    if re.fullmatch(r"[\w-]+", resource):
        names = ", ".join(RESOURCES)
        hint = suggest(resource, RESOURCES)
        raise BadParameter(f"{text!r} is not a resource, such as https://vault.azure.net, or one of {names}.{hint}")
    return resource


def resolve_resource(resource: str, cloud: str | None, imds: ImdsClient) -> str:
    """The resource of a name. Where it depends on the cloud, the machine is asked in which cloud it is.

    Args:
        resource: a resource, or a name.
        cloud: the cloud that the user gave.
        imds: the client.

    Raises:
        BadParameter: the machine is in another cloud.
        ImdsError: the cloud of the machine cannot be read.
    """
    values = RESOURCES.get(resource)
    if values is None:
        return resource
    if cloud is None and len(set(values.values())) > 1:
        # Other hosts than these do not say in which cloud they are.
        found = str(imds.get("compute/azEnvironment")) if imds.host in ("azure", "arc") else "AzurePublicCloud"
        cloud = _ENVIRONMENTS.get(found.lower())
        if cloud is None:
            raise BadParameter(
                f"{resource!r} is not known in the cloud of this machine, {found!r}. Pass its URI or --cloud"
            )
    return values[cloud or _PUBLIC]
