# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import COLLECTIONS, Model

T = TypeVar("T", bound="StartRequest")


@_attrs_define(getstate_setstate=False)
class StartRequest(Model):
    """Approval of one event, for all machines that the event names."""

    event_id: str
    """ The EventId of the event, unchanged. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        event_id = self.event_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "EventId": event_id,
            }
        )

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        event_id = d.pop("EventId")

        if type(event_id) is not str and isinstance(event_id, COLLECTIONS):
            raise TypeError

        model = cls(
            event_id,
            d,
        )
        model._received = src_dict
        return model
