"""Get a licence by proving that this program runs on a known Azure VM. The server is licence_server.py.

The program requests a nonce from the server, then a document from IMDS that contains the nonce and is signed by Azure.
In return for the document, the server issues a licence. The licence is a JWT, which the program can check offline: the
server signed it, it is for this machine, and it has not expired.

With the emulator, after you have started licence_server.py as its first lines describe:

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
    """The server refused a licence, or the existing licence is not valid on this machine."""


def fetch(server: str, imds: ImdsClient) -> str:
    """Gets a licence for this machine.

    Raises:
        NoLicence: the server refused. The message contains the reason.
        ImdsError: this is not an Azure VM, or IMDS is down.
        httpx.HTTPError: the server is not available.
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
    """Checks a licence and returns when it expires.

    Raises:
        NoLicence: the licence is not valid on this machine.
        ImdsError: the id of this machine is not available.
    """
    try:
        claims = jwt.decode(licence, key, algorithms=["EdDSA"], options={"require": ["sub", "exp"]})
    except jwt.InvalidTokenError as error:
        raise NoLicence(f"invalid licence: {error}") from error
    if claims["sub"] != imds.get("compute/vmId").lower():
        raise NoLicence("the licence is for another machine")
    return datetime.fromtimestamp(claims["exp"], UTC)


def ensure_licence(server: str, key: bytes, file: Path, imds: ImdsClient) -> datetime:
    """Returns when the licence in the file expires. Gets a new one if needed. Raises as `fetch` and `check` do."""
    with suppress(FileNotFoundError, NoLicence):
        return check(file.read_text(), key, imds)
    licence = fetch(server, imds)
    until = check(licence, key, imds)
    file.write_text(licence)
    return until


def main() -> int:
    parser = argparse.ArgumentParser(description="Get a licence for this machine, unless it has a valid one.")
    parser.add_argument("--server", required=True, metavar="URL", help="URL of licence_server.py")
    parser.add_argument("--key", type=Path, required=True, help="public key of the server (PEM)")
    parser.add_argument(
        "--licence", type=Path, default=Path("licence.jwt"), help="file for the licence (default: %(default)s)"
    )
    options = parser.parse_args()
    with ImdsClient() as imds:
        try:
            until = ensure_licence(options.server, options.key.read_bytes(), options.licence, imds)
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
