"""Verifies the machine's own attested document, as whoever receives one would."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure_imds_api.models import AttestedData, AttestedDocument


def random_nonce() -> str:
    """Ten digits, which every version of IMDS takes (docs/attestation.md)."""
    return "".join(secrets.choice("0123456789") for _ in range(10))


def verified(
    document: AttestedDocument,
    nonce: str | None,
    cloud: Any,
    roots: Path | None,
    intermediates: Path | None,
    deadline: float | None,
) -> AttestedData:
    """What the document says. Intermediates that were not given are fetched from Microsoft.

    Raises:
        AttestationError: it is not to be believed.
        ImdsValidationError: an argument is not of its kind.
        ImportError: the extra `attestation` is not installed.
    """
    from azure_imds import attestation

    trusted = roots.read_bytes() if roots else None
    if intermediates:
        between: Any = intermediates.read_bytes()
    else:
        seconds = attestation.FETCH_SECONDS if deadline is None else deadline
        between = attestation.fetch_intermediates(document, cloud=cloud, deadline=seconds)
    return attestation.verify(document, nonce=nonce, roots=trusted, intermediates=between, cloud=cloud)
