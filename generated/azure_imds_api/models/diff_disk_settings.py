# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="DiffDiskSettings")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class DiffDiskSettings(DocumentModel):
    """Whether the OS disk is ephemeral. Since 2019-06-01.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    option: str = ABSENT
    """ Local for an ephemeral OS disk. "" for other disks. Since 2019-06-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "option": ("option", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (option := d.pop("option", None)) is not None:
            if type(option) is not str and isinstance(option, COLLECTIONS):
                raise TypeError

            self.option = option

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
