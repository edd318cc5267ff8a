"""examples/licence_server.py and licence_client.py over HTTP on loopback: which machines get a licence."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import runpy
import signal
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from integration.certificates import issue

from azure_imds import ImdsClient
from azure_imds_emulator import Emulator, attested
from examples_support import PROGRAMS, Served, run, serve

pytestmark = pytest.mark.integration

#: A subscription that is on the allow list, and one that is not.
CUSTOMER = "00000000-0000-0000-0000-00000000cafe"
STRANGER = "00000000-0000-0000-0000-00000000dead"


class Office:
    """An emulated machine, and the files of a server that trusts the emulator's certificates."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self.emulator = emulator
        self.machine = emulator.machine.compute
        self.folder = folder
        self.roots = _write(folder / "roots.pem", emulator.attested_roots)
        self.intermediates = _write(folder / "intermediates.pem", emulator.attested_intermediates)

    def opened(self, *options: str | Path) -> AbstractContextManager[Served]:
        """Runs a server that allows this machine and all machines of the customer."""
        this = f"{self.machine['subscriptionId']}/{self.machine['vmId'].upper()}"
        trust: tuple[str | Path, ...] = ("--roots", self.roots, "--intermediates", self.intermediates)
        if "--roots" in options:
            trust = ()
        return serve("licence_server.py", "--allow", this, "--allow", CUSTOMER, *trust, *options)

    def client(self, url: str, licence: Path) -> subprocess.CompletedProcess[str]:
        key = self.folder / "key.pem"
        key.write_bytes(httpx.get(f"{url}/key").content)
        options = ("--server", url, "--key", key, "--licence", licence)
        return run("licence_client.py", *options, **self.emulator.environment)

    def document(self, nonce: str) -> dict[str, Any]:
        with ImdsClient(self.emulator.endpoint) as imds:
            return imds.attested.get_document(nonce=nonce).to_dict()

    def apply(self, url: str, nonce: str, document: dict[str, Any] | str) -> httpx.Response:
        return httpx.post(f"{url}/licence", json={"nonce": nonce, "document": document}, timeout=30)

    def refusal(self, url: str) -> str:
        """Applies correctly, expects a refusal, and returns its reason."""
        nonce = nonce_of(url)
        answer = self.apply(url, nonce, self.document(nonce))
        assert answer.status_code == 403
        return str(answer.json()["reason"])


def _write(file: Path, certificates: list[x509.Certificate]) -> Path:
    file.write_bytes(b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates))
    return file


def nonce_of(url: str) -> str:
    return str(httpx.post(f"{url}/nonce").json()["nonce"])


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with Emulator() as emulator:
        yield Office(emulator, tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="module")
def server(office: Office) -> Iterator[Served]:
    with office.opened() as server:
        yield server


@pytest.fixture
def licence(tmp_path: Path) -> Path:
    """The file of the client's licence."""
    return tmp_path / "licence.jwt"


def test_an_allowed_machine_gets_a_licence_and_keeps_it(office: Office, server: Served, licence: Path) -> None:
    office.emulator.requests.clear()
    first = office.client(server.url, licence)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith("licensed until ")
    text = licence.read_text()
    assert text not in first.stdout
    claims = json.loads(base64.urlsafe_b64decode(text.split(".")[1] + "=="))
    assert claims["sub"] == office.machine["vmId"]

    second = office.client(server.url, licence)
    assert (second.returncode, second.stdout, licence.read_text()) == (0, first.stdout, text)
    assert [request.path for request in office.emulator.requests].count("/metadata/attested/document") == 1


