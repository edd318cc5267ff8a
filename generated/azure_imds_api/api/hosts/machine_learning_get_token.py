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
    api_version: str = "2017-09-01",
    resource: str,
    clientid: str | Unset = UNSET,
    metadata: TrueFlag = "true",
    secret: str,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["Metadata"] = str(metadata)

    headers["secret"] = secret

    params: dict[str, Any] = {}

    params["api-version"] = api_version

    params["resource"] = resource

    params["clientid"] = clientid

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/MSI/auth",
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
    api_version: str = "2017-09-01",
    resource: str,
    clientid: str | Unset = UNSET,
    metadata: TrueFlag = "true",
    secret: str,
) -> Response[Any | IdentityTokenResponse]:
    """Get an access token on Azure Machine Learning or an old App Service

     Returns a token for an identity of the compute. If single sign-on is enabled and no identity is
    named, the
    token is the one of the signed-in user.

    Not verified: the response to a wrong secret.

    Args:
        api_version (str): Version of the endpoint. Default: '2017-09-01'.
        resource (str): App ID URI of the service that the token is for.
        clientid (str | Unset): Client id of a user-assigned identity. Default:
            DEFAULT_IDENTITY_CLIENT_ID, which the platform sets to the identity of the compute.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.
        secret (str): The secret in MSI_SECRET, which protects the endpoint against forged
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
        clientid=clientid,
        metadata=metadata,
        secret=secret,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2017-09-01",
    resource: str,
    clientid: str | Unset = UNSET,
    metadata: TrueFlag = "true",
    secret: str,
) -> Any | IdentityTokenResponse | None:
    """Get an access token on Azure Machine Learning or an old App Service

     Returns a token for an identity of the compute. If single sign-on is enabled and no identity is
    named, the
    token is the one of the signed-in user.

    Not verified: the response to a wrong secret.

    Args:
        api_version (str): Version of the endpoint. Default: '2017-09-01'.
        resource (str): App ID URI of the service that the token is for.
        clientid (str | Unset): Client id of a user-assigned identity. Default:
            DEFAULT_IDENTITY_CLIENT_ID, which the platform sets to the identity of the compute.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.
        secret (str): The secret in MSI_SECRET, which protects the endpoint against forged
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
        clientid=clientid,
        metadata=metadata,
        secret=secret,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2017-09-01",
    resource: str,
    clientid: str | Unset = UNSET,
    metadata: TrueFlag = "true",
    secret: str,
) -> Response[Any | IdentityTokenResponse]:
    """Get an access token on Azure Machine Learning or an old App Service

     Returns a token for an identity of the compute. If single sign-on is enabled and no identity is
    named, the
    token is the one of the signed-in user.

    Not verified: the response to a wrong secret.

    Args:
        api_version (str): Version of the endpoint. Default: '2017-09-01'.
        resource (str): App ID URI of the service that the token is for.
        clientid (str | Unset): Client id of a user-assigned identity. Default:
            DEFAULT_IDENTITY_CLIENT_ID, which the platform sets to the identity of the compute.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.
        secret (str): The secret in MSI_SECRET, which protects the endpoint against forged
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
        clientid=clientid,
        metadata=metadata,
        secret=secret,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2017-09-01",
    resource: str,
    clientid: str | Unset = UNSET,
    metadata: TrueFlag = "true",
    secret: str,
) -> Any | IdentityTokenResponse | None:
    """Get an access token on Azure Machine Learning or an old App Service

     Returns a token for an identity of the compute. If single sign-on is enabled and no identity is
    named, the
    token is the one of the signed-in user.

    Not verified: the response to a wrong secret.

    Args:
        api_version (str): Version of the endpoint. Default: '2017-09-01'.
        resource (str): App ID URI of the service that the token is for.
        clientid (str | Unset): Client id of a user-assigned identity. Default:
            DEFAULT_IDENTITY_CLIENT_ID, which the platform sets to the identity of the compute.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.
        secret (str): The secret in MSI_SECRET, which protects the endpoint against forged
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
            clientid=clientid,
            metadata=metadata,
            secret=secret,
        )
    ).parsed
