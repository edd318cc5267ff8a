"""Downloads the issuers of a document's certificate from the addresses in certificates (AIA, RFC 5280 4.2.2.1).

The document is not trusted yet when this package reads the addresses, so it requests only those on known hosts.
"""

from __future__ import annotations

import contextlib
import time

import httpx
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from .._client.answer import Outcome, Unreadable, aexchange, exchange
from .._client.options import LONGEST_ATTEMPT
from .._client.transport import Connections
from .._interruptions import suppress_errors
from .._sensitive import strip_sensitive
from ._certificates import ParsedCertificate, is_issued_by, parse_certificate
from ._document import Cloud, Document, check_cloud, check_signer
from ._refusal import build_argument_error, build_refusal, refuse_unreadable

#: The hosts that the certificates of published documents name. They name them with plain HTTP.
_MICROSOFT_HOSTS = frozenset({"www.microsoft.com", "caissuers.microsoft.com"})

#: Azure China uses certificates of DigiCert (Microsoft Learn, "Azure Certificate Authority details", certificate
#: downloads). No published document is from there.
_DIGICERT_HOSTS = frozenset({"cacerts.digicert.cn", "cacerts.digicert.com", "cacerts.geotrust.com"})

#: Seconds for all downloads of one call.
FETCH_SECONDS = 10.0

#: Bytes of a response. A certificate has about 2000.
LARGEST = 64 * 1024

#: Microsoft's longest chain has two certificates between the leaf and the root.
_MOST_ISSUERS = 4
_ADDRESSES_EACH = 4

#: The request accepts no other.
_ENCODINGS = frozenset({"identity"})


def fetch_intermediates(
    document: Document,
    *,
    cloud: Cloud = "public",
    deadline: float = FETCH_SECONDS,
    transport: httpx.BaseTransport | None = None,
) -> list[x509.Certificate]:
    """Downloads the certificates between a document's certificate and a root. Cache them: they are valid for years.

    It uses the addresses in the certificates, but only if the signature and the signer's name of the document are
    valid, and only plain HTTP to www.microsoft.com and caissuers.microsoft.com. For China, also to cacerts.digicert.cn,
    cacerts.digicert.com and cacerts.geotrust.com. It ignores redirects and proxy variables. The downloads are not
    trusted: `verify` checks them.

    Args:
        document: the document that the machine sent.
        cloud: the cloud that must have signed the document.
        deadline: seconds for all downloads together.
        transport: an httpx transport, for a proxy or for tests.

    Returns:
        Certificates for `verify(intermediates=...)`: the issuer of the document's certificate, then its issuer, and so
        on.

    Raises:
        AttestationError: the document is refused, or the certificate of its issuer could not be downloaded. In the
            second case, `.reason` is `intermediate_missing`, and `.retryable` is True if a request failed.
        ImdsValidationError: another argument is invalid.
    """
    try:
        return _fetch(document, cloud, deadline, transport)
    except BaseException as error:
        strip_sensitive(error)
        raise  # see `verify`


async def afetch_intermediates(
    document: Document,
    *,
    cloud: Cloud = "public",
    deadline: float = FETCH_SECONDS,
    transport: httpx.AsyncBaseTransport | None = None,
) -> list[x509.Certificate]:
    """`fetch_intermediates` for asyncio and trio."""
    try:
        return await _afetch(document, cloud, deadline, transport)
    except BaseException as error:
        strip_sensitive(error)
        raise  # see `verify`


def _fetch(
    document: Document, cloud: Cloud, deadline: float, transport: httpx.BaseTransport | None
) -> list[x509.Certificate]:
    search = _start_search("attestation.fetch_intermediates", document, cloud, deadline, transport, httpx.BaseTransport)
    with contextlib.closing(Connections(httpx.Client, transport, None)) as connections:
        while request := search.next_request():
            seconds = search.seconds_left()
            outcome = exchange(
                connections.sender, request, seconds, search.is_over, largest=LARGEST, encodings=_ENCODINGS
            )
            search.handle_outcome(outcome)
    return search.issuers()


async def _afetch(
    document: Document, cloud: Cloud, deadline: float, transport: httpx.AsyncBaseTransport | None
) -> list[x509.Certificate]:
    search = _start_search(
        "attestation.afetch_intermediates", document, cloud, deadline, transport, httpx.AsyncBaseTransport
    )
    async with contextlib.aclosing(Connections(httpx.AsyncClient, transport, None)) as connections:
        while request := search.next_request():
            seconds = search.seconds_left()
            outcome = await aexchange(
                connections.sender, request, seconds, search.is_over, largest=LARGEST, encodings=_ENCODINGS
            )
            search.handle_outcome(outcome)
    return search.issuers()


def _start_search(
    caller: str, document: object, cloud: Cloud, deadline: float, transport: object, kind: type
) -> IssuerSearch:
    check_cloud(caller, cloud)
    if not isinstance(deadline, (int, float)) or isinstance(deadline, bool) or not 0 < deadline <= LONGEST_ATTEMPT:
        raise build_argument_error(caller, "deadline", "must be a positive number of seconds, such as 10")
    if transport is not None and not isinstance(transport, kind):
        raise build_argument_error(caller, "transport", f"must be an httpx.{kind.__name__}")
    return _check_and_search(document, cloud, time.monotonic() + deadline)


