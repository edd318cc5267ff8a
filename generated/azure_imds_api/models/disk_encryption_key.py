# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="DiskEncryptionKey")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class DiskEncryptionKey(DocumentModel):
    """Location of the disk's encryption key, which is a secret in a key vault. Since 2021-11-01.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    secret_url: str = ABSENT
    """ URL of the secret. It does not contain the key. Since 2021-11-01. """
    source_vault: SourceVault = ABSENT
    """ A key vault. Since 2021-11-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "secret_url": ("secretUrl", str),
        "source_vault": ("sourceVault", "SourceVault"),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (secret_url := d.pop("secretUrl", None)) is not None:
            if type(secret_url) is not str and isinstance(secret_url, COLLECTIONS):
                raise TypeError

            self.secret_url = secret_url

        if (source_vault := d.pop("sourceVault", None)) is not None:
            source_vault = SourceVault._read(source_vault)

            self.source_vault = source_vault

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self


# Imported last, because models may refer to each other: this class exists now.
from ..models.source_vault import SourceVault
