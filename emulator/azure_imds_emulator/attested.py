"""Attested documents: a test certificate chain, and CMS signed data laid out as the service's."""

from __future__ import annotations

import base64
import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from .answers import compact
from .clock import Clock
from .machine import Json, Machine

DigestOid = Literal["observed", "strict"]

#: A document of 2026 was valid for six hours.
VALIDITY = 6 * 3600
_LEAF_LIFE = timedelta(days=180)
#: Longer nonces, and other characters, are refused: a guess. Up to 32 of these are known to work.
_NONCE = re.compile(r"[A-Za-z0-9_-]{0,32}")

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_DATA = "1.2.840.113549.1.7.1"
_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
_SHA256 = "2.16.840.1.101.3.4.2.1"
_SHA256_WITH_RSA = "1.2.840.113549.1.1.11"

#: Live documents name sha256WithRSAEncryption where the standard wants the digest itself, which strict CMS libraries
#: refuse; the variant names SHA-256.
_DIGEST_OIDS: dict[DigestOid, str] = {"observed": _SHA256_WITH_RSA, "strict": _SHA256}


class BadNonce(ValueError):
    """The nonce is too long or holds characters that are not allowed."""


@dataclass(frozen=True)
class _Issuer:
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    def __repr__(self) -> str:
        return f"<issuer {self.certificate.subject.rfc4514_string()}>"


@dataclass(frozen=True)
class _Chain:
    root: _Issuer
    intermediate: _Issuer
    leaf_key: rsa.RSAPrivateKey

    def __repr__(self) -> str:
        return "<test chain>"


_chain_lock = threading.Lock()


