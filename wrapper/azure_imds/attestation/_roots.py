"""The root certificates of Azure's attested documents, read from this machine's trust stores."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from contextlib import suppress
from functools import cache

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ._refusal import build_refusal


@frozen
class _Root:
    name: str
    #: SHA-256 of the SubjectPublicKeyInfo, in hexadecimal. A certificate with this name and another key is not trusted.
    key: str
    clouds: frozenset[str] = frozenset({"public", "usgov", "china", "germany"})


# The list is from the README of taskcluster's verifier and, for 21Vianet, from Microsoft's page. The keys are those of
# the certificates in Mozilla's store. Few stores contain the third root: its key is from the cross-certificate that
# DigiCert Global Root G2 signed for it in May 2025.
_ROOTS = (
    _Root("DigiCert Global Root G2", "8bb593a93be1d0e8a822bb887c547890c3e706aad2dab76254f97fb36b82fc26"),
    _Root(
        "Microsoft RSA Root Certificate Authority 2017",
        "b2f7298b52bf2c3cac4ddfe72de4d682ac58957595982f2b62301af597c699c5",
    ),
    _Root("Microsoft TLS RSA Root G2", "4b03c9966c863b2c008a95a5ed9254070448c7b219d283102f6a6c5b6e8e2acd"),
    _Root(
        "DigiCert Global Root CA",
        "aff988906dde12955d9bebbf928fdcc31cce328d5b9384f21c8941ca26e20391",
        frozenset({"china"}),
    ),
)


@cache
def known_roots(cloud: str) -> tuple[x509.Certificate, ...]:
    """Returns the cloud's roots that are in the system's trust store or in certifi's.

    Raises:
        AttestationError: neither store contains any of them.
    """
    wanted = [root for root in _ROOTS if cloud in root.clouds]
    found: dict[str, x509.Certificate] = {}
    for der in _stored_certificates():
        for root in wanted:
            if root.name not in found and root.name.encode() in der and (certificate := _load_root(root, der)):
                found[root.name] = certificate
    if not found:
        raise build_refusal(
            "no_roots",
            f"this machine's trust stores contain none of {', '.join(root.name for root in wanted)}",
            hint="Give them as roots=.",
        )
    return tuple(found.values())


def _stored_certificates() -> Iterator[bytes]:
    with suppress(ssl.SSLError, OSError):
        yield from ssl.create_default_context().get_ca_certs(binary_form=True)
    with suppress(ssl.SSLError, OSError, ImportError):
        import certifi

        yield from ssl.create_default_context(cafile=certifi.where()).get_ca_certs(binary_form=True)


def _load_root(root: _Root, der: bytes) -> x509.Certificate | None:
    """Returns the certificate if it has the root's name and key."""
    with suppress(Exception):  # a store may contain certificates that cryptography cannot read
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        if [name.value for name in names] == [root.name] and hashlib.sha256(key).hexdigest() == root.key:
            return certificate
    return None
