# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""Announcements of maintenance that will interrupt this machine or others of its group, and their approval."""

from __future__ import annotations

from typing import Any

from ... import models
from .. import AsyncSend, Operation, Send
from . import scheduled_events_get_events as _scheduled_events_get_events
from . import scheduled_events_start_events as _scheduled_events_start_events


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


SCHEDULED_EVENTS_GET_EVENTS: Operation[models.ScheduledEvents] = Operation(
    build=_scheduled_events_get_events._get_kwargs,
    parse=_scheduled_events_get_events._parse_response,
    id="ScheduledEvents_GetEvents",
    name="scheduled_events.get_events",
    method="GET",
    path="/scheduledevents",
    success=[(200, 200)],
    rules={
        "api_version": {
            "example": "2020-07-01",
            "in": "query",
            "name": "api-version",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}\\Z",
            "type": "string",
        },
        "metadata": {"enum": ["true"], "in": "header", "name": "Metadata", "type": "string"},
    },
    answer={
        "properties": {
            "DocumentIncarnation": {"type": "integer"},
            "Events": {
                "items": {
                    "properties": {
                        "EventId": {"type": "string"},
                        "EventStatus": {},
                        "EventType": {},
                        "Resources": {"items": {"type": "string"}, "type": "array"},
                    },
                    "required": ["EventId", "EventType", "EventStatus", "Resources"],
                    "type": "object",
                },
                "type": "array",
            },
        },
        "required": ["DocumentIncarnation", "Events"],
        "type": "object",
    },
    idempotent=True,
    response_seconds=150,
)

SCHEDULED_EVENTS_START_EVENTS: Operation[None] = Operation(
    build=_scheduled_events_start_events._get_kwargs,
    parse=_scheduled_events_start_events._parse_response,
    id="ScheduledEvents_StartEvents",
    name="scheduled_events.start_events",
    method="POST",
    path="/scheduledevents",
    success=[(200, 200)],
    rules={
        "api_version": {
            "example": "2020-07-01",
            "in": "query",
            "name": "api-version",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}\\Z",
            "type": "string",
        },
        "body": {
            "in": "body",
            "name": "body",
            "properties": {
                "StartRequests": {
                    "items": {
                        "properties": {
                            "EventId": {
                                "example": "00000000-0000-0000-0000-0000000000A1",
                                "minLength": 1,
                                "pattern": "^[!-~]+\\Z",
                                "type": "string",
                            }
                        },
                        "required": ["EventId"],
                        "type": "object",
                    },
                    "minItems": 1,
                    "type": "array",
                }
            },
            "required": ["StartRequests"],
            "type": "object",
        },
        "metadata": {"enum": ["true"], "in": "header", "name": "Metadata", "type": "string"},
    },
    required=["body"],
    idempotent=True,
)


class ScheduledEventsOperations:
    """Announcements of maintenance that will interrupt this machine or others of its group, and their approval."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def get_events(
        self,
        *,
        api_version: str | None = None,
    ) -> models.ScheduledEvents:
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
            api_version: Version of scheduled events, which have their own list of versions: 2017-08-01, 2017-11-01
                (Preempt), 2019-01-01 (Terminate), 2019-04-01 (Description), 2019-08-01 (EventSource), 2020-07-01
                (DurationInSeconds, current). The newest versions of /instance, such as 2025-04-07, are not in the list.
                Default: 2020-07-01.

        Returns:
            ScheduledEvents: The events. `Events` is empty if there are none.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return self._send(
            SCHEDULED_EVENTS_GET_EVENTS,
            _given(
                api_version=api_version,
            ),
        )

    def start_events(
        self,
        *,
        body: models.StartEventsRequest,
        api_version: str | None = None,
    ) -> None:
        """Approve scheduled events, so that they start now

        Approves one or more events, so that Azure does not wait until `NotBefore`. An approval applies to
        all machines that the event names, not only to this one. An event starts when every affected
        tenant has approved it, or when its time has come.

        Approving an event again succeeds, also after another machine has approved it. The response to an
        unknown `EventId` is not documented. Expect 400.

        Args:
            body: The events to approve, by their ids.
            api_version: Version of scheduled events, which have their own list of versions: 2017-08-01, 2017-11-01
                (Preempt), 2019-01-01 (Terminate), 2019-04-01 (Description), 2019-08-01 (EventSource), 2020-07-01
                (DurationInSeconds, current). The newest versions of /instance, such as 2025-04-07, are not in the list.
                Default: 2020-07-01.

        Returns:
            None: Azure has accepted the approval.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return self._send(
            SCHEDULED_EVENTS_START_EVENTS,
            _given(
                body=body,
                api_version=api_version,
            ),
        )


class AsyncScheduledEventsOperations:
    """Announcements of maintenance that will interrupt this machine or others of its group, and their approval."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def get_events(
        self,
        *,
        api_version: str | None = None,
    ) -> models.ScheduledEvents:
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
            api_version: Version of scheduled events, which have their own list of versions: 2017-08-01, 2017-11-01
                (Preempt), 2019-01-01 (Terminate), 2019-04-01 (Description), 2019-08-01 (EventSource), 2020-07-01
                (DurationInSeconds, current). The newest versions of /instance, such as 2025-04-07, are not in the list.
                Default: 2020-07-01.

        Returns:
            ScheduledEvents: The events. `Events` is empty if there are none.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return await self._send(
            SCHEDULED_EVENTS_GET_EVENTS,
            _given(
                api_version=api_version,
            ),
        )

    async def start_events(
        self,
        *,
        body: models.StartEventsRequest,
        api_version: str | None = None,
    ) -> None:
        """Approve scheduled events, so that they start now

        Approves one or more events, so that Azure does not wait until `NotBefore`. An approval applies to
        all machines that the event names, not only to this one. An event starts when every affected
        tenant has approved it, or when its time has come.

        Approving an event again succeeds, also after another machine has approved it. The response to an
        unknown `EventId` is not documented. Expect 400.

        Args:
            body: The events to approve, by their ids.
            api_version: Version of scheduled events, which have their own list of versions: 2017-08-01, 2017-11-01
                (Preempt), 2019-01-01 (Terminate), 2019-04-01 (Description), 2019-08-01 (EventSource), 2020-07-01
                (DurationInSeconds, current). The newest versions of /instance, such as 2025-04-07, are not in the list.
                Default: 2020-07-01.

        Returns:
            None: Azure has accepted the approval.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return await self._send(
            SCHEDULED_EVENTS_START_EVENTS,
            _given(
                body=body,
                api_version=api_version,
            ),
        )
