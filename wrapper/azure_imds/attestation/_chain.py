"""Checks that a chain leads from the signer's certificate to a trusted root, and the usage of each certificate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store

from .._interruptions import is_interruption
from ..errors import AttestationError
from ._certificates import ParsedCertificate, is_issued_by, quote
from ._constraints import permits
from ._refusal import build_refusal


def check_chain(
    leaf: ParsedCertificate,
    intermediates: Sequence[ParsedCertificate],
    roots: Sequence[ParsedCertificate],
    now: datetime,
) -> None:
    """Checks that a path leads from the leaf through the intermediates to a root, and each certificate is valid now.

    Args:
        leaf: the signer's certificate.
        intermediates: in any order. It may contain more certificates than the path needs. Expired ones count as absent.
        roots: the trusted certificates. The leaf may be one of them.
        now: in UTC.

    Raises:
        AttestationError: there is no such path. `reason` is the most likely cause.
    """
    if problem := _find_date_problem(leaf, now):
        raise problem
    usages = leaf.find_extension(x509.ExtendedKeyUsage)
    if usages is None or ExtendedKeyUsageOID.SERVER_AUTH not in usages:
        raise build_refusal("wrong_usage", "its certificate is not for server authentication")
    current = [certificate for certificate in intermediates if now <= certificate.end]
    expired = [certificate for certificate in intermediates if now > certificate.end]
    reached = _follow_signatures(leaf, [*current, *roots])
    if not any(certificate in roots for certificate in reached):
        raise _explain_gap(reached, [*current, *roots], expired)
    if broken_rule := _find_broken_rule(leaf, current, roots, now):
        raise _explain_broken_rule(leaf, reached[1:], now, broken_rule)


def _follow_signatures(leaf: ParsedCertificate, given: Sequence[ParsedCertificate]) -> list[ParsedCertificate]:
    """Returns the leaf and all certificates to which signatures lead upwards from it. It ignores all other rules."""
    reached = [leaf]
    for certificate in reached:
        reached += [issuer for issuer in given if issuer not in reached and _is_issuer(issuer, certificate)]
    return reached


def _is_issuer(issuer: ParsedCertificate, certificate: ParsedCertificate) -> bool:
    return issuer.subject == certificate.issuer and is_issued_by(certificate.certificate, issuer.certificate)


def _find_broken_rule(
    leaf: ParsedCertificate,
    intermediates: Sequence[ParsedCertificate],
    roots: Sequence[ParsedCertificate],
    now: datetime,
) -> str:
    """Returns which rule all paths break. Empty: there is a valid path."""
    if problem := _find_leaf_problem(leaf):
        return problem
    store = [root.certificate for root in roots if root == leaf or not _find_issuer_problem(root, leaf)]
    between = [issuer.certificate for issuer in intermediates if not _find_issuer_problem(issuer, leaf)]
    if not store:
        return "no root may issue it"
    # cryptography's server verifier requires a DNS name, but some leaves have only a common name. The client verifier
    # builds the same paths and does not check names.
    try:
        policies = {"ca_policy": _issuer_policy(), "ee_policy": _leaf_policy()}
        builder = PolicyBuilder().store(Store(store)).time(now).extension_policies(**policies)
        builder.build_client_verifier().verify(leaf.certificate, between)
    except Exception as error:
        if is_interruption(error):
            raise
        return ascii(str(error).partition(" (encountered processing")[0][:200])
    return ""


# The policies have no validators in Python: cryptography would turn an exception that a signal handler raises in them
# into a refusal. `_find_leaf_problem` and `_find_issuer_problem` check the usages instead.


def _leaf_policy() -> ExtensionPolicy:
    # The web's rules, except that names (`check_name` checks them) and key identifiers are optional.
    return (
        ExtensionPolicy.webpki_defaults_ee()
        .may_be_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
        .may_be_present(x509.AuthorityKeyIdentifier, Criticality.AGNOSTIC, None)
        .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, None)
    )


def _issuer_policy() -> ExtensionPolicy:
    # The web's rules, except that key identifiers and key usage are optional: private authorities may omit them.
    return (
        ExtensionPolicy.webpki_defaults_ca()
        .may_be_present(x509.SubjectKeyIdentifier, Criticality.AGNOSTIC, None)
        .may_be_present(x509.AuthorityKeyIdentifier, Criticality.AGNOSTIC, None)
        .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, None)
        .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    )


def _find_leaf_problem(leaf: ParsedCertificate) -> str:
    usage = leaf.find_extension(x509.KeyUsage)
    if usage and not (usage.digital_signature or usage.content_commitment):
        return "the leaf's key usage does not allow signatures"
    if usage and usage.key_cert_sign:
        return "the leaf's key usage allows signing certificates"
    return ""


def _find_issuer_problem(issuer: ParsedCertificate, leaf: ParsedCertificate) -> str:
    """Returns why no path from this leaf may contain the issuer, or ""."""
    basic = issuer.find_extension(x509.BasicConstraints)
    if basic is None or not basic.ca:
        return "is not a certificate authority"
    usage = issuer.find_extension(x509.KeyUsage)
    if usage and not usage.key_cert_sign:
        return "may not sign certificates"
    extended = issuer.find_extension(x509.ExtendedKeyUsage)
    allowed = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if extended and allowed.isdisjoint(extended):
        return "is not for server authentication"
    names = issuer.find_extension(x509.NameConstraints)
    if names and not permits(names, leaf):
        return "may not certify the name of the document's certificate"
    return ""


def _find_date_problem(certificate: ParsedCertificate, now: datetime) -> AttestationError | None:
    subject = f"the certificate of {quote(certificate.subject.text)}"
    if now > certificate.end:
        return build_refusal("certificate_expired", f"{subject} expired {certificate.end:%Y-%m-%d %H:%M:%S} UTC")
    if now < certificate.begin:
        begin = f"{certificate.begin:%Y-%m-%d %H:%M:%S}"
        return build_refusal("certificate_not_yet_valid", f"{subject} is not valid before {begin} UTC")
    return None


def _explain_broken_rule(
    leaf: ParsedCertificate, issuers: Sequence[ParsedCertificate], now: datetime, broken_rule: str
) -> AttestationError:
    for issuer in issuers:
        if problem := _find_date_problem(issuer, now):
            return problem
    for issuer in issuers:
        if why := _find_issuer_problem(issuer, leaf):
            broken_rule = f"the issuer {quote(issuer.subject.text)} {why}"
    return build_refusal("untrusted_chain", f"its certificate chain breaks a rule: {broken_rule}")


def _explain_gap(
    reached: Sequence[ParsedCertificate], given: Sequence[ParsedCertificate], expired: Sequence[ParsedCertificate]
) -> AttestationError:
    """Returns why signatures lead to no root."""
    top = reached[-1].issuer
    if any(other.subject == top for other in given if other not in reached):
        name = quote(top.text)
        return build_refusal(
            "untrusted_chain", f"a certificate in its chain names {name} as issuer, but {name} did not sign it"
        )
    late = [issuer for issuer in expired if any(_is_issuer(issuer, certificate) for certificate in reached)]
    name = quote((late[0].subject if late else top).text)
    note = f" (the one in intermediates expired {late[0].end:%Y-%m-%d %H:%M:%S} UTC)" if late else ""
    if len(reached) == 1:
        return build_refusal(
            "intermediate_missing",
            f"the certificate of its issuer {name} is neither in intermediates nor in roots{note}",
            hint="IMDS does not send it: pass it as intermediates=, or download it with fetch_intermediates().",
        )
    return build_refusal(
        "untrusted_chain",
        f"its certificate chain ends at {name}, which is not a trusted root{note}",
        hint="If an intermediate is missing, pass it too: fetch_intermediates() downloads all of Microsoft's.",
    )
