"""Certificates of attested documents: who the signer is, and whether an allowed root stands behind it."""

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

from ..errors import AttestationError, ImdsValidationError
from ._refusal import refused

#: One certificate, or a PEM text with one or several, or one in DER.
Certificate = x509.Certificate | bytes | str
Certificates = Certificate | Iterable[Certificate]

#: Under which domain each cloud signs (Microsoft's instance-metadata-service page, "Attested data").
DOMAINS = {
    "public": "metadata.azure.com",
    "usgov": "metadata.azure.us",
    "china": "metadata.azure.cn",
    "germany": "metadata.microsoftazure.de",
}

#: Bits. What cryptography's verifier asks of every key in a chain, too.
_SMALLEST_KEY = 2048


@frozen
class Signer:
    """The certificate that a document carries, opened."""

    certificate: x509.Certificate
    key: RSAPublicKey = field(repr=False)
    names: Sequence[str]
    """DNS names and common names, the names that count first."""


def certificates(given: Certificates, parameter: str) -> list[x509.Certificate]:
    """The certificates that a caller gave, in whatever form.

    Raises:
        ImdsValidationError: something among them is no certificate.
    """
    several = [given] if isinstance(given, (x509.Certificate, bytes, str)) else given
    loaded: list[x509.Certificate] | None = None
    with suppress(Exception):  # of the kinds that loading and iterating may raise
        loaded = [certificate for one in several for certificate in _loaded(one)]
    if loaded is None:
        raise ImdsValidationError(
            f"{parameter} must be certificates: of the library cryptography, or PEM or DER", parameter=parameter
        )
    return loaded


def _loaded(one: Certificate) -> list[x509.Certificate]:
    if isinstance(one, x509.Certificate):
        return [one]
    data = one.encode() if isinstance(one, str) else one
    if b"-----BEGIN" in data:
        return x509.load_pem_x509_certificates(data)
    return [x509.load_der_x509_certificate(data)]


def signer(der: bytes) -> Signer:
    """Opens the certificate of a document.

    Raises:
        AttestationError: it cannot be read, or its key is not an RSA key of 2048 bits or more.
    """
    opened: Signer | AttestationError = refused("bad_certificate", "its certificate cannot be read")
    with suppress(Exception):  # the certificate is whatever somebody sent
        opened = _opened(der)
    if isinstance(opened, AttestationError):
        raise opened
    return opened


def _opened(der: bytes) -> Signer | AttestationError:
    certificate = x509.load_der_x509_certificate(der)
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        return refused("unsupported_algorithm", "its certificate's key is not an RSA key")
    if key.key_size < _SMALLEST_KEY:
        return refused("unsupported_algorithm", f"its certificate's key has {key.key_size} bits, which is too few")
    names: list[str] = []
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            names += extension.value.get_values_for_type(x509.DNSName)
    names += [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return Signer(certificate, key, names)


def check_name(signer: Signer, cloud: str) -> None:
    """The signer must be the cloud's domain or anything below it, by DNS name or common name.

    Raises:
        AttestationError: it is somebody else.
    """
    if any(_is_of(name, cloud) for name in signer.names):
        return
    elsewhere = [other for other in DOMAINS if any(_is_of(name, other) for name in signer.names)]
    raise refused(
        "wrong_name",
        f"it is signed by {_shown(signer.names[0]) if signer.names else 'a certificate without names'}, "
        f"not by {DOMAINS[cloud]} or a name below",
        f"It comes from another cloud: cloud={elsewhere[0]!r}." if elsewhere else "",
    )


def _is_of(name: str, cloud: str) -> bool:
    pattern = rf"(?:[a-z0-9*_-]+\.)*{re.escape(DOMAINS[cloud])}"
    return re.fullmatch(pattern, name, re.ASCII | re.IGNORECASE) is not None


def _shown(name: str) -> str:
    """A name as it may stand in an error or a log, whoever chose it."""
    return ascii(name if len(name) <= 100 else name[:100] + "...")


def check_chain(
    leaf: x509.Certificate, intermediates: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], now: datetime
) -> None:
    """Some path must lead from the leaf over the intermediates to a root, with every certificate on it valid now.

    Args:
        leaf: the signer's certificate.
        intermediates: in any order; more than are needed do no harm.
        roots: what is trusted. The leaf itself may be among them.
        now: in UTC.

    Raises:
        AttestationError: there is no such path; which of the reasons is the nearest is a matter of diagnosis.
    """
    problem = _out_of_date(leaf, now)
    if problem is None and not _is_for_servers(leaf):
        problem = refused("wrong_usage", "its certificate is not for server authentication")
    if problem is None:
        said = _path_problem(leaf, intermediates, roots, now)
        problem = None if said is None else _diagnosis(leaf, intermediates, roots, now, said)
    if problem is not None:
        raise problem


