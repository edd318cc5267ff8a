# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""A statement about the machine, signed by Azure, to show to somebody else."""

from typing import Any

from ...models.attested_document import AttestedDocument
from .. import AsyncSend, Operation, Send
from . import attested_get_document as _attested_get_document


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


ATTESTED_GET_DOCUMENT: Operation[AttestedDocument] = Operation(
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
    """A statement about the machine, signed by Azure, to show to somebody else."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def get_document(
        self,
        *,
        api_version: str | None = None,
        nonce: str | None = None,
    ) -> AttestedDocument:
        """Get a signed statement about this virtual machine

        A PKCS #7 blob in which Azure signs the id of the machine, its subscription, SKU, plan, license and a
        time span. AttestedData describes what is inside. Whoever receives it has to verify: signature,
        certificate chain up to an allowed root, certificate name (`metadata.azure.com` or below;
        `metadata.azure.us` and `metadata.azure.cn` in those clouds), nonce, `expiresOn`, and `vmId` against a
        source of its own.

        It proves that Azure issued it for this machine, not that the sender is this machine: every process
        inside can fetch it and pass it on. Let the verifier choose the nonce.

        Not available on Azure Stack Hub. No sub-paths and no text form.

        Args:
            api_version: Version of the statement, 2018-10-01 or later. The default is the version whose specification
                documents a nonce of up to 32 characters; every documented field is older, and later versions document no
                change here. Default: 2023-07-01.
            nonce: A value that the verifier chose, repeated inside the signed data. Sources disagree on its form:
                Learn asks for ten digits, the 2023-07-01 specification for up to 32 letters and digits, and 32 characters
                of base64url are used in the field with success. Ten digits are the most cautious choice. Without it, IMDS
                signs a UTC time stamp in its place.

        Returns:
            AttestedDocument: The signed blob.

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
    """A statement about the machine, signed by Azure, to show to somebody else."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def get_document(
        self,
        *,
        api_version: str | None = None,
        nonce: str | None = None,
    ) -> AttestedDocument:
        """Get a signed statement about this virtual machine

        A PKCS #7 blob in which Azure signs the id of the machine, its subscription, SKU, plan, license and a
        time span. AttestedData describes what is inside. Whoever receives it has to verify: signature,
        certificate chain up to an allowed root, certificate name (`metadata.azure.com` or below;
        `metadata.azure.us` and `metadata.azure.cn` in those clouds), nonce, `expiresOn`, and `vmId` against a
        source of its own.

        It proves that Azure issued it for this machine, not that the sender is this machine: every process
        inside can fetch it and pass it on. Let the verifier choose the nonce.

        Not available on Azure Stack Hub. No sub-paths and no text form.

        Args:
            api_version: Version of the statement, 2018-10-01 or later. The default is the version whose specification
                documents a nonce of up to 32 characters; every documented field is older, and later versions document no
                change here. Default: 2023-07-01.
            nonce: A value that the verifier chose, repeated inside the signed data. Sources disagree on its form:
                Learn asks for ten digits, the 2023-07-01 specification for up to 32 letters and digits, and 32 characters
                of base64url are used in the field with success. Ten digits are the most cautious choice. Without it, IMDS
                signs a UTC time stamp in its place.

        Returns:
            AttestedDocument: The signed blob.

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
