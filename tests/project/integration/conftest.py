"""Servers on loopback that the integration tests share. They are started when first asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from integration import parts
from integration.azurite import Azurite
from integration.certificates import Certificate, issue
from integration.errands import ERRANDS, Errand, Site

from azure_imds_emulator import Emulator


@pytest.fixture(scope="session", autouse=True)
def no_proxies() -> Iterator[None]:
    """Nothing in this process or its children goes through a proxy: clients that nobody here wrote heed them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.lower().endswith("_proxy"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """One for 127.0.0.1, trusted by whoever trusts its authority."""
    return issue(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def azurite(certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Microsoft's emulator of Azure Storage."""
    with Azurite(parts.program("azurite-blob"), certificate, tmp_path_factory.mktemp("azurite")) as azurite:
        yield azurite


@pytest.fixture
def emulator(imds_emulator: Emulator) -> Emulator:
    """IMDS, where the environment leads to it: made by the plugin that users get."""
    return imds_emulator


@pytest.fixture(scope="module")
def there() -> Iterator[Emulator]:
    """IMDS as other processes find it: another one than here."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def site(there: Emulator, certificate: Certificate) -> Iterator[Site]:
    """A service that takes tokens of either IMDS, which have one issuer and one key."""
    from integration.guarded import GuardedService

    with GuardedService(there, certificate) as service:
        yield service.site


@pytest.fixture(params=ERRANDS, ids=str)
def errand(request: pytest.FixtureRequest) -> Errand:
    """A credential, a client and an auth, sync and async."""
    value: Errand = request.param
    return value
