# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="ManagedDisk")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class ManagedDisk(DocumentModel):
    """The managed disk that backs a disk. Since 2019-06-01.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    id: str = ABSENT
    """ Azure resource id of the managed disk. Since 2019-06-01. """
    storage_account_type: str = ABSENT
    """ Storage type, such as Standard_LRS, StandardSSD_LRS, Premium_LRS or UltraSSD_LRS. Since 2019-06-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "id": ("id", str),
        "storage_account_type": ("storageAccountType", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (id := d.pop("id", None)) is not None:
            if type(id) is not str and isinstance(id, COLLECTIONS):
                raise TypeError

            self.id = id

        if (storage_account_type := d.pop("storageAccountType", None)) is not None:
            if type(storage_account_type) is not str and isinstance(storage_account_type, COLLECTIONS):
                raise TypeError

            self.storage_account_type = storage_account_type

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
