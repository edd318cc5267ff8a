# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import LISTS, UNSET, Model, Unset

T = TypeVar("T", bound="Ipv6Configuration")


@_attrs_define(getstate_setstate=False)
class Ipv6Configuration(Model):
    """IPv6 configuration of an interface. IMDS does not return IPv6 subnets. Since 2017-04-02."""

    ip_address: list[Ipv6Address] | Unset = UNSET
    """ Addresses of the interface. [] if there are none. Since 2017-04-02. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        ip_address: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.ip_address, Unset):
            ip_address = []
            for ip_address_item_data in self.ip_address:
                ip_address_item = ip_address_item_data.to_dict()
                ip_address.append(ip_address_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if ip_address is not UNSET:
            field_dict["ipAddress"] = ip_address

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        _ip_address = d.pop("ipAddress", UNSET)
        if _ip_address is not UNSET and not isinstance(_ip_address, LISTS):
            raise TypeError
        _ip_address = _ip_address
        ip_address: list[Ipv6Address] | Unset = UNSET
        if _ip_address is not UNSET:
            ip_address = []
            for ip_address_item_data in _ip_address:
                ip_address_item = Ipv6Address._read(ip_address_item_data)

                ip_address.append(ip_address_item)

        model = cls(
            ip_address,
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
from ..models.ipv_6_address import Ipv6Address
