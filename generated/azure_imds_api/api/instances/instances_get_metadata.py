# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx

from ...types import UNSET, Response, Unset

if TYPE_CHECKING:
    # Importing these takes time, and a call uses few of them.
    from ...client import AuthenticatedClient, Client
    from ...models.error_response import ErrorResponse
    from ...models.instance import Instance
    from ...models.instances_get_metadata_format import InstancesGetMetadataFormat
    from ...models.true_flag import TrueFlag


def _get_kwargs(
    *,
    api_version: str = "2023-11-15",
    format_: InstancesGetMetadataFormat | Unset = UNSET,
    extended: TrueFlag | Unset = UNSET,
    metadata: TrueFlag = "true",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["Metadata"] = str(metadata)

    params: dict[str, Any] = {}

    params["api-version"] = api_version

    json_format_: str | Unset = UNSET
    if not isinstance(format_, Unset):
        json_format_ = format_

    params["format"] = json_format_

    json_extended: str | Unset = UNSET
    if not isinstance(extended, Unset):
        json_extended = extended

    params["extended"] = json_extended

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/instance",
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> ErrorResponse | Instance:
    if response.status_code == 200:
        from ...models.instance import Instance

        response_200 = Instance.from_dict(response.json())

        return response_200

    from ...models.error_response import ErrorResponse

    response_default = ErrorResponse.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ErrorResponse | Instance]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2023-11-15",
    format_: InstancesGetMetadataFormat | Unset = UNSET,
    extended: TrueFlag | Unset = UNSET,
    metadata: TrueFlag = "true",
) -> Response[ErrorResponse | Instance]:
    """Describe this virtual machine

     Returns `compute`, `network` and, on request, `extended`. Almost all values are strings, including
    numbers and booleans. A field that does not apply is `""`, and an empty list is `[]`. Fields that
    are newer than the requested version are missing.

    The data can be out of date. Tags of a scale set are updated here after a restart, reimage or disk
    change, and a machine that has not changed for a long time may return old values. Early during
    boot the list of network interfaces can be incomplete. A classic (pre-ARM) machine returns
    `network` only. Azure Arc returns a subset of the fields.

    A single node, such as `compute/location`, can be read by its path, without the rest of the
    document.

    Args:
        api_version (str): Version of the document. The default is the oldest version with all
            fields that are documented today. Newer versions, up to 2025-04-07, document no further
            fields, and some hosts do not support them yet. If a host does not support the default,
            azure-imds falls back to an older version. Azure Stack Hub supports 2021-05-01 and older.
            Default: '2023-11-15'.
        format_ (InstancesGetMetadataFormat | Unset): Format of the response: json, which is also
            the default. The text form is meant for sub-paths. For the whole document it contains only
            the names of the top-level nodes.
        extended (TrueFlag | Unset): The word true. To turn the switch off, leave it out: there is
            no false.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | Instance]
    """

    kwargs = _get_kwargs(
        api_version=api_version,
        format_=format_,
        extended=extended,
        metadata=metadata,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2023-11-15",
    format_: InstancesGetMetadataFormat | Unset = UNSET,
    extended: TrueFlag | Unset = UNSET,
    metadata: TrueFlag = "true",
) -> ErrorResponse | Instance | None:
    """Describe this virtual machine

     Returns `compute`, `network` and, on request, `extended`. Almost all values are strings, including
    numbers and booleans. A field that does not apply is `""`, and an empty list is `[]`. Fields that
    are newer than the requested version are missing.

    The data can be out of date. Tags of a scale set are updated here after a restart, reimage or disk
    change, and a machine that has not changed for a long time may return old values. Early during
    boot the list of network interfaces can be incomplete. A classic (pre-ARM) machine returns
    `network` only. Azure Arc returns a subset of the fields.

    A single node, such as `compute/location`, can be read by its path, without the rest of the
    document.

    Args:
        api_version (str): Version of the document. The default is the oldest version with all
            fields that are documented today. Newer versions, up to 2025-04-07, document no further
            fields, and some hosts do not support them yet. If a host does not support the default,
            azure-imds falls back to an older version. Azure Stack Hub supports 2021-05-01 and older.
            Default: '2023-11-15'.
        format_ (InstancesGetMetadataFormat | Unset): Format of the response: json, which is also
            the default. The text form is meant for sub-paths. For the whole document it contains only
            the names of the top-level nodes.
        extended (TrueFlag | Unset): The word true. To turn the switch off, leave it out: there is
            no false.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | Instance
    """

    return sync_detailed(
        client=client,
        api_version=api_version,
        format_=format_,
        extended=extended,
        metadata=metadata,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2023-11-15",
    format_: InstancesGetMetadataFormat | Unset = UNSET,
    extended: TrueFlag | Unset = UNSET,
    metadata: TrueFlag = "true",
) -> Response[ErrorResponse | Instance]:
    """Describe this virtual machine

     Returns `compute`, `network` and, on request, `extended`. Almost all values are strings, including
    numbers and booleans. A field that does not apply is `""`, and an empty list is `[]`. Fields that
    are newer than the requested version are missing.

    The data can be out of date. Tags of a scale set are updated here after a restart, reimage or disk
    change, and a machine that has not changed for a long time may return old values. Early during
    boot the list of network interfaces can be incomplete. A classic (pre-ARM) machine returns
    `network` only. Azure Arc returns a subset of the fields.

    A single node, such as `compute/location`, can be read by its path, without the rest of the
    document.

    Args:
        api_version (str): Version of the document. The default is the oldest version with all
            fields that are documented today. Newer versions, up to 2025-04-07, document no further
            fields, and some hosts do not support them yet. If a host does not support the default,
            azure-imds falls back to an older version. Azure Stack Hub supports 2021-05-01 and older.
            Default: '2023-11-15'.
        format_ (InstancesGetMetadataFormat | Unset): Format of the response: json, which is also
            the default. The text form is meant for sub-paths. For the whole document it contains only
            the names of the top-level nodes.
        extended (TrueFlag | Unset): The word true. To turn the switch off, leave it out: there is
            no false.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | Instance]
    """

    kwargs = _get_kwargs(
        api_version=api_version,
        format_=format_,
        extended=extended,
        metadata=metadata,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2023-11-15",
    format_: InstancesGetMetadataFormat | Unset = UNSET,
    extended: TrueFlag | Unset = UNSET,
    metadata: TrueFlag = "true",
) -> ErrorResponse | Instance | None:
    """Describe this virtual machine

     Returns `compute`, `network` and, on request, `extended`. Almost all values are strings, including
    numbers and booleans. A field that does not apply is `""`, and an empty list is `[]`. Fields that
    are newer than the requested version are missing.

    The data can be out of date. Tags of a scale set are updated here after a restart, reimage or disk
    change, and a machine that has not changed for a long time may return old values. Early during
    boot the list of network interfaces can be incomplete. A classic (pre-ARM) machine returns
    `network` only. Azure Arc returns a subset of the fields.

    A single node, such as `compute/location`, can be read by its path, without the rest of the
    document.

    Args:
        api_version (str): Version of the document. The default is the oldest version with all
            fields that are documented today. Newer versions, up to 2025-04-07, document no further
            fields, and some hosts do not support them yet. If a host does not support the default,
            azure-imds falls back to an older version. Azure Stack Hub supports 2021-05-01 and older.
            Default: '2023-11-15'.
        format_ (InstancesGetMetadataFormat | Unset): Format of the response: json, which is also
            the default. The text form is meant for sub-paths. For the whole document it contains only
            the names of the top-level nodes.
        extended (TrueFlag | Unset): The word true. To turn the switch off, leave it out: there is
            no false.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | Instance
    """

    return (
        await asyncio_detailed(
            client=client,
            api_version=api_version,
            format_=format_,
            extended=extended,
            metadata=metadata,
        )
    ).parsed
