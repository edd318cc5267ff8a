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
    from ...models.true_flag import TrueFlag


def _get_kwargs(
    *,
    api_version: str = "2019-08-01",
    resource: str,
    client_id: str | Unset = UNSET,
    object_id: str | Unset = UNSET,
    mi_res_id: str | Unset = UNSET,
    metadata: TrueFlag = "true",
    x_identity_header: str,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["Metadata"] = str(metadata)

    headers["X-IDENTITY-HEADER"] = x_identity_header

    params: dict[str, Any] = {}

    params["api-version"] = api_version

    params["resource"] = resource

    params["client_id"] = client_id

    params["object_id"] = object_id

    params["mi_res_id"] = mi_res_id

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/msi/token",
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
    api_version: str = "2019-08-01",
    resource: str,
    client_id: str | Unset = UNSET,
    object_id: str | Unset = UNSET,
    mi_res_id: str | Unset = UNSET,
    metadata: TrueFlag = "true",
    x_identity_header: str,
) -> Response[Any | IdentityTokenResponse]:
    """Get an access token on App Service

     Returns a token for an identity of the app. Without a selector, it is the system-assigned identity,
    which
    may not exist. The platform caches tokens for about 24 hours, and a refresh cannot be forced.

    Not verified: the response to a wrong or outdated header.

    Args:
        api_version (str): Version of the endpoint. The default is the only version that is
            documented. Default: '2019-08-01'.
        resource (str): App ID URI of the service that the token is for.
        client_id (str | Unset): Client id of a user-assigned identity.
        object_id (str | Unset): Object id of a user-assigned identity of the app.
        mi_res_id (str | Unset): Azure resource id of a user-assigned identity of the app.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.
        x_identity_header (str): The secret in IDENTITY_HEADER, which protects the endpoint
            against forged requests.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | IdentityTokenResponse]
    """

    kwargs = _get_kwargs(
        api_version=api_version,
        resource=resource,
        client_id=client_id,
        object_id=object_id,
        mi_res_id=mi_res_id,
        metadata=metadata,
        x_identity_header=x_identity_header,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2019-08-01",
    resource: str,
    client_id: str | Unset = UNSET,
    object_id: str | Unset = UNSET,
    mi_res_id: str | Unset = UNSET,
    metadata: TrueFlag = "true",
    x_identity_header: str,
) -> Any | IdentityTokenResponse | None:
    """Get an access token on App Service

     Returns a token for an identity of the app. Without a selector, it is the system-assigned identity,
    which
    may not exist. The platform caches tokens for about 24 hours, and a refresh cannot be forced.

    Not verified: the response to a wrong or outdated header.

    Args:
        api_version (str): Version of the endpoint. The default is the only version that is
            documented. Default: '2019-08-01'.
        resource (str): App ID URI of the service that the token is for.
        client_id (str | Unset): Client id of a user-assigned identity.
        object_id (str | Unset): Object id of a user-assigned identity of the app.
        mi_res_id (str | Unset): Azure resource id of a user-assigned identity of the app.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.
        x_identity_header (str): The secret in IDENTITY_HEADER, which protects the endpoint
            against forged requests.

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
        client_id=client_id,
        object_id=object_id,
        mi_res_id=mi_res_id,
        metadata=metadata,
        x_identity_header=x_identity_header,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2019-08-01",
    resource: str,
    client_id: str | Unset = UNSET,
    object_id: str | Unset = UNSET,
    mi_res_id: str | Unset = UNSET,
    metadata: TrueFlag = "true",
    x_identity_header: str,
) -> Response[Any | IdentityTokenResponse]:
    """Get an access token on App Service

     Returns a token for an identity of the app. Without a selector, it is the system-assigned identity,
    which
    may not exist. The platform caches tokens for about 24 hours, and a refresh cannot be forced.

    Not verified: the response to a wrong or outdated header.

    Args:
        api_version (str): Version of the endpoint. The default is the only version that is
            documented. Default: '2019-08-01'.
        resource (str): App ID URI of the service that the token is for.
        client_id (str | Unset): Client id of a user-assigned identity.
        object_id (str | Unset): Object id of a user-assigned identity of the app.
        mi_res_id (str | Unset): Azure resource id of a user-assigned identity of the app.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.
        x_identity_header (str): The secret in IDENTITY_HEADER, which protects the endpoint
            against forged requests.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | IdentityTokenResponse]
    """

    kwargs = _get_kwargs(
        api_version=api_version,
        resource=resource,
        client_id=client_id,
        object_id=object_id,
        mi_res_id=mi_res_id,
        metadata=metadata,
        x_identity_header=x_identity_header,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2019-08-01",
    resource: str,
    client_id: str | Unset = UNSET,
    object_id: str | Unset = UNSET,
    mi_res_id: str | Unset = UNSET,
    metadata: TrueFlag = "true",
    x_identity_header: str,
) -> Any | IdentityTokenResponse | None:
    """Get an access token on App Service

     Returns a token for an identity of the app. Without a selector, it is the system-assigned identity,
    which
    may not exist. The platform caches tokens for about 24 hours, and a refresh cannot be forced.

    Not verified: the response to a wrong or outdated header.

    Args:
        api_version (str): Version of the endpoint. The default is the only version that is
            documented. Default: '2019-08-01'.
        resource (str): App ID URI of the service that the token is for.
        client_id (str | Unset): Client id of a user-assigned identity.
        object_id (str | Unset): Object id of a user-assigned identity of the app.
        mi_res_id (str | Unset): Azure resource id of a user-assigned identity of the app.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.
        x_identity_header (str): The secret in IDENTITY_HEADER, which protects the endpoint
            against forged requests.

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
            client_id=client_id,
            object_id=object_id,
            mi_res_id=mi_res_id,
            metadata=metadata,
            x_identity_header=x_identity_header,
        )
    ).parsed
