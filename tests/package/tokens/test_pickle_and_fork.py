"""Credentials can be pickled, without their tokens and sockets, and can be used after a fork."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import pickletools
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from azure_imds import (
    AccessToken,
    AsyncImdsClient,
    AsyncImdsCredential,
    ImdsAuth,
    ImdsClient,
    ImdsCredential,
    RetryPolicy,
)
from azure_imds_emulator import Emulator
from support import CLIENT_ID, Colour, raw_server, read_request, reply
from token_support import DAY, FOREVER, SCOPE, Clocks, Gate, Held, Imds, holding, number, refreshers

PROTOCOLS = pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
RESOURCE = "https://vault.azure.net"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


def again(thing: Any, protocol: int = pickle.DEFAULT_PROTOCOL) -> Any:
    return pickle.loads(pickle.dumps(thing, protocol))


def asked(credential: Any, backend: str = "asyncio") -> AccessToken:
    """Returns a token of a credential of either kind."""
    if isinstance(credential, ImdsCredential):
        return credential.get_token(SCOPE)
    token: AccessToken = anyio.run(credential.get_token, SCOPE, backend=backend)
    return token


STATES: dict[str, Callable[[Held], object]] = {
    "fresh": lambda held: None,
    "used": lambda held: held.get_token(),
    "cleared": lambda held: (held.get_token(), held.clear()),
    "closed": lambda held: (held.get_token(), held.call(held.credential.close)),
}


@pytest.mark.parametrize("state", STATES)
@PROTOCOLS
def test_a_credential_can_be_pickled_in_any_state(
    colour: Colour, emulator: Emulator, state: str, protocol: int
) -> None:
    with holding(colour, endpoint=emulator.endpoint) as held:
        STATES[state](held)
        emulator.requests.clear()
        unpickled = again(held.credential, protocol)
        assert emulator.requests.total == 0
        assert asked(unpickled).token
        assert emulator.requests.total == 1, "the unpickled credential has no token"


@PROTOCOLS
def test_no_token_is_pickled(colour: Colour, emulator: Emulator, protocol: int) -> None:
    with holding(colour, endpoint=emulator.endpoint, client_id=None) as held:
        token = held.get_token().token
        data = pickle.dumps(held.credential, protocol)
    assert token.encode() not in data
    texts = [argument for _, argument, _ in pickletools.genops(data) if isinstance(argument, (str, bytes))]
    assert not [text for text in texts if len(text) > 8 and str(text) in token]


def test_a_credential_can_be_pickled_while_a_refresh_is_running(colour: Colour, emulator: Emulator) -> None:
    clock = Clocks(emulator.clock.time())
    with holding(colour, endpoint=emulator.endpoint, clock=clock) as held:
        token = held.get_token().token
        clock.advance(DAY / 2)
        fault = emulator.fail(delay=3600)
        held.get_token()
        while not fault.hits:
            threading.Event().wait(0.001)
        data = pickle.dumps(held.credential)
        assert token.encode() not in data
        assert asked(pickle.loads(data)).token
        emulator.clock.advance(3600)
        held.wait_for_refreshes()


def test_settings_are_pickled(colour: Colour, tmp_path: Path) -> None:
    retry = RetryPolicy(attempts=2)
    with holding(
        colour,
        endpoint="http://127.0.0.1:1",
        client_id=CLIENT_ID,
        deadline=7,
        timeout=3,
        retry=retry,
        shared_cache=tmp_path,
    ) as held:
        unpickled = again(held.credential)
        assert repr(unpickled) == repr(held.credential)
        options = unpickled._client.options
        assert (options.deadline, options.timeout, options.retry) == (7, 3, retry)
        assert unpickled._shared_cache._folder == str(tmp_path)


def test_without_an_endpoint_the_other_process_finds_its_own(
    colour: Colour, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with holding(colour) as held:
        data = pickle.dumps(held.credential)
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", emulator.endpoint)
    assert asked(pickle.loads(data)).token
    assert emulator.requests.total == 1


def test_an_unpickled_credential_closes_its_own_connections(emulator: Emulator) -> None:
    with ImdsCredential(endpoint=emulator.endpoint) as credential:
        with again(credential) as unpickled:
            unpickled.get_token(SCOPE)
        credential.get_token(SCOPE)


def test_a_credential_with_an_http_client_cannot_be_pickled_and_the_error_says_why(colour: Colour) -> None:
    client: Any = httpx.Client() if colour.name == "sync" else httpx.AsyncClient()
    with holding(colour, http_client=client) as held, pytest.raises(TypeError, match="http_client"):
        pickle.dumps(held.credential)
    client.close() if colour.name == "sync" else anyio.run(client.aclose)


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
def test_a_copy_is_independent(colour: Colour, emulator: Emulator, how: Callable[[Any], Any]) -> None:
    with holding(colour, endpoint=emulator.endpoint) as held:
        held.get_token()
        copied = how(held.credential)
        emulator.requests.clear()
        assert held.call(copied.get_token, SCOPE).token
        assert emulator.requests.total == 1
        held.call(copied.close)
        assert held.get_token(force_refresh=True).token, "closing the copy does not close the original"


def test_a_copy_uses_the_callers_client_and_leaves_it_open() -> None:
    imds = Imds()
    with ImdsClient(transport=imds) as client:
        copied = copy.copy(ImdsCredential(client=client))
        assert number(copied.get_token(SCOPE)) == 1
        copied.close()
        assert client.identity.get_token(resource=RESOURCE).access_token
    assert len(imds) == 2


@PROTOCOLS
def test_a_client_can_be_pickled_in_any_state(colour: Colour, emulator: Emulator, protocol: int) -> None:
    def travel(client: Any) -> Any:
        return pickle.dumps(client, protocol)

    fresh = colour.run(travel, endpoint=emulator.endpoint, deadline=9)

    def use(client: Any) -> Any:
        if isinstance(client, ImdsClient):
            token = client.identity.get_token(resource=RESOURCE).access_token
            return pickle.dumps(client, protocol), token

        async def main() -> Any:
            token = (await client.identity.get_token(resource=RESOURCE)).access_token
            return pickle.dumps(client, protocol), token

        return main()

    used, token = colour.run(use, endpoint=emulator.endpoint, deadline=9)
    assert token.encode() not in used
    for data in (fresh, used):
        client = pickle.loads(data)
        assert isinstance(client, (ImdsClient, AsyncImdsClient))
        assert client.options.deadline == 9
        if isinstance(client, ImdsClient):
            assert client.identity.get_token(resource=RESOURCE).access_token == token


def test_credentials_that_share_a_client_share_it_after_pickling(emulator: Emulator) -> None:
    client = ImdsClient(endpoint=emulator.endpoint)
    one, other = again((ImdsCredential(client=client), ImdsCredential(client=client, client_id=CLIENT_ID)))
    assert one._client is other._client
    one.close()
    assert other.get_token(SCOPE).token, "the credential did not close the client"


@PROTOCOLS
def test_an_access_token_cannot_be_pickled_and_the_error_says_what_to_do(protocol: int) -> None:
    with pytest.raises(TypeError, match="pickle the credential") as caught:
        pickle.dumps(AccessToken("secret-text", 1), protocol)
    assert "secret-text" not in str(caught.value)


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
def test_an_access_token_can_be_copied_within_a_process(how: Callable[[Any], Any]) -> None:
    token = AccessToken("text", 1)
    assert how({"token": token})["token"] == token


def in_spawned_process(thing: Any) -> tuple[int, str, bool]:
    """Runs in a spawned process. Returns its pid, the token, and whether the object arrived without a token."""
    if isinstance(thing, ImdsAuth):
        empty = not thing._own
        with httpx.Client(
            transport=httpx.MockTransport(lambda request: httpx.Response(200, text=request.headers["authorization"])),
            auth=thing,
        ) as client:
            return os.getpid(), client.get(RESOURCE).text.removeprefix("Bearer "), empty
    empty = not thing._cache._entries
    return os.getpid(), asked(thing).token, empty


def test_spawned_processes_can_use_credentials_that_are_in_use(emulator: Emulator) -> None:
    sync = ImdsCredential(endpoint=emulator.endpoint)
    asynchronous = AsyncImdsCredential(endpoint=emulator.endpoint)
    auth = ImdsAuth(RESOURCE, endpoint=emulator.endpoint)
    tokens = {asked(sync).token, asked(asynchronous).token, auth._credential(ImdsCredential).get_token(RESOURCE).token}
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        results = list(pool.map(in_spawned_process, [sync, asynchronous, auth]))
    assert os.getpid() not in {pid for pid, _, _ in results}
    assert {token for _, token, _ in results} == tokens, "IMDS returns the same token to all"
    assert all(empty for _, _, empty in results)
    sync.close()


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
in_many_threads = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


def in_child(work: Callable[[], bool]) -> bool:
    """Runs `work` in a forked process, and returns whether it returned a true value in time."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # pytest-timeout has a handler
        signal.alarm(FOREVER)
        try:
            os._exit(0 if work() else 1)
        except BaseException:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@needs_fork
