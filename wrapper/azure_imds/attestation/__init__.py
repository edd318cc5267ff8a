"""Verifies what `imds.attested.get_document()` gives: a statement about a machine, signed by Azure.

    from azure_imds import attestation

    intermediates = attestation.fetch_intermediates(document)  # or your own bundle; keep them, they last for years
    data = attestation.verify(document, nonce=nonce, intermediates=intermediates)
    data.vm_id, data.subscription_id

Needs the extra `attestation`. What a verified document proves, and what not, is in `docs/attestation.md`.
"""

from __future__ import annotations

from azure_imds_api.models import AttestedData, AttestedDocument

from ..errors import AttestationError, Reason

try:
    from ._document import FETCH_SECONDS, Certificates, Cloud, afetch_intermediates, fetch_intermediates, verify
except ImportError as error:
    if (error.name or "").partition(".")[0] not in ("asn1crypto", "cryptography"):
        raise
    raise ImportError(
        f"azure_imds.attestation needs {error.name}: pip install 'azure-imds[attestation]'", name=error.name
    ) from error

__all__ = [
    "FETCH_SECONDS",
    "AttestationError",
    "AttestedData",
    "AttestedDocument",
    "Certificates",
    "Cloud",
    "Reason",
    "afetch_intermediates",
    "fetch_intermediates",
    "verify",
]
