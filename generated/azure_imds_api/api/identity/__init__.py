# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""Entra tokens for the managed identities of the machine. Limits per machine: 20 requests per second, 5 at the
same time."""

from __future__ import annotations

from typing import Any

from ... import models
from .. import AsyncSend, Operation, Send
from . import identity_get_info as _identity_get_info
from . import identity_get_token as _identity_get_token


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


IDENTITY_GET_TOKEN: Operation[models.IdentityTokenResponse] = Operation(
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
            "resource": True,
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

IDENTITY_GET_INFO: Operation[models.IdentityInfoResponse] = Operation(
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
    """Entra tokens for the managed identities of the machine. Limits per machine: 20 requests per second, 5 at the
    same time."""

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
        bypass_cache: models.TrueFlag | None = None,
    ) -> models.IdentityTokenResponse:
        """Get an access token for a managed identity

        Returns one access token for one resource. `client_id`, `object_id` or `msi_res_id` selects a
        user-assigned identity. Pass at most one of them. Without a selector, IMDS uses the
        system-assigned identity. If there is none, it uses the only user-assigned identity. If there are
        several, the request fails with 400.

        Azure caches tokens for about 24 hours per resource. So `expires_in` can be less than the full
        lifetime, and changes of roles or group memberships take hours to appear in tokens.

        The request fails with 400 if the machine has no such identity, or if the tenant does not know the
        resource. It fails with 404 while a new identity is not available yet, or while the host is being
        updated, and azure-imds retries that. It fails with 429 above 20 requests per second or 5 at the same
        time.

        On Azure Arc, azure-imds answers the agent's challenge, which requires read access to the agent's key
        file. Agents that support user-assigned identities repeat the selector in the response. Older agents
        ignore the selector and return a token of the system-assigned identity, which azure-imds rejects.

        Args:
            resource: App ID URI of the service that the token is for. It becomes the token's `aud` claim. Pass a
                resource, not a scope: omit `/.default`. Services compare the value character by character, so a
                trailing slash matters.
            api_version: Version of the identity endpoints, 2018-02-01 or later. Every host supports the default,
                and no later change is documented. On Azure Arc, the default is 2020-06-01. Default: 2018-10-01.
            client_id: Client (application) id of a user-assigned identity of this machine.
            object_id: Object (principal) id of a user-assigned identity of this machine.
            msi_res_id: Azure resource id of a user-assigned identity of this machine.
            authority: Token authority to use instead of the identity's own, as an https URL or a host name.
                Microsoft's specification defines it, but no known SDK sends it.
            bypass_cache: Request a new token from Entra instead of the cached one. Microsoft's specification
                defines it, but the FAQ on managed identities says that a refresh before expiry cannot be forced.

        Returns:
            IdentityTokenResponse: The token. The response repeats the selector of the request.

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
    ) -> models.IdentityInfoResponse:
        """Get the tenant of the system-assigned identity

        Returns the Entra tenant of the system-assigned identity. IMDS has no operation that lists
        identities. The response for a machine without a system-assigned identity is not documented.
        Expect 400. The request fails with 404 while a new identity is not available yet, as for tokens, and
        azure-imds retries that.

        Args:
            api_version: Version of the identity endpoints, 2018-02-01 or later. Every host supports the default,
                and no later change is documented. On Azure Arc, the default is 2020-06-01. Default: 2018-10-01.

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
    """Entra tokens for the managed identities of the machine. Limits per machine: 20 requests per second, 5 at the
    same time."""

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
        bypass_cache: models.TrueFlag | None = None,
    ) -> models.IdentityTokenResponse:
        """Get an access token for a managed identity

        Returns one access token for one resource. `client_id`, `object_id` or `msi_res_id` selects a
        user-assigned identity. Pass at most one of them. Without a selector, IMDS uses the
        system-assigned identity. If there is none, it uses the only user-assigned identity. If there are
        several, the request fails with 400.

        Azure caches tokens for about 24 hours per resource. So `expires_in` can be less than the full
        lifetime, and changes of roles or group memberships take hours to appear in tokens.

        The request fails with 400 if the machine has no such identity, or if the tenant does not know the
        resource. It fails with 404 while a new identity is not available yet, or while the host is being
        updated, and azure-imds retries that. It fails with 429 above 20 requests per second or 5 at the same
        time.

        On Azure Arc, azure-imds answers the agent's challenge, which requires read access to the agent's key
        file. Agents that support user-assigned identities repeat the selector in the response. Older agents
        ignore the selector and return a token of the system-assigned identity, which azure-imds rejects.

        Args:
            resource: App ID URI of the service that the token is for. It becomes the token's `aud` claim. Pass a
                resource, not a scope: omit `/.default`. Services compare the value character by character, so a
                trailing slash matters.
            api_version: Version of the identity endpoints, 2018-02-01 or later. Every host supports the default,
                and no later change is documented. On Azure Arc, the default is 2020-06-01. Default: 2018-10-01.
            client_id: Client (application) id of a user-assigned identity of this machine.
            object_id: Object (principal) id of a user-assigned identity of this machine.
            msi_res_id: Azure resource id of a user-assigned identity of this machine.
            authority: Token authority to use instead of the identity's own, as an https URL or a host name.
                Microsoft's specification defines it, but no known SDK sends it.
            bypass_cache: Request a new token from Entra instead of the cached one. Microsoft's specification
                defines it, but the FAQ on managed identities says that a refresh before expiry cannot be forced.

        Returns:
            IdentityTokenResponse: The token. The response repeats the selector of the request.

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
    ) -> models.IdentityInfoResponse:
        """Get the tenant of the system-assigned identity

        Returns the Entra tenant of the system-assigned identity. IMDS has no operation that lists
        identities. The response for a machine without a system-assigned identity is not documented.
        Expect 400. The request fails with 404 while a new identity is not available yet, as for tokens, and
        azure-imds retries that.

        Args:
            api_version: Version of the identity endpoints, 2018-02-01 or later. Every host supports the default,
                and no later change is documented. On Azure Arc, the default is 2020-06-01. Default: 2018-10-01.

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