@in_many_threads
def test_a_forked_child_uses_the_stored_token(colour: Colour) -> None:
    imds = Imds()
    credential: Any = (ImdsCredential if colour.name == "sync" else AsyncImdsCredential)(transport=imds)
    backend = "asyncio" if colour.name == "sync" else colour.name
    token = asked(credential, backend)
    assert in_child(lambda: asked(credential, backend) == token and len(imds) == 1)


@needs_fork
@in_many_threads
def test_parent_and_child_share_no_socket(colour: Colour) -> None:
    peers: list[tuple[tuple[str, int], int]] = []
    body = '{"access_token": "t", "expires_in": "86400", "token_type": "Bearer"}'

    def serve(connection: socket.socket) -> None:
        while read_request(connection):
            peers.append((connection.getpeername(), threading.get_ident()))
            connection.sendall(reply(200, body))

    backend = "asyncio" if colour.name == "sync" else colour.name
    with raw_server(serve) as url:
        credential: Any = (ImdsCredential if colour.name == "sync" else AsyncImdsCredential)(endpoint=url)
        asked(credential, backend)
        credential.clear()
        asked(credential, backend)
        parents = {peer for peer, _ in peers}
        assert in_child(lambda: bool((credential.clear(), asked(credential, backend))[1].token))
        assert len(peers) == 3
        assert peers[-1][0] not in parents
        credential.clear()
        asked(credential, backend)
        assert peers[-1][0] != peers[-2][0], "the parent does not use the connection of the child"
        if colour.name == "sync":
            credential.close()