def _path_problem(
    leaf: x509.Certificate, intermediates: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], now: datetime
) -> str | None:
    # cryptography's verifier for servers insists on a DNS name, and leaves may have a common name alone; the one for
    # clients leaves names to us, and usages to the policies. Both build paths in the same way.
    verifier = (
        PolicyBuilder()
        .store(Store(list(roots)))
        .time(now)
        .extension_policies(ca_policy=_issuer_policy(), ee_policy=_leaf_policy())
        .build_client_verifier()
    )
    try:
        verifier.verify(leaf, list(intermediates))
    except Exception as error:  # VerificationError, or what strange extensions in any of them lead to
        return ascii(str(error)[:200])
    return None


def _leaf_policy() -> ExtensionPolicy:
    # The web's rules, but neither names (checked above) nor key identifiers are asked for.
    return (
        ExtensionPolicy.webpki_defaults_ee()
        .may_be_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
        .may_be_present(x509.AuthorityKeyIdentifier, Criticality.AGNOSTIC, None)
        .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign_data)
    )


def _issuer_policy() -> ExtensionPolicy:
    # The web's rules, but private authorities, too, may leave out key identifiers and key usage.
    return (
        ExtensionPolicy.webpki_defaults_ca()
        .may_be_present(x509.SubjectKeyIdentifier, Criticality.AGNOSTIC, None)
        .may_be_present(x509.AuthorityKeyIdentifier, Criticality.AGNOSTIC, None)
        .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _may_certify_servers)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign_certificates)
        .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_authority)
    )


def _may_sign_data(policy: Policy, certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage and not (usage.digital_signature or usage.content_commitment):
        raise ValueError("the leaf's key usage does not allow signatures")
    if usage and usage.key_cert_sign:
        raise ValueError("the leaf's key usage allows to sign certificates")


def _may_sign_certificates(policy: Policy, certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage and not usage.key_cert_sign:
        raise ValueError("an issuer's key usage does not allow to sign certificates")


def _may_certify_servers(policy: Policy, certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
    allowed = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if usage and allowed.isdisjoint(usage):
        raise ValueError("an issuer is not for server authentication")


def _is_authority(policy: Policy, certificate: x509.Certificate, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError("an issuer is not a certificate authority")


def _is_for_servers(leaf: x509.Certificate) -> bool:
    usages = [one.value for one in leaf.extensions if isinstance(one.value, x509.ExtendedKeyUsage)]
    return any(ExtendedKeyUsageOID.SERVER_AUTH in usage for usage in usages)


def _out_of_date(certificate: x509.Certificate, now: datetime) -> AttestationError | None:
    who = _shown(_called(certificate.subject))
    if now > certificate.not_valid_after_utc:
        end = certificate.not_valid_after_utc
        return refused("certificate_expired", f"the certificate of {who} expired {end:%Y-%m-%d %H:%M:%S} UTC")
    if now < certificate.not_valid_before_utc:
        begin = certificate.not_valid_before_utc
        return refused(
            "certificate_not_yet_valid", f"the certificate of {who} is not valid before {begin:%Y-%m-%d %H:%M:%S} UTC"
        )
    return None


def _called(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _diagnosis(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    now: datetime,
    said: str,
) -> AttestationError:
    """Why there is no path, in words: climbs as far as signatures lead, whatever else is wrong on the way."""
    given = [*intermediates, *roots]
    reached = [leaf]
    for certificate in reached:
        reached += [one for one in given if one not in reached and issued(one, certificate)]
    top = _shown(_called(reached[-1].issuer))
    if any(certificate in roots for certificate in reached):
        late = [problem for certificate in reached[1:] if (problem := _out_of_date(certificate, now))]
        return late[0] if late else refused("untrusted_chain", f"its certificate's chain breaks a rule: {said}")
    if any(one.subject == reached[-1].issuer for one in given if one not in reached):
        return refused("untrusted_chain", f"{top} did not sign a certificate that is said to be from it")
    if len(reached) == 1:
        return refused(
            "intermediate_missing",
            f"the certificate of its issuer {top} is neither among the intermediates nor a root",
            "IMDS does not send it: give it as intermediates=, or get it with fetch_intermediates().",
        )
    return refused(
        "untrusted_chain",
        f"its certificate's chain leads to {top}, which is no allowed root",
        "If another intermediate belongs between, give it too; fetch_intermediates() gets all of Microsoft's.",
    )


def issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether one certificate signed the other, by name and by signature."""
    with suppress(Exception):  # another name, another kind of key, a wrong signature
        certificate.verify_directly_issued_by(issuer)
        return True
    return False
