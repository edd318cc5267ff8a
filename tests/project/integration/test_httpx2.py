"""httpx2 in the place of httpx: `httpx2.alias_httpx()` makes every `import httpx` import httpx2."""

from __future__ import annotations

import pytest
from integration import parts

from azure_imds_emulator import Emulator
from support import python

pytestmark = pytest.mark.integration
parts.module("httpx2")

PROGRAM = """if True:
    import asyncio
    import httpx2
    httpx2.alias_httpx()
    from azure_imds import AsyncImdsClient, AsyncImdsCredential, ImdsAuth, ImdsClient, ImdsCredential, ImdsError

    with ImdsClient() as imds:
        assert type(imds.http) is httpx2.Client
        assert imds.http.get("/versions").status_code == 200
        assert imds.get("compute/location") == imds.instances.get_metadata().compute.location
    with ImdsCredential() as credential:
        token = credential.get_token("https://vault.azure.net").token
    try:
        ImdsClient(transport=httpx2.MockTransport(lambda request: httpx2.Response(404))).versions.get_versions()
    except ImdsError as error:
        print(type(error).__name__)

    async def main():
        async with AsyncImdsClient() as imds, AsyncImdsCredential() as credential:
            assert type(imds.http) is httpx2.AsyncClient
            assert (await imds.versions.get_versions()).api_versions
            assert (await credential.get_token("https://vault.azure.net")).token

    asyncio.run(main())
    answer = lambda request: httpx2.Response(200, text=request.headers["authorization"][:7])
    with httpx2.Client(auth=ImdsAuth("https://vault.azure.net"), transport=httpx2.MockTransport(answer)) as client:
        assert client.get("https://vault.azure.net").text == "Bearer "
"""


def test_the_package_works_with_httpx2_under_the_name_of_httpx(emulator: Emulator) -> None:
    done = python(PROGRAM, AZURE_POD_IDENTITY_AUTHORITY_HOST=emulator.endpoint)
    assert (done.returncode, done.stdout) == (0, "ImdsUnavailableError\n"), done.stderr
