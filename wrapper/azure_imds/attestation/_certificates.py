"""Checks the signer's certificate: its name, its usage, and its chain to a trusted root."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store

from ..errors import AttestationError
from ._refusal import build_argument_error, build_refusal

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


@frozen
class Signer:
    """The certificate in a document, with its public key."""

    certificate: x509.Certificate
    key: RSAPublicKey = field(repr=False)
    names: Sequence[str]
    """DNS names, then common names."""


def load_certificates(given: Certificates, caller: str, parameter: str) -> list[x509.Certificate]:
    """Loads the certificates that a caller passed.

    Raises:
        ImdsValidationError: one of them cannot be loaded.
    """
    loaded: list[x509.Certificate] | None = None
    with suppress(Exception):  # loading, and iterating over what the caller passed, may raise anything
        several = [given] if isinstance(given, (x509.Certificate, bytes, str)) else given
        loaded = [certificate for some in several for certificate in _load(some)]
    if loaded is None:
        problem = 'must be certificates: x509.Certificate, PEM ("-----BEGIN CERTIFICATE-----...") or DER'
        raise build_argument_error(caller, parameter, problem)
    return loaded


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
    try:
        return _load_signer(der)
    except AttestationError:
        raise
    except Exception:  # the bytes can be anything
        raise build_refusal("bad_certificate", "its certificate cannot be read") from None


def _load_signer(der: bytes) -> Signer:
    certificate = x509.load_der_x509_certificate(der)
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise build_refusal("unsupported_algorithm", "the key of its certificate is not an RSA key")
    if key.key_size < _SMALLEST_KEY:
        raise build_refusal(
            "unsupported_algorithm",
            f"the key of its certificate has {key.key_size} bits; at least {_SMALLEST_KEY} are required",
        )
    names: list[str] = []
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            names += extension.value.get_values_for_type(x509.DNSName)
    names += [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return Signer(certificate, key, names)


def check_name(signer: Signer, cloud: str) -> None:
    """Checks that a DNS name or common name of the signer is the cloud's domain or one of its subdomains.

    Raises:
        AttestationError: none of the names is.
    """
    if any(_belongs_to(name, cloud) for name in signer.names):
        return
    others = [other for other in DOMAINS if any(_belongs_to(name, other) for name in signer.names)]
    raise build_refusal(
        "wrong_name",
        f"it is signed by {_quote(signer.names[0]) if signer.names else 'a certificate without names'}, "
        f"not by {DOMAINS[cloud]} or one of its subdomains",
        hint=f"It is from another cloud: pass cloud={others[0]!r}." if others else "",
    )


def _belongs_to(name: str, cloud: str) -> bool:
    pattern = rf"(?:[a-z0-9*_-]+\.)*{re.escape(DOMAINS[cloud])}"
    return re.fullmatch(pattern, name, re.ASCII | re.IGNORECASE) is not None


def _quote(name: str) -> str:
    """Makes a name from a certificate safe for a message or log: anybody can choose it."""
    return ascii(name if len(name) <= 100 else name[:100] + "...")


def check_chain(
    leaf: x509.Certificate, intermediates: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], now: datetime
) -> None:
    """Checks that a path leads from the leaf through the intermediates to a root, and each certificate is valid now.

    Args:
        leaf: the signer's certificate.
        intermediates: in any order. It may contain more certificates than the path needs.
        roots: the trusted certificates. The leaf may be one of them.
        now: in UTC.

    Raises:
        AttestationError: there is no such path. `reason` is the most likely cause.
    """
    if problem := _find_date_problem(leaf, now):
        raise problem
    if not _is_server_certificate(leaf):
        raise build_refusal("wrong_usage", "its certificate is not for server authentication")
    if broken_rule := _find_broken_rule(leaf, intermediates, roots, now):
        raise _explain_chain(leaf, intermediates, roots, now, broken_rule)


def _find_broken_rule(
    leaf: x509.Certificate, intermediates: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], now: datetime
) -> str:
    # cryptography's server verifier requires a DNS name, but some leaves have only a common name. The client verifier
    # builds the same paths, does not check names, and leaves usages to our policies.
    verifier = (
        PolicyBuilder()
        .store(Store(list(roots)))
        .time(now)
        .extension_policies(ca_policy=_issuer_policy(), ee_policy=_leaf_policy())
        .build_client_verifier()
    )
    try:
        verifier.verify(leaf, list(intermediates))
    except Exception as error:  # VerificationError, or anything that unusual extensions cause
        return ascii(str(error)[:200])
    return ""


def _leaf_policy() -> ExtensionPolicy:
    # The web's rules, except that names (`check_name` checks them) and key identifiers are optional.
    return (
        ExtensionPolicy.webpki_defaults_ee()
        .may_be_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
        .may_be_present(x509.AuthorityKeyIdentifier, Criticality.AGNOSTIC, None)
        .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _check_leaf_key_usage)
    )


def _issuer_policy() -> ExtensionPolicy:
    # The web's rules, except that key identifiers and key usage are optional: private authorities may omit them.
    return (
        ExtensionPolicy.webpki_defaults_ca()
        .may_be_present(x509.SubjectKeyIdentifier, Criticality.AGNOSTIC, None)
        .may_be_present(x509.AuthorityKeyIdentifier, Criticality.AGNOSTIC, None)
        .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _check_issuer_extended_usage)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _check_issuer_key_usage)
        .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _check_is_authority)
    )


def _check_leaf_key_usage(policy: Policy, certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage and not (usage.digital_signature or usage.content_commitment):
        raise ValueError("the leaf's key usage does not allow signatures")
    if usage and usage.key_cert_sign:
        raise ValueError("the leaf's key usage allows signing certificates")


def _check_issuer_key_usage(policy: Policy, certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage and not usage.key_cert_sign:
        raise ValueError("an issuer's key usage does not allow signing certificates")


def _check_issuer_extended_usage(
    policy: Policy, certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None
) -> None:
    allowed = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if usage and allowed.isdisjoint(usage):
        raise ValueError("an issuer is not for server authentication")


def _check_is_authority(policy: Policy, certificate: x509.Certificate, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError("an issuer is not a certificate authority")


def _is_server_certificate(leaf: x509.Certificate) -> bool:
    usages = [extension.value for extension in leaf.extensions if isinstance(extension.value, x509.ExtendedKeyUsage)]
    return any(ExtendedKeyUsageOID.SERVER_AUTH in usage for usage in usages)


def _find_date_problem(certificate: x509.Certificate, now: datetime) -> AttestationError | None:
    subject = _quote(_common_name(certificate.subject))
    if now > certificate.not_valid_after_utc:
        end = certificate.not_valid_after_utc
        return build_refusal("certificate_expired", f"the certificate of {subject} expired {end:%Y-%m-%d %H:%M:%S} UTC")
    if now < certificate.not_valid_before_utc:
        begin = certificate.not_valid_before_utc
        return build_refusal(
            "certificate_not_yet_valid",
            f"the certificate of {subject} is not valid before {begin:%Y-%m-%d %H:%M:%S} UTC",
        )
    return None


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _explain_chain(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    now: datetime,
    broken_rule: str,
) -> AttestationError:
    """Returns the most likely cause of a failed chain. It follows signatures upwards and ignores all other rules."""
    given = [*intermediates, *roots]
    reached = [leaf]
    for certificate in reached:
        reached += [issuer for issuer in given if issuer not in reached and is_issued_by(certificate, issuer)]
    top = _quote(_common_name(reached[-1].issuer))
    if any(certificate in roots for certificate in reached):
        outdated = [problem for certificate in reached[1:] if (problem := _find_date_problem(certificate, now))]
        return (
            outdated[0]
            if outdated
            else build_refusal("untrusted_chain", f"its certificate chain breaks a rule: {broken_rule}")
        )
    if any(other.subject == reached[-1].issuer for other in given if other not in reached):
        return build_refusal(
            "untrusted_chain", f"a certificate in its chain names {top} as issuer, but {top} did not sign it"
        )
    if len(reached) == 1:
        return build_refusal(
            "intermediate_missing",
            f"the certificate of its issuer {top} is neither in intermediates nor in roots",
            hint="IMDS does not send it: pass it as intermediates=, or download it with fetch_intermediates().",
        )
    return build_refusal(
        "untrusted_chain",
        f"its certificate chain ends at {top}, which is not a trusted root",
        hint="If an intermediate is missing, pass it too: fetch_intermediates() downloads all of Microsoft's.",
    )


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the certificate has the issuer's name and signature."""
    with suppress(Exception):  # another name, an unsupported kind of key, a wrong signature
        certificate.verify_directly_issued_by(issuer)
        return True
    return False
