"""A web service that calls another API with the managed identity of its machine.

`/downstream` calls the other API with a token and returns its JSON. `/healthz` reports that the process is up.
`/readyz` reports whether there is a token. A background task keeps the token fresh, so the probes never wait for IMDS.

With the emulator, whose control port acts as the other API:

    pip install 'azure-imds[emulator]' fastapi uvicorn
    azure-imds emulator --port 8169 --control-port 8170
    AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:8169 python fastapi_service.py \
        --downstream http://127.0.0.1:8170/api/requests --scope api://example/.default
    curl http://127.0.0.1:8000/readyz http://127.0.0.1:8000/downstream
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from azure_imds import AsyncImdsCredential, ImdsAuth, ImdsError


@dataclass
class Readiness:
    """Whether there is a token. If not, `hint` says what to do."""

    ready: bool = False
    hint: str = "The first token has not arrived yet."

    async def watch(self, credential: AsyncImdsCredential, scope: str, seconds: float) -> None:
        """Checks the token every `seconds` seconds. The credential calls IMDS only if it has no fresh token."""
        while True:
            try:
                await credential.get_token(scope)
                self.ready, self.hint = True, ""
            except ImdsError as error:
                self.ready, self.hint = False, error.hint or str(error)
            await asyncio.sleep(seconds)


def make_app(downstream: str, scope: str, check_seconds: float = 10.0) -> FastAPI:
    """Creates the service.

    Args:
        downstream: URL of the other API: https, or http on this machine.
        scope: scope of the other API, such as `https://management.azure.com/.default`.
        check_seconds: seconds between two checks of the token.
    """
    readiness = Readiness()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, Any]]:
        async with (
            AsyncImdsCredential() as credential,
            httpx.AsyncClient(auth=ImdsAuth(scope, credential=credential)) as http,
        ):
            watch = asyncio.create_task(readiness.watch(credential, scope, check_seconds))
            try:
                yield {"http": http}
            finally:
                watch.cancel()
                with suppress(asyncio.CancelledError):
                    await watch

    app = FastAPI(title="A service with a managed identity", lifespan=lifespan)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        if readiness.ready:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "hint": readiness.hint}, status_code=503)

    @app.get("/downstream")
    async def ask(request: Request) -> JSONResponse:
        http: httpx.AsyncClient = request.state.http
        answer = await http.get(downstream)
        answer.raise_for_status()
        return JSONResponse(answer.json())

    @app.exception_handler(ImdsError)
    async def no_token(request: Request, error: ImdsError) -> JSONResponse:
        hint = error.hint or str(error)
        return JSONResponse({"error": "no token for the downstream API", "hint": hint}, status_code=503)

    @app.exception_handler(httpx.HTTPStatusError)
    async def refused(request: Request, error: httpx.HTTPStatusError) -> JSONResponse:
        return JSONResponse({"error": f"the downstream API answered {error.response.status_code}"}, status_code=502)

    @app.exception_handler(httpx.TransportError)
    async def silent(request: Request, error: httpx.TransportError) -> JSONResponse:
        return JSONResponse({"error": "the downstream API does not answer"}, status_code=502)

    return app


def main() -> None:
    parser = argparse.ArgumentParser(
        description="A web service that calls another API with the managed identity of its machine."
    )
    parser.add_argument(
        "--downstream", required=True, metavar="URL", help="URL of the other API: https, or http on this machine"
    )
    parser.add_argument("--scope", required=True, help="scope of the other API, such as api://example/.default")
    parser.add_argument(
        "--port", type=int, default=8000, help="port on 127.0.0.1; 0 chooses a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--check-seconds",
        type=float,
        default=10.0,
        help="seconds between two checks of the token (default: %(default)s)",
    )
    options = parser.parse_args()
    app = make_app(options.downstream, options.scope, options.check_seconds)
    with suppress(KeyboardInterrupt):  # uvicorn has shut down cleanly and raises Ctrl-C again
        uvicorn.run(app, host="127.0.0.1", port=options.port)


if __name__ == "__main__":
    main()
