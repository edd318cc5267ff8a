# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import httpx

from ...types import UNSET, Response, Unset

if TYPE_CHECKING:
    # Importing these takes time, and a call uses few of them.
    from ...client import AuthenticatedClient, Client
    from ...models.identity_token_response import IdentityTokenResponse


def _get_kwargs(
    *,
    api_version: str = "2020-05-01",
    resource: str,
    principal_id: str | Unset = UNSET,
    secret: str,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["Secret"] = secret

    params: dict[str, Any] = {}

    params["api-version"] = api_version

    params["resource"] = resource

    params["principalId"] = principal_id

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/metadata/identity/oauth2/token",
        "params": params,
    }

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
    api_version: str = "2020-05-01",
    resource: str,
    principal_id: str | Unset = UNSET,
    secret: str,
) -> Response[Any | IdentityTokenResponse]:
    """Get an access token on Service Fabric

     Returns a token of the identity that the application manifest assigns. A user-assigned identity can
    be
    selected by its object id only. 404 means that the application has no identity, so it is not
    repeated.

    Args:
        api_version (str): Version of the endpoint. The default is in IDENTITY_API_VERSION, or
            else 2020-05-01. Default: '2020-05-01'.
        resource (str): App ID URI of the service that the token is for.
        principal_id (str | Unset): Object id of a user-assigned identity of the application.
        secret (str): The secret in IDENTITY_HEADER, which protects the endpoint against forged
            requests.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | IdentityTokenResponse]
    """

    kwargs = _get_kwargs(
        api_version=api_version,
        resource=resource,
        principal_id=principal_id,
        secret=secret,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2020-05-01",
    resource: str,
    principal_id: str | Unset = UNSET,
    secret: str,
) -> Any | IdentityTokenResponse | None:
    """Get an access token on Service Fabric

     Returns a token of the identity that the application manifest assigns. A user-assigned identity can
    be
    selected by its object id only. 404 means that the application has no identity, so it is not
    repeated.

    Args:
        api_version (str): Version of the endpoint. The default is in IDENTITY_API_VERSION, or
            else 2020-05-01. Default: '2020-05-01'.
        resource (str): App ID URI of the service that the token is for.
        principal_id (str | Unset): Object id of a user-assigned identity of the application.
        secret (str): The secret in IDENTITY_HEADER, which protects the endpoint against forged
            requests.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | IdentityTokenResponse
    """

    return sync_detailed(
        client=client,
        api_version=api_version,
        resource=resource,
        principal_id=principal_id,
        secret=secret,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2020-05-01",
    resource: str,
    principal_id: str | Unset = UNSET,
    secret: str,
) -> Response[Any | IdentityTokenResponse]:
    """Get an access token on Service Fabric

     Returns a token of the identity that the application manifest assigns. A user-assigned identity can
    be
    selected by its object id only. 404 means that the application has no identity, so it is not
    repeated.

    Args:
        api_version (str): Version of the endpoint. The default is in IDENTITY_API_VERSION, or
            else 2020-05-01. Default: '2020-05-01'.
        resource (str): App ID URI of the service that the token is for.
        principal_id (str | Unset): Object id of a user-assigned identity of the application.
        secret (str): The secret in IDENTITY_HEADER, which protects the endpoint against forged
            requests.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | IdentityTokenResponse]
    """

    kwargs = _get_kwargs(
        api_version=api_version,
        resource=resource,
        principal_id=principal_id,
        secret=secret,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2020-05-01",
    resource: str,
    principal_id: str | Unset = UNSET,
    secret: str,
) -> Any | IdentityTokenResponse | None:
    """Get an access token on Service Fabric

     Returns a token of the identity that the application manifest assigns. A user-assigned identity can
    be
    selected by its object id only. 404 means that the application has no identity, so it is not
    repeated.

    Args:
        api_version (str): Version of the endpoint. The default is in IDENTITY_API_VERSION, or
            else 2020-05-01. Default: '2020-05-01'.
        resource (str): App ID URI of the service that the token is for.
        principal_id (str | Unset): Object id of a user-assigned identity of the application.
        secret (str): The secret in IDENTITY_HEADER, which protects the endpoint against forged
            requests.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | IdentityTokenResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            api_version=api_version,
            resource=resource,
            principal_id=principal_id,
            secret=secret,
        )
    ).parsed
