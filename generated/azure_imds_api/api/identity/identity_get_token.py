# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx

from ...types import UNSET, Response, Unset

if TYPE_CHECKING:
    # Importing these takes time, and a call uses few of them.
    from ...client import AuthenticatedClient, Client
    from ...models.identity_error_response import IdentityErrorResponse
    from ...models.identity_token_response import IdentityTokenResponse
    from ...models.true_flag import TrueFlag


def _get_kwargs(
    *,
    api_version: str = "2018-10-01",
    resource: str,
    client_id: str | Unset = UNSET,
    object_id: str | Unset = UNSET,
    msi_res_id: str | Unset = UNSET,
    authority: str | Unset = UNSET,
    bypass_cache: TrueFlag | Unset = UNSET,
    metadata: TrueFlag = "true",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["Metadata"] = str(metadata)

    params: dict[str, Any] = {}

    params["api-version"] = api_version

    params["resource"] = resource

    params["client_id"] = client_id

    params["object_id"] = object_id

    params["msi_res_id"] = msi_res_id

    params["authority"] = authority

    json_bypass_cache: str | Unset = UNSET
    if not isinstance(bypass_cache, Unset):
        json_bypass_cache = bypass_cache

    params["bypass_cache"] = json_bypass_cache

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/identity/oauth2/token",
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> IdentityErrorResponse | IdentityTokenResponse:
    if response.status_code == 200:
        from ...models.identity_token_response import IdentityTokenResponse

        response_200 = IdentityTokenResponse.from_dict(response.json())

        return response_200

    from ...models.identity_error_response import IdentityErrorResponse

    response_default = IdentityErrorResponse.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[IdentityErrorResponse | IdentityTokenResponse]:
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
    resource: str,
    client_id: str | Unset = UNSET,
    object_id: str | Unset = UNSET,
    msi_res_id: str | Unset = UNSET,
    authority: str | Unset = UNSET,
    bypass_cache: TrueFlag | Unset = UNSET,
    metadata: TrueFlag = "true",
) -> Response[IdentityErrorResponse | IdentityTokenResponse]:
    """Get an access token for a managed identity

     Returns one access token for one resource. `client_id`, `object_id` or `msi_res_id` selects a
    user-assigned identity. Pass at most one of them. Without a selector, IMDS uses the
    system-assigned identity. If there is none, it uses the only user-assigned identity. If there are
    several, the request fails with 400.

    Azure caches tokens for about 24 hours per resource. So `expires_in` can be less than the full
    lifetime, and changes of roles or group memberships take hours to appear in tokens.

    The request fails with 400 if the machine has no such identity, or if the tenant does not know the
    resource. It fails with 404 while a new identity is not available yet, or while the host is being
    updated, and azure-imds retries that. It fails with 429 above 20 requests per second or 5 at the
    same
    time.

    On Azure Arc, azure-imds answers the agent's challenge, which requires read access to the agent's
    key
    file. Agents that support user-assigned identities repeat the selector in the response. Older agents
    ignore the selector and return a token of the system-assigned identity, which azure-imds rejects.

    Args:
        api_version (str): Version of the identity endpoints, 2018-02-01 or later. Every host
            supports the default, and no later change is documented. On Azure Arc, the default is
            2020-06-01. Default: '2018-10-01'.
        resource (str): App ID URI of the service that the token is for. It becomes the token's
            `aud` claim. Pass a resource, not a scope: omit `/.default`. Services compare the value
            character by character, so a trailing slash matters.
        client_id (str | Unset): Client (application) id of a user-assigned identity of this
            machine.
        object_id (str | Unset): Object (principal) id of a user-assigned identity of this
            machine.
        msi_res_id (str | Unset): Azure resource id of a user-assigned identity of this machine.
        authority (str | Unset): Token authority to use instead of the identity's own, as an https
            URL or a host name. Microsoft's specification defines it, but no known SDK sends it.
        bypass_cache (TrueFlag | Unset): The word true. To turn the switch off, leave it out:
            there is no false.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[IdentityErrorResponse | IdentityTokenResponse]
    """

    kwargs = _get_kwargs(
        api_version=api_version,
        resource=resource,
        client_id=client_id,
        object_id=object_id,
        msi_res_id=msi_res_id,
        authority=authority,
        bypass_cache=bypass_cache,
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
    resource: str,
    client_id: str | Unset = UNSET,
    object_id: str | Unset = UNSET,
    msi_res_id: str | Unset = UNSET,
    authority: str | Unset = UNSET,
    bypass_cache: TrueFlag | Unset = UNSET,
    metadata: TrueFlag = "true",
) -> IdentityErrorResponse | IdentityTokenResponse | None:
    """Get an access token for a managed identity

     Returns one access token for one resource. `client_id`, `object_id` or `msi_res_id` selects a
    user-assigned identity. Pass at most one of them. Without a selector, IMDS uses the
    system-assigned identity. If there is none, it uses the only user-assigned identity. If there are
    several, the request fails with 400.

    Azure caches tokens for about 24 hours per resource. So `expires_in` can be less than the full
    lifetime, and changes of roles or group memberships take hours to appear in tokens.

    The request fails with 400 if the machine has no such identity, or if the tenant does not know the
    resource. It fails with 404 while a new identity is not available yet, or while the host is being
    updated, and azure-imds retries that. It fails with 429 above 20 requests per second or 5 at the
    same
    time.

    On Azure Arc, azure-imds answers the agent's challenge, which requires read access to the agent's
    key
    file. Agents that support user-assigned identities repeat the selector in the response. Older agents
    ignore the selector and return a token of the system-assigned identity, which azure-imds rejects.

    Args:
        api_version (str): Version of the identity endpoints, 2018-02-01 or later. Every host
            supports the default, and no later change is documented. On Azure Arc, the default is
            2020-06-01. Default: '2018-10-01'.
        resource (str): App ID URI of the service that the token is for. It becomes the token's
            `aud` claim. Pass a resource, not a scope: omit `/.default`. Services compare the value
            character by character, so a trailing slash matters.
        client_id (str | Unset): Client (application) id of a user-assigned identity of this
            machine.
        object_id (str | Unset): Object (principal) id of a user-assigned identity of this
            machine.
        msi_res_id (str | Unset): Azure resource id of a user-assigned identity of this machine.
        authority (str | Unset): Token authority to use instead of the identity's own, as an https
            URL or a host name. Microsoft's specification defines it, but no known SDK sends it.
        bypass_cache (TrueFlag | Unset): The word true. To turn the switch off, leave it out:
            there is no false.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        IdentityErrorResponse | IdentityTokenResponse
    """

    return sync_detailed(
        client=client,
        api_version=api_version,
        resource=resource,
        client_id=client_id,
        object_id=object_id,
        msi_res_id=msi_res_id,
        authority=authority,
        bypass_cache=bypass_cache,
        metadata=metadata,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2018-10-01",
    resource: str,
    client_id: str | Unset = UNSET,
    object_id: str | Unset = UNSET,
    msi_res_id: str | Unset = UNSET,
    authority: str | Unset = UNSET,
    bypass_cache: TrueFlag | Unset = UNSET,
    metadata: TrueFlag = "true",
) -> Response[IdentityErrorResponse | IdentityTokenResponse]:
    """Get an access token for a managed identity

     Returns one access token for one resource. `client_id`, `object_id` or `msi_res_id` selects a
    user-assigned identity. Pass at most one of them. Without a selector, IMDS uses the
    system-assigned identity. If there is none, it uses the only user-assigned identity. If there are
    several, the request fails with 400.

    Azure caches tokens for about 24 hours per resource. So `expires_in` can be less than the full
    lifetime, and changes of roles or group memberships take hours to appear in tokens.

    The request fails with 400 if the machine has no such identity, or if the tenant does not know the
    resource. It fails with 404 while a new identity is not available yet, or while the host is being
    updated, and azure-imds retries that. It fails with 429 above 20 requests per second or 5 at the
    same
    time.

    On Azure Arc, azure-imds answers the agent's challenge, which requires read access to the agent's
    key
    file. Agents that support user-assigned identities repeat the selector in the response. Older agents
    ignore the selector and return a token of the system-assigned identity, which azure-imds rejects.

    Args:
        api_version (str): Version of the identity endpoints, 2018-02-01 or later. Every host
            supports the default, and no later change is documented. On Azure Arc, the default is
            2020-06-01. Default: '2018-10-01'.
        resource (str): App ID URI of the service that the token is for. It becomes the token's
            `aud` claim. Pass a resource, not a scope: omit `/.default`. Services compare the value
            character by character, so a trailing slash matters.
        client_id (str | Unset): Client (application) id of a user-assigned identity of this
            machine.
        object_id (str | Unset): Object (principal) id of a user-assigned identity of this
            machine.
        msi_res_id (str | Unset): Azure resource id of a user-assigned identity of this machine.
        authority (str | Unset): Token authority to use instead of the identity's own, as an https
            URL or a host name. Microsoft's specification defines it, but no known SDK sends it.
        bypass_cache (TrueFlag | Unset): The word true. To turn the switch off, leave it out:
            there is no false.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[IdentityErrorResponse | IdentityTokenResponse]
    """

    kwargs = _get_kwargs(
        api_version=api_version,
        resource=resource,
        client_id=client_id,
        object_id=object_id,
        msi_res_id=msi_res_id,
        authority=authority,
        bypass_cache=bypass_cache,
        metadata=metadata,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2018-10-01",
    resource: str,
    client_id: str | Unset = UNSET,
    object_id: str | Unset = UNSET,
    msi_res_id: str | Unset = UNSET,
    authority: str | Unset = UNSET,
    bypass_cache: TrueFlag | Unset = UNSET,
    metadata: TrueFlag = "true",
) -> IdentityErrorResponse | IdentityTokenResponse | None:
    """Get an access token for a managed identity

     Returns one access token for one resource. `client_id`, `object_id` or `msi_res_id` selects a
    user-assigned identity. Pass at most one of them. Without a selector, IMDS uses the
    system-assigned identity. If there is none, it uses the only user-assigned identity. If there are
    several, the request fails with 400.

    Azure caches tokens for about 24 hours per resource. So `expires_in` can be less than the full
    lifetime, and changes of roles or group memberships take hours to appear in tokens.

    The request fails with 400 if the machine has no such identity, or if the tenant does not know the
    resource. It fails with 404 while a new identity is not available yet, or while the host is being
    updated, and azure-imds retries that. It fails with 429 above 20 requests per second or 5 at the
    same
    time.

    On Azure Arc, azure-imds answers the agent's challenge, which requires read access to the agent's
    key
    file. Agents that support user-assigned identities repeat the selector in the response. Older agents
    ignore the selector and return a token of the system-assigned identity, which azure-imds rejects.

    Args:
        api_version (str): Version of the identity endpoints, 2018-02-01 or later. Every host
            supports the default, and no later change is documented. On Azure Arc, the default is
            2020-06-01. Default: '2018-10-01'.
        resource (str): App ID URI of the service that the token is for. It becomes the token's
            `aud` claim. Pass a resource, not a scope: omit `/.default`. Services compare the value
            character by character, so a trailing slash matters.
        client_id (str | Unset): Client (application) id of a user-assigned identity of this
            machine.
        object_id (str | Unset): Object (principal) id of a user-assigned identity of this
            machine.
        msi_res_id (str | Unset): Azure resource id of a user-assigned identity of this machine.
        authority (str | Unset): Token authority to use instead of the identity's own, as an https
            URL or a host name. Microsoft's specification defines it, but no known SDK sends it.
        bypass_cache (TrueFlag | Unset): The word true. To turn the switch off, leave it out:
            there is no false.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        IdentityErrorResponse | IdentityTokenResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            api_version=api_version,
            resource=resource,
            client_id=client_id,
            object_id=object_id,
            msi_res_id=msi_res_id,
            authority=authority,
            bypass_cache=bypass_cache,
            metadata=metadata,
        )
    ).parsed
