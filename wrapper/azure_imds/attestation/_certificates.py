"""Reads certificates: those that a caller passes, and the signer's in a document, with the check of its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from typing import Any, TypeVar

from attrs import field, frozen
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from .._interruptions import suppress_errors
from ._names import Name, read_name
from ._refusal import build_argument_error, build_refusal, refusing

# asn1crypto has no type annotations.
_x509: Any = import_module("asn1crypto.x509")

#: A certificate of the library cryptography, PEM text with any number of certificates, or one certificate in DER.
Certificate = x509.Certificate | bytes | str
#: One certificate or several.
Certificates = Certificate | Iterable[Certificate]

#: The domain of the signer's certificate in each cloud (Microsoft Learn, "Azure Instance Metadata Service", attested
#: data).
DOMAINS = {
    "public": "metadata.azure.com",
    "usgov": "metadata.azure.us",
    "china": "metadata.azure.cn",
    "germany": "metadata.microsoftazure.de",
}

#: Bits. cryptography's verifier requires the same of the other keys in a chain.
_SMALLEST_KEY = 2048

E = TypeVar("E", bound=x509.ExtensionType)


@frozen
class ParsedCertificate:
    """A certificate of which this package has read everything that it uses, so that no later step can fail to read it.

    Two are equal if their certificates are.
    """

    certificate: x509.Certificate
    subject: Name = field(eq=False)
    issuer: Name = field(eq=False)
    begin: datetime = field(eq=False)
    end: datetime = field(eq=False)
    extensions: x509.Extensions = field(eq=False, repr=False)

    def find_extension(self, kind: type[E]) -> E | None:
        """Returns the extension of a kind, or None."""
        for extension in self.extensions:
            if isinstance(extension.value, kind):
                return extension.value
        return None

    @property
    def dns_names(self) -> Sequence[str]:
        """The DNS names among the alternative names."""
        names = self.find_extension(x509.SubjectAlternativeName)
        return names.get_values_for_type(x509.DNSName) if names else []

    @property
    def host_names(self) -> Sequence[str]:
        """The DNS names. Only if there are none, the common names (RFC 6125, 6.4.4)."""
        return self.dns_names or self.subject.common_names


@frozen
class Signer:
    """The certificate in a document, with its public key."""

    certificate: ParsedCertificate
    key: RSAPublicKey = field(repr=False)


def parse_certificate(certificate: x509.Certificate) -> ParsedCertificate:
    """Reads a certificate.

    Raises:
        Exception: of any type, if a part of the certificate is malformed.
    """
    body = _x509.Certificate.load(certificate.public_bytes(Encoding.DER))["tbs_certificate"]
    return ParsedCertificate(
        certificate,
        subject=read_name(body["subject"].dump()),
        issuer=read_name(body["issuer"].dump()),
        begin=certificate.not_valid_before_utc,
        end=certificate.not_valid_after_utc,
        extensions=certificate.extensions,
    )


def load_certificates(given: Certificates, caller: str, parameter: str) -> list[ParsedCertificate]:
    """Loads the certificates that a caller passed. Malformed ones are left out, since no chain can contain them.

    Raises:
        ImdsValidationError: one of them is not a certificate.
    """
    loaded: list[x509.Certificate] | None = None
    with suppress_errors(Exception):  # loading, and iterating over what the caller passed, may raise anything
        several = [given] if isinstance(given, (x509.Certificate, bytes, str)) else given
        loaded = [certificate for some in several for certificate in _load(some)]
    if loaded is None:
        problem = 'must be certificates: x509.Certificate, PEM ("-----BEGIN CERTIFICATE-----...") or DER'
        raise build_argument_error(caller, parameter, problem)
    parsed = [_parse_given(certificate) for certificate in loaded]
    return [certificate for certificate in parsed if certificate is not None]


@lru_cache(maxsize=256)  # a caller passes the same certificates, maybe those of a whole trust store, every time
def _parse_given(certificate: x509.Certificate) -> ParsedCertificate | None:
    with suppress_errors(Exception):
        return parse_certificate(certificate)
    return None


def _load(given: Certificate) -> list[x509.Certificate]:
    if isinstance(given, x509.Certificate):
        return [given]
    data = given.encode() if isinstance(given, str) else given
    if b"-----BEGIN" in data:
        return x509.load_pem_x509_certificates(data)
    return [x509.load_der_x509_certificate(data)]


def load_signer(der: bytes) -> Signer:
    """Loads the certificate in a document.

    Raises:
        AttestationError: it cannot be read, or its key is not an RSA key of 2048 bits or more.
    """
    with refusing("bad_certificate", "its certificate cannot be read"):
        certificate = parse_certificate(x509.load_der_x509_certificate(der))
        key = certificate.certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise build_refusal("unsupported_algorithm", "the key of its certificate is not an RSA key")
    if key.key_size < _SMALLEST_KEY:
        raise build_refusal(
            "unsupported_algorithm",
            f"the key of its certificate has {key.key_size} bits; at least {_SMALLEST_KEY} are required",
        )
    return Signer(certificate, key)


def check_name(signer: ParsedCertificate, cloud: str) -> None:
    """Checks that a host name of the signer is the cloud's domain or one of its subdomains.

    Raises:
        AttestationError: none of the names is.
    """
    names = signer.host_names
    if any(_belongs_to(name, cloud) for name in names):
        return
    others = [other for other in DOMAINS if any(_belongs_to(name, other) for name in names)]
    raise build_refusal(
        "wrong_name",
        f"it is signed by {quote(names[0]) if names else 'a certificate without names'}, "
        f"not by {DOMAINS[cloud]} or one of its subdomains",
        hint=f"It is from another cloud: pass cloud={others[0]!r}." if others else "",
    )


def _belongs_to(name: str, cloud: str) -> bool:
    pattern = rf"(?:[a-z0-9*_-]+\.)*{re.escape(DOMAINS[cloud])}"
    return re.fullmatch(pattern, name, re.ASCII | re.IGNORECASE) is not None


def quote(name: str) -> str:
    """Makes a name from a certificate safe for a message or log: anybody can choose it."""
    return ascii(name if len(name) <= 100 else name[:100] + "...")


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the certificate has the issuer's name and signature."""
    with suppress(InvalidSignature), suppress_errors(Exception):  # another name, an unsupported kind of key
        certificate.verify_directly_issued_by(issuer)
        return True
    return False
