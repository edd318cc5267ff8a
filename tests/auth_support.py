"""Tools of the tests of `ImdsAuth`: a service that sees tokens, and requests with httpx or httpx2 in three colours."""

from __future__ import annotations

import base64
from typing import Any

import anyio
import httpx
import httpx2

from azure_imds import ImdsAuth
from support import CANARY, Colour

SERVICE = "https://vault.azure.net"
CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}'

#: The libraries whose clients accept an `ImdsAuth`.
LIBRARIES: list[Any] = [httpx, httpx2]


def challenge(claims: str = CLAIMS, error: str = "insufficient_claims") -> str:
    """Returns the header of a 401 that demands other claims."""
    encoded = base64.b64encode(claims.encode()).decode()
    return f'Bearer realm="", authorization_uri="https://login.example", error="{error}", claims="{encoded}"'


class Service:
    """The service that the token is for. It returns its answers in turn, and then repeats the last."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.requests: list[Any] = []
        self.authorizations: list[str] = []

    def __call__(self, request: Any) -> Any:
        self.requests.append(request)
        self.authorizations.append(request.headers.get("authorization", ""))  # httpx uses the request object again
        one = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        library = httpx if isinstance(request, httpx.Request) else httpx2
        return library.Response(one.status_code, headers=one.headers.raw, content=one.content)

    @property
    def tokens(self) -> list[str | None]:
        """The number of the token that each request carried."""
        return [value.removeprefix(f"Bearer {CANARY}-") or None for value in self.authorizations]


def send(
    colour: Colour, service: Any, auth: ImdsAuth, *calls: tuple[str, str], library: Any = httpx, **options: Any
) -> list[Any]:
    """Sends requests with a client of this colour. Returns the response or the exception of each."""
    content = options.pop("content", None)
    calls = calls or (("GET", SERVICE),)
    if service is not None:
        options.setdefault("transport", library.MockTransport(service))
    results: list[Any] = []
    if colour.name == "sync":
        with library.Client(auth=auth, **options) as client:
            for method, url in calls:
                try:
                    results.append(client.request(method, url, content=content))
                except Exception as error:
                    results.append(error)
        return results

    async def main() -> None:
        async with library.AsyncClient(auth=auth, **options) as client:
            for method, url in calls:
                try:
                    results.append(await client.request(method, url, content=content))
                except Exception as error:
                    results.append(error)

    anyio.run(main, backend=colour.name)
    return results
