# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx

from ...types import UNSET, Response

if TYPE_CHECKING:
    # Importing these takes time, and a call uses few of them.
    from ...client import AuthenticatedClient, Client
    from ...models.error_response import ErrorResponse
    from ...models.scheduled_events import ScheduledEvents
    from ...models.true_flag import TrueFlag


def _get_kwargs(
    *,
    api_version: str = "2020-07-01",
    metadata: TrueFlag = "true",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["Metadata"] = str(metadata)

    params: dict[str, Any] = {}

    params["api-version"] = api_version

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/scheduledevents",
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorResponse | ScheduledEvents:
    if response.status_code == 200:
        from ...models.scheduled_events import ScheduledEvents

        response_200 = ScheduledEvents.from_dict(response.json())

        return response_200

    from ...models.error_response import ErrorResponse

    response_default = ErrorResponse.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ErrorResponse | ScheduledEvents]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2020-07-01",
    metadata: TrueFlag = "true",
) -> Response[ErrorResponse | ScheduledEvents]:
    """List scheduled events

     Returns all scheduled and started events of the machine's group: an availability set, a scale-set
    placement group, a cloud service, or the machine alone. Every machine of the group gets the events
    of all, so look for your machine's name in `Resources`.

    The first request enables scheduled events for the machine. Its response may take two minutes, and
    events appear within five minutes. After 24 hours without a request they are disabled again. Poll
    about once per second.

    Minimum notice: Freeze and Reboot 15 minutes, Redeploy 10 minutes, Terminate 5 to 15 minutes
    (configured in the scale set), Preempt 30 seconds. A host failure gives no notice. Its event is
    already Started when it first appears.

    Args:
        api_version (str): Version of scheduled events, which have their own list of versions:
            2017-08-01, 2017-11-01 (Preempt), 2019-01-01 (Terminate), 2019-04-01 (Description),
            2019-08-01 (EventSource), 2020-07-01 (DurationInSeconds, current). The newest versions of
            /instance, such as 2025-04-07, are not in the list. Default: '2020-07-01'.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | ScheduledEvents]
    """

    kwargs = _get_kwargs(
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
    api_version: str = "2020-07-01",
    metadata: TrueFlag = "true",
) -> ErrorResponse | ScheduledEvents | None:
    """List scheduled events

     Returns all scheduled and started events of the machine's group: an availability set, a scale-set
    placement group, a cloud service, or the machine alone. Every machine of the group gets the events
    of all, so look for your machine's name in `Resources`.

    The first request enables scheduled events for the machine. Its response may take two minutes, and
    events appear within five minutes. After 24 hours without a request they are disabled again. Poll
    about once per second.

    Minimum notice: Freeze and Reboot 15 minutes, Redeploy 10 minutes, Terminate 5 to 15 minutes
    (configured in the scale set), Preempt 30 seconds. A host failure gives no notice. Its event is
    already Started when it first appears.

    Args:
        api_version (str): Version of scheduled events, which have their own list of versions:
            2017-08-01, 2017-11-01 (Preempt), 2019-01-01 (Terminate), 2019-04-01 (Description),
            2019-08-01 (EventSource), 2020-07-01 (DurationInSeconds, current). The newest versions of
            /instance, such as 2025-04-07, are not in the list. Default: '2020-07-01'.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | ScheduledEvents
    """

    return sync_detailed(
        client=client,
        api_version=api_version,
        metadata=metadata,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2020-07-01",
    metadata: TrueFlag = "true",
) -> Response[ErrorResponse | ScheduledEvents]:
    """List scheduled events

     Returns all scheduled and started events of the machine's group: an availability set, a scale-set
    placement group, a cloud service, or the machine alone. Every machine of the group gets the events
    of all, so look for your machine's name in `Resources`.

    The first request enables scheduled events for the machine. Its response may take two minutes, and
    events appear within five minutes. After 24 hours without a request they are disabled again. Poll
    about once per second.

    Minimum notice: Freeze and Reboot 15 minutes, Redeploy 10 minutes, Terminate 5 to 15 minutes
    (configured in the scale set), Preempt 30 seconds. A host failure gives no notice. Its event is
    already Started when it first appears.

    Args:
        api_version (str): Version of scheduled events, which have their own list of versions:
            2017-08-01, 2017-11-01 (Preempt), 2019-01-01 (Terminate), 2019-04-01 (Description),
            2019-08-01 (EventSource), 2020-07-01 (DurationInSeconds, current). The newest versions of
            /instance, such as 2025-04-07, are not in the list. Default: '2020-07-01'.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | ScheduledEvents]
    """

    kwargs = _get_kwargs(
        api_version=api_version,
        metadata=metadata,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    api_version: str = "2020-07-01",
    metadata: TrueFlag = "true",
) -> ErrorResponse | ScheduledEvents | None:
    """List scheduled events

     Returns all scheduled and started events of the machine's group: an availability set, a scale-set
    placement group, a cloud service, or the machine alone. Every machine of the group gets the events
    of all, so look for your machine's name in `Resources`.

    The first request enables scheduled events for the machine. Its response may take two minutes, and
    events appear within five minutes. After 24 hours without a request they are disabled again. Poll
    about once per second.

    Minimum notice: Freeze and Reboot 15 minutes, Redeploy 10 minutes, Terminate 5 to 15 minutes
    (configured in the scale set), Preempt 30 seconds. A host failure gives no notice. Its event is
    already Started when it first appears.

    Args:
        api_version (str): Version of scheduled events, which have their own list of versions:
            2017-08-01, 2017-11-01 (Preempt), 2019-01-01 (Terminate), 2019-04-01 (Description),
            2019-08-01 (EventSource), 2020-07-01 (DurationInSeconds, current). The newest versions of
            /instance, such as 2025-04-07, are not in the list. Default: '2020-07-01'.
        metadata (TrueFlag): The word true. To turn the switch off, leave it out: there is no
            false. Default: 'true'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | ScheduledEvents
    """

    return (
        await asyncio_detailed(
            client=client,
            api_version=api_version,
            metadata=metadata,
        )
    ).parsed
