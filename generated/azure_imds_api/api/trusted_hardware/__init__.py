# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""Certificates that AMD has issued for the processor of a confidential machine."""

from __future__ import annotations

from typing import Any

from ... import models
from .. import AsyncSend, Operation, Send
from . import trusted_hardware_get_amd_certification as _trusted_hardware_get_amd_certification


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


TRUSTED_HARDWARE_GET_AMD_CERTIFICATION: Operation[models.AmdCertification] = Operation(
    build=_trusted_hardware_get_amd_certification._get_kwargs,
    parse=_trusted_hardware_get_amd_certification._parse_response,
    id="TrustedHardware_GetAmdCertification",
    name="trusted_hardware.get_amd_certification",
    method="GET",
    path="/THIM/amd/certification",
    success=[(200, 200)],
    rules={"metadata": {"enum": ["true"], "in": "header", "name": "Metadata", "type": "string"}},
    answer={
        "properties": {
            "certificateChain": {"minLength": 1, "type": "string"},
            "vcekCert": {"minLength": 1, "type": "string"},
        },
        "required": ["vcekCert", "certificateChain"],
        "type": "object",
    },
    idempotent=True,
    cacheable=True,
    hints={404: "Only confidential machines with an AMD processor have these certificates."},
)


class TrustedHardwareOperations:
    """Certificates that AMD has issued for the processor of a confidential machine."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def get_amd_certification(
        self,
    ) -> models.AmdCertification:
        """Get AMD's certificates for the processor of this confidential machine

        Returns the certificate of this processor for AMD SEV-SNP (VCEK) and its chain, with which an attestation
        report of the machine is verified. For confidential virtual machines, confidential AKS nodes and pods.

        Not verified: the response on other machines. The emulator returns 404, as for an unknown path. In a
        confidential container group, the endpoint is the address in Fabric_NodeIPOrFQDN with port 2377. Pass it as
        the endpoint.

        Returns:
            AmdCertification: The certificates.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return self._send(TRUSTED_HARDWARE_GET_AMD_CERTIFICATION, _given())


class AsyncTrustedHardwareOperations:
    """Certificates that AMD has issued for the processor of a confidential machine."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def get_amd_certification(
        self,
    ) -> models.AmdCertification:
        """Get AMD's certificates for the processor of this confidential machine

        Returns the certificate of this processor for AMD SEV-SNP (VCEK) and its chain, with which an attestation
        report of the machine is verified. For confidential virtual machines, confidential AKS nodes and pods.

        Not verified: the response on other machines. The emulator returns 404, as for an unknown path. In a
        confidential container group, the endpoint is the address in Fabric_NodeIPOrFQDN with port 2377. Pass it as
        the endpoint.

        Returns:
            AmdCertification: The certificates.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return await self._send(TRUSTED_HARDWARE_GET_AMD_CERTIFICATION, _given())
