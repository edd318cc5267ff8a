# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Model, Unset

T = TypeVar("T", bound="NetworkInterface")


@_attrs_define(getstate_setstate=False)
class NetworkInterface(Model):
    """A network interface. Since 2017-04-02."""

    ipv4: Ipv4Configuration | Unset = UNSET
    """ IPv4 configuration of an interface. Since 2017-04-02. """
    ipv6: Ipv6Configuration | Unset = UNSET
    """ IPv6 configuration of an interface. IMDS does not return IPv6 subnets. Since 2017-04-02. """
    mac_address: str | Unset = UNSET
    """ MAC address: 12 hexadecimal digits in upper case, without separators. Since 2017-04-02. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        ipv4: dict[str, Any] | Unset = UNSET
        if not isinstance(self.ipv4, Unset):
            ipv4 = self.ipv4.to_dict()

        ipv6: dict[str, Any] | Unset = UNSET
        if not isinstance(self.ipv6, Unset):
            ipv6 = self.ipv6.to_dict()

        mac_address = self.mac_address

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if ipv4 is not UNSET:
            field_dict["ipv4"] = ipv4
        if ipv6 is not UNSET:
            field_dict["ipv6"] = ipv6
        if mac_address is not UNSET:
            field_dict["macAddress"] = mac_address

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        _ipv4 = d.pop("ipv4", UNSET)
        ipv4: Ipv4Configuration | Unset
        if _ipv4 is UNSET:
            ipv4 = UNSET
        else:
            ipv4 = Ipv4Configuration._read(_ipv4)

        _ipv6 = d.pop("ipv6", UNSET)
        ipv6: Ipv6Configuration | Unset
        if _ipv6 is UNSET:
            ipv6 = UNSET
        else:
            ipv6 = Ipv6Configuration._read(_ipv6)

        mac_address = d.pop("macAddress", UNSET)

        model = cls(
            ipv4,
            ipv6,
            mac_address,
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
from ..models.ipv_4_configuration import Ipv4Configuration
from ..models.ipv_6_configuration import Ipv6Configuration
