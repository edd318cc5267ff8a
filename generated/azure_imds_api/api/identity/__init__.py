# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""Entra tokens for the managed identities of the machine. 20 requests a second and 5 at once, per machine."""

from typing import Any

from ...models.identity_info_response import IdentityInfoResponse
from ...models.identity_token_response import IdentityTokenResponse
from ...models.true_flag import TrueFlag
from .. import AsyncSend, Operation, Send
from . import identity_get_info as _identity_get_info
from . import identity_get_token as _identity_get_token


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


IDENTITY_GET_TOKEN: Operation[IdentityTokenResponse] = Operation(
    build=_identity_get_token._get_kwargs,
    parse=_identity_get_token._parse_response,
    id="Identity_GetToken",
    name="identity.get_token",
    method="GET",
    path="/identity/oauth2/token",
    success=[(200, 200)],
    rules={
        "api_version": {
            "example": "2018-10-01",
            "in": "query",
            "name": "api-version",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}\\Z",
            "type": "string",
        },
        "authority": {
            "example": "https://login.microsoftonline.com/",
            "in": "query",
            "name": "authority",
            "pattern": "^(https://)?[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?\\Z",
            "type": "string",
        },
        "bypass_cache": {"enum": ["true"], "in": "query", "name": "bypass_cache", "type": "string"},
        "client_id": {
            "example": "00000000-0000-0000-0000-000000000003",
            "in": "query",
            "name": "client_id",
            "pattern": "^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\\Z",
            "type": "string",
        },
        "metadata": {"enum": ["true"], "in": "header", "name": "Metadata", "type": "string"},
        "msi_res_id": {
            "example": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-example/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-example",
            "in": "query",
            "name": "msi_res_id",
            "pattern": "^/[^\\s\\x00-\\x1f\\x7f-\\x9f]+\\Z",
            "type": "string",
        },
        "object_id": {
            "example": "00000000-0000-0000-0000-000000000004",
            "in": "query",
            "name": "object_id",
            "pattern": "^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\\Z",
            "type": "string",
        },
        "resource": {
            "example": "https://management.azure.com/",
            "in": "query",
            "minLength": 1,
            "name": "resource",
            "pattern": "^[!-~]+\\Z",
            "type": "string",
        },
    },
    required=["resource"],
    answer={
        "properties": {"access_token": {"minLength": 1, "type": "string"}},
        "required": ["access_token"],
        "type": "object",
    },
    exclusive=[["client_id", "object_id", "msi_res_id"]],
    echoed={"client_id": ["client_id"], "msi_res_id": ["msi_res_id", "mi_res_id"], "object_id": ["object_id"]},
    retry_statuses=[404],
    idempotent=True,
    response_seconds=15,
)

IDENTITY_GET_INFO: Operation[IdentityInfoResponse] = Operation(
    build=_identity_get_info._get_kwargs,
    parse=_identity_get_info._parse_response,
    id="Identity_GetInfo",
    name="identity.get_info",
    method="GET",
    path="/identity/info",
    success=[(200, 200)],
    rules={
        "api_version": {
            "example": "2018-10-01",
            "in": "query",
            "name": "api-version",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}\\Z",
            "type": "string",
        },
        "metadata": {"enum": ["true"], "in": "header", "name": "Metadata", "type": "string"},
    },
    answer={"properties": {"tenantId": {"type": "string"}}, "required": ["tenantId"], "type": "object"},
    retry_statuses=[404],
    idempotent=True,
    cacheable=True,
)


