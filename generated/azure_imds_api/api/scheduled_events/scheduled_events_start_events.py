# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import httpx

from ...types import UNSET, Response

if TYPE_CHECKING:
    # Importing these takes time, and a call uses few of them.
    from ...client import AuthenticatedClient, Client
    from ...models.error_response import ErrorResponse
    from ...models.start_events_request import StartEventsRequest
    from ...models.true_flag import TrueFlag


def _get_kwargs(
    *,
    body: StartEventsRequest,
    api_version: str = "2020-07-01",
    metadata: TrueFlag = "true",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["Metadata"] = str(metadata)

    params: dict[str, Any] = {}

    params["api-version"] = api_version

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/scheduledevents",
        "params": params,
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Any | ErrorResponse:
    if response.status_code == 200:
        response_200 = cast(Any, None)
        return response_200

    from ...models.error_response import ErrorResponse

    response_default = ErrorResponse.from_dict(response.json())

    return response_default


def _build_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Response[Any | ErrorResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: StartEventsRequest,
    api_version: str = "2020-07-01",
    metadata: TrueFlag = "true",
) -> Response[Any | ErrorResponse]:
    """Approve scheduled events, so that they start now

     Approves one or more events, so that Azure does not wait until `NotBefore`. An approval applies to
    all machines that the event names, not only to this one. An event starts when every affected
    tenant has approved it, or when its time has come.

    Approving an event again succeeds, also after another machine has approved it. The response to an
    unknown `EventId` is not documented. Expect 400.

    Args:
        api_version (str): Version of scheduled events, which have their own list of versions:
            2017-08-01, 2017-11-01 (Preempt), 2019-01-01 (Terminate), 2019-04-01 (Description),
            2019-08-01 (EventSource), 2020-07-01 (DurationInSeconds, current). The newest versions of
            /instance, such as 2025-04-07, are not in the list. Default: '2020-07-01'.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.
        body (StartEventsRequest): Approval of events.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ErrorResponse]
    """

    kwargs = _get_kwargs(
        body=body,
        api_version=api_version,
        metadata=metadata,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    body: StartEventsRequest,
    api_version: str = "2020-07-01",
    metadata: TrueFlag = "true",
) -> Any | ErrorResponse | None:
    """Approve scheduled events, so that they start now

     Approves one or more events, so that Azure does not wait until `NotBefore`. An approval applies to
    all machines that the event names, not only to this one. An event starts when every affected
    tenant has approved it, or when its time has come.

    Approving an event again succeeds, also after another machine has approved it. The response to an
    unknown `EventId` is not documented. Expect 400.

    Args:
        api_version (str): Version of scheduled events, which have their own list of versions:
            2017-08-01, 2017-11-01 (Preempt), 2019-01-01 (Terminate), 2019-04-01 (Description),
            2019-08-01 (EventSource), 2020-07-01 (DurationInSeconds, current). The newest versions of
            /instance, such as 2025-04-07, are not in the list. Default: '2020-07-01'.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.
        body (StartEventsRequest): Approval of events.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ErrorResponse
    """

    return sync_detailed(
        client=client,
        body=body,
        api_version=api_version,
        metadata=metadata,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: StartEventsRequest,
    api_version: str = "2020-07-01",
    metadata: TrueFlag = "true",
) -> Response[Any | ErrorResponse]:
    """Approve scheduled events, so that they start now

     Approves one or more events, so that Azure does not wait until `NotBefore`. An approval applies to
    all machines that the event names, not only to this one. An event starts when every affected
    tenant has approved it, or when its time has come.

    Approving an event again succeeds, also after another machine has approved it. The response to an
    unknown `EventId` is not documented. Expect 400.

    Args:
        api_version (str): Version of scheduled events, which have their own list of versions:
            2017-08-01, 2017-11-01 (Preempt), 2019-01-01 (Terminate), 2019-04-01 (Description),
            2019-08-01 (EventSource), 2020-07-01 (DurationInSeconds, current). The newest versions of
            /instance, such as 2025-04-07, are not in the list. Default: '2020-07-01'.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.
        body (StartEventsRequest): Approval of events.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ErrorResponse]
    """

    kwargs = _get_kwargs(
        body=body,
        api_version=api_version,
        metadata=metadata,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: StartEventsRequest,
    api_version: str = "2020-07-01",
    metadata: TrueFlag = "true",
) -> Any | ErrorResponse | None:
    """Approve scheduled events, so that they start now

     Approves one or more events, so that Azure does not wait until `NotBefore`. An approval applies to
    all machines that the event names, not only to this one. An event starts when every affected
    tenant has approved it, or when its time has come.

    Approving an event again succeeds, also after another machine has approved it. The response to an
    unknown `EventId` is not documented. Expect 400.

    Args:
        api_version (str): Version of scheduled events, which have their own list of versions:
            2017-08-01, 2017-11-01 (Preempt), 2019-01-01 (Terminate), 2019-04-01 (Description),
            2019-08-01 (EventSource), 2020-07-01 (DurationInSeconds, current). The newest versions of
            /instance, such as 2025-04-07, are not in the list. Default: '2020-07-01'.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.
        body (StartEventsRequest): Approval of events.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ErrorResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            api_version=api_version,
            metadata=metadata,
        )
    ).parsed
