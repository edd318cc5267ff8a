# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="EncryptionSettings")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class EncryptionSettings(DocumentModel):
    """Encryption of the OS disk. Before 2021-11-01 it contains `enabled` only. Since 2019-06-01.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    disk_encryption_key: DiskEncryptionKey = ABSENT
    """ Location of the disk's encryption key, which is a secret in a key vault. Since 2021-11-01. """
    enabled: str = ABSENT
    """ "true" or "false": whether the disk is encrypted. Since 2019-06-01. """
    key_encryption_key: KeyEncryptionKey = ABSENT
    """ The key that encrypts the disk's encryption key. Since 2021-11-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "disk_encryption_key": ("diskEncryptionKey", "DiskEncryptionKey"),
        "enabled": ("enabled", str),
        "key_encryption_key": ("keyEncryptionKey", "KeyEncryptionKey"),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (disk_encryption_key := d.pop("diskEncryptionKey", None)) is not None:
            disk_encryption_key = DiskEncryptionKey._read(disk_encryption_key)

            self.disk_encryption_key = disk_encryption_key

        if (enabled := d.pop("enabled", None)) is not None:
            if type(enabled) is not str and isinstance(enabled, COLLECTIONS):
                raise TypeError

            self.enabled = enabled

        if (key_encryption_key := d.pop("keyEncryptionKey", None)) is not None:
            key_encryption_key = KeyEncryptionKey._read(key_encryption_key)

            self.key_encryption_key = key_encryption_key

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self


# Imported last, because models may refer to each other: this class exists now.
from ..models.disk_encryption_key import DiskEncryptionKey
from ..models.key_encryption_key import KeyEncryptionKey
