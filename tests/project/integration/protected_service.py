"""A service that validates the token of every request, over TLS on loopback."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from integration import parts
from integration.certificates import Certificate
from integration.token_users import AUDIENCE, Site, compute_fingerprint

from azure_imds_emulator import Emulator

jwt = parts.module("jwt")

_CLAIMS = {"access_token": {"nbf": {"essential": True, "value": "1700000000"}}}


class ProtectedService:
    """Responds to a valid token with its fingerprint, and to everything else with 401.

    Args:
        issuer: the emulator that issues valid tokens.
        certificate: the certificate that the service uses.
        revoking: how many tokens to revoke when they are first used. The response is a claims challenge, as in
            continuous access evaluation, and the token stays revoked.

    Attributes:
        site: its address, for clients.
        verdicts: the result of each request: `ok`, `revoked`, or the name of the error in the token.
    """

    def __init__(self, issuer: Emulator, certificate: Certificate, *, revoking: int = 0) -> None:
        self.verdicts: list[str] = []
        self._issuer = issuer
        self._revoking = revoking
        self._revoked: set[str] = set()
        self._lock = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        # The thread of each request does the handshake. Here, a slow handshake would block all clients.
        self._server.socket = certificate.server_context().wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.site = Site(f"https://127.0.0.1:{self._server.server_port}", str(certificate.authority))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        with self._lock:
            verdict = self._judge(token)
            self.verdicts.append(verdict)
        if verdict == "ok":
            _send(request, HTTPStatus.OK, {"fingerprint": compute_fingerprint(token)})
        elif verdict == "revoked":
            claims = base64.b64encode(json.dumps(_CLAIMS).encode()).decode()
            _send(request, HTTPStatus.UNAUTHORIZED, {}, f'error="insufficient_claims", claims="{claims}"')
        else:
            _send(request, HTTPStatus.UNAUTHORIZED, {}, f'error="invalid_token", error_description="{verdict}"')

    def _judge(self, token: str) -> str:
        try:
            keys = jwt.PyJWKSet.from_dict(self._issuer.jwks())
            claims = jwt.decode(
                token,
                keys[jwt.get_unverified_header(token)["kid"]],
                algorithms=["RS256"],
                audience=AUDIENCE,
                options={"require": ["aud", "exp", "iss", "nbf"]},
            )
            # Each emulator has an issuer of its own, at its control server.
            if not claims["iss"].endswith(f"/{self._issuer.machine.tenant_id}/"):
                raise jwt.InvalidIssuerError
        except (jwt.InvalidTokenError, KeyError) as error:
            return type(error).__name__
        if len(self._revoked) < self._revoking:
            self._revoked.add(claims["uti"])
        return "revoked" if claims["uti"] in self._revoked else "ok"


class _Server(ThreadingHTTPServer):
    # Threads are joined at the end. An open socket would cause a warning in another test.
    daemon_threads = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Prints nothing if a client disconnects."""

    def shutdown_request(self, request: Any) -> None:
        try:
            request.settimeout(5)
            request.unwrap()
        except (OSError, ssl.SSLError, ValueError):
            pass
        super().shutdown_request(request)


def _send(request: BaseHTTPRequestHandler, status: HTTPStatus, body: dict[str, str], challenge: str = "") -> None:
    content = json.dumps(body).encode()
    request.send_response(status)
    if challenge:
        request.send_header("WWW-Authenticate", f'Bearer realm="", {challenge}')
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)
