# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""A document about the machine, signed by Azure, for others to verify."""

from __future__ import annotations

from typing import Any

from ... import models
from .. import AsyncSend, Operation, Send
from . import attested_get_document as _attested_get_document


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


ATTESTED_GET_DOCUMENT: Operation[models.AttestedDocument] = Operation(
    build=_attested_get_document._get_kwargs,
    parse=_attested_get_document._parse_response,
    id="Attested_GetDocument",
    name="attested.get_document",
    method="GET",
    path="/attested/document",
    success=[(200, 200)],
    rules={
        "api_version": {
            "example": "2023-07-01",
            "in": "query",
            "name": "api-version",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}\\Z",
            "type": "string",
        },
        "metadata": {"enum": ["true"], "in": "header", "name": "Metadata", "type": "string"},
        "nonce": {
            "example": "1234567890",
            "in": "query",
            "maxLength": 32,
            "minLength": 1,
            "name": "nonce",
            "pattern": "^[A-Za-z0-9_-]+\\Z",
            "type": "string",
        },
    },
    answer={
        "properties": {"encoding": {"type": "string"}, "signature": {"type": "string"}},
        "required": ["encoding", "signature"],
        "type": "object",
    },
    idempotent=True,
    version_fallback=True,
)


class AttestedOperations:
    """A document about the machine, signed by Azure, for others to verify."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def get_document(
        self,
        *,
        api_version: str | None = None,
        nonce: str | None = None,
    ) -> models.AttestedDocument:
        """Get a signed document about this virtual machine

        Returns a PKCS #7 document in which Azure signs the id of the machine, its subscription, SKU,
        plan, license and a validity period.

        The recipient must verify the signature, the certificate chain up to a trusted root, the
        certificate's name (`metadata.azure.com` or a name below it; `metadata.azure.us` and
        `metadata.azure.cn` in those clouds), the nonce, `expiresOn`, and `vmId` against an independent
        source.

        The document proves that Azure issued it for this machine. It does not prove that the sender is
        this machine, because every process on the machine can request the document and pass it on. So let
        the verifier choose the nonce.

        Not available on Azure Stack Hub.

        Args:
            api_version: Version of the document, 2018-10-01 or later. The default is the version whose
                specification documents a nonce of up to 32 characters. All documented fields are older, and later
                versions document no change. Default: 2023-07-01.
            nonce: A value that the verifier has chosen. The signed data repeats it. Sources disagree about its
                form: Microsoft Learn requires ten digits, the 2023-07-01 specification allows up to 32 letters and
                digits, and 32 characters of base64url are known to work. Ten digits are the safest choice. Without a
                nonce, IMDS signs a UTC time stamp in its place.

        Returns:
            AttestedDocument: The signed document.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return self._send(
            ATTESTED_GET_DOCUMENT,
            _given(
                api_version=api_version,
                nonce=nonce,
            ),
        )


class AsyncAttestedOperations:
    """A document about the machine, signed by Azure, for others to verify."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def get_document(
        self,
        *,
        api_version: str | None = None,
        nonce: str | None = None,
    ) -> models.AttestedDocument:
        """Get a signed document about this virtual machine

        Returns a PKCS #7 document in which Azure signs the id of the machine, its subscription, SKU,
        plan, license and a validity period.

        The recipient must verify the signature, the certificate chain up to a trusted root, the
        certificate's name (`metadata.azure.com` or a name below it; `metadata.azure.us` and
        `metadata.azure.cn` in those clouds), the nonce, `expiresOn`, and `vmId` against an independent
        source.

        The document proves that Azure issued it for this machine. It does not prove that the sender is
        this machine, because every process on the machine can request the document and pass it on. So let
        the verifier choose the nonce.

        Not available on Azure Stack Hub.

        Args:
            api_version: Version of the document, 2018-10-01 or later. The default is the version whose
                specification documents a nonce of up to 32 characters. All documented fields are older, and later
                versions document no change. Default: 2023-07-01.
            nonce: A value that the verifier has chosen. The signed data repeats it. Sources disagree about its
                form: Microsoft Learn requires ten digits, the 2023-07-01 specification allows up to 32 letters and
                digits, and 32 characters of base64url are known to work. Ten digits are the safest choice. Without a
                nonce, IMDS signs a UTC time stamp in its place.

        Returns:
            AttestedDocument: The signed document.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return await self._send(
            ATTESTED_GET_DOCUMENT,
            _given(
                api_version=api_version,
                nonce=nonce,
            ),
        )
