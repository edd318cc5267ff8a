# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import LISTS, UNSET, Model, Unset

T = TypeVar("T", bound="Network")


@_attrs_define(getstate_setstate=False)
class Network(Model):
    """The network of the machine. Since 2017-04-02."""

    interface: list[NetworkInterface] | Unset = UNSET
    """ Network interfaces in no guaranteed order: the first is not necessarily the primary. Since 2017-04-02. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        interface: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.interface, Unset):
            interface = []
            for interface_item_data in self.interface:
                interface_item = interface_item_data.to_dict()
                interface.append(interface_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if interface is not UNSET:
            field_dict["interface"] = interface

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        _interface = d.pop("interface", UNSET)
        if _interface is not UNSET and not isinstance(_interface, LISTS):
            raise TypeError
        _interface = _interface
        interface: list[NetworkInterface] | Unset = UNSET
        if _interface is not UNSET:
            interface = []
            for interface_item_data in _interface:
                interface_item = NetworkInterface._read(interface_item_data)

                interface.append(interface_item)

        model = cls(
            interface,
            d,
        )
        model._received = src_dict
        return model

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties


# Imported last, because models may refer to each other: this class exists now.
from ..models.network_interface import NetworkInterface
