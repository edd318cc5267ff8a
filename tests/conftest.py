"""Fixtures of all tests: connections to loopback only, a clean environment, and the client in three colours."""

from __future__ import annotations

import contextvars
import gc
import ipaddress
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from azure_imds._client import call
from azure_imds_api.api import SERVERS
from support import COLOURS, Colour

#: Variables that say on which host this is, and where.
VARIABLES = (
    "AZURE_CLIENT_ID",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "AZURE_IMDS_DISABLED",
    "AZURE_IMDS_ARC_TOKEN_DIR",
    *(name for server in SERVERS.values() for name in (*server.when_set, *server.when_unset, *server.variables)),
)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

# A job in the background of a shell ignores Ctrl-C, and so would the programs that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


#: How signals are handled in a program that a terminal starts.
HANDLERS = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGHUP: signal.SIG_DFL,
    signal.SIGQUIT: signal.SIG_DFL,
}


def pytest_configure() -> None:
    """Ends at the signals that nohup, or a shell that starts a job in the background, ignores for its children."""
    for number, handler in HANDLERS.items():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Excludes the tests themselves from garbage collection, which takes a third of a second with all of them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes the variables that the package or its clients read."""
    for variable in (*VARIABLES, *PROXIES, *map(str.lower, PROXIES)):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(autouse=True)
def no_endpoint_has_answered() -> None:
    """A client waits longer for an endpoint that has answered in the same process. Each test starts without."""
    call._answered.clear()


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails the test if it connects to another machine, especially to 169.254.169.254."""
    refused: list[str] = []

    def guard(method: str) -> None:
        original = getattr(socket.socket, method)

        def connect(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(str(address[0])):
                refused.append(str(address[0]))
                pytest.fail(f"a test connected to {address[0]}")
            return original(self, address)

        monkeypatch.setattr(socket.socket, method, connect)

    guard("connect")
    guard("connect_ex")
    yield
    # A failure in a thread does not fail the test.
    assert not refused, f"connected to {refused}"


@pytest.fixture
def inherited_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """New threads run in a copy of the context, as those of free-threaded Pythons do."""
    original = threading.Thread.start

    def start(self: threading.Thread) -> None:
        run = self.run
        monkeypatch.setattr(self, "run", lambda context=contextvars.copy_context(): context.run(run))
        original(self)

    monkeypatch.setattr(threading.Thread, "start", start)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(params=COLOURS, ids=str)
def colour(request: pytest.FixtureRequest) -> Colour:
    """The sync client, and the async client with asyncio and trio."""
    value: Colour = request.param
    return value


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
