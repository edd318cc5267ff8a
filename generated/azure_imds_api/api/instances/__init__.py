# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""Metadata of the machine: its configuration, location, disks and network."""

from __future__ import annotations

from typing import Any, Literal

from ... import models
from .. import AsyncSend, Operation, Send
from . import instances_get_metadata as _instances_get_metadata


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


INSTANCES_GET_METADATA: Operation[models.Instance] = Operation(
    build=_instances_get_metadata._get_kwargs,
    parse=_instances_get_metadata._parse_response,
    id="Instances_GetMetadata",
    name="instances.get_metadata",
    method="GET",
    path="/instance",
    success=[(200, 200)],
    rules={
        "api_version": {
            "example": "2023-11-15",
            "in": "query",
            "name": "api-version",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}\\Z",
            "type": "string",
        },
        "extended": {"enum": ["true"], "in": "query", "name": "extended", "type": "string"},
        "format_": {"enum": ["json"], "in": "query", "name": "format", "type": "string"},
        "metadata": {"enum": ["true"], "in": "header", "name": "Metadata", "type": "string"},
    },
    answer={"type": "object"},
    idempotent=True,
    version_fallback=True,
    cacheable=True,
)


class InstancesOperations:
    """Metadata of the machine: its configuration, location, disks and network."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def get_metadata(
        self,
        *,
        api_version: str | None = None,
        format_: Literal["json"] | None = None,
        extended: models.TrueFlag | None = None,
    ) -> models.Instance:
        """Describe this virtual machine

        Returns `compute`, `network` and, on request, `extended`. Almost all values are strings, including
        numbers and booleans. A field that does not apply is `""`, and an empty list is `[]`. Fields that
        are newer than the requested version are missing.

        The data can be out of date. Tags of a scale set are updated here after a restart, reimage or disk
        change, and a machine that has not changed for a long time may return old values. Early during
        boot the list of network interfaces can be incomplete. A classic (pre-ARM) machine returns
        `network` only. Azure Arc returns a subset of the fields.

        A single node, such as `compute/location`, can be read by its path, without the rest of the document.

        Args:
            api_version: Version of the document. The default is the oldest version with all fields that are
                documented today. Newer versions, up to 2025-04-07, document no further fields, and some hosts do not
                support them yet. If a host does not support the default, azure-imds falls back to an older version.
                Azure Stack Hub supports 2021-05-01 and older. Default: 2023-11-15.
            format_: Format of the response: json, which is also the default. The text form is meant for sub-paths.
                For the whole document it contains only the names of the top-level nodes.
            extended: Adds `extended`, which is meant for provisioning agents. Known from cloud-init and azure-init,
                not from Microsoft's documentation. cloud-init requests it at 2021-08-01, and repeats the request
                without it after a 400.

        Returns:
            Instance: The metadata document in the requested version.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return self._send(
            INSTANCES_GET_METADATA,
            _given(
                api_version=api_version,
                format_=format_,
                extended=extended,
            ),
        )


class AsyncInstancesOperations:
    """Metadata of the machine: its configuration, location, disks and network."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def get_metadata(
        self,
        *,
        api_version: str | None = None,
        format_: Literal["json"] | None = None,
        extended: models.TrueFlag | None = None,
    ) -> models.Instance:
        """Describe this virtual machine

        Returns `compute`, `network` and, on request, `extended`. Almost all values are strings, including
        numbers and booleans. A field that does not apply is `""`, and an empty list is `[]`. Fields that
        are newer than the requested version are missing.

        The data can be out of date. Tags of a scale set are updated here after a restart, reimage or disk
        change, and a machine that has not changed for a long time may return old values. Early during
        boot the list of network interfaces can be incomplete. A classic (pre-ARM) machine returns
        `network` only. Azure Arc returns a subset of the fields.

        A single node, such as `compute/location`, can be read by its path, without the rest of the document.

        Args:
            api_version: Version of the document. The default is the oldest version with all fields that are
                documented today. Newer versions, up to 2025-04-07, document no further fields, and some hosts do not
                support them yet. If a host does not support the default, azure-imds falls back to an older version.
                Azure Stack Hub supports 2021-05-01 and older. Default: 2023-11-15.
            format_: Format of the response: json, which is also the default. The text form is meant for sub-paths.
                For the whole document it contains only the names of the top-level nodes.
            extended: Adds `extended`, which is meant for provisioning agents. Known from cloud-init and azure-init,
                not from Microsoft's documentation. cloud-init requests it at 2021-08-01, and repeats the request
                without it after a 400.

        Returns:
            Instance: The metadata document in the requested version.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return await self._send(
            INSTANCES_GET_METADATA,
            _given(
                api_version=api_version,
                format_=format_,
                extended=extended,
            ),
        )
