"""Verifies the machine's own attested document, as a server that receives one does."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure_imds_api.models import AttestedData, AttestedDocument


def make_nonce() -> str:
    """Ten digits, a nonce that every version of IMDS accepts (docs/attestation.md)."""
    return "".join(secrets.choice("0123456789") for _ in range(10))


def verify_document(
    document: AttestedDocument,
    nonce: str | None,
    cloud: Any,
    roots: Path | None,
    intermediates: Path | None,
    deadline: float | None,
) -> AttestedData:
    """The verified content of a document. Downloads the intermediate certificates from Microsoft if none are given.

    Raises:
        AttestationError: the verification failed.
        ImdsValidationError: an argument has the wrong type or is out of range.
        ImportError: the extra `attestation` is not installed.
    """
    from azure_imds import attestation

    trusted = roots.read_bytes() if roots else None
    if intermediates:
        chain: Any = intermediates.read_bytes()
    else:
        seconds = attestation.FETCH_SECONDS if deadline is None else deadline
        chain = attestation.fetch_intermediates(document, cloud=cloud, deadline=seconds)
    return attestation.verify(document, nonce=nonce, roots=trusted, intermediates=chain, cloud=cloud)