def test_every_machine_of_an_allowed_subscription_gets_one(
    office: Office, server: Served, licence: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(office.machine, "subscriptionId", CUSTOMER)
    monkeypatch.setitem(office.machine, "vmId", STRANGER)
    assert office.client(server.url, licence).returncode == 0


@pytest.mark.parametrize("member", ["subscriptionId", "vmId"])
def test_a_machine_that_is_not_on_the_list_is_refused(
    office: Office, server: Served, licence: Path, monkeypatch: pytest.MonkeyPatch, member: str
) -> None:
    monkeypatch.setitem(office.machine, member, STRANGER)
    done = office.client(server.url, licence)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("no licence: not_allowed: ")
    assert not licence.exists()


def test_a_document_with_another_nonce_is_refused(office: Office, server: Served) -> None:
    answer = office.apply(server.url, nonce_of(server.url), office.document("0000000000"))
    assert (answer.status_code, answer.json()["reason"]) == (403, "wrong_nonce")


def test_a_nonce_that_the_server_did_not_issue_is_refused(office: Office, server: Served) -> None:
    answer = office.apply(server.url, "0000000000", office.document("0000000000"))
    assert (answer.status_code, answer.json()["reason"]) == (403, "unknown_nonce")


def test_a_replay_is_refused(office: Office, server: Served) -> None:
    nonce = nonce_of(server.url)
    document = office.document(nonce)
    assert office.apply(server.url, nonce, document).status_code == 200
    answer = office.apply(server.url, nonce, document)
    assert (answer.status_code, answer.json()["reason"]) == (403, "unknown_nonce")


def test_a_nonce_is_used_up_by_a_refusal(office: Office, server: Served) -> None:
    nonce = nonce_of(server.url)
    assert office.apply(server.url, nonce, {}).json()["reason"] == "not_a_document"
    assert office.apply(server.url, nonce, office.document(nonce)).json()["reason"] == "unknown_nonce"


def test_an_old_nonce_is_refused(office: Office) -> None:
    with office.opened("--nonce-seconds", "0") as server:
        assert office.refusal(server.url) == "unknown_nonce"


def test_a_foreign_root_is_refused(office: Office) -> None:
    theirs = issue(office.folder).authority
    with office.opened("--roots", theirs, "--intermediates", office.intermediates) as server:
        assert office.refusal(server.url) == "untrusted_chain"


def test_a_url_in_a_certificate_outside_microsoft_is_not_followed(office: Office) -> None:
    with office.opened("--roots", office.roots) as server:
        assert office.refusal(server.url) == "intermediate_missing"


def test_a_document_from_another_cloud_is_refused(office: Office) -> None:
    with office.opened("--cloud", "usgov") as server:
        assert office.refusal(server.url) == "wrong_name"


def test_a_licence_of_another_machine_is_replaced(
    office: Office, server: Served, licence: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert office.client(server.url, licence).returncode == 0
    first = licence.read_text()
    monkeypatch.setitem(office.machine, "subscriptionId", CUSTOMER)
    monkeypatch.setitem(office.machine, "vmId", STRANGER)
    assert office.client(server.url, licence).returncode == 0
    assert licence.read_text() != first


def test_a_licence_with_a_wrong_signature_is_replaced(office: Office, server: Served, licence: Path) -> None:
    claims = {"sub": office.machine["vmId"], "exp": 4_000_000_000}
    licence.write_text(jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA"))
    forged = licence.read_text()
    assert office.client(server.url, licence).returncode == 0
    assert licence.read_text() != forged


def test_without_imds_the_client_fails_with_the_reason(
    office: Office, server: Served, licence: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_IMDS_DISABLED", "1")
    done = office.client(server.url, licence)
    reason = "attested.get_document: AZURE_IMDS_DISABLED is set, so IMDS is not called"
    assert (done.returncode, done.stderr) == (1, f"no licence: {reason}\n")


def test_concurrent_requests_download_intermediates_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    program = runpy.run_path(str(PROGRAMS / "licence_server.py"))
    fetched: list[str] = []

    async def fetch(document: Any, *, cloud: str) -> list[x509.Certificate]:
        fetched.append(cloud)
        await asyncio.sleep(0)
        return office.emulator.attested_intermediates

    verifier = program["Verifier"]("public", [office.roots.read_bytes()], None)
    monkeypatch.setitem(program["Verifier"].machine.__globals__, "afetch_intermediates", fetch)
    document = office.document("0123456789")

    async def main() -> list[Any]:
        return list(await asyncio.gather(*(verifier.machine(document, "0123456789") for _ in range(5))))

    assert {data.vm_id for data in asyncio.run(main())} == {office.machine["vmId"]}
    assert fetched == ["public"]


def test_an_expired_intermediate_is_replaced_without_a_restart(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    program = runpy.run_path(str(PROGRAMS / "licence_server.py"))
    (current,) = office.emulator.attested_intermediates
    now = datetime.now(UTC)
    expired = (
        x509.CertificateBuilder(current.issuer, current.subject, current.public_key(), current.serial_number)
        .add_extension(x509.BasicConstraints(True, 0), critical=True)
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now - timedelta(days=1))
        .sign(attested._get_chain().root.key, hashes.SHA384())
    )
    fetched: list[str] = []

    async def fetch(document: Any, *, cloud: str) -> list[x509.Certificate]:
        fetched.append(cloud)
        return [current]

    verifier = program["Verifier"]("public", [office.roots.read_bytes()], None)
    verifier._intermediates = [expired]
    monkeypatch.setitem(program["Verifier"].machine.__globals__, "afetch_intermediates", fetch)
    document = office.document("0123456789")
    for _ in range(2):
        machine = asyncio.run(verifier.machine(document, "0123456789"))
        assert machine.vm_id == office.machine["vmId"]
    assert fetched == ["public"]


def test_a_document_may_be_the_text_of_the_answer(office: Office, server: Served) -> None:
    nonce = nonce_of(server.url)
    text = json.dumps(office.document(nonce)) + "\n"
    assert office.apply(server.url, nonce, text).status_code == 200


@pytest.mark.skipif(os.name == "nt", reason="Windows kills a process without a signal")
def test_the_server_shuts_down_cleanly(office: Office) -> None:
    with office.opened() as server:
        assert server.end(signal.SIGINT) == 0
    assert "Application shutdown complete" in server.log
    assert "Traceback" not in server.log
