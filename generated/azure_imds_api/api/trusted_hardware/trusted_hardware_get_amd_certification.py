# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx

from ...types import Response

if TYPE_CHECKING:
    # Importing these takes time, and a call uses few of them.
    from ...client import AuthenticatedClient, Client
    from ...models.amd_certification import AmdCertification
    from ...models.error_response import ErrorResponse
    from ...models.true_flag import TrueFlag


def _get_kwargs(
    *,
    metadata: TrueFlag = "true",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["Metadata"] = str(metadata)

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/THIM/amd/certification",
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> AmdCertification | ErrorResponse:
    if response.status_code == 200:
        from ...models.amd_certification import AmdCertification

        response_200 = AmdCertification.from_dict(response.json())

        return response_200

    from ...models.error_response import ErrorResponse

    response_default = ErrorResponse.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[AmdCertification | ErrorResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    metadata: TrueFlag = "true",
) -> Response[AmdCertification | ErrorResponse]:
    """Get AMD's certificates for the processor of this confidential machine

     Returns the certificate of this processor for AMD SEV-SNP (VCEK) and its chain, with which an
    attestation
    report of the machine is verified. For confidential virtual machines, confidential AKS nodes and
    pods.

    Not verified: the response on other machines. The emulator returns 404, as for an unknown path. In a
    confidential container group, the endpoint is the address in Fabric_NodeIPOrFQDN with port 2377.
    Pass it as
    the endpoint.

    Args:
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AmdCertification | ErrorResponse]
    """

    kwargs = _get_kwargs(
        metadata=metadata,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    metadata: TrueFlag = "true",
) -> AmdCertification | ErrorResponse | None:
    """Get AMD's certificates for the processor of this confidential machine

     Returns the certificate of this processor for AMD SEV-SNP (VCEK) and its chain, with which an
    attestation
    report of the machine is verified. For confidential virtual machines, confidential AKS nodes and
    pods.

    Not verified: the response on other machines. The emulator returns 404, as for an unknown path. In a
    confidential container group, the endpoint is the address in Fabric_NodeIPOrFQDN with port 2377.
    Pass it as
    the endpoint.

    Args:
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AmdCertification | ErrorResponse
    """

    return sync_detailed(
        client=client,
        metadata=metadata,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    metadata: TrueFlag = "true",
) -> Response[AmdCertification | ErrorResponse]:
    """Get AMD's certificates for the processor of this confidential machine

     Returns the certificate of this processor for AMD SEV-SNP (VCEK) and its chain, with which an
    attestation
    report of the machine is verified. For confidential virtual machines, confidential AKS nodes and
    pods.

    Not verified: the response on other machines. The emulator returns 404, as for an unknown path. In a
    confidential container group, the endpoint is the address in Fabric_NodeIPOrFQDN with port 2377.
    Pass it as
    the endpoint.

    Args:
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AmdCertification | ErrorResponse]
    """

    kwargs = _get_kwargs(
        metadata=metadata,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    metadata: TrueFlag = "true",
) -> AmdCertification | ErrorResponse | None:
    """Get AMD's certificates for the processor of this confidential machine

     Returns the certificate of this processor for AMD SEV-SNP (VCEK) and its chain, with which an
    attestation
    report of the machine is verified. For confidential virtual machines, confidential AKS nodes and
    pods.

    Not verified: the response on other machines. The emulator returns 404, as for an unknown path. In a
    confidential container group, the endpoint is the address in Fabric_NodeIPOrFQDN with port 2377.
    Pass it as
    the endpoint.

    Args:
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AmdCertification | ErrorResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            metadata=metadata,
        )
    ).parsed
