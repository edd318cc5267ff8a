# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import httpx

from ...types import Response

if TYPE_CHECKING:
    # Importing these takes time, and a call uses few of them.
    from ...client import AuthenticatedClient, Client
    from ...models.identity_token_response import IdentityTokenResponse
    from ...models.workload_identity_token_request import WorkloadIdentityTokenRequest


def _get_kwargs(
    tenant: str,
    *,
    body: WorkloadIdentityTokenRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/{tenant}/oauth2/v2.0/token".format(
            tenant=quote(str(tenant), safe=""),
        ),
    }

    _kwargs["data"] = body.to_dict()
    headers["Content-Type"] = "application/x-www-form-urlencoded"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Any | IdentityTokenResponse:
    if response.status_code == 200:
        from ...models.identity_token_response import IdentityTokenResponse

        response_200 = IdentityTokenResponse.from_dict(response.json())

        return response_200

    response_default = cast(Any, None)
    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Any | IdentityTokenResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    tenant: str,
    *,
    client: AuthenticatedClient | Client,
    body: WorkloadIdentityTokenRequest,
) -> Response[Any | IdentityTokenResponse]:
    """Exchange the token of a Kubernetes service account for an access token

     Returns a token of the identity whose federated credential names the service account of the pod.

    Args:
        tenant (str): Tenant of the identity.
        body (WorkloadIdentityTokenRequest): The form of a token request with the token of a
            Kubernetes service account.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | IdentityTokenResponse]
    """

    kwargs = _get_kwargs(
        tenant=tenant,
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    tenant: str,
    *,
    client: AuthenticatedClient | Client,
    body: WorkloadIdentityTokenRequest,
) -> Any | IdentityTokenResponse | None:
    """Exchange the token of a Kubernetes service account for an access token

     Returns a token of the identity whose federated credential names the service account of the pod.

    Args:
        tenant (str): Tenant of the identity.
        body (WorkloadIdentityTokenRequest): The form of a token request with the token of a
            Kubernetes service account.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | IdentityTokenResponse
    """

    return sync_detailed(
        tenant=tenant,
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    tenant: str,
    *,
    client: AuthenticatedClient | Client,
    body: WorkloadIdentityTokenRequest,
) -> Response[Any | IdentityTokenResponse]:
    """Exchange the token of a Kubernetes service account for an access token

     Returns a token of the identity whose federated credential names the service account of the pod.

    Args:
        tenant (str): Tenant of the identity.
        body (WorkloadIdentityTokenRequest): The form of a token request with the token of a
            Kubernetes service account.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | IdentityTokenResponse]
    """

    kwargs = _get_kwargs(
        tenant=tenant,
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    tenant: str,
    *,
    client: AuthenticatedClient | Client,
    body: WorkloadIdentityTokenRequest,
) -> Any | IdentityTokenResponse | None:
    """Exchange the token of a Kubernetes service account for an access token

     Returns a token of the identity whose federated credential names the service account of the pod.

    Args:
        tenant (str): Tenant of the identity.
        body (WorkloadIdentityTokenRequest): The form of a token request with the token of a
            Kubernetes service account.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | IdentityTokenResponse
    """

    return (
        await asyncio_detailed(
            tenant=tenant,
            client=client,
            body=body,
        )
    ).parsed
