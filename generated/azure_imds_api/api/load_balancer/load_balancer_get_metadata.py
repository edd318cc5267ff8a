# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx

from ...models.error_response import ErrorResponse
from ...models.load_balancer_response import LoadBalancerResponse
from ...models.true_flag import TrueFlag
from ...types import UNSET, Response

if TYPE_CHECKING:
    # The facade does not use these, and importing them takes time.
    from ...client import AuthenticatedClient, Client


def _get_kwargs(
    *,
    api_version: str = "2020-10-01",
    metadata: TrueFlag = "true",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["Metadata"] = str(metadata)

    params: dict[str, Any] = {}

    params["api-version"] = api_version

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/loadbalancer",
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorResponse | LoadBalancerResponse:
    if response.status_code == 200:
        response_200 = LoadBalancerResponse.from_dict(response.json())

        return response_200

    response_default = ErrorResponse.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ErrorResponse | LoadBalancerResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2020-10-01",
    metadata: TrueFlag = "true",
) -> Response[ErrorResponse | LoadBalancerResponse]:
    """Describe the load balancer in front of this virtual machine

     Instance-level public addresses and the inbound and outbound rules that concern this machine. For
    machines behind a Standard load balancer or with a Standard public address; /instance shows no such
    address. Ports are integers here, unlike the strings of /instance.

    IPv6 addresses come in brackets (`[2001:db8::4]`) according to the Kubernetes cloud provider, bare
    in
    Microsoft's sample: accept both.

    404 has three meanings: no load balancer here or one of the Basic SKU, a wrong path, or a feature
    that
    is still being enabled. Only the text tells them apart. Not available on Azure Stack Hub.

    Args:
        api_version (str): Version of the answer, 2020-10-01 or later. The default is the version
            that introduced the category, the one in Microsoft's own samples and so the one on most
            hosts; nothing is documented as added since. 2023-07-01 is in use in the field too.
            Default: '2020-10-01'.
        metadata (TrueFlag): The word true. A switch that is either given so or left out; there is
            no false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | LoadBalancerResponse]
    """

    kwargs = _get_kwargs(
        api_version=api_version,
        metadata=metadata,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2020-10-01",
    metadata: TrueFlag = "true",
) -> ErrorResponse | LoadBalancerResponse | None:
    """Describe the load balancer in front of this virtual machine

     Instance-level public addresses and the inbound and outbound rules that concern this machine. For
    machines behind a Standard load balancer or with a Standard public address; /instance shows no such
    address. Ports are integers here, unlike the strings of /instance.

    IPv6 addresses come in brackets (`[2001:db8::4]`) according to the Kubernetes cloud provider, bare
    in
    Microsoft's sample: accept both.

    404 has three meanings: no load balancer here or one of the Basic SKU, a wrong path, or a feature
    that
    is still being enabled. Only the text tells them apart. Not available on Azure Stack Hub.

    Args:
        api_version (str): Version of the answer, 2020-10-01 or later. The default is the version
            that introduced the category, the one in Microsoft's own samples and so the one on most
            hosts; nothing is documented as added since. 2023-07-01 is in use in the field too.
            Default: '2020-10-01'.
        metadata (TrueFlag): The word true. A switch that is either given so or left out; there is
            no false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | LoadBalancerResponse
    """

    return sync_detailed(
        client=client,
        api_version=api_version,
        metadata=metadata,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2020-10-01",
    metadata: TrueFlag = "true",
) -> Response[ErrorResponse | LoadBalancerResponse]:
    """Describe the load balancer in front of this virtual machine

     Instance-level public addresses and the inbound and outbound rules that concern this machine. For
    machines behind a Standard load balancer or with a Standard public address; /instance shows no such
    address. Ports are integers here, unlike the strings of /instance.

    IPv6 addresses come in brackets (`[2001:db8::4]`) according to the Kubernetes cloud provider, bare
    in
    Microsoft's sample: accept both.

    404 has three meanings: no load balancer here or one of the Basic SKU, a wrong path, or a feature
    that
    is still being enabled. Only the text tells them apart. Not available on Azure Stack Hub.

    Args:
        api_version (str): Version of the answer, 2020-10-01 or later. The default is the version
            that introduced the category, the one in Microsoft's own samples and so the one on most
            hosts; nothing is documented as added since. 2023-07-01 is in use in the field too.
            Default: '2020-10-01'.
        metadata (TrueFlag): The word true. A switch that is either given so or left out; there is
            no false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | LoadBalancerResponse]
    """

    kwargs = _get_kwargs(
        api_version=api_version,
        metadata=metadata,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2020-10-01",
    metadata: TrueFlag = "true",
) -> ErrorResponse | LoadBalancerResponse | None:
    """Describe the load balancer in front of this virtual machine

     Instance-level public addresses and the inbound and outbound rules that concern this machine. For
    machines behind a Standard load balancer or with a Standard public address; /instance shows no such
    address. Ports are integers here, unlike the strings of /instance.

    IPv6 addresses come in brackets (`[2001:db8::4]`) according to the Kubernetes cloud provider, bare
    in
    Microsoft's sample: accept both.

    404 has three meanings: no load balancer here or one of the Basic SKU, a wrong path, or a feature
    that
    is still being enabled. Only the text tells them apart. Not available on Azure Stack Hub.

    Args:
        api_version (str): Version of the answer, 2020-10-01 or later. The default is the version
            that introduced the category, the one in Microsoft's own samples and so the one on most
            hosts; nothing is documented as added since. 2023-07-01 is in use in the field too.
            Default: '2020-10-01'.
        metadata (TrueFlag): The word true. A switch that is either given so or left out; there is
            no false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | LoadBalancerResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            api_version=api_version,
            metadata=metadata,
        )
    ).parsed
