"""Verifies an attested document, and fetches the intermediates that it does not carry."""

from __future__ import annotations

import binascii
import contextlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast, get_args

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from azure_imds_api.models import AttestedData, AttestedDocument

from .._client.options import LONGEST_ATTEMPT
from .._client.transport import attempt_limit, new_async_client, new_client
from ..errors import ImdsError, ImdsValidationError
from . import _certificates, _cms, _intermediates, _roots
from ._refusal import bare, refused

#: Which Azure signs: each has its own domain.
Cloud = Literal["public", "usgov", "china", "germany"]

#: One certificate or several: of the library cryptography, PEM (with any number of them) or DER.
Certificates = _certificates.Certificates

#: The generated model, the JSON object itself, or only its member `signature`.
Document = AttestedDocument | Mapping[str, Any] | str

#: Characters of base64. Documents seen have about 4300.
LARGEST_SIGNATURE = 32 * 1024

#: Seconds by which Azure's clock may be ahead of ours.
CLOCK_SKEW = 300.0

#: Seconds for all that a fetch does.
FETCH_SECONDS = 10.0

_LATE = "no answer in time"
_FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError)

_STAMP = re.compile(r"(\d\d)/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d) [-+]0000", re.ASCII)


def verify(
    document: Document,
    *,
    nonce: str | None = None,
    now: datetime | float | None = None,
    roots: Certificates | None = None,
    intermediates: Certificates | None = None,
    cloud: Cloud = "public",
) -> AttestedData:
    """What an attested document says, if it is what Azure signed, for you, and still holds. Sends nothing.

    Checked in this order (Microsoft Learn, "Azure Instance Metadata Service", attested data): the form; the signature
    over the content; that the signer is the cloud's domain or below; its certificate's usage, dates and chain; the
    content's form; nonce; time span. Revocation is not checked. Compare `vm_id` with a source of your own: only you
    know which machine you meant.

    Args:
        document: what the machine sent.
        nonce: the one that you chose and the machine had to put in. None accepts any, so a document may be replayed
            until it expires.
        now: an aware datetime or Unix seconds; default: this machine's clock.
        roots: what to trust instead of Azure's roots. Default: those roots that Azure is known to use, as found in
            the system's trust store or certifi's, each known by its key.
        intermediates: certificates between the document's and a root, which the document does not carry. In any
            order, and more than needed.
        cloud: whose documents to accept.

    Returns:
        The content. `time_stamp.expires_on` is a text, `MM/DD/YY HH:MM:SS -0000`.

    Raises:
        AttestationError: it proves nothing; `.reason` says which check failed. Whatever the document is, there is no
            other exception for it.
        ImdsValidationError: another argument is not of its kind.
    """
    try:
        return _verified(document, nonce, now, roots, intermediates, cloud)
    except ImdsError as error:
        problem = error
    # A traceback keeps the variables of its frames: the document must not be among them.
    del document
    raise bare(problem)


def fetch_intermediates(
    document: Document,
    *,
    cloud: Cloud = "public",
    deadline: float = FETCH_SECONDS,
    transport: httpx.BaseTransport | None = None,
) -> list[x509.Certificate]:
    """Downloads the certificates between a document's and a root. They last for years and serve many documents.

    Goes where the certificate leads, but only over plain HTTP to www.microsoft.com and caissuers.microsoft.com, and
    only for a document whose signature and name fit. Redirects are not followed and proxy variables are ignored. What
    comes back need not be trusted: `verify` checks it.

    Args:
        document: what the machine sent.
        cloud: whose documents to accept.
        deadline: seconds for all of it.
        transport: an httpx transport, for a proxy or for tests.

    Returns:
        For `verify(intermediates=...)`: the issuer of the document's certificate first, then that one's, and so on.

    Raises:
        AttestationError: the document is refused, or its issuer's certificate was not to be had
            (`intermediate_missing`; `.retryable` where the network is to blame).
        ImdsValidationError: another argument is not of its kind.
    """
    try:
        return _fetched(document, cloud, deadline, transport)
    except ImdsError as error:
        problem = error
    del document
    raise bare(problem)


async def afetch_intermediates(
    document: Document,
    *,
    cloud: Cloud = "public",
    deadline: float = FETCH_SECONDS,
    transport: httpx.AsyncBaseTransport | None = None,
) -> list[x509.Certificate]:
    """`fetch_intermediates` for asyncio and trio."""
    try:
        return await _afetched(document, cloud, deadline, transport)
    except ImdsError as error:
        problem = error
    del document
    raise bare(problem)


# Arguments


def _moment(now: datetime | float | None) -> datetime:
    with suppress(OverflowError, ValueError, OSError):  # a number that is no date
        if now is None:
            return datetime.now(UTC)
        if isinstance(now, datetime) and now.tzinfo is not None:
            return now.astimezone(UTC)
        if isinstance(now, (int, float)) and not isinstance(now, bool):
            return datetime.fromtimestamp(now, UTC)
    raise ImdsValidationError("now must be Unix seconds or a datetime with its time zone", parameter="now")


