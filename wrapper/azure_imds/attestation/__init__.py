"""Verifies attested documents, which `imds.attested.get_document()` returns: data about a machine, signed by Azure.

    from azure_imds import attestation

    intermediates = attestation.fetch_intermediates(document)  # or your own bundle. Cache them: they last for years
    data = attestation.verify(document, nonce=nonce, intermediates=intermediates)
    data.vm_id, data.subscription_id

It requires the extra `attestation`. docs/attestation.md explains what a verified document proves.
"""

from __future__ import annotations

from azure_imds_api.models import AttestedData, AttestedDocument

from ..errors import AttestationError, Reason

try:
    from ._certificates import Certificates
    from ._document import Cloud, verify
    from ._intermediates import FETCH_SECONDS, afetch_intermediates, fetch_intermediates
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