@cache
def _make_chain() -> _Chain:
    root_key, intermediate_key, leaf_key = (rsa.generate_private_key(65537, 2048) for _ in range(3))
    root_name = _name("Emulator Test RSA Root")
    intermediate_name = _name("Emulator Test RSA Issuing CA")
    # Wide enough for any clock that a test may set.
    begin, end = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

    def authority(subject: x509.Name, key: rsa.RSAPrivateKey, path_length: int) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(root_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
            .add_extension(_usage(digital_signature=True, key_cert_sign=True, crl_sign=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(_authority(root_key.public_key()), critical=False)
            .sign(root_key, hashes.SHA384())
        )

    root = authority(root_name, root_key, 1)
    intermediate = authority(intermediate_name, intermediate_key, 0)
    return _Chain(_Issuer(root_key, root), _Issuer(intermediate_key, intermediate), leaf_key)


def _chain() -> _Chain:
    # One chain for the process, made when first needed: three RSA keys take longer than an emulator's start.
    with _chain_lock:
        return _make_chain()


def root_certificate() -> x509.Certificate:
    """The root of the test chain: the one to trust in order to accept the emulator's documents."""
    return _chain().root.certificate


def intermediate_certificate() -> x509.Certificate:
    """The certificate that issues the leaves. As with the service, documents do not carry it."""
    return _chain().intermediate.certificate


def pem(certificate: x509.Certificate) -> bytes:
    """The certificate in PEM form."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def der(certificate: x509.Certificate) -> bytes:
    """The certificate in DER form."""
    return certificate.public_bytes(serialization.Encoding.DER)


class AttestedDocuments:
    """Signs documents about one machine.

    Args:
        digest_oid: `observed`: the object identifier that live documents carry; `strict`: the standard's.
        issuer_url: where the leaf says that its issuer's certificate can be fetched; set once it is known.
    """

    def __init__(self, machine: Machine, clock: Clock, *, digest_oid: DigestOid = "observed") -> None:
        self._machine = machine
        self._clock = clock
        self.digest_oid: DigestOid = digest_oid
        self.issuer_url = ""
        self._leaf: x509.Certificate | None = None
        self._leaf_for: tuple[str, str, str] | None = None

    def document(self, version: str, nonce: str | None) -> dict[str, Json]:
        """The envelope: encoding and signature.

        Raises:
            BadNonce: the nonce is not acceptable.
        """
        payload = compact(self.payload(version, nonce))
        return {"encoding": "pkcs7", "signature": base64.b64encode(self._sign(payload)).decode()}

    def payload(self, version: str, nonce: str | None) -> dict[str, Json]:
        """What the document attests, as that api-version has it, in alphabetical order."""
        if nonce is not None and not _NONCE.fullmatch(nonce):
            raise BadNonce
        compute = self._machine.compute
        created = self._clock.datetime()
        expires = created + timedelta(seconds=VALIDITY)
        plan: Json = compute.get("plan") or {}
        payload: dict[str, Json] = {
            # The stamp of a document without nonce is that of its end, as in the newest document seen.
            "nonce": nonce or expires.strftime("%Y%m%d-%H%M%S"),
            "plan": {member: str(plan.get(member, "")) for member in ("name", "product", "publisher")},
            "timeStamp": {"createdOn": _stamp(created), "expiresOn": _stamp(expires)},
            "vmId": str(compute.get("vmId", "")),
        }
        if version >= "2019-04-30":
            payload["subscriptionId"] = str(compute.get("subscriptionId", ""))
        if version >= "2019-11-01":
            payload["sku"] = str(compute.get("sku", ""))
        if version >= "2020-09-01":
            payload["licenseType"] = str(compute.get("licenseType", ""))
        return dict(sorted(payload.items()))

    def _sign(self, payload: bytes) -> bytes:
        leaf = self._current_leaf()
        signature = _chain().leaf_key.sign(payload, padding.PKCS1v15(), hashes.SHA256())
        return _signed_data(payload, leaf, signature, _DIGEST_OIDS[self.digest_oid])

    def _current_leaf(self) -> x509.Certificate:
        domain = self._machine.attested_domain
        wanted = (domain, str(self._machine.compute.get("location", "")).lower(), self.issuer_url)
        now = self._clock.datetime()
        leaf = self._leaf
        if leaf is None or self._leaf_for != wanted or not leaf.not_valid_before_utc <= now < _renewal(leaf):
            leaf = self._issue_leaf(*wanted, now)
            self._leaf, self._leaf_for = leaf, wanted
        return leaf

    @staticmethod
    def _issue_leaf(domain: str, location: str, issuer_url: str, now: datetime) -> x509.Certificate:
        chain = _chain()
        names = [x509.DNSName(f"{location}.{domain}")] if location.isalnum() and location.isascii() else []
        names.append(x509.DNSName(domain))
        begin = now - timedelta(days=1)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(domain))
            .issuer_name(chain.intermediate.certificate.subject)
            .public_key(chain.leaf_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + _LEAF_LIFE)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True, key_encipherment=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_authority(chain.intermediate.key.public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(chain.leaf_key.public_key()), critical=False)
        )
        if issuer_url:
            access = x509.AccessDescription(
                AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(issuer_url)
            )
            builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        return builder.sign(chain.intermediate.key, hashes.SHA384())


def _renewal(leaf: x509.Certificate) -> datetime:
    return leaf.not_valid_after_utc - timedelta(days=1)


def _stamp(moment: datetime) -> str:
    return moment.strftime("%m/%d/%y %H:%M:%S -0000")


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "azure-imds emulator, not Microsoft"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _authority(key: rsa.RSAPublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _usage(
    *,
    digital_signature: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _signed_data(payload: bytes, leaf: x509.Certificate, signature: bytes, digest_oid: str) -> bytes:
    """CMS SignedData (RFC 5652) with one signer, one certificate and no attributes.

    Written out in DER here, since no library that we know builds it with the service's digest identifier and without
    attributes; the structure is small and fixed.
    """
    digest = _algorithm(digest_oid)
    signer = _sequence(
        _integer(1),
        _sequence(leaf.issuer.public_bytes(), _integer(leaf.serial_number)),
        digest,
        _algorithm(_RSA_ENCRYPTION),
        _tlv(0x04, signature),
    )
    signed = _sequence(
        _integer(1),
        _tlv(0x31, digest),
        _sequence(_oid(_DATA), _tlv(0xA0, _tlv(0x04, payload))),
        _tlv(0xA0, der(leaf)),
        _tlv(0x31, signer),
    )
    return _sequence(_oid(_SIGNED_DATA), _tlv(0xA0, signed))


def _tlv(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def _sequence(*parts: bytes) -> bytes:
    return _tlv(0x30, b"".join(parts))


def _integer(value: int) -> bytes:
    return _tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    octets = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | (arc & 0x7F))
        octets += bytes(reversed(groups))
    return _tlv(0x06, bytes(octets))


def _algorithm(dotted: str) -> bytes:
    return _sequence(_oid(dotted), _tlv(0x05, b""))
