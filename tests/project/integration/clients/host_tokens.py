"""Tokens of Azure's libraries for Python on any host: `host_tokens.py RESOURCE LIBRARY...`.

Uses each library as its users do, without settings. Prints a line of JSON for each: the identity and the audience of
its token, or the class of the error.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Callable


def get_with_azure_identity(resource: str) -> str:
    from azure.identity import ManagedIdentityCredential

    with ManagedIdentityCredential() as credential:
        return credential.get_token(f"{resource}/.default").token


def get_with_azure_identity_aio(resource: str) -> str:
    from azure.identity.aio import ManagedIdentityCredential

    async def main() -> str:
        async with ManagedIdentityCredential() as credential:
            return (await credential.get_token(f"{resource}/.default")).token

    return asyncio.run(main())


def get_with_msal(resource: str) -> str:
    import msal
    import requests

    with requests.Session() as session:
        client = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=session)
        return str(client.acquire_token_for_client(resource=resource)["access_token"])


LIBRARIES: dict[str, Callable[[str], str]] = {
    "azure-identity": get_with_azure_identity,
    "azure-identity.aio": get_with_azure_identity_aio,
    "msal": get_with_msal,
}


def describe(get: Callable[[str], str], resource: str) -> dict[str, str]:
    try:
        payload = get(resource).split(".")[1]
    except Exception as error:
        return {"error": type(error).__name__}
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return {"appid": claims["appid"], "aud": claims["aud"]}


for name in sys.argv[2:]:
    print(json.dumps(describe(LIBRARIES[name], sys.argv[1])), flush=True)
