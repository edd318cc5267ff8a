# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.known_event_source import KnownEventSource
from ..models.known_event_status import KnownEventStatus
from ..models.known_event_type import KnownEventType
from ..types import COLLECTIONS, LISTS, UNSET, Model, Unset

T = TypeVar("T", bound="ScheduledEvent")


@_attrs_define(getstate_setstate=False)
class ScheduledEvent(Model):
    """One interruption, scheduled or started."""

    event_id: str
    """ Id of the event, a GUID. To start the event, send it back unchanged. """
    event_type: KnownEventType | str
    """ Type of the interruption. Freeze: a pause of seconds, memory is kept. Reboot: memory is lost (occasionally
    only a pause happens). Redeploy: the machine moves to another host, ephemeral disks are lost. Preempt: a Spot
    machine is taken away. Terminate: the machine is about to be deleted. """
    resources: list[str]
    """ Names of the affected machines. Look for your machine's name: events of other machines in the group are
    listed too. """
    event_status: KnownEventStatus | str
    """ Scheduled, then Started. There is no status for the end: the event is removed. """
    resource_type: str | Unset = UNSET
    """ Type of the resources, VirtualMachine. """
    not_before: str | Unset = UNSET
    """ The event does not start before this time, unless it is approved. RFC 1123 in GMT, such as Tue, 02 Jan 2024
    03:19:05 GMT. "" after the start. Microsoft's mock server sends ISO 8601. """
    description: str | Unset = UNSET
    """ Text for people. Since 2019-04-01. """
    event_source: KnownEventSource | str | Unset = UNSET
    """ Who caused the event: the platform or a user. Since 2019-08-01. """
    duration_in_seconds: int | Unset = UNSET
    """ Expected duration of the interruption in seconds. 0: no noticeable interruption. -1: unknown or not
    applicable. Since 2020-07-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        event_id = self.event_id

        event_type: str
        if isinstance(self.event_type, str):
            event_type = self.event_type
        else:
            event_type = self.event_type

        resources = self.resources

        event_status: str
        if isinstance(self.event_status, str):
            event_status = self.event_status
        else:
            event_status = self.event_status

        resource_type = self.resource_type

        not_before = self.not_before

        description = self.description

        event_source: str | Unset
        if isinstance(self.event_source, Unset):
            event_source = UNSET
        elif isinstance(self.event_source, str):
            event_source = self.event_source
        else:
            event_source = self.event_source

        duration_in_seconds = self.duration_in_seconds

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "EventId": event_id,
                "EventType": event_type,
                "Resources": resources,
                "EventStatus": event_status,
            }
        )
        if resource_type is not UNSET:
            field_dict["ResourceType"] = resource_type
        if not_before is not UNSET:
            field_dict["NotBefore"] = not_before
        if description is not UNSET:
            field_dict["Description"] = description
        if event_source is not UNSET:
            field_dict["EventSource"] = event_source
        if duration_in_seconds is not UNSET:
            field_dict["DurationInSeconds"] = duration_in_seconds

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        event_id = d.pop("EventId")

        if type(event_id) is not str and isinstance(event_id, COLLECTIONS):
            raise TypeError

        event_type = d.pop("EventType")

        if type(event_type) is not str and isinstance(event_type, COLLECTIONS):
            raise TypeError

        _resources = d.pop("Resources")
        if not isinstance(_resources, LISTS) or any(isinstance(item, COLLECTIONS) for item in _resources):
            raise TypeError
        resources = cast(list[str], _resources)

        event_status = d.pop("EventStatus")

        if type(event_status) is not str and isinstance(event_status, COLLECTIONS):
            raise TypeError

        resource_type = d.pop("ResourceType", UNSET)

        if type(resource_type) is not str and isinstance(resource_type, COLLECTIONS):
            raise TypeError

        not_before = d.pop("NotBefore", UNSET)

        if type(not_before) is not str and isinstance(not_before, COLLECTIONS):
            raise TypeError

        description = d.pop("Description", UNSET)

        if type(description) is not str and isinstance(description, COLLECTIONS):
            raise TypeError

        event_source = d.pop("EventSource", UNSET)

        if type(event_source) is not str and isinstance(event_source, COLLECTIONS):
            raise TypeError

        duration_in_seconds = d.pop("DurationInSeconds", UNSET)

        if isinstance(duration_in_seconds, COLLECTIONS):
            raise TypeError

        model = cls(
            event_id,
            event_type,
            resources,
            event_status,
            resource_type,
            not_before,
            description,
            event_source,
            duration_in_seconds,
            d,
        )
        model._received = src_dict
        return model
