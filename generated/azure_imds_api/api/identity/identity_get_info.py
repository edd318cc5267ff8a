# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx

from ...types import UNSET, Response

if TYPE_CHECKING:
    # Importing these takes time, and a call uses few of them.
    from ...client import AuthenticatedClient, Client
    from ...models.identity_error_response import IdentityErrorResponse
    from ...models.identity_info_response import IdentityInfoResponse
    from ...models.true_flag import TrueFlag


def _get_kwargs(
    *,
    api_version: str = "2018-10-01",
    metadata: TrueFlag = "true",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["Metadata"] = str(metadata)

    params: dict[str, Any] = {}

    params["api-version"] = api_version

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/identity/info",
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> IdentityErrorResponse | IdentityInfoResponse:
    if response.status_code == 200:
        from ...models.identity_info_response import IdentityInfoResponse

        response_200 = IdentityInfoResponse.from_dict(response.json())

        return response_200

    from ...models.identity_error_response import IdentityErrorResponse

    response_default = IdentityErrorResponse.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[IdentityErrorResponse | IdentityInfoResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2018-10-01",
    metadata: TrueFlag = "true",
) -> Response[IdentityErrorResponse | IdentityInfoResponse]:
    """Get the tenant of the system-assigned identity

     Returns the Entra tenant of the system-assigned identity. IMDS has no operation that lists
    identities. The response for a machine without a system-assigned identity is not documented.
    Expect 400. The request fails with 404 while a new identity is not available yet, as for tokens, and
    azure-imds retries that.

    Args:
        api_version (str): Version of the identity endpoints, 2018-02-01 or later. Every host
            supports the default, and no later change is documented. On Azure Arc, the default is
            2020-06-01. Default: '2018-10-01'.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[IdentityErrorResponse | IdentityInfoResponse]
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
    api_version: str = "2018-10-01",
    metadata: TrueFlag = "true",
) -> IdentityErrorResponse | IdentityInfoResponse | None:
    """Get the tenant of the system-assigned identity

     Returns the Entra tenant of the system-assigned identity. IMDS has no operation that lists
    identities. The response for a machine without a system-assigned identity is not documented.
    Expect 400. The request fails with 404 while a new identity is not available yet, as for tokens, and
    azure-imds retries that.

    Args:
        api_version (str): Version of the identity endpoints, 2018-02-01 or later. Every host
            supports the default, and no later change is documented. On Azure Arc, the default is
            2020-06-01. Default: '2018-10-01'.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        IdentityErrorResponse | IdentityInfoResponse
    """

    return sync_detailed(
        client=client,
        api_version=api_version,
        metadata=metadata,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2018-10-01",
    metadata: TrueFlag = "true",
) -> Response[IdentityErrorResponse | IdentityInfoResponse]:
    """Get the tenant of the system-assigned identity

     Returns the Entra tenant of the system-assigned identity. IMDS has no operation that lists
    identities. The response for a machine without a system-assigned identity is not documented.
    Expect 400. The request fails with 404 while a new identity is not available yet, as for tokens, and
    azure-imds retries that.

    Args:
        api_version (str): Version of the identity endpoints, 2018-02-01 or later. Every host
            supports the default, and no later change is documented. On Azure Arc, the default is
            2020-06-01. Default: '2018-10-01'.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[IdentityErrorResponse | IdentityInfoResponse]
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
    api_version: str = "2018-10-01",
    metadata: TrueFlag = "true",
) -> IdentityErrorResponse | IdentityInfoResponse | None:
    """Get the tenant of the system-assigned identity

     Returns the Entra tenant of the system-assigned identity. IMDS has no operation that lists
    identities. The response for a machine without a system-assigned identity is not documented.
    Expect 400. The request fails with 404 while a new identity is not available yet, as for tokens, and
    azure-imds retries that.

    Args:
        api_version (str): Version of the identity endpoints, 2018-02-01 or later. Every host
            supports the default, and no later change is documented. On Azure Arc, the default is
            2020-06-01. Default: '2018-10-01'.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        IdentityErrorResponse | IdentityInfoResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            api_version=api_version,
            metadata=metadata,
        )
    ).parsed
