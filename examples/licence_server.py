"""A licence server: it issues licences to programs that run on Azure VMs of an allow list.

`POST /nonce` returns a nonce. `POST /licence` accepts the nonce and a document that contains it. If Azure has signed
the document and the VM is on the list, the response is a licence: a JWT for that VM, signed with the key of this
server. `GET /key` returns the public key, which you ship with the program. docs/attestation.md explains what this
proves and what it does not. In production, put a reverse proxy with TLS in front of the server.

With the emulator, whose root certificate you must trust explicitly (licence_client.py is the client):

    pip install 'azure-imds[attestation,emulator]' fastapi uvicorn 'PyJWT[crypto]'
    azure-imds emulator --port 8169 --control-port 8170
    curl -O http://127.0.0.1:8170/pki/root.cer -O http://127.0.0.1:8170/pki/intermediate.cer
    python licence_server.py --allow 00000000-0000-0000-0000-000000000001 \
        --roots root.cer --intermediates intermediate.cer
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel

from azure_imds.attestation import AttestationError, AttestedData, Cloud, afetch_intermediates, verify

LICENCE_LIFE = timedelta(days=1)

#: Minimum seconds between two downloads of intermediate certificates, because clients control what is downloaded.
FETCH_PAUSE = 60.0

#: Maximum number of stored nonces. Too many requests make the oldest nonces invalid, and do no other harm.
MOST_NONCES = 10_000


class Refused(Exception):
    """The licence is refused. `reason` is a code for programs, and the message is for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Nonces:
    """Nonces that were issued and not used yet. Each is valid once, for a short time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._issued: dict[str, float] = {}

    def issue(self) -> str:
        nonce = "".join(secrets.choice("0123456789") for _ in range(10))  # what every version of IMDS accepts
        self._issued[nonce] = time.monotonic()
        if len(self._issued) > MOST_NONCES:
            del self._issued[next(iter(self._issued))]
        return nonce

    def use(self, nonce: str) -> None:
        issued_at = self._issued.pop(nonce, None)
        if issued_at is None or time.monotonic() - issued_at >= self._seconds:
            raise Refused("unknown_nonce", "The nonce is unknown, already used, or too old.")


class Verifier:
    """Verifies documents. Without `intermediates`, it downloads the intermediate certificates and caches them.

    A cached certificate that has expired counts as absent, so the server then downloads its successor.
    """

    def __init__(self, cloud: Cloud, roots: list[bytes] | None, intermediates: list[bytes] | None) -> None:
        self._cloud = cloud
        self._roots = roots
        self._intermediates: list[Any] = intermediates or []
        self._may_fetch = intermediates is None
        self._fetching = asyncio.Lock()
        self._next_fetch = 0.0

    async def machine(self, document: dict[str, Any] | str, nonce: str) -> AttestedData:
        try:
            return self._verify(document, nonce)
        except AttestationError as error:
            if not self._may_fetch or error.reason not in ("intermediate_missing", "untrusted_chain"):
                raise
        async with self._fetching:  # concurrent requests wait for the same download
            if time.monotonic() >= self._next_fetch:
                self._next_fetch = time.monotonic() + FETCH_PAUSE
                found = await afetch_intermediates(document, cloud=self._cloud)
                self._intermediates += [certificate for certificate in found if certificate not in self._intermediates]
        return self._verify(document, nonce)

    def _verify(self, document: dict[str, Any] | str, nonce: str) -> AttestedData:
        return verify(document, nonce=nonce, roots=self._roots, intermediates=self._intermediates, cloud=self._cloud)


class Application(BaseModel):
    """The request body of `POST /licence`. The document is the response of IMDS: the JSON object, or its text."""

    nonce: str
    document: dict[str, Any] | str


def make_app(allowed: set[str], verifier: Verifier, nonces: Nonces, key: Ed25519PrivateKey) -> FastAPI:
    """Creates the server. `allowed` contains subscriptions, or single VMs as `subscription/vmId`, in lower case."""
    app = FastAPI(title="Licences for Azure machines")

    @app.post("/nonce")
    async def nonce() -> dict[str, str]:
        return {"nonce": nonces.issue()}

    @app.post("/licence")
    async def licence(application: Application) -> dict[str, str]:
        nonces.use(application.nonce)  # uses up the nonce, whatever the result
        machine = await verifier.machine(application.document, application.nonce)
        subscription, vm = machine.subscription_id.lower(), machine.vm_id.lower()
        if not {subscription, f"{subscription}/{vm}"} & allowed:
            raise Refused("not_allowed", f"Machine {vm} of subscription {subscription} is not on the allow list.")
        now = datetime.now(UTC)
        claims = {"sub": vm, "subscription": subscription, "iat": now, "exp": now + LICENCE_LIFE}
        return {"licence": jwt.encode(claims, key, algorithm="EdDSA")}

    @app.get("/key")
    async def public_key() -> PlainTextResponse:
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return PlainTextResponse(pem.decode())

    @app.exception_handler(AttestationError)
    async def rejected(request: Request, error: AttestationError) -> JSONResponse:
        return JSONResponse({"reason": error.reason, "detail": str(error)}, status_code=403)

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> JSONResponse:
        return JSONResponse({"reason": error.reason, "detail": str(error)}, status_code=403)

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description="Issue licences to programs that run on known Azure VMs.")
    parser.add_argument(
        "--allow",
        action="append",
        required=True,
        metavar="SUBSCRIPTION[/VMID]",
        help="a subscription, or one VM of it; can be repeated",
    )
    parser.add_argument(
        "--cloud", choices=get_args(Cloud), default="public", help="cloud of the VMs (default: %(default)s)"
    )
    parser.add_argument(
        "--roots", type=Path, action="append", help="root certificate to trust instead of Azure's; can be repeated"
    )
    parser.add_argument(
        "--intermediates",
        type=Path,
        action="append",
        help="intermediate certificate to use instead of downloads; can be repeated",
    )
    parser.add_argument(
        "--key", type=Path, help="Ed25519 key (PEM) that signs the licences (default: a new key at each start)"
    )
    parser.add_argument("--nonce-seconds", type=float, default=60.0, help="lifetime of a nonce (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=8001, help="port on 127.0.0.1; 0 chooses a free one (default: %(default)s)"
    )
    options = parser.parse_args()
    key = load_pem_private_key(options.key.read_bytes(), None) if options.key else Ed25519PrivateKey.generate()
    if not isinstance(key, Ed25519PrivateKey):
        parser.error(f"{options.key} is not an Ed25519 key")
    app = make_app(
        {name.lower() for name in options.allow},
        Verifier(options.cloud, read_all(options.roots), read_all(options.intermediates)),
        Nonces(options.nonce_seconds),
        key,
    )
    with suppress(KeyboardInterrupt):  # uvicorn has shut down cleanly and raises Ctrl-C again
        uvicorn.run(app, host="127.0.0.1", port=options.port)


def read_all(files: list[Path] | None) -> list[bytes] | None:
    return None if files is None else [file.read_bytes() for file in files]


if __name__ == "__main__":
    main()
