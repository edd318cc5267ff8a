# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="ExtendedLocation")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class ExtendedLocation(DocumentModel):
    """The edge zone of the machine. Both fields are "" outside of edge zones. Since 2021-03-01.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    name: str = ABSENT
    """ Name of the edge zone. Since 2021-03-01. """
    type_: str = ABSENT
    """ Type of the location, such as edgeZone. Since 2021-03-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "name": ("name", str),
        "type_": ("type", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (name := d.pop("name", None)) is not None:
            if type(name) is not str and isinstance(name, COLLECTIONS):
                raise TypeError

            self.name = name

        if (type_ := d.pop("type", None)) is not None:
            if type(type_) is not str and isinstance(type_, COLLECTIONS):
                raise TypeError

            self.type_ = type_

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
