"""Certificates for AMD SEV-SNP, as a confidential machine has them: the processor's own, and the two above it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .attested import make_name
from .machine import Json

_YEARS = timedelta(days=7 * 365)


@cache
def make_certification() -> dict[str, Json]:
    """Makes the response of `/metadata/THIM/amd/certification`. The keys are elliptic, since RSA keys take seconds."""
    root_key, key = _make_key(), _make_key()
    root, intermediate, processor = (make_name(name) for name in ("ARK-Emulated", "SEV-Emulated", "SEV-VCEK"))
    chain = [_sign(intermediate, key, root, root_key), _sign(root, root_key, root, root_key)]
    own = _sign(processor, _make_key(), intermediate, key)
    return {
        "vcekCert": _to_pem(own),
        "tcbm": "DB18000000000004",
        "certificateChain": "".join(map(_to_pem, chain)),
        "cacheControl": "86400",
    }


def _make_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


def _sign(
    name: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: x509.Name, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _YEARS)
        .sign(issuer_key, hashes.SHA384())
    )


def _to_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
