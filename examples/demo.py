"""Get a token and the machine's metadata from the embedded emulator.

Everything uses real HTTP: the generated client, the wrapper, and a server that behaves like Azure's. On an Azure VM,
remove the emulator: the same calls then use the real service.
"""

from __future__ import annotations

import base64
import json
import os
import sys

from azure_imds import ImdsClient, ImdsCredential
from azure_imds_emulator import Emulator


def read_claims(token: str) -> dict[str, object]:
    """Returns the claims of a token, without verifying it. Only the service that it is for can do that."""
    payload = token.split(".")[1]
    decoded: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return decoded


def main() -> None:
    with Emulator() as emulator, ImdsClient(endpoint=emulator.endpoint) as imds:
        print(f"IMDS           {imds.endpoint} (the emulator)")

        token = imds.identity.get_token(resource="https://vault.azure.net")
        claims = read_claims(token.access_token)
        print(f"token          {token.token_type}, {len(token.access_token)} characters (not shown)")
        print(f"  resource     {claims['aud']}")
        print(f"  identity     {claims['appid']} in tenant {claims['tid']}")
        print(f"  expires      in {token.expires_in} seconds")

        compute = imds.instances.get_metadata().compute
        print(f"machine        {compute.name}, {compute.vm_size}, {compute.os_type}")
        print(f"  location     {compute.location}, zone {compute.zone}, {compute.az_environment}")
        print(f"  one value    compute/location = {imds.get('compute/location')!r}")
        print(f"versions       newest on this host: {imds.versions.get_versions().api_versions[-1]}")

        before = len(emulator.requests)
        with ImdsCredential(client=imds) as credential:
            for _ in range(1000):
                credential.get_token("https://storage.azure.com/.default")
        print(f"credential     1000 calls of get_token, {len(emulator.requests) - before} request to IMDS")


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has enough, as in `make demo | head -3`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
