"""Verifies an attested document."""

from __future__ import annotations

import binascii
import hmac
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast, get_args

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from azure_imds_api.models import AttestedData, AttestedDocument

from .._interruptions import suppress_errors
from .._sensitive import strip_sensitive
from ._certificates import Certificates, ParsedCertificate, check_name, load_certificates, load_signer
from ._chain import check_chain
from ._cms import SignedContent, read_signed_data
from ._refusal import build_argument_error, build_refusal, refuse_unreadable, refusing
from ._roots import find_roots

#: An Azure cloud. Each signs with certificates for its own domain.
Cloud = Literal["public", "usgov", "china", "germany"]

#: The generated model, the JSON object, its text, or only its member `signature`.
Document = AttestedDocument | Mapping[str, Any] | str

#: Characters of base64 or of JSON. Known documents have 3500 to 4300.
LARGEST_SIGNATURE = 32 * 1024

#: Seconds by which Azure's clock may be ahead of this machine's.
CLOCK_SKEW = 300.0

_VERIFY = "attestation.verify"
_TIME = re.compile(r"(\d\d)/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d) [-+]0000", re.ASCII)


def verify(
    document: Document,
    *,
    nonce: str | None = None,
    now: datetime | float | None = None,
    roots: Certificates | None = None,
    intermediates: Certificates | None = None,
    cloud: Cloud = "public",
) -> AttestedData:
    """Verifies an attested document and returns its content. It sends nothing.

    The checks, in this order (Microsoft Learn, "Azure Instance Metadata Service", attested data):

    1. The format of the document.
    2. The signature.
    3. The signer's name, which must be the cloud's domain or one of its subdomains. A common name counts only if the
       certificate has no DNS name.
    4. The usage, the dates and the chain of the signer's certificate.
    5. The format of the content.
    6. The nonce.
    7. The time span.

    Revocation is not checked. Compare `vm_id` with the machine that you expect: the document can be from any machine in
    Azure.

    Args:
        document: the document that the machine sent: a model, its JSON object, the text of that, or the signature.
        nonce: the nonce that you chose and that the document must contain. With None, a document can be replayed until
            it expires.
        now: an aware datetime, or Unix time in seconds. Default: this machine's clock.
        roots: the certificates to trust. Default: Azure's roots, as far as the system's trust store or certifi's
            contains them, or the intermediates as self-signed certificates. Each must have its known name and key.
        intermediates: certificates of the chain between the document's certificate and a root, in any order. The
            document does not contain them. Certificates that are not needed, or have expired, are ignored.
        cloud: the cloud that must have signed the document.

    Returns:
        The content of the document. `time_stamp.expires_on` is text: `MM/DD/YY HH:MM:SS -0000`.

    Raises:
        AttestationError: a check failed, and `.reason` names it. No document causes any other exception.
        ImdsValidationError: another argument is invalid.
    """
    try:
        return _verify(document, nonce, now, roots, intermediates, cloud)
    except BaseException as error:
        strip_sensitive(error)
        raise  # without an operand, it adds no entry for this frame, which has the document as an argument


def _verify(
    document: object,
    nonce: str | None,
    now: datetime | float | None,
    roots: Certificates | None,
    intermediates: Certificates | None,
    cloud: Cloud,
) -> AttestedData:
    moment = _to_datetime(now)
    if nonce is not None and not (isinstance(nonce, str) and nonce):
        raise build_argument_error(_VERIFY, "nonce", 'must be text such as "0123456789", or None')
    check_cloud(_VERIFY, cloud)
    trusted = None if roots is None else _load_roots(roots)
    between = [] if intermediates is None else load_certificates(intermediates, _VERIFY, "intermediates")
    if trusted is None:
        trusted = find_roots(cloud, [certificate for certificate in between if moment <= certificate.end])
    return _check(document, nonce, moment, trusted, between, cloud)


@refuse_unreadable
def _check(
    document: object,
    nonce: str | None,
    now: datetime,
    roots: list[ParsedCertificate],
    intermediates: list[ParsedCertificate],
    cloud: Cloud,
) -> AttestedData:
    content, signer = check_signer(document, cloud)
    check_chain(signer, intermediates, roots, now)
    data = _read_content(content)
    _check_nonce(data, nonce)
    _check_times(data, now)
    return data


def check_cloud(caller: str, cloud: object) -> None:
    """Raises ImdsValidationError if `cloud` is not one of `Cloud`."""
    if cloud not in get_args(Cloud):
        raise build_argument_error(caller, "cloud", f"must be one of {', '.join(map(repr, get_args(Cloud)))}")


def _to_datetime(now: datetime | float | None) -> datetime:
    with suppress_errors(Exception):  # the number is outside the range of dates, or the time zone is the caller's class
        if now is None:
            return datetime.now(UTC)
        if isinstance(now, datetime) and now.tzinfo is not None:
            return now.astimezone(UTC)
        if isinstance(now, (int, float)) and not isinstance(now, bool):
            return datetime.fromtimestamp(now, UTC)
    raise build_argument_error(
        _VERIFY, "now", "must be Unix time in seconds, or a datetime with a time zone: datetime.now(UTC)"
    )


