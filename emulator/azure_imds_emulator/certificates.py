"""TLS for hosts whose token endpoint has https: a certificate of an authority, or one that has signed itself."""

from __future__ import annotations

import ipaddress
import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from .attested import make_key_usage, make_name

#: The variables that name a file with authorities: of OpenSSL and httpx, of requests, of curl, and of Node.js.
AUTHORITY_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """The certificate of a server.

    Attributes:
        context: the TLS settings of the server.
        thumbprint: SHA-1 of the certificate, 40 hexadecimal digits.
        authority_file: a PEM file with the authority that clients must trust, and those of this system; `None` if the
            certificate has signed itself.
    """

    context: ssl.SSLContext
    thumbprint: str
    authority_file: Path | None


def make_certificate(folder: Path, names: list[str], *, self_signed: bool) -> ServerCertificate:
    """Makes a certificate, and an authority for it unless it signs itself.

    Args:
        folder: the folder for the file of the authority.
        names: names and IP addresses of the server.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    issuer_key = key if self_signed else ec.generate_private_key(ec.SECP256R1())
    name, issuer = make_name("token endpoint"), make_name("token endpoint authority")
    alternatives = x509.SubjectAlternativeName([_make_alternative(name) for name in names])
    leaf = (
        _start(name, name if self_signed else issuer, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(make_key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(alternatives, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    authority_file: Path | None = None
    if not self_signed:
        authority = (
            _start(issuer, issuer, issuer_key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(make_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign(issuer_key, hashes.SHA256())
        )
        authority_file = folder / "authorities.pem"
        # Programs trust only this file, so it also has the authorities that they trusted before.
        authority_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM) + _read_system_authorities())
    return ServerCertificate(
        _make_context(folder, leaf, key), leaf.fingerprint(hashes.SHA1()).hex().upper(), authority_file
    )


def _make_context(folder: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # ssl reads keys from files only.
    file = folder / "server.pem"
    file.touch(mode=0o600)
    try:
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context.load_cert_chain(file)
    finally:
        file.unlink()
    return context


def _read_system_authorities() -> bytes:
    path = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    try:
        return Path(path).read_bytes() if path else b""
    except OSError:
        return b""


def _make_alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _start(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    # By the clock of the system, not of the emulator: clients check the validity by that clock.
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 365 * _DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
