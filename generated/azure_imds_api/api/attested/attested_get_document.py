# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx

from ...types import UNSET, Response, Unset

if TYPE_CHECKING:
    # Importing these takes time, and a call uses few of them.
    from ...client import AuthenticatedClient, Client
    from ...models.attested_document import AttestedDocument
    from ...models.error_response import ErrorResponse
    from ...models.true_flag import TrueFlag


def _get_kwargs(
    *,
    api_version: str = "2023-07-01",
    nonce: str | Unset = UNSET,
    metadata: TrueFlag = "true",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["Metadata"] = str(metadata)

    params: dict[str, Any] = {}

    params["api-version"] = api_version

    params["nonce"] = nonce

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/attested/document",
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> AttestedDocument | ErrorResponse:
    if response.status_code == 200:
        from ...models.attested_document import AttestedDocument

        response_200 = AttestedDocument.from_dict(response.json())

        return response_200

    from ...models.error_response import ErrorResponse

    response_default = ErrorResponse.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[AttestedDocument | ErrorResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2023-07-01",
    nonce: str | Unset = UNSET,
    metadata: TrueFlag = "true",
) -> Response[AttestedDocument | ErrorResponse]:
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
        api_version (str): Version of the document, 2018-10-01 or later. The default is the
            version whose specification documents a nonce of up to 32 characters. All documented
            fields are older, and later versions document no change. Default: '2023-07-01'.
        nonce (str | Unset): A value that the verifier has chosen. The signed data repeats it.
            Sources disagree about its form: Microsoft Learn requires ten digits, the 2023-07-01
            specification allows up to 32 letters and digits, and 32 characters of base64url are known
            to work. Ten digits are the safest choice. Without a nonce, IMDS signs a UTC time stamp in
            its place.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AttestedDocument | ErrorResponse]
    """

    kwargs = _get_kwargs(
        api_version=api_version,
        nonce=nonce,
        metadata=metadata,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2023-07-01",
    nonce: str | Unset = UNSET,
    metadata: TrueFlag = "true",
) -> AttestedDocument | ErrorResponse | None:
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
        api_version (str): Version of the document, 2018-10-01 or later. The default is the
            version whose specification documents a nonce of up to 32 characters. All documented
            fields are older, and later versions document no change. Default: '2023-07-01'.
        nonce (str | Unset): A value that the verifier has chosen. The signed data repeats it.
            Sources disagree about its form: Microsoft Learn requires ten digits, the 2023-07-01
            specification allows up to 32 letters and digits, and 32 characters of base64url are known
            to work. Ten digits are the safest choice. Without a nonce, IMDS signs a UTC time stamp in
            its place.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AttestedDocument | ErrorResponse
    """

    return sync_detailed(
        client=client,
        api_version=api_version,
        nonce=nonce,
        metadata=metadata,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2023-07-01",
    nonce: str | Unset = UNSET,
    metadata: TrueFlag = "true",
) -> Response[AttestedDocument | ErrorResponse]:
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
        api_version (str): Version of the document, 2018-10-01 or later. The default is the
            version whose specification documents a nonce of up to 32 characters. All documented
            fields are older, and later versions document no change. Default: '2023-07-01'.
        nonce (str | Unset): A value that the verifier has chosen. The signed data repeats it.
            Sources disagree about its form: Microsoft Learn requires ten digits, the 2023-07-01
            specification allows up to 32 letters and digits, and 32 characters of base64url are known
            to work. Ten digits are the safest choice. Without a nonce, IMDS signs a UTC time stamp in
            its place.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AttestedDocument | ErrorResponse]
    """

    kwargs = _get_kwargs(
        api_version=api_version,
        nonce=nonce,
        metadata=metadata,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2023-07-01",
    nonce: str | Unset = UNSET,
    metadata: TrueFlag = "true",
) -> AttestedDocument | ErrorResponse | None:
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
        api_version (str): Version of the document, 2018-10-01 or later. The default is the
            version whose specification documents a nonce of up to 32 characters. All documented
            fields are older, and later versions document no change. Default: '2023-07-01'.
        nonce (str | Unset): A value that the verifier has chosen. The signed data repeats it.
            Sources disagree about its form: Microsoft Learn requires ten digits, the 2023-07-01
            specification allows up to 32 letters and digits, and 32 characters of base64url are known
            to work. Ten digits are the safest choice. Without a nonce, IMDS signs a UTC time stamp in
            its place.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AttestedDocument | ErrorResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            api_version=api_version,
            nonce=nonce,
            metadata=metadata,
        )
    ).parsed
