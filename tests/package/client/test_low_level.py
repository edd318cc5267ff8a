"""The low-level client, used as the generator makes it, against a real HTTP server on loopback."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import pprint
import re
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import httpx
import pytest
from rich.pretty import pretty_repr

import azure_imds_api
from azure_imds_api import models
from azure_imds_api.api.identity import identity_get_token
from azure_imds_api.api.scheduled_events import scheduled_events_start_events
from azure_imds_api.models import (
    IdentityErrorResponse,
    IdentityTokenResponse,
    Instance,
    StartEventsRequest,
    StartRequest,
)
from azure_imds_api.types import Response
from support import CANARY, CLIENT_ID, RESOURCE, token


class Server(ThreadingHTTPServer):
    """Returns the same response to every request, and stores the requests."""

    daemon_threads = True
    status = 200
    body: Any = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/metadata"

    @property
    def headers(self) -> dict[str, str]:
        return self.seen[-1][2]

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.seen[-1][1]).query)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append((self.command, self.path, headers, body))
        answer = json.dumps(self.server.body).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        server.body = token()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


Ask = Callable[..., Any]


def sync(url: str, **arguments: Any) -> Any:
    with azure_imds_api.Client(base_url=url) as client:
        return identity_get_token.sync(client=client, **arguments)


def sync_detailed(url: str, **arguments: Any) -> Any:
    with azure_imds_api.Client(base_url=url) as client:
        return identity_get_token.sync_detailed(client=client, **arguments).parsed


def asynchronous(url: str, **arguments: Any) -> Any:
    async def main() -> Any:
        async with azure_imds_api.Client(base_url=url) as client:
            return await identity_get_token.asyncio(client=client, **arguments)

    return asyncio.run(main())


def asynchronous_detailed(url: str, **arguments: Any) -> Any:
    async def main() -> Any:
        async with azure_imds_api.Client(base_url=url) as client:
            return (await identity_get_token.asyncio_detailed(client=client, **arguments)).parsed

    return asyncio.run(main())


@pytest.fixture(params=[sync, sync_detailed, asynchronous, asynchronous_detailed], ids=lambda ask: str(ask.__name__))
def ask(request: pytest.FixtureRequest) -> Ask:
    """One of the four functions of an operation."""
    function: Ask = request.param
    return function


def test_the_answer_is_a_token(server: Server, ask: Ask) -> None:
    answer = ask(server.url, resource=RESOURCE)
    assert isinstance(answer, IdentityTokenResponse)
    assert answer.to_dict() == token()


def test_an_error_is_an_error_response(server: Server, ask: Ask) -> None:
    server.status, server.body = 400, {"error": "invalid_request", "error_description": "Identity not found"}
    answer = ask(server.url, resource=RESOURCE)
    assert answer == IdentityErrorResponse(error="invalid_request", error_description="Identity not found")


def test_the_metadata_header_is_sent_by_default(server: Server, ask: Ask) -> None:
    ask(server.url, resource=RESOURCE)
    assert server.headers["metadata"] == "true"


def test_the_api_version_is_sent_by_default(server: Server, ask: Ask) -> None:
    ask(server.url, resource=RESOURCE)
    assert server.query["api-version"] == ["2018-10-01"]


def test_the_request_goes_to_its_path_below_the_base_url(server: Server, ask: Ask) -> None:
    ask(server.url, resource=RESOURCE)
    method, target = server.seen[-1][:2]
    assert (method, urlsplit(target).path) == ("GET", "/metadata/identity/oauth2/token")


def test_omitted_parameters_are_not_sent(server: Server, ask: Ask) -> None:
    ask(server.url, resource=RESOURCE)
    assert set(server.query) == {"api-version", "resource"}


def test_every_parameter_is_sent_by_its_name_in_the_contract(server: Server, ask: Ask) -> None:
    ask(
        server.url,
        resource=RESOURCE,
        api_version="2019-08-01",
        client_id=CLIENT_ID,
        object_id="o",
        msi_res_id="/subscriptions/a b/ü",
        authority="https://login.microsoftonline.com/",
        bypass_cache="true",
    )
    assert server.query == {
        "resource": [RESOURCE],
        "api-version": ["2019-08-01"],
        "client_id": [CLIENT_ID],
        "object_id": ["o"],
        "msi_res_id": ["/subscriptions/a b/ü"],
        "authority": ["https://login.microsoftonline.com/"],
        "bypass_cache": ["true"],
    }


def test_an_authenticated_client_adds_basic_credentials(server: Server) -> None:
    client = azure_imds_api.AuthenticatedClient(base_url=server.url, token="key-of-arc", prefix="Basic")
    with client:
        identity_get_token.sync(client=client, resource=RESOURCE)
    assert server.headers["authorization"] == "Basic key-of-arc"


def test_the_detailed_answer_has_the_status_and_the_headers(server: Server) -> None:
    server.status, server.body = 401, {}
    with azure_imds_api.Client(base_url=server.url) as client:
        answer = identity_get_token.sync_detailed(client=client, resource=RESOURCE)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/json")


def test_a_body_is_sent_as_json(server: Server) -> None:
    body = StartEventsRequest(start_requests=[StartRequest(event_id="A1")])
    with azure_imds_api.Client(base_url=server.url) as client:
        scheduled_events_start_events.sync_detailed(client=client, body=body)
    method, _, headers, content = server.seen[-1]
    assert (method, headers["content-type"], json.loads(content)) == (
        "POST",
        "application/json",
        {"StartRequests": [{"EventId": "A1"}]},
    )


def test_the_repr_of_a_detailed_answer_shows_no_token(server: Server) -> None:
    with azure_imds_api.Client(base_url=server.url) as client:
        answer = identity_get_token.sync_detailed(client=client, resource=RESOURCE)
    assert repr(answer) == "Response(status_code=<HTTPStatus.OK: 200>)"


def authenticated() -> Any:
    return azure_imds_api.AuthenticatedClient(
        base_url="http://127.0.0.1:1",
        token=CANARY,
        headers={"X": CANARY},
        cookies={"X": CANARY},
        httpx_args={"auth": ("user", CANARY)},
    )


def answered() -> Any:
    body = token()
    parsed = IdentityTokenResponse.from_dict(body)
    return Response(HTTPStatus.OK, json.dumps(body).encode(), httpx.Headers({"X": CANARY}), parsed)


HOLDERS: dict[str, Callable[[], Any]] = {
    "IdentityTokenResponse": lambda: IdentityTokenResponse.from_dict(token(refresh_token=CANARY, more=CANARY)),
    "Response": answered,
    "AuthenticatedClient": authenticated,
}
EACH_HOLDER = pytest.mark.parametrize("name", HOLDERS)


@EACH_HOLDER
def test_the_repr_of_an_object_with_a_token_does_not_show_it(name: str) -> None:
    holder = HOLDERS[name]()
    if name == "AuthenticatedClient":
        holder.get_httpx_client().close()  # it has added the token to its headers
    for shown in (repr(holder), str(holder), f"{holder}", repr([holder]), pprint.pformat(holder), pretty_repr(holder)):
        assert CANARY not in shown
        assert name in shown


@EACH_HOLDER
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_object_with_a_token_cannot_be_pickled(name: str, protocol: int) -> None:
    holder = HOLDERS[name]()
    for data in (holder, [holder], {"x": holder}):
        with pytest.raises(TypeError, match=f"{name} cannot be pickled, because it may hold a secret"):
            pickle.dumps(data, protocol)


@EACH_HOLDER
@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
def test_an_object_with_a_token_can_be_copied(name: str, how: Callable[[Any], Any]) -> None:
    holder = HOLDERS[name]()
    copied = how(holder)
    assert copied is not holder
    assert type(copied) is type(holder)
    if name == "Response":
        assert vars(copied) == vars(holder)
        assert (copied.parsed is holder.parsed) == (how is copy.copy)
    elif name == "AuthenticatedClient":
        assert copied.get_httpx_client().headers["authorization"] == f"Bearer {CANARY}"
    else:
        assert copied == holder
        assert copied.to_dict() == holder.to_dict()


def test_the_repr_of_a_client_shows_no_header_or_cookie() -> None:
    client = azure_imds_api.Client(base_url="http://127.0.0.1:1", headers={"X": CANARY}, cookies={"X": CANARY})
    assert CANARY not in repr(client.with_headers({"Y": CANARY}))
    assert "http://127.0.0.1:1" in repr(client)


@pytest.mark.parametrize("model", [Instance, IdentityErrorResponse])
def test_other_models_can_be_pickled(model: Any) -> None:
    read = model.from_dict({"compute": {"name": "a"}, "error": "x", "added": [1]})
    assert pickle.loads(pickle.dumps(read)) == read


def sample(model: Any) -> Any:
    """An instance with a different value in each scalar field, and without lists and objects that may be absent."""
    values: dict[str, Any] = {}
    for field in attrs.fields(model):
        if re.search(r"\b(str|int|float|bool)\b", field.type) and "[" not in field.type:
            values[field.name] = f"the {field.name}"
        elif field.default is attrs.NOTHING:
            values[field.name] = [] if field.type.startswith("list[") else sample(getattr(models, field.type))
    return model(**values)


MODELS = [model for name in models.__all__ if attrs.has(model := getattr(models, name))]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model.__name__))
def test_each_member_is_read_into_its_own_field(model: Any) -> None:
    written = sample(model)
    assert model.from_dict(written.to_dict()) == written


def test_a_changed_copy_of_a_model_keeps_its_unknown_members() -> None:
    request = StartRequest.from_dict({"EventId": "A1", "Added": "later"})
    assert attrs.evolve(request, event_id="A2").to_dict() == {"EventId": "A2", "Added": "later"}
