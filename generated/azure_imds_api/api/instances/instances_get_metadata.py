# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx

from ...models.error_response import ErrorResponse
from ...models.instance import Instance
from ...models.instances_get_metadata_format import InstancesGetMetadataFormat
from ...models.true_flag import TrueFlag
from ...types import UNSET, Response, Unset

if TYPE_CHECKING:
    # The facade does not use these, and importing them takes time.
    from ...client import AuthenticatedClient, Client


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
        response_200 = Instance.from_dict(response.json())

        return response_200

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

     The whole document: `compute`, `network` and, on request, `extended`. Almost every scalar is a
    string,
    numbers and booleans too. A field that does not apply is `""`, a list without members is `[]`, and a
    field younger than the requested version is missing.

    Data may lag: tags of a scale set reach IMDS after a restart, reimage or disk change, and a machine
    that has not been touched for long may show old values. Early in boot the list of interfaces can be
    incomplete. A classic (pre-ARM) machine has `network` only. Azure Arc serves a subset of these
    fields.

    **Sub-paths.** Any key or array index of the document may be appended to the path, as in
    `/instance/compute/tagsList` or `/instance/network/interface/0/macAddress`. The answer is that node
    alone, without a wrapper, or 404 if there is none. Send keys in their exact case. An object or array
    comes as JSON. A scalar has no JSON form: without `format=text` it is answered with 400.

    **Text.** `format=text` turns a scalar into its bare value (empty body for `""`) and an object or
    array into the names of its children, one on a line; whether inner nodes end in `/` is not
    documented,
    so accept both. Only /instance and its sub-paths have a text form. This operation reads JSON.

    Args:
        api_version (str): Version of the document. The default is the oldest one with every field
            that is documented today; newer ones, up to 2025-04-07, document no more, and are missing
            on hosts that are updated late. A version that the host does not know is answered with 400
            and `newest-versions`: choose from these, or ask /versions. On Azure Stack Hub use
            2021-05-01 or older. Default: '2023-11-15'.
        format_ (InstancesGetMetadataFormat | Unset): How to write the answer; json unless asked
            otherwise. For the whole document only json gives the model described here, since text
            lists names of children. text is for sub-paths.
        extended (TrueFlag | Unset): The word true. A switch that is either given so or left out;
            there is no false.
        metadata (TrueFlag): The word true. A switch that is either given so or left out; there is
            no false. Default: 'true'.

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

     The whole document: `compute`, `network` and, on request, `extended`. Almost every scalar is a
    string,
    numbers and booleans too. A field that does not apply is `""`, a list without members is `[]`, and a
    field younger than the requested version is missing.

    Data may lag: tags of a scale set reach IMDS after a restart, reimage or disk change, and a machine
    that has not been touched for long may show old values. Early in boot the list of interfaces can be
    incomplete. A classic (pre-ARM) machine has `network` only. Azure Arc serves a subset of these
    fields.

    **Sub-paths.** Any key or array index of the document may be appended to the path, as in
    `/instance/compute/tagsList` or `/instance/network/interface/0/macAddress`. The answer is that node
    alone, without a wrapper, or 404 if there is none. Send keys in their exact case. An object or array
    comes as JSON. A scalar has no JSON form: without `format=text` it is answered with 400.

    **Text.** `format=text` turns a scalar into its bare value (empty body for `""`) and an object or
    array into the names of its children, one on a line; whether inner nodes end in `/` is not
    documented,
    so accept both. Only /instance and its sub-paths have a text form. This operation reads JSON.

    Args:
        api_version (str): Version of the document. The default is the oldest one with every field
            that is documented today; newer ones, up to 2025-04-07, document no more, and are missing
            on hosts that are updated late. A version that the host does not know is answered with 400
            and `newest-versions`: choose from these, or ask /versions. On Azure Stack Hub use
            2021-05-01 or older. Default: '2023-11-15'.
        format_ (InstancesGetMetadataFormat | Unset): How to write the answer; json unless asked
            otherwise. For the whole document only json gives the model described here, since text
            lists names of children. text is for sub-paths.
        extended (TrueFlag | Unset): The word true. A switch that is either given so or left out;
            there is no false.
        metadata (TrueFlag): The word true. A switch that is either given so or left out; there is
            no false. Default: 'true'.

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

     The whole document: `compute`, `network` and, on request, `extended`. Almost every scalar is a
    string,
    numbers and booleans too. A field that does not apply is `""`, a list without members is `[]`, and a
    field younger than the requested version is missing.

    Data may lag: tags of a scale set reach IMDS after a restart, reimage or disk change, and a machine
    that has not been touched for long may show old values. Early in boot the list of interfaces can be
    incomplete. A classic (pre-ARM) machine has `network` only. Azure Arc serves a subset of these
    fields.

    **Sub-paths.** Any key or array index of the document may be appended to the path, as in
    `/instance/compute/tagsList` or `/instance/network/interface/0/macAddress`. The answer is that node
    alone, without a wrapper, or 404 if there is none. Send keys in their exact case. An object or array
    comes as JSON. A scalar has no JSON form: without `format=text` it is answered with 400.

    **Text.** `format=text` turns a scalar into its bare value (empty body for `""`) and an object or
    array into the names of its children, one on a line; whether inner nodes end in `/` is not
    documented,
    so accept both. Only /instance and its sub-paths have a text form. This operation reads JSON.

    Args:
        api_version (str): Version of the document. The default is the oldest one with every field
            that is documented today; newer ones, up to 2025-04-07, document no more, and are missing
            on hosts that are updated late. A version that the host does not know is answered with 400
            and `newest-versions`: choose from these, or ask /versions. On Azure Stack Hub use
            2021-05-01 or older. Default: '2023-11-15'.
        format_ (InstancesGetMetadataFormat | Unset): How to write the answer; json unless asked
            otherwise. For the whole document only json gives the model described here, since text
            lists names of children. text is for sub-paths.
        extended (TrueFlag | Unset): The word true. A switch that is either given so or left out;
            there is no false.
        metadata (TrueFlag): The word true. A switch that is either given so or left out; there is
            no false. Default: 'true'.

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

     The whole document: `compute`, `network` and, on request, `extended`. Almost every scalar is a
    string,
    numbers and booleans too. A field that does not apply is `""`, a list without members is `[]`, and a
    field younger than the requested version is missing.

    Data may lag: tags of a scale set reach IMDS after a restart, reimage or disk change, and a machine
    that has not been touched for long may show old values. Early in boot the list of interfaces can be
    incomplete. A classic (pre-ARM) machine has `network` only. Azure Arc serves a subset of these
    fields.

    **Sub-paths.** Any key or array index of the document may be appended to the path, as in
    `/instance/compute/tagsList` or `/instance/network/interface/0/macAddress`. The answer is that node
    alone, without a wrapper, or 404 if there is none. Send keys in their exact case. An object or array
    comes as JSON. A scalar has no JSON form: without `format=text` it is answered with 400.

    **Text.** `format=text` turns a scalar into its bare value (empty body for `""`) and an object or
    array into the names of its children, one on a line; whether inner nodes end in `/` is not
    documented,
    so accept both. Only /instance and its sub-paths have a text form. This operation reads JSON.

    Args:
        api_version (str): Version of the document. The default is the oldest one with every field
            that is documented today; newer ones, up to 2025-04-07, document no more, and are missing
            on hosts that are updated late. A version that the host does not know is answered with 400
            and `newest-versions`: choose from these, or ask /versions. On Azure Stack Hub use
            2021-05-01 or older. Default: '2023-11-15'.
        format_ (InstancesGetMetadataFormat | Unset): How to write the answer; json unless asked
            otherwise. For the whole document only json gives the model described here, since text
            lists names of children. text is for sub-paths.
        extended (TrueFlag | Unset): The word true. A switch that is either given so or left out;
            there is no false.
        metadata (TrueFlag): The word true. A switch that is either given so or left out; there is
            no false. Default: 'true'.

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
