"""A licence server: a program gets a licence if it runs on one of the Azure machines that are on a list.

`POST /nonce` gives a nonce. `POST /licence` takes it back, with a document that has it in it. If Azure has signed that
document, and for a machine on the list, the answer is a licence: a JWT for that machine, signed with this server's key.
`GET /key` is the public half of the key, to be shipped with the program. What this proves, and what not, is in
docs/attestation.md. Put a reverse proxy with TLS before it.

With the emulator, whose signature only those trust who are told to (licence_client.py is the other half):

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

#: Seconds between two downloads of intermediate certificates: strangers decide what is looked for.
FETCH_PAUSE = 60.0

#: So many nonces are remembered; a flood of requests makes the oldest ones invalid, and no more.
MOST_NONCES = 10_000


class Refused(Exception):
    """No licence, and why: a word for programs and a sentence for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Nonces:
    """Nonces that were given and not yet used. Each is good once, and not for long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._given: dict[str, float] = {}

    def give(self) -> str:
        nonce = "".join(secrets.choice("0123456789") for _ in range(10))  # what every version of IMDS accepts
        self._given[nonce] = time.monotonic()
        if len(self._given) > MOST_NONCES:
            del self._given[next(iter(self._given))]
        return nonce

    def use(self, nonce: str) -> None:
        given = self._given.pop(nonce, None)
        if given is None or time.monotonic() - given >= self._seconds:
            raise Refused("unknown_nonce", "This nonce was not given here, was used already, or is too old.")


class Verifier:
    """Says which machine a document is about. Without `intermediates` it downloads them, and keeps them."""

    def __init__(self, cloud: Cloud, roots: list[bytes] | None, intermediates: list[bytes] | None) -> None:
        self._cloud = cloud
        self._roots = roots
        self._intermediates: list[Any] = intermediates or []
        self._may_fetch = intermediates is None
        self._fetching = asyncio.Lock()
        self._next_fetch = 0.0

    async def machine(self, document: dict[str, Any], nonce: str) -> AttestedData:
        try:
            return self._verify(document, nonce)
        except AttestationError as error:
            if not self._may_fetch or error.reason not in ("intermediate_missing", "untrusted_chain"):
                raise
        async with self._fetching:  # who comes meanwhile waits for what is found
            if time.monotonic() >= self._next_fetch:
                self._next_fetch = time.monotonic() + FETCH_PAUSE
                found = await afetch_intermediates(document, cloud=self._cloud)
                self._intermediates += [one for one in found if one not in self._intermediates]
        return self._verify(document, nonce)

    def _verify(self, document: dict[str, Any], nonce: str) -> AttestedData:
        return verify(document, nonce=nonce, roots=self._roots, intermediates=self._intermediates, cloud=self._cloud)


class Application(BaseModel):
    """What a program sends."""

    nonce: str
    document: dict[str, Any]


def make_app(allowed: set[str], verifier: Verifier, nonces: Nonces, key: Ed25519PrivateKey) -> FastAPI:
    """The server. `allowed` has subscriptions, or single machines as `subscription/vmId`, in lower case."""
    app = FastAPI(title="Licences for Azure machines")

    @app.post("/nonce")
    async def nonce() -> dict[str, str]:
        return {"nonce": nonces.give()}

    @app.post("/licence")
    async def licence(application: Application) -> dict[str, str]:
        nonces.use(application.nonce)  # whatever comes of it, this nonce is spent
        machine = await verifier.machine(application.document, application.nonce)
        subscription, vm = (machine.subscription_id or "").lower(), (machine.vm_id or "").lower()
        if not {subscription, f"{subscription}/{vm}"} & allowed:
            raise Refused("not_allowed", f"There is no licence for machine {vm} of subscription {subscription}.")
        now = datetime.now(UTC)
        claims = {"sub": vm, "subscription": subscription, "iat": now, "exp": now + LICENCE_LIFE}
        return {"licence": jwt.encode(claims, key, algorithm="EdDSA")}

    @app.get("/key")
    async def public_key() -> PlainTextResponse:
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return PlainTextResponse(pem.decode())

    @app.exception_handler(AttestationError)
    async def proves_nothing(request: Request, error: AttestationError) -> JSONResponse:
        return JSONResponse({"reason": error.reason, "detail": str(error)}, status_code=403)

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> JSONResponse:
        return JSONResponse({"reason": error.reason, "detail": str(error)}, status_code=403)

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description="Gives licences to programs that run on known Azure machines.")
    parser.add_argument(
        "--allow",
        action="append",
        required=True,
        metavar="SUBSCRIPTION[/VMID]",
        help="a subscription, or one machine of it; may be repeated",
    )
    parser.add_argument("--cloud", choices=get_args(Cloud), default="public", help="whose machines (%(default)s)")
    parser.add_argument("--roots", type=Path, action="append", help="certificates to trust instead of Azure's roots")
    parser.add_argument(
        "--intermediates", type=Path, action="append", help="certificates below the roots, instead of downloads"
    )
    parser.add_argument("--key", type=Path, help="an Ed25519 key (PEM) to sign with; default: a new one at each start")
    parser.add_argument("--nonce-seconds", type=float, default=60.0, help="life of a nonce (%(default)s)")
    parser.add_argument("--port", type=int, default=8001, help="to listen on at 127.0.0.1; 0: any (%(default)s)")
    options = parser.parse_args()
    key = load_pem_private_key(options.key.read_bytes(), None) if options.key else Ed25519PrivateKey.generate()
    if not isinstance(key, Ed25519PrivateKey):
        parser.error(f"{options.key} is not an Ed25519 key")
    app = make_app(
        {one.lower() for one in options.allow},
        Verifier(options.cloud, contents(options.roots), contents(options.intermediates)),
        Nonces(options.nonce_seconds),
        key,
    )
    with suppress(KeyboardInterrupt):  # uvicorn has shut down in good order, and passes Ctrl-C on
        uvicorn.run(app, host="127.0.0.1", port=options.port)


def contents(files: list[Path] | None) -> list[bytes] | None:
    return None if files is None else [file.read_bytes() for file in files]


if __name__ == "__main__":
    main()
