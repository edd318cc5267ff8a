"""Tokens of Azure's libraries for Python: `tokens.py LIBRARY RESOURCE [SELECTOR VALUE]`.

Uses each library as its users do, without settings. Prints the identity and the audience of the token as JSON.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys


def get_with_azure_identity(resource: str, identity: dict[str, str]) -> str:
    from azure.identity import ManagedIdentityCredential

    with ManagedIdentityCredential(identity_config=identity) as credential:
        return credential.get_token(f"{resource}/.default").token


def get_with_azure_identity_aio(resource: str, identity: dict[str, str]) -> str:
    from azure.identity.aio import ManagedIdentityCredential

    async def main() -> str:
        async with ManagedIdentityCredential(identity_config=identity) as credential:
            return (await credential.get_token(f"{resource}/.default")).token

    return asyncio.run(main())


def get_with_msal(resource: str, identity: dict[str, str]) -> str:
    import msal
    import requests

    chosen = msal.UserAssignedManagedIdentity(**identity) if identity else msal.SystemAssignedManagedIdentity()
    with requests.Session() as session:
        client = msal.ManagedIdentityClient(chosen, http_client=session)
        return str(client.acquire_token_for_client(resource=resource)["access_token"])


LIBRARIES = {
    "azure-identity": get_with_azure_identity,
    "azure-identity.aio": get_with_azure_identity_aio,
    "msal": get_with_msal,
}


def main(library: str, resource: str, *selector: str) -> None:
    identity = dict([selector]) if selector else {}
    payload = LIBRARIES[library](resource, identity).split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    print(json.dumps({"appid": claims["appid"], "aud": claims["aud"]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
