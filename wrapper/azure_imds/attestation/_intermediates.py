"""Issuers' certificates from where a certificate says they are (AIA, RFC 5280 4.2.2.1), without I/O.

A document is not yet believed when its certificate is followed, so nothing in it may lead just anywhere.
"""

from __future__ import annotations

from contextlib import suppress

import httpx
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from ._certificates import issued
from ._refusal import refused

#: The hosts that the certificates in published documents name, over plain HTTP, as they name them.
HOSTS = frozenset({"www.microsoft.com", "caissuers.microsoft.com"})

#: Bytes. A certificate has about 2000.
LARGEST = 64 * 1024

#: Microsoft's longest chain has two between leaf and root.
_HIGHEST = 4
_ADDRESSES_EACH = 4

#: What came of one request: the body, or in a few words why there is none.
Answer = bytes | str


class Climb:
    """From a leaf up to where nobody says more, one request at a time.

    Ask for `request()` and `take()` what came of it, until it is None; then `found()`.
    """

    def __init__(self, leaf: x509.Certificate) -> None:
        self._found: list[x509.Certificate] = []
        self._problems: list[str] = []
        self._attempts = 0
        self._url = ""
        self._turn_to(leaf)

    def _turn_to(self, certificate: x509.Certificate) -> None:
        self._below = certificate
        over = len(self._found) == _HIGHEST or certificate.issuer == certificate.subject
        self._addresses = [] if over else _addresses(certificate)

    def request(self) -> httpx.Request | None:
        """What to send next, or None where the climb is over."""
        if not self._addresses:
            return None
        self._url = self._addresses.pop(0)
        self._attempts += 1
        return httpx.Request("GET", self._url, headers={"Accept-Encoding": "identity"})

    def take(self, answer: Answer) -> None:
        """What came of the last request."""
        issuer = _certificate(answer) if isinstance(answer, bytes) else None
        if issuer is not None and issued(issuer, self._below):
            self._found.append(issuer)
            self._turn_to(issuer)
        else:
            said = answer if isinstance(answer, str) else "no certificate of its issuer"
            self._problems.append(f"{self._url}: {said}")

    def found(self) -> list[x509.Certificate]:
        """The issuers, from the leaf's own upwards.

        Raises:
            AttestationError: not even the leaf's own was to be had.
        """
        if self._found:
            return self._found
        if self._problems:
            why = f"the certificate of its issuer could not be fetched: {'; '.join(self._problems)}"
        else:
            why = f"its certificate names no address of its issuer's at {' or '.join(sorted(HOSTS))}"
        raise refused(
            "intermediate_missing",
            why,
            "Give the issuer's certificate as intermediates=.",
            url=self._url,
            attempts=self._attempts,
            retryable=bool(self._problems),
        )


def _addresses(certificate: x509.Certificate) -> list[str]:
    urls: list[str] = []
    with suppress(Exception):  # extensions are read when they are asked for, and may be broken
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
        for description in access:
            place = description.access_location
            if description.access_method == AuthorityInformationAccessOID.CA_ISSUERS and isinstance(
                place, x509.UniformResourceIdentifier
            ):
                urls += [place.value] if is_allowed(place.value) else []
    return list(dict.fromkeys(urls))[:_ADDRESSES_EACH]


def is_allowed(url: str) -> bool:
    """Whether an address is plain HTTP at one of the hosts, at its usual port, and nothing else."""
    with suppress(httpx.InvalidURL):
        read = httpx.URL(url)
        return read.scheme == "http" and read.host in HOSTS and read.port is None and not read.userinfo
    return False


def _certificate(body: bytes) -> x509.Certificate | None:
    with suppress(Exception):  # whatever somebody sent
        if b"-----BEGIN" in body:
            return x509.load_pem_x509_certificate(body)
        return x509.load_der_x509_certificate(body)
    return None
