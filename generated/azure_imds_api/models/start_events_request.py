# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import LISTS, Model

T = TypeVar("T", bound="StartEventsRequest")


@_attrs_define(getstate_setstate=False)
class StartEventsRequest(Model):
    """Approval of events."""

    start_requests: list[StartRequest]
    """ The events to start, at least one. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        start_requests = []
        for start_requests_item_data in self.start_requests:
            start_requests_item = start_requests_item_data.to_dict()
            start_requests.append(start_requests_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "StartRequests": start_requests,
            }
        )

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        _start_requests = d.pop("StartRequests")
        if not isinstance(_start_requests, LISTS):
            raise TypeError
        start_requests = []
        _start_requests = _start_requests
        for start_requests_item_data in _start_requests:
            start_requests_item = StartRequest._read(start_requests_item_data)

            start_requests.append(start_requests_item)

        model = cls(
            start_requests,
            d,
        )
        model._received = src_dict
        return model


# Imported last, because models may refer to each other: this class exists now.
from ..models.start_request import StartRequest
