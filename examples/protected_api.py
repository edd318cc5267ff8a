"""An API that accepts only tokens of managed identities: it checks signature, issuer, audience and role.

`/orders` needs a token for this API with the role `Orders.Read`. The keys come from the issuer's discovery document
(`/.well-known/openid-configuration`) and are cached. docs/guides/protect-an-api.md explains the checks.

With the emulator, which issues tokens with the role:

    pip install 'azure-imds[cli,emulator]' fastapi uvicorn 'PyJWT[crypto]'
    azure-imds emulator --port 8169 --control-port 8170 --config emulator.yaml
    python protected_api.py --issuer http://127.0.0.1:8170/00000000-0000-0000-0000-000000000002/ --audience api://orders
    export AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:8169
    azure-imds token api://orders --header | curl -H @- http://127.0.0.1:8002/orders

where emulator.yaml contains `machine: {system_assigned: {claims: {roles: [Orders.Read]}}}`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import Annotated, Any
from urllib.request import urlopen

import jwt
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException

#: Seconds for one request to the issuer.
TIMEOUT = 5


class Verifier:
    """Verifies access tokens.

    Args:
        issuer: the issuer to trust, exactly as it is in tokens.
        audience: the audience of this API: its application ID URI.
        discovery: URL of the issuer's discovery document. Default: the standard place below the issuer. For
            Entra ID it is `https://login.microsoftonline.com/<tenant>/.well-known/openid-configuration`.
    """

    def __init__(self, issuer: str, audience: str, discovery: str | None = None) -> None:
        self._issuer = issuer
        self._audience = audience
        self._discovery = discovery or f"{issuer.rstrip('/')}/.well-known/openid-configuration"

    @cached_property
    def _keys(self) -> jwt.PyJWKClient:
        # On first use, so that the API starts while the issuer is down.
        with urlopen(self._discovery, timeout=TIMEOUT) as response:
            document: dict[str, Any] = json.load(response)
        if document["issuer"] != self._issuer:
            raise jwt.InvalidIssuerError(f"{self._discovery} is the document of another issuer")
        return jwt.PyJWKClient(document["jwks_uri"], timeout=TIMEOUT)

    def verify(self, token: str) -> dict[str, Any]:
        """Returns the claims of a valid token.

        Raises:
            jwt.InvalidTokenError: the token is not valid.
            jwt.PyJWKClientError, OSError: its key is not known, or the issuer does not answer.
        """
        jwt.get_unverified_header(token)  # refuses what is not a token before the issuer is asked
        claims: dict[str, Any] = jwt.decode(
            token,
            self._keys.get_signing_key_from_jwt(token),
            algorithms=["RS256"],
            audience=self._audience,
            issuer=self._issuer,
            options={"require": ["aud", "exp", "iss", "nbf"]},
        )
        return claims


def make_guard(verifier: Verifier, role: str) -> Callable[..., dict[str, Any]]:
    """Returns a dependency that gives the claims of the caller, or refuses the request.

    It is not async: FastAPI runs it in a thread, because it waits for the issuer when a key is not cached.
    """

    def check(authorization: Annotated[str, Header()] = "") -> dict[str, Any]:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise HTTPException(401, "send a bearer token", {"WWW-Authenticate": "Bearer"})
        try:
            claims = verifier.verify(token)
        except jwt.PyJWKClientConnectionError as error:
            raise HTTPException(503, "the keys of the issuer cannot be read") from error
        except (jwt.InvalidTokenError, jwt.PyJWKClientError) as error:
            # The name of the error helps the caller. It contains no part of the token.
            challenge = f'Bearer error="invalid_token", error_description="{type(error).__name__}"'
            raise HTTPException(401, "the token is not valid", {"WWW-Authenticate": challenge}) from error
        except OSError as error:
            raise HTTPException(503, "the discovery document of the issuer cannot be read") from error
        if role not in claims.get("roles", []):
            raise HTTPException(403, f"the caller needs the role {role}")
        return claims

    return check


def make_app(verifier: Verifier) -> FastAPI:
    """Creates the API."""
    app = FastAPI(title="An API for managed identities")
    reader = make_guard(verifier, "Orders.Read")

    @app.get("/orders")
    def list_orders(caller: dict[str, Any] = Depends(reader)) -> dict[str, Any]:
        return {"orders": [], "caller": caller["oid"]}

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description="An API that accepts only tokens of managed identities.")
    parser.add_argument("--issuer", required=True, help="issuer to trust, exactly as it is in tokens")
    parser.add_argument("--audience", required=True, help="audience of this API, such as api://orders")
    parser.add_argument(
        "--discovery", metavar="URL", help="the issuer's discovery document (default: below the issuer)"
    )
    parser.add_argument(
        "--port", type=int, default=8002, help="port on 127.0.0.1; 0 chooses a free one (default: %(default)s)"
    )
    options = parser.parse_args()
    app = make_app(Verifier(options.issuer, options.audience, options.discovery))
    with suppress(KeyboardInterrupt):  # uvicorn has shut down cleanly and raises Ctrl-C again
        uvicorn.run(app, host="127.0.0.1", port=options.port)


if __name__ == "__main__":
    main()
