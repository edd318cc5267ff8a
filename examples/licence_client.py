"""A program that gets its licence by proof of where it runs: the other half of licence_server.py.

It asks the server for a nonce, IMDS for a document with that nonce in it, signed by Azure, and the server for a licence
in return. The licence is a JWT, which a program can check from then on without asking anybody: that the server signed
it, that it is for this machine, and that it has not expired.

With the emulator, once licence_server.py runs as its first lines say:

    curl -o licence-key.pem http://127.0.0.1:8001/key
    AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:8169 python licence_client.py \
        --server http://127.0.0.1:8001 --key licence-key.pem
"""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import jwt

from azure_imds import ImdsClient, ImdsError


class NoLicence(Exception):
    """The server gives none, or the one that is there is not good here."""


def fetch(server: str, imds: ImdsClient) -> str:
    """Gets a licence for this machine.

    Raises:
        NoLicence: the server refuses; its text says why.
        ImdsError: this is no Azure machine, or IMDS is away.
        httpx.HTTPError: the server is away.
    """
    with httpx.Client(base_url=server) as http:
        nonce = http.post("/nonce").raise_for_status().json()["nonce"]
        document = imds.attested.get_document(nonce=nonce)
        answer = http.post("/licence", json={"nonce": nonce, "document": document.to_dict()})
    if answer.status_code == 403:
        refusal = answer.json()
        raise NoLicence(f"{refusal['reason']}: {refusal['detail']}")
    licence: str = answer.raise_for_status().json()["licence"]
    return licence


def check(licence: str, key: bytes, imds: ImdsClient) -> datetime:
    """Until when a licence is good on this machine.

    Raises:
        NoLicence: it is not.
        ImdsError: which machine this is cannot be known.
    """
    try:
        claims = jwt.decode(licence, key, algorithms=["EdDSA"], options={"require": ["sub", "exp"]})
    except jwt.InvalidTokenError as error:
        raise NoLicence(f"not a good licence: {error}") from error
    if claims["sub"] != imds.get("compute/vmId").lower():
        raise NoLicence("it is another machine's licence")
    return datetime.fromtimestamp(claims["exp"], UTC)


def licensed(server: str, key: bytes, file: Path, imds: ImdsClient) -> datetime:
    """Until when the licence in the file is good; fetches one if it is not. Raises what `fetch` and `check` do."""
    with suppress(FileNotFoundError, NoLicence):
        return check(file.read_text(), key, imds)
    licence = fetch(server, imds)
    until = check(licence, key, imds)
    file.write_text(licence)
    return until


def main() -> int:
    parser = argparse.ArgumentParser(description="Gets a licence for this machine, unless there is a good one.")
    parser.add_argument("--server", required=True, metavar="URL", help="where licence_server.py is")
    parser.add_argument("--key", type=Path, required=True, help="the server's public key (PEM)")
    parser.add_argument("--licence", type=Path, default=Path("licence.jwt"), help="where to keep it (%(default)s)")
    options = parser.parse_args()
    with ImdsClient() as imds:
        try:
            until = licensed(options.server, options.key.read_bytes(), options.licence, imds)
        except (NoLicence, ImdsError) as error:
            print(f"no licence: {error}", file=sys.stderr)
            return 1
        except httpx.HTTPError as error:
            print(f"no licence: {options.server}: {error}", file=sys.stderr)
            return 1
    print(f"licensed until {until:%Y-%m-%d %H:%M} UTC")
    return 0


if __name__ == "__main__":
    sys.exit(main())
