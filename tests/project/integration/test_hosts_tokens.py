"""Azure's libraries, unmodified, on every host of managed identities that the emulator plays."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from integration import parts

from azure_imds_emulator import Emulator
from azure_imds_emulator.hosts import list_host_names

pytestmark = pytest.mark.integration

PROGRAMS = Path(__file__).parent / "clients"
RESOURCE = "https://vault.azure.net"
#: Where the libraries accept key files of the Azure Arc agent.
ARC_KEYS = Path("/var/opt/azcmagent/tokens")

#: msal for Python has no client for these hosts. On Cloud Shell, it would go to 169.254.169.254.
WITHOUT_MSAL = ("cloud-shell", "workload-identity")
#: The libraries for JavaScript do not compare the thumbprint, so they refuse the certificate of Service Fabric.
REFUSED_BY_JAVASCRIPT = "service-fabric"


@contextmanager
def playing(host: str) -> Iterator[Emulator]:
    options: dict[str, Any] = {}
    if host == "arc":
        if not os.access(next(p for p in (ARC_KEYS, *ARC_KEYS.parents) if p.exists()), os.W_OK):
            pytest.skip(f"{ARC_KEYS} cannot be written")
        options["arc_token_dir"] = ARC_KEYS
    with Emulator(host=host, **options) as emulator:
        yield emulator


def run(emulator: Emulator, *command: str | Path, **environment: str) -> list[dict[str, str]]:
    """Runs a program on the host, and returns the lines that it printed. It has no other variables."""
    done = subprocess.run(
        [str(part) for part in command],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **emulator.environment, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def run_python(emulator: Emulator, *libraries: str) -> list[dict[str, str]]:
    return run(emulator, sys.executable, PROGRAMS / "host_tokens.py", RESOURCE, *libraries)


def run_javascript(emulator: Emulator, *libraries: str, **environment: str) -> list[dict[str, str]]:
    node = parts.program("node")
    for name in ("identity", "msal-node"):
        parts.package(parts.NODE_PACKAGES / "@azure" / name)
    path = str(parts.NODE_PACKAGES)
    return run(emulator, node, PROGRAMS / "host_tokens.cjs", RESOURCE, *libraries, NODE_PATH=path, **environment)


def expect(emulator: Emulator) -> dict[str, str]:
    assert emulator.machine.system_assigned is not None
    return {"appid": emulator.machine.system_assigned.client_id, "aud": RESOURCE}


@pytest.mark.parametrize("host", list_host_names())
def test_the_libraries_for_python_get_tokens(host: str) -> None:
    libraries = ["azure-identity", "azure-identity.aio", *(["msal"] if host not in WITHOUT_MSAL else [])]
    with playing(host) as emulator:
        assert run_python(emulator, *libraries) == [expect(emulator)] * len(libraries)
        assert sum(request.status == 200 for request in emulator.requests) == len(libraries)


@pytest.mark.parametrize("host", [host for host in list_host_names() if host != REFUSED_BY_JAVASCRIPT])
def test_the_libraries_for_javascript_get_tokens(host: str) -> None:
    libraries = ["@azure/identity", "@azure/msal-node"]
    if host == "workload-identity":
        libraries = ["@azure/identity, workload"]
    with playing(host) as emulator:
        assert run_javascript(emulator, *libraries) == [expect(emulator)] * len(libraries)
        assert all(request.status in (200, 401) for request in emulator.requests)


def test_the_libraries_for_javascript_refuse_the_certificate_of_service_fabric(tmp_path: Path) -> None:
    libraries = ["@azure/identity", "@azure/msal-node"]
    with playing("service-fabric") as emulator:
        refused = run_javascript(emulator, *libraries)
        assert [answer.keys() for answer in refused] == [{"error"}, {"error"}]
        assert len(emulator.requests) == 0
        # Node.js accepts it as an authority of its own.
        address = urlsplit(emulator.endpoint)
        assert address.hostname
        assert address.port
        certificate = tmp_path / "certificate.pem"
        certificate.write_text(ssl.get_server_certificate((address.hostname, address.port)))
        trusting = run_javascript(emulator, *libraries, NODE_EXTRA_CA_CERTS=str(certificate))
        assert trusting == [expect(emulator)] * 2


def test_the_libraries_get_no_token_with_an_outdated_secret() -> None:
    with playing("app-service") as emulator:
        environment = emulator.environment
        emulator.rotate_secret()
        names = ("azure-identity", "azure-identity.aio", "msal")
        outdated = run(emulator, sys.executable, PROGRAMS / "host_tokens.py", RESOURCE, *names, **environment)
        assert [answer.keys() for answer in outdated] == [{"error"}] * 3
        assert {request.status for request in emulator.requests} == {401}
