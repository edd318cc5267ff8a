"""Builds certificates and attested documents, valid and invalid, for the tests of attestation."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from asn1crypto import algos, cms, core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
NONCE = "1234567890"
VM_ID = "00000000-0000-0000-0000-000000000005"

SHA256 = "2.16.840.1.101.3.4.2.1"
SHA256_WITH_RSA = "1.2.840.113549.1.1.11"
RSA = "1.2.840.113549.1.1.1"

PAYLOAD: dict[str, Any] = {
    "licenseType": "",
    "nonce": NONCE,
    "plan": {"name": "", "product": "", "publisher": ""},
    "sku": "22_04-lts-gen2",
    "subscriptionId": "00000000-0000-0000-0000-000000000001",
    "timeStamp": {"createdOn": "03/01/26 11:00:00 -0000", "expiresOn": "03/01/26 17:00:00 -0000"},
    "vmId": VM_ID,
}

SERVER = (ExtendedKeyUsageOID.SERVER_AUTH,)
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Returns a key by name. It is generated once per test run, because that is slow."""
    return rsa.generate_private_key(65537, bits)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        return der_of(self.certificate)


def der_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def name(common: str | None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests, not Microsoft")]
    return x509.Name([*attributes, *([x509.NameAttribute(NameOID.COMMON_NAME, common)] if common else [])])


def issue(
    common: str | None,
    issuer: Issued | None = None,
    *,
    own_key: Key | None = None,
    begin: datetime = NOW - YEAR,
    end: datetime = NOW + YEAR,
    authority: bool | None = None,
    path_length: int | None = None,
    dns: Sequence[str] = (),
    usages: Sequence[x509.ObjectIdentifier] | None = None,
    key_usage: x509.KeyUsage | None = None,
    addresses: Sequence[str] = (),
    extra: Sequence[x509.Extension[Any]] = (),
) -> Issued:
    """Issues a certificate. Without an issuer, it is self-signed."""
    own = own_key or key("authority")
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(common))
        .issuer_name(issuer.certificate.subject if issuer else name(common))
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(authority, path_length), critical=True)
    if dns:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(text) for text in dns]), critical=False
        )
    if usages is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if key_usage is not None:
        builder = builder.add_extension(key_usage, critical=True)
    if addresses:
        access = [
            x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(address))
            for address in addresses
        ]
        builder = builder.add_extension(x509.AuthorityInformationAccess(access), critical=False)
    for extension in extra:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    return Issued(builder.sign((issuer.key if issuer else own), hashes.SHA384()), own)


def authority(common: str, issuer: Issued | None = None, **options: Any) -> Issued:
    return issue(common, issuer, **{"authority": True, **options})


def leaf(issuer: Issued, common: str | None = "metadata.azure.com", **options: Any) -> Issued:
    defaults = {"own_key": key("leaf"), "authority": False, "usages": SERVER, "dns": ["metadata.azure.com"]}
    return issue(common, issuer, **{**defaults, **options})


def usage(**allowed: bool) -> x509.KeyUsage:
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    )
    return x509.KeyUsage(**{usage: allowed.get(usage, False) for usage in names.split()})


@cache
def root() -> Issued:
    return authority("Test Root", own_key=key("root"))


@cache
def intermediate() -> Issued:
    return authority("Test Issuing CA", root(), path_length=0)


@cache
def signer() -> Issued:
    return leaf(intermediate())


def trust(**others: Any) -> dict[str, Any]:
    """Returns arguments with which `verify` accepts the result of `document()`."""
    return {"roots": [root().certificate], "intermediates": [intermediate().certificate], "now": NOW, **others}


def payload(**changes: Any) -> dict[str, Any]:
    """Returns the content of a valid document. A member that is changed to None is removed."""
    return {member: value for member, value in {**PAYLOAD, **changes}.items() if value is not None}


def algorithm(identifier: str, null: bool) -> bytes:
    """Encodes an AlgorithmIdentifier with NULL parameters or none. asn1crypto's own classes always add NULL."""
    return bytes(
        algos.AlgorithmIdentifier({"algorithm": identifier, **({"parameters": core.Null()} if null else {})}).dump()
    )


