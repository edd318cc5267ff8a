# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Model, Unset

T = TypeVar("T", bound="PublicIpAddress")


@_attrs_define(getstate_setstate=False)
class PublicIpAddress(Model):
    """A public address of this machine and the private address that belongs to it."""

    frontend_ip_address: str | Unset = UNSET
    """ Public address. An IPv6 address may be in brackets. """
    private_ip_address: str | Unset = UNSET
    """ Private address. An IPv6 address may be in brackets. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        frontend_ip_address = self.frontend_ip_address

        private_ip_address = self.private_ip_address

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if frontend_ip_address is not UNSET:
            field_dict["frontendIpAddress"] = frontend_ip_address
        if private_ip_address is not UNSET:
            field_dict["privateIpAddress"] = private_ip_address

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        frontend_ip_address = d.pop("frontendIpAddress", UNSET)

        private_ip_address = d.pop("privateIpAddress", UNSET)

        model = cls(
            frontend_ip_address,
            private_ip_address,
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