def _load_roots(roots: Certificates) -> list[ParsedCertificate]:
    loaded = load_certificates(roots, _VERIFY, "roots")
    if not loaded:
        raise build_argument_error(
            _VERIFY, "roots", "must contain at least one valid certificate, or be None for Azure's own roots"
        )
    return loaded


def check_signer(document: object, cloud: Cloud) -> tuple[bytes, ParsedCertificate]:
    """Checks format, signature and signer's name, but not the chain. Returns the content and the signer's certificate.

    Raises:
        AttestationError: one of them is wrong.
    """
    signed = read_signed_data(_decode(_get_signature(document)))
    signer = load_signer(signed.certificate)
    _check_signature(signed, signer.key)
    check_name(signer.certificate, cloud)
    return signed.content, signer.certificate


def _get_signature(document: object) -> str:
    if isinstance(document, str):
        _check_size(document)
        if not document.lstrip().startswith("{"):  # no base64 does
            return document
    model: AttestedDocument | None = None
    with suppress_errors(Exception):  # not JSON, or a member is missing
        members = json.loads(document) if isinstance(document, str) else document
        if isinstance(members, Mapping):
            model = AttestedDocument.from_dict(cast(Mapping[str, Any], members))
        elif isinstance(members, AttestedDocument):
            model = members
    if model is None or not isinstance(model.signature, str):
        raise build_refusal("not_a_document", "this is not an AttestedDocument, its JSON, or its signature")
    if model.encoding != "pkcs7":
        raise build_refusal("not_a_document", "its encoding is not pkcs7")
    return model.signature


def _check_size(text: str) -> None:
    if len(text) > LARGEST_SIGNATURE:
        raise build_refusal("too_large", f"it has {len(text)} characters; at most {LARGEST_SIGNATURE} are allowed")


def _decode(signature: str) -> bytes:
    _check_size(signature)
    # Shells and editors end a file with a line feed.
    with refusing("not_base64", "its signature is not base64 on one line"):
        return binascii.a2b_base64(signature.removesuffix("\n").removesuffix("\r"), strict_mode=True)


def _check_signature(signed: SignedContent, key: RSAPublicKey) -> None:
    with suppress(InvalidSignature), suppress_errors(Exception):  # an error of OpenSSL about the key
        key.verify(signed.signature, signed.content, PKCS1v15(), SHA256())
        return
    # If the key can open the signature, the signer signed other content. This decides only the reason of the error.
    problem = build_refusal("wrong_signature", "its signature was not made with the key of its certificate")
    with suppress(InvalidSignature), suppress_errors(Exception):
        key.recover_data_from_signature(signed.signature, PKCS1v15(), SHA256())
        problem = build_refusal("wrong_content", "its content was changed after it was signed")
    raise problem


def _read_content(content: bytes) -> AttestedData:
    data: AttestedData | None = None
    with suppress_errors(Exception):  # not JSON, nested too deeply, or not the shape of the model
        payload = json.loads(content)
        if isinstance(payload, dict):
            # Strictly: a signed statement is used as a whole, or not at all.
            data = AttestedData.from_dict(_rename_timestamp(cast(dict[str, Any], payload)), strict=True)
    if data is None:
        raise build_refusal("payload_unreadable", "its content is not JSON of the expected shape")
    if not isinstance(data.vm_id, str) or not data.vm_id:
        raise build_refusal("payload_incomplete", "its content has no vmId")
    return data


def _rename_timestamp(payload: dict[str, Any]) -> dict[str, Any]:
    # The tables in Microsoft's documentation spell this member timestamp. Live documents spell it timeStamp.
    if "timeStamp" not in payload and "timestamp" in payload:
        payload["timeStamp"] = payload.pop("timestamp")
    return payload


def _check_nonce(data: AttestedData, nonce: str | None) -> None:
    if nonce is None:
        return
    found = data.nonce if isinstance(data.nonce, str) else ""
    if not hmac.compare_digest(found.encode(errors="surrogatepass"), nonce.encode(errors="surrogatepass")):
        raise build_refusal("wrong_nonce", "its nonce is not the expected one: it was made for another request")


def _check_times(data: AttestedData, now: datetime) -> None:
    stamp = data.time_stamp
    expires = _parse_time(stamp.expires_on)
    if expires is None:
        raise build_refusal("payload_incomplete", "its content has no readable timeStamp.expiresOn")
    created = _parse_time(stamp.created_on)
    if created is None and stamp.to_dict().get("createdOn") is not None:
        raise build_refusal("payload_incomplete", "its timeStamp.createdOn cannot be read")
    if expires <= now:
        raise build_refusal(
            "expired", f"it expired {expires:%Y-%m-%d %H:%M:%S} UTC", hint="Request a new one from the machine."
        )
    if created is not None and created > now + timedelta(seconds=CLOCK_SKEW):
        raise build_refusal(
            "not_yet_valid",
            f"it was created {created:%Y-%m-%d %H:%M:%S} UTC, which is in the future",
            hint="Check this machine's clock.",
        )


def _parse_time(text: object) -> datetime | None:
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    with suppress_errors(Exception):  # February 31
        if found:
            month, day, year, hour, minute, second = map(int, found.groups())
            return datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
    return None
