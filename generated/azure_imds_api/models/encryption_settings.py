# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Model, Unset

T = TypeVar("T", bound="EncryptionSettings")


@_attrs_define(getstate_setstate=False)
class EncryptionSettings(Model):
    """Encryption of the OS disk. Before 2021-11-01 it contains `enabled` only. Since 2019-06-01."""

    disk_encryption_key: DiskEncryptionKey | Unset = UNSET
    """ Location of the disk's encryption key, which is a secret in a key vault. Since 2021-11-01. """
    enabled: str | Unset = UNSET
    """ "true" or "false": whether the disk is encrypted. Since 2019-06-01. """
    key_encryption_key: KeyEncryptionKey | Unset = UNSET
    """ The key that encrypts the disk's encryption key. Since 2021-11-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        disk_encryption_key: dict[str, Any] | Unset = UNSET
        if not isinstance(self.disk_encryption_key, Unset):
            disk_encryption_key = self.disk_encryption_key.to_dict()

        enabled = self.enabled

        key_encryption_key: dict[str, Any] | Unset = UNSET
        if not isinstance(self.key_encryption_key, Unset):
            key_encryption_key = self.key_encryption_key.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if disk_encryption_key is not UNSET:
            field_dict["diskEncryptionKey"] = disk_encryption_key
        if enabled is not UNSET:
            field_dict["enabled"] = enabled
        if key_encryption_key is not UNSET:
            field_dict["keyEncryptionKey"] = key_encryption_key

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        _disk_encryption_key = d.pop("diskEncryptionKey", UNSET)
        disk_encryption_key: DiskEncryptionKey | Unset
        if _disk_encryption_key is UNSET:
            disk_encryption_key = UNSET
        else:
            disk_encryption_key = DiskEncryptionKey._read(_disk_encryption_key)

        enabled = d.pop("enabled", UNSET)

        _key_encryption_key = d.pop("keyEncryptionKey", UNSET)
        key_encryption_key: KeyEncryptionKey | Unset
        if _key_encryption_key is UNSET:
            key_encryption_key = UNSET
        else:
            key_encryption_key = KeyEncryptionKey._read(_key_encryption_key)

        model = cls(
            disk_encryption_key,
            enabled,
            key_encryption_key,
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
from ..models.disk_encryption_key import DiskEncryptionKey
from ..models.key_encryption_key import KeyEncryptionKey
