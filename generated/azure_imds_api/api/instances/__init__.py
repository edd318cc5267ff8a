# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""What the machine is, where it runs, its disks and its network."""

from typing import Any, Literal

from ...models.instance import Instance
from ...models.true_flag import TrueFlag
from .. import AsyncSend, Operation, Send
from . import instances_get_metadata as _instances_get_metadata


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


INSTANCES_GET_METADATA: Operation[Instance] = Operation(
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
    """What the machine is, where it runs, its disks and its network."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def get_metadata(
        self,
        *,
        api_version: str | None = None,
        format_: Literal["json"] | None = None,
        extended: TrueFlag | None = None,
    ) -> Instance:
        """Describe this virtual machine

        The whole document: `compute`, `network` and, on request, `extended`. Almost every scalar is a string,
        numbers and booleans too. A field that does not apply is `""`, a list without members is `[]`, and a
        field younger than the requested version is missing.

        Data may lag: tags of a scale set reach IMDS after a restart, reimage or disk change, and a machine
        that has not been touched for long may show old values. Early in boot the list of interfaces can be
        incomplete. A classic (pre-ARM) machine has `network` only. Azure Arc serves a subset of these fields.

        **Sub-paths.** Any key or array index of the document may be appended to the path, as in
        `/instance/compute/tagsList` or `/instance/network/interface/0/macAddress`. The answer is that node
        alone, without a wrapper, or 404 if there is none. Send keys in their exact case. An object or array
        comes as JSON. A scalar has no JSON form: without `format=text` it is answered with 400.

        **Text.** `format=text` turns a scalar into its bare value (empty body for `""`) and an object or
        array into the names of its children, one on a line; whether inner nodes end in `/` is not documented,
        so accept both. Only /instance and its sub-paths have a text form. This operation reads JSON.

        Args:
            api_version: Version of the document. The default is the oldest one with every field that is documented
                today; newer ones, up to 2025-04-07, document no more, and are missing on hosts that are updated late. A
                version that the host does not know is answered with 400 and `newest-versions`: choose from these, or ask
                /versions. On Azure Stack Hub use 2021-05-01 or older. Default: 2023-11-15.
            format_: How to write the answer; json unless asked otherwise. For the whole document only json gives the
                model described here, since text lists names of children. text is for sub-paths.
            extended: Adds `extended`, meant for provisioning agents. Known from cloud-init and azure-init, not from
                Microsoft's documentation. cloud-init asks for it at 2021-08-01 and, if that is answered with 400, does
                without.

        Returns:
            Instance: The instance document, at the requested version.

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
    """What the machine is, where it runs, its disks and its network."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def get_metadata(
        self,
        *,
        api_version: str | None = None,
        format_: Literal["json"] | None = None,
        extended: TrueFlag | None = None,
    ) -> Instance:
        """Describe this virtual machine

        The whole document: `compute`, `network` and, on request, `extended`. Almost every scalar is a string,
        numbers and booleans too. A field that does not apply is `""`, a list without members is `[]`, and a
        field younger than the requested version is missing.

        Data may lag: tags of a scale set reach IMDS after a restart, reimage or disk change, and a machine
        that has not been touched for long may show old values. Early in boot the list of interfaces can be
        incomplete. A classic (pre-ARM) machine has `network` only. Azure Arc serves a subset of these fields.

        **Sub-paths.** Any key or array index of the document may be appended to the path, as in
        `/instance/compute/tagsList` or `/instance/network/interface/0/macAddress`. The answer is that node
        alone, without a wrapper, or 404 if there is none. Send keys in their exact case. An object or array
        comes as JSON. A scalar has no JSON form: without `format=text` it is answered with 400.

        **Text.** `format=text` turns a scalar into its bare value (empty body for `""`) and an object or
        array into the names of its children, one on a line; whether inner nodes end in `/` is not documented,
        so accept both. Only /instance and its sub-paths have a text form. This operation reads JSON.

        Args:
            api_version: Version of the document. The default is the oldest one with every field that is documented
                today; newer ones, up to 2025-04-07, document no more, and are missing on hosts that are updated late. A
                version that the host does not know is answered with 400 and `newest-versions`: choose from these, or ask
                /versions. On Azure Stack Hub use 2021-05-01 or older. Default: 2023-11-15.
            format_: How to write the answer; json unless asked otherwise. For the whole document only json gives the
                model described here, since text lists names of children. text is for sub-paths.
            extended: Adds `extended`, meant for provisioning agents. Known from cloud-init and azure-init, not from
                Microsoft's documentation. cloud-init asks for it at 2021-08-01 and, if that is answered with 400, does
                without.

        Returns:
            Instance: The instance document, at the requested version.

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
