"""Verifies the machine's own attested document, as a server that receives one does."""

from __future__ import annotations

import secrets
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import BadParameter, Option

from .inputs import read_file
from .settings import make_parser

if TYPE_CHECKING:
    from azure_imds_api.models import AttestedData, AttestedDocument


class SigningCloud(StrEnum):
    """Clouds whose attested documents can be verified."""

    public = "public"
    usgov = "usgov"
    china = "china"
    germany = "germany"


def complete_clouds() -> list[str]:
    """The clouds, for completion."""
    return [*SigningCloud]


Cloud = Annotated[
    SigningCloud,
    Option(
        "--cloud",
        parser=make_parser(SigningCloud),
        metavar=f"[{'|'.join(SigningCloud)}]",
        autocompletion=complete_clouds,
        show_default=False,
        help="For --verify: the cloud that must have signed the document. Default: public.",
    ),
]


def make_nonce() -> str:
    """Ten digits, a nonce that every version of IMDS accepts (docs/attestation.md)."""
    return "".join(secrets.choice("0123456789") for _ in range(10))


def read_certificates(path: Path | None, option: str) -> bytes | None:
    """Returns the content of the file that an option names. None if there is no file.

    Raises:
        BadParameter: the file cannot be read, or it is too large.
    """
    try:
        return None if path is None else read_file(path)
    except OSError as error:
        raise BadParameter(
            f"{path} cannot be read: {error.strerror or error}. It must be a file of certificates in PEM, for example "
            f"{option.strip('-')}.pem.",
            param_hint=f"'{option}'",
        ) from None


def verify_document(
    document: AttestedDocument,
    nonce: str | None,
    cloud: Any,
    roots: bytes | None,
    intermediates: bytes | None,
    deadline: float | None,
) -> AttestedData:
    """The verified content of a document. Downloads the intermediate certificates from Microsoft if none are given.

    Raises:
        AttestationError: the verification failed.
        ImdsValidationError: an argument has the wrong type or is out of range.
        ImportError: the extra `attestation` is not installed.
    """
    from azure_imds import attestation

    chain: Any = intermediates
    if chain is None:
        seconds = attestation.FETCH_SECONDS if deadline is None else deadline
        chain = attestation.fetch_intermediates(document, cloud=cloud, deadline=seconds)
    return attestation.verify(document, nonce=nonce, roots=roots, intermediates=chain, cloud=cloud)
