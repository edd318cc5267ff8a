# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import COLLECTIONS, LISTS, Model

T = TypeVar("T", bound="ScheduledEvents")


@_attrs_define(getstate_setstate=False)
class ScheduledEvents(Model):
    """All events of the machine's group at one moment."""

    document_incarnation: int
    """ Changes whenever Events changes. Compare for inequality only: whether the number can start again is not
    documented. """
    events: list[ScheduledEvent]
    """ Scheduled and started events. [] if there are none. Events that have ended or were cancelled are removed.
    """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        document_incarnation = self.document_incarnation

        events = []
        for events_item_data in self.events:
            events_item = events_item_data.to_dict()
            events.append(events_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "DocumentIncarnation": document_incarnation,
                "Events": events,
            }
        )

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        document_incarnation = d.pop("DocumentIncarnation")

        if isinstance(document_incarnation, COLLECTIONS):
            raise TypeError

        _events = d.pop("Events")
        if not isinstance(_events, LISTS):
            raise TypeError
        events = []
        _events = _events
        for events_item_data in _events:
            events_item = ScheduledEvent._read(events_item_data)

            events.append(events_item)

        model = cls(
            document_incarnation,
            events,
            d,
        )
        model._received = src_dict
        return model


# Imported last, because models may refer to each other: this class exists now.
from ..models.scheduled_event import ScheduledEvent
