# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx

from ...models.identity_error_response import IdentityErrorResponse
from ...models.identity_token_response import IdentityTokenResponse
from ...models.true_flag import TrueFlag
from ...types import UNSET, Response, Unset

if TYPE_CHECKING:
    # The facade does not use these, and importing them takes time.
    from ...client import AuthenticatedClient, Client


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
        response_200 = IdentityTokenResponse.from_dict(response.json())

        return response_200

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

     One access token for one resource. Name the identity with at most one of `client_id`, `object_id`
    and
    `msi_res_id`. With none, the system-assigned identity answers if there is one; else the only
    user-assigned identity; with several of these the request is refused (400). So on a machine with a
    single user-assigned identity, a request without a name gives a token of that identity.

    Azure keeps tokens for about 24 hours per resource and hands out the stored one: `expires_in` is
    then
    less than a full life, and a change of roles or groups takes hours to show.

    400: IMDS is there, but has no identity to use, or the resource is unknown in the tenant. 404: may
    pass, since a fresh identity takes a while to arrive and an update of the host looks the same. 429:
    more than 20 a second or 5 at once.

    **Azure Arc.** Without `Authorization` the answer is 401, with the path of a key file in
    `Www-Authenticate`. Ask again with the content of that file to get the token. Agents that know
    user-assigned identities repeat the selector in the answer; older ones ignore it and give a token of
    the system-assigned identity.

    Args:
        api_version (str): Version of the identity endpoints, 2018-02-01 or later. Old enough for
            every host; no change is documented since. Azure Arc wants 2020-06-01. Default:
            '2018-10-01'.
        resource (str): App ID URI of the service the token is for; it becomes the `aud` claim. A
            resource, not a scope: leave out `/.default`. Services compare it character by character,
            so a trailing slash matters.
        client_id (str | Unset): Client (application) id of a user-assigned identity of this
            machine.
        object_id (str | Unset): Object (principal) id of a user-assigned identity of this
            machine.
        msi_res_id (str | Unset): Azure resource id of a user-assigned identity of this machine.
            Other hosts (App Service, for example) spell the parameter `mi_res_id`; Azure Arc ignores
            that spelling.
        authority (str | Unset): The token authority to ask, as an https URL or a host, instead of
            the one the identity belongs to. In Microsoft's specification, but sent by no known SDK.
        bypass_cache (TrueFlag | Unset): The word true. A switch that is either given so or left
            out; there is no false.
        metadata (TrueFlag): The word true. A switch that is either given so or left out; there is
            no false. Default: 'true'.

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

     One access token for one resource. Name the identity with at most one of `client_id`, `object_id`
    and
    `msi_res_id`. With none, the system-assigned identity answers if there is one; else the only
    user-assigned identity; with several of these the request is refused (400). So on a machine with a
    single user-assigned identity, a request without a name gives a token of that identity.

    Azure keeps tokens for about 24 hours per resource and hands out the stored one: `expires_in` is
    then
    less than a full life, and a change of roles or groups takes hours to show.

    400: IMDS is there, but has no identity to use, or the resource is unknown in the tenant. 404: may
    pass, since a fresh identity takes a while to arrive and an update of the host looks the same. 429:
    more than 20 a second or 5 at once.

    **Azure Arc.** Without `Authorization` the answer is 401, with the path of a key file in
    `Www-Authenticate`. Ask again with the content of that file to get the token. Agents that know
    user-assigned identities repeat the selector in the answer; older ones ignore it and give a token of
    the system-assigned identity.

    Args:
        api_version (str): Version of the identity endpoints, 2018-02-01 or later. Old enough for
            every host; no change is documented since. Azure Arc wants 2020-06-01. Default:
            '2018-10-01'.
        resource (str): App ID URI of the service the token is for; it becomes the `aud` claim. A
            resource, not a scope: leave out `/.default`. Services compare it character by character,
            so a trailing slash matters.
        client_id (str | Unset): Client (application) id of a user-assigned identity of this
            machine.
        object_id (str | Unset): Object (principal) id of a user-assigned identity of this
            machine.
        msi_res_id (str | Unset): Azure resource id of a user-assigned identity of this machine.
            Other hosts (App Service, for example) spell the parameter `mi_res_id`; Azure Arc ignores
            that spelling.
        authority (str | Unset): The token authority to ask, as an https URL or a host, instead of
            the one the identity belongs to. In Microsoft's specification, but sent by no known SDK.
        bypass_cache (TrueFlag | Unset): The word true. A switch that is either given so or left
            out; there is no false.
        metadata (TrueFlag): The word true. A switch that is either given so or left out; there is
            no false. Default: 'true'.

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

     One access token for one resource. Name the identity with at most one of `client_id`, `object_id`
    and
    `msi_res_id`. With none, the system-assigned identity answers if there is one; else the only
    user-assigned identity; with several of these the request is refused (400). So on a machine with a
    single user-assigned identity, a request without a name gives a token of that identity.

    Azure keeps tokens for about 24 hours per resource and hands out the stored one: `expires_in` is
    then
    less than a full life, and a change of roles or groups takes hours to show.

    400: IMDS is there, but has no identity to use, or the resource is unknown in the tenant. 404: may
    pass, since a fresh identity takes a while to arrive and an update of the host looks the same. 429:
    more than 20 a second or 5 at once.

    **Azure Arc.** Without `Authorization` the answer is 401, with the path of a key file in
    `Www-Authenticate`. Ask again with the content of that file to get the token. Agents that know
    user-assigned identities repeat the selector in the answer; older ones ignore it and give a token of
    the system-assigned identity.

    Args:
        api_version (str): Version of the identity endpoints, 2018-02-01 or later. Old enough for
            every host; no change is documented since. Azure Arc wants 2020-06-01. Default:
            '2018-10-01'.
        resource (str): App ID URI of the service the token is for; it becomes the `aud` claim. A
            resource, not a scope: leave out `/.default`. Services compare it character by character,
            so a trailing slash matters.
        client_id (str | Unset): Client (application) id of a user-assigned identity of this
            machine.
        object_id (str | Unset): Object (principal) id of a user-assigned identity of this
            machine.
        msi_res_id (str | Unset): Azure resource id of a user-assigned identity of this machine.
            Other hosts (App Service, for example) spell the parameter `mi_res_id`; Azure Arc ignores
            that spelling.
        authority (str | Unset): The token authority to ask, as an https URL or a host, instead of
            the one the identity belongs to. In Microsoft's specification, but sent by no known SDK.
        bypass_cache (TrueFlag | Unset): The word true. A switch that is either given so or left
            out; there is no false.
        metadata (TrueFlag): The word true. A switch that is either given so or left out; there is
            no false. Default: 'true'.

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

     One access token for one resource. Name the identity with at most one of `client_id`, `object_id`
    and
    `msi_res_id`. With none, the system-assigned identity answers if there is one; else the only
    user-assigned identity; with several of these the request is refused (400). So on a machine with a
    single user-assigned identity, a request without a name gives a token of that identity.

    Azure keeps tokens for about 24 hours per resource and hands out the stored one: `expires_in` is
    then
    less than a full life, and a change of roles or groups takes hours to show.

    400: IMDS is there, but has no identity to use, or the resource is unknown in the tenant. 404: may
    pass, since a fresh identity takes a while to arrive and an update of the host looks the same. 429:
    more than 20 a second or 5 at once.

    **Azure Arc.** Without `Authorization` the answer is 401, with the path of a key file in
    `Www-Authenticate`. Ask again with the content of that file to get the token. Agents that know
    user-assigned identities repeat the selector in the answer; older ones ignore it and give a token of
    the system-assigned identity.

    Args:
        api_version (str): Version of the identity endpoints, 2018-02-01 or later. Old enough for
            every host; no change is documented since. Azure Arc wants 2020-06-01. Default:
            '2018-10-01'.
        resource (str): App ID URI of the service the token is for; it becomes the `aud` claim. A
            resource, not a scope: leave out `/.default`. Services compare it character by character,
            so a trailing slash matters.
        client_id (str | Unset): Client (application) id of a user-assigned identity of this
            machine.
        object_id (str | Unset): Object (principal) id of a user-assigned identity of this
            machine.
        msi_res_id (str | Unset): Azure resource id of a user-assigned identity of this machine.
            Other hosts (App Service, for example) spell the parameter `mi_res_id`; Azure Arc ignores
            that spelling.
        authority (str | Unset): The token authority to ask, as an https URL or a host, instead of
            the one the identity belongs to. In Microsoft's specification, but sent by no known SDK.
        bypass_cache (TrueFlag | Unset): The word true. A switch that is either given so or left
            out; there is no false.
        metadata (TrueFlag): The word true. A switch that is either given so or left out; there is
            no false. Default: 'true'.

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
