"""Reads CMS SignedData (RFC 5652) in the one layout that attested documents have, and refuses all others."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from attrs import field, frozen

from ._refusal import build_refusal, refusing

# asn1crypto has no type annotations: this module returns only bytes.
_algos: Any = import_module("asn1crypto.algos")
_cms: Any = import_module("asn1crypto.cms")
_parser: Any = import_module("asn1crypto.parser")
_NULL: Any = import_module("asn1crypto.core").Null()


def _encode_algorithms(*identifiers: str) -> set[bytes]:
    """Encodes each algorithm with NULL parameters and without parameters: signers use both."""
    bare = [{"algorithm": identifier} for identifier in identifiers]
    with_null = [{**algorithm, "parameters": _NULL} for algorithm in bare]
    return {bytes(_algos.AlgorithmIdentifier(algorithm).dump()) for algorithm in (*bare, *with_null)}


_SHA256 = "2.16.840.1.101.3.4.2.1"
_RSA = "1.2.840.113549.1.1.1"
_SHA256_WITH_RSA = "1.2.840.113549.1.1.11"

# Live documents name sha256WithRSAEncryption as the digest algorithm, where the standard requires SHA-256.
_DIGESTS = _encode_algorithms(_SHA256, _SHA256_WITH_RSA)
# They name rsaEncryption as the signature algorithm. RFC 3370 also allows sha256WithRSAEncryption.
_SIGNATURES = _encode_algorithms(_RSA, _SHA256_WITH_RSA)


@frozen
class SignedContent:
    """A document's content, its signature (RSA PKCS #1 v1.5 with SHA-256), and the signer's certificate (DER)."""

    content: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def read_signed_data(der: bytes) -> SignedContent:
    """Splits SignedData into its parts. It checks that the signer names this certificate, and no signature.

    Raises:
        AttestationError: the bytes are not SignedData, or its layout is not that of IMDS's documents.
    """
    with refusing("not_pkcs7", "it is not PKCS #7 (CMS SignedData)"):
        return _read_signed_data(der)


def _read_signed_data(der: bytes) -> SignedContent:
    if _parser.peek(der) < len(der):
        raise build_refusal("trailing_bytes", "more bytes follow after its end")
    info = _cms.ContentInfo.load(der)
    if info["content_type"].native != "signed_data":
        raise build_refusal("not_pkcs7", "it is CMS, but not SignedData")
    data = info["content"]
    certificates, signers = data["certificates"], data["signer_infos"]
    if len(certificates) == 0:
        raise build_refusal("no_certificate", "it contains no certificate; expected the signer's")
    if len(certificates) > 1:
        raise build_refusal("several_certificates", f"it contains {len(certificates)} certificates; expected one")
    for what, some in (("signers", signers), ("digest algorithms", data["digest_algorithms"])):
        if len(some) != 1:
            raise build_refusal("unsupported_layout", f"it has {len(some)} {what}; expected one")
    signer, certificate = signers[0], certificates[0]
    if problem := _find_layout_problem(data, signer, certificate):
        raise build_refusal("unsupported_layout", problem)
    if problem := _find_algorithm_problem(data, signer):
        raise build_refusal("unsupported_algorithm", problem)
    if not _names_certificate(signer["sid"].chosen, certificate.chosen["tbs_certificate"]):
        raise build_refusal("wrong_signer", "its signer names another certificate than the one it contains")
    if signer["sid"].chosen["serial_number"].native <= 0:
        # RFC 5280 forbids it, and cryptography prints a warning when it loads such a certificate.
        raise build_refusal("bad_certificate", "the serial number of its certificate is not positive")
    if _encode(data, signer, certificate) != der:
        raise build_refusal("unsupported_layout", "it is not DER, or contains bytes that belong to no field")
    return SignedContent(
        content=data["encap_content_info"]["content"].native,
        certificate=certificate.dump(),
        signature=signer["signature"].native,
    )


def _find_layout_problem(data: Any, signer: Any, certificate: Any) -> str:
    if data["version"].native != "v1" or signer["version"].native != "v1":
        return "its CMS version is not 1"
    content = data["encap_content_info"]
    if content["content_type"].native != "data" or not isinstance(content["content"].native, bytes):
        return "it does not contain the signed content"
    if certificate.name != "certificate":
        return "its certificate is not an X.509 certificate"
    if signer["sid"].name != "issuer_and_serial_number":
        return "it does not name its signer by issuer and serial number"
    # If there are signed attributes, the signature covers them instead of the content. IMDS's documents have none, so
    # this module needs only one way to verify.
    if len(signer["signed_attrs"]) or len(signer["unsigned_attrs"]):
        return "its signer has attributes; documents from IMDS have none"
    if len(data["crls"]):
        return "it contains revocation lists; documents from IMDS have none"
    return ""


def _find_algorithm_problem(data: Any, signer: Any) -> str:
    for digest in (*data["digest_algorithms"], signer["digest_algorithm"]):
        if digest.dump() not in _DIGESTS:
            return f"its digest algorithm {_identifier(digest)} is not SHA-256"
    signature = signer["signature_algorithm"]
    return "" if signature.dump() in _SIGNATURES else f"its signature algorithm {_identifier(signature)} is not RSA"


def _identifier(algorithm: Any) -> str:
    return str(algorithm["algorithm"].dotted[:60])


def _names_certificate(signer: Any, certificate: Any) -> bool:
    same_serial = signer["serial_number"].native == certificate["serial_number"].native
    return bool(same_serial and signer["issuer"].dump() == certificate["issuer"].dump())


def _encode(data: Any, signer: Any, certificate: Any) -> bytes:
    """Encodes a document from the fields that were read. If it differs from the original, bytes are hidden in it."""
    content_info = _cms.ContentInfo(
        {
            "content_type": "signed_data",
            "content": _cms.SignedData(
                {
                    "version": "v1",
                    "digest_algorithms": list(data["digest_algorithms"]),
                    "encap_content_info": {
                        "content_type": "data",
                        "content": data["encap_content_info"]["content"].native,
                    },
                    "certificates": [certificate],
                    "signer_infos": [
                        {
                            "version": "v1",
                            "sid": signer["sid"],
                            "digest_algorithm": signer["digest_algorithm"],
                            "signature_algorithm": signer["signature_algorithm"],
                            "signature": signer["signature"].native,
                        }
                    ],
                }
            ),
        }
    )
    return bytes(content_info.dump())
