# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx

from ...types import UNSET, Response

if TYPE_CHECKING:
    # Importing these takes time, and a call uses few of them.
    from ...client import AuthenticatedClient, Client
    from ...models.error_response import ErrorResponse
    from ...models.load_balancer_response import LoadBalancerResponse
    from ...models.true_flag import TrueFlag


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
        from ...models.load_balancer_response import LoadBalancerResponse

        response_200 = LoadBalancerResponse.from_dict(response.json())

        return response_200

    from ...models.error_response import ErrorResponse

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
    """Get the load balancer configuration of this virtual machine

     Returns the instance-level public IP addresses of this machine, and the inbound and outbound rules
    that apply to it. Only for machines behind a Standard load balancer or with a Standard public IP
    address, which /instance does not contain. Ports are integers here, unlike the strings of
    /instance.

    IPv6 addresses have brackets (`[2001:db8::4]`) according to the Kubernetes cloud provider, and no
    brackets in Microsoft's sample. Accept both.

    The request fails with 404 if the machine has no load balancer or one of the Basic SKU, and while
    the feature is still being enabled. Only the error text distinguishes these cases. Not available
    on Azure Stack Hub.

    Args:
        api_version (str): Version of the response, 2020-10-01 or later. The default is the
            version that introduced this operation. Microsoft's samples use it, so most hosts support
            it. No later addition is documented. 2023-07-01 is also in use. Default: '2020-10-01'.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

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
    """Get the load balancer configuration of this virtual machine

     Returns the instance-level public IP addresses of this machine, and the inbound and outbound rules
    that apply to it. Only for machines behind a Standard load balancer or with a Standard public IP
    address, which /instance does not contain. Ports are integers here, unlike the strings of
    /instance.

    IPv6 addresses have brackets (`[2001:db8::4]`) according to the Kubernetes cloud provider, and no
    brackets in Microsoft's sample. Accept both.

    The request fails with 404 if the machine has no load balancer or one of the Basic SKU, and while
    the feature is still being enabled. Only the error text distinguishes these cases. Not available
    on Azure Stack Hub.

    Args:
        api_version (str): Version of the response, 2020-10-01 or later. The default is the
            version that introduced this operation. Microsoft's samples use it, so most hosts support
            it. No later addition is documented. 2023-07-01 is also in use. Default: '2020-10-01'.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

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
    """Get the load balancer configuration of this virtual machine

     Returns the instance-level public IP addresses of this machine, and the inbound and outbound rules
    that apply to it. Only for machines behind a Standard load balancer or with a Standard public IP
    address, which /instance does not contain. Ports are integers here, unlike the strings of
    /instance.

    IPv6 addresses have brackets (`[2001:db8::4]`) according to the Kubernetes cloud provider, and no
    brackets in Microsoft's sample. Accept both.

    The request fails with 404 if the machine has no load balancer or one of the Basic SKU, and while
    the feature is still being enabled. Only the error text distinguishes these cases. Not available
    on Azure Stack Hub.

    Args:
        api_version (str): Version of the response, 2020-10-01 or later. The default is the
            version that introduced this operation. Microsoft's samples use it, so most hosts support
            it. No later addition is documented. 2023-07-01 is also in use. Default: '2020-10-01'.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

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
    """Get the load balancer configuration of this virtual machine

     Returns the instance-level public IP addresses of this machine, and the inbound and outbound rules
    that apply to it. Only for machines behind a Standard load balancer or with a Standard public IP
    address, which /instance does not contain. Ports are integers here, unlike the strings of
    /instance.

    IPv6 addresses have brackets (`[2001:db8::4]`) according to the Kubernetes cloud provider, and no
    brackets in Microsoft's sample. Accept both.

    The request fails with 404 if the machine has no load balancer or one of the Basic SKU, and while
    the feature is still being enabled. Only the error text distinguishes these cases. Not available
    on Azure Stack Hub.

    Args:
        api_version (str): Version of the response, 2020-10-01 or later. The default is the
            version that introduced this operation. Microsoft's samples use it, so most hosts support
            it. No later addition is documented. 2023-07-01 is also in use. Default: '2020-10-01'.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

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
