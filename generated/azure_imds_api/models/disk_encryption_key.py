# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Model, Unset

T = TypeVar("T", bound="DiskEncryptionKey")


@_attrs_define(getstate_setstate=False)
class DiskEncryptionKey(Model):
    """Location of the disk's encryption key, which is a secret in a key vault. Since 2021-11-01."""

    secret_url: str | Unset = UNSET
    """ URL of the secret. It does not contain the key. Since 2021-11-01. """
    source_vault: SourceVault | Unset = UNSET
    """ A key vault. Since 2021-11-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        secret_url = self.secret_url

        source_vault: dict[str, Any] | Unset = UNSET
        if not isinstance(self.source_vault, Unset):
            source_vault = self.source_vault.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if secret_url is not UNSET:
            field_dict["secretUrl"] = secret_url
        if source_vault is not UNSET:
            field_dict["sourceVault"] = source_vault

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        secret_url = d.pop("secretUrl", UNSET)

        _source_vault = d.pop("sourceVault", UNSET)
        source_vault: SourceVault | Unset
        if _source_vault is UNSET:
            source_vault = UNSET
        else:
            source_vault = SourceVault._read(_source_vault)

        model = cls(
            secret_url,
            source_vault,
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
from ..models.source_vault import SourceVault
