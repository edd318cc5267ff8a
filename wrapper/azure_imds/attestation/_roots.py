"""The root certificates of Azure's attested documents, from this machine's trust stores or from the caller."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator, Sequence
from functools import cache

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .._interruptions import suppress_errors
from ._certificates import ParsedCertificate, is_issued_by, parse_certificate
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


def find_roots(cloud: str, intermediates: Sequence[ParsedCertificate]) -> list[ParsedCertificate]:
    """Returns the cloud's roots that are in this machine's trust stores, or self-signed among the intermediates.

    Microsoft's list of certificate authorities holds roots too, and few trust stores contain the newest one.

    Raises:
        AttestationError: there are none.
    """
    wanted = _wanted_roots(cloud)
    found = [*_stored_roots(cloud)]
    for given in intermediates:
        if any(_is_root(given, root) for root in wanted) and is_issued_by(given.certificate, given.certificate):
            found.append(given)
    if not found:
        raise build_refusal(
            "no_roots",
            f"this machine's trust stores contain none of {', '.join(root.name for root in wanted)}",
            hint="Give them as roots=.",
        )
    return found


def _wanted_roots(cloud: str) -> list[_Root]:
    return [root for root in _ROOTS if cloud in root.clouds]


@cache
def _stored_roots(cloud: str) -> tuple[ParsedCertificate, ...]:
    """Returns the cloud's roots that are in the system's trust store or in certifi's."""
    wanted = _wanted_roots(cloud)
    found: dict[str, ParsedCertificate] = {}
    for der in _stored_certificates():
        for root in wanted:
            if root.name in found or root.name.encode() not in der:
                continue
            with suppress_errors(Exception):  # a store may contain certificates that cannot be read
                certificate = parse_certificate(x509.load_der_x509_certificate(der))
                if _is_root(certificate, root):
                    found[root.name] = certificate
    return tuple(found.values())


def _stored_certificates() -> Iterator[bytes]:
    with suppress_errors(ssl.SSLError, OSError):
        yield from ssl.create_default_context().get_ca_certs(binary_form=True)
    with suppress_errors(ssl.SSLError, OSError, ImportError):
        import certifi

        yield from ssl.create_default_context(cafile=certifi.where()).get_ca_certs(binary_form=True)


def _is_root(certificate: ParsedCertificate, root: _Root) -> bool:
    """Whether a certificate has the root's name and key."""
    with suppress_errors(Exception):  # its key may be of an unknown kind
        key = certificate.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return certificate.subject.common_names == (root.name,) and hashlib.sha256(key).hexdigest() == root.key
    return False
