# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""Which API versions this host knows."""

from typing import Any

from ...models.versions_response import VersionsResponse
from .. import AsyncSend, Operation, Send
from . import versions_get_versions as _versions_get_versions


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


VERSIONS_GET_VERSIONS: Operation[VersionsResponse] = Operation(
    build=_versions_get_versions._get_kwargs,
    parse=_versions_get_versions._parse_response,
    id="Versions_GetVersions",
    name="versions.get_versions",
    method="GET",
    path="/versions",
    success=[(200, 200)],
    rules={"metadata": {"enum": ["true"], "in": "header", "name": "Metadata", "type": "string"}},
    answer={
        "properties": {"apiVersions": {"items": {"type": "string"}, "type": "array"}},
        "required": ["apiVersions"],
        "type": "object",
    },
    idempotent=True,
    cacheable=True,
)


class VersionsOperations:
    """Which API versions this host knows."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def get_versions(
        self,
    ) -> VersionsResponse:
        """List the API versions that this host supports

        The versions of /instance, oldest first: the last one is the newest. Scheduled events follows its own
        list, and may take versions that are missing here.

        The only operation without `api-version`. Microsoft's specification gives it no `Metadata` header
        either, but the general rule asks for the header and every known client sends it.

        Returns:
            VersionsResponse: The versions, in ascending order.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return self._send(VERSIONS_GET_VERSIONS, _given())


class AsyncVersionsOperations:
    """Which API versions this host knows."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def get_versions(
        self,
    ) -> VersionsResponse:
        """List the API versions that this host supports

        The versions of /instance, oldest first: the last one is the newest. Scheduled events follows its own
        list, and may take versions that are missing here.

        The only operation without `api-version`. Microsoft's specification gives it no `Metadata` header
        either, but the general rule asks for the header and every known client sends it.

        Returns:
            VersionsResponse: The versions, in ascending order.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return await self._send(VERSIONS_GET_VERSIONS, _given())
