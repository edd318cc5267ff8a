"""Certificates of the processor, on confidential machines."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from azure_imds import ImdsStatusError, ImdsUnavailableError, NotFoundError
from azure_imds_emulator import Emulator
from support import Colour


def test_a_confidential_machine_has_the_certificates_of_its_processor(colour: Colour) -> None:
    with Emulator(machine="confidential") as emulator:
        answer = colour.run(
            lambda imds: imds.trusted_hardware.get_amd_certification(), endpoint=emulator.endpoint, retry=None
        )
    own = x509.load_pem_x509_certificate(answer.vcek_cert.encode())
    above = x509.load_pem_x509_certificates(answer.certificate_chain.encode())
    for issued, issuer in zip([own, *above], [*above, above[-1]], strict=True):
        key = issuer.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        issued.verify_directly_issued_by(issuer)
    assert (answer.tcbm, answer.cache_control) == ("DB18000000000004", "86400")


def test_another_machine_has_none(colour: Colour) -> None:
    with Emulator() as emulator:
        error = colour.error(
            lambda imds: imds.trusted_hardware.get_amd_certification(), endpoint=emulator.endpoint, retry=None
        )
    assert isinstance(error, NotFoundError)
    assert "confidential machines" in error.hint


def test_the_certificates_do_not_change_from_one_request_to_the_next() -> None:
    from azure_imds import ImdsClient

    with Emulator(machine="confidential") as emulator, ImdsClient(emulator.endpoint) as imds:
        first, second = (imds.trusted_hardware.get_amd_certification().vcek_cert for _ in range(2))
    assert first == second


@pytest.mark.parametrize(("headers", "query", "status"), [({}, "", 400), ({"Metadata": "true"}, "?api-version=x", 200)])
def test_the_endpoint_needs_the_header_and_no_version(headers: dict[str, str], query: str, status: int) -> None:
    import httpx

    with Emulator(machine="confidential") as emulator:
        url = f"{emulator.endpoint}/metadata/THIM/amd/certification{query}"
        assert httpx.get(url, headers=headers, trust_env=False).status_code == status


def test_arc_has_none(colour: Colour) -> None:
    with Emulator(machine="arc") as emulator:
        error = colour.error(
            lambda imds: imds.trusted_hardware.get_amd_certification(), endpoint=emulator.endpoint, retry=None
        )
    assert isinstance(error, (ImdsStatusError, ImdsUnavailableError))