@refuse_unreadable
def _check_and_search(document: object, cloud: Cloud, until: float) -> IssuerSearch:
    _, leaf = check_signer(document, cloud)
    return IssuerSearch(leaf, cloud, until)


def hosts_of(cloud: Cloud) -> frozenset[str]:
    """Returns the hosts to which requests for certificates of a cloud may go."""
    return _MICROSOFT_HOSTS | _DIGICERT_HOSTS if cloud == "china" else _MICROSOFT_HOSTS


class IssuerSearch:
    """Finds the issuer of a certificate, then the issuer's issuer, and so on, one request at a time and without I/O.

    Send each `next_request()` and pass its outcome to `handle_outcome()`, until there is none. Then call `issuers()`.
    """

    def __init__(self, leaf: ParsedCertificate, cloud: Cloud, until: float) -> None:
        self._hosts = hosts_of(cloud)
        self._until = until
        """On the monotonic clock."""
        self._found: list[x509.Certificate] = []
        self._problems: list[str] = []
        self._attempts = 0
        self._url = ""
        self._search_issuer_of(leaf)

    def _search_issuer_of(self, certificate: ParsedCertificate) -> None:
        self._certificate = certificate.certificate
        is_last = len(self._found) == _MOST_ISSUERS or certificate.issuer == certificate.subject
        self._addresses = [] if is_last else _read_addresses(certificate, self._hosts)

    def seconds_left(self) -> float:
        """Seconds until the deadline."""
        return self._until - time.monotonic()

    def is_over(self) -> bool:
        """Whether the deadline has passed."""
        return self.seconds_left() <= 0

    @refuse_unreadable
    def next_request(self) -> httpx.Request | None:
        """Returns the next request to send, or None if no address or no time is left."""
        if not self._addresses:
            return None
        url = self._addresses.pop(0)
        seconds = self.seconds_left()
        if seconds <= 0:
            self._problems.append(f"{url}: no time left")
            return None
        self._url = url
        self._attempts += 1
        timeouts = {"timeout": httpx.Timeout(seconds).as_dict()}
        return httpx.Request("GET", url, headers={"Accept-Encoding": "identity"}, extensions=timeouts)

    @refuse_unreadable
    def handle_outcome(self, outcome: Outcome) -> None:
        """Keeps the certificate in a response if it is the issuer's, and continues with that certificate."""
        issuer = None
        if isinstance(outcome, httpx.Response) and outcome.status_code == 200:
            issuer = _load_issuer(outcome.content, self._certificate)
        if issuer is None:
            self._problems.append(f"{self._url}: {_describe(outcome)}")
        else:
            self._found.append(issuer.certificate)
            self._search_issuer_of(issuer)

    def issuers(self) -> list[x509.Certificate]:
        """Returns the issuers found, the leaf's own first.

        Raises:
            AttestationError: the leaf's own issuer was not found.
        """
        if self._found:
            return self._found
        if self._problems:
            problem = f"the certificate of its issuer could not be downloaded: {', '.join(self._problems)}"
        else:
            problem = f"its certificate contains no address of its issuer's at {' or '.join(sorted(self._hosts))}"
        raise build_refusal(
            "intermediate_missing",
            problem,
            hint="Pass the certificate of its issuer as intermediates=.",
            url=self._url,
            attempts=self._attempts,
            retryable=bool(self._problems),
        )


def _read_addresses(certificate: ParsedCertificate, hosts: frozenset[str]) -> list[str]:
    locations = [
        description.access_location.value
        for description in certificate.find_extension(x509.AuthorityInformationAccess) or ()
        if description.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        and isinstance(description.access_location, x509.UniformResourceIdentifier)
    ]
    urls = [location for location in locations if is_allowed(location, hosts)]
    return list(dict.fromkeys(urls))[:_ADDRESSES_EACH]


def is_allowed(url: str, hosts: frozenset[str]) -> bool:
    """Whether a URL is plain HTTP to one of the hosts, on the default port and without credentials."""
    with suppress_errors(Exception):  # not a URL
        parsed = httpx.URL(url)
        return parsed.scheme == "http" and parsed.host in hosts and parsed.port is None and not parsed.userinfo
    return False


def _load_issuer(body: bytes, certificate: x509.Certificate) -> ParsedCertificate | None:
    """Loads a downloaded certificate, if it is the issuer of the other one."""
    with suppress_errors(Exception):  # the body can be anything
        load = x509.load_pem_x509_certificate if b"-----BEGIN" in body else x509.load_der_x509_certificate
        issuer = parse_certificate(load(body))
        return issuer if is_issued_by(certificate, issuer.certificate) else None
    return None


def _describe(outcome: Outcome) -> str:
    """Says in a few words why an outcome contains no issuer."""
    if isinstance(outcome, httpx.Response):
        return "no certificate of its issuer" if outcome.status_code == 200 else f"HTTP {outcome.status_code}"
    if isinstance(outcome, Unreadable):
        return f"the body {outcome}"
    if isinstance(outcome, (httpx.TimeoutException, TimeoutError)):
        return "no complete answer in time"
    return type(outcome).__name__
