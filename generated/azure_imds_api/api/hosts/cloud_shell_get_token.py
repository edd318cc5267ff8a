# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import httpx

from ...types import Response

if TYPE_CHECKING:
    # Importing these takes time, and a call uses few of them.
    from ...client import AuthenticatedClient, Client
    from ...models.cloud_shell_token_request import CloudShellTokenRequest
    from ...models.identity_token_response import IdentityTokenResponse
    from ...models.true_flag import TrueFlag


def _get_kwargs(
    *,
    body: CloudShellTokenRequest,
    metadata: TrueFlag = "true",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["Metadata"] = str(metadata)

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/oauth2/token",
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
    *,
    client: AuthenticatedClient | Client,
    body: CloudShellTokenRequest,
    metadata: TrueFlag = "true",
) -> Response[Any | IdentityTokenResponse]:
    """Get an access token of the user of Cloud Shell

     Returns a token of the signed-in user. Cloud Shell has no managed identity, so no identity can be
    selected.

    Args:
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.
        body (CloudShellTokenRequest): The form of a token request on Cloud Shell.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | IdentityTokenResponse]
    """

    kwargs = _get_kwargs(
        body=body,
        metadata=metadata,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    body: CloudShellTokenRequest,
    metadata: TrueFlag = "true",
) -> Any | IdentityTokenResponse | None:
    """Get an access token of the user of Cloud Shell

     Returns a token of the signed-in user. Cloud Shell has no managed identity, so no identity can be
    selected.

    Args:
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.
        body (CloudShellTokenRequest): The form of a token request on Cloud Shell.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | IdentityTokenResponse
    """

    return sync_detailed(
        client=client,
        body=body,
        metadata=metadata,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: CloudShellTokenRequest,
    metadata: TrueFlag = "true",
) -> Response[Any | IdentityTokenResponse]:
    """Get an access token of the user of Cloud Shell

     Returns a token of the signed-in user. Cloud Shell has no managed identity, so no identity can be
    selected.

    Args:
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.
        body (CloudShellTokenRequest): The form of a token request on Cloud Shell.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | IdentityTokenResponse]
    """

    kwargs = _get_kwargs(
        body=body,
        metadata=metadata,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: CloudShellTokenRequest,
    metadata: TrueFlag = "true",
) -> Any | IdentityTokenResponse | None:
    """Get an access token of the user of Cloud Shell

     Returns a token of the signed-in user. Cloud Shell has no managed identity, so no identity can be
    selected.

    Args:
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.
        body (CloudShellTokenRequest): The form of a token request on Cloud Shell.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | IdentityTokenResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            metadata=metadata,
        )
    ).parsed