def _check_arguments(nonce: object, cloud: object) -> None:
    if nonce is not None and not (isinstance(nonce, str) and nonce):
        raise ImdsValidationError("nonce must be a text that is not empty, or None", parameter="nonce")
    if cloud not in get_args(Cloud):
        raise ImdsValidationError(f"cloud must be one of {', '.join(get_args(Cloud))}", parameter="cloud")


def _some(roots: Certificates) -> list[x509.Certificate]:
    found = _certificates.certificates(roots, "roots")
    if not found:
        raise ImdsValidationError("roots has no certificate, so nothing could be trusted", parameter="roots")
    return found


# The document


def _verified(
    document: Document,
    nonce: str | None,
    now: datetime | float | None,
    roots: Certificates | None,
    intermediates: Certificates | None,
    cloud: Cloud,
) -> AttestedData:
    moment = _moment(now)
    _check_arguments(nonce, cloud)
    trusted = _roots.known_roots(cloud) if roots is None else _some(roots)
    between = [] if intermediates is None else _certificates.certificates(intermediates, "intermediates")
    content, signer = _opened(document, cloud)
    _certificates.check_chain(signer.certificate, between, trusted, moment)
    data = _read(content)
    _check_nonce(data, nonce)
    _check_times(data, moment)
    return data


def _opened(document: object, cloud: Cloud) -> tuple[bytes, _certificates.Signer]:
    """The content and who signed it, once the signature is the signer's and the signer has the right name."""
    signed = _cms.read(_der(document))
    signer = _certificates.signer(signed.certificate)
    _check_signature(signed, signer.key)
    _certificates.check_name(signer, cloud)
    return signed.content, signer


def _der(document: object) -> bytes:
    signature = _signature(document)
    if len(signature) > LARGEST_SIGNATURE:
        raise refused("too_large", f"it has {len(signature)} characters; more than {LARGEST_SIGNATURE} are not read")
    with suppress(ValueError):
        return binascii.a2b_base64(signature, strict_mode=True)
    raise refused("not_base64", "its signature is not base64 on one line")


def _signature(document: object) -> str:
    if isinstance(document, str):
        return document
    model = document if isinstance(document, AttestedDocument) else None
    with suppress(Exception):  # a member is missing
        if isinstance(document, Mapping):
            model = AttestedDocument.from_dict(cast(Mapping[str, Any], document))
    if model is None or not isinstance(model.signature, str):
        raise refused("not_a_document", "this is neither AttestedDocument, nor its JSON object, nor a signature")
    if model.encoding != "pkcs7":
        raise refused("not_a_document", "its encoding is not pkcs7")
    return model.signature


def _check_signature(signed: _cms.Signed, key: RSAPublicKey) -> None:
    with suppress(Exception):  # InvalidSignature, and what OpenSSL says to strange keys: all of it means no
        key.verify(signed.signature, signed.content, PKCS1v15(), SHA256())
        return
    # Nothing depends on what follows but the words: a signature that opens with this key is one over other content.
    problem = refused("wrong_signature", "its signature was not made with the key of its certificate")
    with suppress(Exception):
        key.recover_data_from_signature(signed.signature, PKCS1v15(), SHA256())
        problem = refused("wrong_content", "its content is not what was signed: it was changed")
    raise problem


# What it says


def _read(content: bytes) -> AttestedData:
    data: AttestedData | None = None
    with suppress(Exception):  # not JSON, nested too deeply, or of another shape than the model's
        payload = json.loads(content)
        if isinstance(payload, dict):
            data = AttestedData.from_dict(_respelled(cast(dict[str, Any], payload)))
    if data is None:
        raise refused("payload_unreadable", "what it says is not JSON of the expected shape")
    if not isinstance(data.vm_id, str) or not data.vm_id:
        raise refused("payload_incomplete", "it does not name a machine")
    return data


def _respelled(payload: dict[str, Any]) -> dict[str, Any]:
    # Tables in Microsoft's documentation say timestamp; documents do not.
    if "timeStamp" not in payload and "timestamp" in payload:
        payload["timeStamp"] = payload.pop("timestamp")
    return payload


def _check_nonce(data: AttestedData, nonce: str | None) -> None:
    if nonce is None:
        return
    said = data.nonce if isinstance(data.nonce, str) else ""
    if not hmac.compare_digest(said.encode(errors="surrogatepass"), nonce.encode(errors="surrogatepass")):
        raise refused("wrong_nonce", "its nonce is not the one that was asked for: it was made for another occasion")


