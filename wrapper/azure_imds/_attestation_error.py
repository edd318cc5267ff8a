"""Why an attested document is not believed. Needs nothing of the extra `attestation`, so any code can catch it."""

from __future__ import annotations

from typing import Any, Literal

from .errors import ImdsError

#: What was wrong, for programs. `docs/attestation.md` says what each means and what to do.
Reason = Literal[
    "not_a_document",
    "too_large",
    "not_base64",
    "trailing_bytes",
    "not_pkcs7",
    "no_certificate",
    "several_certificates",
    "unsupported_layout",
    "unsupported_algorithm",
    "bad_certificate",
    "wrong_signer",
    "wrong_content",
    "wrong_signature",
    "wrong_name",
    "wrong_usage",
    "certificate_expired",
    "certificate_not_yet_valid",
    "intermediate_missing",
    "untrusted_chain",
    "no_roots",
    "payload_unreadable",
    "payload_incomplete",
    "wrong_nonce",
    "expired",
    "not_yet_valid",
]


class AttestationError(ImdsError):
    """An attested document that proves nothing. It holds no part of the document but names from its certificate.

    Attributes:
        reason: which check failed, as a word of `Reason`.
    """

    reason: Reason = "not_a_document"


# Where users find it; pickles and tracebacks name it so, too.
AttestationError.__module__ = "azure_imds.attestation"


def refused(reason: Reason, why: str, hint: str = "", **facts: Any) -> AttestationError:
    """The error, to be raised or handed on as a value."""
    text = f"attested document: {why}"
    return AttestationError(f"{text}. {hint}" if hint else text, reason=reason, hint=hint, **facts)


def bare(error: ImdsError) -> ImdsError:
    """The error without the frames and exceptions that it came through, whose variables hold the document."""
    error.__context__ = None
    return error.with_traceback(None)
