# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""The API versions that this host supports."""

from __future__ import annotations

from typing import Any

from ... import models
from .. import AsyncSend, Operation, Send
from . import versions_get_versions as _versions_get_versions


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


VERSIONS_GET_VERSIONS: Operation[models.VersionsResponse] = Operation(
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
    """The API versions that this host supports."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def get_versions(
        self,
    ) -> models.VersionsResponse:
        """List the API versions that this host supports

        Returns the versions of /instance, oldest first, so the last one is the newest. Scheduled events
        have their own list, which may contain versions that are missing here.

        Returns:
            VersionsResponse: The versions in ascending order.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return self._send(VERSIONS_GET_VERSIONS, _given())


class AsyncVersionsOperations:
    """The API versions that this host supports."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def get_versions(
        self,
    ) -> models.VersionsResponse:
        """List the API versions that this host supports

        Returns the versions of /instance, oldest first, so the last one is the newest. Scheduled events
        have their own list, which may contain versions that are missing here.

        Returns:
            VersionsResponse: The versions in ascending order.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return await self._send(VERSIONS_GET_VERSIONS, _given())