class IdentityOperations:
    """Entra tokens for the managed identities of the machine. 20 requests a second and 5 at once, per machine."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def get_token(
        self,
        *,
        resource: str,
        api_version: str | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        msi_res_id: str | None = None,
        authority: str | None = None,
        bypass_cache: TrueFlag | None = None,
    ) -> IdentityTokenResponse:
        """Get an access token for a managed identity

        One access token for one resource. Name the identity with at most one of `client_id`, `object_id` and
        `msi_res_id`. With none, the system-assigned identity answers if there is one; else the only
        user-assigned identity; with several of these the request is refused (400). So on a machine with a
        single user-assigned identity, a request without a name gives a token of that identity.

        Azure keeps tokens for about 24 hours per resource and hands out the stored one: `expires_in` is then
        less than a full life, and a change of roles or groups takes hours to show.

        400: IMDS is there, but has no identity to use, or the resource is unknown in the tenant. 404: may
        pass, since a fresh identity takes a while to arrive and an update of the host looks the same. 429:
        more than 20 a second or 5 at once.

        **Azure Arc.** Without `Authorization` the answer is 401, with the path of a key file in
        `Www-Authenticate`. Ask again with the content of that file to get the token. Agents that know
        user-assigned identities repeat the selector in the answer; older ones ignore it and give a token of
        the system-assigned identity.

        Args:
            resource: App ID URI of the service the token is for; it becomes the `aud` claim. A resource, not a scope:
                leave out `/.default`. Services compare it character by character, so a trailing slash matters.
            api_version: Version of the identity endpoints, 2018-02-01 or later. Old enough for every host; no change
                is documented since. Azure Arc wants 2020-06-01. Default: 2018-10-01.
            client_id: Client (application) id of a user-assigned identity of this machine.
            object_id: Object (principal) id of a user-assigned identity of this machine.
            msi_res_id: Azure resource id of a user-assigned identity of this machine. Other hosts (App Service, for
                example) spell the parameter `mi_res_id`; Azure Arc ignores that spelling.
            authority: The token authority to ask, as an https URL or a host, instead of the one the identity belongs
                to. In Microsoft's specification, but sent by no known SDK.
            bypass_cache: Ask Entra for a new token rather than taking the stored one. In Microsoft's specification;
                the FAQ on managed identities, however, says that a refresh before expiry cannot be forced.

        Returns:
            IdentityTokenResponse: A token. The answer repeats the selector that was used.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return self._send(
            IDENTITY_GET_TOKEN,
            _given(
                resource=resource,
                api_version=api_version,
                client_id=client_id,
                object_id=object_id,
                msi_res_id=msi_res_id,
                authority=authority,
                bypass_cache=bypass_cache,
            ),
        )

    def get_info(
        self,
        *,
        api_version: str | None = None,
    ) -> IdentityInfoResponse:
        """Get the tenant of the machine's identity

        The Entra tenant of the system-assigned identity, and nothing else: IMDS never lists identities. What
        a machine without a system-assigned identity gets is not documented; expect 400. 404 may pass, as for
        tokens.

        Args:
            api_version: Version of the identity endpoints, 2018-02-01 or later. Old enough for every host; no change
                is documented since. Azure Arc wants 2020-06-01. Default: 2018-10-01.

        Returns:
            IdentityInfoResponse: The tenant.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return self._send(
            IDENTITY_GET_INFO,
            _given(
                api_version=api_version,
            ),
        )


class AsyncIdentityOperations:
    """Entra tokens for the managed identities of the machine. 20 requests a second and 5 at once, per machine."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def get_token(
        self,
        *,
        resource: str,
        api_version: str | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        msi_res_id: str | None = None,
        authority: str | None = None,
        bypass_cache: TrueFlag | None = None,
    ) -> IdentityTokenResponse:
        """Get an access token for a managed identity

        One access token for one resource. Name the identity with at most one of `client_id`, `object_id` and
        `msi_res_id`. With none, the system-assigned identity answers if there is one; else the only
        user-assigned identity; with several of these the request is refused (400). So on a machine with a
        single user-assigned identity, a request without a name gives a token of that identity.

        Azure keeps tokens for about 24 hours per resource and hands out the stored one: `expires_in` is then
        less than a full life, and a change of roles or groups takes hours to show.

        400: IMDS is there, but has no identity to use, or the resource is unknown in the tenant. 404: may
        pass, since a fresh identity takes a while to arrive and an update of the host looks the same. 429:
        more than 20 a second or 5 at once.

        **Azure Arc.** Without `Authorization` the answer is 401, with the path of a key file in
        `Www-Authenticate`. Ask again with the content of that file to get the token. Agents that know
        user-assigned identities repeat the selector in the answer; older ones ignore it and give a token of
        the system-assigned identity.

        Args:
            resource: App ID URI of the service the token is for; it becomes the `aud` claim. A resource, not a scope:
                leave out `/.default`. Services compare it character by character, so a trailing slash matters.
            api_version: Version of the identity endpoints, 2018-02-01 or later. Old enough for every host; no change
                is documented since. Azure Arc wants 2020-06-01. Default: 2018-10-01.
            client_id: Client (application) id of a user-assigned identity of this machine.
            object_id: Object (principal) id of a user-assigned identity of this machine.
            msi_res_id: Azure resource id of a user-assigned identity of this machine. Other hosts (App Service, for
                example) spell the parameter `mi_res_id`; Azure Arc ignores that spelling.
            authority: The token authority to ask, as an https URL or a host, instead of the one the identity belongs
                to. In Microsoft's specification, but sent by no known SDK.
            bypass_cache: Ask Entra for a new token rather than taking the stored one. In Microsoft's specification;
                the FAQ on managed identities, however, says that a refresh before expiry cannot be forced.

        Returns:
            IdentityTokenResponse: A token. The answer repeats the selector that was used.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return await self._send(
            IDENTITY_GET_TOKEN,
            _given(
                resource=resource,
                api_version=api_version,
                client_id=client_id,
                object_id=object_id,
                msi_res_id=msi_res_id,
                authority=authority,
                bypass_cache=bypass_cache,
            ),
        )

    async def get_info(
        self,
        *,
        api_version: str | None = None,
    ) -> IdentityInfoResponse:
        """Get the tenant of the machine's identity

        The Entra tenant of the system-assigned identity, and nothing else: IMDS never lists identities. What
        a machine without a system-assigned identity gets is not documented; expect 400. 404 may pass, as for
        tokens.

        Args:
            api_version: Version of the identity endpoints, 2018-02-01 or later. Old enough for every host; no change
                is documented since. Azure Arc wants 2020-06-01. Default: 2018-10-01.

        Returns:
            IdentityInfoResponse: The tenant.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return await self._send(
            IDENTITY_GET_INFO,
            _given(
                api_version=api_version,
            ),
        )
