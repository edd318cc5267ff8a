"""Servers on loopback that the integration tests share. A server starts when the first test uses it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from integration import parts
from integration.azurite import Azurite
from integration.browser import Browser, run_browser
from integration.certificates import Certificate, issue
from integration.token_users import TOKEN_USERS, Site, TokenUser

from azure_imds_emulator import Emulator
from maintenance_support import build_site


@pytest.fixture(scope="session", autouse=True)
def no_proxies() -> Iterator[None]:
    """Removes all proxies from the environment, because the clients of other projects use them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.lower().endswith("_proxy"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for 127.0.0.1. Clients trust it if they trust its authority."""
    return issue(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium. It keeps its state for all tests of a module."""
    with run_browser(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Prints nothing."""


@pytest.fixture(scope="session")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation site."""
    return build_site(tmp_path_factory)


@pytest.fixture(scope="session")
def site_url(site_folder: Path) -> Iterator[str]:
    """The site on loopback. A search needs a server, because a page from a file must not start a worker."""
    handler = partial(QuietHandler, directory=str(site_folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="session")
def azurite(certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Microsoft's emulator of Azure Storage."""
    with Azurite([parts.program("azurite-blob")], certificate, tmp_path_factory.mktemp("azurite")) as azurite:
        yield azurite


@pytest.fixture
def emulator(imds_emulator: Emulator) -> Emulator:
    """IMDS, with the environment set to its address. It comes from the pytest plugin that users get."""
    return imds_emulator


@pytest.fixture(scope="module")
def remote_emulator() -> Iterator[Emulator]:
    """A second IMDS, for other processes."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def site(remote_emulator: Emulator, certificate: Certificate) -> Iterator[Site]:
    """The address of a service that accepts the tokens of both emulators, which have the same issuer and key."""
    from integration.protected_service import ProtectedService

    with ProtectedService(remote_emulator, certificate) as service:
        yield service.site


@pytest.fixture(params=TOKEN_USERS, ids=str)
def token_user(request: pytest.FixtureRequest) -> TokenUser:
    """A credential, a client and an auth, sync and async."""
    value: TokenUser = request.param
    return value
