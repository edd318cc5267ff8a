# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.known_security_type import KnownSecurityType
from ..types import UNSET, Model, Unset

T = TypeVar("T", bound="SecurityProfile")


@_attrs_define(getstate_setstate=False)
class SecurityProfile(Model):
    """Security features of the machine. Since 2020-06-01."""

    encryption_at_host: str | Unset = UNSET
    """ "true" or "false": whether disks are encrypted at the host. Since 2021-11-01. """
    secure_boot_enabled: str | Unset = UNSET
    """ "true" or "false": whether UEFI secure boot is enabled. Since 2020-06-01. """
    security_type: KnownSecurityType | str | Unset = UNSET
    """ Trusted launch or confidential machine. "" for neither. Since 2021-12-13. """
    virtual_tpm_enabled: str | Unset = UNSET
    """ "true" or "false": whether the machine has a virtual TPM. Since 2020-06-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        encryption_at_host = self.encryption_at_host

        secure_boot_enabled = self.secure_boot_enabled

        security_type: str | Unset
        if isinstance(self.security_type, Unset):
            security_type = UNSET
        elif isinstance(self.security_type, str):
            security_type = self.security_type
        else:
            security_type = self.security_type

        virtual_tpm_enabled = self.virtual_tpm_enabled

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if encryption_at_host is not UNSET:
            field_dict["encryptionAtHost"] = encryption_at_host
        if secure_boot_enabled is not UNSET:
            field_dict["secureBootEnabled"] = secure_boot_enabled
        if security_type is not UNSET:
            field_dict["securityType"] = security_type
        if virtual_tpm_enabled is not UNSET:
            field_dict["virtualTpmEnabled"] = virtual_tpm_enabled

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        encryption_at_host = d.pop("encryptionAtHost", UNSET)

        secure_boot_enabled = d.pop("secureBootEnabled", UNSET)

        security_type = d.pop("securityType", UNSET)

        virtual_tpm_enabled = d.pop("virtualTpmEnabled", UNSET)

        model = cls(
            encryption_at_host,
            secure_boot_enabled,
            security_type,
            virtual_tpm_enabled,
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