def _check_times(data: AttestedData, now: datetime) -> None:
    stamp = data.time_stamp
    expires = _time(stamp.expires_on) if stamp else None
    if stamp is None or expires is None:
        raise refused("payload_incomplete", "it does not say until when it holds")
    created = None if stamp.created_on is None else _time(stamp.created_on)
    if created is None and stamp.created_on is not None:
        raise refused("payload_incomplete", "it does not say when it was made in a form that is known")
    if expires <= now:
        raise refused("expired", f"it expired {expires:%Y-%m-%d %H:%M:%S} UTC", "Ask the machine for a new one.")
    if created is not None and created > now + timedelta(seconds=CLOCK_SKEW):
        raise refused(
            "not_yet_valid", f"it was made {created:%Y-%m-%d %H:%M:%S} UTC, later than now", "Check this clock."
        )


def _time(stamp: object) -> datetime | None:
    found = _STAMP.fullmatch(stamp) if isinstance(stamp, str) else None
    with suppress(ValueError):  # the 31st of February
        if found:
            month, day, year, hour, minute, second = map(int, found.groups())
            return datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
    return None


# Fetching


def _fetched(
    document: Document, cloud: Cloud, deadline: float, transport: httpx.BaseTransport | None
) -> list[x509.Certificate]:
    climb, until = _climb(document, cloud, deadline, transport, httpx.BaseTransport)
    with new_client("", {}, transport) as http:
        while (request := climb.request()) is not None:
            climb.take(_get(http, request, until))
    return climb.found()


async def _afetched(
    document: Document, cloud: Cloud, deadline: float, transport: httpx.AsyncBaseTransport | None
) -> list[x509.Certificate]:
    climb, until = _climb(document, cloud, deadline, transport, httpx.AsyncBaseTransport)
    async with new_async_client("", {}, transport) as http:
        while (request := climb.request()) is not None:
            climb.take(await _aget(http, request, until))
    return climb.found()


def _climb(
    document: object, cloud: Cloud, deadline: float, transport: object, kind: type
) -> tuple[_intermediates.Climb, float]:
    """Where to begin, and until when to go on, on the monotonic clock."""
    _check_arguments(None, cloud)
    if not isinstance(deadline, (int, float)) or isinstance(deadline, bool) or not 0 < deadline <= LONGEST_ATTEMPT:
        raise ImdsValidationError("deadline must be a number of seconds above 0", parameter="deadline")
    if transport is not None and not isinstance(transport, kind):
        raise ImdsValidationError(f"transport must be an httpx.{kind.__name__}", parameter="transport")
    _, signer = _opened(document, cloud)
    return _intermediates.Climb(signer.certificate), time.monotonic() + deadline


def _get(http: httpx.Client, request: httpx.Request, until: float) -> _intermediates.Answer:
    left = until - time.monotonic()
    if left <= 0:
        return _LATE
    request.extensions = {"timeout": httpx.Timeout(left).as_dict()}
    try:
        with attempt_limit(left):
            response = http.send(request, stream=True, auth=None, follow_redirects=False)
            with contextlib.closing(response):
                body = _Body(response, until)
                if body.wanted:
                    for chunk in response.iter_bytes():
                        if not body.add(chunk):
                            break
                return body.answer()
    except _FAILURES as error:
        return type(error).__name__


async def _aget(http: httpx.AsyncClient, request: httpx.Request, until: float) -> _intermediates.Answer:
    import anyio

    left = until - time.monotonic()
    if left <= 0:
        return _LATE
    request.extensions = {"timeout": httpx.Timeout(left).as_dict()}
    body: _Body | None = None
    try:
        with anyio.fail_after(left) as scope:
            response = await http.send(request, stream=True, auth=None, follow_redirects=False)
            async with contextlib.aclosing(response):
                body = _Body(response, until)
                if body.wanted:
                    async for chunk in response.aiter_bytes():
                        if not body.add(chunk):
                            # A break would leave the generators below us hanging, which trio reports.
                            scope.cancel()
    except _FAILURES as error:
        return type(error).__name__
    return body.answer() if body else _LATE


class _Body:
    """Collects a certificate, until it is too large or too late."""

    def __init__(self, response: httpx.Response, until: float) -> None:
        self._problem = "" if response.status_code == 200 else f"HTTP {response.status_code}"
        # A small body could unfold to a huge one; nobody was asked to fold it.
        if "content-encoding" in response.headers:
            self._problem = "an encoded body"
        self._until = until
        self._content = bytearray()

    @property
    def wanted(self) -> bool:
        """Whether there is any use in reading on."""
        return not self._problem

    def add(self, chunk: bytes) -> bool:
        """Takes one chunk, and says whether more is wanted."""
        self._content += chunk
        if len(self._content) > _intermediates.LARGEST:
            self._problem = "too large"
        elif time.monotonic() > self._until:
            self._problem = _LATE
        return self.wanted

    def answer(self) -> _intermediates.Answer:
        """What came."""
        return self._problem or bytes(self._content)
