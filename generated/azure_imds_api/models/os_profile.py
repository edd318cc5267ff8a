# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Model, Unset

T = TypeVar("T", bound="OsProfile")


@_attrs_define(getstate_setstate=False)
class OsProfile(Model):
    """Settings of the operating system at creation. All fields are "" for specialized disks. Since 2020-07-15."""

    admin_username: str | Unset = UNSET
    """ Name of the administrator account. Since 2020-07-15. """
    computer_name: str | Unset = UNSET
    """ Host name at creation. Since 2020-07-15. """
    disable_password_authentication: str | Unset = UNSET
    """ "true" or "false": whether password login is disabled. "" on Windows. Since 2020-10-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        admin_username = self.admin_username

        computer_name = self.computer_name

        disable_password_authentication = self.disable_password_authentication

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if admin_username is not UNSET:
            field_dict["adminUsername"] = admin_username
        if computer_name is not UNSET:
            field_dict["computerName"] = computer_name
        if disable_password_authentication is not UNSET:
            field_dict["disablePasswordAuthentication"] = disable_password_authentication

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        admin_username = d.pop("adminUsername", UNSET)

        computer_name = d.pop("computerName", UNSET)

        disable_password_authentication = d.pop("disablePasswordAuthentication", UNSET)

        model = cls(
            admin_username,
            computer_name,
            disable_password_authentication,
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
