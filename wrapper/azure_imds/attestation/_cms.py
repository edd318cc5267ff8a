"""Reads the one kind of CMS SignedData (RFC 5652) that attested documents are, and no other."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import Any

from attrs import field, frozen

from ..errors import AttestationError
from ._refusal import refused

# asn1crypto has no types: what leaves this module is bytes and errors.
_algos: Any = import_module("asn1crypto.algos")
_cms: Any = import_module("asn1crypto.cms")
_parser: Any = import_module("asn1crypto.parser")
_NULL: Any = import_module("asn1crypto.core").Null()


def _spellings(*names: str) -> set[bytes]:
    """Each algorithm with NULL for its parameters, and without any: both are in use."""
    spelled = [{"algorithm": name} for name in names] + [{"algorithm": name, "parameters": _NULL} for name in names]
    return {bytes(_algos.AlgorithmIdentifier(one).dump()) for one in spelled}


_SHA256 = "2.16.840.1.101.3.4.2.1"
_RSA = "1.2.840.113549.1.1.1"
_SHA256_WITH_RSA = "1.2.840.113549.1.1.11"

# Live documents name sha256WithRSAEncryption as their digest, where the standard wants SHA-256.
_DIGESTS = _spellings(_SHA256, _SHA256_WITH_RSA)
# ... and rsaEncryption as their signature. RFC 3370 allows sha256WithRSAEncryption there as well.
_SIGNATURES = _spellings(_RSA, _SHA256_WITH_RSA)


@frozen
class Signed:
    """What was signed, by which certificate (DER), and the signature: RSA PKCS #1 v1.5 with SHA-256 over `content`."""

    content: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def read(der: bytes) -> Signed:
    """Takes the SignedData apart. Nothing is verified yet but that the certificate is the one the signer names.

    Raises:
        AttestationError: these bytes are something else, or laid out as no document of IMDS is.
    """
    outcome: Signed | AttestationError = refused("not_pkcs7", "it is not PKCS #7 (CMS SignedData)")
    # asn1crypto meets hostile bytes with exceptions of many types, some of them by accident.
    with suppress(Exception):
        outcome = _read(der)
    if isinstance(outcome, AttestationError):
        raise outcome
    return outcome


def _read(der: bytes) -> Signed | AttestationError:
    if _parser.peek(der) < len(der):
        return refused("trailing_bytes", "there are bytes behind its end")
    info = _cms.ContentInfo.load(der)
    if info["content_type"].native != "signed_data":
        return refused("not_pkcs7", "it is CMS, but not SignedData")
    signed = info["content"]
    certificates, signers = signed["certificates"], signed["signer_infos"]
    if len(certificates) == 0:
        return refused("no_certificate", "it carries no certificate; one is expected, the signer's")
    if len(certificates) > 1:
        return refused("several_certificates", f"it carries {len(certificates)} certificates; one is expected")
    for what, some in (("signers", signers), ("digest algorithms", signed["digest_algorithms"])):
        if len(some) != 1:
            return refused("unsupported_layout", f"it has {len(some)} {what}; one is expected")
    signer, certificate = signers[0], certificates[0]
    if problem := _foreign_layout(signed, signer, certificate):
        return refused("unsupported_layout", problem)
    if problem := _foreign_algorithm(signed, signer):
        return refused("unsupported_algorithm", problem)
    if not _is_signer(signer["sid"].chosen, certificate.chosen["tbs_certificate"]):
        return refused("wrong_signer", "its certificate is not the one that its signer names")
    if signer["sid"].chosen["serial_number"].native <= 0:
        # RFC 5280 does not allow it, and cryptography warns on stderr as it loads such a certificate.
        return refused("bad_certificate", "its certificate's serial number is not positive")
    if _rebuilt(signed, signer, certificate) != der:
        return refused("unsupported_layout", "it has bytes that belong to no part of it, or is not in DER")
    return Signed(
        content=signed["encap_content_info"]["content"].native,
        certificate=certificate.dump(),
        signature=signer["signature"].native,
    )


def _foreign_layout(signed: Any, signer: Any, certificate: Any) -> str:
    if signed["version"].native != "v1" or signer["version"].native != "v1":
        return "its version is not 1"
    content = signed["encap_content_info"]
    if content["content_type"].native != "data" or not isinstance(content["content"].native, bytes):
        return "it does not contain what it signs"
    if certificate.name != "certificate":
        return "its certificate is not an X.509 certificate"
    if signer["sid"].name != "issuer_and_serial_number":
        return "it does not name its signer by issuer and serial number"
    # With signed attributes, the signature would be over them and no longer over the content itself. No document of
    # IMDS has any, so there is no second way to verify here that could be got wrong.
    if len(signer["signed_attrs"]) or len(signer["unsigned_attrs"]):
        return "its signer adds attributes, as IMDS never does"
    if len(signed["crls"]):
        return "it carries revocation lists, as IMDS never does"
    return ""


def _foreign_algorithm(signed: Any, signer: Any) -> str:
    for digest in (*signed["digest_algorithms"], signer["digest_algorithm"]):
        if digest.dump() not in _DIGESTS:
            return f"its digest algorithm {_called(digest)} is not SHA-256"
    signature = signer["signature_algorithm"]
    return "" if signature.dump() in _SIGNATURES else f"its signature algorithm {_called(signature)} is not RSA"


def _called(algorithm: Any) -> str:
    return str(algorithm["algorithm"].dotted[:60])


def _is_signer(named: Any, certificate: Any) -> bool:
    same_serial = named["serial_number"].native == certificate["serial_number"].native
    return bool(same_serial and named["issuer"].dump() == certificate["issuer"].dump())


def _rebuilt(signed: Any, signer: Any, certificate: Any) -> bytes:
    """The same document written anew from all that was read of it, so that nothing can hide between the fields."""
    content_info = _cms.ContentInfo(
        {
            "content_type": "signed_data",
            "content": _cms.SignedData(
                {
                    "version": "v1",
                    "digest_algorithms": list(signed["digest_algorithms"]),
                    "encap_content_info": {
                        "content_type": "data",
                        "content": signed["encap_content_info"]["content"].native,
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
