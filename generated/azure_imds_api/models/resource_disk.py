# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="ResourceDisk")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class ResourceDisk(DocumentModel):
    """The local temporary disk. Since 2021-02-01.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    size: str = ABSENT
    """ Size, as decimal digits. "0" without a temporary disk, "" on Azure Stack Hub. The documented unit is
    kilobytes, but a captured value is far too small for that. Do not rely on the unit. Since 2021-02-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "size": ("size", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (size := d.pop("size", None)) is not None:
            if type(size) is not str and isinstance(size, COLLECTIONS):
                raise TypeError

            self.size = size

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
