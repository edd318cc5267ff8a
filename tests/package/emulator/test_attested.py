"""Attested documents, verified with OpenSSL and cryptography."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, ExtensionOID, NameOID

from azure_imds_emulator import Clock, Emulator, Machine
from azure_imds_emulator.attested import DigestOid
from emulator_support import make_client_for

OPENSSL = shutil.which("openssl")
SHA256_WITH_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
SHA256 = bytes.fromhex("300d06096086480165030402010500")
EXAMPLE = Path(__file__).parents[2] / "data" / "examples" / "attested-document.json"


def get_document(http: httpx.Client, version: str = "2023-07-01", **query: str) -> bytes:
    body = http.get("/attested/document", params={"api-version": version} | query).json()
    assert list(body) == ["encoding", "signature"]
    assert body["encoding"] == "pkcs7"
    return base64.b64decode(body["signature"], validate=True)


def extract_payload(blob: bytes) -> dict[str, Any]:
    found = re.search(rb'\{"(licenseType|nonce)".*?"vmId":"[^"]*"\}', blob)
    assert found
    read: dict[str, Any] = json.loads(found[0])
    assert found[0] == json.dumps(read, separators=(",", ":"), sort_keys=True).encode()
    return read


def extract_leaf(blob: bytes) -> x509.Certificate:
    (certificate,) = pkcs7.load_der_pkcs7_certificates(blob)
    return certificate


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
@pytest.mark.parametrize("variant", ["observed", "strict"])
def test_openssl_verifies_the_document_up_to_the_test_root(tmp_path: Path, variant: Any) -> None:
    with Emulator(attested_digest_oid=variant) as emulator, make_client_for(emulator) as http:
        (tmp_path / "document").write_bytes(get_document(http, nonce="1234567890"))
        root, intermediate = emulator.attested_roots[0], emulator.attested_intermediates[0]
    chain = root.public_bytes(Encoding.PEM) + intermediate.public_bytes(Encoding.PEM)
    (tmp_path / "chain").write_bytes(chain)
    assert OPENSSL
    command = [OPENSSL, "smime", "-verify", "-inform", "DER", "-in", "document", "-CAfile", "chain"]
    command += ["-purpose", "sslserver", "-x509_strict"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["nonce"] == "1234567890"


def test_the_digest_identifier_is_the_observed_one_or_that_of_the_standard() -> None:
    counts = {}
    variants: tuple[DigestOid, ...] = ("observed", "strict")
    for variant in variants:
        with Emulator(attested_digest_oid=variant) as emulator, make_client_for(emulator) as http:
            blob = get_document(http)
        counts[variant] = (blob.count(SHA256_WITH_RSA), blob.count(SHA256))
    assert counts == {"observed": (2, 0), "strict": (0, 2)}
    example = base64.b64decode(json.loads(EXAMPLE.read_text())["signature"])
    assert (example.count(SHA256_WITH_RSA), example.count(SHA256)) == counts["observed"]


def test_the_certificate_is_a_leaf_for_the_domain_of_the_cloud(emulator: Emulator, http: httpx.Client) -> None:
    certificate = extract_leaf(get_document(http))
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == "metadata.azure.com"
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["eastus.metadata.azure.com", "metadata.azure.com"]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 2048
    assert certificate.signature_hash_algorithm is not None
    assert certificate.signature_hash_algorithm.name == "sha384"


def test_the_issuer_can_be_fetched_from_the_url_in_the_leaf(emulator: Emulator, http: httpx.Client) -> None:
    certificate = extract_leaf(get_document(http))
    access = certificate.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_INFORMATION_ACCESS).value
    assert isinstance(access, x509.AuthorityInformationAccess)
    (issuers,) = [each for each in access if each.access_method == AuthorityInformationAccessOID.CA_ISSUERS]
    fetched = x509.load_der_x509_certificate(http.get(issuers.access_location.value).content)
    certificate.verify_directly_issued_by(fetched)
    assert [fetched] == emulator.attested_intermediates
    root = x509.load_der_x509_certificate(http.get(f"{emulator.control_url}/pki/root.cer").content)
    fetched.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)


def test_the_signature_is_over_the_payload(http: httpx.Client) -> None:
    blob = get_document(http)
    key = extract_leaf(blob).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    signed = re.search(rb'\{"licenseType".*?"vmId":"[^"]*"\}', blob)
    assert signed
    key.verify(blob[-256:], signed[0], padding.PKCS1v15(), hashes.SHA256())


def test_the_payload_contains_the_machine_and_the_nonce(emulator: Emulator, http: httpx.Client) -> None:
    emulator.clock.freeze()
    found = extract_payload(get_document(http, nonce="abc-DEF_0123456789012345678901234"[:32]))
    compute = emulator.machine.compute
    assert found["nonce"] == "abc-DEF_012345678901234567890123"
    assert (found["vmId"], found["subscriptionId"], found["sku"], found["plan"], found["licenseType"]) == (
        compute["vmId"],
        compute["subscriptionId"],
        compute["sku"],
        compute["plan"],
        compute["licenseType"],
    )


def test_time_stamps_have_the_american_format_and_are_six_hours_apart() -> None:
    with Emulator(clock=Clock(1704164645, frozen=True)) as emulator, make_client_for(emulator) as http:
        found = extract_payload(get_document(http))
    assert found["timeStamp"] == {"createdOn": "01/02/24 03:04:05 -0000", "expiresOn": "01/02/24 09:04:05 -0000"}
    assert found["nonce"] == "20240102-090405"


@pytest.mark.parametrize(
    ("version", "absent"),
    [
        ("2018-10-01", {"subscriptionId", "sku", "licenseType"}),
        ("2019-04-30", {"sku", "licenseType"}),
        ("2019-11-01", {"licenseType"}),
        ("2020-09-01", set[str]()),
    ],
)
def test_older_versions_have_fewer_fields(http: httpx.Client, version: str, absent: set[str]) -> None:
    everything = {"licenseType", "nonce", "plan", "sku", "subscriptionId", "timeStamp", "vmId"}
    assert set(extract_payload(get_document(http, version))) == everything - absent


@pytest.mark.parametrize("nonce", ["x" * 33, "a b", "a+b", "ä"])
def test_a_nonce_that_is_too_long_or_has_other_characters_is_refused(http: httpx.Client, nonce: str) -> None:
    response = http.get("/attested/document", params={"api-version": "2023-07-01", "nonce": nonce})
    assert (response.status_code, response.text) == (400, '{"error":"Bad request"}')


@pytest.mark.parametrize(
    ("cloud", "domain"),
    [("AzureUSGovernmentCloud", "metadata.azure.us"), ("AZURECHINACLOUD", "metadata.azure.cn")],
)
def test_other_clouds_have_their_own_domain(cloud: str, domain: str) -> None:
    machine = Machine()
    machine.compute["azEnvironment"] = cloud
    with Emulator(machine=machine) as emulator, make_client_for(emulator) as http:
        names = extract_leaf(get_document(http)).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert domain in names.get_values_for_type(x509.DNSName)


def test_an_expired_leaf_is_renewed(emulator: Emulator, http: httpx.Client) -> None:
    first = extract_leaf(get_document(http))
    assert extract_leaf(get_document(http)) == first
    emulator.clock.advance(timedelta(days=200).total_seconds())
    second = extract_leaf(get_document(http))
    assert second.not_valid_before_utc <= emulator.clock.datetime() <= second.not_valid_after_utc
    assert second != first
