"""Attested documents: a test certificate chain, and CMS signed data with the structure of the service's documents."""

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

from .clock import Clock
from .machine import Json, Machine, is_object
from .responses import encode_json

DigestOid = Literal["observed", "strict"]

#: Validity of a document in seconds, as observed in 2026.
VALIDITY = 6 * 3600
_LEAF_VALIDITY = timedelta(days=180)
#: Up to 32 of these characters are known to work. We assume that everything else is refused.
_NONCE = re.compile(r"[A-Za-z0-9_-]{0,32}")

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_DATA = "1.2.840.113549.1.7.1"
_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
_SHA256 = "2.16.840.1.101.3.4.2.1"
_SHA256_WITH_RSA = "1.2.840.113549.1.1.11"

#: Documents of Azure have sha256WithRSAEncryption where the CMS standard requires SHA-256. Strict CMS libraries refuse
#: them, so there is a variant that follows the standard.
_DIGEST_OIDS: dict[DigestOid, str] = {"observed": _SHA256_WITH_RSA, "strict": _SHA256}


class BadNonce(ValueError):
    """The nonce is too long or contains characters that are not allowed."""


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
        return "<test certificate chain>"


_chain_lock = threading.Lock()
_has_chain = threading.Event()


@cache
def _make_chain() -> _Chain:
    root_key, intermediate_key, leaf_key = (rsa.generate_private_key(65537, 2048) for _ in range(3))
    root_name = make_name("Emulator Test RSA Root")
    intermediate_name = make_name("Emulator Test RSA Issuing CA")
    # A long validity, for clocks that tests set far from now.
    begin, end = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

    def make_authority(subject: x509.Name, key: rsa.RSAPrivateKey, path_length: int) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(root_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
            .add_extension(make_key_usage(digital_signature=True, key_cert_sign=True, crl_sign=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(_make_authority_key_id(root_key.public_key()), critical=False)
            .sign(root_key, hashes.SHA384())
        )

    root = make_authority(root_name, root_key, 1)
    intermediate = make_authority(intermediate_name, intermediate_key, 0)
    return _Chain(_Issuer(root_key, root), _Issuer(intermediate_key, intermediate), leaf_key)


def _get_chain() -> _Chain:
    # One chain per process, made on first use: generating three RSA keys takes longer than the start of an emulator.
    with _chain_lock:
        chain = _make_chain()
        _has_chain.set()
        return chain


def make_keys() -> None:
    """Generates the keys and certificates if the process has none yet. This takes long."""
    _get_chain()


def has_keys() -> bool:
    """Whether documents can be signed at once."""
    return _has_chain.is_set()


def get_root_certificate() -> x509.Certificate:
    """Returns the root of the test chain, which verifies the emulator's documents."""
    return _get_chain().root.certificate


def get_intermediate_certificate() -> x509.Certificate:
    """Returns the certificate that issues the leaves. As in Azure, documents do not contain it."""
    return _get_chain().intermediate.certificate


def encode_der(certificate: x509.Certificate) -> bytes:
    """Returns the certificate in DER form."""
    return certificate.public_bytes(serialization.Encoding.DER)


class AttestedDocuments:
    """Builds and signs the attested documents of one machine.

    Args:
        digest_oid: `observed`: the object identifier in documents of Azure; `strict`: that of the CMS standard.

    Attributes:
        issuer_url: URL of the issuer's certificate, for the leaf. `""` before the emulator listens.
    """

    def __init__(self, machine: Machine, clock: Clock, *, digest_oid: DigestOid = "observed") -> None:
        self._machine = machine
        self._clock = clock
        self.digest_oid: DigestOid = digest_oid
        self.issuer_url = ""
        self._leaf: x509.Certificate | None = None
        self._leaf_for: tuple[str, str, str] | None = None

    def build_document(self, version: str, nonce: str | None) -> dict[str, Json]:
        """Returns the attested document of an api-version, with the members `encoding` and `signature`.

        Raises:
            BadNonce: the nonce is too long or contains characters that are not allowed.
        """
        payload = encode_json(self._build_payload(version, nonce))
        return {"encoding": "pkcs7", "signature": base64.b64encode(self._sign(payload)).decode()}

    def _build_payload(self, version: str, nonce: str | None) -> dict[str, Json]:
        if nonce is not None and not _NONCE.fullmatch(nonce):
            raise BadNonce
        compute = self._machine.compute
        created = self._clock.datetime()
        expires = created + timedelta(seconds=VALIDITY)
        found: Json = compute.get("plan")
        plan = found if is_object(found) else {}
        payload: dict[str, Json] = {
            # Without a nonce, the value is the expiry time, as in the newest observed document.
            "nonce": nonce or expires.strftime("%Y%m%d-%H%M%S"),
            "plan": {member: str(plan.get(member, "")) for member in ("name", "product", "publisher")},
            "timeStamp": {"createdOn": _format_time(created), "expiresOn": _format_time(expires)},
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
        signature = _get_chain().leaf_key.sign(payload, padding.PKCS1v15(), hashes.SHA256())
        return _encode_signed_data(payload, leaf, signature, _DIGEST_OIDS[self.digest_oid])

    def _current_leaf(self) -> x509.Certificate:
        domain = self._machine.attested_domain
        wanted = (domain, str(self._machine.compute.get("location", "")).lower(), self.issuer_url)
        now = self._clock.datetime()
        leaf = self._leaf
        if leaf is None or self._leaf_for != wanted or not leaf.not_valid_before_utc <= now < _get_renewal(leaf):
            leaf = self._issue_leaf(*wanted, now)
            self._leaf, self._leaf_for = leaf, wanted
        return leaf

    @staticmethod
    def _issue_leaf(domain: str, location: str, issuer_url: str, now: datetime) -> x509.Certificate:
        chain = _get_chain()
        names = [x509.DNSName(f"{location}.{domain}")] if location.isalnum() and location.isascii() else []
        names.append(x509.DNSName(domain))
        begin = now - timedelta(days=1)
        builder = (
            x509.CertificateBuilder()
            .subject_name(make_name(domain))
            .issuer_name(chain.intermediate.certificate.subject)
            .public_key(chain.leaf_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + _LEAF_VALIDITY)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(make_key_usage(digital_signature=True, key_encipherment=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_make_authority_key_id(chain.intermediate.key.public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(chain.leaf_key.public_key()), critical=False)
        )
        if issuer_url:
            access = x509.AccessDescription(
                AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(issuer_url)
            )
            builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        return builder.sign(chain.intermediate.key, hashes.SHA384())


def _get_renewal(leaf: x509.Certificate) -> datetime:
    return leaf.not_valid_after_utc - timedelta(days=1)


def _format_time(moment: datetime) -> str:
    return moment.strftime("%m/%d/%y %H:%M:%S -0000")


def make_name(common_name: str) -> x509.Name:
    """Makes a name that shows that it is not one of Microsoft."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "azure-imds emulator, not Microsoft"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _make_authority_key_id(key: rsa.RSAPublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def make_key_usage(
    *,
    digital_signature: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    """Makes the extension with the uses of a key."""
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


def _encode_signed_data(payload: bytes, leaf: x509.Certificate, signature: bytes, digest_oid: str) -> bytes:
    """Encodes CMS SignedData (RFC 5652) with one signer, one certificate and no attributes.

    The DER encoding is written here because we know no library that builds the structure with the service's digest
    identifier and without attributes. The structure is small and fixed.
    """
    digest = _encode_algorithm(digest_oid)
    signer = _encode_sequence(
        _encode_integer(1),
        _encode_sequence(leaf.issuer.public_bytes(), _encode_integer(leaf.serial_number)),
        digest,
        _encode_algorithm(_RSA_ENCRYPTION),
        _encode_tlv(0x04, signature),
    )
    signed = _encode_sequence(
        _encode_integer(1),
        _encode_tlv(0x31, digest),
        _encode_sequence(_encode_oid(_DATA), _encode_tlv(0xA0, _encode_tlv(0x04, payload))),
        _encode_tlv(0xA0, encode_der(leaf)),
        _encode_tlv(0x31, signer),
    )
    return _encode_sequence(_encode_oid(_SIGNED_DATA), _encode_tlv(0xA0, signed))


def _encode_tlv(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def _encode_sequence(*parts: bytes) -> bytes:
    return _encode_tlv(0x30, b"".join(parts))


def _encode_integer(value: int) -> bytes:
    return _encode_tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _encode_oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    octets = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | (arc & 0x7F))
        octets += bytes(reversed(groups))
    return _encode_tlv(0x06, bytes(octets))


def _encode_algorithm(dotted: str) -> bytes:
    return _encode_sequence(_encode_oid(dotted), _encode_tlv(0x05, b""))
