"""examples/fastapi_service.py with an API that verifies tokens. Everything is on loopback."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jwt
import pytest

from azure_imds_emulator import Emulator
from examples_support import Served, serve

pytestmark = pytest.mark.integration

AUDIENCE = "api://downstream"

#: So short that no test waits noticeably.
CHECK_SECONDS = "0.02"


class Downstream:
    """An API that requires a token with its audience.

    Attributes:
        url: its address.
        tokens: the tokens that it has received.
    """

    def __init__(self, issuer: Emulator) -> None:
        self.tokens: list[str] = []
        downstream = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                downstream.tokens.append(token)
                status, body = downstream._respond(token, issuer)
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def _respond(self, token: str, issuer: Emulator) -> tuple[int, Any]:
        try:
            key = jwt.PyJWKSet.from_dict(issuer.jwks())[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE)
        except jwt.InvalidTokenError as error:
            return 401, {"error": type(error).__name__}
        return 200, {"hello": claims["appid"]}


@pytest.fixture
def downstream(imds_emulator: Emulator) -> Iterator[Downstream]:
    downstream = Downstream(imds_emulator)
    thread = threading.Thread(target=downstream.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield downstream
    downstream.server.shutdown()
    downstream.server.server_close()
    thread.join()


@pytest.fixture
def service(downstream: Downstream) -> Iterator[Served]:
    options = ("--downstream", downstream.url, "--scope", f"{AUDIENCE}/.default", "--check-seconds", CHECK_SECONDS)
    with serve("fastapi_service.py", *options) as service:
        yield service


@pytest.fixture
def http(service: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=30) as http:
        yield http


def until(http: httpx.Client, status: int) -> httpx.Response:
    """Sends probes until the response has this status."""
    while (answer := http.get("/readyz")).status_code != status:
        pass
    return answer


def test_the_downstream_api_gets_a_token_for_its_audience(
    http: httpx.Client, downstream: Downstream, imds_emulator: Emulator
) -> None:
    answer = http.get("/downstream")
    assert (answer.status_code, answer.json()) == (200, {"hello": "00000000-0000-0000-0000-000000000003"})
    assert {request.query["resource"] for request in imds_emulator.requests} == {AUDIENCE}


def test_probes_do_not_call_imds(http: httpx.Client, imds_emulator: Emulator) -> None:
    assert until(http, 200).json() == {"status": "ready"}
    assert {http.get("/readyz").status_code for _ in range(50)} == {200}
    assert len(imds_emulator.requests) == 1


def test_many_calls_share_a_token(http: httpx.Client, downstream: Downstream, imds_emulator: Emulator) -> None:
    until(http, 200)
    assert {http.get("/downstream").status_code for _ in range(20)} == {200}
    assert len(downstream.tokens) == 20
    assert len(imds_emulator.requests) == 1, "readiness and the calls share one token"


def test_without_an_identity_it_is_healthy_but_not_ready_and_gives_a_hint(
    imds_emulator: Emulator, request: pytest.FixtureRequest
) -> None:
    imds_emulator.machine.system_assigned = None
    http: httpx.Client = request.getfixturevalue("http")
    assert http.get("/healthz").status_code == 200
    while "Assign a managed identity" not in (hint := until(http, 503).json()["hint"]):
        assert hint == "The first token has not arrived yet."
    refused = http.get("/downstream")
    assert refused.status_code == 503
    assert "Assign a managed identity" in refused.json()["hint"]


def test_it_becomes_ready_when_the_identity_arrives(imds_emulator: Emulator, request: pytest.FixtureRequest) -> None:
    identity, imds_emulator.machine.system_assigned = imds_emulator.machine.system_assigned, None
    http: httpx.Client = request.getfixturevalue("http")
    until(http, 503)
    imds_emulator.machine.system_assigned = identity
    assert until(http, 200).json() == {"status": "ready"}
    assert http.get("/downstream").status_code == 200


def test_a_downstream_api_that_is_down_is_a_bad_gateway(
    imds_emulator: Emulator, downstream: Downstream, http: httpx.Client
) -> None:
    downstream.server.shutdown()
    downstream.server.server_close()
    answer = http.get("/downstream")
    assert (answer.status_code, answer.json()) == (502, {"error": "the downstream API does not answer"})


def test_a_refusal_of_the_downstream_api_is_a_bad_gateway(imds_emulator: Emulator, downstream: Downstream) -> None:
    options = ("--downstream", downstream.url, "--scope", "https://another.example/.default")
    with serve("fastapi_service.py", *options) as service:
        answer = httpx.get(f"{service.url}/downstream", timeout=30)
    assert (answer.status_code, answer.json()) == (502, {"error": "the downstream API answered 401"})


@pytest.mark.skipif(os.name == "nt", reason="Windows kills a process without a signal")
@pytest.mark.parametrize(
    ("signum", "status"),
    # uvicorn shuts down and then raises SIGTERM again, which ends the process.
    [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_it_shuts_down_cleanly_and_logs_no_token(
    service: Served, http: httpx.Client, downstream: Downstream, signum: int, status: int
) -> None:
    http.get("/downstream").raise_for_status()
    http.close()
    assert service.end(signum) == status
    assert "Application shutdown complete" in service.log
    assert "Traceback" not in service.log
    assert downstream.tokens[0].split(".")[2] not in service.log
