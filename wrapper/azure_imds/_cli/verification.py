"""Verifies the machine's own attested document, as a server that receives one does."""

from __future__ import annotations

import secrets
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from .settings import make_parser

if TYPE_CHECKING:
    from azure_imds_api.models import AttestedData, AttestedDocument


class SigningCloud(StrEnum):
    """Clouds whose attested documents can be verified."""

    public = "public"
    usgov = "usgov"
    china = "china"
    germany = "germany"


def list_signing_clouds() -> list[str]:
    """The clouds of attested documents, for completion."""
    return [*SigningCloud]


Cloud = Annotated[
    SigningCloud,
    Option(
        "--cloud",
        parser=make_parser(SigningCloud),
        metavar=f"[{'|'.join(SigningCloud)}]",
        autocompletion=list_signing_clouds,
        show_default=False,
        help="For --verify: the cloud that must have signed the document. Default: public.",
    ),
]


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
