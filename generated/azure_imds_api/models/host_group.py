# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="HostGroup")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class HostGroup(DocumentModel):
    """The dedicated host group of the machine. Never set together with host. Since 2021-11-15.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    id: str = ABSENT
    """ Id of the host group. "" if there is none. Since 2021-11-15. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "id": ("id", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (id := d.pop("id", None)) is not None:
            if type(id) is not str and isinstance(id, COLLECTIONS):
                raise TypeError

            self.id = id

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
