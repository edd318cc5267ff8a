"""An Azure Resource Manager with one subscription.

`python -m integration.resource_manager ADDRESS CERTIFICATE KEY KEYS_URL` prints a line when it listens. It validates
the token of each request with the public keys of its issuer.
"""

from __future__ import annotations

import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import jwt

HOST = "management.azure.com"
SUBSCRIPTION = "00000000-0000-0000-0000-00000000ab1e"
SUBSCRIPTION_NAME = "a subscription of the tests"
#: The audiences that Azure Resource Manager accepts.
AUDIENCES = ["https://management.core.windows.net/", f"https://{HOST}/", f"https://{HOST}"]


def list_values(path: str, claims: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Returns the values of a list, or `None` if there is no such list."""
    tenant = claims["tid"]
    if path == "/tenants":
        return [{"id": f"/tenants/{tenant}", "tenantId": tenant}]
    if path == "/subscriptions":
        subscription = {
            "id": f"/subscriptions/{SUBSCRIPTION}",
            "subscriptionId": SUBSCRIPTION,
            "tenantId": tenant,
            "displayName": SUBSCRIPTION_NAME,
            "state": "Enabled",
            "managedByTenants": [],
        }
        return [subscription]
    return None


def make_handler(keys_url: str) -> type[BaseHTTPRequestHandler]:
    keys = jwt.PyJWKClient(keys_url)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            try:
                key = keys.get_signing_key_from_jwt(token)
                claims = jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCES)
            except jwt.PyJWTError as error:
                self.send(401, {"error": {"code": "InvalidAuthenticationToken", "message": type(error).__name__}})
                return
            values = list_values(urlsplit(self.path).path, claims)
            if values is None:
                self.send(404, {"error": {"code": "NotFound", "message": self.path}})
            else:
                self.send(200, {"value": values})

        def send(self, status: int, document: dict[str, Any]) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Prints nothing: the only output is the line that it listens."""

    return Handler


def main(address: str, certificate: str, key: str, keys_url: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ThreadingHTTPServer((address, 443), make_handler(keys_url)) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        print("listens", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
