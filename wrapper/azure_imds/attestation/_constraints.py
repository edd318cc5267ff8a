"""Checks a certificate against the name constraints of an issuer (RFC 5280, 4.2.1.10).

cryptography's verifier compares them with the alternative names of a certificate only. This module compares them with
its subject, and with its common names if those are its host names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cryptography import x509

from .._interruptions import suppress_errors
from ._certificates import ParsedCertificate
from ._names import Name, Part, read_name


def permits(constraints: x509.NameConstraints, certificate: ParsedCertificate) -> bool:
    """Whether name constraints permit the subject of a certificate, and its common names if those are its host names.

    A common name that is not a host name is not permitted where only some DNS names are.
    """
    with suppress_errors(Exception):  # a base that is no valid name permits nothing
        return _permits(constraints, certificate)
    return False


def _permits(constraints: x509.NameConstraints, certificate: ParsedCertificate) -> bool:
    permitted, excluded = constraints.permitted_subtrees or [], constraints.excluded_subtrees or []
    common_names: Sequence[str] = () if certificate.dns_names else certificate.subject.common_names
    domains = _domains(permitted)
    if domains and not all(any(_contains(domain, _fixed_part(name)) for domain in domains) for name in common_names):
        return False
    if any(_overlaps(domain.lstrip("."), name) for domain in _domains(excluded) for name in common_names):
        return False
    subject = certificate.subject
    bases = _directory_names(permitted)
    if subject.parts and bases and not any(_begins_with(subject, base) for base in bases):
        return False
    return not any(_begins_with(subject, base) for base in _directory_names(excluded))


def _domains(subtrees: Iterable[x509.GeneralName]) -> list[str]:
    return [name.value.lower() for name in subtrees if isinstance(name, x509.DNSName)]


def _fixed_part(name: str) -> str:
    """The labels after the last wildcard."""
    _, star, rest = name.lower().rpartition("*")
    return rest.partition(".")[2] if star else rest


def _contains(domain: str, name: str) -> bool:
    return not domain or name == domain or name.endswith(f".{domain}")


def _overlaps(domain: str, name: str) -> bool:
    """Whether a name, or one that a wildcard stands for, is in a domain."""
    fixed = _fixed_part(name)
    return _contains(domain, fixed) or ("*" in name and _contains(fixed, domain))


def _directory_names(subtrees: Iterable[x509.GeneralName]) -> list[tuple[Part, ...]]:
    return [read_name(name.value.public_bytes()).parts for name in subtrees if isinstance(name, x509.DirectoryName)]


def _begins_with(name: Name, base: tuple[Part, ...]) -> bool:
    return name.parts[: len(base)] == base