@needs_fork
@in_many_threads
def test_a_child_forked_during_a_fetch_can_fetch() -> None:
    imds, gate = Imds(), Gate()
    imds.gates = [gate]
    credential = ImdsCredential(transport=imds)
    threads = [threading.Thread(target=credential.get_token, args=(SCOPE,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    gate.wait_for()

    def child() -> bool:
        imds.__init__()  # type: ignore[misc]
        return number(credential.get_token(SCOPE)) == 1 and len(imds) == 1

    assert in_child(child)
    gate.open()
    for thread in threads:
        thread.join(FOREVER)
    assert len(imds) == 1, "the callers in the parent got their token"


@needs_fork
@in_many_threads
def test_a_child_forked_during_a_refresh_uses_the_current_token(emulator: Emulator) -> None:
    clock = Clocks(emulator.clock.time())
    with ImdsCredential(endpoint=emulator.endpoint, clock=clock) as credential:
        token = credential.get_token(SCOPE)
        clock.advance(DAY / 2)
        fault = emulator.fail(delay=3600)
        credential.get_token(SCOPE)
        while not fault.hits:
            threading.Event().wait(0.001)
        assert in_child(lambda: credential.get_token(SCOPE) == token)
        emulator.clock.advance(3600)
        for thread in refreshers():
            thread.join(FOREVER)


@needs_fork
@in_many_threads
def test_a_child_forked_from_an_event_loop_can_run_its_own(emulator: Emulator) -> None:
    credential = AsyncImdsCredential(endpoint=emulator.endpoint)

    async def main() -> bool:
        await credential.get_token(SCOPE)
        return await anyio.to_thread.run_sync(in_child, lambda: bool(asked(credential, "trio").token))

    assert anyio.run(main)


@needs_fork
@in_many_threads
def test_a_pool_of_forked_processes_works(emulator: Emulator) -> None:
    credential = ImdsCredential(endpoint=emulator.endpoint)
    token = asked(credential).token
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        results = list(pool.map(in_spawned_process, [credential] * 4))
    assert {text for _, text, _ in results} == {token}
    credential.close()