def signed_data(
    content: bytes | dict[str, Any] | None = None,
    by: Issued | None = None,
    *,
    digest: str = SHA256_WITH_RSA,
    signature_algorithm: str = RSA,
    null: bool = True,
    certificates: Sequence[Issued] | None = None,
    signers: int = 1,
    named: Issued | None = None,
    signature: bytes | None = None,
    **signed_data_members: Any,
) -> Any:
    """Builds asn1crypto's SignedData. By default, it has the layout of live documents."""
    by = by or signer()
    content = content if isinstance(content, bytes) else json.dumps(content or PAYLOAD, separators=(",", ":")).encode()
    if signature is None:
        assert isinstance(by.key, rsa.RSAPrivateKey)
        signature = by.key.sign(content, padding.PKCS1v15(), hashes.SHA256())
    who = asn1_x509.Certificate.load((named or by).der)
    digested = algos.DigestAlgorithm.load(algorithm(digest, null))
    info = {
        "version": "v1",
        "sid": cms.SignerIdentifier(
            "issuer_and_serial_number",
            {"issuer": who["tbs_certificate"]["issuer"], "serial_number": who.serial_number},
        ),
        "digest_algorithm": digested,
        "signature_algorithm": algos.SignedDigestAlgorithm.load(algorithm(signature_algorithm, null)),
        "signature": signature,
    }
    return cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [digested],
            "encap_content_info": {"content_type": "data", "content": content},
            "certificates": [
                asn1_x509.Certificate.load(issued.der) for issued in ([by] if certificates is None else certificates)
            ],
            "signer_infos": [info] * signers,
            **signed_data_members,
        }
    )


def der(*arguments: Any, **options: Any) -> bytes:
    """Builds SignedData and returns it as the bytes of a ContentInfo."""
    content = signed_data(*arguments, **options)
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": content}).dump())


def document(*arguments: Any, **options: Any) -> dict[str, str]:
    """Builds SignedData and returns it as the JSON object that IMDS sends."""
    return wrapped(der(*arguments, **options))


def wrapped(data: bytes) -> dict[str, str]:
    return {"encoding": "pkcs7", "signature": base64.b64encode(data).decode()}


def with_signed_attributes() -> dict[str, str]:
    """Builds a document with signed attributes. By the rules of CMS, its signature is valid."""
    content = json.dumps(PAYLOAD).encode()
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["data"]},
            {"type": "message_digest", "values": [hashlib.sha256(content).digest()]},
        ]
    )
    by = signer()
    assert isinstance(by.key, rsa.RSAPrivateKey)
    data = signed_data(content, signature=by.key.sign(attributes.dump(), padding.PKCS1v15(), hashes.SHA256()))
    data["signer_infos"][0]["signed_attrs"] = attributes
    return wrapped(bytes(cms.ContentInfo({"content_type": "signed_data", "content": data}).dump(force=True)))


@dataclass
class Node:
    """A DER value that can be changed. `encode` computes the lengths."""

    tag: int
    content: bytes = b""
    parts: list[Node] = field(default_factory=list)

    def encode(self) -> bytes:
        content = b"".join(part.encode() for part in self.parts) if self.parts else self.content
        length = len(content)
        if length < 0x80:
            return bytes((self.tag, length)) + content
        octets = length.to_bytes((length.bit_length() + 7) // 8)
        return bytes((self.tag, 0x80 | len(octets))) + octets + content

    def all(self) -> list[Node]:
        return [self, *(below for part in self.parts for below in part.all())]


def parse_der(data: bytes) -> list[Node]:
    """Parses a sequence of DER values. Each tag must have one octet."""
    nodes: list[Node] = []
    while data:
        tag, length, start = data[0], data[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[2:start])
        content, data = data[start : start + length], data[start + length :]
        nodes.append(Node(tag, content, parse_der(content) if tag & 0x20 else []))
    return nodes


def certificate_node(issued: Issued) -> Node:
    """Returns a certificate as a tree. Change the tree, then sign it with `sign_again`."""
    (certificate,) = parse_der(issued.der)
    return certificate


def sign_again(certificate: Node, by: Issued) -> Node:
    """Returns a changed certificate with a valid signature of an issuer, so that checks after the signature see it."""
    to_sign = certificate.parts[0]
    assert isinstance(by.key, rsa.RSAPrivateKey)
    signature = by.key.sign(to_sign.encode(), padding.PKCS1v15(), hashes.SHA384())
    # The test certificates' own algorithm, whatever has become of it.
    algorithm = certificate_node(signer()).parts[1]
    return Node(0x30, parts=[to_sign, algorithm, Node(0x03, b"\0" + signature)])


def document_by(certificate: Node, content: bytes | None = None) -> dict[str, str]:
    """Builds a document with a changed certificate that has the key of `signer()`, and names it as its signer."""
    (info,) = parse_der(der(content))
    signed = info.parts[1].parts[0]
    signed.parts[3].parts = [certificate]
    with suppress(IndexError):
        # The issuer and the serial number.
        signed.parts[4].parts[0].parts[1].parts = [certificate.parts[0].parts[3], certificate.parts[0].parts[1]]
    return wrapped(info.encode())
